"""`--save-audio FILE`: exactly the audio that was sent, in a file that can be played whatever happens."""

import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from dgcli.audio.base import AudioFormat
from dgcli.errors import OutputError

# WAV format tags and bits of a sample (RFC 2361). linear32 is float: Deepgram's page on encodings.
_WAV = {"linear16": (1, 16), "linear32": (3, 32), "mulaw": (7, 8), "alaw": (6, 8)}
_HEADER_SECONDS = 1.0  # so often the length in the header is brought up to date
_SMALL = 0xFFFFFFFF  # the most that a RIFF can count
_HEADER_BYTES = 80
_FLAC_FLUSH_SECONDS = 1.0


class _AudioWriter(Protocol):
    def write(self, audio: bytes) -> None:
        """Add audio. Raises `OSError`."""

    def close(self) -> None:
        """Finish the file. Raises `OSError`."""


class _PlainFile:
    """A file of the bytes as they are."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb", buffering=0)

    def write(self, audio: bytes) -> None:
        self._file.write(audio)

    def close(self) -> None:
        self._file.close()


def _wav_header(audio_format: AudioFormat, size: int) -> bytes:
    """The 80 bytes before the samples; an RF64 from 4 GiB on, whose sizes stand where JUNK kept their place.

    Source: EBU Tech 3306.
    """
    tag, bits = _WAV[audio_format.encoding or ""]
    frame = bits // 8 * audio_format.channels
    rate = audio_format.sample_rate or 0
    fmt = struct.pack("<HHIIHH", tag, audio_format.channels, rate, rate * frame, frame, bits)
    riff = size + size % 2 + _HEADER_BYTES - 8
    if riff <= _SMALL:
        first, place, claimed = b"RIFF" + struct.pack("<I", riff), b"JUNK", size
        long = bytes(28)
    else:
        first, place, claimed = b"RF64" + struct.pack("<I", _SMALL), b"ds64", _SMALL
        long = struct.pack("<QQQI", riff, size, size // frame, 0)
    return (
        first + b"WAVE" + place + struct.pack("<I", 28) + long
        + b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", claimed)
    )  # fmt: skip


class _WavFile:
    """A WAV whose header is right at least once a second."""

    def __init__(self, path: Path, audio_format: AudioFormat, clock: Callable[[], float]) -> None:
        self._format = audio_format
        self._clock = clock
        self._size = 0
        self._written_at = clock()
        self._file: BinaryIO = path.open("wb", buffering=0)
        try:
            self._file.write(_wav_header(audio_format, 0))
        except OSError:
            self._file.close()
            raise

    def _update_header(self) -> None:
        self._file.seek(0)
        self._file.write(_wav_header(self._format, self._size))
        self._written_at = self._clock()

    def write(self, audio: bytes) -> None:
        self._file.seek(_HEADER_BYTES + self._size)
        self._file.write(audio)
        self._size += len(audio)
        if self._clock() - self._written_at >= _HEADER_SECONDS:
            self._update_header()

    def close(self) -> None:
        with self._file:
            if self._size % 2:
                self._file.seek(_HEADER_BYTES + self._size)
                self._file.write(b"\0")
            self._update_header()


class _FlacFile:
    """A FLAC: frames are on disk at least once a second; a decoder does not need the length for them."""

    def __init__(self, path: Path, audio_format: AudioFormat, clock: Callable[[], float]) -> None:
        import soundfile

        self._clock = clock
        self._flushed = clock()
        self._failure = soundfile.SoundFileError
        try:
            self._file: Any = soundfile.SoundFile(
                str(path), "w", audio_format.sample_rate, audio_format.channels, "PCM_16", format="FLAC"
            )
        except (soundfile.SoundFileError, ValueError, TypeError) as error:
            raise OSError(0, str(error)) from error

    def write(self, audio: bytes) -> None:
        try:
            self._file.buffer_write(audio, dtype="int16")
            if self._clock() - self._flushed >= _FLAC_FLUSH_SECONDS:
                self._flushed = self._clock()
                self._file.flush()
        except self._failure as error:
            raise OSError(0, str(error)) from error

    def close(self) -> None:
        try:
            self._file.close()
        except self._failure as error:
            raise OSError(0, str(error)) from error


def saved_path(path: Path, audio_format: AudioFormat) -> Path:
    """Return the path that audio asked for at `path` is saved to: its suffix names the actual format."""
    suffix = path.suffix.lower()
    if audio_format.encoding in _WAV and audio_format.sample_rate and suffix in (".wav", ".flac"):
        is_flac = suffix == ".flac" and audio_format.encoding == "linear16" and audio_format.channels <= 8
        return path.with_suffix(".flac" if is_flac else ".wav")
    if audio_format.byte_rate is None or suffix in (".wav", ".flac"):
        return path.with_suffix(audio_format.suffix)
    return path


class SaveAudio:
    """Writes audio into `path`, or beside it under the suffix that the audio really has.

    A `.wav` holds raw audio of any encoding that has a place there, a `.flac` linear16; everything else
    is kept as it was sent. `path` tells where it goes. `write` and `close` raise `OutputError`.
    """

    def __init__(
        self, path: Path, audio_format: AudioFormat, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._format = audio_format
        self._clock = clock
        self._writer: _AudioWriter | None = None
        self._failed = False
        self.path = saved_path(path, audio_format)
        self._kind = "plain"
        if (
            audio_format.encoding in _WAV
            and audio_format.sample_rate
            and path.suffix.lower() in (".wav", ".flac")
        ):
            self._kind = self.path.suffix[1:]

    def _opened(self) -> _AudioWriter:
        if self._writer is None:
            match self._kind:
                case "wav":
                    self._writer = _WavFile(self.path, self._format, self._clock)
                case "flac":
                    self._writer = _FlacFile(self.path, self._format, self._clock)
                case _:
                    self._writer = _PlainFile(self.path)
        return self._writer

    def write(self, audio: bytes) -> None:
        """Add audio that was sent. After a failure, which raises once, the file stays as it is."""
        if self._failed:
            return
        try:
            self._opened().write(audio)
        except OSError as error:
            self._failed = True
            with suppress(OutputError):
                self.close()
            raise OutputError(
                f"{self.path} cannot be written: {error.strerror}.", hint="The audio is no longer saved."
            ) from error

    def close(self) -> None:
        """Finish the file."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            writer.close()
        except OSError as error:
            raise OutputError(f"{self.path} cannot be finished: {error.strerror}.") from error
