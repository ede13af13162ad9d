"""Single keys from the terminal while a stream runs."""

import codecs
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

Poll = Callable[[], str]


def _nothing() -> str:
    return ""


@contextmanager
def _around_stops(take: Callable[[], None], give_back: Callable[[], None]) -> Iterator[None]:
    """Give the terminal back when we are stopped (Ctrl-Z) or quit (Ctrl-\\), and take it when we go on."""

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's shape
        give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, leave)  # here again after fg

    def go_on(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's shape
        take()

    handlers = {signal.SIGTSTP: leave, signal.SIGQUIT: leave, signal.SIGCONT: go_on}
    before: dict[int, Any] = {
        number: signal.signal(number, handler)
        for number, handler in handlers.items()
        if signal.getsignal(number) is signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def keys() -> Iterator[Poll]:
    """A function that returns the keys pressed since it was last called; it never waits.

    Keys are read from the terminal itself, since standard input may carry audio, and are not echoed meanwhile:
    that would move the cursor of whoever draws there. Without a terminal, or where it belongs to another
    program now (we run in the background), nothing is read and nothing changed: touching it would stop us.
    """
    try:
        import termios
        import tty

        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except (ImportError, OSError):  # Windows; no terminal
        yield _nothing
        return

    # What is pasted may end in the middle of a character.
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")

    def is_ours() -> bool:
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            return False

    def poll() -> str:
        if not is_ours() or not select.select([descriptor], [], [], 0)[0]:
            return ""
        try:
            return decoder.decode(os.read(descriptor, 4096))
        except OSError:
            return ""

    before: list[Any] | None = None

    def take() -> None:
        nonlocal before
        if is_ours():
            with suppress(termios.error):
                before = before or termios.tcgetattr(descriptor)
                tty.setcbreak(descriptor, termios.TCSANOW)

    def give_back() -> None:
        if before is not None and is_ours():
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, before)

    try:
        with _around_stops(take, give_back):
            take()
            yield poll
    finally:
        give_back()
        os.close(descriptor)
