"""The audio of one utterance, or of what is left of it after a cut, and what was heard in it so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dgcli.server.engines import guards, settle
from dgcli.server.engines.base import HeardWord
from dgcli.server.engines.vad import FRAME_SECONDS

VOICE, QUIET = 0.5, 0.35  # probability of speech from which speech begins, and below which silence does


@dataclass(frozen=True, eq=False, slots=True)
class DecodeJob:
    """Audio to be decoded: float32 at 16 kHz, from `start` seconds into the stream.

    `final`: somebody waits for the words. `careful`: they may become final. `vocabulary` holds terms to be
    expected.
    """

    samples: Any
    start: float
    end: float
    final: bool
    careful: bool
    vocabulary: Sequence[str]


@dataclass(slots=True)
class WindowDecode:
    """The words of the open window up to frame `upto` of the stream."""

    upto: int
    words: Sequence[HeardWord]
    careful: bool


@dataclass(slots=True, eq=False)
class OpenWindow:
    """The audio of an utterance that is not final, and what is known of it."""

    start: int  # first frame, counted from the start of the stream
    began: int  # frame at which the interims start to count
    frames: list[Any] = field(default_factory=list)
    voices: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    voiced: int = 0
    last_voice: int = 0  # frame after the last one of speech
    quiet: int = 0
    latest: WindowDecode | None = None
    previous: WindowDecode | None = None
    pending: DecodeJob | None = None
    asked: bool = False  # whether any of it was decoded
    seam: settle.Seam = field(default_factory=settle.Seam)

    def append(self, frame: Any, voice: float) -> None:
        """Add a frame and the probability that it is speech."""
        self.frames.append(frame)
        self.voices.append(voice)
        self.levels.append(10 * float(np.log10(np.dot(frame, frame) / len(frame) + 1e-10)))
        if voice >= VOICE:
            self.quiet = 0
            self.voiced += 1
            self.last_voice = self.start + len(self.frames)
        elif voice < QUIET or self.quiet:
            self.quiet += 1

    def samples(self, upto: int) -> Any:
        """Return the audio before a frame of the stream."""
        return np.concatenate(self.frames[: upto - self.start])

    def voiced_spans(self, upto: int) -> list[guards.Span]:
        """Return where speech is before a frame of the stream, in seconds."""
        voices = self.voices[: upto - self.start]
        return guards.spans(voices, self.start * FRAME_SECONDS, FRAME_SECONDS)

    def cut(self, frame: int) -> None:
        """Drop what lies before a frame of the window."""
        del self.frames[:frame], self.voices[:frame], self.levels[:frame]
        self.start += frame
        self.began = self.start
        self.voiced = sum(voice >= VOICE for voice in self.voices)
        self.latest = self.previous = self.pending = None
