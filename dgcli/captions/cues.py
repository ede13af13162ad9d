"""Cues of lines of words. Times are seconds, to the millisecond."""

from dataclasses import dataclass

from dgcli.captions.text import joined, spaces
from dgcli.captions.voice import Voice
from dgcli.transcript.model import Word


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cue, said by one voice.

    `words` are pieces of a line: a word of the transcript, or a part of one that no line could hold. Their
    times are finite and in order. `prefix` says who speaks, where that has to be said.
    """

    words: tuple[Word, ...]
    voice: Voice
    prefix: str = ""

    @property
    def spaces(self) -> list[str]:
        """The space before each word."""
        return spaces([word.text for word in self.words])

    @property
    def body(self) -> str:
        """The text without the prefix."""
        return joined([word.text for word in self.words])

    @property
    def text(self) -> str:
        """The line as it is shown."""
        return self.prefix + self.body


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines on screen from `start` to `end`; never empty, never of no duration."""

    start: float
    end: float
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The lines as they are shown, each but the last ending in a line feed."""
        return "\n".join([line.text for line in self.lines])
