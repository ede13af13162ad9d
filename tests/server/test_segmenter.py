"""Where speech begins and ends and what becomes final, from scripted voice and words: no model, no clock."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgcli.server.engines.base import HeardSegment, HeardWord, LiveEvent, Passed, SpeechBegan
from dgcli.server.engines.decoding import Decoding
from dgcli.server.engines.open_window import DecodeJob
from dgcli.server.engines.segmenter import SHORTEST_SILENCE, Segmenter
from dgcli.server.engines.vad import FRAME, FRAME_SECONDS

WORD = 10  # frames that a scripted word takes
VOICE = np.full(FRAME, 0.1, np.float32)
SILENCE = np.zeros(FRAME, np.float32)


@dataclass
class Stream:
    """A scripted speaker, and a recogniser that hears exactly what he said, `lag` frames after it was asked.

    Every word is `WORD` frames of speech; the word that starts at frame n is called "w<n>". Where it is too
    late to `cancel`, the words of jobs that nobody wants any more come nevertheless.
    """

    endpointing: float | None = 0.01
    lag: int = 5
    can_cancel: bool = True
    events: list[LiveEvent] = field(default_factory=list)
    asked: list[tuple[int, DecodeJob]] = field(default_factory=list)
    decodes: int = 0
    hurried: list[DecodeJob] = field(default_factory=list)
    frame: int = 0
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.segmenter = Segmenter(0, self.endpointing, (), self)

    def emit(self, event: LiveEvent) -> None:
        self.events.append(event)

    def decode(self, segmenter: Segmenter, job: DecodeJob) -> None:
        assert segmenter is self.segmenter
        self.asked.append((self.frame + self.lag, job))

    def hurry(self, job: DecodeJob) -> None:
        self.hurried.append(job)

    def cancel(self, job: DecodeJob) -> None:
        if self.can_cancel:
            self.asked = [pair for pair in self.asked if pair[1] is not job]

    def say(self, words: int) -> "Stream":
        for _ in range(words):
            self.starts.append(self.frame)
            # A soft frame between two words, as there is in speech.
            for number in range(WORD):
                self._hear(VOICE if number < WORD - 1 else VOICE / 10, 0.9)
        return self

    def pause(self, seconds: float) -> "Stream":
        for _ in range(round(seconds / FRAME_SECONDS)):
            self._hear(SILENCE, 0.01)
        return self

    def finish(self) -> "Stream":
        self.segmenter.finish(self.frame * FRAME_SECONDS)
        self.answer(everything=True)
        return self

    def _hear(self, samples: object, voice: float) -> None:
        self.frame += 1
        self.segmenter.hear(samples, voice)
        self.segmenter.passed()
        self.answer()

    def answer(self, *, everything: bool = False) -> None:
        while self.asked and (everything or self.asked[0][0] <= self.frame):
            _, job = self.asked.pop(0)
            self.decodes += 1
            self.segmenter.decoded(job, self.heard(job))

    def heard(self, job: DecodeJob) -> Decoding:
        words = []
        for start in self.starts:
            begins, ends = start * FRAME_SECONDS - job.start, (start + WORD) * FRAME_SECONDS - job.start
            # A word of which less than half is inside is not understood.
            if begins >= -WORD / 2 * FRAME_SECONDS and ends <= job.end - job.start + WORD / 2 * FRAME_SECONDS:
                words.append(
                    HeardWord(
                        f"w{start}",
                        max(begins, 0.0),
                        min(ends, job.end - job.start),
                        0.9,
                        written=f"w{start}",
                    )
                )
        return Decoding(words, 0.0, -0.2, "en", 1.0)

    @property
    def finals(self) -> list[HeardSegment]:
        return [event for event in self.events if isinstance(event, HeardSegment) and event.is_final]

    @property
    def interims(self) -> list[HeardSegment]:
        return [event for event in self.events if isinstance(event, HeardSegment) and not event.is_final]

    @property
    def said(self) -> list[str]:
        return [f"w{start}" for start in self.starts]


def texts(segments: Sequence[HeardSegment]) -> list[str]:
    return [word.text for segment in segments for word in segment.words]


def test_an_utterance_ends_after_the_shortest_silence() -> None:
    """Endpointing below the floor ends an utterance at the floor, once, with its words."""
    stream = Stream(endpointing=0.01).pause(1).say(5).pause(SHORTEST_SILENCE + 0.1)
    (final,) = [segment for segment in stream.finals if segment.words]
    assert final.speech_final
    assert texts([final]) == stream.said
    assert final.start + final.duration == pytest.approx(1 + 50 * FRAME_SECONDS + SHORTEST_SILENCE, abs=0.05)


@pytest.mark.parametrize("endpointing", [0.6, 1.0, 3.0])
def test_endpointing_is_honoured(endpointing: float) -> None:
    """A pause shorter than asked for does not end the utterance; one as long does."""
    stream = Stream(endpointing=endpointing).say(3).pause(endpointing - 0.1).say(3).pause(endpointing + 0.1)
    assert [texts([segment]) for segment in stream.finals if segment.speech_final] == [stream.said]


def test_without_endpointing_nothing_is_speech_final() -> None:
    """With endpointing off finals still come after silences, and none of them claims that speech ended."""
    stream = Stream(endpointing=None).say(3).pause(1).say(3).pause(1)
    assert texts(stream.finals) == stream.said
    assert not any(segment.speech_final for segment in stream.finals)


def test_the_words_are_there_when_the_endpoint_falls() -> None:
    """The silence is decoded as soon as it might be the end, so that the final does not wait at the end."""
    stream = Stream(lag=4).say(5).pause(SHORTEST_SILENCE + 0.1)
    assert [segment.speech_final for segment in stream.finals] == [True]
    assert not any(job.final for _, job in stream.asked)


def test_a_final_that_is_late_goes_first() -> None:
    """Where the recogniser is behind, the window that is being waited for is hurried, and its words all come."""
    stream = Stream(lag=30).say(5).pause(0.6)
    assert stream.hurried or any(job.final for _, job in stream.asked)
    stream.pause(2).finish()
    assert texts(stream.finals) == stream.said


def test_a_cough_is_no_utterance() -> None:
    """Less than a quarter second of voice opens and closes without a word, and without asking for one."""
    stream = Stream().pause(1)
    for _ in range(5):
        stream._hear(VOICE, 0.9)
    stream.pause(1)
    assert not any(job.final for _, job in stream.asked)
    assert texts(stream.finals) == []
    assert sum(isinstance(event, SpeechBegan) for event in stream.events) == 1


def test_speech_started_tells_the_onset() -> None:
    """SpeechBegan comes once for each utterance, with the time at which the voice began."""
    stream = Stream().pause(2).say(4).pause(1).say(4).pause(1)
    onsets = [event.at for event in stream.events if isinstance(event, SpeechBegan)]
    spoken = [stream.starts[0] * FRAME_SECONDS, stream.starts[4] * FRAME_SECONDS]
    assert onsets == pytest.approx(spoken, abs=0.04)


def test_interims_come_about_every_second() -> None:
    """While somebody speaks and while nobody does an interim comes every second; each restates the window."""
    stream = Stream(lag=3).say(15).pause(5)
    ends = [segment.start + segment.duration for segment in stream.interims]
    assert all(0 < b - a <= 1.4 for a, b in itertools.pairwise(ends))
    spoken = [texts([segment]) for segment in stream.interims if segment.words]
    assert all(words == stream.said[: len(words)] for words in spoken)


def test_interims_become_rarer_when_the_recogniser_is_slow() -> None:
    """While a window is being decoded no other is asked for: load does not add to itself."""
    stream = Stream(lag=80)
    for _ in range(15):
        stream.say(1)
        assert len([job for _, job in stream.asked if not job.final]) <= 1
    assert 1 <= len([segment for segment in stream.interims if segment.words]) <= 3


def test_silence_brings_empty_finals() -> None:
    """Silence is confirmed every five seconds, and costs no decode."""
    stream = Stream().pause(16)
    assert [segment.duration for segment in stream.finals] == pytest.approx([5.0, 5.0, 5.0], abs=0.1)
    assert stream.decodes == 0


def test_finalize_in_the_middle_of_a_window() -> None:
    """What was said so far becomes final, marked as the answer; what follows comes later, once."""
    stream = Stream(lag=2).say(4)
    stream.segmenter.finalize()
    stream.say(4).pause(1)
    flushed, rest = [segment for segment in stream.finals if segment.words]
    assert (flushed.from_finalize, flushed.speech_final) == (True, True)
    assert flushed.start + flushed.duration == pytest.approx(40 * FRAME_SECONDS)
    assert texts([flushed, rest]) == stream.said


def test_finalize_answers_when_nothing_is_open() -> None:
    """Even with nothing to make final the client gets the answer it waits for."""
    stream = Stream().pause(1.2)
    stream.segmenter.finalize()
    stream.segmenter.finalize()
    assert [segment.from_finalize for segment in stream.finals] == [True, True]
    assert stream.finals[-1].duration == 0


def test_events_keep_their_order() -> None:
    """A final that waits for its words holds back what comes after it, but not that somebody speaks again."""
    stream = Stream(lag=40).say(4).pause(0.6).say(2)
    assert not stream.finals
    assert sum(isinstance(event, SpeechBegan) for event in stream.events) == 2
    stream.pause(2)
    at = 0.0
    for event in stream.events:
        if isinstance(event, HeardSegment):
            assert event.start >= at - 1e-6
            at = event.start
        elif isinstance(event, Passed):
            assert event.at >= at - 1e-6


def test_a_hole_is_heard_again() -> None:
    """A passage that the recogniser skipped is decoded a second time, and its words stand in their place."""

    class Skipping(Stream):
        def heard(self, job: DecodeJob) -> Decoding:
            whole = super().heard(job)
            if job.end - job.start < 2.5:
                return whole
            kept = [w for w in whole.words if not 30 <= int(w.text[1:]) < 70]
            return Decoding(kept, 0.0, -0.2, "en", 1.0)

    stream = Skipping(lag=2).say(12).pause(2)
    assert texts(stream.finals) == stream.said


@pytest.mark.parametrize("lag", [3, 30])
def test_a_word_heard_on_both_sides_of_a_cut_is_said_once(lag: int) -> None:
    """Where the recogniser hears the last word before a cut again behind it, the interims and finals do not."""

    class Echoing(Stream):
        def heard(self, job: DecodeJob) -> Decoding:
            whole = super().heard(job)
            first = round(job.start / FRAME_SECONDS)
            echo = [f"w{start}" for start in self.starts if abs(start + WORD - first) <= 2]
            words = [HeardWord(text, 0.0, 0.05, 0.9) for text in echo] + list(whole.words)
            return Decoding(words, 0.0, -0.2, "en", 1.0)

    stream = Echoing(lag=lag).say(100).pause(1).finish()
    assert texts(stream.finals) == stream.said
    for segment in stream.interims:
        heard = [int(word.text[1:]) for word in segment.words]
        assert all(start * FRAME_SECONDS >= segment.start - 0.1 for start in heard)


def assert_whole(stream: Stream) -> None:
    """Every word is final once, in order; the windows of the finals leave no gap and do not overlap."""
    assert texts(stream.finals) == stream.said
    assert stream.finals[0].start == 0
    for before, after in itertools.pairwise(stream.finals):
        assert before.start + before.duration == pytest.approx(after.start)
    for segment in stream.finals:
        for word in segment.words:
            assert segment.start - 1e-6 <= word.start <= word.end <= segment.start + segment.duration + 1e-6


@pytest.mark.parametrize("can_cancel", [True, False])
@pytest.mark.parametrize("lag", [1, 10, 40, 100])
def test_speech_without_a_pause_is_cut_where_decodes_agree(lag: int, can_cancel: bool) -> None:
    """Two minutes without a pause become final piece by piece: no word lost, none twice, whatever the lag."""
    stream = Stream(lag=lag, can_cancel=can_cancel).say(375).pause(1).finish()
    assert_whole(stream)
    assert max(segment.duration for segment in stream.finals) <= 20.5


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=6),
    lag=st.integers(1, 60),
    endpointing=st.sampled_from([None, 0.01, 0.5, 2.0]),
    can_cancel=st.booleans(),
)
def test_nothing_is_lost_or_said_twice(
    parts: list[tuple[int, int]], lag: int, endpointing: float | None, can_cancel: bool
) -> None:
    """Whatever the pauses, the lag and the endpointing, the finals hold every word once and cover all time."""
    stream = Stream(endpointing, lag, can_cancel)
    for words, pause in parts:
        stream.say(words).pause(pause * FRAME_SECONDS)
    assert_whole(stream.finish())
