"""Words of several channels, brought into one order as they become known."""

import heapq
from collections.abc import Iterable
from itertools import count

from dgcli.transcript.model import Word

_YIELD = 0.4  # seconds: a speaker who goes on comes before one who begins to speak that much earlier
_RUNS_ON = 0.1  # seconds: who pauses for longer does not go on, but begins again


class Merger:
    """Puts the words of `channels` channels in the order of time and keeps the order within each.

    A word comes out once no channel can still say anything before it.
    """

    def __init__(self, channels: int) -> None:
        self._known = dict.fromkeys(range(channels), 0.0)
        self._keys = dict.fromkeys(range(channels), 0.0)
        self._ends = dict.fromkeys(range(channels), 0.0)
        self._heap: list[tuple[float, int, int, Word, bool]] = []  # by key, channel and arrival
        self._count = count()
        self._floor = 0.0  # the time of the last word that came out

    def put(self, channel: int, words: Iterable[tuple[Word, bool]], until: float) -> None:
        """Take words of a channel, which says nothing more before `until` seconds."""
        key, ends = self._keys.get(channel, 0.0), self._ends.get(channel, 0.0)
        for word, ends_utterance in words:
            start = word.start if 0 <= word.start < float("inf") else ends
            goes_on = start - ends < _RUNS_ON
            key = max(key, self._floor, start - _YIELD if goes_on else start)
            ends = max(start, word.end) if 0 <= word.end < float("inf") else start
            heapq.heappush(self._heap, (key, channel, next(self._count), word, ends_utterance))
        self._keys[channel], self._ends[channel] = key, ends
        self._known[channel] = max(self._known.get(channel, 0.0), until)

    @property
    def known(self) -> float:
        """Seconds before which no word is still to come out."""
        known = min(self._known.values())
        return min(known, self._heap[0][0]) if self._heap else known

    @property
    def holds(self) -> bool:
        """Whether there are words that did not come out yet."""
        return bool(self._heap)

    def take(self, everything: bool = False) -> list[tuple[float, Word, bool]]:
        """Return the words now in their final order, each with a time that never falls and its flag."""
        ready, border = [], min(self._known.values()) - _YIELD
        while self._heap and (everything or self._heap[0][0] <= border):
            ready.append(self.pop())
        return ready

    def pop(self) -> tuple[float, Word, bool]:
        """Return the next word as it stands, though a channel may still say something before it."""
        key, _, _, word, ends_utterance = heapq.heappop(self._heap)
        self._floor = key
        return key, word, ends_utterance
