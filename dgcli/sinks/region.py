"""The lines at the bottom of a terminal that are redrawn in place, below what scrolls up.

Between two writes the cursor waits in the first column of the first of these lines. That is why nothing
stays behind when the window is resized: whether a terminal wraps its lines anew or cuts them off, everything
from the cursor down is ours, so there is nothing to count.
Source of the sequences: ECMA-48 (ED, CUU); DEC private mode 25 for the cursor.
"""

import os
from typing import TextIO

_ERASE_BELOW = "\x1b[J"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


class Region:
    """Draws on a terminal; lines must be shorter than the window is wide."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = False
        self._hidden = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the window now."""
        try:
            found = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        return max(found.columns, 10), max(found.lines, 4)

    def draw(self, above: str, lines: list[str]) -> None:
        """Let `above` (whole lines) scroll up and show `lines` below it, in one write. Raises `OSError`."""
        out = "\r" + _ERASE_BELOW if self._shown else ""
        if not self._hidden:
            out += _HIDE
        out += above.replace("\n", "\r\n") + "\r\n".join(lines)
        if len(lines) > 1:
            out += f"\x1b[{len(lines) - 1}A"
        out += "\r"
        self._hidden = True
        self._shown = bool(lines)
        self._stream.write(out)
        self._stream.flush()

    def leave(self) -> None:
        """Erase the lines and give the cursor back. Raises `OSError`."""
        if self._hidden:
            self._hidden = False
            self._stream.write(("\r" + _ERASE_BELOW if self._shown else "") + _SHOW)
            self._shown = False
            self._stream.flush()
