"""Pacing of audio, and the back-off before the next try: no I/O, no threads."""

import random

from dgcli.audio.base import Pace

# What a pipe may be ahead by: it comes in bursts, which say nothing about its speed.
_BURST = 0.5
# How late a thread may wake without losing the time.
_SLACK = 0.05


class Metronome:
    """Schedules a source's audio; all in the seconds of the caller's clock.

    At real-time pace audio keeps to a schedule, and catches up with it at `max_speed` when it was late. At a
    capped pace it goes on as it comes, but no faster than `max_speed` for long. At a free pace at once.
    """

    def __init__(self, pace: Pace, speed: float, max_speed: float) -> None:
        self._pace = pace
        self._speed = speed
        self._limit = max_speed
        self._scheduled: float | None = None
        self._earliest = 0.0

    def due(self, seconds: float, now: float) -> float:
        """Return the time at which the next block, so many seconds long, may go on."""
        if self._pace is Pace.FREE:
            return now
        if self._pace is Pace.CAPPED:
            due = max(self._earliest, now - _BURST)
            self._earliest = due + seconds / self._limit
            return due
        if self._scheduled is None:
            self._scheduled = now
        due = max(self._scheduled, self._earliest)
        self._scheduled += seconds / self._speed
        # Late is what comes after its time: from then on no faster than catching up is allowed.
        self._earliest = max(due, now - _SLACK) + seconds / self._limit
        return due

    def hold(self, seconds: float) -> None:
        """The schedule moves: audio was held back for so long."""
        if self._scheduled is not None:
            self._scheduled += seconds


class Limiter:
    """Keeps what is sent below a speed, measured from the last time it was idle."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self.next = 0.0  # when more may be sent

    def sent(self, seconds: float, now: float) -> None:
        """Note that so many seconds of audio were sent now."""
        self.next = max(self.next, now - _SLACK) + seconds / self._speed


def pause_before(try_number: int, first: float, longest: float) -> float:
    """Seconds to wait before a try, counted from 1: doubling, with half of it left to chance.

    The first try after a drop comes almost at once: most drops are over when they are noticed.
    """
    if try_number <= 1:
        return first * random.random() / 2
    whole = min(longest, first * float(1 << min(try_number - 1, 16)))
    return whole * (0.5 + random.random() / 2)
