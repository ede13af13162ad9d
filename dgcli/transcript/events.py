"""Events of a live stream, as frozen values.

The streamer puts these on one queue, in the order in which they happened; sinks take them and nothing else.
All times are seconds on the timeline of the whole stream: what an earlier connection consumed is already
added. `raw` is the server's message as it came, its own times included; `offset` is what was added to them.
Source of the messages: Deepgram reference, "Live Audio" and "Turn-based Audio (Flux)".
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dgcli.errors import DgError
from dgcli.transcript.model import Word

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection was opened: the first, or one after a drop."""

    request_id: str
    connection: int  # counts from 1
    offset: float  # where this connection's time 0 lies on the stream's timeline


@dataclass(frozen=True, slots=True)
class Connected:
    """The greeting of a Flux server."""

    request_id: str
    offset: float = 0.0
    raw: Raw = field(default_factory=dict, repr=False)


class TurnStage(enum.Enum):
    """What has become of a Flux turn; the value is its name on the wire."""

    UPDATE = "Update"  # more audio was transcribed
    START = "StartOfTurn"  # somebody began to speak
    EAGER_END = "EagerEndOfTurn"  # probably over: nothing is final yet
    RESUMED = "TurnResumed"  # it was not: the speaker goes on
    END = "EndOfTurn"


@dataclass(frozen=True, slots=True)
class Turn:
    """What a Flux server says of the turn that a result belongs to.

    `confidence` is that of its being over, 0 to 1. `trigger` is what ended it: `model`, `manual`, `timeout` or a later
    value. `languages` were heard in it, the commonest first.
    """

    index: int  # counts from 0 on each connection
    stage: TurnStage
    confidence: float = 0.0
    trigger: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interim:
    """The provisional text of the open segment; it restates everything since the last Final."""

    channel: int
    channels: int
    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    audio_cursor: float  # seconds of audio sent when this arrived; minus `end`: the latency
    offset: float = 0.0
    raw: Raw = field(default_factory=dict, repr=False)
    turn: Turn | None = None  # of a Flux stream


@dataclass(frozen=True, slots=True)
class Final:
    """The final text of a window; it will not change. Words that an earlier Final held are not repeated."""

    channel: int
    channels: int
    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    speech_final: bool = False
    from_finalize: bool = False
    offset: float = 0.0
    raw: Raw = field(default_factory=dict, repr=False)
    turn: Turn | None = None  # of a Flux stream


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """The gap after the last word was longer than `utterance_end_ms`.

    `last_word_end` is -1 for an utterance that had already ended: nobody need do anything then.
    """

    channel: int
    last_word_end: float
    offset: float = 0.0
    raw: Raw = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak."""

    channel: int
    timestamp: float
    offset: float = 0.0
    raw: Raw = field(default_factory=dict, repr=False)


class NoticeKind(enum.Enum):
    """The subject of a notice; the value is its name in JSONL."""

    DROPPED = "dropped"  # the connection is gone; reconnecting
    RECONNECTED = "reconnected"
    GAP = "gap"  # audio between start and end was not transcribed
    SPEAKERS_RESTARTED = "speakers_restarted"  # speaker numbers begin anew
    SOURCE = "source"  # the source stalled, came back, changed its title...
    OVERFLOW = "overflow"  # the source was faster than we could take it
    SIGNAL = "signal"  # no signal, clipping
    MARKER = "marker"  # the user marked this moment
    PAUSED = "paused"
    RESUMED = "resumed"
    SERVER = "server"  # an Error or Warning message of the server
    CONFIGURED = "configured"  # the server accepted a change of the stream's settings
    NOT_CONFIGURED = "not_configured"  # it refused one: all is as it was
    CONTROL = "control"  # what was asked for while the stream ran could not be done
    STOPPING = "stopping"  # no more audio is taken; what was sent is being finished


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of ours that a user should see."""

    kind: NoticeKind
    message: str
    start: float | None = None
    end: float | None = None
    raw: Raw = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The summary that ends a connection."""

    request_id: str
    duration: float
    channels: int
    offset: float = 0.0
    raw: Raw = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """The stream is over; with the error that ended it, if one did. Always the last event."""

    audio_seconds: float  # audio sent, without what was sent again
    connections: int
    error: DgError | None = None


Event = Opened | Connected | Interim | Final | UtteranceEnd | SpeechStarted | Notice | Metadata | Closed
