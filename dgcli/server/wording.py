"""From recognised words to written ones: fillers, replacements, punctuation, search.

The recogniser gives lower-case words without marks. What is added is only what pauses can tell: a
sentence ends where the speaker is silent for as long as an utterance break, so a full stop stands there
and a capital follows. No commas or question marks are guessed, and no word is changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from dgcli.server.engines.base import Word

SENTENCE_GAP = 0.8  # seconds of silence that end a sentence: the API's default for utt_split
PARAGRAPH_GAP = 2.0  # seconds of silence that end a paragraph
_FILLERS = frozenset(["uh", "um", "mhmm", "mm-mm", "uh-uh", "uh-huh", "nuh-uh"])  # page "Filler Words"
_HIT = 0.6  # similarity from which a passage is a hit of a search
_MAX_HITS = 10


@dataclass(frozen=True)
class Hit:
    """Where a search term was heard: times in seconds, confidence 0-1."""

    confidence: float
    start: float
    end: float
    snippet: str


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c == "'")


def _same(heard: str, find: str) -> bool:
    """Compare as the API does: a find in lower case matches any case, one with capitals its own only."""
    return heard == find if find != find.lower() else heard.lower() == find


def _spread(words: Sequence[Word], replacement: str) -> Iterator[Word]:
    """Yield the replacement's words, sharing the time of the words that they replace."""
    texts = replacement.split()
    start, end = words[0].start, words[-1].end
    step = (end - start) / max(len(texts), 1)
    confidence = min(word.confidence for word in words)
    for index, text in enumerate(texts):
        yield Word(text, start + index * step, start + (index + 1) * step, confidence, words[0].speaker)


def substitute(words: Sequence[Word], pairs: Sequence[tuple[str, str]]) -> list[Word]:
    """Return the words with each (find, replacement) applied; an empty replacement deletes."""
    result = list(words)
    # Finds with capitals come first: the API lets them win over those in lower case.
    for find, replacement in sorted(pairs, key=lambda pair: pair[0] == pair[0].lower()):
        wanted = find.split()
        position = 0
        while wanted and position + len(wanted) <= len(result):
            heard = result[position : position + len(wanted)]
            if all(_same(word.text, text) for word, text in zip(heard, wanted, strict=True)):
                new = list(_spread(heard, replacement))
                result[position : position + len(wanted)] = new
                position += len(new)
            else:
                position += 1
    return result


def without_fillers(words: Sequence[Word]) -> list[Word]:
    """Return the words without uh, um and the like."""
    return [word for word in words if word.text.lower() not in _FILLERS]


def split(words: Sequence[Word], gap: float) -> list[list[Word]]:
    """Split where the silence between two words is at least `gap` seconds, or the speaker changes."""
    groups: list[list[Word]] = []
    for word in words:
        last = groups[-1][-1] if groups else None
        if last is not None and word.start - last.end < gap and word.speaker == last.speaker:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def written(word: Word) -> str:
    """Return the word as it is written in a transcript."""
    return word.written or word.text


def text_of(words: Sequence[Word]) -> str:
    """Join the words to a transcript."""
    return " ".join(written(word) for word in words)


def sentences(words: Sequence[Word]) -> list[list[Word]]:
    """Split into sentences, at marks where the words carry them and at pauses otherwise."""
    result: list[list[Word]] = []
    for group in split(words, SENTENCE_GAP):
        result.append([])
        for index, word in enumerate(group):
            result[-1].append(word)
            if written(word)[-1:] in ".?!" and index + 1 < len(group):
                result.append([])
    return result


def punctuate(words: Sequence[Word], *, begins: bool = True, ends: bool = True) -> list[Word]:
    """Return the words with `written` set: capitals and full stops at long pauses, and a capital I.

    `begins` and `ends` tell whether the first word begins a sentence and the last one ends it.
    """
    result = []
    groups = split(words, SENTENCE_GAP)
    for number, sentence in enumerate(groups):
        for index, word in enumerate(sentence):
            text = word.text
            if (index == 0 and (begins or number)) or text == "i" or text.startswith("i'"):
                text = text[:1].upper() + text[1:]
            if index == len(sentence) - 1 and (ends or number < len(groups) - 1):
                text += "."
            result.append(word if word.written else replace(word, written=text))
    return result


def search(words: Sequence[Word], query: str) -> list[Hit]:
    """Return the passages that sound most like `query`, best first.

    Compares spelling, not sound: a passage of as many words as the query (or one more or fewer) is a hit
    when its letters are similar enough; the confidence is that similarity.
    """
    wanted = _letters(query.lower())
    size = max(len(query.split()), 1)
    found = []
    for length in {max(size - 1, 1), size, size + 1}:
        for position in range(len(words) - length + 1):
            heard = words[position : position + length]
            matcher = SequenceMatcher(None, wanted, _letters("".join(word.text.lower() for word in heard)))
            if matcher.quick_ratio() >= _HIT and (ratio := matcher.ratio()) >= _HIT:
                found.append(Hit(ratio, heard[0].start, heard[-1].end, " ".join(w.text for w in heard)))
    found.sort(key=lambda hit: -hit.confidence)
    hits: list[Hit] = []
    for hit in found:
        if all(hit.end <= other.start or hit.start >= other.end for other in hits):
            hits.append(hit)
    return hits[:_MAX_HITS]
