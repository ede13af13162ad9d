"""The words as comma-separated (RFC 4180, with line feeds) or tab-separated values, one word a row under a header.

A spreadsheet runs a cell that begins like a formula: text that begins with =, +, -, @, a tab or a carriage return
(or a full-width form of one) gets an apostrophe before it, after which spreadsheets show it as text.
Source: OWASP, "CSV Injection".
"""

import csv as _csv
from collections.abc import Callable, Iterable
from io import StringIO

from dgcli.formats.base import RenderSettings
from dgcli.formats.growing import WordWriter
from dgcli.formats.table import Row, rows, spoken_words
from dgcli.transcript.model import Transcript, Word

_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def _comma_separated(cells: Iterable[object]) -> str:
    file = StringIO()
    _csv.writer(file, lineterminator="\n").writerow(cells)
    return file.getvalue()


def _tab_separated(cells: Iterable[object]) -> str:
    return "\t".join("" if cell is None else str(cell) for cell in cells) + "\n"


class _TableWords:
    """Writes a table row by row."""

    footer = ""

    def __init__(self, options: RenderSettings, line: Callable[[Iterable[object]], str]) -> None:
        self._options = options
        self._line = line
        self.header = line(Row._fields)

    def words(self, words: Iterable[Word]) -> str:
        """Write a row for every word, with no text that a spreadsheet would run."""
        return "".join(
            self._line(
                f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in row
            )
            for row in rows(words, self._options)
        )


def csv_words(options: RenderSettings) -> WordWriter:
    """Create the writer of comma-separated values that grow while the words come in."""
    return _TableWords(options, _comma_separated)


def tsv_words(options: RenderSettings) -> WordWriter:
    """Create the writer of tab-separated values that grow while the words come in."""
    return _TableWords(options, _tab_separated)


def csv(transcript: Transcript, options: RenderSettings) -> str:
    """The header and a row for every word, channel by channel; cells that need it are quoted."""
    writer = csv_words(options)
    return writer.header + writer.words(spoken_words(transcript, options))


def tsv(transcript: Transcript, options: RenderSettings) -> str:
    """The header and a row for every word, channel by channel; nothing is quoted."""
    writer = tsv_words(options)
    return writer.header + writer.words(spoken_words(transcript, options))
