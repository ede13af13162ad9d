"""The words as comma-separated values (RFC 4180, with line feeds), one word a row under a header."""

import csv
from io import StringIO

from dgcli.formats.base import Options
from dgcli.formats.table import Row, rows
from dgcli.transcript import Transcript


def render(transcript: Transcript, options: Options) -> str:
    """The header and a row for every word."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows(transcript, options))
    return file.getvalue()
