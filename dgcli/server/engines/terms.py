"""Key terms in the text: what the recogniser was not sure of, and spelt much like a term, was that term.

Whisper is told the terms before it decodes, which is enough for most; names that it has never read come out
nearly right, and are set right here.
"""

from collections.abc import Sequence
from dataclasses import replace

from dgcli.server.engines.base import HeardWord

_SHORTEST = 5  # letters: short words are alike by chance
_ALIKE = 72.0  # of 100: spelling from which a doubtful word was the term
_UNSURE = 0.6  # confidence below which a word is doubtful
_MARKS = ".,?!:;…。，？！\"'”’)]"


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _as_term(words: Sequence[HeardWord], term: str) -> list[HeardWord]:
    """Return the term with the time of the words, and the marks behind the last of them."""
    last = words[-1].written or words[-1].text
    marks = last[len(last.rstrip(_MARKS)) :]
    parts = term.split()
    start, end = words[0].start, words[-1].end
    step = (end - start) / len(parts)
    return [
        replace(
            words[0],
            text=part.lower(),
            start=start + index * step,
            end=start + (index + 1) * step,
            written=part + (marks if index == len(parts) - 1 else ""),
        )
        for index, part in enumerate(parts)
    ]


def _best(words: Sequence[HeardWord], terms: Sequence[tuple[str, str]]) -> tuple[int, str] | None:
    """Return how many of the words, from the first on, were which term."""
    from rapidfuzz import fuzz

    best: tuple[float, int, str] | None = None
    for term, letters in terms:
        size = len(term.split())
        for count in range(1, min(size + 1, len(words)) + 1):
            heard = words[:count]
            if min(word.confidence for word in heard) >= _UNSURE:
                continue
            ratio = fuzz.ratio("".join(_letters(word.text) for word in heard), letters, score_cutoff=_ALIKE)
            if ratio and (best is None or ratio > best[0]):
                best = ratio, count, term
    return best[1:] if best else None


def with_terms(words: Sequence[HeardWord], vocabulary: Sequence[str]) -> list[HeardWord]:
    """Return the words with doubtful ones that are spelt much like a term of the vocabulary set right."""
    terms = [(term.strip(), _letters(term)) for term in vocabulary]
    terms = [(term, letters) for term, letters in terms if len(letters) >= _SHORTEST]
    if not terms:
        return list(words)
    longest = max(len(term.split()) for term, _ in terms) + 1
    result: list[HeardWord] = []
    at = 0
    while at < len(words):
        best = _best(words[at : at + longest], terms) if words[at].confidence < _UNSURE else None
        if best is None:
            result.append(words[at])
            at += 1
        else:
            result += _as_term(words[at : at + best[0]], best[1])
            at += best[0]
    return result
