"""Typed values of untrusted JSON: each is of the type that is asked for, or empty."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

# Seconds, 31 years: no time is beyond it, and what is cannot be calculated with.
LONGEST = 1e9


def json_object(text: bytes) -> Mapping[str, Any] | None:
    """Return the object in a text of JSON; `None` where that holds anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return value if isinstance(value, dict) else None


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, empty for anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, whatever else may be in it or stand in its place."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def string(value: object) -> str:
    """Return a string that can be encoded, empty for anything else."""
    if not isinstance(value, str):
        return ""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON can name half a character: "\\ud800"
        return value.encode("utf-8", "replace").decode()
    return value


def whole(value: object) -> int | None:
    """Return an integer, `None` for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object, default: float = 0.0) -> float:
    """Return a number that can be a time, the default for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    try:
        converted = float(value)
    except OverflowError:  # an integer beyond every float
        return default
    return converted if abs(converted) <= LONGEST else default


def seconds(value: object) -> float:
    """Return a time as a float, also from text; NaN for what is missing or cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        converted = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return converted if abs(converted) <= LONGEST else math.nan
