"""What the recogniser is asked about the words whose times are a guess, and what becomes of its answer."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dgcli.align.timing import TimedWord
from dgcli.transcript.json_values import seconds

_CONTEXT = 12  # words on either side whose times are known
_REACH = 6.0  # seconds of these at most
_LONGEST = 24.0  # seconds of a stretch; the recogniser takes 30

Range = tuple[int, int]


def uncertain(words: Sequence[TimedWord]) -> Iterator[Range]:
    """Yield where words begin and end whose times are not the response's own."""
    begin = 0
    while begin < len(words):
        end = begin
        while end < len(words) and words[end].source is None:
            end += 1
        if end > begin:
            yield begin, end
        begin = end + 1


def _around(words: Sequence[TimedWord], unsure: Range) -> Range:
    """Return the words that are sent with unsure ones."""
    first, last = unsure
    while (
        first > 0
        and unsure[0] - first < _CONTEXT
        and words[unsure[0]].start - words[first - 1].start <= _REACH
    ):
        first -= 1
    while (
        last < len(words)
        and last - unsure[1] < _CONTEXT
        and words[last].end - words[unsure[1] - 1].end <= _REACH
    ):
        last += 1
    return (max(first - 1, 0) if first == unsure[0] else first), last


def stretches(
    channels: Sequence[Sequence[TimedWord]],
) -> tuple[list[Mapping[str, Any]], list[tuple[int, Range, int]]]:
    """Return what is asked, and of each stretch its channel, its unsure words and the first word that is sent.

    Unsure words in so long a stretch that the recogniser does not take it keep their times.
    """
    asked: list[Mapping[str, Any]] = []
    places: list[tuple[int, Range, int]] = []
    for channel, words in enumerate(channels):
        for unsure in uncertain(words):
            first, last = _around(words, unsure)
            sent = words[first:last]
            if sent[-1].end - sent[0].start > _LONGEST or all(word.source is None for word in sent):
                continue
            items = [
                {"word": word.text}
                if word.source is None
                else {"word": word.text, "start": word.start, "end": word.end}
                for word in sent
            ]
            asked.append({"channel": channel, "words": items})
            places.append((channel, unsure, first))
    return asked, places


def refined(
    channels: Sequence[Sequence[TimedWord]],
    places: Sequence[tuple[int, Range, int]],
    answers: Sequence[Sequence[Mapping[str, Any]]],
) -> list[list[TimedWord]]:
    """Return the words with the times that were found, kept between the words around them."""
    result = [list(words) for words in channels]
    for (channel, (begin, end), first), answer in zip(places, answers, strict=True):
        words = result[channel]
        least = words[begin - 1].start if begin else 0.0
        most = words[end].start if end < len(words) else math.inf
        for at in range(begin, min(end, first + len(answer))):
            start, until = (seconds(answer[at - first].get(name)) for name in ("start", "end"))
            if math.isnan(start) or math.isnan(until):
                start, until = words[at].start, words[at].end
            start = min(max(start, least), most)
            words[at] = replace(words[at], start=start, end=max(min(until, most), start))
            least = start
        if begin and words[begin - 1].end > words[begin].start:
            before = words[begin - 1]
            words[begin - 1] = replace(before, end=max(words[begin].start, before.start))
    return result
