"""Cue boundaries: dynamic programming over the words known so far, settled as it goes.

Every gap between two words has points (`language.GAP`, less for a pause, less for a change of voice), every
cue has points (too short to read, too fast, lines of unequal length or broken at a bad place), and the
cues with the fewest points in all win. Cuts are settled from the left: the first cut of the best path is
final once the words `LOOK_AHEAD` seconds later are known, or a pause longer than `PAUSE` seconds has come.
What is settled depends on nothing that comes later, so that live captions are those of the finished
transcript.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from dgcli.captions.language import STICKY
from dgcli.captions.layout import Layout
from dgcli.captions.limits import PAUSE, Limits
from dgcli.captions.tokens import Tokens
from dgcli.captions.voice import Prefix
from dgcli.transcript.model import Word

LOOK_AHEAD = 7.0  # seconds

_INFINITE = float("inf")
_UTTERANCE = 0.8  # seconds of pause that end an utterance where the API was not asked: its own default
_CUE = 5.0  # points for every cue, so that there are few
_CUT = 1.6  # what a cut costs, for what the language says of the gap
_PAUSED = 50.0  # what a second of pause takes off
_TURN = 30.0  # what a change of voice takes off
_ENDED = 10.0  # what the end of an utterance takes off; that of a voice is in `_TURN`
_TOO_SHORT = 50.0  # for a cue that is on screen for less than the shortest duration
_SHORT = 100.0  # more for one that is on screen for no time at all
_LONE = 60.0  # for a cue of one word
_FAST = 12.0  # for each second that a reader is short of
_SHARED = 14.0  # for a cue that two voices share
_TRIED = 0.7  # seconds within which one gap is tried, however bad they all are
_NEAR = 1.5  # seconds up to the last known word within which a path may end that settles a cue in a hurry
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
        for gap in lost:
            self._try(gap)

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
                self._try(at, last=True)
                cut = self._first[at]
                self._drop_gap()
            else:
                cut = self._first[at]
            if cut == len(starts) or self.tokens.outs[cut - 1] > ended:
                return
            self._settle(cut, len(starts) - 1)

    def settle(self, cut: int, follows: float | None) -> None:
        """Settle a cue that ends before the token `cut`, whichever is best; the next word begins at `follows`."""
        after = len(self.tokens.starts)
        if cut < after:
            if self._best[cut] == _INFINITE:
                self._best[cut] = 0.0
            self._settle(cut, after - 1)
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
        tokens, best, gaps, first = self.tokens, self._best, self._gaps, self._first
        starts, outs, pauses, runs, ends = tokens.starts, tokens.outs, tokens.pauses, tokens.runs, tokens.ends
        for at, now in enumerate(known, begin):
            start = starts[at]
            if at == self._from:
                gaps.append(0.0)
                best[at] = 0.0
                self._last_tried = start
                if tokens.several_channels:
                    tokens.name(at, runs_shared=self._was_shared)
                continue
            pause = pauses[at]
            if pause > PAUSE:
                gaps.append(0.0)
                self._settle_all(at)
                continue
            points = tokens.gaps[at] * _CUT
            if pause > 0.1:
                points -= _PAUSED * pause
            if runs[at] == at:
                points -= _TURN
            elif ends[at - 1] or pause >= _UTTERANCE:
                points -= _ENDED
            gaps.append(points)
            if points >= STICKY and start - self._last_tried < _TRIED:
                continue
            self._last_tried = start
            self._known = now
            self._try(at)
            if outs[first[at] - 1] + LOOK_AHEAD <= now:
                self._commit(at)

    def _commit(self, at: int) -> None:
        """Settle the first cut of the best path to `at`, as long as the words after it are known."""
        outs = self.tokens.outs
        while self._best[at] < _INFINITE:
            cut = self._first[at]
            if cut == at or outs[cut - 1] + LOOK_AHEAD > self._known:
                return
            self._settle(cut, at)

    def _settle(self, cut: int, at: int) -> None:
        """Make `cut` final; paths to gaps up to `at` that do not go through it are no paths any more."""
        best, back, first = self._best, self._back, self._first
        self.settled.append((self._from, cut, self.tokens.ins[cut]))
        self._from = self.tokens.settled = cut
        lost = []
        for gap in range(cut + 1, at + 1):
            if best[gap] == _INFINITE:
                continue
            before = back[gap]
            if before < cut or best[before] == _INFINITE:
                best[gap] = _INFINITE
                lost.append(gap)
            else:
                first[gap] = gap if before == cut else first[before]
        for gap in lost:
            self._try(gap)

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
        self._try(at, last=True)
        self._was_shared = self.tokens.runs[at - 1] > self._back[at]
        cuts, cut = [at], at
        while (cut := self._back[cut]) > self._from:
            cuts.append(cut)
        for cut in reversed(cuts):
            self.settled.append((self._from, cut, self.tokens.ins[cut] if cut < at else None))
            self._from = cut
        self.tokens.settled = at
        self._best[at] = 0.0
        self._last_tried = self.tokens.starts[at] if at < len(self.tokens.starts) else 0.0
        if added:
            self._drop_gap()

    def _try(self, at: int, last: bool = False) -> None:
        """Find the best path that cuts before the token `at`; of two that are alike, that of the longer last cue.

        With `last` nothing follows for now; then a path whose first cut ought to be settled by now is none,
        since more words might have come and settled another.
        """
        tokens, limits = self.tokens, self.limits
        best, starts, columns = self._best, tokens.starts, tokens.columns
        begin, final = self._from, at - 1
        out = tokens.outs[final]
        end = tokens.columns_end[final]
        low = bisect_left(columns, end - self._capacity, begin, final)
        low = bisect_left(starts, out - limits.max_duration, low, final)
        leave = out + self._linger
        if not last and starts[at] - limits.min_gap < leave:
            leave = starts[at] - limits.min_gap
        line_width, shortest, cps = limits.max_chars, limits.min_duration, limits.max_cps
        run, prefixes = tokens.runs[final], tokens.prefixes
        least, chosen = _INFINITE, -1
        wide = []  # what has to be broken into lines, which costs most time: only where it can still be best
        for before in range(low, at):
            points = best[before]
            if points >= least:
                continue
            if last and before > begin and tokens.outs[self._first[before] - 1] + LOOK_AHEAD <= self._known:
                continue
            duration = leave - starts[before]
            used = end - columns[before]
            if duration < shortest:
                points += _TOO_SHORT + _SHORT * (shortest - duration) / shortest
            if before == final:
                points += _LONE
            if used > duration * cps:
                points += _FAST * (used / cps - duration)
            if before < run:
                if points + _SHARED >= least:
                    continue
                points += _SHARED + self.layout.shared_points(before, at)
            elif used > line_width - prefixes[before] and before < final:
                wide.append((points, before))
                continue
            if points < least:
                least, chosen = points, before
        if wide:
            points_of = self.layout.points
            wide.sort()
            for points, before in wide:
                if points > least:
                    break
                points += points_of(before, at, least - points)
                if points < least or (points == least and before < chosen):
                    least, chosen = points, before
        if chosen < 0:
            chosen = self._only_way(low, at, last)
            least = best[chosen]
        best[at] = least + _CUE + self._gaps[at]
        self._back[at] = chosen
        self._first[at] = at if chosen == begin else self._first[chosen]
        if tokens.several_channels and at < len(tokens.words):
            tokens.name(at, runs_shared=tokens.runs[final] > chosen)

    def _only_way(self, low: int, at: int, last: bool) -> int:
        """Choose a cut before `at` when no gap that was tried leaves a cue that fits."""
        for gap in range(max(low, self._from + 1), at):
            if self._best[gap] == _INFINITE:
                self._try(gap)
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
