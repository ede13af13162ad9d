"""From finals to utterances: the unit that sinks print and keep.

An utterance of a channel ends with a final that says so (`speech_final`), with an UtteranceEnd where no such
final came, where another speaker begins, or after 15 s as it stands.
Source: Deepgram guide, "Using Endpointing and Interim Results With Live Streaming Audio".
"""

import math
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dgcli.transcript.events import Event, Final, Notice, NoticeKind, UtteranceEnd
from dgcli.transcript.model import Word, turns

LONGEST = 15.0  # seconds, of audio or of waiting
# An UtteranceEnd belongs to the last word that is at most so much later: times are rounded on their way.
_ROUNDING = 0.05


@dataclass(frozen=True, slots=True)
class Utterance:
    """The words of one speaker of one channel without a pause.

    `goes_on` says that no final ended it with its last word: it was given out as it stood, or a silence was
    noticed later.
    """

    text: str
    words: tuple[Word, ...]
    channel: int
    channels: int
    speaker: int | None
    start: float
    end: float
    goes_on: bool = False
    languages: tuple[str, ...] = ()  # heard in it, of a Flux turn


@dataclass(slots=True)
class _Open:
    """An utterance that may go on."""

    channel: int
    channels: int
    speaker: int | None
    start: float
    since: float  # monotonic
    end: float = 0.0
    texts: list[str] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    languages: tuple[str, ...] = ()

    def add(self, text: str, words: tuple[Word, ...], end: float) -> None:
        self.texts.append(text)
        self.words += words
        self.end = end

    def closed(self, goes_on: bool = True) -> Utterance:
        return Utterance(
            " ".join(self.texts),
            tuple(self.words),
            self.channel,
            self.channels,
            self.speaker,
            self.start,
            self.end,
            goes_on,
            self.languages,
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    words: tuple[Word, ...]
    speaker: int | None
    start: float
    end: float


def _pieces(event: Final) -> Iterator[_Piece]:
    """Split a final by speaker; with one speaker, its own text."""
    segments = turns(event.words)
    text = " ".join(event.text.split())
    if len(segments) > 1:
        for turn in segments:
            yield _Piece(turn.text, turn.words, turn.speaker, turn.start, turn.end)
    elif text:
        start, end = (segments[0].start, segments[0].end) if segments else (event.start, event.end)
        yield _Piece(text, event.words, segments[0].speaker if segments else None, start, end)


class Utterances:
    """Collects finals; every method returns the utterances that ended, in order."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[int, _Open] = {}

    def take(self, event: Event) -> list[Utterance]:
        """Take the next event."""
        match event:
            case Final():
                return self._final(event)
            case UtteranceEnd():
                running = self._open.get(event.channel)
                # -1 says that it had ended before; an earlier word says that a new one has begun since.
                if running and event.last_word_end >= running.end - _ROUNDING:
                    return self._end(event.channel)
            case Notice(kind=NoticeKind.SPEAKERS_RESTARTED):
                return self.finish()  # the same number may be somebody else from now on
        return []

    def _final(self, event: Final) -> list[Utterance]:
        ended: list[Utterance] = []
        channel, ends = event.channel, event.speech_final or event.from_finalize
        pieces = list(_pieces(event))
        for number, piece in enumerate(pieces, 1):
            running = self._open.get(channel)
            if running is not None and running.speaker != piece.speaker:
                ended += self._end(channel)
                running = None
            if running is None:
                running = self._open[channel] = _Open(
                    channel, event.channels, piece.speaker, piece.start, self._clock()
                )
            running.add(piece.text, piece.words, piece.end)
            running.languages = event.turn.languages if event.turn is not None else ()
            if running.end - running.start >= LONGEST and not (ends and number == len(pieces)):
                ended += self._end(channel)
        if ends:
            ended += self._end(channel, goes_on=not event.words)
        return ended

    def _end(self, channel: int, goes_on: bool = True) -> list[Utterance]:
        running = self._open.pop(channel, None)
        return [running.closed(goes_on)] if running else []

    def tick(self, now: float) -> list[Utterance]:
        """Act on the time (monotonic seconds)."""
        late = [key for key, running in self._open.items() if now - running.since >= LONGEST]
        return [utterance for channel in late for utterance in self._end(channel)]

    def finish(self) -> list[Utterance]:
        """End everything that is open."""
        return [utterance for channel in sorted(self._open) for utterance in self._end(channel)]

    def running(self, channel: int) -> Utterance | None:
        """Return the certain part of the utterance that is open on a channel."""
        utterance = self._open.get(channel)
        return utterance.closed() if utterance else None

    @property
    def running_channels(self) -> list[int]:
        """The channels on which an utterance is open."""
        return sorted(self._open)


def as_saved(word: Word) -> Word:
    """The word with its numbers as files have them: times to the millisecond, confidence to six digits."""
    start, end, confidence = round(word.start, 3), round(word.end, 3), round(word.confidence, 6)
    if start == word.start and end == word.end and confidence == word.confidence:
        return word
    return word._replace(start=start, end=end, confidence=confidence)


def _time(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def _word(word: Word) -> Mapping[str, Any]:
    fields = {
        "word": word.word or word.text,
        "start": _time(word.start),
        "end": _time(word.end),
        "confidence": None if math.isnan(word.confidence) else round(word.confidence, 6),
        "punctuated_word": word.text,
        "speaker": word.speaker,
        "language": word.language,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _mean(words: tuple[Word, ...]) -> float:
    known = [word.confidence for word in words if not math.isnan(word.confidence)]
    return round(sum(known) / len(known), 6) if known else 0.0


def utterance_object(utterance: Utterance) -> Mapping[str, Any]:
    """Return an utterance in the shape of a response."""
    fields = {
        "start": _time(utterance.start),
        "end": _time(utterance.end),
        "confidence": _mean(utterance.words),
        "channel": utterance.channel,
        "transcript": utterance.text,
        "languages": list(utterance.languages) or None,
        "words": [_word(word) for word in utterance.words],
        "speaker": utterance.speaker,
        "id": str(uuid.uuid4()),
        # Not in the API's responses: captions ask where the API itself ended an utterance.
        "goes_on": True if utterance.goes_on else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
