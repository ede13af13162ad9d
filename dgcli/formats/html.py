"""One self-contained page to read, search and listen to a transcript.

The page loads nothing but the recording it is linked to (`--audio`), works from a `file:` URL, and can be read
without JavaScript. Everything the response says is escaped; besides, the page's Content-Security-Policy runs no
script but the page's own (by its hash, W3C "Content Security Policy Level 3") and lets it reach no server.
"""

import base64
import hashlib
import math
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from dgcli.captions.text import clean, spaces
from dgcli.captions.voice import Voice
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import clock
from dgcli.formats.insights import Span, average_sentiment, distinct, hits, sentiments, summary, topics
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


def _short(seconds: float) -> str:
    """`0:03`, or `1:00:03` from an hour on."""
    hours, minutes, rest = clock(seconds).split(".")[0].split(":")
    return f"{int(hours)}:{minutes}:{rest}" if int(hours) else f"{int(minutes)}:{rest}"


class _Voices:
    """The voices of a transcript in the order in which they are heard; each has a number and a colour."""

    def __init__(self, transcript: Transcript, options: RenderSettings) -> None:
        self._options, self._several = options, len(transcript.channels) > 1
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


def _paragraph(segment: Segment, voices: _Voices) -> str:
    speaker, start = voice(segment), segment.start
    name = _safe(voices.name(speaker))
    number, colour = voices.number(speaker), voices.colour(speaker)
    who = f'<span class="who {colour}" data-v="{number}" data-name="{name}">{name}</span>' if name else ""
    at = ""
    if math.isfinite(start):
        anchor = f"t{start:.3f}-{number}"
        at = f'<a class="at" id="{anchor}" href="#{anchor}" data-s="{start:.3f}">{_short(start)}</a>'
    return f'<p dir="auto">{who}{at}{_words(segment)}</p>\n'


def _lane(title: str, spans: Iterable[tuple[float, float, str, str]], length: float) -> str:
    """Draw a row of the timeline: (start, end, class, title) as rectangles over `length` seconds."""
    rectangles = []
    for start, end, kind, label in spans:
        if 0 <= start <= end < math.inf:
            x, columns = 1000 * start / length, max(1.0, 1000 * (end - start) / length)
            rectangles.append(
                f'<rect class="{kind}" x="{x:.2f}" width="{columns:.2f}" height="10">'
                f"<title>{_short(start)} {_safe(label)}</title></rect>"
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


def _about(transcript: Transcript) -> str:
    """Write the facts, summary and topics."""
    average = average_sentiment(transcript)
    facts = [
        transcript.created and _safe(transcript.created),
        transcript.duration and _short(transcript.duration),
        transcript.request_id and f"request {_safe(transcript.request_id)}",
        average and f"sentiment {_safe(average[0])} ({average[1]:.2f})",
    ]
    parts = [f'<p class="facts">{" · ".join(fact for fact in facts if fact)}</p>\n']
    if short := summary(transcript):
        parts.append(f"<h2>Summary</h2>\n<p>{escape(short)}</p>\n")
    for title, feature in (("Topics", "topics"), ("Intents", "intents")):
        labels = [
            f'<li><span class="dot v{number % _COLOURS}"></span> {escape(label)}</li>'
            for number, label in enumerate(distinct(topics(transcript, feature)))
        ]
        if labels:
            parts.append(f'<h2>{title}</h2>\n<ul class="labels">{"".join(labels)}</ul>\n')
    return "".join(parts)


def _player(options: RenderSettings) -> str:
    if options.audio is not None:
        return f'<audio controls preload="metadata" src="{escape(options.audio)}"></audio>\n'
    return (
        '<div class="tools scripted"><label>Recording: <input type="file" id="recording" '
        'accept="audio/*,video/*"></label></div>\n<audio controls hidden></audio>\n'
    )


def render(transcript: Transcript, options: RenderSettings) -> str:
    """The page; `options.audio` is the URL of the recording, else the reader may choose a file."""
    style, script = _asset("style.css"), _asset("script.js")
    spoken, voices = paragraphs(transcript, smooth_speakers=options.smooths), _Voices(transcript, options)
    text = "".join(_paragraph(segment, voices) for segment in spoken) or "<p>Nothing was said.</p>\n"
    timeline, names = _timeline(transcript, spoken, voices), "".join(voices.inputs())
    language = options.language_of(transcript)
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
<body data-request="{_safe(transcript.request_id or "")}">
<h1>Transcript</h1>
{_about(transcript)}{f'<div class="tools names scripted">{names}</div>{chr(10)}' if names else ""}<div class="bar">
{_player(options)}<div class="tools scripted"><input type="search" id="search" placeholder="Search" \
aria-label="Search the words; Enter goes to the next"><span id="found" role="status"></span></div>
{timeline}</div>
<main tabindex="0" aria-label="Transcript. Left and right go from word to word, Space plays.">
{text}</main>
<script>{script}</script>
</body>
</html>
"""
