"""Single keys from the terminal while a stream runs."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Poll = Callable[[], str]


def _nothing() -> str:
    return ""


@contextmanager
def keys() -> Iterator[Poll]:
    """A function that returns the keys pressed since it was last called; it never waits.

    Keys are not echoed meanwhile. Where standard input is no terminal, or that terminal belongs to another
    program now (we run in the background), nothing is read and nothing changed: touching it would stop us.
    """
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield _nothing
        return
    try:
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (OSError, ValueError, AttributeError, termios.error):
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

    changed = is_ours()
    if changed:
        tty.setcbreak(descriptor, termios.TCSANOW)
    try:
        yield poll
    finally:
        if changed and is_ours():
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, before)
