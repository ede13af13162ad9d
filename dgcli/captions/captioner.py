"""From timed words to cues, as the words become known."""

import copy
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from math import ceil

from dgcli.captions.cues import Cue
from dgcli.captions.cutting import Cutter
from dgcli.captions.kinds import WordKind
from dgcli.captions.limits import PAUSE, Limits
from dgcli.captions.merging import Merger
from dgcli.captions.speakers import Flagged, SpeakerSmoother
from dgcli.captions.voice import Prefix, Voice
from dgcli.transcript.model import Channel, Transcript, Word

_STRETCH = 1000  # words that are fed at a time
_TURN = 0.3  # seconds of pause between two voices that are not closed
_LEAST = 0.04  # seconds that a cue is shown even where the words' times leave nothing: a frame
_UNSAID = (WordKind.MARK, WordKind.BRACKET)
_MESSAGES = 1.25  # seconds between two messages of a server: by so much may be late what one makes known
_QUIET = 2.0  # seconds without a message after which none is expected of a server that sends interims
_GRACE = 1.5  # seconds beyond the delay in which the final that settles a cue well may still come
_OVERDUE = 2.0  # seconds after which a cue that ought to be out is rather continued than ended
_EXACT = 1e-6  # ticks: what products of floats are off by


def _nobody(voice: Voice) -> str:  # noqa: ARG001 - a Prefix
    return ""


class Captioner:
    """Makes cues of words: `feed` them in order and take the cues that are settled; `finish` gives the rest.

    A cue that has come out is never changed, and comes out when the words some 7 s after it are known, or a
    pause of more than 1.5 s. However the words are divided among calls, the cues are the same.

    With `max_delay` (seconds) a cue also comes out that long after its last word, as `heard` tells the time, and
    no word stays for more than 1.5 s longer than that once it has been fed, whatever its times are: then what is
    settled depends on when that was.

    `prefix` says what stands before the words of a voice, `smooth_speakers` puts changes of speaker where
    sentences end (`speakers`). With several `channels` each call of `feed` carries
    words of one of them.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        prefix: Prefix = _nobody,
        channels: int = 1,
        language: str | None = None,
        smooth_speakers: bool = False,
        max_delay: float | None = None,
    ) -> None:
        self._max_delay = max_delay
        self._waits = None if max_delay is None else max(0.0, max_delay - _MESSAGES)
        self._now = 0.0  # seconds of the stream that messages told of
        self._fed: dict[int, deque[float]] = {}  # when the words of each channel came that are no tokens yet
        self._has_interims = False
        self._heard = dict.fromkeys(range(channels), 0.0)  # seconds of each channel that messages told of
        self._smoothers: dict[int, SpeakerSmoother] | None = {} if smooth_speakers else None
        self._limits = limits or Limits()
        self._cutter = Cutter(self._limits, prefix, channels, language)
        self._merger = Merger(channels) if channels > 1 else None
        fps = self._limits.fps
        self._rate = fps or 1000  # ticks a second: times are whole frames, or whole milliseconds
        self._gap = ceil(self._limits.min_gap * self._rate - _EXACT)
        self._least = ceil(_LEAST * self._rate - _EXACT)
        self._lingers = int(PAUSE * self._rate) - self._gap
        self._longest = int(self._limits.max_duration * self._rate + _EXACT)
        self._end: int | None = None  # where the last cue ends, in ticks
        self._named: Voice | None = None  # who was named last

    def feed(
        self,
        words: Iterable[Word],
        *,
        channel: int = 0,
        until: float | None = None,
        ends_utterance: bool = False,
    ) -> list[Cue]:
        """Take the next words of a channel; returns the cues that are settled now.

        `until` says up to where the audio of the channel is known (seconds), as the end of a final does: with
        it a pause settles cues without waiting for the word after it. `ends_utterance` says that an utterance
        ends after the last of these words.
        """
        told = until
        batch = list(zip(words, repeat(False)))
        if self._waits is not None and told is not None:
            self._now = max(self._now, told)
            self._fed.setdefault(channel, deque()).extend(repeat(self._now, len(batch)))
        if batch and ends_utterance:
            batch[-1] = (batch[-1][0], True)
        if self._merger is not None and until is None:
            until = max((word.start for word, _ in batch if word.start < float("inf")), default=0.0)
        if self._smoothers is not None:
            smoother = self._smoothers.get(channel)
            if smoother is None:
                smoother = self._smoothers[channel] = SpeakerSmoother()
            batch = smoother.take(batch)
            if until is not None:
                batch += smoother.silence(until)
                until = min(until, smoother.first_held)
        cutter = self._cutter
        if self._merger is None:
            self._add(batch, channel)
        else:
            self._merger.put(channel, batch, until or 0.0)
            for key, word, ends in self._merger.take():
                self._add(((word, ends),), word.channel, key)
            until = self._merger.known
        if until is not None and until - cutter.last_end > PAUSE:
            cutter.close()
        return self._take() if told is None else self.heard(told, channel=channel)

    def heard(self, until: float, *, channel: int = 0, likely: Sequence[Word] | None = None) -> list[Cue]:
        """Take how far a channel's audio is known to the server, and what it probably said since the last `feed`.

        Both as an interim tells it. Returns the cues that have waited for `max_delay`: of words that were fed,
        cut where they would be if the likely words were what follows.
        """
        if self._waits is not None:
            self._heard[channel] = max(self._heard.get(channel, 0.0), until)
            self._now = max(self._now, until)
            self._has_interims = self._has_interims or likely is not None
            self._hurry(min(self._heard.values()) - self._waits, until, channel, likely)
            start = likely[0].start if likely else until
            is_time = 0.0 <= start < float("inf")  # what is none fails the first comparison, NaN included
            self._release(self._now - _GRACE, start if is_time else until)
        return self._take()

    def quiet(self, seconds: float) -> list[Cue]:
        """Take that no message has come for so long; returns the cues that have waited for `max_delay`.

        So the last words before a silence are out although nothing tells of it: no audio, or no connection.
        """
        if self._waits is not None:
            now = self._now + seconds
            self._release(now - (0.0 if self._has_interims and seconds >= _QUIET else _GRACE), now)
        return self._take()

    def _add(self, words: Sequence[Flagged], channel: int, key: float | None = None) -> None:
        """Pass words on that are fit to be cut; of each it is remembered when it was fed."""
        cutter, fed = self._cutter, self._fed.get(channel)
        if not fed:
            cutter.add(words, key)
            return
        came = cutter.tokens.came
        for word in words:
            when = fed.popleft() if fed else self._now
            cutter.add((word,), key)
            came.extend(repeat(when, len(cutter.tokens.starts) - len(came)))

    def _release(self, now: float, following: float) -> None:
        """Settle the cues of all words that were fed `max_delay` before `now`, as what is known suggests.

        `following` is where the next word begins that is not known (seconds), or later.
        """
        assert self._max_delay is not None, "only called where there is a delay"
        by = now - self._max_delay
        for channel, fed in self._fed.items():
            due = sum(when <= by for when in fed)
            smoother = self._smoothers.get(channel) if self._smoothers else None
            if not due:
                continue
            if smoother is not None and self._merger is not None:
                self._merger.put(channel, smoother.release(due), 0.0)
            elif smoother is not None:
                self._add(smoother.release(due), channel)
        if self._merger is not None:
            while self._merger.holds and any(fed and fed[0] <= by for fed in self._fed.values()):
                key, word, ends = self._merger.pop()
                self._add(((word, ends),), word.channel, key)
        after = None if following - self._cutter.last_end > PAUSE else following
        self._cutter.release(by, after)

    def _hurry(self, ended: float, until: float, channel: int, likely: Sequence[Word] | None) -> None:
        """Settle the cues whose last word ended by `ended` (seconds), if the likely words are what follows."""
        cutter = self._cutter
        if self._merger is not None:
            cutter.hurry(ended)
            return
        silent = likely is not None and not likely
        smoother = self._smoothers.get(channel) if self._smoothers else None
        if smoother is not None:
            self._add(smoother.silence(until) if silent else smoother.hurry(ended), channel)
        if silent and until - cutter.last_end > PAUSE:
            cutter.close()
        if not cutter.is_late(ended):
            return
        cutter.bar(ended - _OVERDUE)
        for cut, follows in self._copy()._foreseen(likely or (), ended):
            if cut > len(cutter.tokens.starts):
                break
            cutter.settle(cut, follows)

    def _foreseen(self, likely: Sequence[Word], ended: float) -> list[tuple[int, float | None]]:
        """Return the ends of the cues that `likely` words settle, and what follows; only a copy can be asked."""
        cutter = self._cutter
        cutter.settled.clear()
        smoothers = self._smoothers or {}
        batch = [(word, False) for word in likely]
        for smoother in smoothers.values():
            batch = [*smoother.take(batch), *smoother.finish()]
        cutter.add(batch)
        cutter.hurry(ended)
        return [(cut, follows) for _, cut, follows in cutter.settled if cutter.tokens.outs[cut - 1] <= ended]

    def finish(self) -> list[Cue]:
        """The cues that were not settled yet; nothing can be fed after this."""
        for channel, smoother in (self._smoothers or {}).items():
            held = smoother.finish()
            if self._merger is not None:
                self._merger.put(channel, held, 0.0)
                continue
            self._cutter.add(held)
        if self._merger is not None:
            for key, word, ends in self._merger.take(everything=True):
                self._cutter.add(((word, ends),), key)
        self._cutter.close()
        return self._take()

    def preview(self) -> list[Cue]:
        """Return what `finish` would return now, without finishing."""
        return self._copy().finish()

    def _copy(self) -> "Captioner":
        # What never changes, or grows with the vocabulary only, is shared by the copy.
        shared = (self._limits, self._cutter.limits, *self._cutter.tokens.lasting)
        return copy.deepcopy(self, {id(part): part for part in shared})

    def _take(self) -> list[Cue]:
        cues = [self._cue(*settled) for settled in self._cutter.settled]
        self._cutter.settled.clear()
        self._cutter.forget()
        return cues

    def _cue(self, first: int, after: int, follows: float | None) -> Cue:
        tokens = self._cutter.tokens
        layout = self._cutter.layout
        lines = layout.lines(first, after, self._named)
        if tokens.several_channels:
            shared = len({line.voice.channel for line in lines}) > 1
            self._named = None if shared else lines[-1].voice
            begun, ended = min(self._spoken(first, after)), max(tokens.outs[first:after])
        else:
            self._named = lines[-1].voice
            silent = tokens.forms[first].right in _UNSAID  # a quotation begins with its first word
            begun = min(self._spoken(first, after)) if silent else tokens.starts[first]
            ended = tokens.outs[after - 1]  # no word ends after the next of its channel begins
        start = self._tick(begun)
        if self._end is not None:
            start = max(start, self._end + self._gap)
        out = self._tick(ended)
        following = None if follows is None else self._tick(follows)
        columns = layout.columns(first, after, lines)
        # A pause that tells of a change of voice stays visible.
        turn = follows is not None and after < len(tokens.runs) and tokens.runs[after] == after
        bridge = min(self._limits.bridge, _TURN) if turn else self._limits.bridge
        self._end = self._out_time(start, out, following, columns, bridge)
        if self._rate == 1000:
            return Cue(start / 1000, self._end / 1000, lines)
        return Cue(round(start / self._rate, 3), round(self._end / self._rate, 3), lines)

    def _spoken(self, first: int, after: int) -> list[float]:
        """The starts of tokens that are said: marks that stand alone are written only."""
        tokens = self._cutter.tokens
        spoken = [tokens.ins[at] for at in range(first, after) if tokens.forms[at].right not in _UNSAID]
        return spoken or tokens.ins[first:after]

    def _tick(self, seconds: float) -> int:
        return round(seconds * self._rate)

    def _out_time(self, start: int, out: int, following: int | None, columns: int, bridge: float) -> int:
        """Return the end of a cue whose words end at `out`; times are milliseconds or frames.

        It is stretched for reading, as far as the next cue, `max_duration` and `PAUSE` leave room. A short
        gap to the next cue, of less than `bridge` seconds, is closed to the smallest one. Where the words
        leave less than that, the cue ends that much before its last word does.
        """
        limits, rate = self._limits, self._rate
        latest = min(out + self._lingers, start + self._longest)
        shortest = ceil(max(limits.min_duration, columns / limits.max_cps) * rate - _EXACT)
        end = min(max(out, start + shortest), latest)
        if following is not None:
            border = following - self._gap
            if end > border or following - end < bridge * rate:
                end = min(border, latest)
        return max(end, start + self._least)


def _stretches(transcript: Transcript, channel: Channel) -> Iterator[tuple[Sequence[Word], bool]]:
    """The words of a channel in stretches, and whether an utterance of the API ends with each."""
    own = [part for part in transcript.utterances if part.channel == channel.index and part.words]
    words = channel.words or tuple(word for utterance in own for word in utterance.words)
    ends = {(part.words[-1].start, part.words[-1].end) for part in own if not part.goes_on}
    if not ends:
        for at in range(0, len(words), _STRETCH):
            yield words[at : at + _STRETCH], False
        return
    at = 0
    for after, word in enumerate(words, 1):
        ended = (word.start, word.end) in ends
        if ended or after - at == _STRETCH or after == len(words):
            yield words[at:after], ended
            at = after


def each_caption(
    transcript: Transcript,
    limits: Limits | None = None,
    *,
    prefix: Prefix = _nobody,
    smooth_speakers: bool = False,
    language: str | None = None,
) -> Iterator[Cue]:
    """The cues of a transcript, of all its channels; none for one in which nothing is said.

    They are made as they are taken, so that whoever needs each only once holds few at a time. Utterances end where
    the API says so, and else where a pause does. `language` is for channels of which none was detected.
    """
    several = len(transcript.channels) > 1
    detected = {channel.detected_language for channel in transcript.channels}
    captioner = Captioner(
        limits,
        prefix=prefix,
        channels=len(transcript.channels) if several else 1,
        language=(detected.pop() if len(detected) == 1 else None) or language,
        smooth_speakers=smooth_speakers,
    )
    for channel in transcript.channels:
        for words, ends in _stretches(transcript, channel):
            yield from captioner.feed(words, channel=channel.index, ends_utterance=ends, until=None)
    yield from captioner.finish()


def captions(
    transcript: Transcript,
    limits: Limits | None = None,
    *,
    prefix: Prefix = _nobody,
    smooth_speakers: bool = False,
    language: str | None = None,
) -> list[Cue]:
    """The cues of `each_caption`, all of them."""
    cues = each_caption(transcript, limits, prefix=prefix, smooth_speakers=smooth_speakers, language=language)
    return list(cues)
