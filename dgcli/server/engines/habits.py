"""What the words of a response whose times are known tell about how its recogniser gives times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from dgcli.server.engines.attention import Attended, TextWord
from dgcli.server.engines.voice import FRAMES, onset

_PAUSE = 0.2  # seconds between words that are a pause
_LEAD, _LEADS = 0.1, 2  # seconds that words begin before their voice sets in, until so many words tell it
_EARLY, _LATE = 10, 30  # frames around the start of a word in which its voice sets in
_AROUND = 8  # words on either side that tell how late the attention is
_SPREAD, _WIDEST = 0.08, 0.5  # seconds that the attention is off: mostly, and at most
_NEAR = 0.6  # share that the words next to a word have in how much it is off there
_COLLAPSED = 0.03  # seconds of a word for which the attention had no room
_STEP, _INEXACT = 0.08, 0.003  # seconds between two times that the API gives
_PAIRS, _MOST = 6, 0.8  # words in a row, and the share of them, that tell that times are in steps


@dataclass(frozen=True, slots=True)
class Habits:
    """How a response gives times: by how many seconds words begin before their voice sets in, and the step of times
    where they have one. `told` is for each word when the attention says it begins, `spread` how far it is off.
    """

    lead: float
    step: float | None
    told: Sequence[float]
    spread: Sequence[float]


def _neighbours(words: Sequence[TextWord]) -> Iterator[tuple[float, float, float]]:
    """Yield start and end of a word and the start of the next one, where they are known."""
    for word, following in pairwise(words):
        if word.start is not None and word.end is not None and following.start is not None:
            yield word.start, word.end, following.start


def _lead(words: Sequence[TextWord], voice: Sequence[float], begin: float) -> float:
    leads = []
    for _, end, start in _neighbours(words):
        frame = round((start - begin) * FRAMES)
        if start - end > _PAUSE and (at := onset(voice, frame - _EARLY, frame + _LATE)) is not None:
            leads.append((at - frame) / FRAMES)
    if not leads:
        return _LEAD
    return (median(leads) * len(leads) + _LEAD * _LEADS) / (len(leads) + _LEADS)


def _step(words: Sequence[TextWord]) -> float | None:
    steps = [(following - start) / _STEP for start, _, following in _neighbours(words)]
    exact = sum(abs(step - round(step)) * _STEP <= _INEXACT for step in steps)
    return _STEP if len(steps) >= _PAIRS and exact >= _MOST * len(steps) else None


def _late(words: Sequence[TextWord], attended: Sequence[Attended], at: int) -> float:
    """Return by how much the attention is late around a word."""
    late = [
        attended[near].start - start
        for near in range(max(at - _AROUND, 0), min(at + _AROUND + 1, len(words)))
        if (start := words[near].start) is not None
    ]
    return median(late) if late else 0.0


def _off(words: Sequence[TextWord], told: Sequence[float], at: int) -> float | None:
    """Return by how much the attention is off at a word; None where that is not told, and after pauses."""
    start, before = words[at].start, words[at - 1].end if at else None
    if start is None or (before is not None and start - before > _PAUSE):
        return None
    return abs(told[at] - start)


def habits_of(
    words: Sequence[TextWord], attended: Sequence[Attended], voice: Sequence[float], begin: float
) -> Habits:
    """Return what the known words of a stretch tell; `begin` is when its audio begins."""
    told = [item.start - _late(words, attended, at) for at, item in enumerate(attended)]
    known = [at for at, word in enumerate(words) if word.start is not None]
    spread = []
    for at, item in enumerate(attended):
        nearest = [near for near in known if near < at][-1:] + [near for near in known if near > at][:1]
        off = [value for near in nearest if (value := _off(words, told, near)) is not None]
        width = max(_SPREAD, _NEAR * sum(off) / len(off)) if off else _SPREAD
        if item.end - item.start < _COLLAPSED:
            width *= 2
        spread.append(min(width, _WIDEST))
    return Habits(_lead(words, voice, begin), _step(words), told, spread)
