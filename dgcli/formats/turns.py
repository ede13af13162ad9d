"""A transcript as a conversation: who says what, in paragraphs, in the order of time."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from dgcli.captions.text import clean, joined
from dgcli.captions.voice import Voice
from dgcli.transcript.model import Channel, Segment, Transcript, Word, turns

_UTTERANCE = 0.8  # seconds of pause that end an utterance: the API's own default
# Paragraphs of our own: they end with the sentence after so many characters, with one before a long pause, and
# where no sentence ends, at the longest pause before it is too much to read.
_ENOUGH = 400
_LONGEST = 1000
_PAUSE = 2.0
_SENTENCE = re.compile(r"[.!?…。！？]['\"”’»)\]」』]*$")
# Words of a text without times; what is written without spaces is divided after its full stops.
_TOKEN = re.compile(r"[^\s。！？]+[。！？]*['\"”’»)\]」』]*|[。！？]+")


def _spoken(words: Sequence[Word]) -> Segment:
    """Words of one voice as a segment."""
    return Segment(joined([word.text for word in words]), tuple(words), words[0].channel, words[0].speaker)


def _pause(words: Sequence[Word], at: int) -> float:
    """Seconds between a word and the next; 0 where their times do not tell."""
    pause = words[at + 1].start - words[at].end
    return pause if math.isfinite(pause) else 0.0


def _stretches(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Split what one voice says into paragraphs."""
    begin = size = 0
    at, last = 0, len(words) - 1
    while at < last:
        size += len(words[at].text) + 1
        ended = _SENTENCE.search(words[at].text)
        if ended and (size >= _ENOUGH or (2 * size >= _ENOUGH and _pause(words, at) >= _PAUSE)):
            yield words[begin : at + 1]
            begin, size = at + 1, 0
        elif size >= _LONGEST:
            later = range((begin + at) // 2, at + 1)  # the first half would be short
            best = max(later, key=lambda number: _pause(words, number))
            yield words[begin : best + 1]
            size = sum(len(word.text) + 1 for word in words[best + 1 : at + 1])
            begin = best + 1
        at += 1
    yield words[begin:]


def _divided(segment: Segment) -> Iterator[Segment]:
    """Split a segment that is too long to read as one paragraph."""
    if len(segment.text) <= _LONGEST:
        yield segment
    elif segment.words:
        yield from (_spoken(part) for part in _stretches(segment.words))
    else:
        tokens = [Word(token, math.nan, math.nan) for token in _TOKEN.findall(segment.text)]
        for part in _stretches(tokens):
            yield replace(segment, text=joined([token.text for token in part]))


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
    """The API's paragraphs if they hold every word, else paragraphs of each turn, else of the text."""
    if channel.paragraphs and sum(len(paragraph.words) for paragraph in channel.paragraphs) == len(
        channel.words
    ):
        yield from channel.paragraphs
    elif any(word.speaker is not None for word in channel.words):
        for turn in turns(channel.words):
            yield from _divided(_spoken(turn.words))
    elif channel.text.strip() or channel.words:
        text = channel.text if channel.text.strip() else joined([word.text for word in channel.words])
        yield from _divided(Segment(text, channel.words, channel.index))


def voice(segment: Segment) -> Voice:
    """Return the voice of a segment."""
    return Voice(segment.channel, segment.speaker)


def paragraphs(transcript: Transcript, *, smooth_speakers: bool = False) -> list[Segment]:
    """Return the transcript in paragraphs of one voice each; their text has no control characters.

    One channel has the API's paragraphs, where there are some. Several channels take turns, as the API's
    utterances do, or as pauses divide what each of them says. Where nothing divides what a voice says, it is
    split at pauses and the ends of sentences. `smooth_speakers` puts changes of speaker where sentences end.
    """
    if smooth_speakers and transcript.has_speakers:
        from dgcli.formats.smoothing import smoothed_transcript  # most transcripts have no speakers

        transcript = smoothed_transcript(transcript)
    if len(transcript.channels) > 1:
        spoken = list(transcript.utterances)
        if not spoken:
            spoken = [segment for channel in transcript.channels for segment in _utterances(channel.words)]
        spoken.sort(key=lambda segment: segment.start if segment.start == segment.start else 0.0)
        segments = [part for turn in _joined(spoken) for part in _divided(turn)]
        timeless = [channel for channel in transcript.channels if not channel.words and channel.text.strip()]
        if not transcript.utterances:
            for channel in timeless:
                segments += _divided(Segment(channel.text, (), channel.index))
    else:
        segments = [segment for channel in transcript.channels for segment in _paragraphs(channel)]
    cleaned = [replace(segment, text=clean(segment.text).strip()) for segment in segments]
    return [segment for segment in cleaned if segment.text]
