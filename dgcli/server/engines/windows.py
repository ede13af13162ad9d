"""Long audio cut into windows for the recogniser: around the voice in it, in bounded memory.

A window holds what was said between two pauses; where nobody pauses for long it is cut in the widest pause
that there is, or where voice is least likely. What holds no voice is never handed on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from dgcli.server.engines.vad import FRAME, FRAME_SECONDS, VoiceDetector

VOICE, NO_VOICE = 0.5, 0.35  # probability from which voice begins, and below which it ends
_PAD = 9  # frames (0.3 s) that are heard before and after voice: soft consonants
_PAUSE = 63  # frames (2 s) of silence that end a window: short ones lose their context, and words
_LONGEST = 875  # frames (28 s) of a window: Whisper hears 30 s at once
_SHORTEST = 250  # frames (8 s) of a window that is cut without a long pause
_LEAST_VOICE = 8  # frames of voice without which a window holds none


@dataclass(frozen=True, slots=True)
class FileWindow:
    """Audio to be recognised, from `start` seconds on: float32 samples, and where voice is, in seconds from it."""

    start: float
    samples: Any
    voiced: Sequence[tuple[float, float]]


def voiced(probabilities: Sequence[float]) -> list[bool]:
    """Tell of each frame whether somebody speaks, sluggish enough not to flicker."""
    speaking, result = False, []
    for probability in probabilities:
        speaking = probability >= (NO_VOICE if speaking else VOICE)
        result.append(speaking)
    return result


def runs(flags: Sequence[bool], value: bool) -> list[tuple[int, int]]:
    """Return the first frame and the one after the last of each run of `value`."""
    result, at = [], 0
    for flag, group in groupby(flags):
        length = sum(1 for _ in group)
        if flag == value:
            result.append((at, at + length))
        at += length
    return result


def cut_at(probabilities: Sequence[float], low: int, high: int) -> int:
    """Return the best frame between two to cut at: in the widest pause, else where voice is least likely."""
    pauses = [(end - start, (start + end) // 2) for start, end in runs(voiced(probabilities), False)]
    inside = [(width, middle) for width, middle in pauses if low <= middle < high]
    if inside:
        return max(inside)[1]
    smooth = np.convolve(probabilities, np.ones(3) / 3, "same")
    return low + int(np.argmin(smooth[low:high]))


class WindowCutter:
    """Cuts one channel; blocks of float32 samples at 16 kHz go in, windows come out."""

    def __init__(self, session: Any = None) -> None:
        self._detector = VoiceDetector(session)
        self._samples = np.zeros(0, np.float32)  # from frame `_first` on
        self._first = 0
        self._probabilities: list[float] = []  # of the frames since then
        self._speaking = False
        self._quiet = 0  # frames without voice at the end
        self._heard = False  # whether there was voice since `_first`

    def accept(self, samples: Any) -> Iterator[FileWindow]:
        """Take a block and yield the windows that it completes."""
        self._samples = np.concatenate([self._samples, samples])
        yield from self._look(self._detector.accept(samples))

    def finish(self) -> Iterator[FileWindow]:
        """Yield what is left."""
        yield from self._look(self._detector.finish())
        if self._heard:
            yield from self._window(len(self._probabilities))

    def _look(self, probabilities: Any) -> Iterator[FileWindow]:
        for probability in probabilities:
            self._probabilities.append(float(probability))
            self._speaking = probability >= (NO_VOICE if self._speaking else VOICE)
            self._quiet = 0 if self._speaking else self._quiet + 1
            self._heard = self._heard or self._speaking
            if not self._heard:
                if len(self._probabilities) > 4 * _PAD:
                    self._drop(len(self._probabilities) - _PAD)
            elif self._quiet >= _PAUSE:
                yield from self._window(len(self._probabilities) - self._quiet + _PAD)
                self._drop(len(self._probabilities) - _PAD)
                self._heard = False
            elif len(self._probabilities) >= _LONGEST:
                cut = cut_at(self._probabilities, _SHORTEST, _LONGEST - _PAD)
                yield from self._window(cut)
                self._drop(cut)
                self._heard = any(voiced(self._probabilities))

    def _drop(self, frames: int) -> None:
        del self._probabilities[:frames]
        self._samples = self._samples[frames * FRAME :].copy()
        self._first += frames

    def _window(self, frames: int) -> Iterator[FileWindow]:
        speech = runs(voiced(self._probabilities[:frames]), True)
        if sum(end - start for start, end in speech) < _LEAST_VOICE:
            return
        # A pause that was cut in half is not heard again.
        skipped = max(speech[0][0] - _PAD, 0)
        yield FileWindow(
            (self._first + skipped) * FRAME_SECONDS,
            self._samples[skipped * FRAME : frames * FRAME],
            [((start - skipped) * FRAME_SECONDS, (end - skipped) * FRAME_SECONDS) for start, end in speech],
        )
