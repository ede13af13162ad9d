"""How long a server asks to be left alone: the one reading of all headers in use.

Sources: RFC 9110, section 10.2.3 (Retry-After: seconds or a date); the SDKs of the API, which also read
`retry-after-ms` and, of a 429, `X-RateLimit-Reset`.
"""

import re
import time
from collections.abc import Mapping

# More than anybody waits for. A number that no clock can hold means this much, too.
LONGEST = 86400.0
# X-RateLimit-Reset is a point of time in Unix seconds with most servers, and a number of seconds with some.
_UNIX_TIME = 1e9
_NUMBER = re.compile(r"\d+(\.\d+)?")
_TOO_MANY = 429


def _number(text: str | None) -> float | None:
    text = (text or "").strip()
    return float(text) if text.isascii() and _NUMBER.fullmatch(text) else None


def _date(text: str | None, now: float) -> float | None:
    """Seconds until an HTTP date; `None` for anything else."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    # Without a zone, HTTP means GMT; Python would take it for the zone of this machine.
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now


def retry_after(status: int, headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds to wait, from 0 up to a day; `None` where no header says so in a known way.

    Header names are lower case, or the mapping does not mind. `now` is Unix time.
    """
    now = time.time() if now is None else now
    milliseconds = _number(headers.get("retry-after-ms"))
    seconds = None if milliseconds is None else milliseconds / 1000
    if seconds is None:
        seconds = _number(headers.get("retry-after"))
    if seconds is None:
        seconds = _date(headers.get("retry-after"), now)
    if seconds is None and status == _TOO_MANY:
        seconds = _number(headers.get("x-ratelimit-reset"))
        if seconds is not None and seconds >= _UNIX_TIME:
            seconds -= now
    return None if seconds is None else min(max(seconds, 0.0), LONGEST)
