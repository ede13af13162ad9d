"""What captioning makes: cues of lines of words. Times are seconds, to the millisecond."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from dgcli.captions.text import unspaced
from dgcli.transcript import Word


class Voice(NamedTuple):
    """Who speaks: a channel and, where speakers are told apart, a speaker in it."""

    channel: int
    speaker: int | None


Prefix = Callable[[Voice], str]
"""What stands before the first words of a voice, such as `[Speaker 0] `; empty for nothing."""


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
    def spaces(self) -> tuple[str, ...]:
        """What stands before each word: nothing before the first and between scripts without spaces."""
        found = [""]
        for left, right in pairwise(self.words):
            found.append("" if unspaced(left.text[-1]) and unspaced(right.text[0]) else " ")
        return tuple(found)

    @property
    def body(self) -> str:
        """What is said, without the prefix."""
        text = " ".join(word.text for word in self.words)
        if text.isascii():
            return text
        return "".join(space + word.text for space, word in zip(self.spaces, self.words, strict=True))

    @property
    def text(self) -> str:
        """The line as it is shown."""
        return self.prefix + self.body


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start` to `end`; never empty, never of no duration."""

    start: float
    end: float
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The lines as they are shown, each but the last ending in a line feed."""
        return "\n".join(line.text for line in self.lines)
