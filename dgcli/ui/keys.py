"""Single keys from the terminal while a stream runs."""

import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Poll = Callable[[], str]


def _nothing() -> str:
    return ""


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

    def is_ours() -> bool:
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            return False

    def poll() -> str:
        if not is_ours() or not select.select([descriptor], [], [], 0)[0]:
            return ""
        try:
            return os.read(descriptor, 64).decode("utf-8", "ignore")
        except OSError:
            return ""

    before = None
    try:
        if is_ours():
            with suppress(termios.error):
                before = termios.tcgetattr(descriptor)
                tty.setcbreak(descriptor, termios.TCSANOW)
        yield poll
    finally:
        if before is not None and is_ours():
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, before)
        os.close(descriptor)
