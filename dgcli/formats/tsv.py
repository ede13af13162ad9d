"""The words as tab-separated values, one word a row under a header; nothing is quoted."""

from dgcli.formats.base import Options
from dgcli.formats.table import Row, rows
from dgcli.transcript import Transcript


def render(transcript: Transcript, options: Options) -> str:
    """The header and a row for every word."""
    lines = [
        Row._fields,
        *(["" if cell is None else str(cell) for cell in row] for row in rows(transcript, options)),
    ]
    return "".join("\t".join(line) + "\n" for line in lines)
