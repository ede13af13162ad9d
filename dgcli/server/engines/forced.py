"""Forced alignment: when the words of a text are said, which is known but for a few of its times.

The recogniser's attention tells roughly where a word is, mostly too late by as much as it is for the words around,
whose times are known: by so much it is corrected. A word begins where the one before ends, or where the voice sets
in after a silence: of these places the one nearest to what the attention tells is taken.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from dgcli.server.engines.attention import Attended, TextWord
from dgcli.server.engines.base import RATE

_HOP = RATE // 100  # samples between two measures of loudness
_FRAMES = 100  # a second
_BELOW = 17.0  # dB below the loud parts of a second around: silence
_SILENCE, _VOICE = 5, 5  # frames of silence before an onset, and of those after it in which the voice is
_LEAD = 0.08  # seconds that words are said to begin before their voice sets in
_TOUCHING = 0.05  # seconds by which the end of the word before is preferred
_NEAR = 0.12  # seconds within which an onset is that of a word among others
_AROUND = 8  # words on either side that tell how late the attention is
_BRIEFEST = 0.04  # seconds of a word
_LONGEST, _LETTER = 0.2, 0.08  # seconds of a word before a pause: at most, and for each letter more


def loudness(samples: bytes) -> Sequence[float]:
    """Return the loudness in dB of float32 samples, each hundredth of a second."""
    audio = np.frombuffer(samples, np.float32)
    count = max(len(audio) // _HOP - 1, 0)
    if not count:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(audio, 2 * _HOP)[::_HOP][:count]
    measured: list[float] = (10 * np.log10((frames**2).mean(axis=1) + 1e-12)).tolist()
    return measured


def _onsets(levels: Sequence[float], begin: float, left: float, right: float) -> tuple[list[float], bool]:
    """Return where the voice sets in between two times, and whether it is there at the first; `begin` is when the
    levels begin.
    """
    first = max(int((left - begin) * _FRAMES), 0)
    last = min(int((right - begin) * _FRAMES), len(levels) - _VOICE)
    around = levels[max(first - _FRAMES, 0) : last + _FRAMES]
    if not around:
        return [], True
    loud = float(np.percentile(around, 90)) - _BELOW
    found = []
    for at in range(first + 1, last):
        if levels[at] <= loud or any(level > loud for level in levels[max(at - _SILENCE, 0) : at]):
            continue
        if sum(level > loud for level in levels[at : at + _VOICE]) >= _VOICE - 1:
            found.append(max(left, begin + at / _FRAMES - _LEAD))
    return found, any(level > loud for level in levels[first : first + 2 * _SILENCE])


def _lateness(words: Sequence[TextWord], attended: Sequence[Attended], at: int) -> float:
    """Return by how much the attention is late around a word."""
    late = [
        attended[near].start - start
        for near in range(max(at - _AROUND, 0), min(at + _AROUND + 1, len(words)))
        if (start := words[near].start) is not None and words[near].is_known
    ]
    return median(late) if late else 0.0


def _ended(word: TextWord, following: float, start: float) -> TextWord:
    longest = _LONGEST + _LETTER * len(word.text)
    return replace(word, start=start, end=max(min(following, start + longest), start))


def timed(
    words: Sequence[TextWord],
    attended: Sequence[Attended],
    levels: Sequence[float],
    begin: float,
    end: float,
) -> list[TextWord]:
    """Return the words with times for those that have none; `begin` and `end` are those of the audio, in seconds."""
    starts: list[float] = []
    for at, word in enumerate(words):
        if word.start is not None and word.is_known:
            starts.append(word.start)
            continue
        before = words[at - 1] if at else None
        follows = before is not None and before.end is not None and before.is_known
        left = (
            begin
            if before is None
            else before.end
            if follows and before.end is not None
            else starts[-1] + _BRIEFEST
        )
        right = next(
            (later.start for later in words[at + 1 :] if later.is_known and later.start is not None), end
        )
        right = max(right, left)
        told = min(max(attended[at].start - _lateness(words, attended, at), left), right)
        onsets, goes_on = _onsets(levels, begin, left, right)
        if follows:
            ways = [(abs(told - onset), onset) for onset in onsets]
            if goes_on or not ways:
                ways.append((abs(told - left) - _TOUCHING, left))
        else:
            near = [onset for onset in onsets if abs(told - onset) <= _NEAR]
            ways = [(abs(told - onset), onset) for onset in near] or [(0.0, told)]
        starts.append(min(ways)[1])
    result = []
    for at, (word, start) in enumerate(zip(words, starts, strict=True)):
        following = starts[at + 1] if at + 1 < len(words) else end
        result.append(word if word.is_known else _ended(word, following, start))
    return result
