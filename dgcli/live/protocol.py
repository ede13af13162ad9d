"""What differs between the endpoints of a stream: the messages to send, the length of frames, what is said at the end.

A protocol has no state and does no I/O; `listen_v1` and `listen_v2` are the two there are. What a server sends has
types of its own on each endpoint, and is read in one place, `dgcli.transcript.messages`.
Sources: Deepgram reference, "Live Audio", "Turn-based Audio (Flux)"; RFC 6455, section 7.4, for the close codes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from dgcli.live.configuration import Configuration
from dgcli.transcript.events import Event, Final, Interim

_ROUNDING = 0.005  # seconds: the API's times are 32-bit floats, which are 4 ms apart after nine hours

CLOSE_STREAM = '{"type":"CloseStream"}'


@dataclass(frozen=True, slots=True)
class FrameLengths:
    """The audio in one frame, in seconds: at least (only the last may be shorter), usually, and at most."""

    shortest: float
    usual: float
    longest: float


@dataclass(frozen=True, slots=True)
class ClosingStep:
    """A message that is part of ending a connection.

    The next one follows when an event came that `answers`, or after `wait` seconds; at once where that is 0.
    """

    text: str
    answers: Callable[[Event], bool] | None = None
    wait: float = 0.0


class ListenProtocol(Protocol):
    """The part of a stream that depends on its endpoint."""

    @property
    def path(self) -> str:
        """The path of the endpoint."""

    @property
    def frames(self) -> FrameLengths:
        """How much audio a frame has."""

    @property
    def keep_alive(self) -> str | None:
        """The message that holds a connection on which nothing is sent; None where pings do."""

    @property
    def finalizes_silence(self) -> bool:
        """Whether the server may be asked for a final while nobody speaks; elsewhere it complains."""

    @property
    def has_fatal_errors(self) -> bool:
        """Whether the connection ends after an `Error` message."""

    def finalize(self, channel: int | None = None) -> str:
        """The message that has everything buffered returned as final: of one channel, or of all."""

    def configure(self, change: Configuration) -> str:
        """The message that changes settings while the stream runs."""

    def closing(self, *, planned: bool) -> tuple[ClosingStep, ...]:
        """What is said when all audio was sent; `planned`: it was cut off before its own end."""

    def has_said_all(self, code: int | None, *, summarized: bool, uncovered: float) -> bool:
        """Whether a connection that ended with this close code after its closing steps left nothing out.

        `summarized`: its Metadata came. `uncovered` seconds of audio are in no final.
        """

    def silent_until(self, result: Interim) -> float | None:
        """The time (seconds) up to which a result without words says that nothing was said; None where it does not."""

    def standing(self, result: Interim) -> Final | None:
        """The final that the newest provisional result is when the stream ends with it; None where it is none."""


def without_repeats(result: Interim | Final, floor: float) -> Interim | Final:
    """The result without the words that an earlier connection's finals held.

    `floor` is where those finals end, in seconds: a word whose middle lies before it is a repeat. Comparing
    starts would lose words to rounding. A word without a time is kept, and so is one whose middle lies just
    there: a final that held it would end where the word does.
    """
    until = floor - _ROUNDING
    kept = tuple(word for word in result.words if not (word.start + word.end) / 2 < until)
    if len(kept) == len(result.words):
        return result
    text = " ".join(word.text for word in kept)
    start = max(result.start, min(floor, result.end))
    return replace(result, words=kept, text=text, start=start)
