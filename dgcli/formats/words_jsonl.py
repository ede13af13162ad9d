"""The words as JSON Lines: an object for every word, for programs that read as it comes."""

import json

from dgcli.formats.base import RenderSettings
from dgcli.formats.table import rows
from dgcli.transcript.model import Transcript


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A line for every word; a field that is not known is left out."""
    return "".join(
        json.dumps(
            {name: cell for name, cell in row._asdict().items() if cell is not None}, ensure_ascii=False
        )
        + "\n"
        for row in rows(transcript, options)
    )
