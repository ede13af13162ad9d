"""Which words of an open window are settled: where two decodes of it agree, and where it may be cut.

Pure functions over words whose times are seconds into the stream.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from dgcli.server.engines.base import HeardWord

_SAME_PLACE = 0.4  # seconds by which two decodes may disagree about where a word is
_REACH = 0.12  # seconds around the gap between two words in which the quietest moment is looked for
_QUIET = 0.35  # probability of speech below which a frame is a pause
_PAUSE_BONUS = 6.0  # dB that each frame of a pause is worth against a merely quieter moment


@dataclass(frozen=True, slots=True)
class WindowCut:
    """A place to cut a window: before frame `frame` of it, and before word `word` of its newest decode."""

    frame: int
    word: int


@dataclass(frozen=True, slots=True)
class Seam:
    """What was heard around the last cut: the last words before it, and those that must follow."""

    before: Sequence[str] = ()
    after: Sequence[HeardWord] = ()


def letters(text: str) -> str:
    """Return what two decodes must share of a word: its letters and digits."""
    return re.sub(r"[^\w']", "", text.lower())


def _agreed(previous: Sequence[HeardWord], latest: Sequence[HeardWord]) -> list[int]:
    """Return the words of the latest decode that end inside a passage which both heard at the same place."""
    old, new = [letters(w.text) for w in previous], [letters(w.text) for w in latest]
    inside = []
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        for offset in range(block.size - 1):
            pairs = [(previous[block.a + offset + n], latest[block.b + offset + n]) for n in (0, 1)]
            if all(abs(a.start - b.start) <= _SAME_PLACE for a, b in pairs):
                inside.append(block.b + offset)
    return inside


def best_cut(
    latest: Sequence[HeardWord],
    previous: Sequence[HeardWord] | None,
    levels: Sequence[float],
    voices: Sequence[float],
    *,
    start: float,
    frame: float,
    soonest: float,
    latest_at: float,
) -> WindowCut | None:
    """Return the quietest gap between two words on which both decodes agree, or None.

    `levels` (dB) and `voices` (probabilities of speech) describe the frames of the window, `frame` seconds
    each, from `start`. The cut lies between `soonest` and `latest_at`. Without `previous` every gap between
    two words of the latest decode will do.
    """
    gaps = range(len(latest) - 1) if previous is None else _agreed(previous, latest)
    best: tuple[float, WindowCut] | None = None
    for index in gaps:
        gap = (latest[index].end, latest[index + 1].start)
        if not soonest <= sum(gap) / 2 <= latest_at:
            continue
        first = max(int((gap[0] - _REACH - start) / frame), 1)
        last = min(int((gap[1] + _REACH - start) / frame), len(levels) - 1)
        if first > last:
            continue
        quiet = [n for n in range(first, last + 1) if voices[n] < _QUIET]
        loud = levels.__getitem__
        at = quiet[len(quiet) // 2] if quiet else min(range(first, last + 1), key=loud)
        score = levels[at] - _PAUSE_BONUS * len(quiet)
        if best is None or score < best[0]:
            best = (score, WindowCut(at, index + 1))
    return best[1] if best else None


def mend(words: Sequence[HeardWord], seam: Seam) -> list[HeardWord]:
    """Return the words after a cut without those that were final before it, and with one that the cut swallowed."""
    result = list(words)
    if not seam.after or not result:
        return result
    heard = [letters(word.text) for word in result]
    wanted = [letters(word.text) for word in seam.after]
    for count in range(min(len(seam.before), len(heard) - 1), 0, -1):
        repeated = heard[:count] == list(seam.before[-count:])
        if repeated and heard[count] == wanted[0] and heard[:count] != wanted[:count]:
            return result[count:]
    if len(wanted) > 1 and heard[0] == wanted[1] != wanted[0] and heard[1:2] in ([], wanted[2:3]):
        lost = seam.after[0]
        return [replace(lost, end=max(min(lost.end, result[0].start), lost.start)), *result]
    return result
