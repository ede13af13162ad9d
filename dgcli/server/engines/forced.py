"""Forced alignment: when the words of a text are said, which is known but for a few of its times.

Words without times fill a room between two whose times are known. A hidden Markov model of it has a word's start and
its end as states, by turns: from start to end as long as so many letters take, from end to start nothing or a pause.
In words there is voice and in pauses there is none; pauses are likely after marks; the recogniser's attention, less
what it is late around, tells where starts are, though it gives many a pause to the word behind it. Of all ways
through the room the forward-backward algorithm sums up how probable each start is, and the one is taken near which
most of that is.
"""

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dgcli.server.engines.attention import Attended, TextWord
from dgcli.server.engines.habits import Habits, habits_of
from dgcli.server.engines.voice import FRAMES, voiced

_STEP, _MOST = 0.02, 500  # seconds between times that are weighed, and how many of them at most
_NEAR = 0.08  # seconds around a start within which its probability counts
_BRIEFEST = 0.04  # seconds of a word
_LONGEST, _LETTER = 0.2, 0.08  # seconds of a word before a pause: at most, and for each letter more

_WORD, _WORD_LETTER, _VARIED = (
    0.1,
    0.028,
    0.45,
)  # seconds of a word, for each letter, and the deviation of their log
_UNLIKELY = -30.0  # log of how improbable anything is at most
_HEARD = 0.06  # weight of a hundredth of a second of voice or silence
_ASTRAY, _ANYWHERE = (
    0.08,
    3.0,
)  # share of words for which the attention is of no use, and seconds of where it is then
_TAKEN = 0.35  # share of pauses that the attention gives to the word behind them
_PAUSE = 0.6  # mean seconds of a pause
_FULL = 0.48  # seconds: the API ends words 0.5 s after their start if no other word has begun
_PAUSES = {False: 0.05, True: 0.6}  # share of words without and with a mark that have a pause behind them
# The same of words with known times, by whether they are full; those that are not full end with the next word.
_KNOWN_PAUSES = {(False, False): 0.02, (False, True): 0.4, (True, False): 0.5, (True, True): 0.8}
_LASTS, _LONGER, _FOR = (
    0.02,
    0.3,
    0.12,
)  # share of words that last longer than told, if full or marked; mean seconds
_SHORTER = (
    0.35  # share of words that end earlier than told: where a word was missed the one before seems to go on
)
_SURE, _OFF_STEP, _AFTER_WORD = (
    1.0,
    0.005,
    0.25,
)  # weights of starts: on the steps of times, off them, where a word ends

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Room:
    """Where words without times are: the times that are weighed, the voice up to each of them, and in rows and
    columns by how many seconds the one is after the other.
    """

    times: _Array
    voice: _Array
    after: _Array
    step: float


def _is_marked(word: TextWord) -> bool:
    return word.text.rstrip("\"'”’)]»").endswith(tuple(".?!…,;:—–。、！？"))


def _is_full(word: TextWord) -> bool:
    return word.start is not None and word.end is not None and word.end - word.start > _FULL


def _room(left: float, right: float, voice: Sequence[float], begin: float, lead: float) -> _Room:
    step = max(_STEP, (right - left) / _MOST)
    times = right - step * np.arange(math.ceil((right - left) / step - 1e-6), -1, -1)
    times[0] = left
    frames = np.clip(((times + lead - begin) * FRAMES).astype(int), 0, len(voice))
    sums = np.concatenate([[0.0], np.cumsum(voice)])
    return _Room(times, sums[frames], times[None, :] - times[:, None], step)


def _lengths(text: str, seconds: _Array) -> _Array:
    """Return how probable it is that a word lasts so many seconds: their log is normal."""
    mean = _WORD + _WORD_LETTER * len(text.strip(string.punctuation))
    times = np.maximum(seconds, 0.01)
    logs = -0.5 * (np.log(times / mean) / _VARIED) ** 2 - np.log(times / mean)
    return np.where(seconds > _BRIEFEST - 1e-3, np.exp(np.maximum(logs, _UNLIKELY)), 0.0)


def _pauses(room: _Room, chance: float, told: float | None = None, spread: float = 0.0) -> _Array:
    """Return how probable it is that after a word's end (rows) the next one starts at a time (columns).

    `chance` is that of a pause; `told` is when the attention says the start is.
    """
    after, times = room.after, room.times
    sound = np.minimum(2 * _HEARD * (room.voice[None, :] - room.voice[:, None]), -_UNLIKELY)
    pause = chance * room.step / _PAUSE * np.exp(-np.maximum(after, 0.0) / _PAUSE - sound)
    none = np.full(len(times), 1 - chance)
    if told is not None:
        near = np.exp(-np.abs(told - times) / spread) / (2 * spread)
        lost = _ASTRAY / _ANYWHERE
        taken = ((told >= times[:, None] - 0.1) & (told <= times[None, :])) / (np.maximum(after, 0.0) + 0.1)
        pause *= (1 - _TAKEN - _ASTRAY) * near[None, :] + _TAKEN * taken + lost
        none *= (1 - _ASTRAY) * near + lost
    return np.where(after > 1e-9, pause, 0.0) + np.diag(none)


def _ends(room: _Room, before: TextWord | None) -> tuple[_Array, int]:
    """Return how probable it is that the word before the room ends at each time, and at which it is told to."""
    ends = np.zeros(len(room.times))
    if before is None or before.start is None or before.end is None:
        ends[0] = 1.0
        return ends, 0
    after = room.times - before.end
    told = int(np.argmin(np.abs(after)))
    longer = _LONGER if _is_full(before) or _is_marked(before) else _LASTS
    shorter = _lengths(before.text, room.times - before.start)
    shorter[told:] = 0.0
    ends = np.where(after > 1e-6, longer * np.exp(-np.maximum(after, 0.0) / _FOR) * room.step / _FOR, 0.0)
    if shorter.any():
        ends += _SHORTER * shorter / shorter.sum()
    ends[told] += 1 - longer - _SHORTER
    return ends, told


def _weights(room: _Room, anchor: float, step: float | None, told: int) -> _Array:
    """Return weights of starts: those on the steps that the response's times have count most."""
    if step is None:
        return np.ones(len(room.times))
    steps = (room.times - anchor) / step
    weights = np.where(np.abs(steps - np.round(steps)) * step < 3e-3, _SURE, _OFF_STEP)
    weights[told] = _AFTER_WORD
    return weights


def _scaled(values: _Array) -> _Array:
    total = float(values.sum())
    return values / total if total > 0 else np.full(len(values), 1 / len(values))


def _likely(room: _Room, starts: _Array) -> float:
    """Return the time near which most of the probability is."""
    reach = max(round(_NEAR / room.step), 1)
    near = 1 - 0.5 * np.abs(np.arange(-reach, reach + 1)) / reach
    return float(room.times[int(np.argmax(np.convolve(starts, near)[reach : reach + len(starts)]))])


def _apart(starts: Sequence[float], left: float, right: float) -> list[float]:
    """Return starts that rise by the length of a word at least."""
    result: list[float] = []
    for count, start in zip(range(len(starts), 0, -1), starts, strict=True):
        least = result[-1] + _BRIEFEST if result else left
        result.append(max(min(start, right - _BRIEFEST * count), least))
    return result


def _starts(
    words: Sequence[TextWord],
    unsure: range,
    habits: Habits,
    voice: Sequence[float],
    bounds: tuple[float, float],
) -> list[float]:
    """Return the starts of words in a row whose times are not known; `bounds` are those of the audio."""
    before = words[unsure.start - 1] if unsure.start else None
    following = words[unsure.stop] if unsure.stop < len(words) else None
    left = bounds[0] if before is None or before.start is None else before.start + 2 * _BRIEFEST
    right = bounds[1] if following is None or following.start is None else following.start
    if right - left < _BRIEFEST * (len(unsure) + 1):
        begin = min(left if before is None or before.end is None else before.end, right)
        begin = max(begin, left - 2 * _BRIEFEST)
        return [begin + max(right - begin, 0.0) * at / len(unsure) for at in range(len(unsure))]
    room = _room(left, right, voice, bounds[0], habits.lead)
    ends, told = _ends(room, before)
    anchor = right if following is not None or before is None or before.start is None else before.start
    weights = _weights(room, anchor, habits.step, told)
    pauses, lengths, forward = [], [], []
    for at in unsure:
        last = words[at - 1]
        chance = (
            _KNOWN_PAUSES[_is_full(last), _is_marked(last)] if last.is_known else _PAUSES[_is_marked(last)]
        )
        pauses.append(_pauses(room, chance if at else 0.999, habits.told[at], habits.spread[at]) * weights)
        lengths.append(_lengths(words[at].text, room.after))
        forward.append(_scaled(ends @ pauses[-1]))
        ends = _scaled(forward[-1] @ lengths[-1])
    backward = (
        np.ones(len(ends))
        if following is None
        else _pauses(room, _PAUSES[_is_marked(words[unsure[-1]])])[:, -1]
    )
    found = []
    for pause, length, reached in zip(reversed(pauses), reversed(lengths), reversed(forward), strict=True):
        onward = length @ backward
        found.append(_likely(room, _scaled(reached * onward)))
        backward = _scaled(pause @ onward)
    return _apart(found[::-1], left, right)


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
    words = [word if word.is_known else TextWord(word.text) for word in words]
    voice = voiced(levels)
    habits = habits_of(words, attended, voice, begin)
    result: list[TextWord] = []
    while len(result) < len(words):
        at = len(result)
        if words[at].is_known:
            result.append(words[at])
            continue
        last = next((later for later in range(at, len(words)) if words[later].is_known), len(words))
        starts = _starts(words, range(at, last), habits, voice, (begin, end))
        following = words[last].start if last < len(words) else None
        ends = [*starts[1:], end if following is None else following]
        result.extend(
            _ended(word, until, start)
            for word, until, start in zip(words[at:last], ends, starts, strict=True)
        )
    return result
