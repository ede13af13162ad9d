"""Where language lets itself be cut: what must cost more than what."""

import pytest

from dgcli.captions.language import GAP, STICKY, codes
from dgcli.captions.lexicon import Lexicon


def points(left: str, right: str, language: str = "en") -> float:
    """What a cut between two words costs."""
    lexicon = Lexicon(language)
    return GAP[codes(left, lexicon)[0]][codes(right, lexicon)[1]]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (("the", "harbour"), ("harbour", "closed")),  # an article and its noun
        (("of", "the"), ("harbour", "of")),  # a preposition and what it governs
        (("and", "then"), ("go", "and")),  # after and before a conjunction
        (("Anna", "Koch"), ("Koch", "said")),  # a first name and a last name
        (("12", "minutes"), ("minutes", "later")),  # a number and its unit
        (("Apollo", "11"), ("Apollo", "landed")),
        (("I", "think"), ("think", "she")),  # a subject pronoun and its verb
        (("have", "gone"), ("gone", "there")),  # an auxiliary and its verb
        (("not", "gone"), ("gone", "home")),
        (("Dr.", "Levine"), ("home.", "Levine")),  # an abbreviation is no end of a sentence
        (("J.", "Smith"), ("B.", "The")),  # an initial, and a sentence that ends in a letter
        (("me", "No"), ("No.", "Then")),  # a short answer is a sentence
        (("telling", "me"), ("telling", "she")),  # an object leans on its verb
        (("home", "then"), ("home,", "then")),  # nothing, a clause, a sentence
        (("home,", "then"), ("home.", "Then")),
        (("approx.", "five"), ("five.", "Then")),  # a small letter goes on
        (("20", "%"), ("20", "boats")),  # a sign that stands alone
        (("ici", "?"), ("?", "Non")),
    ],
)
def test_what_belongs_together_is_dearer_to_cut(worse: tuple[str, str], better: tuple[str, str]) -> None:
    """Each kind of phrase that style guides keep on one line costs more to cut than the gap beside it."""
    assert points(*worse) > points(*better)


def test_quotes_and_brackets_do_not_hide_the_end_of_a_sentence() -> None:
    """Punctuation is found behind closing quotes, and in scripts that have their own."""
    for word in ("home.", "home.”", 'home?"', "(home.)", "です。", "है।", "كذا؟"):
        assert points(word, "Next") == points("yes.", "Next")


def test_other_languages_are_judged_by_what_holds_for_all() -> None:
    """Without a list a short word leans on the next, a letter more so, a capital pair is a name, 'the' no article."""
    assert points("s", "mora", "hr") > points("na", "moru", "hr") > points("more", "zove", "hr")
    assert points("Angela", "Merkel", "hr") > points("Merkel", "kaže", "hr")
    assert points("the", "x", "hr") < STICKY
    assert points("今", "日", "th") == points("日", "本", "th")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "la lección que | nos da este | ejemplo"),
        ("de", "weil | es einen | anderen Weg gibt, um das | Thema einzuführen"),
        ("fr", "parce qu'il | y a une | raison dans | l'histoire"),
        ("it", "perché c'è una | ragione nella | storia"),
        ("pt", "porque não há | razão para a | história"),
        ("nl", "omdat er een | reden is voor het | verhaal"),
        ("ru", "потому что в | истории есть для | этого причина"),
        ("pl", "ponieważ w | tej | historii nie | ma sensu"),
        ("cs", "protože v | té | historii není a | nebude"),
        ("uk", "тому що в | цій | історії не | було сенсу"),
        ("sv", "eftersom det | finns en | anledning till | det"),
        ("da", "fordi der er en | grund til | det"),
        ("nb", "fordi det er en | grunn til | det"),
        ("hu", "mert az | első nap és | az | este"),
        ("ro", "pentru | că nu | este un | motiv"),
        ("el", "γιατί στην | ιστορία δεν | υπάρχει και | ο λόγος"),
        ("tr", "çünkü bir | sebep ve | daha fazlası"),
        ("id", "karena yang | pertama tidak | mungkin dari | sana"),
        ("vi", "tôi | nghĩ rằng không | phải của | anh"),
        ("ar", "هذا | السبب في | القصة الذي | كان"),
        ("he", "הסיבה של | הסיפור או | כל | הדבר"),
        ("hi", "और | यह | कारण नहीं | था"),
        ("ko", "그리고 | 이 | 이유는 안 | 된다"),
        ("zh", "我 | 想 这个 | 问题 在 | 这里 不 | 存在"),
    ],
)
def test_function_words_of_a_language_are_not_cut_off(language: str, text: str) -> None:
    """Articles, prepositions, conjunctions and pronouns stay with what they belong to, by the tag's language."""
    words = text.split()
    cuts = [(left, words[at + 2]) for at, left in enumerate(words[:-2]) if words[at + 1] == "|"]
    assert cuts
    for left, right in cuts:
        assert points(left, right, f"{language}-XX") >= 100


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (("数学", "は"), ("は", "難しい")),  # a particle
        (("食べ", "ます"), ("を", "食べ")),  # an ending
        (("固有", "ベクトル"), ("の", "ベクトル")),  # a compound
        (("この", "行列"), ("行列は", "この")),  # a demonstrative
        (("「", "固有"), ("は", "固有")),  # an opening bracket
        (("固有", "」"), ("」と", "呼ぶ")),  # a closing one
        (("(", "3"), ("を", "3")),
        (("を", "動画"), ("です", "動画")),  # inside a sentence, and where one ends
        (("です", "が"), ("です", "動画")),  # a particle goes on
    ],
)
def test_japanese_phrases_stay_together(worse: tuple[str, str], better: tuple[str, str]) -> None:
    """A stem keeps its particles and endings, a bracket what is in it."""
    assert points(*worse, language="ja") > points(*better, language="ja")


@pytest.mark.parametrize(
    ("language", "noun", "postposition", "following"),
    [
        ("hi", "घर", "में", "कोई"),
        ("tr", "insanlar", "için", "önemli"),
        ("hu", "háború", "után", "haza"),
        ("ko", "사람들", "때문에", "늦게"),
        ("zh", "桌子", "上", "放着"),
    ],
)
def test_a_postposition_stays_with_what_it_follows(
    language: str, noun: str, postposition: str, following: str
) -> None:
    """A cut before a postposition is dear, one after it cheap."""
    assert points(noun, postposition, language) >= 100
    assert points(postposition, following, language) < points(noun, following, language)


def test_a_list_of_numbers_stays_together() -> None:
    """A comma in a list of numbers is a poorer place than one in a sentence."""
    assert points("(3,", "4)") > points("plan", "works") > points("2019,", "we")


def test_chinese_particles_begin_no_line() -> None:
    """A particle stays with the word before it."""
    assert points("我", "的", "zh-CN") > points("的", "书", "zh-CN")
