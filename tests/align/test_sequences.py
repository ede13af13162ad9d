"""Which words of two texts are the same: dgcli/align/sequences.py."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dgcli.align import sequences
from dgcli.align.sequences import aligned

WORDS = st.lists(st.sampled_from("a b c d e the of".split()), max_size=40)


@given(WORDS, WORDS)
def test_pairs_rise_on_both_sides(old: list[str], new: list[str]) -> None:
    """Pairs never cross, and none is beyond the texts."""
    pairs = aligned(old, new)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
    assert all(0 <= a < len(old) and 0 <= b < len(new) for a, b in pairs)


@given(WORDS)
def test_a_text_is_aligned_with_itself(words: list[str]) -> None:
    """Every word of a text is paired with itself."""
    assert aligned(words, words) == [(at, at) for at in range(len(words))]


def test_a_replaced_word_is_paired_with_the_one_that_is_like_it() -> None:
    """Among words that were replaced by fewer, similarity decides which is which."""
    pairs = aligned("say celebrating the first".split(), "say celebrate first".split())
    assert pairs == [(0, 0), (1, 1), (3, 2)]


def test_what_is_repeated_over_and_over_is_followed() -> None:
    """Where no run of words is unique and no table holds it all, windows find their way back."""
    chance = random.Random(4)
    sentence = "so we will see how it goes and then we will say what we think of it".split()
    old = sentence * 300
    new, kept = [], []
    for at, word in enumerate(old):
        fate = chance.random()
        if fate < 0.05:
            continue
        if fate < 0.1:
            new.append("harbour")
        kept.append((at, len(new)))
        new.append(word)
    assert len(old) * len(new) > sequences._CELLS
    found = set(aligned(old, new))
    assert sum(pair in found for pair in kept) >= 0.99 * len(kept)
