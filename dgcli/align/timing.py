"""Times for the words of a corrected text: those of the response where there are, else a share of what lies between.

A word that is unchanged, or that replaces one, has that one's times. Words that replace others by another number
share their time by length, pause for pause; what was put in gets the gap at its place, at the rate of speech and on
the side that its sentence is on. Where there is no gap the word before gives up its end: no word loses its start.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dgcli.align.corrected import CorrectedWord
from dgcli.transcript.model import Word

_RATE = 15.0  # characters a second of what was put into a long pause
_BRIEFEST = 0.06  # seconds that a word which was put in should have
_GIVEN = 0.5  # share of a word that it gives up at most
_NEAR = 0.2  # share of a word's time within which its start goes to that of one in the response
_SENTENCE_ENDS = tuple(".?!…。！？")

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A corrected word with its times.

    `source` is the word of the response that it is or replaces, `same` whether it is that word. `beside` is the
    word of the response that it stands with. `settled` says that its times are the response's own.
    """

    text: str
    start: float
    end: float
    passage: int
    beside: int
    source: int | None = None
    same: bool = False
    settled: bool = False


def repaired(words: Sequence[Word], duration: float | None) -> list[Span]:
    """Return times for every word of a channel, those that it lacks from its neighbours; none is before the last."""
    known = [word.start if math.isfinite(word.start) else math.nan for word in words]
    spans: list[Span] = []
    at = 0.0
    for index, word in enumerate(words):
        start = known[index]
        if math.isnan(start):
            following = next(
                (later for later in range(index + 1, len(words)) if known[later] == known[later]), None
            )
            if following is None:
                end = max(duration or 0.0, at)
                start = at + (end - at) / (len(words) - index + 1) if index else at
            else:
                start = at + (known[following] - at) / (following - index + 1)
            known[index] = start = max(start, at)
        end = word.end if math.isfinite(word.end) and word.end >= start else start
        spans.append((start, end))
        at = max(at, end if math.isfinite(word.end) else start)
    return spans


def _weight(text: str) -> int:
    return len(text) + 1


def _shared(texts: Sequence[str], spans: Sequence[Span], lengths: Sequence[int]) -> list[Span]:
    """Share the time of words among others by length: a place in the letters is a place in time."""
    total_old, total_new = sum(lengths), sum(map(_weight, texts))
    bounds = [0.0]
    for length in lengths:
        bounds.append(bounds[-1] + length / total_old)

    def time(share: float, *, begins: bool) -> float:
        index = 0
        while index < len(spans) - 1 and (
            share > bounds[index + 1] + 1e-9 or (begins and share >= bounds[index + 1] - 1e-9)
        ):
            index += 1
        start, end = spans[index]
        inside = (share - bounds[index]) / (bounds[index + 1] - bounds[index])
        return start + min(max(inside, 0.0), 1.0) * (end - start)

    result = []
    at = 0.0
    for text in texts:
        own = _weight(text) / total_new
        near = [bound for bound in bounds if abs(bound - at) <= _NEAR * own]
        begin = min(near, key=lambda bound: abs(bound - at)) if near else at
        until = at + own
        close = [bound for bound in bounds if abs(bound - until) <= _NEAR * own]
        end = min(close, key=lambda bound: abs(bound - until)) if close else until
        start_time = time(min(begin, 1.0 - 1e-6), begins=True)
        result.append((start_time, max(time(end, begins=False), start_time)))
        at = until
    return result


def _put_in(
    words: Sequence[CorrectedWord], before: CorrectedWord | None, room: Span, cue: Span | None
) -> list[Span]:
    """Spread words over the gap that they were put into."""
    left, right = room
    if cue is not None and min(cue[1], right) - max(cue[0], left) >= _BRIEFEST * len(words):
        left, right = max(cue[0], left), min(cue[1], right)
    letters = sum(_weight(word.text) for word in words)
    need = min(letters / _RATE, right - left)
    follows = before is not None and not before.text.endswith(_SENTENCE_ENDS)
    if follows or words[-1].text.endswith(_SENTENCE_ENDS):
        right = left + need
    else:
        left = right - need
    spans = []
    at = left
    for word in words:
        end = at + (right - left) * _weight(word.text) / letters
        spans.append((at, min(end, right)))
        at = min(end, right)
    return spans


def _stretches(words: Sequence[CorrectedWord]) -> Iterator[tuple[int, int]]:
    """Yield where words without a counterpart of their own begin and end."""
    begin = 0
    while begin < len(words):
        if words[begin].source is not None:
            begin += 1
            continue
        end = begin
        while end < len(words) and words[end].source is None:
            end += 1
        yield begin, end
        begin = end


def timed(
    words: Sequence[CorrectedWord],
    old: Sequence[Word],
    cues: Sequence[Span | None],
    duration: float | None,
) -> list[TimedWord]:
    """Return the corrected words of a channel with their times.

    `cues` are the times of passages where they are cues: what was put in goes where its cue is, if it can.
    """
    spans = repaired(old, duration)
    found: list[Span | None] = [None if word.source is None else spans[word.source] for word in words]
    beside = [word.source for word in words]
    given: dict[int, float] = {}  # where words end that gave up time
    for begin, end in _stretches(words):
        first = -1 if begin == 0 else words[begin - 1].source
        last = len(old) if end == len(words) else words[end].source
        assert first is not None
        assert last is not None
        stretch = words[begin:end]
        replaced = range(first + 1, last)
        if replaced:
            lengths = [_weight(old[at].text) for at in replaced]
            own = _shared([word.text for word in stretch], [spans[at] for at in replaced], lengths)
            nearest = [
                min(replaced, key=lambda at: abs(spans[at][0] - start)) if len(replaced) < 50 else first + 1
                for start, _ in own
            ]
        else:
            left = spans[first][1] if first >= 0 else 0.0
            right = spans[last][0] if last < len(old) else max(duration or 0.0, left)
            wanted = _BRIEFEST * len(stretch)
            if right - left < wanted and first >= 0:
                length = spans[first][1] - spans[first][0]
                left = max(min(left, right - wanted), spans[first][0] + length * (1 - _GIVEN))
                left = min(left, spans[first][1])
                if left < spans[first][1]:
                    given[begin - 1] = left
            right = max(right, left)
            own = _put_in(
                stretch, words[begin - 1] if begin else None, (left, right), cues[stretch[0].passage]
            )
            follows = begin > 0 and (end == len(words) or own[0][0] - left <= right - own[-1][1])
            nearest = [max(first, 0) if follows else min(last, len(old) - 1)] * len(stretch)
        found[begin:end] = own
        beside[begin:end] = nearest
    result = []
    place = 0
    for at, (word, span) in enumerate(zip(words, found, strict=True)):
        assert span is not None
        place = max(place, beside[at] or 0)
        settled = word.source is not None and at not in given
        result.append(
            TimedWord(
                word.text,
                span[0],
                given.get(at, span[1]),
                word.passage,
                place,
                word.source,
                word.same,
                settled,
            )
        )
    return _rising(result)


def _rising(words: Sequence[TimedWord]) -> list[TimedWord]:
    """Return the words so that those which were given times do not begin before the one before them."""
    result: list[TimedWord] = []
    at = 0.0
    for word in words:
        if word.source is None and word.start < at:
            word = replace(word, start=at, end=max(word.end, at))
        result.append(word)
        at = max(at, word.start)
    return result
