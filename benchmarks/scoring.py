"""How many words of a known text were recognised: spelling variants and the ways to write a number are equal."""

import re
from dataclasses import dataclass
from itertools import pairwise

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth"}
_SPELT = {
    "insure": "ensure",
    "defence": "defense",
    "ok": "okay",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "alright": "allright",
    "grey": "gray",
    "programme": "program",
    "centre": "center",
    "theatre": "theater",
    "cheque": "check",
}
_ENDINGS = [
    ("isation", "ization"),
    ("ising", "izing"),
    ("ised", "ized"),
    ("ise", "ize"),
    ("our", "or"),
    ("ours", "ors"),
]
_LEAST_STEM = 3  # letters before an ending that has two spellings


def _spoken(number: int) -> list[str]:
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        return [_TENS[number // 10], *([_ONES[number % 10]] if number % 10 else [])]
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return [*_spoken(number // size), name, *(_spoken(rest) if rest else [])]
    raise AssertionError(number)


def _spelling(word: str) -> str:
    word = _SPELT.get(word, word)
    for british, american in _ENDINGS:
        if word.endswith(british) and len(word) - len(british) >= _LEAST_STEM:
            return word[: -len(british)] + american
    return word


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    text = text.lower().replace("’", "'").replace("%", " percent").replace("&", " and ")
    text = re.sub(r"\$(\d[\d,]*)", r"\1 dollars", text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    words: list[str] = []
    for word in re.findall(r"[\w']+", text):
        word = _ORDINALS.get(word, word.strip("'"))
        if word.isdigit() and len(word) < 10:
            words += _spoken(int(word))
        elif word:
            words.append(_spelling(word))
    if not words:
        return []
    # "One hundred and five" is "105".
    numbers, sizes = {*_ONES, *_TENS}, {"hundred", "thousand"}
    around = zip(["", *words[:-1]], words, [*words[1:], ""], strict=True)
    return [
        word for before, word, after in around if not (word == "and" and before in sizes and after in numbers)
    ]


@dataclass(frozen=True, slots=True)
class Score:
    """Words of the text that were heard, of how many, and words that nobody said."""

    right: int
    spoken: int
    extra: int

    def __add__(self, other: "Score") -> "Score":
        return Score(self.right + other.right, self.spoken + other.spoken, self.extra + other.extra)

    def __str__(self) -> str:
        return f"{self.right} of {self.spoken}, {self.extra} extra"


def _parted(words: list[str], other: list[str]) -> list[str]:
    """Return the words with those parted that the other text writes as two."""
    pairs = {before + after: (before, after) for before, after in pairwise(other)}
    known = set(other)
    return [part for word in words for part in (pairs.get(word, (word,)) if word not in known else (word,))]


def score(heard: str, spoken: str) -> Score:
    """Compare what was heard with what was said; "space walk" and "spacewalk" are equal."""
    said, got = words_of(spoken), words_of(heard)
    said, got = _parted(said, got), _parted(got, said)
    # The most words in common in order, and among such alignments the fewest that are extra: those left over
    # where no word of the text is left over too.
    row = [(0, -at) for at in range(len(got) + 1)]
    for word in said:
        before, row = row, [(row[0][0], row[0][1])]
        for at, other in enumerate(got):
            aligned = before[at][0] + (word == other), before[at][1]
            row.append(max(aligned, before[at + 1], (row[at][0], row[at][1] - 1)))
    right, extra = row[-1]
    return Score(right, len(said), -extra)
