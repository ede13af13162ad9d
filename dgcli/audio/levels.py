"""Levels of linear16 audio: for a meter, for warnings on a stream, for a mic test. Pure.

Levels are in dBFS: 0 is the loudest that 16 bits can hold, and silence is minus infinity.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

_FULL = 32768
SILENCE = -math.inf

# Below this peak (8 steps of 32768) there is no microphone at work: it is muted, or nothing is plugged in.
NO_SIGNAL = -72.0
NO_SIGNAL_SECONDS = 5.0
_CLIPPED_SAMPLES = 3  # at full scale in one block: one alone may be chance
_CLIPPING_SECONDS = 10.0  # between two warnings

# What speech should look like, for `dg mic --test`.
_QUIET = -45.0
_NOISY = -40.0
_CONTRAST = 12.0  # dB between the loudest blocks and the noise
_MONOTONE = 6.0


def decibels(amplitude: float) -> float:
    """An amplitude between 0 and 32768 in dBFS."""
    return 20 * math.log10(amplitude / _FULL) if amplitude > 0 else SILENCE


@dataclass(frozen=True, slots=True)
class Level:
    """The level of a block: highest sample and root mean square, in dBFS; samples at full scale."""

    peak: float = SILENCE
    rms: float = SILENCE
    clipped: int = 0


def measure(block: bytes) -> Level:
    """The level of a block of linear16 in this machine's byte order, over all its channels."""
    samples = array("h", block)
    if not samples:
        return Level()
    low, high = min(samples), max(samples)
    is_full = high == _FULL - 1 or low == -_FULL
    return Level(
        peak=decibels(max(high, -low)),
        rms=decibels(math.sqrt(sum(map(mul, samples, samples)) / len(samples))),
        clipped=samples.count(_FULL - 1) + samples.count(-_FULL) if is_full else 0,
    )


class SignalWatch:
    """Warns when a microphone gives no signal, or too much. `name` is for the messages."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._silent = 0.0  # seconds
        self._warned = False
        self._since_clipping = math.inf

    def take(self, level: Level, seconds: float) -> str | None:
        """Return the warning due after a block of so many seconds, if any."""
        self._since_clipping += seconds
        if level.peak > NO_SIGNAL:
            self._silent, self._warned = 0.0, False
        else:
            self._silent += seconds
        if self._silent >= NO_SIGNAL_SECONDS - seconds / 2 and not self._warned:
            self._warned = True
            return (
                f"No signal from {self._name} for {NO_SIGNAL_SECONDS:g} s: it may be muted, or not be the "
                "one you speak into (dg devices)."
            )
        if level.clipped >= _CLIPPED_SAMPLES and self._since_clipping >= _CLIPPING_SECONDS:
            self._since_clipping = 0.0
            return f"Clipping: {self._name} is too loud; turn its input level down."
        return None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result of a mic test. Levels in dBFS; `floor` is the background between words."""

    seconds: float
    peak: float
    rms: float
    floor: float
    clipped: int
    advice: tuple[str, ...]


def _advice(peak: float, loud: float, floor: float, clipped: int) -> Sequence[str]:
    if peak <= NO_SIGNAL:
        return ["There is no signal: is it muted, or not the one you speak into? See: dg devices"]
    advice = []
    if clipped:
        advice.append("It clips: turn the input level down, or speak from further away.")
    contrast = loud - floor
    if contrast < _MONOTONE:
        advice.append("Nothing stands out from the background: did you speak? Try once more.")
    elif loud < _QUIET:
        advice.append("It is very quiet: turn the input level up, or come nearer.")
    elif floor > _NOISY:
        advice.append("The background is loud: find a quieter place, or come nearer.")
    elif contrast < _CONTRAST:
        advice.append("Speech hardly stands out from the background: come nearer.")
    return advice


def judge(levels: Sequence[Level], block_seconds: float) -> Judgement:
    """Judge a recording, in blocks of so many seconds, and advise how to improve it."""
    if not levels:
        return Judgement(0.0, SILENCE, SILENCE, SILENCE, 0, ("Nothing was recorded.",))
    sorted_rms = sorted(level.rms for level in levels)
    floor, loud = sorted_rms[len(levels) // 20], sorted_rms[-1 - len(levels) // 10]
    peak = max(level.peak for level in levels)
    clipped = sum(level.clipped for level in levels)
    power = sum(10 ** (level.rms / 10) for level in levels) / len(levels)
    return Judgement(
        seconds=len(levels) * block_seconds,
        peak=peak,
        rms=10 * math.log10(power) if power > 0 else SILENCE,
        floor=floor,
        clipped=clipped,
        advice=tuple(_advice(peak, loud, floor, clipped)),
    )
