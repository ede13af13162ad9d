"""Blocking reads on a thread of their own, so that their reader can be stopped."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_DEPTH = 8  # items that may wait before the iterator is held back


class Pump(Generic[T]):
    """Runs an iterator on a daemon thread and passes its items through a short queue.

    Iterating ends when the iterator does; what it raises is raised here, after the items that came before it.
    `stop` may be called from any thread: iterating then ends with what is in the queue, whether or not the
    thread still waits in a read. That thread ends with the read, or with the process.
    """

    def __init__(self, items: Callable[[], Iterator[T]], *, name: str) -> None:
        self._items = items
        self._queue: deque[T] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._done = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def _put(self, item: T) -> bool:
        """Put an item in the queue; False once the iteration is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._queue) < _DEPTH)
            if self._stopped:
                return False
            self._queue.append(item)
            self._changed.notify_all()
            return True

    def _run(self) -> None:
        try:
            for item in self._items():
                if not self._put(item):
                    break
        except BaseException as error:  # travels as a value to whoever iterates
            self._error = error
        with self._changed:
            self._done = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._queue) or self._done or self._stopped)
                if not self._queue:
                    break
                item = self._queue.popleft()
                self._changed.notify_all()
            yield item
        if self._error is not None and not self._stopped:
            raise self._error

    def stop(self) -> None:
        """End the iteration soon."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
