"""From recognised words to written ones: fillers, profanity, replacements, sentences, paragraphs, search.

Whisper gives each word twice: plain in lower case, and written with capitals and marks. Words that come
without the second (of a saved response, say) get what pauses can tell: a full stop where the speaker is silent
for as long as an utterance break, and a capital after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dgcli.server.engines.base import HeardWord

SENTENCE_GAP = 0.8  # seconds of silence that end a sentence: the API's default for utt_split
PARAGRAPH_GAP = 2.0  # seconds of silence that end a paragraph
_PARAGRAPH_SENTENCES, _PARAGRAPH_WORDS = 5, 80  # a paragraph ends with the sentence that reaches either
_MARKS = ".,?!:;…。，？！"
_ENDS = ".?!…。？！"
_ABBREVIATIONS = frozenset(["mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "etc.", "prof.", "e.g.", "i.e."])
_FILLERS = frozenset(["uh", "um", "mhmm", "mm-mm", "uh-uh", "uh-huh", "nuh-uh"])  # page "Filler Words"
# Stems and words that are starred out; a stem that begins innocent words too stands whole.
_PROFANE_STEMS = ("fuck", "motherfuck", "shit", "bullshit", "asshole", "bitch", "cunt", "dickhead", "wanker")
_PROFANE = frozenset(
    ["ass", "arse", "bastard", "bastards", "damn", "goddamn", "dick", "piss", "pissed", "slut"]
)
_HIT = 0.6  # similarity from which a passage is a hit of a search
_MAX_HITS = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a search term was heard: times in seconds, confidence 0-1."""

    confidence: float
    start: float
    end: float
    snippet: str


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c == "'")


def _same(word: HeardWord, find: str) -> bool:
    """Compare as the API does: a find in lower case matches any case, one with capitals its own only."""
    if find == find.lower():
        return word.text.lower() == find
    return find in (word.text, written(word).strip(_MARKS))


def _spread(words: Sequence[HeardWord], replacement: str) -> Iterator[HeardWord]:
    """Yield the replacement's words, sharing the time of the words that they replace.

    The marks behind the last of these stay, and so does the capital that begins a sentence.
    """
    texts = replacement.split()
    start, end = words[0].start, words[-1].end
    step = (end - start) / max(len(texts), 1)
    confidence = min(word.confidence for word in words)
    for index, text in enumerate(texts):
        new = HeardWord(text, start + index * step, start + (index + 1) * step, confidence, words[0].speaker)
        if words[0].written is not None:
            spelling = text
            if index == 0 and words[0].written[:1].isupper() and text == text.lower():
                spelling = text[:1].upper() + text[1:]
            last = written(words[-1])
            if index == len(texts) - 1:
                spelling += last[len(last.rstrip(_MARKS)) :]
            new = replace(new, written=spelling)
        yield new


def substitute(words: Sequence[HeardWord], pairs: Sequence[tuple[str, str]]) -> list[HeardWord]:
    """Return the words with each (find, replacement) applied; an empty replacement deletes."""
    result = list(words)
    # Finds with capitals come first: the API lets them win over those in lower case.
    for find, replacement in sorted(pairs, key=lambda pair: pair[0] == pair[0].lower()):
        wanted = find.split()
        position = 0
        while wanted and position + len(wanted) <= len(result):
            heard = result[position : position + len(wanted)]
            if all(_same(word, text) for word, text in zip(heard, wanted, strict=True)):
                new = list(_spread(heard, replacement))
                result[position : position + len(wanted)] = new
                position += len(new)
            else:
                position += 1
    return result


def without_fillers(words: Sequence[HeardWord]) -> list[HeardWord]:
    """Return the words without uh, um and the like; a capital passes on to the word that begins now."""
    result: list[HeardWord] = []
    capital = False
    for word in words:
        if word.text.lower() in _FILLERS:
            capital = capital or written(word)[:1].isupper()
            continue
        if capital and word.written:
            word = replace(word, written=word.written[:1].upper() + word.written[1:])
        capital = False
        result.append(word)
    return result


def _is_profane(text: str) -> bool:
    return text in _PROFANE or text.startswith(_PROFANE_STEMS)


def without_profanity(words: Sequence[HeardWord]) -> list[HeardWord]:
    """Return the words with profane ones starred out behind their first letter."""
    result = []
    for word in words:
        if _is_profane(word.text.lower()):
            stars = "*" * (len(word.text) - 1)
            spelling, at = word.written, (word.written or "").lower().find(word.text.lower())
            if spelling is not None and at >= 0:
                spelling = spelling[: at + 1] + stars + spelling[at + len(word.text) :]
            word = replace(word, text=word.text[:1] + stars, written=spelling)
        result.append(word)
    return result


def split(words: Sequence[HeardWord], gap: float) -> list[list[HeardWord]]:
    """Split where the silence between two words is at least `gap` seconds, or the speaker changes."""
    groups: list[list[HeardWord]] = []
    for word in words:
        last = groups[-1][-1] if groups else None
        if last is not None and word.start - last.end < gap and word.speaker == last.speaker:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def written(word: HeardWord) -> str:
    """Return the word as it is written in a transcript."""
    return word.written or word.text


def text_of(words: Sequence[HeardWord]) -> str:
    """Join the words to a transcript."""
    return " ".join(written(word) for word in words)


def _ends_sentence(word: HeardWord) -> bool:
    text = written(word).rstrip("\"'”’)")
    # "Mr." and "J." go on.
    return (
        text[-1:] in _ENDS
        and text.lower() not in _ABBREVIATIONS
        and not (len(text) == 2 and text[0].isupper())
    )


def sentences(words: Sequence[HeardWord]) -> list[list[HeardWord]]:
    """Split into sentences: at marks where the words carry them, at pauses otherwise."""
    if not any(_ends_sentence(word) for word in words):
        return split(words, SENTENCE_GAP)
    result: list[list[HeardWord]] = [[]]
    for word in words:
        result[-1].append(word)
        if _ends_sentence(word):
            result.append([])
    return [sentence for sentence in result if sentence]


def paragraphs(words: Sequence[HeardWord]) -> Iterator[list[list[HeardWord]]]:
    """Yield paragraphs, each a list of its sentences: at long pauses, other speakers, and before they grow long."""
    for group in split(words, PARAGRAPH_GAP):
        paragraph: list[list[HeardWord]] = []
        for sentence in sentences(group):
            paragraph.append(sentence)
            if len(paragraph) == _PARAGRAPH_SENTENCES or sum(map(len, paragraph)) >= _PARAGRAPH_WORDS:
                yield paragraph
                paragraph = []
        if paragraph:
            yield paragraph


def punctuate(words: Sequence[HeardWord], *, begins: bool = True, ends: bool = True) -> list[HeardWord]:
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


def search(words: Sequence[HeardWord], query: str) -> list[Hit]:
    """Return the passages that are spelt most like `query`, best first.

    A passage of as many words as the query (or one more or fewer) is a hit when its letters are similar
    enough; the confidence is that similarity.
    """
    from rapidfuzz import fuzz

    wanted = _letters(query.lower())
    size = max(len(query.split()), 1)
    letters = [_letters(word.text.lower()) for word in words]
    near: list[tuple[float, int, int]] = []
    for length in {max(size - 1, 1), size, size + 1}:
        for position in range(len(words) - length + 1):
            ratio = fuzz.ratio(
                wanted, "".join(letters[position : position + length]), score_cutoff=100 * _HIT
            )
            if ratio:
                near.append((ratio / 100, position, position + length))
    near.sort(key=lambda hit: -hit[0])
    hits: list[Hit] = []
    taken: list[tuple[int, int]] = []
    for ratio, first, end in near:
        if len(hits) < _MAX_HITS and all(end <= a or first >= b for a, b in taken):
            taken.append((first, end))
            heard = words[first:end]
            hits.append(Hit(ratio, heard[0].start, heard[-1].end, " ".join(word.text for word in heard)))
    return hits
