"""Typed values of untrusted JSON: each is of the type that is asked for, or empty."""

import math
from collections.abc import Iterator, Mapping
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, empty for anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, whatever else may be in it or stand in its place."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def string(value: object) -> str:
    """Return a string, empty for anything else."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """Return an integer, `None` for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object, default: float = 0.0) -> float:
    """Return a finite number, the default for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    try:
        converted = float(value)
    except OverflowError:  # an integer beyond every float
        return default
    return converted if math.isfinite(converted) else default


def seconds(value: object) -> float:
    """Return a time as a float, also from text; NaN for what is missing or no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
