"""Doubtful words that are spelt much like a key term become the term."""

from dgcli.server.engines.base import HeardWord
from dgcli.server.engines.terms import with_terms


def said(*words: tuple[str, float]) -> list[HeardWord]:
    return [
        HeardWord(text.strip(".,").lower(), at, at + 1.0, confidence, written=text)
        for at, (text, confidence) in enumerate(words)
    ]


def test_a_doubtful_word_becomes_the_term() -> None:
    """A word that nearly is the term is written as the term, with its marks and its time."""
    (found,) = with_terms(said(("Tchoupidolas,", 0.3)), ["Tchoupitoulas"])
    assert (found.text, found.written, found.start, found.end) == (
        "tchoupitoulas",
        "Tchoupitoulas,",
        0.0,
        1.0,
    )


def test_two_words_may_be_one_term_and_one_two() -> None:
    """A term that was heard in two pieces is one word; a term of two words shares the time."""
    assert [w.text for w in with_terms(said(("Deep", 0.2), ("grams.", 0.5)), ["Deepgram"])] == ["deepgram"]
    found = with_terms(said(("wojciekofskimiller", 0.2), ("is", 0.9)), ["Wojciechowski Miller"])
    assert [(w.written, w.start) for w in found] == [("Wojciechowski", 0.0), ("Miller", 0.5), ("is", 1.0)]


def test_what_is_sure_or_different_stays() -> None:
    """A word that was heard clearly is no term, nor is a doubtful one that is spelt otherwise."""
    clear = said(("Szymborski", 0.9), ("colleague", 0.2), ("the", 0.1))
    assert with_terms(clear, ["Szymborska", "Kowalig", "then"]) == clear
