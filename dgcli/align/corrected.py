"""The words of a corrected text, each with what it has of the response's words: the alignment of one channel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dgcli.align.sequences import aligned, similarity
from dgcli.align.units import Unit, is_marks, units_of
from dgcli.captions.text import clean
from dgcli.transcript.model import Word

_ALIKE = 0.5  # from which a word that replaces another is the same word, heard wrongly
_LONGEST_RUN = 10  # characters of a word that is put into a text without spaces


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
    pairs = _one_for_one(old, new, pairs)
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
