"""What is asked of the recogniser's process and what it answers: values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from dgcli.server.engines.base import HeardWord


class Priority(IntEnum):
    """Who goes first when several wait for the recogniser; among equals, who came first."""

    FINAL = 0  # a final of a live stream: somebody is listening for it
    FILE = 1
    INTERIM = 2  # of a live stream: the next one says it again


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How to decode one window of audio.

    `language` is a Whisper code; None lets a multilingual model tell, among `candidates` if there are any.
    `hotwords` are terms to be expected, `prompt` is text that came before. `max_new_tokens` bounds the text
    (None: by the length of the audio). Without `word_times` words are spread evenly between the time marks
    of the text, which saves a tenth of the work.
    """

    language: str | None = "en"
    candidates: Sequence[str] = ()
    beam: int = 1
    hotwords: Sequence[str] = ()
    prompt: str = ""
    max_new_tokens: int | None = None
    word_times: bool = True


@dataclass(frozen=True, slots=True)
class Decoding:
    """What was heard in one window.

    Times of `words` count in seconds from its start; `text` is the plain lower-case word, `written` has
    capitals and marks. `no_speech` (0-1) and `logprob` (per token) are Whisper's own doubts about it.
    """

    words: Sequence[HeardWord]
    no_speech: float
    logprob: float
    language: str
    language_confidence: float
