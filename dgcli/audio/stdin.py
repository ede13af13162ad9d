"""Audio from a pipe: standard input, or a named one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from dgcli.audio.base import AudioFormat, Pace, block_bytes, slices
from dgcli.audio.media import SNIFF_BYTES, is_container, suffix_of
from dgcli.audio.pump import Pump
from dgcli.audio.wav import WavHeader, read_header, to_linear16
from dgcli.errors import AudioError
from dgcli.transcript.events import Notice, NoticeKind

_EXAMPLE = "For example: arecord -f S16_LE -r 16000 | dg live -"
_RAW_HINT = "For raw samples say what they are: --encoding linear16 --sample-rate 16000"


class PipeSource:
    """Audio that another program writes.

    A WAV header is read and stripped; other containers are passed on as they come; anything else is raw, as
    `raw` says. Reading never waits longer than the writer does, so that audio goes out as it comes in.
    """

    pace = Pace.CAPPED
    duration: float | None = None
    example: str | None = _EXAMPLE  # what to do where nothing comes
    raw_hint = _RAW_HINT

    def __init__(
        self, raw: AudioFormat | None = None, *, path: Path | None = None, descriptor: int = 0
    ) -> None:
        self.name = str(path) if path else "standard input"
        self._raw = raw
        self._path = path
        self._descriptor = descriptor
        self._pump: Pump[bytes] = Pump(self._read, name="pipe")
        self._chunks = iter(self._pump)
        self._kept = bytearray()  # read, but not yet used
        self._want = 4096  # bytes to ask for at a time
        self._header: WavHeader | None = None
        self._format = AudioFormat()
        self._notice: Notice | None = None

    def _read(self) -> Iterator[bytes]:
        descriptor = os.open(self._path, os.O_RDONLY) if self._path else self._descriptor
        try:
            while chunk := os.read(descriptor, self._want):
                yield chunk
        except OSError as error:
            raise AudioError(f"Reading {self.name} failed: {error.strerror}.") from error
        finally:
            if self._path:
                os.close(descriptor)

    def _exactly(self, count: int) -> bytes:
        while len(self._kept) < count and (chunk := next(self._chunks, b"")):
            self._kept += chunk
        taken = bytes(self._kept[:count])
        del self._kept[:count]
        return taken

    def open(self) -> AudioFormat:
        """Read as much as tells what the audio is. Waits for the first bytes, however long they take."""
        if not self._path and os.isatty(self._descriptor):
            raise AudioError("Standard input is the terminal: there is no audio in it.", hint=_EXAMPLE)
        self._pump.start()
        head = self._exactly(SNIFF_BYTES)
        if not head:
            raise AudioError(f"Nothing came on {self.name}.", hint=self.example)
        self._kept[:0] = head
        raw = self._raw
        if raw is None or (head[8:12] == b"WAVE" and raw.frame_bytes):
            self._header, taken = read_header(self._exactly)
            if self._header is None:
                self._kept[:0] = taken
        if self._header is not None:
            self._format = self._header.format
            if raw is not None and (raw.encoding, raw.sample_rate, raw.channels) != (
                self._format.encoding,
                self._format.sample_rate,
                self._format.channels,
            ):
                self._notice = _overruled(self._header)
        elif raw is not None:
            self._format = raw
        else:
            self._format = AudioFormat(suffix=suffix_of(head))
            if not is_container(head):
                self._notice = Notice(
                    NoticeKind.SOURCE,
                    f"What comes on {self.name} has no header that we know. {self.raw_hint}",
                )
        self._want = max(block_bytes(self._format), 256)
        return self._format

    def _stored(self) -> Iterator[bytes]:
        """The audio as stored, without a header and what may follow the samples."""
        left = self._header.data_bytes if self._header else None
        chunk = bytes(self._kept)
        self._kept.clear()
        while chunk or (chunk := next(self._chunks, b"")):
            if left is not None:
                chunk = chunk[:left]
                left -= len(chunk)
            if chunk:
                yield chunk
            if left == 0:
                return
            chunk = b""

    def blocks(self) -> Iterator[bytes | Notice]:
        """The audio, in blocks as they were written, at most 250 ms long."""
        if self._notice:
            yield self._notice
        convert: Callable[[bytes], bytes] = to_linear16(self._header) if self._header else bytes
        frame = self._header.frame_bytes if self._header else self._format.frame_bytes or 1
        rest = b""
        for chunk in self._stored():
            whole = rest + chunk if rest else chunk
            cut = len(whole) - len(whole) % frame
            rest = whole[cut:]
            if cut:
                yield from slices(convert(whole[:cut]), self._format)

    def stop(self) -> None:
        """End `blocks` soon, with what was already read."""
        self._pump.stop()


def _overruled(header: WavHeader) -> Notice:
    audio_format = header.format
    return Notice(
        NoticeKind.SOURCE,
        f"The audio has a WAV header, which is believed: {audio_format.encoding}, {audio_format.sample_rate} Hz, "
        f"{audio_format.channels} channel{'s' if audio_format.channels > 1 else ''}.",
    )
