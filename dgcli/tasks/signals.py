"""Ctrl-C and other signals while a task runs: the first ends it in good order, the next ones do not wait."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from dgcli.errors import Interrupted
from dgcli.system import stop_signals, user_signal


class Signals:
    """Calls `steps` one after the other, one for each SIGINT, SIGTERM or SIGHUP; after the last, `Interrupted`.

    `on_user` is what SIGUSR1 does, where there is such a signal.
    """

    def __init__(self, *steps: Callable[[], None], on_user: Callable[[], None] | None = None) -> None:
        self.first: int | None = None  # the number of the first signal that came
        self.count = 0
        self._steps = list(steps)
        self._on_user = on_user

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        self.first = self.first or number
        self.count += 1
        if not self._steps:
            raise Interrupted("Left at once.", signal=number)
        self._steps.pop(0)()

    def _user(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        assert self._on_user is not None, "only installed where there is something to do"
        self._on_user()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Handle the signals while the block runs; one that is ignored (nohup) stays ignored."""
        handlers: dict[signal.Signals, Any] = dict.fromkeys(stop_signals(), self._stop)
        user = user_signal()
        if self._on_user is not None and user is not None:
            handlers[user] = self._user
        before: dict[signal.Signals, Any] = {}
        for number, handler in handlers.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
        try:
            yield
        finally:
            for number, former in before.items():
                signal.signal(number, former)
