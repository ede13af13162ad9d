"""The words as comma-separated (RFC 4180, with line feeds) or tab-separated values, one word a row under a header.

A spreadsheet runs a cell that begins like a formula: text that begins with =, +, -, @, a tab or a carriage return
(or a full-width form of one) gets an apostrophe before it, after which spreadsheets show it as text.
Source: OWASP, "CSV Injection".
"""

import csv as _csv
from collections.abc import Iterator
from io import StringIO

from dgcli.formats.base import RenderSettings
from dgcli.formats.table import Row, rows
from dgcli.transcript.model import Transcript

_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def _cells(transcript: Transcript, options: RenderSettings) -> Iterator[list[object]]:
    """The header and a row for every word, with no text that a spreadsheet would run."""
    yield list(Row._fields)
    for row in rows(transcript, options):
        yield [f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in row]


def csv(transcript: Transcript, options: RenderSettings) -> str:
    """The header and a row for every word; cells that need it are quoted."""
    file = StringIO()
    _csv.writer(file, lineterminator="\n").writerows(_cells(transcript, options))
    return file.getvalue()


def tsv(transcript: Transcript, options: RenderSettings) -> str:
    """The header and a row for every word; nothing is quoted."""
    lines = (["" if cell is None else str(cell) for cell in row] for row in _cells(transcript, options))
    return "".join("\t".join(line) + "\n" for line in lines)
