"""Where the voice is in a recording, by its loudness."""

from collections.abc import Sequence

import numpy as np

from dgcli.server.engines.base import RATE

FRAMES = 100  # a second
_HOP = RATE // FRAMES  # samples between two measures of loudness
_BELOW = 17.0  # dB below the loud parts of a second around: silence
_FLOOR = 5.0  # dB above the quietest parts of the recording that are silence too: its noise
_LEAST = 6.0  # dB below the loud parts at least
_SOFT = 4.0  # dB from silence to what is surely voice
_STRETCH = 25  # frames that share a measure of what is loud
_BEFORE, _AFTER = 4, 5  # frames of silence before an onset, and of those after it in which the voice is


def loudness(samples: bytes) -> Sequence[float]:
    """Return the loudness in dB of float32 samples, each hundredth of a second."""
    audio = np.frombuffer(samples, np.float32)
    count = max(len(audio) // _HOP - 1, 0)
    if not count:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(audio, 2 * _HOP)[::_HOP][:count]
    measured: list[float] = (10 * np.log10((frames**2).mean(axis=1) + 1e-12)).tolist()
    return measured


def voiced(levels: Sequence[float]) -> Sequence[float]:
    """Return of each frame whether the voice is there: 1 surely, -1 surely not."""
    if not levels:
        return []
    all_levels = np.asarray(levels)
    floor = float(np.percentile(all_levels, 5)) + _FLOOR
    result: list[float] = []
    for at in range(0, len(levels), _STRETCH):
        loud = float(np.percentile(all_levels[max(at - FRAMES, 0) : at + FRAMES + _STRETCH], 90))
        silence = max(loud - _BELOW, min(floor, loud - _LEAST))
        own = (all_levels[at : at + _STRETCH] - silence) / _SOFT
        result.extend(np.clip(own, -1.0, 1.0).tolist())
    return result


def onset(voice: Sequence[float], first: int, last: int) -> int | None:
    """Return the first frame of a range where the voice sets in after a silence."""
    for at in range(max(first, _BEFORE), min(last, len(voice) - _AFTER)):
        if voice[at] <= 0 or any(level > 0 for level in voice[at - _BEFORE : at]):
            continue
        if sum(level > 0 for level in voice[at : at + _AFTER]) >= _AFTER - 1:
            return at
    return None
