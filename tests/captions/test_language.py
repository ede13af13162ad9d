"""Where language lets itself be cut: what must cost more than what."""

import pytest

from dgcli.captions.language import GAP, STICKY, codes


def points(left: str, right: str, english: bool = True) -> float:
    """What a cut between two words costs."""
    return GAP[codes(left, english)[0]][codes(right, english)[1]]


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
    """Without the English lists a short word leans on the next, a capital pair is a name, 'die' is no verb."""
    assert points("de", "montagne", english=False) > points("montagne", "verte", english=False)
    assert points("Angela", "Merkel", english=False) > points("Merkel", "sagte", english=False)
    assert points("the", "x", english=False) < STICKY
    assert points("今", "日", english=False) == points("日", "本", english=False)
