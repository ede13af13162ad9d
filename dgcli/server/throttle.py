"""A logger that a client cannot make write without end."""

import logging
import time
from collections.abc import Callable

_AT_ONCE = 20  # lines
_EVERY = 6.0  # seconds until one more line may be written


class LogThrottle(logging.Filter):
    """Lets through a few warnings at once, then one every few seconds; says how many it kept back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._credit = float(_AT_ONCE)
        self._seen = clock()
        self._dropped = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written."""
        if record.levelno < logging.WARNING:
            return False
        now = self._clock()
        self._credit = min(_AT_ONCE, self._credit + (now - self._seen) / _EVERY)
        self._seen = now
        if self._credit < 1:
            self._dropped += 1
            return False
        self._credit -= 1
        if self._dropped:
            record.msg, record.args = (
                f"{record.getMessage()} ({self._dropped} lines before it left out)",
                None,
            )
            self._dropped = 0
        return True


def throttled(logger: logging.Logger) -> logging.Logger:
    """Return the logger with a throttle, which it gets once."""
    if not any(isinstance(known, LogThrottle) for known in logger.filters):
        logger.addFilter(LogThrottle())
    return logger
