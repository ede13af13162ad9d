"""Input devices: what is known of one, and which one a user means."""

from collections.abc import Sequence
from dataclasses import dataclass

from dgcli.errors import UsageError

_HINT = "All of them: dg devices"


@dataclass(frozen=True, slots=True)
class Device:
    """An input device. `channels` is the most it takes, `sample_rate` (Hz) the one it has by itself."""

    index: int
    name: str
    host_api: str
    channels: int
    sample_rate: int
    is_default: bool = False


def _listed(devices: Sequence[Device]) -> str:
    return ", ".join(f"{device.index} {device.name} ({device.host_api})" for device in devices)


def _named(devices: Sequence[Device], wanted: str) -> Sequence[Device]:
    """The devices that have this name, or, if none has, those with all its words in theirs."""
    folded = " ".join(wanted.casefold().split())
    exact = [one for one in devices if " ".join(one.name.casefold().split()) == folded]
    if exact:
        return exact
    whole = [f"{one.name}, {one.host_api}".casefold() for one in devices]
    found = [one for one, text in zip(devices, whole, strict=True) if folded in text]
    if found:
        return found
    words = folded.split()
    return [one for one, text in zip(devices, whole, strict=True) if all(word in text for word in words)]


def choose(devices: Sequence[Device], wanted: str | None) -> Device:
    """The device with this index or name or part of a name; None: the default one, or else the first.

    Raises `UsageError` if none or several are meant. `devices` must not be empty.
    """
    if wanted is None:
        return next((one for one in devices if one.is_default), devices[0])
    text = wanted.strip()
    if text.isdecimal():
        by_index = [one for one in devices if one.index == int(text)]
        if by_index:
            return by_index[0]
    found = _named(devices, text) if text else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{wanted!r} fits several microphones: {_listed(found)}.", hint="Give the index.")
    raise UsageError(f"There is no microphone {wanted!r}: there is {_listed(devices)}.", hint=_HINT)
