"""The shared pace: pure arithmetic on an injected clock, and threads that wait for it."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.batch.pace import SharedPace, Stopped, Throttle


def test_refusal_slows_everything_down() -> None:
    """A 429 halves how many may be under way, and holds all of them back for as long as the server asked."""
    throttle = Throttle(8)
    for _ in range(8):
        assert throttle.delay(0.0) == 0.0
        throttle.start(0.0)
    assert throttle.delay(0.0) is None
    throttle.refuse(1.0, 0.0, wait=5.0)
    assert throttle.delay(1.0) is None  # seven are under way, four may be
    for _ in range(7):
        throttle.end()
    assert throttle.delay(1.0) == 5.0
    assert throttle.delay(6.0) == 0.0
    assert throttle.width == 4.0


def test_refusals_of_one_burst_count_once() -> None:
    """Eight refusals of requests that were sent together are one message, not eight halvings."""
    throttle = Throttle(64)
    for _ in range(8):
        throttle.start(0.0)
    for _ in range(8):
        throttle.refuse(1.0, 0.0, wait=None)
    assert throttle.width == 32.0


def test_pauses_grow() -> None:
    """Without a Retry-After, the pause doubles with each refusal in a row, up to a minute."""
    throttle, now, pauses = Throttle(4), 0.0, []
    for _ in range(10):
        throttle.start(now)
        throttle.refuse(now + 0.001, now, wait=None)
        pauses.append(throttle.not_before - now - 0.001)
        now = throttle.not_before + 1
    assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60])


def test_successes_speed_it_up_again() -> None:
    """Successes give back, little by little, all that was taken."""
    throttle = Throttle(8)
    throttle.start(0.0)
    throttle.refuse(0.0, 0.0, wait=0.0)
    widths = []
    for _ in range(60):
        throttle.start(0.0)
        throttle.accept()
        widths.append(throttle.width)
    assert widths[0] == pytest.approx(4.25)
    assert widths == sorted(widths)
    assert widths[-1] == 8.0


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 2), min_size=2, max_size=50))
def test_requests_a_second(max_rps: float, gaps: list[float]) -> None:
    """With --max-rps, starts are never closer than that, however unevenly they are asked for."""
    throttle, now, starts = Throttle(10**6, max_rps), 0.0, []
    for gap in gaps:
        now += gap
        delay = throttle.delay(now)
        assert delay is not None
        now += delay
        throttle.start(now)
        starts.append(now)
    assert all(later - earlier >= 1 / max_rps - 1e-6 for earlier, later in pairwise(starts))


@given(st.lists(st.sampled_from(["start", "accept", "end", "refuse"]), max_size=200), st.integers(1, 16))
def test_something_always_may_start(steps: list[str], most: int) -> None:
    """Whatever the answers, the width stays from 1 to --jobs, and an idle run may always start something."""
    throttle, now = Throttle(most), 0.0
    for step in steps:
        now += 0.1
        if step == "start":
            throttle.start(now)
        elif throttle.under_way:
            match step:
                case "accept":
                    throttle.accept()
                case "end":
                    throttle.end()
                case "refuse":
                    throttle.refuse(now, now - 0.05, wait=None)
        assert 1 <= throttle.width <= most
    while throttle.under_way:
        throttle.end()
    assert throttle.delay(now + 61) == 0.0


def test_who_waits_is_told_to_stop() -> None:
    """A thread that waits for its turn gets `Stopped` when the run stops."""
    pace = SharedPace(1)
    pace.admit()
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(Stopped):
            pace.admit()
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    pace.stop()
    assert ended.wait(10)
    thread.join()


def test_refusals_are_no_tries() -> None:
    """A 429 is sent again without counting, until nothing but refusals came for a quarter of an hour."""
    now = 0.0
    pauses: list[float] = []
    pace = SharedPace(2, slowed=pauses.append, clock=lambda: now)
    pace.admit()
    assert pace.answered(429, 3.0)
    assert pauses == [3.0]
    now = 100.0
    pace.admit()
    assert pace.answered(429, None)
    now = 901.0
    pace.admit()
    assert not pace.answered(429, None)


def test_a_wait_that_is_too_long() -> None:
    """A server that wants ten minutes is not waited for: the recording fails, and the others are held back."""
    pace = SharedPace(2, clock=lambda: 0.0)
    pace.admit()
    assert not pace.answered(429, 600.0)
    assert pace._throttle.delay(0.0) == 300.0
