"""One channel of a live stream: voice activity, partial hypotheses, finals. Runs in the worker process.

The decoder works while the audio arrives; its partial hypothesis is the interim. An utterance ends after a
silence of `endpointing`, but never less than 0.3 s, which the voice activity detector needs to be sure:
cutting sooner costs words (benchmarks/recogniser.py). Where somebody talks on without a pause, the words up
to the quietest gap between two of them become final every few seconds, and what follows is heard anew.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pocketsphinx

from dgcli.server.engines import sphinx
from dgcli.server.engines.base import RATE

_SHORTEST_SILENCE = 0.3  # seconds
_ONSET = (5, 10)  # so many of so many frames must be speech for an utterance to begin
_LEAD = 20  # frames before that which are heard too: soft consonants
_INTERIM_EVERY = 1.0  # seconds of audio, as the API does
_EMPTY_FINAL_EVERY = 5.0  # seconds of silence after which nothing is made final
_LONG = 5.0  # seconds of speech after which the first words of it are made final
_SOONEST, _LATEST = 2.5, 1.0  # seconds of it that are left before and behind the cut
_TOO_LONG = 12.0  # seconds after which all of it is made final: noise that has no words to cut between
_LOOK = 10  # frames between two looks for such a place
_UNKNOWN_CONFIDENCE = 0.5

Emit = Callable[[dict[str, Any]], None]


class Listener:
    """Hears 16-bit PCM at 16 kHz and emits what a `Segment` or `SpeechBegan` holds."""

    def __init__(
        self, channel: int, endpointing: float | None, vocabulary: Sequence[str], emit: Emit
    ) -> None:
        self._channel = channel
        self._emit_to = emit
        # Without endpointing silence still ends a segment: a final must come some time.
        self._silence = max(endpointing or _SHORTEST_SILENCE, _SHORTEST_SILENCE)
        self._endpointing = endpointing is not None
        # The strictest mode sees the pauses of a reader that the others take for speech.
        self._detector = pocketsphinx.Vad(pocketsphinx.Vad.STRICT, RATE)
        self._size: int = self._detector.frame_bytes
        self._frame: float = self._detector.frame_length
        self._rest = b""
        self._lead: deque[bytes] = deque(maxlen=_LEAD)
        self._recent: deque[bool] = deque(maxlen=_ONSET[1])
        self._frames = 0  # heard so far
        self._window = 0.0  # start of the window that is not final yet
        self._told = 0.0  # when the last interim was sent
        self._began: float | None = None  # start of the utterance's audio
        self._heard: list[bytes] = []  # its frames
        self._quiet = 0  # frames of silence at its end
        self._decoder: Any = None
        self._entries: dict[str, str] = {}
        self._vocabulary: tuple[str, ...] | None = None
        self.configure(vocabulary)

    @property
    def now(self) -> float:
        """Seconds heard so far."""
        return self._frames * self._frame

    def configure(self, vocabulary: Sequence[str]) -> None:
        """Expect these terms from the next utterance on."""
        self._wanted = tuple(vocabulary)
        if self._began is None:
            self._prepare()

    def accept(self, pcm: bytes) -> None:
        """Hear a block of any length."""
        data = self._rest + pcm
        whole = len(data) // self._size * self._size
        self._rest = data[whole:]
        for at in range(0, whole, self._size):
            self._hear(data[at : at + self._size])
        self._emit("passed", at=self.now, speaking=self._began is not None)

    def finalize(self) -> None:
        """Make final what is open, on the client's wish."""
        if self.now > self._window:
            self._end_window(speech_final=True, from_finalize=True)

    def finish(self) -> None:
        """Hear the last bytes and make the rest final."""
        if self._rest:
            self._hear(self._rest.ljust(self._size, b"\0"))
            self._rest = b""
        if self.now > self._window:
            self._end_window(speech_final=self._began is not None)

    def _prepare(self) -> None:
        if self._vocabulary != self._wanted:
            self._decoder = sphinx.new_decoder()
            self._entries, _ = sphinx.teach(self._decoder, self._wanted)
            self._vocabulary = self._wanted

    def _hear(self, frame: bytes) -> None:
        speech = bool(self._detector.is_speech(frame))
        self._frames += 1
        if self._began is None:
            self._lead.append(frame)
            self._recent.append(speech)
            if sum(self._recent) >= _ONSET[0]:
                self._begin()
        else:
            self._heard.append(frame)
            self._decoder.process_raw(frame)
            self._quiet = 0 if speech else self._quiet + 1
            self._maybe_end(self.now - self._began)
        if self.now - self._told >= _INTERIM_EVERY:
            self._interim()
        if self._began is None and self.now - self._window >= _EMPTY_FINAL_EVERY:
            self._end_window(speech_final=False)

    def _begin(self) -> None:
        self._emit("speech", at=max(self.now - len(self._recent) * self._frame, 0.0))
        self._listen(list(self._lead))
        self._lead.clear()
        self._recent.clear()
        self._quiet = 0

    def _listen(self, frames: list[bytes]) -> None:
        """Begin an utterance with frames that have just been heard."""
        self._began = self.now - len(frames) * self._frame
        self._heard = frames
        self._prepare()
        self._decoder.start_utt()
        if frames:
            self._decoder.process_raw(b"".join(frames))

    def _maybe_end(self, length: float) -> None:
        if self._quiet * self._frame >= self._silence:
            self._end_window(speech_final=self._endpointing)
        elif length >= _TOO_LONG:
            self._end_window(speech_final=False)
            self._listen([])  # the speaker has not stopped
        elif length >= _LONG and len(self._heard) % _LOOK == 0 and self._gap(self._words()) is not None:
            self._split()

    def _gap(self, words: Sequence[sphinx.HeardWord]) -> float | None:
        """Return the quietest moment between two words of the open utterance, neither early nor late in it."""
        assert self._began is not None
        quietest: tuple[float, float] | None = None
        for before, after in pairwise(words):
            at = (before[2] + after[1]) / 2
            if self._began + _SOONEST <= at <= self.now - _LATEST:
                frame = round((at - self._began) / self._frame)
                around = np.frombuffer(b"".join(self._heard[frame - 1 : frame + 1]), "<i2").astype(np.float32)
                quietest = min(quietest or (np.inf, at), (float((around**2).mean()), at))
        return quietest[1] if quietest else None

    def _split(self) -> None:
        """Make final what was said before a gap, and hear the rest anew."""
        assert self._began is not None
        self._decoder.end_utt()
        words = self._words()
        gap = self._gap(words)
        # Where the last pass hears other words than those that the gap was seen between, all is made final.
        kept = len(self._heard) if gap is None else round((gap - self._began) / self._frame)
        end = self._began + kept * self._frame
        self._emit_segment([word for word in words if gap is None or word[2] <= gap], end=end, is_final=True)
        self._window = end
        self._listen(self._heard[kept:])
        self._interim()

    def _interim(self) -> None:
        self._told = self.now
        # Results of one and the same moment would be an interim after its own final.
        if self.now > self._window:
            # Posteriors exist only once the utterance has ended; until then no confidence is known.
            self._emit_segment([(*word[:3], _UNKNOWN_CONFIDENCE) for word in self._words()])

    def _words(self) -> list[sphinx.HeardWord]:
        """Return the words of the open utterance."""
        return [] if self._began is None else sphinx.words_of(self._decoder, self._entries, self._began)

    def _end_window(self, *, speech_final: bool, from_finalize: bool = False) -> None:
        if self._began is not None:
            self._decoder.end_utt()
        words = self._words()
        self._emit_segment(words, is_final=True, speech_final=speech_final, from_finalize=from_finalize)
        self._window = self._told = self.now
        self._began = None
        self._quiet = 0

    def _emit_segment(
        self, words: Sequence[sphinx.HeardWord], *, end: float | None = None, **flags: bool
    ) -> None:
        duration = (self.now if end is None else end) - self._window
        self._emit("segment", start=self._window, duration=duration, words=words, **flags)

    def _emit(self, event: str, **facts: Any) -> None:
        self._emit_to({"event": event, "channel": self._channel, **facts})
