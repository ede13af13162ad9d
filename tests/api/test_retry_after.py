"""The one reading of what servers ask for: seconds, milliseconds, dates, the reset of a rate limit."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.api.retry_after import LONGEST, retry_after

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30"}, 30),
        ({"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"x-ratelimit-reset": "1800000012"}, 12),
        ({"x-ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": "1700000000"}, 0),
        ({"retry-after": "3", "x-ratelimit-reset": "12"}, 3),
        ({"retry-after": "1" + "0" * 400}, LONGEST),
        ({"retry-after-ms": "1" + "0" * 400}, LONGEST),
        ({"retry-after-ms": "9" * 5000}, LONGEST),
        ({"retry-after": "Fri, 15 Jan 9999 08:00:30 GMT"}, LONGEST),
        ({"retry-after": "Fri, 15 Jan 99999999999999999999 08:00:30 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "\u0667"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_every_way_to_ask(headers: dict[str, str], seconds: float | None) -> None:
    """Each header that is in use is read, the most exact first; what makes no sense is as if it were not there."""
    assert retry_after(429, headers, NOW) == seconds


def test_the_reset_of_a_rate_limit_is_for_429_alone() -> None:
    """Servers send X-RateLimit-Reset with every answer: only of a 429 it is a wish."""
    assert retry_after(503, {"x-ratelimit-reset": "12"}, NOW) is None


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset"]), st.text()))
def test_whatever_a_server_says_is_survived(headers: dict[str, str]) -> None:
    """No text makes the reading fail, and no wait is negative, endless or no number."""
    seconds = retry_after(429, headers, NOW)
    assert seconds is None or (0 <= seconds <= LONGEST and math.isfinite(seconds))
