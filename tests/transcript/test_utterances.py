"""Which finals make an utterance."""

from hypothesis import given
from hypothesis import strategies as st

from dgcli.transcript.events import Notice, NoticeKind, UtteranceEnd
from dgcli.transcript.utterances import Utterances
from tests.sinks.conftest import final, words


def test_speech_final_ends_an_utterance() -> None:
    """The text is the join of all finals up to and including the one that ends it."""
    utterances = Utterances()
    assert utterances.take(final("We the people", 0.0, ends=False)) == []
    (ended,) = utterances.take(final("of the United States.", 1.5))
    assert ended.text == "We the people of the United States."
    assert (ended.start, ended.end, len(ended.words)) == (0.0, 3.4, 7)


def test_an_utterance_end_counts_only_without_speech_final() -> None:
    """UtteranceEnd ends what is open, and nothing if a final has ended it before."""
    utterances = Utterances()
    utterances.take(final("Hello", ends=False))
    (ended,) = utterances.take(UtteranceEnd(0, 0.4))
    assert ended.text == "Hello"
    utterances.take(final("Bye", 2.0))
    assert utterances.take(UtteranceEnd(0, 2.4)) == []


def test_a_late_utterance_end_does_not_cut_the_next_one() -> None:
    """One that is about earlier words, or says -1, is left alone."""
    utterances = Utterances()
    utterances.take(final("New words", 5.0, ends=False))
    assert utterances.take(UtteranceEnd(0, 1.0)) == []
    assert utterances.take(UtteranceEnd(0, -1)) == []
    assert utterances.take(UtteranceEnd(0, 5.87))[0].text == "New words"


def test_a_change_of_speaker_ends_an_utterance() -> None:
    """Each piece has one speaker, whether the change lies in a final or between two."""
    utterances = Utterances()
    said = words("You were one", 0.0, speaker=0) + words("step down", 1.5, speaker=1)
    first = utterances.take(final("", said=said, ends=False))
    second = utterances.take(final("all right", 2.5, speaker=1, ends=False))
    third = utterances.take(final("so", 3.5, speaker=0))
    assert [u.text for u in first] == ["You were one"]
    assert second == []
    assert [(u.text, u.speaker) for u in third] == [("step down all right", 1), ("so", 0)]


def test_channels_do_not_mix() -> None:
    """Two channels that speak at once have an open utterance each."""
    utterances = Utterances()
    utterances.take(final("left side", 0.0, channel=0, channels=2, ends=False))
    (right,) = utterances.take(final("right side", 0.2, channel=1, channels=2))
    (left,) = utterances.take(final("ends", 1.0, channel=0, channels=2))
    assert (right.text, left.text) == ("right side", "left side ends")


def test_fifteen_seconds_are_the_most() -> None:
    """Somebody who never pauses is printed as it stands, by the words' time or by the clock."""
    now = 100.0
    utterances = Utterances(clock=lambda: now)
    long = " ".join(["word"] * 31)
    assert len(utterances.take(final(long, 0.0, ends=False))) == 1
    utterances.take(final("more", 16.0, ends=False))
    assert utterances.tick(114.9) == []
    assert [u.text for u in utterances.tick(115.0)] == ["more"]


def test_a_finalize_ends_an_utterance() -> None:
    """Who asks for a result now gets it, even if the server does not call it speech_final."""
    utterances = Utterances()
    (ended,) = utterances.take(final("now", ends=False, from_finalize=True))
    assert ended.text == "now"


def test_new_speaker_numbers_begin_new_utterances() -> None:
    """After a reconnect speaker 0 may be somebody else: what was open ends before."""
    utterances = Utterances()
    utterances.take(final("before", speaker=0, ends=False))
    (ended,) = utterances.take(Notice(NoticeKind.SPEAKERS_RESTARTED, "..."))
    assert ended.text == "before"


def test_empty_finals_end_but_add_nothing() -> None:
    """A final of silence with speech_final ends what is open; alone it is no utterance."""
    utterances = Utterances()
    assert utterances.take(final("")) == []
    utterances.take(final("Hello", ends=False))
    assert [u.text for u in utterances.take(final("", 1.0))] == ["Hello"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.booleans(), st.integers(0, 2), st.sampled_from([None, 0, 1]), st.booleans()
        )
    )
)
def test_every_word_comes_out_once(steps: list[tuple[int, bool, int, int | None, bool]]) -> None:
    """Whatever finals and pauses come, all words come out, once, in the order of their channel."""
    utterances = Utterances(clock=lambda: at)
    at, out, expected = 0.0, [], []
    for count, ends, channel, speaker, waits in steps:
        said = words(" ".join(f"w{at:g}.{i}" for i in range(count)), at, speaker=speaker, channel=channel)
        expected += said
        out += utterances.take(final("", at, said=said, ends=ends, channel=channel, channels=3))
        at += 3.0
        if waits:
            out += utterances.tick(at)
    out += utterances.finish()
    for channel in range(3):
        assert [w for u in out if u.channel == channel for w in u.words] == [
            w for w in expected if w.channel == channel
        ]
    assert all(u.text == " ".join(w.text for w in u.words) for u in out)
    assert utterances.finish() == []
