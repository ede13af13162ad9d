"""What is asked of forced alignment and what the recogniser's attention answers: values only."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextWord:
    """A word of a text, and its times in seconds where they are known."""

    text: str
    start: float | None = None
    end: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether it has both times."""
        return self.start is not None and self.end is not None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words in a row, a few seconds of one channel, of which some have times."""

    words: Sequence[TextWord]
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Attended:
    """What the attention tells of a word: times in seconds, and how probable it finds the word."""

    start: float
    end: float
    confidence: float

    def later(self, seconds: float) -> "Attended":
        """Return the same, counted from an earlier begin."""
        return Attended(self.start + seconds, self.end + seconds, self.confidence)
