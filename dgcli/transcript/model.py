"""Words, segments, channels and whole transcripts.

Times are seconds from the start of the audio. Channels and speakers count from 0.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple


class Word(NamedTuple):
    """A word of one channel.

    `text` is how it is printed (punctuated and capitalised where the API did so), `word` how it was heard.
    A time that the response lacks, or that is no number, is NaN: only captions need to repair it.
    A tuple, since a response has a hundred thousand of them: making one takes a quarter of a frozen dataclass's time.
    """

    text: str
    start: float
    end: float
    confidence: float = 0.0
    word: str = ""
    speaker: int | None = None
    channel: int = 0
    language: str | None = None
    speaker_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Words that belong together: an utterance, a paragraph or a turn. One channel, at most one speaker.

    `goes_on` says of an utterance that it was cut off, not ended: what a stream had said when it was written.
    """

    text: str
    words: tuple[Word, ...]
    channel: int = 0
    speaker: int | None = None
    goes_on: bool = False

    @property
    def start(self) -> float:
        """The start of its first word, in seconds."""
        return self.words[0].start if self.words else math.nan

    @property
    def end(self) -> float:
        """The end of its last word, in seconds."""
        return self.words[-1].end if self.words else math.nan


@dataclass(frozen=True, slots=True)
class Channel:
    """The transcript of one channel."""

    index: int
    text: str
    words: tuple[Word, ...]
    paragraphs: tuple[Segment, ...] = ()
    confidence: float = 0.0
    detected_language: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """The content of a response.

    `utterances` are the API's own, empty when they were not asked for. `raw` is the whole response, for what
    has no field here (summary, topics, search hits...), and `body` its bytes as they came. `given_names`
    are the speakers' names (of channels, where only these are known) in a response that somebody has corrected, and
    in a table of words; None in one of the API.
    """

    channels: tuple[Channel, ...]
    utterances: tuple[Segment, ...] = ()
    request_id: str | None = None
    created: str | None = None
    duration: float | None = None
    warnings: tuple[str, ...] = ()
    given_names: Mapping[int, str] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of every channel, channel by channel."""
        return tuple(word for channel in self.channels for word in channel.words)

    @property
    def has_speakers(self) -> bool:
        """Whether any word says who spoke it."""
        return any(word.speaker is not None for channel in self.channels for word in channel.words)

    @property
    def has_corrected_speakers(self) -> bool:
        """Whether somebody said of each word who spoke it, in the page of the transcript."""
        corrections = self.raw.get("corrections", False)
        return corrections is not False and not (
            isinstance(corrections, dict) and corrections.get("speakers_as_recognized") is True
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return not any(channel.words or channel.text.strip() for channel in self.channels)


def turns(words: Iterable[Word]) -> tuple[Segment, ...]:
    """Words grouped by who speaks them: a segment ends where the speaker or the channel changes."""
    grouped = groupby(words, key=lambda word: (word.channel, word.speaker))
    segments = []
    for (channel, speaker), group in grouped:
        own = tuple(group)
        segments.append(Segment(" ".join(word.text for word in own), own, channel, speaker))
    return tuple(segments)
