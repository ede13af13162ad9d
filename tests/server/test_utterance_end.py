"""When an utterance has ended, by its words and not by silence."""

from dgcli.server.engines.base import HeardSegment, HeardWord, Passed
from dgcli.server.live import StreamedUtterances
from dgcli.server.live_query import LiveOptions

WORD = HeardWord("yes", 0.5, 1.0, 0.9)


def after_a_final() -> StreamedUtterances:
    state = StreamedUtterances()
    state.prepare(HeardSegment(0, 0.0, 1.3, [WORD], is_final=True, speech_final=True), LiveOptions())
    return state


def test_it_ends_once_after_the_gap() -> None:
    """The end of the last word is told when the gap has passed, and not again."""
    state = after_a_final()
    assert state.utterance_ended(Passed(0, 1.9), 1.0) is None
    assert state.utterance_ended(Passed(0, 2.0), 1.0) == 1.0
    assert state.utterance_ended(Passed(0, 3.0), 1.0) is None


def test_new_words_put_it_off() -> None:
    """Words of an interim that are not final yet mean that the speaker goes on."""
    state = after_a_final()
    state.prepare(HeardSegment(0, 1.3, 0.6, [WORD]), LiveOptions())
    assert state.utterance_ended(Passed(0, 2.5, speaking=True), 1.0) is None


def test_speech_without_words_puts_it_off_until_an_interim() -> None:
    """Somebody seems to speak: only an interim without words tells that it is noise."""
    state = after_a_final()
    assert state.utterance_ended(Passed(0, 2.1, speaking=True), 1.0) is None
    state.prepare(HeardSegment(0, 1.3, 1.0, []), LiveOptions())
    assert state.utterance_ended(Passed(0, 2.4, speaking=True), 1.0) == 1.0
