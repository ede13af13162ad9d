"""Small tables for the terminal, in plain text."""

from collections.abc import Sequence

from dgcli.terminal import harmless


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows as lines whose columns stand below each other; the columns in `right` (from 0) end together.

    Cells are data: control characters are taken out, and bytes of file names that are no UTF-8 shown as such.
    Wide characters count as the two columns they take.
    """
    from rich.cells import cell_len

    clean = [[_encodable(" ".join(harmless(cell).split())) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*clean, strict=True)]
    lines = []
    for row in clean:
        cells = []
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - cell_len(cell))
            cells.append(space + cell if number in right else cell + space)
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)
