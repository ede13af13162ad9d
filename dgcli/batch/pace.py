"""One pace for all requests of a run: when the server says "too many", all of them slow down together.

Additive increase, multiplicative decrease, as TCP does it (Chiu and Jain, 1989; RFC 5681): a refusal halves how
many requests may be under way and holds all of them back for as long as the server asked; every success gives
a little of it back. Refusals that answer requests sent before the last halving say nothing new.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_FIRST_PAUSE = 0.5  # seconds after a refusal that names none; doubles with each in a row
_LONGEST_PAUSE = 60.0
_LONGEST_WISH = 300.0  # seconds; a server that wants more is not waited for
_SENSELESS_WISH = 86_400.0  # seconds; who names a day or more says nothing about when to come again
_LONGEST_REFUSAL = 900.0  # seconds of nothing but refusals after which a recording is given up
_TOO_MANY, _UNAVAILABLE = 429, 503


class Stopped(Exception):
    """The run is stopping: what has not been sent whole is not to be sent."""


@dataclass(slots=True)
class Throttle:
    """The number of requests allowed at once, and the time of the next; pure arithmetic on seconds of some clock.

    `most` requests at once, `max_rps` starts a second (None: any number).
    """

    most: int
    max_rps: float | None = None
    width: float = 0.0
    under_way: int = 0
    not_before: float = -math.inf
    next_start: float = -math.inf
    halved_at: float = -math.inf
    refusals: int = 0

    def __post_init__(self) -> None:
        self.width = float(self.most)

    def delay(self, now: float) -> float | None:
        """Seconds until another request may start, 0 for at once; None: not before one has ended."""
        if self.under_way >= max(1, int(self.width)):
            return None
        return max(0.0, self.not_before - now, self.next_start - now)

    def start(self, now: float) -> None:
        """Note the start of a request."""
        self.under_way += 1
        if self.max_rps:
            self.next_start = max(now, self.next_start) + 1 / self.max_rps

    def accept(self) -> None:
        """Note a success: allow a little more."""
        self.under_way -= 1
        self.refusals = 0
        self.width = min(float(self.most), self.width + 1 / max(1.0, self.width))

    def end(self) -> None:
        """Note a request that failed for a reason of its own."""
        self.under_way -= 1

    def refuse(self, now: float, sent_at: float, wait: float | None) -> None:
        """Note the refusal of a request sent at `sent_at`; `wait` (seconds) is what the server asks for."""
        self.under_way -= 1
        if sent_at >= self.halved_at:
            self.width = max(1.0, self.width / 2)
            self.halved_at = now
            self.refusals += 1
        if wait is None:
            wait = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(max(self.refusals, 1) - 1, 10))
        self.not_before = max(self.not_before, now + wait)


class SharedPace:
    """A `Throttle` that threads wait for: a `RequestPace` of the REST caller.

    `slowed` is told, with seconds, when the run is held back.
    """

    def __init__(
        self,
        most: int,
        max_rps: float | None = None,
        *,
        slowed: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._throttle = Throttle(most, max_rps)
        self._changed = threading.Condition()
        self._slowed = slowed
        self._clock = clock
        self._stopped = False
        self._own = threading.local()

    @property
    def width(self) -> int:
        """The number of requests allowed at once, now."""
        return max(1, int(self._throttle.width))

    def stop(self) -> None:
        """Let no request start any more: every waiting or new one gets `Stopped`."""
        self._stopped = True
        with self._changed:
            self._changed.notify_all()

    def admit(self) -> None:
        """Wait until a request may start. Raises `Stopped`."""
        with self._changed:
            while True:
                if self._stopped:
                    raise Stopped
                delay = self._throttle.delay(self._clock())
                if delay == 0:
                    break
                self._changed.wait(delay)
            self._own.sent_at = self._clock()
            self._own.is_under_way = True
            self._throttle.start(self._own.sent_at)

    def abandon(self) -> None:
        """Note that this thread's request has ended, in whatever way, if nobody has noted it."""
        if not getattr(self._own, "is_under_way", False):
            return
        with self._changed:
            self._own.is_under_way = False
            self._throttle.end()
            self._changed.notify_all()

    def answered(self, status: int | None, wait: float | None) -> bool:
        """Note the end of a request (None: without an answer); whether to repeat it without counting a try."""
        with self._changed:
            now, again, pause = self._clock(), False, None
            if wait is not None and wait >= _SENSELESS_WISH:
                wait = None
            self._own.is_under_way = False
            if status == _TOO_MANY or (status == _UNAVAILABLE and wait is not None):
                before = self._throttle.not_before
                self._throttle.refuse(now, self._own.sent_at, min(wait, _LONGEST_WISH) if wait else wait)
                if self._throttle.not_before > max(before, now):
                    pause = self._throttle.not_before - now
                since = getattr(self._own, "refused_since", None)
                self._own.refused_since = now if since is None else since
                may_wait = now - self._own.refused_since < _LONGEST_REFUSAL
                again = status == _TOO_MANY and may_wait and (wait is None or wait <= _LONGEST_WISH)
            elif status is not None and status < 300:
                self._throttle.accept()
            else:
                self._throttle.end()
            if not again:
                self._own.refused_since = None
            self._changed.notify_all()
        if pause is not None:
            self._slowed(pause)
        return again
