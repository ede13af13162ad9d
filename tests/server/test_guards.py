"""What Whisper invents is taken out, what it skips is found, and words lie where the voice is."""

import pytest

from dgcli.server.engines import guards
from dgcli.server.engines.base import HeardWord
from dgcli.server.engines.decoding import Decoding


def spoken(text: str, start: float = 0.0, pace: float = 0.4) -> list[HeardWord]:
    """Return words one after the other."""
    return [
        HeardWord(word, start + at * pace, start + (at + 1) * pace, 0.9, written=word)
        for at, word in enumerate(text.split())
    ]


def decoding(words: list[HeardWord], no_speech: float = 0.0, logprob: float = -0.3) -> Decoding:
    return Decoding(words, no_speech, logprob, "en", 1.0)


def texts(words: list[HeardWord]) -> str:
    return " ".join(word.text for word in words)


def test_a_loop_is_cut() -> None:
    """A phrase repeated faster than anybody speaks is kept once; what somebody repeats stays."""
    said = spoken("thank you")
    loop = spoken(" ".join(["thank you"] * 8), start=0.8, pace=0.07)
    assert texts(guards.credible(decoding(said + loop), 10.0, 2.0)) == "thank you"
    assert texts(guards.credible(decoding(spoken("no no no stop")), 10.0, 2.0)) == "no no no stop"


def test_what_is_recited_past_the_end_goes() -> None:
    """Words at the end of the audio that take no time were never said."""
    words = [*spoken("that was all"), HeardWord("thanks", 1.98, 2.0, 0.9), HeardWord("bye", 2.0, 2.0, 0.9)]
    assert texts(guards.credible(decoding(words), 2.0, 1.2)) == "that was all"


def test_doubt_counts_where_little_was_voiced() -> None:
    """A text that Whisper doubts is dropped after half a second of voice, and kept after three."""
    doubtful = decoding(spoken("you"), no_speech=0.9, logprob=-1.0)
    assert guards.credible(doubtful, 1.0, voiced=0.5) == []
    assert texts(guards.credible(doubtful, 4.0, voiced=3.0)) == "you"


@pytest.mark.parametrize(
    ("word", "voiced", "fitting"),
    [
        ((1.0, 3.0), [(1.0, 1.5)], (1.0, 1.55)),  # stretched over the pause behind it
        ((0.0, 1.5), [(1.0, 1.5)], (0.95, 1.5)),  # and before it
        ((0.9, 3.0), [(0.0, 1.0), (2.2, 3.0)], (2.15, 3.0)),  # over a pause, from the word before
        ((1.0, 1.5), [(0.0, 2.0)], (1.0, 1.5)),
        ((1.0, 1.5), [(3.0, 4.0)], (1.0, 1.5)),  # where there is no voice nothing is known
    ],
)
def test_words_are_clipped_to_the_voice(
    word: tuple[float, float], voiced: list[tuple[float, float]], fitting: tuple[float, float]
) -> None:
    """The times of a word end where the voice does, on the side of a pause on which it was said."""
    (found,) = guards.clip([HeardWord("word", *word, 0.9)], voiced)
    assert (found.start, found.end) == pytest.approx(fitting)


def test_words_begin_with_the_voice() -> None:
    """A word after a pause begins where the voice does; one that lies in the pause behind goes back to its voice."""
    late = [
        HeardWord("first", 0.2, 0.5, 0.9),
        HeardWord("second", 2.3, 2.6, 0.9),
        HeardWord("third", 4.5, 4.5, 0.9),
    ]
    found = guards.anchored(late, [(0.0, 0.5), (2.0, 2.6), (4.0, 4.4)])
    assert [(word.start, word.end) for word in found] == [
        pytest.approx((0.0, 0.5)),
        pytest.approx((1.95, 2.6)),
        pytest.approx((3.95, 4.45)),
    ]
    through = [HeardWord("one", 0.0, 1.0, 0.9), HeardWord("two", 1.0, 2.0, 0.9)]
    assert guards.anchored(through, [(0.0, 2.0)]) == through


def test_holes_are_found_and_filled() -> None:
    """Voice without a word for long is told; a second decoding fills it, without what stands there already."""
    words = [*spoken("one two"), *spoken("five six", start=4.0)]
    (hole,) = guards.missed(words, [(0.0, 4.8)])
    assert hole == pytest.approx((0.9, 3.9))
    again = spoken("two three four five", start=0.7, pace=0.9)
    assert texts(guards.patched(words, again, hole)) == "one two three four five six"
    assert guards.missed(words, [(0.0, 0.8), (4.0, 4.8)]) == []
