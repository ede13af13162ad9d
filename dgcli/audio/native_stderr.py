"""Output of libraries on file descriptor 2, behind Python's back: ALSA, PortAudio, JACK.

They print while they look for devices, when one vanishes, and from threads of their own in the middle of a
stream, so it would not do to look away for a moment only. Instead the two are parted: Python's stderr gets a
descriptor of its own, to which all of Python goes on writing, and descriptor 2 becomes a pipe. It never
blocks: what nobody takes out is dropped when it is full, for a library may print without end.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from dgcli.system import LIBRARIES_COMPLAIN
from dgcli.terminal import harmless

_STDERR = 2
_MOST = 65536  # bytes to read at once: what a pipe holds
_DIFFERENT = 1000  # lines to remember: each is told once, for every look for devices prints the same again

Lines = Callable[[], list[str]]


def _nothing() -> list[str]:
    return []


def _duplicate() -> int | None:
    """Duplicate descriptor 2, if it is open."""
    if not LIBRARIES_COMPLAIN:
        return None
    try:
        return os.dup(_STDERR)
    except OSError:
        return None


def _pythons_stderr(descriptor: int) -> TextIO:
    """Return `sys.stderr`, on another descriptor if it writes on 2."""
    before = sys.stderr
    try:
        if before.fileno() != _STDERR:
            return before
    except (AttributeError, OSError, ValueError):  # there is none, or it is no file
        return before
    before.flush()
    return os.fdopen(
        os.dup(descriptor), "w", buffering=1, encoding=before.encoding, errors=before.errors, newline=None
    )


@contextmanager
def captured_native_stderr() -> Iterator[Lines]:
    """Capture descriptor 2 while the block runs; yield a function that returns the new lines since its last call.

    Where descriptor 2 is closed, and on Windows, where these libraries are silent, nothing is done.
    """
    real = _duplicate()
    if real is None:
        yield _nothing
        return
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    before = sys.stderr
    ours = _pythons_stderr(real)
    rest = b""
    seen: set[str] = set()

    def lines() -> list[str]:
        nonlocal rest
        with suppress(BlockingIOError):
            rest += os.read(reading, _MOST)
        whole, _, rest = rest.rpartition(b"\n")
        texts = (" ".join(harmless(line).split()) for line in whole.decode("utf-8", "replace").split("\n"))
        new = [text for text in dict.fromkeys(texts) if text and text not in seen]
        if len(seen) < _DIFFERENT:
            seen.update(new)
        return new

    try:
        sys.stderr = ours
        os.dup2(writing, _STDERR)
        os.close(writing)
        yield lines
    finally:
        os.dup2(real, _STDERR)
        os.close(real)
        sys.stderr = before
        if ours is not before:
            with suppress(OSError, ValueError):  # a terminal that is gone
                ours.close()
        os.close(reading)
