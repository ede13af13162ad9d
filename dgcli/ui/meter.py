"""A level meter, as text."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_CELLS = 12
_FLOOR = -60.0  # dBFS at the left end
_PARTS = " ▏▎▍▌▋▊▉"  # eighths of a cell
_FULL = "█"


def decibels(value: float) -> str:
    """Format a level: -23 dB."""
    return "-∞ dB" if math.isinf(value) else f"{value:.0f} dB"


def bar(rms: float, peak: float, *, cells: int = _CELLS) -> str:
    """A level (dBFS) as a bar of so many cells, with its peak as a number; its width does not change."""
    share = 0.0 if math.isinf(rms) else min(max((rms - _FLOOR) / -_FLOOR, 0.0), 1.0)
    eighths = round(share * cells * 8)
    whole, part = divmod(eighths, 8)
    drawn = _FULL * whole + (_PARTS[part] if part else "")
    return f"▕{drawn:<{cells}}▏{decibels(peak):>6}"


def covered(text: str, *, cells: int = _CELLS) -> str:
    """The place of a meter with a word in it instead of a level."""
    return f"▕{text:^{cells}.{cells}}▏" + " " * 6


@contextmanager
def level_line(text: str) -> Iterator[Callable[[float, float], None]]:
    """Draw a level (RMS and peak in dBFS) and a text on one line of stderr, again and again, until the block ends."""

    def draw(line: str) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone
            sys.stderr.write(f"\r{line}\x1b[K")
            sys.stderr.flush()

    try:
        yield lambda rms, peak: draw(f"{bar(rms, peak)}  {text}")
    finally:
        draw("")
