"""Turns out of what a recogniser hears: where one begins, how sure it is that it has ended, and where it ends.

No clock, no socket: events of a live stream go in, states of the turn come out. A turn is any number of finals;
it begins with the first words and ends after a silence, which only counts once no word can be on its way.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dgcli.server import wording
from dgcli.server.engines.base import HeardSegment, HeardWord, LiveEvent, Passed
from dgcli.server.flux_query import Thresholds

_UPDATE_EVERY = 0.25  # seconds of audio
_FRAME = 0.032  # seconds by which an update may be early: audio is heard in steps that do not divide it
# Seconds of silence in which the doubt that a turn has ended falls to 1/e, by how its last word is written.
_COMPLETE, _PLAIN, _INCOMPLETE = 0.6, 1.0, 2.0
_SURE = 0.9999  # a threshold of 1 is never reached
_TINY = 1e-6  # seconds: sums of floats are compared with some mercy


class TurnEvent(StrEnum):
    """What a message about a turn reports; named as on the wire."""

    UPDATE = "Update"
    START = "StartOfTurn"
    EAGER_END = "EagerEndOfTurn"
    RESUMED = "TurnResumed"
    END = "EndOfTurn"


class Trigger(StrEnum):
    """What ended a turn; named as on the wire."""

    MODEL = "model"
    MANUAL = "manual"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class TurnState:
    """A turn after an event: its words so far, heard in the audio from `start` to `end` seconds.

    `confidence` (0-1) that no more speech is coming in it. `settled`: all its words are final.
    """

    event: TurnEvent
    index: int
    start: float
    end: float
    words: Sequence[HeardWord]
    confidence: float
    settled: bool
    trigger: Trigger | None = None


def end_confidence(silence: float, last: HeardWord | None) -> float:
    """Return how sure it is (0-1) that a turn has ended `silence` seconds after its last word.

    It grows with the silence, from nothing: 1 - e^(-silence / t). How the recogniser writes the last word sets
    t: 0.6 s where that ends a sentence, 2 s where it says that the sentence goes on (a comma, a dash, an
    ellipsis), 1 s where no mark tells. So 0.7 takes 0.72, 2.4 and 1.2 s.
    """
    if last is None or silence <= 0:
        return 0.0
    text = wording.written(last).rstrip("\"'”’)")
    pace = _PLAIN
    if text.endswith(("...", "…", ",", ";", ":", "-", "–", "—", "、", "，")):
        pace = _INCOMPLETE
    elif text.endswith((".", "?", "!", "。", "？", "！")):
        pace = _COMPLETE
    return min(1 - math.exp(-silence / pace), _SURE)


class TurnTracker:
    """Follows one stream."""

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        self._index = 0
        self._start = 0.0  # where the turn before ended
        self._at = 0.0
        self._next_update = _UPDATE_EVERY
        self._started = False
        self._eager = False  # an early end was told, and nothing said since
        self._final: list[HeardWord] = []
        self._open: Sequence[HeardWord] = ()  # of the newest interim
        self._speaking = False
        self._wordless_until = 0.0  # where the newest interim without words ends
        self._said_until = 0.0  # where the voice of the final words ends
        self._voice_end: float | None = None  # of the newest `Passed`
        self._new_words = False  # final ones since then

    @property
    def now(self) -> float:
        """Seconds heard so far."""
        return self._at

    def follow(self, event: LiveEvent) -> Iterator[TurnState]:
        """Yield what an event of the recogniser changes."""
        if isinstance(event, HeardSegment):
            yield from self._hear(event)
        elif isinstance(event, Passed):
            self._at = max(self._at, event.at)
            self._speaking = event.speaking
            self._voice_end = event.voice_end
            if self._new_words and not event.speaking:
                self._new_words = False
                self._said_until = max(self._said_until, event.voice_end or 0.0)
            yield from self._advance()

    def force(self) -> Iterator[TurnState]:
        """Yield the end of the active turn, on the client's wish; nothing when there is none."""
        if self._started:
            yield self._end(Trigger.MANUAL)

    def finish(self) -> Iterator[TurnState]:
        """Yield the last state of the active turn: no audio follows, and that does not end it."""
        if self._started:
            yield self._state(TurnEvent.UPDATE)

    def _hear(self, segment: HeardSegment) -> Iterator[TurnState]:
        end = segment.start + segment.duration
        self._at = max(self._at, end)
        if segment.is_final:
            self._final += segment.words
            self._open = ()
        else:
            self._open = segment.words
        if not segment.words:
            self._wordless_until = end
        elif segment.is_final:
            self._said_until = segment.words[-1].end
            self._new_words = True
        if self._eager and segment.words:
            self._eager = False
            yield self._state(TurnEvent.RESUMED)
        if not self._started and (self._final or self._open):
            self._started = True
            yield self._state(TurnEvent.START)

    def _advance(self) -> Iterator[TurnState]:
        thresholds = self.thresholds
        told = False
        if self._started and not self._open:
            confidence = self._confidence()
            eager = thresholds.eager
            if eager is not None and not self._eager and confidence >= eager:
                self._eager = told = True
                yield self._state(TurnEvent.EAGER_END)
            if confidence >= thresholds.end:
                yield self._end(Trigger.MODEL)
                return
            if self._silence() >= thresholds.timeout_ms / 1000 - _TINY:
                yield self._end(Trigger.TIMEOUT)
                return
        if self._at >= self._next_update - _FRAME:
            if not told:
                yield self._state(TurnEvent.UPDATE)
            self._move_on()

    def _silence(self) -> float:
        """Return the seconds in which nothing was said.

        Noise may look like speech for ever; an interim without words tells then.
        """
        until = self._wordless_until if self._speaking else self._at
        return max(until - self._said_until, 0.0)

    def _confidence(self) -> float:
        words = self._open or self._final
        last = words[-1] if words else None
        if not self._speaking:
            return end_confidence(self._silence(), last)
        # Voice that may yet turn out to be words: it counts from where it was last heard. That it goes on without
        # any is no sign of an end by itself, only a matter of time.
        if self._voice_end is None or not self._open:
            return 0.0
        return end_confidence(self._at - self._voice_end, last)

    def _state(self, event: TurnEvent, trigger: Trigger | None = None) -> TurnState:
        return TurnState(
            event=event,
            index=self._index,
            start=self._start,
            end=self._at,
            words=[*self._final, *self._open],
            confidence=self._confidence(),
            settled=not self._open,
            trigger=trigger,
        )

    def _end(self, trigger: Trigger) -> TurnState:
        state = self._state(TurnEvent.END, trigger)
        self._index += 1
        self._start = self._said_until = self._at
        self._started = self._eager = self._new_words = False
        self._final, self._open = [], ()
        self._move_on()
        return state

    def _move_on(self) -> None:
        """Let the next update be due a quarter of a second later, on the grid of quarters."""
        self._next_update = (round(self._at / _UPDATE_EVERY) + 1) * _UPDATE_EVERY
