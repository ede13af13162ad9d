"""A level meter, as text."""

import math

_CELLS = 12
_FLOOR = -60.0  # dBFS at the left end
_PARTS = " ▏▎▍▌▋▊▉"  # eighths of a cell
_FULL = "█"


def decibels(value: float) -> str:
    """A level as it is read: -23 dB."""
    return "-∞ dB" if math.isinf(value) else f"{value:.0f} dB"


def bar(rms: float, peak: float, *, cells: int = _CELLS) -> str:
    """A level (dBFS) as a bar of so many cells, with its peak as a number; its width does not change."""
    share = 0.0 if math.isinf(rms) else min(max((rms - _FLOOR) / -_FLOOR, 0.0), 1.0)
    eighths = round(share * cells * 8)
    whole, part = divmod(eighths, 8)
    drawn = _FULL * whole + (_PARTS[part] if part else "")
    return f"▕{drawn:<{cells}}▏{decibels(peak):>6}"
