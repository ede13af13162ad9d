"""The words of a transcript as rows: what the formats for spreadsheets and programs are made of."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dgcli.captions.text import clean
from dgcli.formats.base import RenderSettings
from dgcli.formats.smoothing import smoothed_transcript
from dgcli.transcript.model import Transcript, Word


class Row(NamedTuple):
    """One word. Times are seconds, `None` where the response has no such number."""

    start: float | None
    end: float | None
    channel: int
    speaker: int | str | None  # the name, where one was given
    word: str
    punctuated_word: str
    confidence: float | None
    language: str | None


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def spoken_words(transcript: Transcript, options: RenderSettings) -> Iterable[Word]:
    """Every word, with its speaker smoothed where that is asked for."""
    return (smoothed_transcript(transcript) if options.smooth_speakers else transcript).words


def rows(words: Iterable[Word], options: RenderSettings) -> Iterator[Row]:
    """A row for every word; no cell holds a line feed, a tab or a control character."""
    for word in words:
        yield Row(
            start=_number(word.start),
            end=_number(word.end),
            channel=word.channel,
            speaker=None if word.speaker is None else options.speaker_names.get(word.speaker, word.speaker),
            word=" ".join(clean(word.word).split()),
            punctuated_word=" ".join(clean(word.text).split()),
            confidence=_number(word.confidence),
            language=word.language,
        )
