"""Where a long window may be cut, and how the two sides of a cut are joined."""

from dgcli.server.engines.base import HeardWord
from dgcli.server.engines.settle import Seam, WindowCut, best_cut, mend

FRAME = 0.1
WINDOW = {"start": 0.0, "frame": FRAME, "soonest": 1.0, "latest_at": 8.0}


def words(text: str, start: float = 0.0) -> list[HeardWord]:
    """Return words of half a second each, one after the other."""
    return [
        HeardWord(word, start + n * 0.5, start + n * 0.5 + 0.5, 0.9) for n, word in enumerate(text.split())
    ]


def plain(found: list[HeardWord]) -> str:
    return " ".join(word.text for word in found)


LONG = words("a b c d e f g h i j k l m n o p")
LOUD = [-20.0] * 80
VOICED = [0.9] * 80


def quiet_at(*frames: int) -> list[float]:
    return [0.1 if number in frames else 0.9 for number in range(80)]


def test_the_cut_is_in_a_pause_between_agreed_words() -> None:
    """Of all gaps on which both decodes agree the one with a pause is taken."""
    assert best_cut(LONG, LONG, LOUD, quiet_at(39, 40, 41), **WINDOW) == WindowCut(40, 8)


def test_without_a_pause_the_quietest_gap_is_cut() -> None:
    """Where nobody pauses the quietest moment between two words decides."""
    levels = [-45.0 if number == 60 else -20.0 for number in range(80)]
    assert best_cut(LONG, LONG, levels, VOICED, **WINDOW) == WindowCut(60, 12)


def test_no_cut_where_the_decodes_differ() -> None:
    """A pause beside a word that the earlier decode heard otherwise is no place to cut."""
    other = words("a b c d e f x h i j k l m n o p")
    cut = best_cut(LONG, other, LOUD, quiet_at(29, 30, 31, 35), **WINDOW)
    assert cut is not None
    assert cut.word not in (6, 7)
    assert best_cut(LONG, words("q r s"), LOUD, VOICED, **WINDOW) is None


def test_no_cut_where_the_same_words_are_elsewhere() -> None:
    """The same words at another time are another passage: a phrase that was said twice."""
    assert best_cut(LONG, words("a b c d e f g h i j k l m n o p", 1.0), LOUD, VOICED, **WINDOW) is None


def test_the_ends_of_the_window_are_not_cut() -> None:
    """Neither the first second nor what was heard last is parted from the rest, however long the pause."""
    cut = best_cut(LONG, LONG, LOUD, quiet_at(4, 5, 6, 79), **WINDOW)
    assert cut is not None
    assert cut.word >= 2
    assert best_cut(LONG[:2], LONG[:2], LOUD[:10], quiet_at(4, 5, 6), **WINDOW) is None


def test_any_gap_will_do_at_last() -> None:
    """Without an earlier decode to agree with, the best gap of the newest one is cut."""
    assert best_cut(LONG, None, LOUD, quiet_at(40), **WINDOW) == WindowCut(40, 8)


SEAM = Seam(before=["people", "of", "the"], after=words("united states in"))


def test_a_word_on_the_cut_is_not_said_twice() -> None:
    """What was final before the cut and is heard again after it goes, one word or several."""
    assert plain(mend(words("the united states in order"), SEAM)) == "united states in order"
    assert plain(mend(words("of the united states"), SEAM)) == "united states"


def test_a_word_on_the_cut_is_not_lost() -> None:
    """What both decodes heard after the cut and the next one lacks comes back, before what follows it."""
    mended = mend(words("states in order", 0.5), SEAM)
    assert plain(mended) == "united states in order"
    assert mended[0].end <= mended[1].start


def test_other_words_are_left_alone() -> None:
    """A repetition that was said, and words that nobody expected, stay as they were heard."""
    assert plain(mend(words("united states in order"), SEAM)) == "united states in order"
    assert plain(mend(words("never mind"), SEAM)) == "never mind"
    twice = Seam(before=["very"], after=words("very good"))
    assert plain(mend(words("very good indeed"), twice)) == "very good indeed"
    assert mend([], SEAM) == []
