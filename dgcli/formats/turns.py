"""A transcript as a conversation: who says what, in paragraphs, in the order of time."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from dgcli.captions.text import clean, joined
from dgcli.captions.voice import Voice
from dgcli.formats.smoothing import smoothed_transcript
from dgcli.transcript.model import Channel, Segment, Transcript, Word, turns

_UTTERANCE = 0.8  # seconds of pause that end an utterance: the API's own default


def _spoken(words: tuple[Word, ...]) -> Segment:
    """Words of one voice as a segment."""
    return Segment(joined([word.text for word in words]), words, words[0].channel, words[0].speaker)


def _utterances(words: Iterable[Word]) -> Iterator[Segment]:
    """Split a channel at every longer pause and every change of speaker."""
    for turn in turns(words):
        begin = 0
        for at in range(1, len(turn.words) + 1):
            ended = at == len(turn.words) or turn.words[at].start - turn.words[at - 1].end >= _UTTERANCE
            if ended:
                own = turn.words[begin:at]
                yield _spoken(own)
                begin = at


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    for _, group in groupby(segments, key=lambda item: (item.channel, item.speaker)):
        own = list(group)
        words = tuple(word for segment in own for word in segment.words)
        yield replace(own[0], text=" ".join(segment.text for segment in own), words=words)


def _paragraphs(channel: Channel) -> Iterator[Segment]:
    """The API's paragraphs if they hold every word, else a paragraph for each turn, else the text."""
    if channel.paragraphs and sum(len(paragraph.words) for paragraph in channel.paragraphs) == len(
        channel.words
    ):
        yield from channel.paragraphs
    elif any(word.speaker is not None for word in channel.words):
        yield from (_spoken(turn.words) for turn in turns(channel.words))
    elif channel.text.strip() or channel.words:
        text = channel.text if channel.text.strip() else joined([word.text for word in channel.words])
        yield Segment(text, channel.words, channel.index)


def voice(segment: Segment) -> Voice:
    """Return the voice of a segment."""
    return Voice(segment.channel, segment.speaker)


def paragraphs(transcript: Transcript, *, smooth_speakers: bool = False) -> list[Segment]:
    """Return the transcript in paragraphs of one voice each; their text has no control characters.

    One channel has the API's paragraphs, where there are some. Several channels take turns, as the API's
    utterances do, or as pauses divide what each of them says. `smooth_speakers` puts changes of speaker where
    sentences end.
    """
    if smooth_speakers:
        transcript = smoothed_transcript(transcript)
    if len(transcript.channels) > 1:
        spoken = list(transcript.utterances)
        if not spoken:
            spoken = [segment for channel in transcript.channels for segment in _utterances(channel.words)]
        segments = list(
            _joined(
                sorted(spoken, key=lambda segment: segment.start if segment.start == segment.start else 0.0)
            )
        )
        timeless = [channel for channel in transcript.channels if not channel.words and channel.text.strip()]
        if not transcript.utterances:
            segments += [Segment(channel.text, (), channel.index) for channel in timeless]
    else:
        segments = [segment for channel in transcript.channels for segment in _paragraphs(channel)]
    cleaned = [replace(segment, text=clean(segment.text).strip()) for segment in segments]
    return [segment for segment in cleaned if segment.text]
