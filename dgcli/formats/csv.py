"""The words as comma-separated (RFC 4180, with line feeds) or tab-separated values, one word a row under a header."""

import csv as _csv
from io import StringIO

from dgcli.formats.base import RenderSettings
from dgcli.formats.table import Row, rows
from dgcli.transcript.model import Transcript


def csv(transcript: Transcript, options: RenderSettings) -> str:
    """The header and a row for every word; cells that need it are quoted."""
    file = StringIO()
    writer = _csv.writer(file, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows(transcript, options))
    return file.getvalue()


def tsv(transcript: Transcript, options: RenderSettings) -> str:
    """The header and a row for every word; nothing is quoted."""
    lines = [
        Row._fields,
        *(["" if cell is None else str(cell) for cell in row] for row in rows(transcript, options)),
    ]
    return "".join("\t".join(line) + "\n" for line in lines)
