"""Which words of two sequences are the same words: anchors first, then dynamic programming between them.

Runs of three words, then of two, that both sides have exactly once divide the work (the longest rising chain of
them, as patience sorting finds it). What lies between is aligned by least cost where it is small. Where it is large
(the same sentences over and over leave no anchor) a window that grows until it finds its way back is aligned,
and the next one begins where that was sure. So time and memory grow with the number of words.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

_CELLS = 90_000  # of a table that is computed in one go
_WINDOW, _WIDEST = 24, 300  # words of either side
_AKIN = 6  # words of which one has to be on the other side for a wider window
_SURE = 5  # equal words in a row that a window may end in
_GAP = 0.6  # what a word without a counterpart costs; two of them cost more than a replaced one
_INEXACT = 0.01  # the same word with other capitals or marks
_REPLACED = 1.1  # a word for one that is not like it at all

Pair = tuple[int, int]


@lru_cache(1 << 14)
def _letters(word: str) -> frozenset[str]:
    """Return the pairs of letters in a word, with its bounds."""
    bounded = f"^{word}$"
    return frozenset(bounded[at : at + 2] for at in range(len(bounded) - 1))


def similarity(word: str, other: str) -> float:
    """Return how much two words are alike by their pairs of letters, 0 to 1 (Dice's coefficient)."""
    if word == other:
        return 1.0
    mine, theirs = _letters(word), _letters(other)
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))


def _rising(candidates: Sequence[Pair]) -> list[Pair]:
    """Return the longest chain of pairs that rises on both sides; the first sides rise already."""
    tails: list[int] = []  # the least second side that ends a chain of each length
    ends: list[int] = []
    before: list[int] = []
    for at, (_, second) in enumerate(candidates):
        length = bisect_left(tails, second)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [second]
        ends[length : length + 1] = [at]
    chain = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(candidates[at])
        at = before[at]
    return chain[::-1]


def _runs(keys: Sequence[str], start: int, end: int, length: int) -> dict[tuple[str, ...], int]:
    """Return where each run of words stands that is there once."""
    places: dict[tuple[str, ...], int] = {}
    for at in range(start, end - length + 1):
        run = tuple(keys[at : at + length])
        places[run] = -1 if run in places else at
    return {run: at for run, at in places.items() if at >= 0}


class _Sequences:
    """Two sequences, and the pairs found so far: (place in the first, place in the second)."""

    def __init__(
        self, old: Sequence[str], new: Sequence[str], old_exact: Sequence[str], new_exact: Sequence[str]
    ) -> None:
        self._old, self._new = old, new
        self._old_exact, self._new_exact = old_exact, new_exact
        self.pairs: list[Pair] = []

    def align(self, old: tuple[int, int], new: tuple[int, int], run: int = 3) -> None:
        """Align two stretches, in order."""
        (a, a_end), (b, b_end) = old, new
        while a < a_end and b < b_end and self._old[a] == self._new[b]:
            self.pairs.append((a, b))
            a, b = a + 1, b + 1
        tail = 0
        while a < a_end - tail and b < b_end - tail and self._same(a_end - tail - 1, b_end - tail - 1):
            tail += 1
        self._middle((a, a_end - tail), (b, b_end - tail), run)
        self.pairs.extend((a_end - left, b_end - left) for left in range(tail, 0, -1))

    def _same(self, a: int, b: int) -> bool:
        return self._old[a] == self._new[b]

    def _middle(self, old: tuple[int, int], new: tuple[int, int], run: int) -> None:
        (a, a_end), (b, b_end) = old, new
        if a == a_end or b == b_end:
            return
        if (a_end - a) * (b_end - b) <= _CELLS:
            self.pairs.extend(self._least_cost(old, new))
            return
        if run < 2:
            self._windows(old, new)
            return
        here, there = _runs(self._old, a, a_end, run), _runs(self._new, b, b_end, run)
        chain = _rising(sorted((at, there[words]) for words, at in here.items() if words in there))
        if not chain:
            self._middle(old, new, run - 1)
            return
        for at, other in chain:
            if at < a or other < b:
                continue  # within the run of the anchor before
            self.align((a, at), (b, other), run - 1)
            self.pairs.extend((at + step, other + step) for step in range(run))
            a, b = at + run, other + run
        self.align((a, a_end), (b, b_end), run - 1)

    def _windows(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Align stretches that are too large for one table, window by window."""
        (a, a_end), (b, b_end) = old, new
        while a < a_end and b < b_end:
            if self._same(a, b):
                self.pairs.append((a, b))
                a, b = a + 1, b + 1
                continue
            size = _WINDOW
            while True:
                to_a, to_b = min(a + size, a_end), min(b + size, b_end)
                found = self._least_cost((a, to_a), (b, to_b))
                if to_a == a_end and to_b == b_end:
                    self.pairs.extend(found)
                    return
                sure = self._sure(found)
                if sure or size >= _WIDEST or not self._akin((a, to_a), (b, to_b)):
                    break
                size *= 2
            if sure:
                kept = found[:sure]
            else:  # no way back: its first half is the better one
                kept = [pair for pair in found if pair[0] < a + size // 2 and pair[1] < b + size // 2]
            self.pairs.extend(kept)
            a, b = (kept[-1][0] + 1, kept[-1][1] + 1) if sure else (a + size // 2, b + size // 2)

    def _akin(self, old: tuple[int, int], new: tuple[int, int]) -> bool:
        """Return whether stretches have so many words in common that a way back may lie further on."""
        shared = {*self._old[slice(*old)]} & {*self._new[slice(*new)]}
        return len(shared) * _AKIN >= old[1] - old[0]

    def _sure(self, found: Sequence[Pair]) -> int:
        """Return how many pairs there are up to the end of the first long run of equal words."""
        run = 0
        for at, (a, b) in enumerate(found):
            follows = at > 0 and found[at - 1] == (a - 1, b - 1)
            run = (run + 1 if follows else 1) if self._same(a, b) else 0
            if run == _SURE:
                return at + 1
        return 0

    def _cost(self, a: int, b: int) -> float:
        if self._old[a] == self._new[b]:
            return 0.0 if self._old_exact[a] == self._new_exact[b] else _INEXACT
        return _REPLACED - similarity(self._old[a], self._new[b])

    def _least_cost(self, old: tuple[int, int], new: tuple[int, int]) -> list[Pair]:
        """Return the pairs of the cheapest way through the table of two stretches, replaced words among them."""
        (a, a_end), (b, b_end) = old, new
        rows, columns = a_end - a, b_end - b
        if rows == 1 and columns == 1:
            return [(a, b)]
        way = bytearray((rows + 1) * (columns + 1))  # 0: both, 1: a word left out, 2: one put in
        above = [_GAP * column for column in range(columns + 1)]
        for row in range(1, rows + 1):
            current = [_GAP * row]
            base = row * (columns + 1)
            way[base] = 1
            left = current[0]
            for column in range(1, columns + 1):
                both = above[column - 1] + self._cost(a + row - 1, b + column - 1)
                without, more = above[column] + _GAP, left + _GAP
                # Where ways are alike, pairs stand early: what is said first is paired first.
                best, step = (without, 1) if without <= more else (more, 2)
                if both < best:
                    best, step = both, 0
                way[base + column] = step
                current.append(best)
                left = best
            above = current
        for column in range(1, columns + 1):
            way[column] = 2
        pairs = []
        row, column = rows, columns
        while row and column:
            step = way[row * (columns + 1) + column]
            if step == 0:
                row, column = row - 1, column - 1
                pairs.append((a + row, b + column))
            elif step == 1:
                row -= 1
            else:
                column -= 1
        return pairs[::-1]


def aligned(
    old: Sequence[str],
    new: Sequence[str],
    old_exact: Sequence[str] | None = None,
    new_exact: Sequence[str] | None = None,
) -> list[Pair]:
    """Return the places that belong together, rising on both sides: the same words, and replaced ones.

    `old` and `new` are words as they are compared; the exact ones decide where these are alike.
    """
    aligner = _Sequences(old, new, old_exact or old, new_exact or new)
    aligner.align((0, len(old)), (0, len(new)))
    return aligner.pairs
