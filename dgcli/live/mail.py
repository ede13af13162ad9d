"""What the threads of a stream tell each other: values on one queue each, so that nothing needs a lock.

Everything for the sender goes to its inbox. `queue.SimpleQueue` may be put to from a signal handler.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dgcli.events import Event, Notice
from dgcli.live.endings import Ending
from dgcli.live.rulers import Mark

if TYPE_CHECKING:
    from dgcli.live.link import Link


@dataclass(frozen=True, slots=True)
class Block:
    """Audio of the source, with the places in it where the stream may be taken up."""

    data: bytes
    marks: tuple[Mark, ...] = ()
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class SourceSaid:
    """A notice of the source."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """The source has no more audio; with what it raised, if it did."""

    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """A connection was opened."""

    link: "Link"


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the server came."""

    link: "Link"
    text: str


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A connection could not be opened, or has ended: the last word of its thread."""

    link: "Link"
    ending: Ending


@dataclass(frozen=True, slots=True)
class Crashed:
    """A thread met what it did not expect: a bug."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what was taken, then end."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Abort:
    """End at once."""


@dataclass(frozen=True, slots=True)
class FinalizeNow:
    """Have everything buffered by the server returned as final."""

    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Take no audio for a while."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Take audio again."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """Audio that was sent for the first time."""

    data: bytes


ToSender = (
    Block
    | SourceSaid
    | SourceEnded
    | Linked
    | Received
    | Unlinked
    | Crashed
    | Stop
    | Abort
    | FinalizeNow
    | Pause
    | Resume
)
ToMain = Event | Tapped | Crashed
