"""The words as JSON Lines: an object for every word, for programs that read as it comes."""

import json
from collections.abc import Iterable

from dgcli.formats.base import RenderSettings
from dgcli.formats.growing import WordWriter
from dgcli.formats.table import rows, spoken_words
from dgcli.transcript.model import Transcript, Word


class _Words:
    """Writes an object a line."""

    header = footer = ""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options

    def words(self, words: Iterable[Word]) -> str:
        """Write a line for every word; a field that is not known is left out."""
        objects = (
            {name: cell for name, cell in row._asdict().items() if cell is not None}
            for row in rows(words, self._options)
        )
        return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)


def render_words(options: RenderSettings) -> WordWriter:
    """Create the writer of a file that grows while the words come in."""
    return _Words(options)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A line for every word, channel by channel."""
    return _Words(options).words(spoken_words(transcript, options))
