"""Points for a cut between two words, by the words to its left and right.

A gap costs little where a sentence or a clause ends and much where the words on both sides belong together:
an article and its noun, a preposition and what it governs, a first name and a last name, a number and its
unit, a verb and its subject pronoun, auxiliary or negation. That is the list in "Line Treatment" of Netflix's
Timed Text Style Guide (GeneralOptions Requirements), and "Break at natural points" in the BBC's Subtitle Guidelines.

The word lists are English. A word of another language is judged by what holds for most of them: by
punctuation, by capitals and digits, and by being so short that it is likely to lean on the next one.
"""

from enum import IntEnum


class WordKind(IntEnum):
    """The class of a word, as far as a gap beside it is concerned."""

    OTHER = 0
    ARTICLE = 1  # and every other determiner: the, this, my, every
    PREPOSITION = 2
    CONJUNCTION = 3  # coordinating, subordinating, relative
    PRONOUN = 4  # a subject, also with its auxiliary: I, they, we'll
    AUXILIARY = 5  # be, have, do and the modals, negated too
    ADVERB = 6  # degree and negation, which lean on what follows: not, very, so
    TITLE = 7  # Mr, Dr.
    NUMBER = 8
    NAME = 9  # capitalised, and none of the above
    SHORT = 10  # up to three letters, and none of the above
    OPENER = 11  # well, okay, yeah: begins something new
    OBJECT = 12  # a pronoun that leans on what stands before it: me, them
    EITHER = 13  # a pronoun that may be subject or object: you, it
    MARK = 14  # neither letter nor digit, such as % or a dash that stands alone: belongs to what is before it
    INITIAL = 15  # a single capital with a full stop: of a name, or the last word of a sentence


SENTENCE = len(WordKind)  # to the left of a gap these two stand above what the word is
CLAUSE = SENTENCE + 1
_LOWER = len(WordKind)  # to the right of a gap: a word that begins with a small letter

_WORDS: dict[WordKind, str] = {
    WordKind.ARTICLE: """a an the this these those my your his her its our their whose every each some any no
        another both either neither""",
    WordKind.PREPOSITION: """of to in on at by for from with without into onto over under about between through
        during against among toward towards upon within behind beyond across along around near per via as than like
        above below beside besides despite except inside outside since until till""",
    WordKind.CONJUNCTION: """and or but nor yet if because when while although though unless whereas whether that
        which who whom where why how what whatever whenever wherever""",
    WordKind.PRONOUN: """i he she we they i'm he's she's we're they're i've we've they've i'll he'll she'll we'll
        they'll i'd he'd she'd we'd they'd you're you've you'll you'd it's it'll it'd there there's that's
        here's what's who's where's let's""",
    WordKind.EITHER: "you it",
    WordKind.OBJECT: "me him us them myself yourself himself herself itself ourselves themselves",
    WordKind.AUXILIARY: """is are was were be been being am do does did have has had having will would can could
        shall should may might must isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't
        won't wouldn't can't cannot couldn't shouldn't mustn't needn't gonna wanna gotta""",
    WordKind.ADVERB: "not never very so too quite rather just only even more most less least really almost",
    WordKind.TITLE: """mr mrs ms dr prof mr. mrs. ms. dr. prof. st. sgt. lt. col. gen. sen. rep. gov. capt. vs vs.
        vol. fig.""",
    WordKind.OPENER: "well okay ok yeah yes oh um uh so, hey now, please thanks",
}
_ENGLISH = {word: kind for kind, words in _WORDS.items() for word in words.split()}

_CLOSING = "\"'”’»)]}」』）】〉》›“"
_OPENING = "\"'“‘«([{「『（【〈《‹„¿¡"
_SENTENCE_ENDS = frozenset(".!?…。！？．｡؟۔।॥։።")
_CLAUSE_ENDS = frozenset(",;:—–、，；：､،؛")

_PLAIN = 60.0  # nothing speaks for a cut here, nothing against it
_LEFT: dict[WordKind, float] = {
    WordKind.ARTICLE: 60.0,
    WordKind.PREPOSITION: 48.0,
    WordKind.CONJUNCTION: 50.0,
    WordKind.PRONOUN: 45.0,
    WordKind.AUXILIARY: 45.0,
    WordKind.EITHER: 40.0,
    WordKind.ADVERB: 38.0,
    WordKind.TITLE: 60.0,
    WordKind.NUMBER: 15.0,
    WordKind.SHORT: 6.0,
    WordKind.OPENER: 4.0,
}
_RIGHT: dict[WordKind, float] = {
    WordKind.CONJUNCTION: -18.0,
    WordKind.PREPOSITION: -10.0,
    WordKind.PRONOUN: -7.0,
    WordKind.ARTICLE: -4.0,
    WordKind.AUXILIARY: 4.0,
    WordKind.OPENER: -12.0,
    WordKind.OBJECT: 14.0,
    WordKind.MARK: 60.0,
}
_PAIRS: dict[tuple[WordKind, WordKind], float] = {
    (WordKind.NAME, WordKind.NAME): 30.0,  # a first name and a last name
    (WordKind.NAME, WordKind.NUMBER): 25.0,  # Apollo 11
    (WordKind.NUMBER, WordKind.NUMBER): 25.0,
    (WordKind.NUMBER, WordKind.OTHER): 25.0,  # 12 minutes
    (WordKind.NUMBER, WordKind.SHORT): 25.0,  # 5 mm
    (WordKind.NUMBER, WordKind.NAME): 20.0,  # 38 AM
}


def _gap(left: int, right: int) -> float:
    """Points for a cut between a left and a right code, before pauses are considered."""
    lower = right >= _LOWER
    after = WordKind(right - _LOWER if lower else right)
    if left == WordKind.INITIAL and after is WordKind.NAME:
        return _PLAIN + 60.0
    if left in (SENTENCE, WordKind.INITIAL):
        return 18.0 if lower else 0.0  # a small letter follows: an abbreviation, or no sentence yet
    if left == CLAUSE:
        return 14.0 if after in (WordKind.CONJUNCTION, WordKind.PRONOUN, WordKind.OPENER) else 18.0
    before = WordKind(left)
    lean = _LEFT.get(before, 0.0)
    return _PLAIN + lean + _PAIRS.get((before, after), 0.0) + (_RIGHT.get(after, 0.0) if lean < 20 else 0.0)


# GAP[left code][right code]: points for a cut between two words that no pause separates.
GAP: tuple[tuple[float, ...], ...] = tuple(
    tuple(_gap(left, right) for right in range(2 * len(WordKind))) for left in range(CLAUSE + 1)
)
STICKY = 107.0  # from here on a gap is cut only where nothing else is possible


def _kind(bare: str, english: bool) -> WordKind:
    small = bare.lower().replace("’", "'")
    if english and small in _ENGLISH:
        return _ENGLISH[small]
    if any(c.isdigit() for c in bare):
        return WordKind.NUMBER
    if not bare.isalpha() and not any(c.isalpha() for c in bare):
        return WordKind.MARK if not any(c.isalnum() for c in bare) else WordKind.OTHER
    if bare[0].isupper():
        return WordKind.NAME
    # Scripts without cases (CJK, Thai, Arabic...) have short words that do not lean on anything.
    return WordKind.SHORT if len(bare) <= 3 and bare[0].islower() else WordKind.OTHER


def codes(text: str, english: bool = True) -> tuple[int, int]:
    """The code of a word to the left of a gap and its code to the right of one: indices of `GAP`.

    `text` is the word as it is printed, with its punctuation. O(len(text)).
    """
    ended = text.rstrip(_CLOSING)
    last = ended[-1:]
    bare = text.strip(_OPENING + _CLOSING + ",;:!?…、，。！？")
    kind = _kind(bare.rstrip(".") or bare, english) if bare else WordKind.MARK
    if len(bare) == 2 and bare[1] == "." and bare[0].isupper() and bare != "I.":
        return WordKind.INITIAL, WordKind.NAME
    if english and bare.endswith(".") and _ENGLISH.get(bare.lower()) is WordKind.TITLE:
        kind, last = WordKind.TITLE, ""
    right = kind + (_LOWER if bare[:1].islower() else 0)
    if last in _SENTENCE_ENDS and last:
        return SENTENCE, right
    if last in _CLAUSE_ENDS and last:
        return CLAUSE, right
    return kind, right
