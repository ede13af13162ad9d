"""Audio from a file on disk."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from dgcli.audio import decode
from dgcli.audio.base import BLOCK_SECONDS, AudioFormat, Pace, block_bytes, slices
from dgcli.audio.media import SNIFF_BYTES, is_container, media_type, suffix_of
from dgcli.audio.wav import WavHeader, from_float, read_header, to_linear16
from dgcli.errors import AudioError, unreadable
from dgcli.transcript.events import Notice, NoticeKind

# Formats whose samples libsndfile does not scale when asked for int16 (sf_read_short of a float file).
_FLOAT_SUBTYPES = ("FLOAT", "DOUBLE")
# libsndfile's way of saying that it does not know how long a file is (SF_COUNT_MAX).
_ENDLESS = 1 << 60
_RAW_HINT = "For headerless samples say what they are: --encoding linear16 --sample-rate 16000"

_Blocks = Iterator[bytes]


class FileSource:
    """A file, as linear16 at its own sample rate and channels wherever it can be decoded.

    libsndfile is asked first, then PyAV if it is installed; what neither knows, but has a known signature, is
    passed on as it is. `raw` says what a headerless file holds. A recording whose header has no length yet is
    read to where it ends now.
    """

    pace = Pace.REAL_TIME

    def __init__(self, path: Path, raw: AudioFormat | None = None) -> None:
        self.name = str(path)
        self.duration: float | None = None
        self._path = path
        self._raw = raw
        self._stopped = threading.Event()
        self._format = AudioFormat()
        self._read: Callable[[], _Blocks] = lambda: iter(())
        self._notice: str | None = None

    def open(self) -> AudioFormat:
        """Find out what the file holds. Raises `AudioError` with the remedy when that is no audio."""
        try:
            size = self._path.stat().st_size
            with self._path.open("rb") as file:
                head = file.read(SNIFF_BYTES)
                file.seek(0)
                header, taken = read_header(file.read)
        except OSError as error:
            raise AudioError(unreadable(self.name, error)) from error
        if not size:
            raise AudioError(f"{self.name} is empty.")
        is_wav = head[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX") and head[8:12] == b"WAVE"
        if self._raw is not None and not (is_wav and self._raw.frame_bytes):
            return self._use_raw(self._raw, size)
        if self._raw is not None:
            self._notice = f"{self.name} has a WAV header, which is believed rather than --encoding."
        if header is not None and header.data_bytes is None:
            return self._use_header(header, len(taken), size)
        return self._use_library(head)

    def _use_raw(self, raw: AudioFormat, size: int) -> AudioFormat:
        frame = raw.frame_bytes or 1
        if size < frame:
            raise AudioError(f"{self.name} is shorter than one sample.")
        self.duration = size / raw.byte_rate if raw.byte_rate else None
        self._format = raw
        self._read = lambda: self._plain(0, frame, bytes)
        return raw

    def _use_header(self, header: WavHeader, offset: int, size: int) -> AudioFormat:
        """Use a WAV without a length: everything behind the header is audio."""
        if size - offset < header.frame_bytes:
            raise AudioError(f"{self.name} holds no audio behind its header.")
        self.duration = (size - offset) // header.frame_bytes / header.sample_rate
        self._format = header.format
        self._read = lambda: self._plain(offset, header.frame_bytes, to_linear16(header))
        return self._format

    def _plain(self, offset: int, frame: int, convert: Callable[[bytes], bytes]) -> _Blocks:
        """Stored samples from `offset` on, in whole frames."""
        rate = self._format.sample_rate or 0
        many = max(int(rate * BLOCK_SECONDS), 1) * frame if self._format.frame_bytes else 4096
        with self._path.open("rb") as file:
            file.seek(offset)
            while block := file.read(many):
                if whole := len(block) - len(block) % frame:
                    yield from slices(convert(block[:whole]), self._format)

    def _use_library(self, head: bytes) -> AudioFormat:
        """Decode with libsndfile, else with PyAV, else pass on what at least looks like audio."""
        if media_type(head, "") == "audio/mpeg" and decode.available():
            # libsndfile's MP3 decoder writes about every odd frame on stderr, in the middle of the screen.
            with suppress(AudioError):
                return self._use_decoder(decode.Decoder(self.name, self.name))
        import soundfile

        file: Any = None
        problem = ""
        try:
            # Opened by us: libsndfile would take the suffix .raw for a promise of parameters.
            handle: BinaryIO = self._path.open("rb")
            try:
                file = soundfile.SoundFile(handle)
            except (soundfile.SoundFileError, TypeError) as error:
                handle.close()
                problem = str(getattr(error, "error_string", error))
        except OSError as error:
            raise AudioError(f"{self.name} cannot be read: {error.strerror}.") from error
        if file is not None:
            return self._use_soundfile(file, handle)
        if decode.available():
            try:
                return self._use_decoder(decode.Decoder(self.name, self.name))
            except AudioError as error:
                if not is_container(head):
                    raise AudioError(error.message, hint=_RAW_HINT) from error
        if not is_container(head):
            raise AudioError(f"{self.name} is no audio that can be read: {problem}", hint=_RAW_HINT)
        if not decode.available():
            self._notice = (
                f"{self.name} is sent as it is, and as fast as it goes, since it cannot be decoded. "
                f"{decode.install_hint()}"
            )
        self._format = AudioFormat(suffix=suffix_of(head, self._path.name))
        self._read = lambda: self._plain(0, 1, bytes)
        return self._format

    def _use_decoder(self, decoder: decode.Decoder) -> AudioFormat:
        self.duration = decoder.duration
        self._format = decoder.format
        self._read = lambda: decoder.blocks(self._stopped.is_set)
        return self._format

    def _use_soundfile(self, file: Any, handle: BinaryIO) -> AudioFormat:
        frames = file.frames
        if not frames:
            file.close()
            handle.close()
            raise AudioError(f"{self.name} holds no audio.", hint="The recording is empty, or was cut off.")
        self._format = AudioFormat("linear16", file.samplerate, file.channels, ".wav")
        self.duration = frames / file.samplerate if frames < _ENDLESS else None
        self._read = lambda: self._decoded(file, handle)
        return self._format

    def _decoded(self, file: Any, handle: BinaryIO) -> _Blocks:
        """Samples of libsndfile, block by block; float ones are scaled and clipped by us."""
        import soundfile

        many = block_bytes(self._format) // (self._format.frame_bytes or 1)
        is_float = file.subtype in _FLOAT_SUBTYPES
        convert = from_float(32) if is_float else bytes
        try:
            while samples := bytes(file.buffer_read(many, dtype="float32" if is_float else "int16")):
                yield convert(samples)
        except soundfile.SoundFileError as error:
            # A FLAC whose recorder was killed does not say how long it is, and ends in the middle of a frame.
            if file.frames < _ENDLESS:
                raise AudioError(f"{self.name} is damaged: {error}") from error
        finally:
            file.close()
            handle.close()

    def blocks(self) -> Iterator[bytes | Notice]:
        """The audio in blocks of 100 ms. Raises `AudioError` where a damaged file cannot be read on."""
        if self._notice:
            yield Notice(NoticeKind.SOURCE, self._notice)
        reading = self._read()
        try:
            for block in reading:
                if self._stopped.is_set():
                    return
                yield block
        except OSError as error:
            raise AudioError(f"{self.name} cannot be read: {error.strerror}.") from error
        finally:
            close = getattr(reading, "close", None)
            if close is not None:
                close()

    def stop(self) -> None:
        """End `blocks` with the block that is being read."""
        self._stopped.set()
