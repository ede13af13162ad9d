"""Input devices, and the choice of one by index or name."""

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


def _named(devices: Sequence[Device], name: str) -> Sequence[Device]:
    """The devices that have this name, or, if none has, those with all its words in theirs."""
    folded = " ".join(name.casefold().split())
    exact = [device for device in devices if " ".join(device.name.casefold().split()) == folded]
    if exact:
        return exact
    whole = [f"{device.name}, {device.host_api}".casefold() for device in devices]
    matches = [device for device, text in zip(devices, whole, strict=True) if folded in text]
    if matches:
        return matches
    words = folded.split()
    return [
        device for device, text in zip(devices, whole, strict=True) if all(word in text for word in words)
    ]


def choose(devices: Sequence[Device], name: str | None) -> Device:
    """The device with this index or name or part of a name; None: the default one, or else the first.

    Raises `UsageError` if none or several are meant. `devices` must not be empty.
    """
    if name is None:
        return next((device for device in devices if device.is_default), devices[0])
    text = name.strip()
    if text.isdecimal():
        by_index = [device for device in devices if device.index == int(text)]
        if by_index:
            return by_index[0]
    matches = _named(devices, text) if text else []
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"{name!r} fits several microphones: {_listed(matches)}.", hint="Give the index.")
    raise UsageError(f"There is no microphone {name!r}: there is {_listed(devices)}.", hint=_HINT)
