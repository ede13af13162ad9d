"""Points for a cut between two words, by the words to its left and right.

A gap costs little where a sentence or a clause ends and much where the words on both sides belong together:
an article and its noun, a preposition and what it governs, a first name and a last name, a number and its
unit, a verb and its subject pronoun, auxiliary or negation. That is the list in "Line Treatment" of Netflix's
Timed Text Style Guide (GeneralOptions Requirements), and "Break at natural points" in the BBC's Subtitle Guidelines.

`lexicon` has the words of some languages. One of no list is judged by what holds for most languages: by
punctuation, by capitals and digits, and by being so short that it is likely to lean on the next one.
"""

from dgcli.captions.kinds import WordKind
from dgcli.captions.lexicon import Lexicon

SENTENCE = len(WordKind)  # to the left of a gap these two stand above what the word is
CLAUSE = SENTENCE + 1
_LISTED = SENTENCE + 2  # a number with a comma, which more numbers may follow: (1, 2)
_OPENED = SENTENCE + 3  # a clause of a single word, after a sentence: it is a poor end of a cue
_FINITE = SENTENCE + 4  # a Japanese verb in the form that ends a sentence, unless a particle follows
_LOWER = len(WordKind)  # to the right of a gap: a word that begins with a small letter

_CLOSING = "\"'”’»)]}」』）】〉》›“"
_OPENING = "\"'“‘«([{「『（【〈《‹„¿¡"
_OPENS_ONLY = frozenset("([{「『（【〈《〔‹„¿¡")
_SENTENCE_ENDS = frozenset(".!?…。！？．｡؟۔।॥։።")
_CLAUSE_ENDS = frozenset(",;:—–、，；：､،؛")

# Words in Hiragana that begin a phrase: demonstratives, conjunctions, adverbs, common verbs and formal nouns.
_HIRAGANA_WORDS = tuple(
    """この その あの どの これ それ あれ どれ ここ そこ あそこ どこ こう そう ああ どう こんな そんな あんな どんな
    また まず そして しかし だから つまり では でも なぜ なに もし もう もっと とても すべて さらに いつ いま いくつ
    あなた わたし ぼく みなさん みんな こと もの とき ところ ため よう ほう はず わけ うち まま
    する できる なる いう ある いる ない よい いい やる みる くる いく わか かんが ちょう ほとん たと""".split()
)
_SENTENCE_FORMS = frozenset("です ます ません でしょう ましょう ください ました でした".split())
_BEFORE_NOUNS = frozenset("この その あの どの こんな そんな あんな どんな ある".split())
_CHINESE_PARTICLES = frozenset("的 了 着 著 过 過 吗 嗎 呢 吧 啊 呀 嘛 们 們 地 得 之".split())

_PLAIN = 60.0  # nothing speaks for a cut here, nothing against it
_FINISHED = 34.0  # where a sentence of Japanese seems to end: punctuation says it better
_ALONE = 30.0  # for the end of a clause of one word
_LEFT: dict[WordKind, float] = {
    WordKind.ARTICLE: 90.0,
    WordKind.PREPOSITION: 76.0,
    WordKind.CONJUNCTION: 78.0,
    WordKind.PRONOUN: 72.0,
    WordKind.AUXILIARY: 72.0,
    WordKind.EITHER: 66.0,
    WordKind.ADVERB: 62.0,
    WordKind.TITLE: 90.0,
    WordKind.NUMBER: 15.0,
    WordKind.SHORT: 6.0,
    WordKind.OPENER: 4.0,
    WordKind.BRACKET: 90.0,
    WordKind.PARTICLE: -20.0,
    WordKind.STEM: 18.0,
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
    WordKind.PARTICLE: 45.0,
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
        if after is WordKind.NUMBER:
            return 23.0
        return 7.0 if after in (WordKind.CONJUNCTION, WordKind.PRONOUN, WordKind.OPENER) else 11.0
    if left == _OPENED:
        return _gap(CLAUSE, right) + _ALONE
    if left == _FINITE:
        leans = after in (WordKind.PARTICLE, WordKind.MARK)
        return _gap(WordKind.PARTICLE, right) if leans else _FINISHED
    if left == _LISTED:
        return 80.0 if after is WordKind.NUMBER else _gap(CLAUSE, right)
    before = WordKind(left)
    lean = _LEFT.get(before, 0.0)
    return _PLAIN + lean + _PAIRS.get((before, after), 0.0) + (_RIGHT.get(after, 0.0) if lean < 20 else 0.0)


# GAP[left code][right code]: points for a cut between two words that no pause separates.
GAP: tuple[tuple[float, ...], ...] = tuple(
    tuple(_gap(left, right) for right in range(2 * len(WordKind))) for left in range(_FINITE + 1)
)
ENDED, OPENED = GAP[SENTENCE], GAP[_OPENED]
STICKY = 138.0  # from here on a gap is cut only where nothing else is possible


def _is_hiragana(character: str) -> bool:
    return "ぁ" <= character <= "ゟ"


def _kind(bare: str, lexicon: Lexicon) -> WordKind:
    known = lexicon.kind(bare)
    if known is not None:
        return known
    if any(c.isdigit() for c in bare):
        return WordKind.NUMBER
    if not bare.isalpha() and not any(c.isalpha() for c in bare):
        return WordKind.MARK if not any(c.isalnum() for c in bare) else WordKind.OTHER
    if bare[0].isupper():
        return WordKind.NAME
    # Scripts without cases (CJK, Thai, Arabic...) have short words that do not lean on anything.
    if len(bare) <= 3 and bare[0].islower():
        return WordKind.PREPOSITION if len(bare) == 1 and lexicon.guesses else WordKind.SHORT
    return WordKind.OTHER


def _phrased(bare: str, kind: int, right: int, lexicon: Lexicon) -> tuple[int, int]:
    """The codes of a Japanese or Chinese word, whose phrases end in particles and endings.

    A Japanese phrase is a stem in Han, Katakana or digits with what follows it in Hiragana; so one ends where
    Hiragana does, and before a word in Hiragana that is no ending.
    """
    if bare in _CHINESE_PARTICLES and lexicon.language in ("zh", "yue"):
        return kind, WordKind.PARTICLE
    if _is_hiragana(bare[0]) and not bare.startswith(_HIRAGANA_WORDS):
        right = WordKind.PARTICLE
    if bare in _SENTENCE_FORMS and lexicon.language == "ja":
        return _FINITE, right
    if _is_hiragana(bare[-1]):
        return (WordKind.STEM if bare in _BEFORE_NOUNS else WordKind.PARTICLE), right
    return (WordKind.STEM if lexicon.language == "ja" else kind), right


def codes(text: str, lexicon: Lexicon) -> tuple[int, int]:
    """The code of a word to the left of a gap and its code to the right of one: indices of `GAP`.

    `text` is the word as it is printed, with its punctuation. O(len(text)).
    """
    ended = text.rstrip(_CLOSING)
    last = ended[-1:]
    bare = text.strip(_OPENING + _CLOSING + ",;:!?…、，。！？")
    if not bare and text and text[-1] in _OPENS_ONLY:
        return WordKind.BRACKET, WordKind.BRACKET
    kind = _kind(bare.rstrip(".") or bare, lexicon) if bare else WordKind.MARK
    if len(bare) == 2 and bare[1] == "." and bare[0].isupper() and bare != "I.":
        return WordKind.INITIAL, WordKind.NAME
    if bare.endswith(".") and lexicon.kind(bare) is WordKind.TITLE:
        kind, last = WordKind.TITLE, ""
    right = kind + (_LOWER if bare[:1].islower() else 0)
    if bare and not (bare[0].isascii() and bare[-1].isascii()):
        left, right = _phrased(bare, kind, right, lexicon)
    else:
        left = WordKind.STEM if lexicon.language == "ja" and bare else kind
    if last in _SENTENCE_ENDS and last:
        return SENTENCE, right
    if last in _CLAUSE_ENDS and last:
        return (_LISTED if kind == WordKind.NUMBER else CLAUSE), right
    return left, right
