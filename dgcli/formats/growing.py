"""The interfaces of formats that can be written while a stream runs.

Such a file is a header, pieces that stay as they are, and a footer that each new piece is put before: with the
footer behind it, it is valid after every piece. The row of a format in the registry says what it grows by (`grows`);
its module has a function that makes one of these: `render_cues`, `csv_words`, after the function of the format.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from dgcli.transcript.model import Segment, Word

if TYPE_CHECKING:
    from dgcli.captions.captioner import Captioner
    from dgcli.captions.cues import Cue


class CueWriter(Protocol):
    """Writes captions, cue by cue."""

    header: str
    footer: str

    def captioner(self, channels: int) -> "Captioner":
        """Create what makes cues of words."""

    def cue(self, cue: "Cue", number: int, several_channels: bool) -> str:
        """Write a cue; `number` counts from 1. Raises `OutputError` for one that the format cannot hold."""

    def note(self, message: str) -> str:
        """Write a message that players do not show; empty where the format has none."""


class WordWriter(Protocol):
    """Writes words, each for itself."""

    header: str
    footer: str

    def words(self, words: Iterable[Word]) -> str:
        """Write words."""


class TurnWriter(Protocol):
    """Writes what is said, utterance by utterance."""

    header: str
    footer: str

    def turn(self, segment: Segment, several_channels: bool) -> str:
        """Write what one voice says."""


Growing = CueWriter | WordWriter | TurnWriter
