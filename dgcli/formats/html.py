"""One self-contained page to read, search, hear and correct a transcript.

The page loads nothing but the recording it is linked to (`--audio`), works from a `file:` URL, and can be read
without JavaScript. Everything the response says is escaped; besides, the page's Content-Security-Policy runs no
script but the page's own (by its hash, W3C "Content Security Policy Level 3") and lets it reach no server.
What the page says is written by `page_turns` and `page_overview`; how it looks and what it does is in `page/`.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from dgcli.captions.text import is_right_to_left
from dgcli.formats.base import RenderSettings
from dgcli.formats.growing import TurnWriter
from dgcli.formats.page_overview import analyses, facts, timeline
from dgcli.formats.page_turns import ChannelWords, Voices, as_json, one_line, turn, word_data
from dgcli.formats.turns import paragraphs
from dgcli.transcript.json_values import mapping, mappings
from dgcli.transcript.model import Segment, Transcript, Word

_STYLES = ("style.css", "tools.css", "print.css")
# Joined to one script, in this order.
_SCRIPTS = (
    "model.js",
    "retime.js",
    "view.js",
    "player.js",
    "search.js",
    "response.js",
    "editing.js",
    "kept.js",
)
_VIDEO = frozenset({".mp4", ".m4v", ".webm", ".mov", ".mkv", ".ogv", ".avi", ".mpg", ".mpeg", ".ts"})
_KEYS = (
    ("Space", "play, pause"),
    ("J, L", "5 seconds back, on"),
    ("Left, Right", "word by word"),
    ("&lt;, &gt;", "slower, faster"),
    ("/", "search"),
    ("N, P", "next, previous hit"),
    ("E", "correct"),
    ("Ctrl+Z, Ctrl+Y", "undo, redo"),
)


def _assets(names: tuple[str, ...]) -> str:
    folder = files("dgcli.formats").joinpath("page")
    return "\n".join(folder.joinpath(name).read_text("utf-8").strip() for name in names)


def _script() -> str:
    return f'"use strict";\n(() => {{\n{_assets(_SCRIPTS)}\n}})();'


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "media-src * file: data: blob:; base-uri 'none'; form-action 'none'"
    )


def _file_name(link: str) -> str:
    return PurePosixPath(unquote(urlsplit(link).path)).name


def _title(options: RenderSettings) -> str:
    """The title that was given; else the name of the recording, else `Transcript`."""
    name = options.title or PurePosixPath(_file_name(options.audio or "")).stem or options.source_name
    return one_line(name or "") or "Transcript"


def _is_video(link: str) -> bool:
    return PurePosixPath(_file_name(link).lower()).suffix in _VIDEO


def _media(options: RenderSettings) -> str:
    if options.audio is None:
        return (
            '<label class="choose scripted">Recording <input type="file" id="recording" '
            'accept="audio/*,video/*"></label>\n'
        )
    kind = "video" if _is_video(options.audio) else "audio"
    return f'<{kind} controls preload="metadata" src="{escape(options.audio)}"></{kind}>\n'


def _keys() -> str:
    rows = "".join(f"<dt><kbd>{keys}</kbd></dt><dd>{does}</dd>" for keys, does in _KEYS)
    return f"""<details open class="keys scripted"><summary><h2>Keys</h2></summary>
<dl>{rows}</dl>
<label><input type="checkbox" id="single" checked> Keys without Ctrl</label></details>
"""


def _tools(options: RenderSettings) -> str:
    speeds = "".join(
        f'<option value="{speed}"{" selected" if speed == "1" else ""}>{speed}×</option>'
        for speed in ("0.5", "0.75", "1", "1.25", "1.5", "1.75", "2", "3")
    )
    return f"""<section class="bar" aria-label="Player and tools">
{_media(options)}<div class="row transport scripted" hidden>
<button type="button" id="play" aria-label="Play"></button>
<button type="button" id="back" aria-label="−5 s, back">−5 s</button>
<button type="button" id="on" aria-label="+5 s, on">+5 s</button>
<output id="time">0:00</output>
<input type="range" id="seek" min="0" max="1" step="0.1" value="0" aria-label="Position">
<output id="length">0:00</output>
<label>Speed <select id="speed">{speeds}</select></label>
</div>
<div class="row scripted">
<label class="find">Search <input type="search" id="search" autocomplete="off" spellcheck="false"></label>
<span class="steps"><button type="button" id="previous" aria-label="Previous hit" disabled></button>\
<button type="button" id="next" aria-label="Next hit" disabled></button></span>
<span id="hits" role="status"></span>
<label id="filtering" hidden>Speaker <select id="filter"><option value="">all</option></select></label>
<button type="button" id="copy">Copy with times</button>
<button type="button" id="edit" aria-pressed="false">Correct</button>
</div>
<div class="row editing scripted" id="editing" hidden>
<button type="button" id="undo" disabled>Undo</button>
<button type="button" id="redo" disabled>Redo</button>
<button type="button" id="download">Download corrected response</button>
<span class="hint">Type in the text; Ctrl+Enter begins a paragraph of its own, Escape leaves it as it was.</span>
</div>
<div class="row scripted" id="kept" hidden>
<span id="kept-on"></span>
<button type="button" id="restore">Restore</button>
<button type="button" id="discard">Discard</button>
</div>
<p id="status" role="status"></p>
</section>
"""


def _head(options: RenderSettings, script: str, language: str, request: str, about: str, lanes: str) -> str:
    title = _title(options)
    return f"""<!DOCTYPE html>
<html lang="{one_line(language) or "en"}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{_assets(_STYLES)}
</style>
</head>
<body data-request="{one_line(request)}">
<header>
<h1 dir="auto">{title}</h1>
{about}</header>
{lanes}{_tools(options)}"""


def _data(options: RenderSettings, channels: int | None, rest: object, cues: object) -> str:
    names = {str(number): name for number, name in options.speaker_names.items()}
    data = {"channels": channels, "names": names, "rest": rest, "cues": cues}
    try:
        text = as_json(data)
    except RecursionError:  # what is nested that deep is nothing that anybody would correct
        text = as_json({**data, "rest": None})
    return f'<script type="application/json" id="data">{text}</script>\n'


def _body(data: str, findings: str, *, rtl: bool = False) -> str:
    return f"""{data}<div class="layout">
<aside aria-label="About the recording">
{findings}<details open class="speakers scripted" hidden>
<summary><h2>Speakers</h2></summary><div id="names"></div></details>
{_keys()}</aside>
<main tabindex="-1"{' dir="rtl"' if rtl else ""} aria-label="Transcript">
"""


def _foot(script: str) -> str:
    return f"</main>\n</div>\n<script>{script}</script>\n</body>\n</html>\n"


class _PageTurns:
    """Writes a page without what only the end of a stream can tell: analyses and a timeline."""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options
        script = _script()
        language = options.language or ""
        self.header = _head(options, script, language, "", "", "") + _body(
            _data(options, None, None, None), ""
        )
        self.footer = _foot(script)
        self._voices: Voices | None = None
        self._before: Segment | None = None

    def turn(self, segment: Segment, several_channels: bool) -> str:
        """Write a paragraph."""
        if self._voices is None:
            self._voices = Voices(self._options, several_channels)
        before, self._before = self._before, segment
        return turn(segment, self._voices, word_data(segment.words, (), {}), before)


def render_turns(options: RenderSettings) -> TurnWriter:
    """Create the writer of a page that grows utterance by utterance."""
    return _PageTurns(options)


def _confidence(words: Sequence[Word]) -> float:
    """The confidence of a stream, as its response has it when it has ended."""
    return round(sum(word.confidence for word in words) / len(words), 6)


def _without_words(transcript: Transcript) -> Mapping[str, Any]:
    """A response without what the paragraphs of the page have: words, and what is made of them."""
    raw = transcript.raw
    results = dict(mapping(raw.get("results")))
    channels = []
    for item, channel in zip(mappings(results.get("channels")), transcript.channels, strict=False):
        alternatives = list(mappings(item.get("alternatives")))
        if alternatives:
            first = {
                key: value for key, value in alternatives[0].items() if key not in ("words", "transcript")
            }
            if channel.words and not alternatives[0].get("words"):
                first["confidence"] = _confidence(channel.words)
            if "paragraphs" in first:
                first["paragraphs"] = {}
            item = {**item, "alternatives": [first, *alternatives[1:]]}
        channels.append(item)
    results["channels"] = channels
    if "utterances" in results:
        results["utterances"] = []
    return {**raw, "results": results}


def _cues(transcript: Transcript, options: RenderSettings) -> list[tuple[float, float, str]] | None:
    """The captions of a video, which the page shows on it."""
    if options.audio is None or not _is_video(options.audio):
        return None
    from dgcli.formats.cues import cues_of

    return [(cue.start, cue.end, cue.text) for cue in cues_of(transcript, options)]


def render(transcript: Transcript, options: RenderSettings) -> str:
    """The page; `options.audio` is the URL of the recording, else the reader may choose a file."""
    if options.smooths:
        from dgcli.formats.smoothing import smoothed_transcript

        transcript = smoothed_transcript(transcript, response=True)
    spoken, voices = paragraphs(transcript), Voices(options, len(transcript.channels) > 1)
    channels = {channel.index: ChannelWords(channel, transcript, spoken) for channel in transcript.channels}
    turns = []
    before: Segment | None = None
    for segment in spoken:
        own = channels.get(segment.channel)
        data = word_data(segment.words, (), {}) if own is None else own.data(segment)
        turns.append(turn(segment, voices, data, before))
        before = segment
    data = _data(options, len(transcript.channels), _without_words(transcript), _cues(transcript, options))
    script = _script()
    head = _head(
        options,
        script,
        options.language_of(transcript) or "",
        transcript.request_id or "",
        facts(transcript, voices),
        timeline(transcript, spoken, voices),
    )
    rtl = is_right_to_left("".join(segment.text for segment in spoken[:3]))
    body = _body(data, analyses(transcript, spoken, voices), rtl=rtl)
    text = "".join(turns) or "<p>Nothing was said.</p>\n"
    return head + body + text + _foot(script)
