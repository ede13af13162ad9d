"""Files that FFmpeg reads and writes through PyAV, whose faults are not lost on the way.

FFmpeg takes an error of a callback for the end of the file where it can go on, and what was raised there is gone: a
disk that fails, or a Ctrl-C, would leave half a copy that passes for a whole one. So each file remembers its first
fault, and the work is done in a thread, where no signal is delivered.
"""

import os
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeVar

T = TypeVar("T")


class WatchedFile:
    """A binary file for PyAV; `error` is the first thing that went wrong, after which it seems to end.

    Nothing is raised: what a callback raises is printed or lost.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def stop(self) -> None:
        """Let it end now."""
        self.error = self.error or InterruptedError("It was stopped.")

    def _done(self, act: Callable[[], T], otherwise: T) -> T:
        if self.error is None:
            try:
                return act()
            except OSError as error:
                self.error = error
        return otherwise

    def read(self, size: int) -> bytes:
        """Read at most so many bytes; none at the end."""
        return self._done(lambda: self._file.read(size), b"")

    def write(self, data: bytes) -> int:
        """Write all of this."""
        return self._done(lambda: self._file.write(data), len(data))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        return self._done(lambda: self._file.seek(offset, whence), 0)

    def tell(self) -> int:
        """Return the place."""
        return self._done(self._file.tell, 0)


def in_thread(act: Callable[[], T], files: Sequence[WatchedFile]) -> T:
    """Call `act` in a thread; return or raise what it does. Whatever interrupts the wait ends it, through its files."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(act())
        except BaseException as error:  # it travels to whoever waits
            errors.append(error)
        finally:
            done.set()

    # Not `Thread.join`: until Python 3.13 one that was interrupted takes the thread for ended.
    done = threading.Event()
    thread = threading.Thread(target=run, name="audio-track", daemon=True)
    try:
        thread.start()
        while not done.wait(0.1):
            pass
    except RuntimeError:  # there is no room for another thread
        raise
    except BaseException:
        for file in files:
            file.stop()
        done.wait()
        raise
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
