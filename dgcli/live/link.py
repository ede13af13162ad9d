"""A connection with its own thread, which opens it and then receives."""

import threading
from queue import SimpleQueue

from dgcli.live.connection import Connection, Ended
from dgcli.live.endings import Ending
from dgcli.live.mail import Crashed, Linked, Received, ToSender, Unlinked


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
        self.failing: Ending | None = None  # why the sender gave it up
        self.offset = 0.0  # its time 0 on the stream's timeline
        self.floors: dict[int, float] = {}  # per channel: the end of what earlier connections' finals held
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

    def give_up(self, ending: Ending) -> None:
        """It is of no use any more: its thread will say the last word."""
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
                self._inbox.put(Received(self, self.connection.receive()))
        except Ended as ended:
            self._inbox.put(Unlinked(self, ended.ending))
        except BaseException as raised:  # it travels to the main thread as a value
            self._inbox.put(Crashed(raised))
