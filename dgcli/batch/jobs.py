"""A recording under way, and how it ended: what a run tells about itself."""

import enum
from dataclasses import dataclass, field

from dgcli.batch.inputs import Input
from dgcli.errors import DgError


class Status(enum.Enum):
    """The way a recording ended."""

    DONE = "transcribed"
    MADE = "made"  # of an answer that was there already
    SKIPPED = "skipped"
    ACCEPTED = "accepted"  # the transcript goes to the callback
    FAILED = "failed"


class Phase(enum.Enum):
    """The stage a recording is in; in the last two it has been sent whole, and is paid for."""

    PREPARING = "preparing"
    ELSEWHERE = "waiting for another dg"  # that is sending it
    HELD = "waiting to send"
    SENDING = "sending"
    TRANSCRIBING = "transcribing"
    WRITING = "writing"


@dataclass(slots=True)
class Job:
    """A recording under way, for a display: `sent` of `size` bytes (None: not sent from here).

    `notes` are what its outcome tells of what was sent.
    """

    source: Input
    size: int | None = None
    sent: int = 0
    phase: Phase = Phase.PREPARING
    attempts: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a recording. `duration` is that of the audio, `seconds` the time it took, both in seconds."""

    source: Input
    status: Status
    outputs: tuple[str, ...] = ()
    error: DgError | None = None
    request_id: str | None = None
    duration: float | None = None
    seconds: float = 0.0
    attempts: int = 0
    notes: tuple[str, ...] = ()
