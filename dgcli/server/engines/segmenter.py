"""One channel of a live stream: where speech begins and ends, what is decoded when, which words are final.

No clock, no thread and no model in here: frames of audio with their probability of speech go in, and what was
decoded; events and wishes to decode come out. An utterance opens after a few frames of speech and ends after a
silence of `endpointing`, never shorter than `SHORTEST_SILENCE`. Its audio is decoded again about every second,
for interims, and soon after the speaker fell silent: when the silence turns out to be the end, the words are
there already. A window that has grown long is cut where two decodes agree (settle.py).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dgcli.server.engines import guards, settle
from dgcli.server.engines.base import (
    RATE,
    Configured,
    HeardSegment,
    HeardWord,
    LiveEvent,
    Passed,
    SpeechBegan,
)
from dgcli.server.engines.decoding import Decoding
from dgcli.server.engines.open_window import VOICE, DecodeJob, OpenWindow, WindowDecode
from dgcli.server.engines.vad import FRAME, FRAME_SECONDS

SHORTEST_SILENCE = 0.4  # seconds

_ONSET = 3  # frames of speech that open an utterance
_LEAD = 9  # frames before them that are decoded too: soft consonants
_FEWEST = 8  # frames of speech below which an utterance is a click or a cough
_LIKELY_END = 4  # frames of silence after which the words are decoded in case it is the end
_COVERED = 2  # frames after the last of speech that a decode must have heard for its words to be all
_INTERIM_EVERY = 1.0  # seconds of audio, as the API does
_FIRST_INTERIM = 0.7  # seconds after the onset: of less, half the words are wrong
_NEXT_TRY = 0.4  # seconds after an interim in which no word was understood
_PASSED_EVERY = 0.25  # seconds of audio of which one event stays while words are waited for
_EMPTY_FINAL_EVERY = 5.0  # seconds of silence after which nothing is made final
_LONG = 10.0  # seconds after which a window is cut where two decodes agree,
_LONGER = 14.0  # between any two words
_LONGEST = 20.0  # and anywhere
_SOONEST, _LATEST = 2.5, 1.2  # seconds of a window that a cut leaves before and behind it
_CAREFUL = 8.0  # seconds from which a window's words may become final at the next decode
_AROUND = 0.2  # seconds around a span that is heard again
_SEAM = 3  # words on either side of a cut that are remembered


class Host(Protocol):
    """Whoever decodes for a segmenter and takes its events."""

    def emit(self, event: LiveEvent) -> None:
        """Take the next event."""

    def decode(self, segmenter: "Segmenter", job: DecodeJob) -> None:
        """Decode some time, and call the segmenter's `decoded`."""

    def hurry(self, job: DecodeJob) -> None:
        """Decode this before what nobody waits for: it has become final."""

    def cancel(self, job: DecodeJob) -> None:
        """Decode this no more; `decoded` need not be called."""


@dataclass(slots=True, eq=False)
class _ClosingWindow:
    """A final that waits for words: all of them, or those of spans that are heard again."""

    start: float
    end: float
    flags: dict[str, bool]
    voiced: Sequence[guards.Span]
    seam: settle.Seam
    job: DecodeJob | None  # of all the words
    audio: Any  # of the window, from `begins` seconds on
    begins: float
    words: Sequence[HeardWord] = ()
    holes: dict[DecodeJob, guards.Span] = field(default_factory=dict)


class Segmenter:
    """Turns the frames of one channel into events."""

    def __init__(
        self, channel: int, endpointing: float | None, vocabulary: Sequence[str], host: Host
    ) -> None:
        self._channel = channel
        self._host = host
        # Without endpointing silence still ends a segment: a final must come some time.
        self._silence = max(endpointing or SHORTEST_SILENCE, SHORTEST_SILENCE)
        self._endpointing = endpointing is not None
        self._vocabulary = tuple(vocabulary)
        self._frames = 0
        self._final_until = 0.0  # where the next segment starts
        self._told = 0.0  # when the last interim was due
        self._lead: deque[tuple[Any, float]] = deque(maxlen=_LEAD + _ONSET)
        self._run = 0  # frames of speech in a row
        self._voice_end = 0.0  # when voice was last heard
        self._window: OpenWindow | None = None
        self._outbox: deque[LiveEvent | _ClosingWindow] = deque()

    @property
    def now(self) -> float:
        """Seconds heard so far."""
        return self._frames * FRAME_SECONDS

    @property
    def settled(self) -> bool:
        """Whether no final waits for its words."""
        return not self._outbox

    def configure(self, vocabulary: Sequence[str]) -> None:
        """Expect other terms from the next decode on."""
        self._vocabulary = tuple(vocabulary)
        if self._channel == 0:  # which answers for all
            self._put(Configured())

    def hear(self, frame: Any, voice: float) -> None:
        """Hear one frame: float32 samples and the probability that they are speech."""
        self._frames += 1
        if voice >= VOICE:
            self._voice_end = self.now
        window = self._window
        if window is None:
            self._lead.append((frame, voice))
            self._run = self._run + 1 if voice >= VOICE else 0
            if self._run >= _ONSET:
                self._open()
        else:
            window.append(frame, voice)
            if window.quiet * FRAME_SECONDS >= self._silence:
                self._end(self.now, speech_final=self._endpointing)
            elif window.quiet == _LIKELY_END and window.voiced >= _FEWEST:
                self._decode_open(window, likely_end=True)
            elif (self._frames - window.start) * FRAME_SECONDS >= _LONGEST:
                self._cut_anywhere(window)
        self._maybe_interim()
        if self._window is None and self.now - self._final_until >= _EMPTY_FINAL_EVERY - 1e-6:
            self._tell_final([], self.now)

    def passed(self) -> None:
        """Tell how far everything was heard."""
        event = Passed(self._channel, self.now, self._window is not None, self._voice_end)
        before = self._outbox[-1] if self._outbox else None
        # Whoever listens for the end of a turn needs to know of each silence, however late the words are.
        if isinstance(before, Passed) and before.at // _PASSED_EVERY == event.at // _PASSED_EVERY:
            self._outbox.pop()
        self._put(event)

    def finalize(self) -> None:
        """Make final what is open, on the client's wish; the answer comes even when that is nothing."""
        self._end(self.now, speech_final=True, from_finalize=True)

    def finish(self, duration: float) -> None:
        """Make the rest final: the stream ended after `duration` seconds."""
        if duration > self._final_until:
            self._end(duration, speech_final=self._window is not None)

    def decoded(self, job: DecodeJob, decoding: Decoding) -> None:
        """Take what was heard in the audio of a job."""
        for entry in self._outbox:
            if isinstance(entry, _ClosingWindow) and (entry.job is job or job in entry.holes):
                self._fill(entry, job, decoding)
                self._flush()
                return
        window = self._window
        if window is None or window.pending is not job:
            return  # its window has been closed or cut meanwhile: these words are final already
        window.pending = None
        upto = round(job.end / FRAME_SECONDS)
        words = settle.mend(self._heard(job, decoding, window.voiced_spans(upto)), window.seam)
        window.previous = window.latest
        window.latest = WindowDecode(upto, words, job.careful)
        self._put(self._segment(words, self._final_until, job.end))
        if (upto - window.start) * FRAME_SECONDS >= _LONG:
            self._cut(window)

    # Opening and ending

    def _open(self) -> None:
        onset = self._frames - self._run
        self._put_now(SpeechBegan(self._channel, onset * FRAME_SECONDS))
        window = OpenWindow(start=self._frames - len(self._lead), began=onset)
        for frame, voice in self._lead:
            window.append(frame, voice)
        window.quiet = 0
        self._lead.clear()
        self._run = 0
        self._window = window

    def _end(self, end: float, **flags: bool) -> None:
        window = self._window
        self._window = None
        if window is None:
            self._tell_final([], end, **flags)
            return
        # The silence at its end may hold the soft beginning of the next word.
        silence = len(window.frames) - (window.last_voice - window.start) - _COVERED
        for n in range(max(len(window.frames) - max(silence, 0), 0), len(window.frames)):
            self._lead.append((window.frames[n], window.voices[n]))
        if window.voiced < _FEWEST:
            self._forget(window)
            self._tell_final([], end, **flags)
            return
        needed = min(window.last_voice + _COVERED, self._frames)
        job, latest = window.pending, window.latest
        if latest is not None and latest.careful and latest.upto >= needed:
            self._forget(window)
            self._close(window, self._frames, end, latest.words, flags)
            return
        if job is not None and job.careful and round(job.end / FRAME_SECONDS) >= needed:
            self._host.hurry(job)
        else:
            self._forget(window)
            job = self._job(window, self._frames, final=True, careful=True)
            self._host.decode(self, job)
        self._close(window, self._frames, end, (), flags, job)

    def _forget(self, window: OpenWindow) -> None:
        """Let nobody decode for a window any more."""
        if window.pending is not None:
            self._host.cancel(window.pending)
            window.pending = None

    def _close(
        self,
        window: OpenWindow,
        upto: int,
        end: float,
        words: Sequence[HeardWord],
        flags: dict[str, bool],
        job: DecodeJob | None = None,
    ) -> None:
        """Make a window final up to a frame: its words are known, or those of a job."""
        closing = _ClosingWindow(
            start=self._final_until,
            end=end,
            flags=flags,
            voiced=window.voiced_spans(upto),
            seam=window.seam,
            job=job,
            audio=window.samples(upto),
            begins=window.start * FRAME_SECONDS,
            words=words,
        )
        self._move_to(end)
        self._outbox.append(closing)
        if job is None:
            self._patch(closing)
            self._flush()

    def _fill(self, closing: _ClosingWindow, job: DecodeJob, decoding: Decoding) -> None:
        """Give a final the words that it waits for."""
        heard = self._heard(job, decoding, closing.voiced)
        if closing.job is job:
            closing.job = None
            closing.words = settle.mend(heard, closing.seam)
            self._patch(closing)
        else:
            closing.words = guards.patched(closing.words, heard, closing.holes.pop(job))

    def _patch(self, closing: _ClosingWindow) -> None:
        """Have the stretches of speech decoded again in which no word lies."""
        for hole in guards.missed(closing.words, closing.voiced):
            first = max(round((hole[0] - _AROUND - closing.begins) / FRAME_SECONDS), 0)
            last = round((hole[1] + _AROUND - closing.begins) / FRAME_SECONDS)
            samples = closing.audio[first * FRAME : last * FRAME]
            start = closing.begins + first * FRAME_SECONDS
            job = DecodeJob(samples, start, start + len(samples) / RATE, True, True, self._vocabulary)
            closing.holes[job] = hole
            self._host.decode(self, job)

    def _heard(self, job: DecodeJob, decoding: Decoding, voiced: Sequence[guards.Span]) -> list[HeardWord]:
        """Return the words of a decode that can be believed, at their times in the stream."""
        spoken = sum(max(min(b, job.end) - max(a, job.start), 0.0) for a, b in voiced)
        words = [
            replace(word, start=word.start + job.start, end=word.end + job.start, language=decoding.language)
            for word in guards.credible(decoding, job.end - job.start, spoken)
        ]
        return guards.clip(words, voiced)

    def _tell_final(self, words: Sequence[HeardWord], end: float, **flags: bool) -> None:
        self._put(self._segment(words, self._final_until, end, is_final=True, **flags))
        self._move_to(end)

    def _move_to(self, end: float) -> None:
        self._final_until = end
        self._told = max(end, self._told)

    # Decoding the open window

    def _maybe_interim(self) -> None:
        window = self._window
        if window is None:
            if self.now - self._told >= _INTERIM_EVERY - 1e-6:
                self._told = self.now
                # At the very moment of a final an interim would restate nothing.
                if self.now > self._final_until:
                    self._put(self._segment([], self._final_until, self.now))
            return
        if window.asked:
            due = self._told + (_INTERIM_EVERY if window.latest and window.latest.words else _NEXT_TRY)
        else:
            due = window.began * FRAME_SECONDS + _FIRST_INTERIM
        if self.now < due - 1e-6 or window.pending is not None:
            return  # while one is decoded there is no other: under load they become rarer
        self._told = self.now
        if window.latest is not None and window.latest.upto >= window.last_voice + _COVERED:
            self._put(self._segment(window.latest.words, self._final_until, self.now))
        else:
            self._decode_open(window)

    def _decode_open(self, window: OpenWindow, *, likely_end: bool = False) -> None:
        self._forget(window)
        length = self.now - window.start * FRAME_SECONDS
        window.pending = self._job(window, self._frames, careful=likely_end or length >= _CAREFUL)
        window.asked = True
        self._told = self.now
        self._host.decode(self, window.pending)

    def _job(self, window: OpenWindow, upto: int, *, careful: bool, final: bool = False) -> DecodeJob:
        start, end = window.start * FRAME_SECONDS, upto * FRAME_SECONDS
        return DecodeJob(window.samples(upto), start, end, final, careful, self._vocabulary)

    # Cutting a long window

    def _cut(self, window: OpenWindow) -> None:
        """Make final what lies before the best gap on which the last two decodes agree."""
        latest, previous = window.latest, window.previous
        if latest is None or previous is None:
            return
        start = window.start * FRAME_SECONDS
        if not latest.words and not previous.words:
            self._cut_at(window, latest.upto - window.start - round(_LATEST / FRAME_SECONDS), 0)
            return
        long = (latest.upto - window.start) * FRAME_SECONDS >= _LONGER
        cut = settle.best_cut(
            latest.words,
            None if long else previous.words,
            window.levels,
            window.voices,
            start=start,
            frame=FRAME_SECONDS,
            soonest=start + _SOONEST,
            latest_at=latest.upto * FRAME_SECONDS - _LATEST,
        )
        if cut is not None:
            self._cut_at(window, cut.frame, cut.word)

    def _cut_at(self, window: OpenWindow, frame: int, word: int) -> None:
        """Make final the words before word number `word` of the latest decode, and the frames before `frame`."""
        assert window.latest is not None
        words = window.latest.words
        self._forget(window)
        upto = window.start + frame
        self._close(window, upto, upto * FRAME_SECONDS, words[:word], {"speech_final": False})
        window.seam = settle.Seam(
            [settle.letters(w.text) for w in words[max(word - _SEAM, 0) : word]], words[word : word + _SEAM]
        )
        window.cut(frame)

    def _cut_anywhere(self, window: OpenWindow) -> None:
        """Close a window that nothing was decoded of in time, at its quietest late moment."""
        levels = window.levels
        frame = min(range(len(levels) * 3 // 4, len(levels)), key=lambda n: levels[n])
        upto = window.start + frame
        self._forget(window)
        job = self._job(window, upto, careful=True, final=True)
        self._host.decode(self, job)
        self._close(window, upto, upto * FRAME_SECONDS, (), {"speech_final": False}, job)
        window.seam = settle.Seam()
        window.cut(frame)

    # Telling

    def _segment(self, words: Sequence[HeardWord], start: float, end: float, **flags: bool) -> HeardSegment:
        inside = [self._within(word, start, end) for word in words]
        return HeardSegment(self._channel, start, end - start, inside, **flags)

    def _within(self, word: HeardWord, start: float, end: float) -> HeardWord:
        begins = min(max(word.start, start), end)
        return replace(word, start=begins, end=max(min(word.end, end), begins))

    def _put_now(self, event: LiveEvent) -> None:
        """Tell what does not depend on the words before it."""
        self._host.emit(event)

    def _put(self, event: LiveEvent) -> None:
        self._outbox.append(event)
        self._flush()

    def _flush(self) -> None:
        while self._outbox:
            entry = self._outbox[0]
            if isinstance(entry, _ClosingWindow):
                if entry.job is not None or entry.holes:
                    return
                entry = self._segment(entry.words, entry.start, entry.end, is_final=True, **entry.flags)
            self._outbox.popleft()
            self._host.emit(entry)
