"""`--save-audio FILE`: exactly the audio that was sent, in a file that can be played whatever happens."""

import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol

from dgcli.audio.base import AudioFormat
from dgcli.errors import OutputError, UsageError

# WAV format tags and bits of a sample (RFC 2361). linear32 is float: Deepgram's page on encodings.
_WAV = {"linear16": (1, 16), "linear32": (3, 32), "mulaw": (7, 8), "alaw": (6, 8)}
_HEADER_SECONDS = 1.0  # so often the length in the header is brought up to date
_SMALL = 0xFFFFFFFF  # the most that a RIFF can count
_HEADER_BYTES = 80
_FLUSH_SECONDS = 1.0
# What libsndfile encodes linear16 as, by suffix, and the sample rates of those that take some only.
_ENCODED = MappingProxyType(
    {
        ".flac": ("FLAC", "PCM_16"),
        ".mp3": ("MP3", "MPEG_LAYER_III"),
        ".ogg": ("OGG", "VORBIS"),
        ".oga": ("OGG", "VORBIS"),
        ".opus": ("OGG", "OPUS"),
    }
)
_RATES = MappingProxyType(
    {
        "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        "OPUS": (8000, 12000, 16000, 24000, 48000),
    }
)
_HEADERLESS = (".raw", ".pcm", ".s16", ".s16le", ".sw", ".ul", ".ulaw", ".al", ".alaw", ".f32", ".f32le")


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


class _EncodedFile:
    """A FLAC, MP3 or Ogg: what is encoded is on disk at least once a second."""

    def __init__(self, path: Path, audio_format: AudioFormat, clock: Callable[[], float]) -> None:
        import soundfile

        container, subtype = _ENCODED[path.suffix.lower()]
        self._clock = clock
        self._flushed = clock()
        self._failure = soundfile.SoundFileError
        self._flac = path if container == "FLAC" else None
        self._frame = audio_format.frame_bytes or 1
        self._frames = 0
        try:
            self._file: Any = soundfile.SoundFile(
                str(path), "w", audio_format.sample_rate, audio_format.channels, subtype, format=container
            )
        except (soundfile.SoundFileError, ValueError, TypeError) as error:
            raise OSError(0, str(error)) from error

    def write(self, audio: bytes) -> None:
        try:
            self._file.buffer_write(audio, dtype="int16")
            self._frames += len(audio) // self._frame
            if self._clock() - self._flushed >= _FLUSH_SECONDS:
                self._flushed = self._clock()
                self._file.flush()
                if self._flac is not None:
                    _count_flac(self._flac, self._frames)
        except self._failure as error:
            raise OSError(0, str(error)) from error

    def close(self) -> None:
        try:
            self._file.close()
        except self._failure as error:
            raise OSError(0, str(error)) from error


def _count_flac(path: Path, frames: int) -> None:
    """Say in the header of a FLAC that grows how much of so many frames is on disk: some players want to know.

    Source: RFC 9639, section 8.2 (STREAMINFO).
    """
    with path.open("r+b", buffering=0) as file:
        file.seek(8)
        (block,) = struct.unpack(">H", file.read(2))
        file.seek(18)
        (packed,) = struct.unpack(">Q", file.read(8))
        # The encoder keeps back what is no whole block yet, and one frame to look ahead.
        whole = max(frames - 1, 0) // block * block
        file.seek(18)
        file.write(struct.pack(">Q", packed >> 36 << 36 | min(whole, (1 << 36) - 1)))


def _encodes(suffix: str, audio_format: AudioFormat) -> bool:
    """Whether raw audio can be encoded so: formats for music and speech take some sample rates only."""
    rate, channels = audio_format.sample_rate or 0, audio_format.channels
    if audio_format.encoding != "linear16" or suffix not in _ENCODED:
        return False
    if suffix == ".flac":
        return channels <= 8
    import soundfile

    container, subtype = _ENCODED[suffix]
    rates = _RATES.get(subtype)
    fits = channels <= 2 and (rates is None or rate in rates)
    return fits and bool(soundfile.check_format(container, subtype))


def saved_path(path: Path, audio_format: AudioFormat) -> Path:
    """Return the path that audio asked for at `path` is saved to: its suffix names the actual format.

    Raises `UsageError` for raw audio under a name that it cannot have.
    """
    suffix = path.suffix.lower()
    if audio_format.byte_rate is None:  # passed on as it comes
        return path.with_suffix(audio_format.suffix)
    if suffix in (".wav", ".flac"):
        if audio_format.encoding not in _WAV:
            return path.with_suffix(audio_format.suffix)
        return path.with_suffix(".flac" if suffix == ".flac" and _encodes(suffix, audio_format) else ".wav")
    is_device = not suffix and path.exists() and not path.is_file()  # /dev/null, a named pipe
    if is_device or suffix in (*_HEADERLESS, audio_format.suffix) or _encodes(suffix, audio_format):
        return path
    name = f"as {suffix}" if suffix else "without a suffix"
    rate = f"{audio_format.encoding}, {audio_format.sample_rate} Hz, {audio_format.channels} channel(s)"
    raise UsageError(
        f"--save-audio cannot write this audio ({rate}) {name}.",
        hint=f"Name it {path.stem}.wav or {path.stem}.flac; {path.stem}.raw is the samples alone.",
    )


class SaveAudio:
    """Writes audio into `path`, or beside it under the suffix that the audio really has.

    A `.wav` holds raw audio of any encoding that has a place there, a `.flac`, `.mp3`, `.ogg` or `.opus` linear16;
    what is passed on as it comes is kept so. `path` tells where it goes. `write` and `close` raise `OutputError`.
    Raises `UsageError` for a name that raw audio cannot have.
    """

    def __init__(
        self, path: Path, audio_format: AudioFormat, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._format = audio_format
        self._clock = clock
        self._writer: _AudioWriter | None = None
        self._failed = False
        self.path = saved_path(path, audio_format)
        self._kind = self.path.suffix.lower() if audio_format.byte_rate is not None else ""

    def _opened(self) -> _AudioWriter:
        if self._writer is None:
            if self._kind == ".wav" and self._format.encoding in _WAV:
                self._writer = _WavFile(self.path, self._format, self._clock)
            elif self._kind in _ENCODED and self._format.encoding == "linear16":
                self._writer = _EncodedFile(self.path, self._format, self._clock)
            else:
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
