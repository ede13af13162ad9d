"""The API's analyses: summary, topics, intents, sentiment, search hits.

Source of the shapes: Deepgram reference, response schema of the audio intelligence features. The published
OpenAPI document nests `segments` once more than responses do; both are read.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dgcli.captions.text import clean
from dgcli.transcript.json_values import mapping, mappings
from dgcli.transcript.model import Transcript, Word


@dataclass(frozen=True, slots=True)
class Span:
    """A finding about a stretch of the recording; `start` and `end` are seconds, `score` is 0 to 1 or -1 to 1."""

    start: float
    end: float
    label: str
    score: float


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


def _between(words: tuple[Word, ...], segment: Mapping[str, Any]) -> tuple[float, float] | None:
    """The seconds from a segment's first word to its last; `None` if it names no words."""
    first, last = segment.get("start_word"), segment.get("end_word")
    if not (isinstance(first, int) and isinstance(last, int) and 0 <= first <= last and first < len(words)):
        return None
    start, end = words[first].start, words[min(last, len(words) - 1)].end
    return (start, end) if math.isfinite(start) and math.isfinite(end) else None


def _segments(transcript: Transcript, name: str) -> Iterator[tuple[float, float, Mapping[str, Any]]]:
    words = transcript.channels[0].words if transcript.channels else ()
    for segment in mappings(_feature(transcript, name).get("segments")):
        if times := _between(words, segment):
            yield *times, segment


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


def hits(transcript: Transcript) -> list[Span]:
    """Return the hits of the `search` terms, in every channel."""
    spans = []
    for channel in mappings(_results(transcript).get("channels")):
        for term in mappings(channel.get("search")):
            for hit in mappings(term.get("hits")):
                start, end = _number(hit.get("start")), _number(hit.get("end"))
                if start <= end:
                    spans.append(Span(start, end, _text(term.get("query")), _number(hit.get("confidence"))))
    return spans


def distinct(spans: list[Span]) -> list[str]:
    """The labels, the surest first."""
    best: dict[str, float] = {}
    for span in spans:
        score = 0.0 if math.isnan(span.score) else span.score
        best[span.label] = max(score, best.get(span.label, -math.inf))
    return sorted(best, key=lambda label: -best[label])
