"""Clean text for a terminal, and questions to a terminal."""

import os
import re
from contextlib import suppress
from typing import TextIO

# C0 and C1 controls but tab and newline, DEL, and the marks that reorder what follows them (UAX #9).
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


# Whole escape sequences go first, so that their parameters do not stay behind as text (ECMA-48).
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]", re.DOTALL
)


def harmless(text: str) -> str:
    """Remove escape sequences and control characters; tabs and newlines stay."""
    return _CONTROLS.sub("", _SEQUENCES.sub("", text))


def colours(stream: object) -> bool:
    """Whether colour is wanted on a stream: it is a terminal, and nothing says otherwise."""
    isatty = getattr(stream, "isatty", None)
    dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
    return bool(isatty and isatty()) and not dumb


def forget(stream: TextIO) -> None:
    """Send a stream nowhere: what is left in its buffer must not fail again when Python ends."""
    with suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)
