"""Cue boundaries: dynamic programming over the words known so far, settled as it goes.

Every gap between two words has points (`language.GAP`, less for a pause, less for a change of voice), every
cue has points (too short to read, too fast, lines of unequal length or broken at a bad place), and the
cues with the fewest points in all win. Cuts are settled from the left: the first cut of the best path is
final once the words `LOOK_AHEAD` seconds later are known, or a pause longer than `PAUSE` seconds has come.
What is settled depends on nothing that comes later, so that live captions are those of the finished
transcript.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from dgcli.captions.language import GAP, STICKY
from dgcli.captions.layout import BREAK, UNEVEN, Layout
from dgcli.captions.limits import PAUSE, Limits
from dgcli.captions.tokens import Tokens
from dgcli.captions.voice import Prefix
from dgcli.transcript.model import Word

LOOK_AHEAD = 7.0  # seconds

_INFINITE = float("inf")
_UTTERANCE = 0.8  # seconds of pause that end an utterance where the API was not asked: its own default
_CUE = 12.0  # points for every cue, so that there are few
_CUT = 2.1  # what a cut costs, for what the language says of the gap
_PAUSED = 50.0  # what a second of pause takes off
_TURN = 30.0  # what a change of voice takes off
_ENDED = 10.0  # what the end of an utterance takes off; that of a voice is in `_TURN`
_TOO_SHORT = 50.0  # for a cue that is on screen for less than the shortest duration
_SHORT = 100.0  # more for one that is on screen for no time at all
_LONE = 110.0  # for a cue of one word
_FAST = 12.0  # for each second that a reader is short of
_SHARED = 14.0  # for a cue that two voices share
_TRIED = 0.7  # seconds within which one gap is tried, however bad they all are
_ROUNDING = 1e-6  # points that sums of them are off by, and more
# The fewest points that the lines of a cue can have: the best place for a break has less than none.
_LINES = BREAK * min(0.0, *map(min, GAP)) - _ROUNDING
_NEAR = 1.5  # seconds up to the last known word within which a path may end that settles a cue in a hurry
_RANKED = 64  # gaps that are ranked before those are left out that no cue can begin at any more
_KEPT = 64  # settled tokens that are kept before the lists are shortened; `preview` copies them each time


class Cutter:
    """Divides words into cues: `add` and `close` append to `settled`.

    `settled` holds in order (first token, token after the last, start of what follows within `PAUSE`); whoever
    takes them out builds the cues, and calls `forget` when done.
    """

    def __init__(self, limits: Limits, prefix: Prefix, channels: int, language: str | None) -> None:
        self.limits = limits
        self.tokens = Tokens(limits, prefix, channels, language)
        self.layout = Layout(self.tokens, limits)
        self.settled: list[tuple[int, int, float | None]] = []
        self._from = 0  # first token that is in no settled cue
        self._was_shared = False  # whether voices shared the last cue before it, where nothing followed yet
        self._last_tried = 0.0  # start of the token at the gap that was tried last
        self._known = 0.0  # seconds up to which words are known, when that gap was tried
        # For the gap before each token: points of the best path that cuts there, the cut before it on that
        # path, and the first cut of that path after `_from`.
        self._best: list[float] = []
        self._back: list[int] = []
        self._first: list[int] = []
        self._gaps: list[float] = []  # points for a cut there
        # The gaps at which a next cue can begin, with the points of the best path to each, fewest first.
        self._ranked: list[tuple[float, int]] = []
        self._linger = PAUSE - limits.min_gap
        self._capacity = limits.max_lines * (limits.max_chars + 1) - 1

    def add(self, words: Iterable[tuple[Word, bool]], key: float | None = None) -> None:
        """Take the next words, each with whether an utterance ends after it.

        Where several channels are merged it is one word, and `key` a time that never falls.
        """
        tokens = self.tokens
        first = len(tokens.starts)
        known = tokens.extend(words, key)
        self._best.extend([_INFINITE] * len(known))
        self._back.extend(range(first, first + len(known)))
        self._first.extend(range(first, first + len(known)))
        self._judge(first, known)

    def is_late(self, ended: float) -> bool:
        """Whether a cue could be settled whose last word ended by `ended` (seconds)."""
        return self._from < len(self.tokens.starts) and self.tokens.outs[self._from] <= ended

    def bar(self, ended: float) -> None:
        """Let no cue end by `ended` (seconds) that nothing has settled by now, where there is another way."""
        tokens, best, back, first, lost = self.tokens, self._best, self._back, self._first, list[int]()
        if self._from + 1 >= len(tokens.starts) or tokens.outs[self._from] > ended:
            return
        for gap in range(self._from + 1, len(tokens.starts)):
            if best[gap] == _INFINITE:
                continue
            before = back[gap]
            if tokens.outs[gap - 1] <= ended:
                best[gap] = _INFINITE
            elif best[before] == _INFINITE:
                best[gap] = _INFINITE
                lost.append(gap)
            else:
                first[gap] = gap if before == self._from else first[before]
        self._rank(len(tokens.starts))
        self._try(lost)

    def hurry(self, ended: float) -> None:
        """Settle the cues whose last word ended by `ended` (seconds), whatever may be said later.

        The last known words stay open, since where a cue ends depends on what follows it.
        """
        starts = self.tokens.starts
        while self.is_late(ended):
            # Where the path ends matters to its first cut: at a good place, if there is one near the last word.
            near = range(bisect_left(starts, starts[-1] - _NEAR, self._from + 1), len(starts))
            at = min(near, key=lambda gap: self._best[gap], default=len(starts))
            if at == len(starts) or self._best[at] == _INFINITE or self._first[at] == at:
                at = len(starts)
                self._add_gap(at)
                self._try((at,), last=True)
                cut = self._first[at]
                self._drop_gap()
            else:
                cut = self._first[at]
            if cut == len(starts) or self.tokens.outs[cut - 1] > ended:
                return
            self._try(self._settle(cut, len(starts) - 1))

    def release(self, by: float, follows: float | None) -> None:
        """Settle the cues of all tokens that came by then (seconds), cut as what is known suggests.

        What is not known begins at `follows`.
        """
        tokens = self.tokens
        while any(
            when <= by for when in tokens.came[self._from :]
        ):  # of another channel than the first, perhaps
            at = len(tokens.starts)
            self._add_gap(at)
            self._try((at,), last=True)
            cut = self._first[at]
            self._drop_gap()
            self.settle(cut, follows)

    def settle(self, cut: int, follows: float | None) -> None:
        """Settle a cue that ends before the token `cut`, whichever is best; the next word begins at `follows`."""
        after = len(self.tokens.starts)
        if cut < after:
            if self._best[cut] == _INFINITE:
                self._best[cut] = 0.0
            self._try(self._settle(cut, after - 1))
            return
        self._was_shared = self.tokens.runs[cut - 1] > self._from
        self.settled.append((self._from, cut, follows))
        self._from = self.tokens.settled = cut

    def close(self) -> None:
        """Settle everything: no word follows within `PAUSE` seconds."""
        if self._from < len(self.tokens.starts):
            self._settle_all(len(self.tokens.starts))

    def forget(self) -> None:
        """Drop the tokens of settled cues now and then, so that a stream of any length fits in memory."""
        if self._from < _KEPT:
            return
        many = self._from - 1  # the token before tells whether the voice changes
        self.tokens.drop(many)
        for column in (self._best, self._back, self._first, self._gaps):
            del column[:many]
        self._from = 1
        self._ranked = [(points, gap - many) for points, gap in self._ranked if gap > many]
        self._back = [cut - many for cut in self._back]
        self._first = [cut - many for cut in self._first]

    @property
    def last_end(self) -> float:
        """The end of the last known word, in seconds."""
        return self.tokens.latest

    def _judge(self, begin: int, known: Sequence[float]) -> None:
        """Judge the gaps before tokens from `begin` on, and settle what that settles.

        `known` says for each up to where the words are known then (seconds).
        """
        tokens, add = self.tokens, self._gaps.append
        starts, pauses, runs, ends, between = (
            tokens.starts,
            tokens.pauses,
            tokens.runs,
            tokens.ends,
            tokens.gaps,
        )
        after = len(starts)
        if begin < after and begin == self._from:
            add(0.0)
            self._best[begin] = 0.0
            self._ranked = [(0.0, begin)]
            self._last_tried = starts[begin]
            if tokens.several_channels:
                tokens.name(begin, runs_shared=self._was_shared)
            begin += 1
        untried, last_tried = list[int](), self._last_tried
        for at in range(begin, after):
            pause = pauses[at]
            if pause > PAUSE:
                add(0.0)
                self._try(untried, known=known)
                self._settle_all(at)
                untried, last_tried = [], starts[at]
                continue
            points = between[at] * _CUT
            if pause > 0.1:
                points -= _PAUSED * pause
            if runs[at] == at:
                points -= _TURN
            elif ends[at - 1] or pause >= _UTTERANCE:
                points -= _ENDED
            add(points)
            if points < STICKY or starts[at] - last_tried >= _TRIED:
                last_tried = starts[at]
                untried.append(at)
        self._try(untried, known=known)
        self._last_tried = last_tried

    def _commit(self, at: int) -> list[int]:
        """Settle the first cuts of the best path to `at`, as long as the words after them are known.

        Returns as `_settle` does.
        """
        outs, lost = self.tokens.outs, list[int]()
        while (cut := self._first[at]) != at and outs[cut - 1] + LOOK_AHEAD <= self._known:
            more = self._settle(cut, at)
            lost = sorted([*(gap for gap in lost if gap > cut), *more]) if lost else more
        return lost

    def _settle(self, cut: int, at: int) -> list[int]:
        """Make `cut` final; returns the gaps up to `at` whose path does not go through it, and so is none any more.

        Whoever calls it has these tried again.
        """
        best, back, first, ranked, lost = self._best, self._back, self._first, self._ranked, list[int]()
        self.settled.append((self._from, cut, self.tokens.ins[cut]))
        self._from = self.tokens.settled = cut
        ranked[:] = [(best[cut], cut)]
        for gap in range(cut + 1, at + 1):
            if best[gap] == _INFINITE:
                continue
            before = back[gap]
            if before < cut or best[before] == _INFINITE:
                best[gap] = _INFINITE
                lost.append(gap)
            else:
                first[gap] = gap if before == cut else first[before]
                ranked.append((best[gap], gap))
        ranked.sort()
        return lost

    def _rank(self, after: int) -> None:
        """Rank the gaps before `after` anew."""
        best = self._best
        self._ranked[:] = sorted(
            (best[gap], gap) for gap in range(self._from, after) if best[gap] < _INFINITE
        )

    def _add_gap(self, at: int) -> None:
        """Put a gap behind the last token, for a while."""
        self._best.append(_INFINITE)
        self._back.append(at)
        self._first.append(at)
        self._gaps.append(0.0)

    def _drop_gap(self) -> None:
        for column in (self._best, self._back, self._first, self._gaps):
            column.pop()

    def _settle_all(self, at: int) -> None:
        """Settle everything before the gap `at`, at which a long pause or the end is."""
        added = at == len(self._best)
        if added:
            self._add_gap(at)
        self._try((at,), last=True)
        self._was_shared = self.tokens.runs[at - 1] > self._back[at]
        cuts, cut = [at], at
        while (cut := self._back[cut]) > self._from:
            cuts.append(cut)
        for cut in reversed(cuts):
            self.settled.append((self._from, cut, self.tokens.ins[cut] if cut < at else None))
            self._from = cut
        self.tokens.settled = at
        self._best[at] = 0.0
        self._ranked = [(0.0, at)]
        self._last_tried = self.tokens.starts[at] if at < len(self.tokens.starts) else 0.0
        if added:
            self._drop_gap()

    def _try(self, gaps: Iterable[int], last: bool = False, known: Sequence[float] = ()) -> None:
        """Find the best path to each of these gaps, in order; of two that are alike, that of the longer last cue.

        With `last` nothing follows for now; then a path whose first cut ought to be settled by now is none,
        since more words might have come and settled another. With `known`, which is for the last tokens as in
        `_judge`, each path settles what it can before the next gap is tried.
        """
        # Captioning spends most of its time here: what the loops need is at hand.
        tokens, limits, begin, ranked = self.tokens, self.limits, self._from, self._ranked
        best, back, first, costs = self._best, self._back, self._first, self._gaps
        starts, outs, runs, prefixes = tokens.starts, tokens.outs, tokens.runs, tokens.prefixes
        columns, columns_end = tokens.columns, tokens.columns_end
        line_width, shortest, cps, longest = (
            limits.max_chars,
            limits.min_duration,
            limits.max_cps,
            limits.max_duration,
        )
        capacity, linger, min_gap = self._capacity, self._linger, limits.min_gap
        points_of, shared_points_of = self.layout.points, self.layout.shared_points
        several, two_lines, between = tokens.several_channels, limits.max_lines == 2, tokens.gaps
        since = len(starts) - len(known)
        for newest in gaps:
            again = [newest]
            for at in again:  # and what loses its path when the newest settles a cut
                final = at - 1
                out, end, run = outs[final], columns_end[final], runs[final]
                least_start = out - longest
                leave = out + linger
                if not last and starts[at] - min_gap < leave:
                    leave = starts[at] - min_gap
                least, bound, chosen = _INFINITE, _INFINITE, -1
                for points, before in ranked:
                    if points > bound:
                        break  # whatever the cue adds to the path before it
                    used, start = end - columns[before], starts[before]
                    if before >= final:
                        if before > final:
                            continue
                    elif used > capacity or start < least_start:
                        continue
                    if last and before > begin and outs[first[before] - 1] + LOOK_AHEAD <= self._known:
                        continue
                    duration = leave - start
                    if duration < shortest:
                        points += _TOO_SHORT + _SHORT * (shortest - duration) / shortest
                    if before == final:
                        points += _LONE
                    if used > duration * cps:
                        points += _FAST * (used / cps - duration)
                    if before < run:
                        if points + _SHARED > bound:
                            continue
                        points += _SHARED + shared_points_of(before, at)
                    elif used > line_width - prefixes[before] and before < final:
                        if points > bound:
                            continue
                        if two_lines:  # what `Layout` does, for the case that has most of captioning's time
                            most, fewest, start_column = least - points + _ROUNDING, _INFINITE, end - used
                            left_room = line_width - prefixes[before]
                            right_from = bisect_left(columns, end - line_width, before + 1, final)
                            for middle in range(right_from, at):
                                cost = between[middle] * BREAK
                                if cost >= most:
                                    continue
                                left = columns_end[middle - 1] - start_column
                                if left > left_room and middle > before + 1:
                                    break
                                right = end - columns[middle]
                                cost += UNEVEN * (
                                    (left - right) / left if left > right else (right - left) / right
                                )
                                if cost < most:
                                    fewest = most = cost
                            points += fewest
                        else:
                            points += points_of(before, at)
                    if points < least or (points == least and before < chosen):
                        least, bound, chosen = points, points - _LINES, before
                if chosen < 0:
                    low = bisect_left(columns, end - capacity, begin, final)
                    chosen = self._only_way(bisect_left(starts, least_start, low, final), at, last)
                    least = best[chosen]
                best[at] = points = least + _CUE + costs[at]
                back[at] = chosen
                cut = first[at] = at if chosen == begin else first[chosen]
                if not last:
                    if len(ranked) > _RANKED:
                        ranked[:] = [item for item in ranked if columns[item[1]] >= end - capacity]
                    insort(ranked, (points, at))
                if several and at < len(tokens.words):
                    tokens.name(at, runs_shared=run > chosen)
                if known and at == newest:
                    now = self._known = known[at - since]
                    if cut != at and outs[cut - 1] + LOOK_AHEAD <= now:
                        again += self._commit(at)
                        begin = self._from

    def _only_way(self, low: int, at: int, last: bool) -> int:
        """Choose a cut before `at` when no gap that was tried leaves a cue that fits."""
        for gap in range(max(low, self._from + 1), at):
            if self._best[gap] == _INFINITE:
                self._rank(gap)
                self._try((gap,))
        self._rank(len(self._best))
        fits = [gap for gap in range(low, at) if self._best[gap] < _INFINITE and self.layout.fits(gap, at)]
        if last:
            known = self._known
            early = [
                gap
                for gap in fits
                if gap == self._from or self.tokens.outs[self._first[gap] - 1] + LOOK_AHEAD > known
            ]
            fits = early or fits
        return min(fits, key=lambda gap: self._best[gap])
