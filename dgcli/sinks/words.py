"""The words while they come in, each final's at once: rows of a table, lines of JSON."""

from collections.abc import Callable
from typing import cast

from dgcli.formats import Format, RenderSettings, grower
from dgcli.formats.growing import WordWriter
from dgcli.transcript.events import Event, Final, Opened
from dgcli.transcript.utterances import as_saved


class WordsSink:
    """Writes the words of every final, in the order in which they come."""

    def __init__(self, write: Callable[[str], None], format_: Format, options: RenderSettings) -> None:
        self._write = write
        self._writer = cast(WordWriter, grower(format_, options))
        self._begun = False

    def handle(self, event: Event) -> None:
        """Take the next event. Raises what `write` raises."""
        text = ""
        if isinstance(event, Opened | Final) and not self._begun:
            self._begun = True
            text = self._writer.header
        if isinstance(event, Final):
            text += self._writer.words(map(as_saved, event.words))
        if text:
            self._write(text)

    def tick(self, now: float) -> None:
        """Do nothing: nothing depends on time."""

    def close(self) -> None:
        """Do nothing: nothing is held back."""
