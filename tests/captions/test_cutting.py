"""Which cuts are chosen: the best, and the same however the words come in."""

import pytest

from dgcli.captions.captioner import captions
from dgcli.captions.limits import Limits
from dgcli.captions.tokens import Tokens
from dgcli.transcript.model import Channel, Transcript, Word


def _words(sentences: list[str], per_letter: float) -> list[Word]:
    """Sentences with a pause of 0.1 s after each."""
    words, at = list[Word](), 0.0
    for sentence in sentences:
        for text in sentence.split():
            words.append(Word(text, round(at, 3), round(at + per_letter * len(text), 3)))
            at += per_letter * len(text)
        at += 0.1
    return words


def test_two_sentences_that_fill_a_line_each_share_a_cue() -> None:
    """A break between sentences takes points off: such a cue wins though the path to it is not the best at first."""
    line = "That is all I know about it today."
    words = _words(["Right. The first thing to see is how these pieces fit.", line, line], 0.05)
    transcript = Transcript((Channel(0, "", tuple(words)),))
    assert [cue.text for cue in captions(transcript)] == [
        "Right. The first thing\nto see is how these pieces fit.",
        f"{line}\n{line}",
    ]


@pytest.mark.parametrize("first", ["Well,", "Right."])
def test_gaps_are_the_same_however_the_words_come_in(first: str) -> None:
    """A clause of one word at the very start has the points of one after a sentence, also if it comes alone."""
    words = [(word, False) for word in _words([f"{first} I see, and\nso do they. Well, you know."], 0.05)]

    def gaps(many: int) -> list[float]:
        tokens = Tokens(Limits(), lambda voice: "", 1, None)
        for at in range(0, len(words), many):
            tokens.extend(words[at : at + many])
        return tokens.gaps

    assert gaps(1) == gaps(2) == gaps(len(words))
