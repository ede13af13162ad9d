"""The lines at the bottom of a terminal that are redrawn in place, below what scrolls up.

Between two writes the cursor waits in the first column of the first of these lines. That is why nothing
stays behind when the window is resized: whether a terminal wraps its lines anew or cuts them off, everything
from the cursor down is ours, so there is nothing to count.
Source of the sequences: ECMA-48 (ED, EL, CUU, CUF); DEC private modes 7 (DECAWM) and 25 (DECTCEM).
"""

import os
from typing import TextIO

# The line, then from its second column everything: tmux takes an erasure that begins in the very corner of the
# window for `clear`, and keeps what was there in its history.
_ERASE_BELOW = "\r\x1b[K\x1b[C\x1b[J\r"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
# Lines that are redrawn are cut off at the edge rather than wrapped: the window may have become narrower since
# they were made, and more rows than lines would be in the way of going back up.
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"


class Region:
    """Draws on a terminal; lines must be shorter than the window is wide."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_drawn = False
        self._hidden = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the window now."""
        try:
            terminal = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        # A pseudo-terminal that nobody gave a size has none.
        return max(terminal.columns or 80, 10), max(terminal.lines or 24, 4)

    def draw(self, above: str, lines: list[str]) -> None:
        """Let `above` (whole lines) scroll up and show `lines` below it, in one write. Raises `OSError`."""
        out = _ERASE_BELOW if self._is_drawn else ""
        if not self._hidden:
            out += _HIDE
        out += above.replace("\n", "\r\n")
        if lines:
            out += _CUT + "\r\n".join(lines) + _WRAP
        if len(lines) > 1:
            out += f"\x1b[{len(lines) - 1}A"
        out += "\r"
        self._hidden = True
        self._is_drawn = bool(lines)
        self._write(out)

    def _write(self, text: str) -> None:
        """Write past Python's buffer: what a terminal that is gone did not take must not wait in there."""
        data = text.encode(self._stream.encoding or "utf-8", "replace")
        while data:
            data = data[os.write(self._stream.fileno(), data) :]

    def leave(self) -> None:
        """Erase the lines and give the cursor back. Raises `OSError`."""
        if self._hidden:
            self._hidden = False
            text = (_ERASE_BELOW if self._is_drawn else "") + _SHOW
            self._is_drawn = False
            self._write(text)
