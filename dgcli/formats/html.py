"""One self-contained page to read, search and listen to a transcript.

The page loads nothing but the recording it is linked to (`--audio`), works from a `file:` URL, and can be read
without JavaScript. Everything the response says is escaped; besides, the page's Content-Security-Policy runs no
script but the page's own (by its hash, W3C "Content Security Policy Level 3") and lets it reach no server.
"""

import base64
import hashlib
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from dgcli.captions.text import clean, spaces
from dgcli.captions.voice import Voice
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import short_clock
from dgcli.formats.growing import TurnWriter
from dgcli.formats.insights import (
    Span,
    average_sentiment,
    distinct,
    entities,
    findings,
    hits,
    languages,
    missed,
    sentiments,
    summary,
    topics,
)
from dgcli.formats.turns import paragraphs, voice
from dgcli.transcript.model import Segment, Transcript

_LOW = 0.7  # a word of less confidence is marked
_COLOURS = 8
_SENTIMENTS = ("positive", "neutral", "negative")


def _safe(text: object) -> str:
    return escape(" ".join(clean(str(text)).split()))


def _asset(name: str) -> str:
    return files("dgcli.formats").joinpath("page", name).read_text("utf-8").strip()


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "media-src * file: data: blob:; base-uri 'none'; form-action 'none'"
    )


class _Voices:
    """The voices of a transcript in the order in which they are heard; each has a number and a colour."""

    def __init__(self, options: RenderSettings, several_channels: bool) -> None:
        self._options, self._several = options, several_channels
        self._numbers: dict[Voice, int] = {}

    def number(self, voice: Voice) -> int:
        return self._numbers.setdefault(voice, len(self._numbers))

    def name(self, voice: Voice) -> str:
        return self._options.who(voice, self._several)

    def colour(self, voice: Voice) -> str:
        return f"v{self.number(voice) % _COLOURS}"

    def inputs(self) -> Iterator[str]:
        """Yield a field for each voice that has a name, to change it."""
        for speaker, number in self._numbers.items():
            if name := _safe(self.name(speaker)):
                yield (
                    f'<label><span class="dot {self.colour(speaker)}"></span>'
                    f'<input data-v="{number}" placeholder="{name}" aria-label="Name of {name}"></label>'
                )


def _words(segment: Segment) -> str:
    """The words, each with its time; the text itself where there are none."""
    if not segment.words:
        return _safe(segment.text)
    texts = [" ".join(clean(word.text).split()) for word in segment.words]
    spans = []
    for space, text, word in zip(spaces(texts), texts, segment.words, strict=True):
        if not text:
            continue
        time = f' data-s="{word.start:.3f}"' if math.isfinite(word.start) else ""
        low = word.confidence < _LOW
        mark = f' title="{word.confidence:.0%} sure"' if low else ""
        spans.append(f'{space}<span class="w{" low" if low else ""}"{time}{mark}>{escape(text)}</span>')
    return "".join(spans)


def _anchor(segment: Segment, voices: _Voices) -> str:
    """The name of a paragraph's place in the page."""
    return f"t{segment.start:.3f}-{voices.number(voice(segment))}"


def _paragraph(segment: Segment, voices: _Voices) -> str:
    speaker, start = voice(segment), segment.start
    name = _safe(voices.name(speaker))
    number, colour = voices.number(speaker), voices.colour(speaker)
    who = f'<span class="who {colour}" data-v="{number}" data-name="{name}">{name}</span>' if name else ""
    at = ""
    if math.isfinite(start):
        anchor = _anchor(segment, voices)
        at = f'<a class="at" id="{anchor}" href="#{anchor}" data-s="{start:.3f}">{short_clock(start)}</a>'
    return f'<p dir="auto">{who}{at}{_words(segment)}</p>\n'


def _lane(title: str, spans: Iterable[tuple[float, float, str, str]], length: float) -> str:
    """Draw a row of the timeline: (start, end, class, title) as rectangles over `length` seconds."""
    rectangles = []
    for start, end, kind, label in spans:
        if 0 <= start <= end < math.inf:
            x, columns = 1000 * start / length, max(1.0, 1000 * (end - start) / length)
            rectangles.append(
                f'<rect class="{kind}" x="{x:.2f}" width="{columns:.2f}" height="10">'
                f"<title>{short_clock(start)} {_safe(label)}</title></rect>"
            )
    if not rectangles:
        return ""
    return (
        f'<div class="lane"><span>{title}</span><svg viewBox="0 0 1000 10" preserveAspectRatio="none" '
        f'role="img" aria-label="{title}">{"".join(rectangles)}</svg></div>\n'
    )


def _coloured(spans: list[Span]) -> list[tuple[float, float, str, str]]:
    numbers = {label: number for number, label in enumerate(distinct(spans))}
    return [(span.start, span.end, f"v{numbers[span.label] % _COLOURS}", span.label) for span in spans]


def _timeline(transcript: Transcript, spoken: list[Segment], voices: _Voices) -> str:
    ends = [word.end for segment in spoken for word in segment.words if math.isfinite(word.end)]
    length = max([transcript.duration or 0.0, *ends])
    if length <= 0:
        return ""
    turns = [
        (item.start, item.end, voices.colour(voice(item)), voices.name(voice(item)) or "Speech")
        for item in spoken
    ]
    felt = [
        (
            item.start,
            item.end,
            item.label if item.label in _SENTIMENTS else "neutral",
            f"{item.label} {item.score:.2f}",
        )
        for item in sentiments(transcript)
    ]
    lanes = [
        _lane("Speakers" if any(voices.name(voice(item)) for item in spoken) else "Speech", turns, length),
        _lane("Sentiment", felt, length),
        _lane("Topics", _coloured(topics(transcript)), length),
        _lane("Intents", _coloured(topics(transcript, "intents")), length),
        _lane("Search hits", _coloured(hits(transcript)), length),
    ]
    return (
        f'<div class="lanes" data-duration="{length:.3f}">\n{"".join(lanes)}'
        '<div class="playhead"><i></i></div></div>\n'
    )


class _Places:
    """Links from a time to the paragraph in which it lies; the page's script plays the recording from there."""

    def __init__(self, spoken: list[Segment], voices: _Voices) -> None:
        timed = sorted((part for part in spoken if math.isfinite(part.start)), key=lambda part: part.start)
        self._starts = [part.start for part in timed]
        self._anchors = [_anchor(part, voices) for part in timed]

    def link(self, span: Span) -> str:
        """A time as a link, after a space; nothing where there is none."""
        if not math.isfinite(span.start) or span.start < 0:
            return ""
        time = f'data-s="{span.start:.3f}">{short_clock(span.start)}'
        if not self._starts:
            return f' <span class="at" {time}</span>'
        anchor = self._anchors[max(0, bisect_right(self._starts, span.start) - 1)]
        return f' <a class="at" href="#{anchor}" {time}</a>'


def _labels(title: str, spans: list[Span], places: _Places, *, dots: bool = True) -> str:
    """A list of labels, each with what was said and the times at which it comes up; with the timeline's colours."""
    numbers = {label: number for number, label in enumerate(distinct(spans))}
    rows = []
    for item in findings(spans):
        dot = f'<span class="dot v{numbers[item.label] % _COLOURS}"></span> ' if dots else ""
        said = item.places[0].text
        kind = f'<span class="kind">{escape(item.label)}</span> ' if said and item.label else ""
        times = "".join(map(places.link, item.places))
        rows.append(f"<li>{dot}{kind}{escape(said or item.label)}{times}</li>")
    return f'<h2>{title}</h2>\n<ul class="labels">{"".join(rows)}</ul>\n' if rows else ""


def _hits(transcript: Transcript, places: _Places) -> str:
    spans = hits(transcript)
    numbers = {label: number for number, label in enumerate(distinct(spans))}
    rows = []
    for hit in spans:
        dot = f'<span class="dot v{numbers[hit.label] % _COLOURS}"></span>'
        sure = f" {hit.score:.0%}" if math.isfinite(hit.score) else ""
        said = f" <q>{escape(hit.text)}</q>" if hit.text else ""
        rows.append(f"<li>{dot} {escape(hit.label)}{places.link(hit)}{sure}{said}</li>")
    rows += [f"<li>{escape(term)} is not said.</li>" for term in missed(transcript)]
    return f'<h2>Search hits</h2>\n<ul class="labels hits">{"".join(rows)}</ul>\n' if rows else ""


def _about(transcript: Transcript, places: _Places) -> str:
    """Write the facts and the analyses."""
    average = average_sentiment(transcript)
    spoken = ", ".join(
        dict.fromkeys(
            escape(code) if math.isnan(confidence) else f"{escape(code)} ({confidence:.0%})"
            for _, code, confidence in languages(transcript)
        )
    )
    facts = [
        transcript.created and _safe(transcript.created),
        transcript.duration and short_clock(transcript.duration),
        transcript.request_id and f"request {_safe(transcript.request_id)}",
        spoken and f"language {spoken}",
        average and f"sentiment {_safe(average[0])} ({average[1]:.2f})",
    ]
    parts = [f'<p class="facts">{" · ".join(fact for fact in facts if fact)}</p>\n']
    if short := summary(transcript):
        parts.append(f"<h2>Summary</h2>\n<p>{escape(short)}</p>\n")
    parts.append(_labels("Topics", topics(transcript), places))
    parts.append(_labels("Intents", topics(transcript, "intents"), places))
    parts.append(_labels("Entities", entities(transcript), places, dots=False))
    parts.append(_hits(transcript, places))
    return "".join(parts)


def _player(options: RenderSettings) -> str:
    if options.audio is not None:
        return f'<audio controls preload="metadata" src="{escape(options.audio)}"></audio>\n'
    return (
        '<div class="tools scripted"><label>Recording: <input type="file" id="recording" '
        'accept="audio/*,video/*"></label></div>\n<audio controls hidden></audio>\n'
    )


def _head(
    options: RenderSettings, style: str, script: str, language: str, request: str, about: str, timeline: str
) -> str:
    """Everything before the transcript itself."""
    return f"""<!DOCTYPE html>
<html{f' lang="{_safe(language)}"' if language else ""}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Transcript</title>
<style>
{style}
</style>
</head>
<body data-request="{_safe(request)}">
<h1>Transcript</h1>
{about}<div class="bar">
{_player(options)}<div class="tools scripted"><input type="search" id="search" placeholder="Search" \
aria-label="Search the words; Enter goes to the next"><span id="found" role="status"></span></div>
{timeline}</div>
<main tabindex="0" aria-label="Transcript. Left and right go from word to word, Space plays.">
"""


def _foot(script: str) -> str:
    return f"</main>\n<script>{script}</script>\n</body>\n</html>\n"


class _PageTurns:
    """Writes a page without what only the end of a stream can tell: analyses, a timeline, names to change."""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options
        script = _asset("script.js")
        self.header = _head(options, _asset("style.css"), script, "", "", "", "")
        self.footer = _foot(script)
        self._voices: _Voices | None = None

    def turn(self, segment: Segment, several_channels: bool) -> str:
        """Write a paragraph."""
        if self._voices is None:
            self._voices = _Voices(self._options, several_channels)
        return _paragraph(segment, self._voices)


def render_turns(options: RenderSettings) -> TurnWriter:
    """Create the writer of a page that grows utterance by utterance."""
    return _PageTurns(options)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """The page; `options.audio` is the URL of the recording, else the reader may choose a file."""
    style, script = _asset("style.css"), _asset("script.js")
    spoken, voices = (
        paragraphs(transcript, smooth_speakers=options.smooths),
        _Voices(options, len(transcript.channels) > 1),
    )
    text = "".join(_paragraph(segment, voices) for segment in spoken) or "<p>Nothing was said.</p>\n"
    about, timeline = _about(transcript, _Places(spoken, voices)), _timeline(transcript, spoken, voices)
    if names := "".join(voices.inputs()):
        about += f'<div class="tools names scripted">{names}</div>\n'
    language = options.language_of(transcript) or ""
    head = _head(options, style, script, language, transcript.request_id or "", about, timeline)
    return head + text + _foot(script)
