"""What was said: words, segments and transcripts, parsed from a response or collected from a stream.

Times are seconds from the start of the audio. Channels and speakers count from 0.
Source of the shapes: Deepgram reference, "Transcribe - Local file", response schema.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from dgcli.errors import ApiError


@dataclass(frozen=True, slots=True)
class Word:
    """One word of one channel.

    `text` is how it is printed (punctuated and capitalised where the API did so), `word` how it was heard.
    A time that the response lacks, or that is no number, is NaN: only captions need to repair it.
    """

    text: str
    start: float
    end: float
    confidence: float = 0.0
    word: str = ""
    speaker: int | None = None
    channel: int = 0
    language: str | None = None


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
        """Where its first word starts, in seconds."""
        return self.words[0].start if self.words else math.nan

    @property
    def end(self) -> float:
        """Where its last word ends, in seconds."""
        return self.words[-1].end if self.words else math.nan


@dataclass(frozen=True, slots=True)
class Channel:
    """What one channel says."""

    index: int
    text: str
    words: tuple[Word, ...]
    paragraphs: tuple[Segment, ...] = ()
    confidence: float = 0.0
    detected_language: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that a response says.

    `utterances` are the API's own, empty when they were not asked for. `raw` is the whole response, for what
    has no field here (summary, topics, search hits...), and `body` its bytes as they came.
    """

    channels: tuple[Channel, ...]
    utterances: tuple[Segment, ...] = ()
    request_id: str | None = None
    created: str | None = None
    duration: float | None = None
    warnings: tuple[str, ...] = ()
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
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return not any(channel.words or channel.text.strip() for channel in self.channels)


def _seconds(value: object) -> float:
    """A time as a float; NaN for what is missing or no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):  # "soon", or an integer beyond every float
        return math.nan


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON list, whatever else may be in it or stand in its place."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def parse_words(items: object, channel: int) -> tuple[Word, ...]:
    """The words of a `words` list; entries without text are left out."""
    words = []
    for item in _mappings(items):
        heard = _text(item.get("word"))
        text = _text(item.get("punctuated_word")) or heard
        if not text.strip():
            continue
        words.append(
            Word(
                text=text,
                start=_seconds(item.get("start")),
                end=_seconds(item.get("end")),
                confidence=_seconds(item.get("confidence", 0.0)),
                word=heard or text,
                speaker=_whole(item.get("speaker")),
                channel=channel,
                language=_text(item.get("language")) or None,
            )
        )
    return tuple(words)


def _paragraphs(alternative: Mapping[str, Any], words: Sequence[Word], channel: int) -> tuple[Segment, ...]:
    """The API's paragraphs, with the words they are made of; they count words in order."""
    found, at = [], 0
    for item in _mappings(_mapping(alternative.get("paragraphs")).get("paragraphs")):
        text = " ".join(
            filter(None, (_text(s.get("text")).strip() for s in _mappings(item.get("sentences"))))
        )
        many = _whole(item.get("num_words")) or 0
        found.append(
            Segment(
                text=text,
                words=tuple(words[at : at + many]),
                channel=channel,
                speaker=_whole(item.get("speaker")),
            )
        )
        at += many
    return tuple(found)


def _channel(item: Mapping[str, Any], index: int) -> Channel:
    alternative = next(_mappings(item.get("alternatives")), {})
    words = parse_words(alternative.get("words"), index)
    return Channel(
        index=index,
        text=_text(alternative.get("transcript")),
        words=words,
        paragraphs=_paragraphs(alternative, words, index),
        confidence=_seconds(alternative.get("confidence", 0.0)),
        detected_language=_text(item.get("detected_language")) or None,
    )


def _utterance(item: Mapping[str, Any]) -> Segment:
    channel = _whole(item.get("channel")) or 0
    return Segment(
        text=_text(item.get("transcript")),
        words=parse_words(item.get("words"), channel),
        channel=channel,
        speaker=_whole(item.get("speaker")),
        goes_on=item.get("goes_on") is True,
    )


def _from_utterances(utterances: Sequence[Segment], count: int) -> tuple[Channel, ...]:
    """Channels of a file that was still being written: its words stand in the utterances only."""
    found = []
    for index in range(max(count, *(utterance.channel + 1 for utterance in utterances))):
        own = [utterance for utterance in utterances if utterance.channel == index]
        words = tuple(word for utterance in own for word in utterance.words)
        found.append(Channel(index, " ".join(utterance.text for utterance in own), words))
    return tuple(found)


def _warning(item: Mapping[str, Any]) -> str:
    message = _text(item.get("message")) or json.dumps(item)
    parameter = _text(item.get("parameter"))
    return f"{parameter}: {message}" if parameter else message


def turns(words: Iterable[Word]) -> tuple[Segment, ...]:
    """Words grouped by who speaks them: a segment ends where the speaker or the channel changes."""
    grouped = groupby(words, key=lambda word: (word.channel, word.speaker))
    found = []
    for (channel, speaker), group in grouped:
        own = tuple(group)
        found.append(Segment(" ".join(word.text for word in own), own, channel, speaker))
    return tuple(found)


def parse(response: Mapping[str, Any], body: bytes = b"") -> Transcript:
    """The transcript in a response of `POST /v1/listen`, or in the body of a callback.

    Fields that are missing or of another type than documented are left out. Raises `ApiError` when there are
    no results at all, which is what another kind of JSON looks like.
    """
    metadata, results = _mapping(response.get("metadata")), response.get("results")
    if not isinstance(results, dict) or not isinstance(results.get("channels"), list):
        raise ApiError(
            "The answer is JSON, but no transcript.",
            request_id=_text(metadata.get("request_id")) or _text(response.get("request_id")) or None,
        )
    channels = tuple(_channel(item, index) for index, item in enumerate(_mappings(results["channels"])))
    utterances = tuple(_utterance(item) for item in _mappings(results.get("utterances")))
    if utterances and not any(channel.words or channel.text for channel in channels):
        channels = _from_utterances(utterances, len(channels))
    duration = _seconds(metadata.get("duration"))
    return Transcript(
        channels=channels,
        utterances=utterances,
        request_id=_text(metadata.get("request_id")) or None,
        created=_text(metadata.get("created")) or None,
        duration=None if math.isnan(duration) else duration,
        warnings=tuple(_warning(item) for item in _mappings(metadata.get("warnings"))),
        raw=response,
        body=body,
    )


def parse_body(body: bytes) -> Transcript:
    """The transcript in the bytes of a response. Raises `ApiError` when they are no JSON or no transcript."""
    try:
        response = json.loads(body)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise ApiError(f"The answer is no JSON: {error}.") from None
    if not isinstance(response, dict):
        raise ApiError("The answer is JSON, but no transcript.")
    return parse(response, body)


def callback_id(body: bytes) -> str | None:
    """The request id of an answer that says no more than that: its transcript goes to a callback."""
    if len(body) > 1000:
        return None
    try:
        answer = json.loads(body)
    except ValueError:
        return None  # `parse_body` says what is wrong with it
    if isinstance(answer, dict) and "request_id" in answer and "results" not in answer:
        return str(answer["request_id"])
    return None
