"""How fast audio goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.audio.base import Pace
from dgcli.live.pace import Limiter, Metronome, pause_before

BLOCKS = st.lists(st.tuples(st.floats(0.001, 0.25), st.floats(0, 0.5)), min_size=1, max_size=200)


def run(metronome: Metronome, blocks: list[tuple[float, float]]) -> list[float]:
    """When each block goes on: (its length, how long after the last one went it is there)."""
    now, gone = 100.0, []
    for seconds, wait in blocks:
        now = max(now + wait, metronome.due(seconds, now + wait))
        gone.append(now)
    return gone


@given(BLOCKS, st.sampled_from([0.5, 1.0, 1.25]))
def test_a_file_is_never_ahead_of_its_schedule(blocks: list[tuple[float, float]], speed: float) -> None:
    """At real-time pace no block goes before its time, however the reading stutters."""
    gone = run(Metronome(Pace.REAL_TIME, speed, 1.25), blocks)
    position = 0.0
    for (seconds, _), at in zip(blocks, gone, strict=True):
        assert at - gone[0] >= position / speed - 1e-9
        position += seconds


@given(st.lists(st.floats(0.02, 0.25), min_size=20, max_size=200))
def test_a_late_file_catches_up_at_the_limit(lengths: list[float]) -> None:
    """After a stall of 10 s a file goes on at 1.25 times real time, and not faster."""
    gone = run(Metronome(Pace.REAL_TIME, 1.0, 1.25), [(0.1, 0.0), (0.1, 10.0), *((s, 0.0) for s in lengths)])
    sent = 0.1 + sum(lengths[:-1])
    took = gone[-1] - gone[1]
    assert sent <= took * 1.25 + 0.1
    assert sent >= took * 0.99


@given(BLOCKS)
def test_a_pipe_is_capped(blocks: list[tuple[float, float]]) -> None:
    """A pipe goes on as it comes, but over any stretch no faster than the cap and what a burst may hold."""
    gone = run(Metronome(Pace.CAPPED, 1.0, 1.25), blocks)
    for first in range(0, len(gone), 7):
        sent = sum(seconds for seconds, _ in blocks[first:-1])
        assert sent <= (gone[-1] - gone[first] + 0.5) * 1.25 + 1e-6


@given(BLOCKS)
def test_an_endless_source_is_never_held(blocks: list[tuple[float, float]]) -> None:
    """At a free pace every block goes at once."""
    gone = run(Metronome(Pace.FREE, 1.0, 1.25), blocks)
    assert gone[-1] == pytest.approx(100.0 + sum(wait for _, wait in blocks))


def test_a_pause_moves_the_schedule() -> None:
    """What was held back is not caught up with."""
    metronome = Metronome(Pace.REAL_TIME, 1.0, 1.25)
    assert metronome.due(0.1, 50.0) == 50.0
    metronome.hold(30.0)
    assert metronome.due(0.1, 80.0) == pytest.approx(80.1)


@given(st.lists(st.floats(0.02, 0.25), min_size=1, max_size=100), st.sampled_from([1.25, 4.0]))
def test_catching_up_has_a_limit(lengths: list[float], speed: float) -> None:
    """What is sent when the limiter allows it is no more than its speed, but for a moment's slack."""
    limiter, now = Limiter(speed), 10.0
    limiter.next = now
    for seconds in lengths:
        now = max(now, limiter.next)
        limiter.sent(seconds, now)
    assert sum(lengths[:-1]) <= (now - 10.0 + 0.06) * speed


def test_tries_come_later_and_later() -> None:
    """The first try comes almost at once, each further one waits about twice as long, up to the longest."""
    for number, least, most in [
        (1, 0.0, 0.25),
        (2, 0.5, 1.0),
        (3, 1.0, 2.0),
        (6, 7.5, 15.0),
        (999, 7.5, 15.0),
    ]:
        waits = [pause_before(number, 0.5, 15.0) for _ in range(50)]
        assert least <= min(waits)
        assert max(waits) <= most
        assert len(set(waits)) > 1
