"""What in an answer is not of the type that it should be, so that it is left out: told, lest it pass for silence."""

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from dgcli.transcript.json_values import LONGEST
from dgcli.transcript.model import Channel, Word

_TIMES = ("start", "end")


def _is_number(value: object) -> bool:
    """Whether a value can be a time; text that says a number can, since some servers write them so."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return abs(float(value)) <= LONGEST  # not NaN either
    except (ValueError, OverflowError):
        return False


def _of_words(items: object, place: str) -> Iterator[str]:
    """Yield the places of what is wrong in a list of words."""
    if not isinstance(items, list):
        yield place
        return
    for number, item in enumerate(items):
        here = f"{place}[{number}]"
        if not isinstance(item, dict):
            yield here
            continue
        yield from (
            f"{here}.{name}"
            for name in ("word", "punctuated_word")
            if not isinstance(item.get(name, ""), str)
        )
        if "word" not in item and "punctuated_word" not in item:
            yield f"{here}.word"
        yield from (f"{here}.{name}" for name in _TIMES if name in item and not _is_number(item[name]))


def _of_alternatives(items: object, place: str) -> Iterator[str]:
    if not isinstance(items, list):
        yield place
        return
    for number, item in enumerate(items[:1]):  # no other is read
        here = f"{place}[{number}]"
        if not isinstance(item, dict):
            yield here
            continue
        if not isinstance(item.get("transcript", ""), str):
            yield f"{here}.transcript"
        if "words" in item:
            yield from _of_words(item["words"], f"{here}.words")


def _are_whole(items: object, words: Sequence[Word]) -> bool:
    """Whether all words were read, and have times: a look at each item would take long for hours of speech."""
    if not isinstance(items, list) or len(items) != len(words):
        return False
    starts, ends = map(attrgetter("start"), words), map(attrgetter("end"), words)
    return not math.isnan(sum(starts) + sum(ends))


def _of_channel(item: object, channel: Channel | None, place: str) -> Iterator[str]:
    if not isinstance(item, dict):
        yield place
        return
    alternatives = item.get("alternatives", [])
    if (
        channel is not None
        and isinstance(alternatives, list)
        and alternatives
        and isinstance(alternatives[0], dict)
    ):
        first = alternatives[0]
        if isinstance(first.get("transcript", ""), str) and _are_whole(first.get("words", []), channel.words):
            return
    yield from _of_alternatives(alternatives, f"{place}.alternatives")


def _told(places: Sequence[str], *, is_nothing: bool = False) -> str | None:
    if not places:
        return None
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    if is_nothing:
        return f"The answer is malformed, and nothing in it can be read: look at {places[0]}{more}."
    return f"The answer is malformed; what is not what it should be is left out: {places[0]}{more}."


def unread_response(results: Mapping[str, Any]) -> str | None:
    """Return what is wrong with results in which no word and no text was read; None where nobody spoke."""
    places: list[str] = []
    for number, item in enumerate(results["channels"]):
        places += _of_channel(item, None, f"results.channels[{number}]")
    return _told(places, is_nothing=True)


def odd_response(results: Mapping[str, Any], channels: Sequence[Channel], metadata: object) -> str | None:
    """Return a warning about the results of a response whose `channels` have been read; None where all is well."""
    items = results["channels"]
    places: list[str] = []
    read = iter(channels)
    for number, item in enumerate(items):
        own = next(read, None) if isinstance(item, dict) else None
        places += _of_channel(item, own, f"results.channels[{number}]")
    duration = metadata.get("duration") if isinstance(metadata, dict) else None
    if duration is not None and not _is_number(duration):
        places.append("metadata.duration")
    return _told(places)


def _odd_turn(message: Mapping[str, Any], words: Sequence[Word]) -> str | None:
    """The same for a `TurnInfo`, whose words need no times."""
    times = ("audio_window_start", "audio_window_end")
    places = [name for name in times if not _is_number(message.get(name))]
    if not isinstance(message.get("transcript"), str):
        places.append("transcript")
    items = message.get("words")
    if (
        not isinstance(items, list)
        or len(items) < len(words)
        or not all(isinstance(item, dict) for item in items)
    ):
        places.append("words")
    return _told(places)


def odd_message(message: Mapping[str, Any], words: Sequence[Word]) -> str | None:
    """Return a warning about a result whose `words` have been read; None where all is well."""
    if message.get("type") == "TurnInfo":
        return _odd_turn(message, words)
    channel = message.get("channel")
    places = [name for name in ("start", "duration") if name in message and not _is_number(message[name])]
    if not isinstance(channel, dict):
        places.append("channel")
    else:
        places += _of_channel(channel, Channel(0, "", tuple(words)), "channel")
    return _told(places)
