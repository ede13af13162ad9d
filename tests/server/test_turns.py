"""Where turns begin and end, from the events of a recogniser alone."""

import itertools
from collections.abc import Iterable

import pytest

from dgcli.server.engines.base import HeardSegment, HeardWord, LiveEvent, Passed, SpeechBegan
from dgcli.server.flux_query import Thresholds
from dgcli.server.turns import Trigger, TurnEvent, TurnState, TurnTracker, end_confidence

Told = tuple[TurnEvent, str]


def word(written: str, start: float, end: float) -> HeardWord:
    return HeardWord(written.lower().strip(".,"), start, end, 0.9, written=written)


HELLO = word("Hello", 0.5, 0.9)
THERE = word("there.", 1.0, 1.5)
AGAIN = word("Again.", 3.0, 3.5)


def interim(end: float, *words: HeardWord) -> HeardSegment:
    return HeardSegment(0, 0.0, end, words)


def final(end: float, *words: HeardWord, by_client: bool = False) -> HeardSegment:
    return HeardSegment(0, 0.0, end, words, is_final=True, speech_final=True, from_finalize=by_client)


def passing(start: float, end: float, *, voice: float | None = None, speaking: bool = False) -> list[Passed]:
    """Return what is told of the audio, each 20 ms; voice ended at `voice`, or goes on all the time."""
    steps = range(round(start * 50) + 1, round(end * 50) + 1)
    return [Passed(0, n / 50, speaking, n / 50 if voice is None else voice) for n in steps]


def follow(tracker: TurnTracker, events: Iterable[LiveEvent]) -> list[TurnState]:
    return [state for event in events for state in tracker.follow(event)]


def text(state: TurnState) -> str:
    return " ".join(word.written or "" for word in state.words)


def changes(states: Iterable[TurnState]) -> list[Told]:
    return [(state.event, text(state)) for state in states if state.event is not TurnEvent.UPDATE]


def spoken(silence: float) -> list[LiveEvent]:
    """Return the events of "Hello there." up to 1.5 s, and so much silence."""
    return [
        SpeechBegan(0, 0.5),
        *passing(0.0, 1.2, speaking=True),
        interim(1.2, HELLO),
        *passing(1.2, 1.9, voice=1.5, speaking=True),
        final(1.9, HELLO, THERE),
        *passing(1.9, 1.5 + silence, voice=1.5),
    ]


def test_confidence_grows_with_silence() -> None:
    """More silence never makes an end less sure, whatever the last word; no silence and no words are none at all."""
    for last in (THERE, HELLO, word("so,", 0, 1), word("well...", 0, 1)):
        sure = [end_confidence(n / 20, last) for n in range(400)]
        assert sure[0] == 0
        assert all(before <= after for before, after in itertools.pairwise(sure))
        assert 0.99 < sure[-1] < 1
    assert end_confidence(10, None) == 0


@pytest.mark.parametrize(
    ("surer", "less"),
    [
        ("done.", "done"),
        ("done", "done,"),
        ("done?", "done..."),
        ("done!", "done\N{EM DASH}"),
        ('done."', "done"),
    ],
)
def test_confidence_listens_to_the_sentence(surer: str, less: str) -> None:
    """After the same silence an end is surer where a sentence is complete, and least where it must go on."""
    assert end_confidence(0.7, word(surer, 0, 1)) > end_confidence(0.7, word(less, 0, 1))


def test_a_turn() -> None:
    """A turn starts with its first words and ends when silence is enough; the next has the next number."""
    states = follow(TurnTracker(Thresholds()), [*spoken(1.5), interim(3.4, AGAIN)])
    assert changes(states) == [
        (TurnEvent.START, "Hello"),
        (TurnEvent.END, "Hello there."),
        (TurnEvent.START, "Again."),
    ]
    ended = next(state for state in states if state.event is TurnEvent.END)
    assert (ended.index, ended.start, ended.trigger) == (0, 0.0, Trigger.MODEL)
    assert ended.end == pytest.approx(1.5 + 0.72, abs=0.03)
    assert ended.confidence >= 0.7
    assert (states[-1].index, states[-1].start) == (1, ended.end)


def test_updates() -> None:
    """Each quarter of a second is told, in silence with no words, in a turn with those so far; none has a trigger."""
    states = follow(TurnTracker(Thresholds(end=1.0)), spoken(1.5))
    updates = [state for state in states if state.event is TurnEvent.UPDATE]
    assert [state.end for state in updates] == pytest.approx([n / 4 for n in range(1, 13)], abs=0.033)
    assert [text(state) for state in updates] == [""] * 4 + ["Hello"] * 3 + ["Hello there."] * 5
    assert {state.trigger for state in states} == {None}
    assert all(a.confidence <= b.confidence for a, b in itertools.pairwise(updates[-5:]))


def test_thresholds_act() -> None:
    """A higher threshold ends a turn later, and one of 1 never."""
    ends = {}
    for threshold in (0.5, 0.7, 0.9, 1.0):
        states = follow(TurnTracker(Thresholds(end=threshold)), spoken(4.0))
        ends[threshold] = [state.end for state in states if state.event is TurnEvent.END]
    assert ends[0.5] < ends[0.7] < ends[0.9]
    assert ends[1.0] == []


def test_the_timeout() -> None:
    """So much silence ends a turn, however unsure that is."""
    states = follow(TurnTracker(Thresholds(end=1.0, timeout_ms=1000)), spoken(2.0))
    (ended,) = [state for state in states if state.event is TurnEvent.END]
    assert (ended.trigger, ended.end) == (Trigger.TIMEOUT, pytest.approx(2.5, abs=0.021))


def test_an_early_end() -> None:
    """An early end is told once, only when asked for, and the end after it has the same words."""
    states = follow(TurnTracker(Thresholds(eager=0.5)), spoken(1.5))
    assert changes(states) == [
        (TurnEvent.START, "Hello"),
        (TurnEvent.EAGER_END, "Hello there."),
        (TurnEvent.END, "Hello there."),
    ]
    eager, ended = [state for state in states if state.event in (TurnEvent.EAGER_END, TurnEvent.END)]
    assert eager.end < ended.end
    assert (eager.index, eager.words, eager.trigger) == (ended.index, ended.words, None)
    unasked = follow(TurnTracker(Thresholds()), spoken(1.5))
    assert TurnEvent.EAGER_END not in [state.event for state in unasked]


def test_both_ends_at_once() -> None:
    """With equal thresholds the early end still comes before the end, with its words."""
    states = follow(TurnTracker(Thresholds(end=0.6, eager=0.6)), spoken(1.5))
    assert changes(states)[1:] == [(TurnEvent.EAGER_END, "Hello there."), (TurnEvent.END, "Hello there.")]


def test_a_turn_that_goes_on() -> None:
    """New words after an early end take it back, and another may follow."""
    more = word("Friend.", 2.3, 2.6)
    events = [
        *spoken(0.5),
        *passing(2.0, 2.6, speaking=True),
        interim(2.6, more),
        *passing(2.6, 3.0, voice=2.6, speaking=True),
        final(3.0, more),
        *passing(3.0, 4.0, voice=2.6),
    ]
    assert changes(follow(TurnTracker(Thresholds(eager=0.5)), events)) == [
        (TurnEvent.START, "Hello"),
        (TurnEvent.EAGER_END, "Hello there."),
        (TurnEvent.RESUMED, "Hello there. Friend."),
        (TurnEvent.EAGER_END, "Hello there. Friend."),
        (TurnEvent.END, "Hello there. Friend."),
    ]


def test_noise_only_delays_the_end() -> None:
    """Voice without words holds the end back until the timeout, and not for ever."""
    noise: list[LiveEvent] = []
    for second in range(2, 8):
        noise += [*passing(second, second + 1, speaking=True), interim(second + 1)]
    states = follow(TurnTracker(Thresholds(timeout_ms=3000)), [*spoken(0.5), *noise])
    (ended,) = [state for state in states if state.event is TurnEvent.END]
    assert ended.trigger is Trigger.TIMEOUT
    assert 4.5 <= ended.end <= 5.6


def test_a_cough_is_no_speech() -> None:
    """After voice that held no words the silence counts from the last word again."""
    events = [*spoken(0.5), *passing(2.0, 2.2, speaking=True), final(2.2), *passing(2.2, 2.3, voice=2.1)]
    assert changes(follow(TurnTracker(Thresholds()), events))[-1] == (TurnEvent.END, "Hello there.")


def test_an_end_by_the_client() -> None:
    """The client ends a turn that is active, and none that is not."""
    tracker = TurnTracker(Thresholds())
    assert list(tracker.force()) == []
    follow(tracker, [*spoken(0.4), final(1.9, by_client=True)])
    (ended,) = tracker.force()
    assert (ended.event, ended.trigger, text(ended)) == (TurnEvent.END, Trigger.MANUAL, "Hello there.")
    assert list(tracker.force()) == []


def test_the_end_of_the_stream_ends_no_turn() -> None:
    """When no audio follows, the words of the active turn are told once more; without a turn nothing is."""
    tracker = TurnTracker(Thresholds())
    assert list(tracker.finish()) == []
    follow(tracker, spoken(0.4))
    (last,) = tracker.finish()
    assert (last.event, text(last), last.trigger) == (TurnEvent.UPDATE, "Hello there.", None)
