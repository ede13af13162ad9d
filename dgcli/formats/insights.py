"""The API's analyses: summary, topics, intents, entities, sentiment, search hits, language.

Source of the shapes: Deepgram reference, response schema of the audio intelligence features. The published
OpenAPI document nests `segments` once more than responses do; both are read.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dgcli.captions.text import clean
from dgcli.formats.base import SECTIONS
from dgcli.transcript.json_values import mapping, mappings
from dgcli.transcript.model import Transcript, Word


class Span(NamedTuple):
    """A finding about a stretch of the recording.

    `start` and `end` are seconds, NaN where the response does not tell; `score` is 0 to 1 or -1 to 1. `text` is what
    was said there: the value of an entity, the snippet of a hit.
    """

    start: float
    end: float
    label: str
    score: float
    text: str = ""


class Finding(NamedTuple):
    """A label with the places where it comes up, in their order, and its best score."""

    label: str
    score: float
    places: tuple[Span, ...]


def _text(value: object) -> str:
    return " ".join(clean(value).split()) if isinstance(value, str) else ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else math.nan


def _results(transcript: Transcript) -> Mapping[str, Any]:
    return mapping(transcript.raw.get("results"))


def _feature(transcript: Transcript, name: str) -> Mapping[str, Any]:
    """Return the part of the response under `name`, however deep."""
    feature = mapping(_results(transcript).get(name))
    return mapping(mapping(feature.get("results")).get(name)) or feature


def _between(words: tuple[Word, ...], first: object, after: object) -> tuple[float, float]:
    """The seconds from a word to the one before another; NaN if they name no words."""
    if not (isinstance(first, int) and isinstance(after, int) and 0 <= first < after and first < len(words)):
        return math.nan, math.nan
    start, end = words[first].start, words[min(after, len(words)) - 1].end
    return (start, end) if math.isfinite(start) and math.isfinite(end) else (math.nan, math.nan)


def _segments(transcript: Transcript, name: str) -> Iterator[tuple[float, float, Mapping[str, Any]]]:
    words = transcript.channels[0].words if transcript.channels else ()
    for segment in mappings(_feature(transcript, name).get("segments")):
        last = segment.get("end_word")
        after = last + 1 if isinstance(last, int) else None
        yield *_between(words, segment.get("start_word"), after), segment


def summary(transcript: Transcript) -> str:
    """The summary, empty if there is none."""
    return _text(_feature(transcript, "summary").get("short"))


def topics(transcript: Transcript, feature: str = "topics") -> list[Span]:
    """Each topic where it comes up; with `feature="intents"`, each intent."""
    singular = feature.removesuffix("s")
    return [
        Span(start, end, _text(item.get(singular)), _number(item.get("confidence_score")))
        for start, end, segment in _segments(transcript, feature)
        for item in mappings(segment.get(feature))
        if _text(item.get(singular))
    ]


def sentiments(transcript: Transcript) -> list[Span]:
    """Return the sentiment of each stretch (`positive`, `neutral` or `negative`) with its score."""
    return [
        Span(start, end, _text(segment.get("sentiment")), _number(segment.get("sentiment_score")))
        for start, end, segment in _segments(transcript, "sentiments")
    ]


def average_sentiment(transcript: Transcript) -> tuple[str, float] | None:
    """Return the sentiment of the whole, if the response has it."""
    average = mapping(_feature(transcript, "sentiments").get("average"))
    label = _text(average.get("sentiment"))
    return (label, _number(average.get("sentiment_score"))) if label else None


def entities(transcript: Transcript) -> list[Span]:
    """Return the entities of every channel: their kind as label, and what was said."""
    spans = []
    for channel, item in zip(
        transcript.channels, mappings(_results(transcript).get("channels")), strict=False
    ):
        alternative = next(mappings(item.get("alternatives")), {})
        for entity in mappings(alternative.get("entities")):
            label, value = _text(entity.get("label")), _text(entity.get("value"))
            if label or value:
                start, end = _between(channel.words, entity.get("start_word"), entity.get("end_word"))
                spans.append(Span(start, end, label, _number(entity.get("confidence")), value))
    return sorted(spans, key=lambda span: span.start if math.isfinite(span.start) else math.inf)


def hits(transcript: Transcript) -> list[Span]:
    """Return the hits of the `search` terms, in every channel, in the order of time."""
    spans = []
    for channel in mappings(_results(transcript).get("channels")):
        for term in mappings(channel.get("search")):
            for hit in mappings(term.get("hits")):
                start, end = _number(hit.get("start")), _number(hit.get("end"))
                if start <= end:
                    score, snippet = _number(hit.get("confidence")), _text(hit.get("snippet"))
                    spans.append(Span(start, end, _text(term.get("query")), score, snippet))
    return sorted(spans, key=lambda span: span.start)


def missed(transcript: Transcript) -> list[str]:
    """Return the `search` terms without a hit in any channel."""
    terms: dict[str, bool] = {}
    for channel in mappings(_results(transcript).get("channels")):
        for term in mappings(channel.get("search")):
            if query := _text(term.get("query")):
                terms[query] = terms.get(query, False) or next(mappings(term.get("hits")), None) is not None
    return [term for term, is_hit in terms.items() if not is_hit]


def languages(transcript: Transcript) -> list[tuple[int, str, float]]:
    """Return the detected language of each channel that has one, with its confidence (NaN: not told)."""
    return [
        (number, _text(channel.get("detected_language")), _number(channel.get("language_confidence")))
        for number, channel in enumerate(mappings(_results(transcript).get("channels")))
        if _text(channel.get("detected_language"))
    ]


def present(transcript: Transcript) -> tuple[str, ...]:
    """Return the names of the sections (`SECTIONS`) that a response has something for."""
    if not transcript.raw:
        return ()
    there = {
        "summary": summary(transcript),
        "topics": topics(transcript),
        "intents": topics(transcript, "intents"),
        "entities": entities(transcript),
        "sentiment": average_sentiment(transcript) or sentiments(transcript),
        "search": hits(transcript) or missed(transcript),
        "language": languages(transcript),
    }
    return tuple(name for name in SECTIONS if there[name])


def findings(spans: Iterable[Span]) -> list[Finding]:
    """Group findings of one label, and what was said there; the surest first."""
    groups: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.label, span.text), []).append(span)
    grouped = []
    for (label, _), places in groups.items():
        scores = [span.score for span in places if math.isfinite(span.score)]
        grouped.append(Finding(label, max(scores, default=math.nan), tuple(places)))
    return sorted(grouped, key=lambda item: -item.score if math.isfinite(item.score) else math.inf)
