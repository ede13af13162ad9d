"""The analyses as plain text: sections that follow the words, on a terminal or in a file.

Every line fits the width that is given, down to 40 columns and less. Colour is an addition: nothing is told by it
alone.
"""

import math
from collections.abc import Iterable, Iterator

from dgcli.captions.text import width
from dgcli.formats import insights
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import short_clock
from dgcli.formats.insights import Span
from dgcli.transcript.model import Transcript

Token = tuple[str, str]  # a piece of text without spaces at which a line may end, and its colour
_INDENT, _HANGING = "  ", "    "
_LEAST = 16  # columns that a text needs to be read at all
_LEVELS = "▁▂▃▄▅▆▇█"  # of sentiment, from -1 to 1
_STEPS = 60  # of the line of sentiment, where there is room
_BORDER = 1 / 3  # beyond which sentiment is positive or negative (Deepgram guide, "Sentiment Analysis")
_PLAIN, _BOLD, _DIM, _RED, _GREEN, _TIME = "", "1", "2", "31", "32", "36"  # SGR parameters (ECMA-48, 8.3.117)
_FEELINGS = {"positive": _GREEN, "negative": _RED}


def _portions(word: str, room: int) -> Iterator[str]:
    """A word in portions of at most `room` columns."""
    portion = ""
    for character in word:
        if portion and width(portion + character) > room:
            yield portion
            portion = ""
        portion += character
    yield portion


def _lines(tokens: Iterable[Token], room: int | None) -> Iterator[list[Token]]:
    """Tokens in lines of at most `room` columns: the first stands at the indent, the others hang below it."""
    line: list[Token] = []
    left = room
    for text, code in tokens:
        for portion in [text] if room is None else _portions(text, room - len(_HANGING)):
            columns = width(portion) + 1
            if left is not None and room is not None:
                if line and columns - 1 > left:
                    yield line
                    line, left = [], room - len(_HANGING)
                left -= columns
            line.append((portion, code))
    if line:
        yield line


def _words(text: str, code: str = _PLAIN) -> list[Token]:
    return [(word, code) for word in text.split()]


def _times(places: Iterable[Span]) -> list[Token]:
    return [
        (short_clock(place.start), _TIME)
        for place in places
        if math.isfinite(place.start) and place.start >= 0
    ]


def _percent(score: float) -> list[Token]:
    return [(f"{score:.0%}", _DIM)] if math.isfinite(score) else []


def _feeling(score: float) -> str:
    return _GREEN if score >= _BORDER else _RED if score <= -_BORDER else _PLAIN


def _labels(spans: list[Span]) -> Iterator[list[Token]]:
    """A label a row, with how sure it is and when it comes up."""
    for item in insights.findings(spans):
        yield [*_words(item.label), *_percent(item.score), *_times(item.places)]


def _entities(transcript: Transcript) -> Iterator[list[Token]]:
    for item in insights.findings(insights.entities(transcript)):
        kind = _words(item.label, _DIM)
        yield [*kind, *_words(item.places[0].text), *_percent(item.score), *_times(item.places)]


def _search(transcript: Transcript) -> Iterator[list[Token]]:
    for hit in insights.hits(transcript):
        quoted = _words(f"“{hit.text}”", _DIM) if hit.text else []
        yield [*_times([hit]), *_words(hit.label), *_percent(hit.score), *quoted]
    for term in insights.missed(transcript):
        yield [*_words(term), *_words("is not said.", _DIM)]


def _languages(transcript: Transcript) -> Iterator[list[Token]]:
    for channel, code, confidence in insights.languages(transcript):
        where = _words(f"Channel {channel}:") if len(transcript.channels) > 1 else []
        yield [*where, (code, _PLAIN), *_percent(confidence)]


def _levels(spans: list[Span], end: float, steps: int) -> list[float]:
    """Return the score at so many moments from 0 to `end`; NaN where none is known."""
    sums, weights = [0.0] * steps, [0.0] * steps
    step = end / steps
    for span in spans:
        if not math.isfinite(span.score):
            continue
        for number in range(int(span.start / step), min(steps, int(span.end / step) + 1)):
            shared = min(span.end, (number + 1) * step) - max(span.start, number * step)
            if shared > 0:
                sums[number] += max(-1.0, min(1.0, span.score)) * shared
                weights[number] += shared
    return [total / weight if weight else math.nan for total, weight in zip(sums, weights, strict=True)]


def _average(transcript: Transcript) -> Iterator[list[Token]]:
    if average := insights.average_sentiment(transcript):
        label, score = average
        number = [(f"{score:+.2f}", _DIM)] if math.isfinite(score) else []
        yield [*_words(label, _FEELINGS.get(label, _PLAIN)), *number, *_words("on the whole", _DIM)]


def _curve(transcript: Transcript, room: int | None) -> Iterator[list[Token]]:
    """Sentiment as a line over time, between the times of its ends."""
    spans = [span for span in insights.sentiments(transcript) if 0 <= span.start < span.end < math.inf]
    if not spans:
        return
    end = max(span.end for span in spans)
    first, last = "0:00 ", f" {short_clock(end)}"
    steps = _STEPS if room is None else max(1, min(_STEPS, room - len(first + last)))
    levels = [
        ("·", _DIM) if math.isnan(level) else (_LEVELS[min(7, int((level + 1) * 4))], _feeling(level))
        for level in _levels(spans, end, steps)
    ]
    yield [(first, _TIME), *levels, (last, _TIME)]


def _rows(name: str, transcript: Transcript) -> Iterator[list[Token]]:
    match name:
        case "summary":
            yield _words(insights.summary(transcript))
        case "topics" | "intents":
            yield from _labels(insights.topics(transcript, name))
        case "entities":
            yield from _entities(transcript)
        case "sentiment":
            yield from _average(transcript)
        case "search":
            yield from _search(transcript)
        case _:
            yield from _languages(transcript)


def _painted(tokens: Iterable[Token], colour: bool, gap: str = " ") -> str:
    return gap.join(f"\x1b[{code}m{text}\x1b[0m" if colour and code else text for text, code in tokens)


def _section(name: str, transcript: Transcript, room: int | None, colour: bool) -> Iterator[str]:
    """The lines of one section."""
    yield _painted([("Search hits" if name == "search" else name.capitalize(), _BOLD)], colour)
    for tokens in _rows(name, transcript):
        for number, line in enumerate(_lines(tokens, room)):
            yield (_HANGING if number and name != "summary" else _INDENT) + _painted(line, colour)
    if name == "sentiment":
        for curve in _curve(transcript, room):
            yield _INDENT + _painted(curve, colour, gap="")


def sections(transcript: Transcript, options: RenderSettings) -> list[str]:
    """Return the sections that are wanted and that the response has something for, each ending in a newline."""
    room = None if options.width is None else max(options.width - 1 - len(_INDENT), len(_HANGING) + _LEAST)
    wanted = [name for name in insights.present(transcript) if name in options.sections]
    return [
        "".join(f"{line}\n" for line in _section(name, transcript, room, options.colour)) for name in wanted
    ]
