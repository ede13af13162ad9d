"""Who speaks, and how that is said."""

from collections.abc import Callable
from typing import NamedTuple


class Voice(NamedTuple):
    """A speaker: a channel and, where speakers are told apart, a speaker in it."""

    channel: int
    speaker: int | None


Prefix = Callable[[Voice], str]
"""What stands before the first words of a voice, such as `[Speaker 0] `; empty for nothing."""
