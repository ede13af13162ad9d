"""Layout of the words of a cue in lines, and the points it costs."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from dgcli.captions.cues import Line
from dgcli.captions.limits import PAUSE, Limits
from dgcli.captions.text import width
from dgcli.captions.tokens import DASH, Tokens
from dgcli.captions.voice import Voice

_INFINITE = float("inf")
BREAK = 0.7  # what a line break costs of what a cut in the same place would
UNEVEN = 70.0  # for two lines of which one is empty
_TAKING_TURNS = 0.3  # seconds of pause between two voices beyond which they do not share a cue
_EXTRA = 12.0  # for every line beyond the second

_Breaks = tuple[int, ...]  # the tokens that begin a line, but for the first


class Layout:
    """Lays out tokens in lines of at most `max_chars` columns."""

    def __init__(self, tokens: Tokens, limits: Limits) -> None:
        self._tokens = tokens
        self._room = limits.max_chars
        self._max_lines = limits.max_lines

    def points(self, first: int, after: int) -> float:
        """Points for the best lines of tokens of one voice that one line cannot hold; or infinite."""
        return self._break(first, after, self._tokens.prefixes[first], self._max_lines)[0]

    def shared_points(self, first: int, after: int) -> float:
        """Points for a cue that several voices share; infinite if their lines do not fit."""
        tokens = self._tokens
        second = tokens.runs[after - 1]
        if not tokens.several_channels and self._max_lines == 2:  # by far the most common case
            if tokens.runs[second - 1] > first or tokens.pauses[second] >= _TAKING_TURNS:
                return _INFINITE
            upper = tokens.columns_end[second - 1] - tokens.columns[first]
            lower = tokens.columns_end[after - 1] - tokens.columns[second]
            above, below = tokens.shared_prefix(first), tokens.shared_prefix(second)
            if upper + above > self._room or lower + below > self._room:
                return _INFINITE
            return UNEVEN * (upper - lower if upper > lower else lower - upper) / max(upper, lower)
        runs = self._runs(first, after)
        if len(runs) > self._max_lines:
            return _INFINITE
        spare, points = self._max_lines - len(runs), 0.0
        widths = [sum(tokens.columns_end[at] - tokens.columns[at] + 1 for at in run) - 1 for run in runs]
        for run in runs:
            lines, cost = self._run_lines(run, 1 + spare, tokens.shared_prefix(run[0]))
            spare -= len(lines) - 1
            points += cost
        return points + UNEVEN * (1 - min(widths) / max(widths))

    def fits(self, first: int, after: int) -> bool:
        """Whether these tokens make a cue; a single one always does."""
        if after - first == 1:
            return True
        tokens = self._tokens
        if tokens.runs[after - 1] > first:
            return self.shared_points(first, after) < _INFINITE
        used = tokens.columns_end[after - 1] - tokens.columns[first] + tokens.prefixes[first]
        return used <= self._room or self.points(first, after) < _INFINITE

    def lines(self, first: int, after: int, named: Voice | None) -> tuple[Line, ...]:
        """The lines of a cue; the voice `named` last needs no prefix."""
        tokens = self._tokens
        if tokens.runs[after - 1] <= first:
            return self._lines_of_one(first, after, named)
        runs = self._runs(first, after)
        broken: list[Line] = []
        spare = self._max_lines - len(runs)
        for run in runs:
            voice = tokens.voices[run[0]]
            room = tokens.shared_prefix(run[0]) if len(runs) > 1 else tokens.prefixes[first]
            parts = self._run_lines(run, 1 + spare, room)[0] if len(run) > 1 else [run]
            spare -= len(parts) - 1
            prefix = "" if voice == named else tokens.prefix(voice)
            if len(runs) > 1 and prefix != DASH:
                prefix = DASH + prefix
            for part in parts:
                broken.append(Line(tuple(tokens.words[at] for at in part), voice, prefix))
                prefix = ""
            named = voice
        return tuple(broken)

    def _lines_of_one(self, first: int, after: int, named: Voice | None) -> tuple[Line, ...]:
        tokens = self._tokens
        voice, prefix = tokens.voices[first], tokens.prefixes[first]
        name = "" if voice == named else tokens.prefix(voice)
        words = tuple(tokens.words[first:after])
        if tokens.columns_end[after - 1] - tokens.columns[first] + prefix <= self._room or after - first < 2:
            return (Line(words, voice, name),)
        breaks = self._break(first, after, prefix, self._max_lines)[1]
        if len(breaks) == 1:
            at = breaks[0] - first
            return Line(words[:at], voice, name), Line(words[at:], voice)
        edges = [0, *(at - first for at in breaks), after - first]
        return tuple(Line(words[a:b], voice, "" if a else name) for a, b in pairwise(edges))

    def columns(self, first: int, after: int, lines: Sequence[Line]) -> int:
        """The columns of the text in the lines of a cue, one more for each break."""
        tokens = self._tokens
        if not tokens.all_spaced or tokens.runs[after - 1] > first:
            # A combining mark takes no column, and is read all the same.
            return sum(max(width(line.body), len(line.body)) + 1 for line in lines) - 1
        return tokens.columns_end[after - 1] - tokens.columns[first]  # a space is as wide as a break

    def _runs(self, first: int, after: int) -> list[list[int]]:
        """The tokens of each voice, whoever begins first on top.

        What a channel says stays together though another speaks in between, unless it was silent meanwhile.
        """
        tokens, runs = self._tokens, list[list[int]]()
        current: dict[int, list[int]] = {}
        for at in range(first, after):
            voice = tokens.voices[at]
            run = current.get(voice.channel)
            answered = (
                run is not None
                and runs[-1] is not run
                and tokens.ins[at] - tokens.outs[run[-1]] >= _TAKING_TURNS
                and tokens.ins[runs[-1][0]] >= tokens.outs[run[-1]]
            )
            if run is None or answered or tokens.voices[run[-1]] != voice:
                run = current[voice.channel] = []
                runs.append(run)
            run.append(at)
        return sorted(runs, key=lambda run: tokens.ins[run[0]])

    def _run_lines(self, run: list[int], most: int, prefix: int) -> tuple[list[list[int]], float]:
        """A voice's tokens in at most `most` lines, and what that costs."""
        tokens = self._tokens
        whole = run[-1] - run[0] == len(run) - 1
        if not whole:
            used = prefix - 1 + sum(tokens.columns_end[at] - tokens.columns[at] + 1 for at in run)
            paused = any(tokens.ins[right] - tokens.outs[left] > PAUSE for left, right in pairwise(run))
            return [run], _INFINITE if used > self._room or paused else 0.0
        first, after = run[0], run[-1] + 1
        if tokens.columns_end[after - 1] - tokens.columns[first] + prefix <= self._room:
            return [run], 0.0
        points, breaks = self._break(first, after, prefix, most)
        edges = [first, *breaks, after]
        return [list(range(a, b)) for a, b in pairwise(edges)], points

    def _break(self, first: int, after: int, prefix: int, most: int) -> tuple[float, _Breaks]:
        """The best breaks of tokens that follow one another into two to `most` lines."""
        if most < 2 or after - first < 2:
            return (0.0 if after - first < 2 else _INFINITE), ()
        tokens, room = self._tokens, self._room
        starts, ends, gaps = tokens.columns, tokens.columns_end, tokens.gaps
        begin, end = starts[first] - prefix, ends[after - 1]
        least, chosen = _INFINITE, _Breaks()
        low = bisect_left(starts, end - room, first + 1, after - 1) if most == 2 else first + 1
        for at in range(low, after):
            left = ends[at - 1] - begin
            if left > room and at > first + 1:
                break
            points = gaps[at] * BREAK
            if points >= least:
                continue
            right, later = end - starts[at], _Breaks()
            if right > room:
                more, later = self._break(at, after, 0, most - 1)
                points += more + _EXTRA
            else:
                left -= prefix  # what is read is to be even
                points += UNEVEN * ((left - right) / left if left > right else (right - left) / right)
            if points < least:
                least, chosen = points, (at, *later)
        return least, chosen
