"""What is compared: words, and the characters of scripts that write no spaces between words."""

import string
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from dgcli.captions.text import unspaced


class Unit(NamedTuple):
    """A word, or a character of a word: its text, how it is compared, and where it is from.

    `place` is the number of its word in the response, or of its passage; `glued`: no space is before it.
    """

    text: str
    key: str
    place: int
    glued: bool


@lru_cache(1 << 15)
def key_of(text: str) -> str:
    """Return a word as it is compared: without capitals and the marks around it, unless it is nothing but marks."""
    if text.isascii():
        return text.lower().strip(string.punctuation) or text
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    begin, end = 0, len(plain)
    while begin < end and unicodedata.category(plain[begin])[0] in "PS":
        begin += 1
    while end > begin and unicodedata.category(plain[end - 1])[0] in "PS":
        end -= 1
    return plain[begin:end] or plain


def is_marks(text: str) -> bool:
    """Return whether a text has no letter and no digit."""
    return not any(character.isalnum() for character in text)


def _parts(word: str) -> Sequence[str]:
    """Return a word, cut at every character of a script without spaces; marks stay with what they are on."""
    if word.isascii() or not any(map(unspaced, word)):
        return [word]
    parts: list[str] = []
    for character in word:
        if parts and (
            unicodedata.category(character).startswith("M")
            or not (unspaced(character) or unspaced(parts[-1][0]))
        ):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def units_of(text: str, place: int) -> Iterator[Unit]:
    """Yield the units of a text."""
    for word in text.split():
        for at, part in enumerate(_parts(word)):
            yield Unit(part, key_of(part), place, at > 0)
