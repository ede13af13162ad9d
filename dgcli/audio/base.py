"""The interface of a source of live audio, and how to add one.

A source says what its bytes are (`AudioFormat`), how fast they may be sent (`Pace`), and yields them in
blocks from a thread of its own. To add one, write a class with these members in a module of its own, and give
it a row where a SOURCE argument is understood (`dgcli.audio.open_source`):

    class Tone:
        name = "a tone of 440 Hz"
        pace = Pace.REAL_TIME
        duration = None

        def open(self) -> AudioFormat: ...
        def blocks(self) -> Iterator[bytes | Notice]: ...
        def stop(self) -> None: ...
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dgcli.transcript.events import Notice

# Bytes of one sample of one channel, for the encodings whose size follows from their duration.
_SAMPLE_BYTES = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The encoding, rate and layout of a source's bytes.

    Raw audio has an `encoding` (the API's name), a `sample_rate` in Hz and a number of `channels`. A
    container or a compressed stream that is passed on as it comes may have none of these. `suffix` is what a
    file of these very bytes is called. `average_byte_rate` is for what has no fixed one, a container in a
    file say: its bytes per second over the whole length, by which it is paced.
    """

    encoding: str | None = None
    sample_rate: int | None = None
    channels: int = 1
    suffix: str = ".raw"
    average_byte_rate: float | None = None

    @property
    def frame_bytes(self) -> int | None:
        """Bytes of one sample of all channels, where that is fixed: blocks are multiples of it."""
        size = _SAMPLE_BYTES.get(self.encoding or "")
        return size * self.channels if size else None

    @property
    def byte_rate(self) -> int | None:
        """Bytes per second of audio, where that is fixed."""
        frame = self.frame_bytes
        return frame * self.sample_rate if frame and self.sample_rate else None


# A block this long is what the reference calls a good default: 20 to 250 ms are allowed.
BLOCK_SECONDS = 0.1


def block_bytes(audio: AudioFormat) -> int:
    """Bytes of a block of `BLOCK_SECONDS`, in whole frames; of a usual size where bytes do not tell time."""
    rate, frame = audio.byte_rate, audio.frame_bytes
    if not rate or not frame:
        return 4096
    return max(int(rate * BLOCK_SECONDS) // frame, 1) * frame


def slices(audio: bytes, audio_format: AudioFormat) -> Iterator[bytes]:
    """Whole frames of audio as blocks of a length that may be sent."""
    size = block_bytes(audio_format)
    for start in range(0, len(audio), size):
        yield audio[start : start + size]


class Pace(enum.Enum):
    """The speed at which audio may be sent."""

    REAL_TIME = "real time"  # a file: one second a second, or `--speed` times that
    CAPPED = "capped"  # a pipe: as it comes, but no faster than catching up is allowed
    FREE = "free"  # an endless stream or a microphone: it comes at real time by itself


class Source(Protocol):
    """A source of live audio.

    `open` may block; it raises `AudioError` (or `NetworkError`) and tells the format. `blocks` is called
    once, after it, and runs on the source's own thread: it yields non-empty blocks of at most 250 ms where
    the byte rate is known, and notices; it raises `AudioError` when the source fails for good. `stop` may be
    called from any other thread, at any time and repeatedly: `blocks` then ends soon, with what was already
    captured.
    `duration` is in seconds, None where it is not known.
    """

    name: str
    pace: Pace
    duration: float | None

    def open(self) -> AudioFormat:
        """Open the source; return the format of its bytes."""

    def blocks(self) -> "Iterator[bytes | Notice]":
        """The audio, in order."""

    def stop(self) -> None:
        """End `blocks` soon."""
