"""The text of words: made clean, measured, and cut into pieces that a line can hold.

Width is counted in columns: full-width and wide characters are two, combining marks none (Unicode UAX #11 and
the Unicode Character Database).
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

# Patterns are compiled when they are first used, and kept by `re`: most texts are ASCII and need none.
# C0 and C1 controls, surrogates that stand alone and so cannot be encoded, and the characters of Unicode's property
# Bidi_Control (UAX #9), which make text read as something else than it says.
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROLS = f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}]"
_KEPT = f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff{_BIDI}]"
# Spaces at which a word may be broken: all but the two no-break spaces.
_BREAKS = "[^\\S\u00a0\u202f]+"
# Scripts that write no spaces between words: Thai, Lao, Myanmar, Khmer; Han, Kana, Bopomofo and their
# punctuation. Hangul is wide as well, but has spaces.
_UNSPACED = (
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f"
    "\uff01-\uff65\uff66-\uff9f\U00020000-\U0003fffd]"
)
# What may not begin a line in CJK and Thai text, and what may not end one (JIS X 4051's lists, in short).
_NOT_FIRST = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー」』）】〉》〕｝”’)]},.:;?!…ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶะาำๆฯๅ"
)
_NOT_LAST = frozenset("「『（【〈《〔｛“‘([{เแโใไ")


def clean(text: str) -> str:
    """The text without controls, also those of direction, and lone surrogates; line feeds and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_CONTROLS, "", re.sub(_KEPT, "", text).replace("\r", "\n").replace("\x85", "\n"))


def width(text: str) -> int:
    """Return the number of columns a text takes on a line."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c)
    )


def is_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction is of a script written from right to left (UAX #9, P2)."""
    if text.isascii():
        return False
    directions = (unicodedata.bidirectional(c) for c in text)
    return next(
        (direction in ("R", "AL") for direction in directions if direction in ("L", "R", "AL")), False
    )


def spaces(texts: Sequence[str]) -> list[str]:
    """Return the space before each word: none before the first, nor between words of a script that
    writes no spaces.
    """
    if all(text.isascii() for text in texts):
        return ["", *[" "] * (len(texts) - 1)][: len(texts)]
    glued = (bool(a and b) and unspaced(a[-1]) and unspaced(b[0]) for a, b in pairwise(texts))
    return ["", *("" if close else " " for close in glued)][: len(texts)]


def joined(texts: Sequence[str]) -> str:
    """The words as running text."""
    text = " ".join(texts)
    if text.isascii():
        return text
    return "".join(space + word for space, word in zip(spaces(texts), texts, strict=True))


@lru_cache(4096)
def unspaced(character: str) -> bool:
    """Whether the script of a character writes no spaces between its words."""
    return bool(re.match(_UNSPACED, character))


def _clusters(text: str, kinsoku: bool = True) -> list[str]:
    """The text in pieces that must stay together: a character with its marks, an emoji sequence, a flag.

    With `kinsoku`, also what may not begin or end a line stays with its neighbour.
    """
    clusters: list[str] = []
    for c in text:
        joins = (
            unicodedata.category(c).startswith("M")
            or c in "\u200d\u200c\ufe0e\ufe0f"
            or "\U0001f3fb" <= c <= "\U0001f3ff"
            or (kinsoku and c in _NOT_FIRST)
        )
        before = clusters[-1] if clusters else ""
        flag = "\U0001f1e6" <= c <= "\U0001f1ff" and before in map(chr, range(0x1F1E6, 0x1F200))
        if clusters and (joins or before.endswith("\u200d") or (kinsoku and before[-1] in _NOT_LAST) or flag):
            clusters[-1] += c
        else:
            clusters.append(c)
    return clusters


def _portions(text: str, room: int) -> list[str]:
    """A word of a script without spaces, in portions of at most `room` columns."""
    portions, now, used = [], "", 0
    clusters = [
        part
        for cluster in _clusters(text)
        for part in ([cluster] if width(cluster) <= room else _clusters(cluster, kinsoku=False))
    ]
    for cluster in clusters:
        columns = width(cluster)
        if now and used + columns > room:
            portions.append(now)
            now, used = "", 0
        now += cluster
        used += columns
    return [*portions, now]


def pieces(text: str, room: int) -> list[str]:
    """A word's text as pieces that a line may end after; mostly the text itself, and none if it is empty.

    Spaces inside of it separate pieces. A piece wider than `room` columns is cut where its script writes no
    spaces; in other scripts it stays whole, since nothing tells where it could be cut.
    """
    text = clean(text)
    parts = text.split() if text.isascii() else [part for part in re.split(_BREAKS, text) if part.strip()]
    fitting: list[str] = []
    for part in parts:
        if width(part) > room and any(map(unspaced, part)):
            fitting.extend(_portions(part, room))
        else:
            fitting.append(part)
    return fitting


def _units(word: str, room: int) -> list[str]:
    """A word as units, after each of which a line may end: one, unless its script writes no spaces."""
    if word.isascii() or not any(map(unspaced, word)):
        return [word]
    units: list[str] = []
    for cluster in _clusters(word):
        if units and not (unspaced(units[-1][-1]) or unspaced(cluster[0])):
            units[-1] += cluster
        elif unspaced(cluster[0]) and width(cluster) > room:
            units += _portions(cluster, room)
        else:
            units.append(cluster)
    return units


def wrapped(text: str, columns: int) -> list[str]:
    """Text in lines of at most so many columns, filled from the left: what follows never moves a word back.

    A line ends at a space, or between characters of a script that writes none. A longer word has a line of its own.
    """
    lines: list[str] = []
    used = 0
    for word in filter(None, re.split(_BREAKS, text)):
        space = " "
        for unit in _units(word, columns):
            columns_used = used + len(space) + width(unit)
            if lines and columns_used <= columns:
                lines[-1] += space + unit
                used = columns_used
            else:
                lines.append(unit)
                used = width(unit)
            space = ""
    return lines
