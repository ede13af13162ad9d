"""Messages on stderr, and text from elsewhere made harmless for a terminal."""

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from dgcli.errors import DgError

# C0 and C1 controls but tab and newline, DEL, and the marks that reorder what follows them (UAX #9).
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Whole escape sequences go first, so that their parameters do not stay behind as text (ECMA-48).
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]", re.DOTALL
)


def harmless(text: str) -> str:
    """Text without escape sequences and control characters; tabs and newlines stay."""
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


@dataclass(frozen=True, slots=True)
class Console:
    """Where messages go. `quiet` leaves only errors, `verbose` adds detail."""

    quiet: bool = False
    verbose: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether somebody is looking: stderr is a terminal and not silenced."""
        return not self.quiet and sys.stderr.isatty()

    def note(self, message: str) -> None:
        """Something worth knowing; silenced by -q."""
        if not self.quiet:
            _say(message)

    def report(self, message: str) -> None:
        """Something that was asked for; never silenced."""
        _say(message)

    def warning(self, message: str) -> None:
        """Something that may not be what was wanted; silenced by -q."""
        if not self.quiet:
            _say(message, label="warning", colour="33")

    def detail(self, message: str) -> None:
        """Something only -v shows."""
        if self.verbose and not self.quiet:
            _say(message)

    def error(self, error: DgError) -> None:
        """What went wrong and what to do; never silenced."""
        details = ", ".join(error.details())
        _say(f"{error.message} [{details}]" if details else error.message, label="error", colour="31")
        if error.hint:
            _say(error.hint)
        if error.kept:
            _say(f"The response is kept in {error.kept}")


def _say(message: str, *, label: str = "", colour: str = "") -> None:
    """One message on one line; a stderr that is gone is nobody's to tell."""
    text = " ".join(harmless(message).split("\n"))
    if label:
        label = f"\x1b[1;{colour}m{label}:\x1b[0m " if colours(sys.stderr) else f"{label}: "
    try:
        print(f"dg: {label}{text}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        forget(sys.stderr)
