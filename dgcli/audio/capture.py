"""The queue between a sound card's callback and the source's thread."""

from queue import SimpleQueue
from typing import Any


class Capture:
    """A bounded queue of blocks between PortAudio's callback and the reader.

    The callback runs on a thread that must never wait: it copies the block and goes. Where there is no room
    (`room` blocks wait already) the block is dropped and counted; what PortAudio itself lost before it called
    is counted too.
    """

    def __init__(self, room: int) -> None:
        # SimpleQueue: its put takes no lock that Python code may hold, and its size is known at once.
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._room = room
        self.blocks = 0  # taken from the card
        self.dropped = 0  # blocks without room
        self.overflows = 0  # times that PortAudio said it had lost something

    @property
    def losses(self) -> int:
        """The number of times audio was lost, here or in PortAudio."""
        return self.dropped + self.overflows

    def callback(self, data: Any, frames: int, time: object, status: Any) -> None:  # noqa: ARG002 - its shape
        """Take a block from PortAudio."""
        if status.input_overflow:
            self.overflows += 1
        if self._queue.qsize() >= self._room:
            self.dropped += 1
        else:
            self.blocks += 1
            self._queue.put(bytes(data))

    def finished(self) -> None:
        """Note that PortAudio has stopped the stream."""
        self._queue.put(None)

    def wake(self) -> None:
        """Make `take` return, with nothing."""
        self._queue.put(b"")

    def take(self, timeout: float) -> bytes | None:
        """The next block; None: the stream has stopped; nothing: woken. Raises `queue.Empty` after `timeout` s."""
        return self._queue.get(timeout=timeout)
