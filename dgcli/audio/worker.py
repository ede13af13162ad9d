"""A thread that makes calls for others, who wait for each no longer than they choose."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(Exception):
    """A call did not return in time; the thread is lost with it."""


class _Call:
    """A function to call, and its result or exception."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act
        self.outcome: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def make(self) -> None:
        try:
            self.outcome.put((self._act(), None))
        except BaseException as error:  # it travels to whoever waits
            self.outcome.put((None, error))


class CallThread:
    """One daemon thread on which calls are made, one after the other.

    A library that wants all its calls from one thread gets that, and one that hangs takes neither Ctrl-C nor
    the end of the program with it.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._lock = threading.Lock()
        self.stuck = False

    def _run(self) -> None:
        while True:
            self._calls.get().make()

    def call(self, act: Callable[[], T], seconds: float) -> T:
        """Call `act` on the thread; return or raise what it does. Raises `Stuck` after so many seconds."""
        with self._lock:
            if self.stuck:
                raise Stuck
            if self._thread.ident is None:
                self._thread.start()
        call = _Call(act)
        self._calls.put(call)
        try:
            result, error = call.outcome.get(timeout=seconds)
        except Empty:
            self.stuck = True
            raise Stuck from None
        except BaseException:  # a signal while waiting: what the call does now, nobody knows
            self.stuck = True
            raise
        if error is not None:
            raise error
        value: T = result
        return value
