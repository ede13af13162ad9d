"""Messages between the threads of a stream: values on one queue each, so that nothing needs a lock.

Everything for the sender goes to its inbox. `queue.SimpleQueue` may be put to from a signal handler.
"""

import threading
from dataclasses import dataclass
from queue import SimpleQueue

from dgcli.api.refusals import Refusal
from dgcli.live.configuration import Configuration
from dgcli.live.connection import Connection, ConnectionEnded
from dgcli.live.seek_points import SeekPoint
from dgcli.transcript.duplicates import Duplicates
from dgcli.transcript.events import Event, Notice


@dataclass(frozen=True, slots=True)
class Block:
    """Audio of the source, with the places in it where the stream may be taken up."""

    data: bytes
    marks: tuple[SeekPoint, ...] = ()
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class SourceNotice:
    """The source gave a notice instead of audio."""

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
class MessageReceived:
    """A message of the server came."""

    link: "Link"
    text: str


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A connection could not be opened, or has ended: the last message of its thread."""

    link: "Link"
    ending: Refusal


@dataclass(frozen=True, slots=True)
class Crashed:
    """A thread failed with an unexpected exception: a bug."""

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
class Reconfigure:
    """Change settings of the stream."""

    change: Configuration


@dataclass(frozen=True, slots=True)
class Pause:
    """Take no audio for a while."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Take audio again."""


@dataclass(frozen=True, slots=True)
class AudioSent:
    """Audio that was sent for the first time."""

    data: bytes


ToSender = (
    Block
    | SourceNotice
    | SourceEnded
    | Linked
    | MessageReceived
    | Unlinked
    | Crashed
    | Stop
    | Abort
    | FinalizeNow
    | Reconfigure
    | Pause
    | Resume
)
ToMain = Event | AudioSent | Crashed


class Link:
    """One connection of a stream: the thread `dgcli-receiver`, and what the sender knows about it.

    All but `connection` belongs to the sender's thread.
    """

    def __init__(self, connection: Connection, inbox: "SimpleQueue[ToSender]", now: float) -> None:
        self.connection = connection
        self._inbox = inbox
        self._thread = threading.Thread(target=self._run, name="dgcli-receiver", daemon=True)
        self.since = now  # when it was started, then when it was opened
        self.open = False
        self.failing: Refusal | None = None  # why the sender gave it up
        self.fault = ""  # what the server said before it ended the connection
        self.offset = 0.0  # its time 0 on the stream's timeline
        self.floors: dict[int, float] = {}  # per channel: the end of what earlier connections' finals held
        self.duplicates = Duplicates()  # among its finals
        self.begun = 0  # position of its first byte of audio
        self.sent = 0  # position after its last
        self.head = b""  # what must be sent before that
        self.results = 0
        self.heard: float | None = None  # what its Metadata says
        self.last_sent = now
        self.last_ping = now
        self.last_message = now

    def start(self) -> None:
        """Open the connection, in the background."""
        self._thread.start()

    def give_up(self, ending: Refusal) -> None:
        """Shut the connection down, which makes its thread end."""
        if self.failing is None:
            self.failing = ending
            self.connection.abort()

    def join(self, timeout: float) -> None:
        """Wait for the thread, for so many real seconds, and close the connection if it has ended."""
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self.connection.close()

    def _run(self) -> None:
        try:
            self.connection.connect()
            self._inbox.put(Linked(self))
            while True:
                self._inbox.put(MessageReceived(self, self.connection.receive()))
        except ConnectionEnded as ended:
            self._inbox.put(Unlinked(self, ended.ending))
        except BaseException as raised:  # it travels to the main thread as a value
            self._inbox.put(Crashed(raised))
