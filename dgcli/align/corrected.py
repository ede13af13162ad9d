"""The words of a corrected text, each with what it has of the response's words: the alignment of one channel."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dgcli.align.sequences import aligned, similarity
from dgcli.align.units import Unit, is_marks, units_of
from dgcli.captions.text import clean
from dgcli.transcript.model import Word

_ALIKE = 0.5  # from which a word that replaces another is the same word, heard wrongly
_LONGEST_RUN = 10  # characters of a word that is put into a text without spaces
_ROOMIER = 0.06  # seconds by which a gap is larger that draws a word from where it might be as well
_FARTHEST = 20  # units that it is drawn past


@dataclass(frozen=True, slots=True)
class CorrectedWord:
    """A word of the corrected text. `passage` is the number of its passage.

    `source` is the word of the response that it is or that it replaces, one for one; `same` says that it is that
    word, up to capitals and marks.
    """

    text: str
    passage: int
    source: int | None = None
    same: bool = False


class _Group:
    """Units of the corrected text that make one word."""

    __slots__ = ("pairs", "text", "units")

    def __init__(self, unit: Unit, at: int) -> None:
        self.text = unit.text
        self.units = [at]

    def add(self, unit: Unit, at: int, space: str) -> None:
        self.text += space + unit.text
        self.units.append(at)


def _grouped(new: Sequence[Unit], owners: Mapping[int, int], same: frozenset[int]) -> list[_Group]:
    """Put units together to words: at spaces, and in scripts without them where the response's words end.

    Marks that stand alone and are new belong to the word before them.
    """
    groups: list[_Group] = []
    run = 0  # units of the word that have no counterpart
    for at, unit in enumerate(new):
        owner = owners.get(at)
        last = groups[-1] if groups else None
        if last is None or new[last.units[-1]].place != unit.place:
            groups.append(_Group(unit, at))
            run = owner is None
            continue
        before = owners.get(last.units[-1])
        alone = is_marks(unit.text) and at not in same
        if not unit.glued:
            inside = owner is not None and owner == before and at in same
            joins, space = inside or alone, " "
        else:
            joins, space = alone or owner == before or (owner is None and run < _LONGEST_RUN), ""
            if owner is None and before is None:
                joins = alone or run < _LONGEST_RUN
        if joins:
            last.add(unit, at, space)
            run = run + 1 if owner is None else 0
        else:
            groups.append(_Group(unit, at))
            run = 1 if owner is None else 0
    return groups


def _source(
    group: _Group, owners: Mapping[int, int], same: frozenset[int], sizes: Sequence[int]
) -> tuple[int | None, bool]:
    """Return the word of the response that a group is, and whether every unit of it is the same."""
    own = {owners[at] for at in group.units if at in owners}
    if len(own) != 1:
        return None, False
    (owner,) = own
    equal = sum(at in same for at in group.units)
    return owner, equal == sizes[owner]


def _one_for_one(
    old: Sequence[Unit], new: Sequence[Unit], pairs: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the pairs that are the same word or stand alone for one another.

    Where words were replaced by as many, each takes the place of one; among others only those count that are alike.
    """
    kept: list[tuple[int, int]] = []
    stretch: list[tuple[int, int]] = []
    last = (-1, -1)

    def close(end: tuple[int, int]) -> None:
        many = end[0] - last[0] - 1
        if many == end[1] - last[1] - 1:
            kept.extend((last[0] + step, last[1] + step) for step in range(1, many + 1))
        else:
            kept.extend(pair for pair in stretch if similarity(old[pair[0]].key, new[pair[1]].key) >= _ALIKE)

    for pair in pairs:
        if old[pair[0]].key == new[pair[1]].key:
            close(pair)
            kept.append(pair)
            stretch, last = [], pair
        else:
            stretch.append(pair)
    close((len(old), len(new)))
    return kept


def _in_gaps(
    words: Sequence[Word], old: Sequence[Unit], new: Sequence[Unit], pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the pairs with what was put in where the response has a gap for it.

    Of "the the" either may be the one that was missed, as far as the text tells: it is the one beside the gap.
    """
    moved = [(-1, -1), *pairs, (len(old), len(new))]

    def room(at: int) -> float:
        """Return the seconds between two of the response's words, one of which ends a pair."""
        before, after = moved[at][0], moved[at + 1][0]
        if after == len(old) or (before >= 0 and old[before].place == old[after].place):
            return 0.0
        left = words[old[before].place].end if before >= 0 else 0.0
        gap = words[old[after].place].start - left
        return gap if math.isfinite(gap) else 0.0

    def can_move(at: int, beyond: int, by: int) -> bool:
        """Whether a pair, next to another one, may have the unit that is so many further on."""
        (a, b), step = moved[at], 1 if beyond > at else -1
        return moved[beyond] == (a + step, b + step) and old[a].key == new[b + by].key

    for at in range(len(moved) - 1):
        count = moved[at + 1][1] - moved[at][1] - 1
        if not count or moved[at + 1][0] != moved[at][0] + 1:
            continue
        left = right = at
        while left > max(at - _FARTHEST, 0) and can_move(left, left - 1, count):
            left -= 1
        while right < min(at + _FARTHEST, len(moved) - 3) and can_move(right + 1, right + 2, -count):
            right += 1
        best = max(range(left, right + 1), key=room)
        if room(best) <= room(at) + _ROOMIER:
            continue
        for other in range(best + 1, at + 1):
            moved[other] = (moved[other][0], moved[other][1] + count)
        for other in range(at + 1, best + 1):
            moved[other] = (moved[other][0], moved[other][1] - count)
    return moved[1:-1]


def corrected_words(words: Sequence[Word], new: Sequence[Unit]) -> tuple[list[CorrectedWord], int]:
    """Return the corrected words of a channel and how many of the response's words are among them unchanged.

    `new` are the units of the text, whose places are the numbers of its passages.
    """
    old = [unit for place, word in enumerate(words) for unit in units_of(clean(word.text), place)]
    sizes = [0] * len(words)
    for unit in old:
        sizes[unit.place] += 1
    pairs = aligned(
        [unit.key for unit in old],
        [unit.key for unit in new],
        [unit.text for unit in old],
        [unit.text for unit in new],
    )
    pairs = _in_gaps(words, old, new, _one_for_one(old, new, pairs))
    owners = {b: old[a].place for a, b in pairs}
    same = frozenset(b for a, b in pairs if old[a].key == new[b].key)
    result: list[CorrectedWord] = []
    taken = -1
    kept = 0
    for group in _grouped(new, owners, same):
        source, equal = _source(group, owners, same, sizes)
        if source is not None and source <= taken:
            source, equal = None, False  # its time is given to the word before
        if source is not None:
            taken = source
        kept += equal
        result.append(CorrectedWord(group.text, new[group.units[0]].place, source, equal))
    return result, kept
