"""Which byte of a stream is which second of it, and where a stream may be taken up again.

Raw audio with samples of a fixed size is exact. MPEG audio (MP3, AAC in ADTS) and Ogg say in every frame or
page how much they hold: each of them is a place to begin, Ogg after its header pages. Any other container can
only be begun at its beginning.

Sources: ISO/IEC 11172-3 and 13818-7 (frame headers of MPEG audio and ADTS), RFC 3533 (Ogg pages), RFC 7845
(Opus in Ogg), the Vorbis I specification, section 4.2.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dgcli.audio.base import AudioFormat


@dataclass(frozen=True, slots=True)
class Mark:
    """A place where a stream may be taken up: its byte position and its time in seconds."""

    position: int
    time: float


class Ruler(Protocol):
    """Finds the marks of a stream, block by block. `head` must be sent before a mark other than the first."""

    head: bytes

    def measure(self, data: bytes) -> list[Mark]:
        """The marks that the next bytes of the stream complete."""


_MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MPEG1_KBITS = {
    3: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_MPEG2_KBITS = {
    3: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    1: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


def _mpeg_frame(head: bytes) -> tuple[int, float] | None:
    """Bytes and seconds of the MPEG audio frame that begins here."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    kbits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or kbits in (0, 15) or rate == 3:
        return None
    hertz = _MPEG_RATES[version][rate]
    bits = (_MPEG1_KBITS if version == 3 else _MPEG2_KBITS)[layer][kbits - 1] * 1000
    padding = head[2] >> 1 & 1
    if layer == 3:
        return (12 * bits // hertz + padding) * 4, 384 / hertz
    samples = 576 if layer == 1 and version != 3 else 1152
    return samples // 8 * bits // hertz + padding, samples / hertz


def _adts_frame(head: bytes) -> tuple[int, float] | None:
    """Bytes and seconds of the ADTS frame that begins here."""
    rate = head[2] >> 2 & 15
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if rate >= len(_ADTS_RATES) or size < 7:
        return None
    return size, ((head[6] & 3) + 1) * 1024 / _ADTS_RATES[rate]


def _frame(head: bytes) -> tuple[int, float] | None:
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return _adts_frame(head) if head[1] & 0xF6 == 0xF0 else _mpeg_frame(head)


class MpegRuler:
    """Every frame of MPEG audio or ADTS is a mark. Bytes that are no frame (tags) take no time."""

    head = b""

    def __init__(self) -> None:
        self._rest = b""
        self._position = 0
        self._time = 0.0

    def measure(self, data: bytes) -> list[Mark]:
        """The marks that the next bytes of the stream complete."""
        data = self._rest + data
        at, found = 0, []
        while len(data) - at >= 7:
            frame = _frame(data[at : at + 7])
            if frame is None:
                sync = data.find(b"\xff", at + 1)
                at = sync if sync >= 0 else len(data)
                continue
            if at + frame[0] > len(data):
                break
            found.append(Mark(self._position + at, self._time))
            at += frame[0]
            self._time += frame[1]
        at = min(at, len(data))
        self._rest = data[at:]
        self._position += at
        return found


class OggRuler:
    """Every page that begins a packet is a mark; the pages before the first audio are the head."""

    def __init__(self) -> None:
        self.head = b""
        self._rest = b""
        self._position = 0
        self._time = 0.0
        self._rate = 0
        self._skip = 0  # samples before the first that counts
        self._in_head = True

    def _read_identity(self, body: bytes) -> None:
        if body.startswith(b"OpusHead") and len(body) >= 12:
            self._rate, self._skip = 48000, int.from_bytes(body[10:12], "little")
        elif body.startswith(b"\x01vorbis") and len(body) >= 16:
            self._rate = int.from_bytes(body[12:16], "little")
        elif body.startswith(b"\x7fFLAC") and len(body) >= 30:
            self._rate = int.from_bytes(body[27:30], "big") >> 4
        elif body.startswith(b"Speex   ") and len(body) >= 40:
            self._rate = int.from_bytes(body[36:40], "little")

    def measure(self, data: bytes) -> list[Mark]:
        """The marks that the next bytes of the stream complete."""
        data = self._rest + data
        at, found = 0, []
        while len(data) - at >= 27:
            if data[at : at + 4] != b"OggS":
                sync = data.find(b"OggS", at + 1)
                at = sync if sync >= 0 else len(data) - 3
                continue
            segments = data[at + 26]
            body = at + 27 + segments
            size = 27 + segments + sum(data[at + 27 : body])
            if body > len(data) or at + size > len(data):
                break
            granule = int.from_bytes(data[at + 6 : at + 14], "little", signed=True)
            self._read_identity(data[body : at + size])
            if self._in_head and granule in (0, -1):
                self.head += data[at : at + size]
            elif self._rate:
                if not data[at + 5] & 1:
                    found.append(Mark(self._position + at, self._time))
                self._in_head = False
                if granule > 0:
                    self._time = max(self._time, (granule - self._skip) / self._rate)
            at += size
        self._rest = data[at:]
        self._position += at
        return found


def ruler_for(audio: AudioFormat) -> Ruler | None:
    """What finds the marks of such a stream; None where there is nothing to find."""
    if audio.byte_rate:
        return None
    if audio.suffix in (".mp3", ".mp2", ".aac", ".adts", ".mpga"):
        return MpegRuler()
    if audio.suffix in (".ogg", ".oga", ".opus", ".spx") or audio.encoding == "ogg-opus":
        return OggRuler()
    return None


class Timeline:
    """The way between bytes and seconds of one stream.

    A stream of unknown framing has one place to begin, its beginning; how long its bytes are is estimated
    from what the server says it has heard.
    """

    # A frame of MP3 may refer to the ones before it: begin a little earlier, repeats are dropped anyway.
    _LEAD = 0.1

    def __init__(self, audio: AudioFormat) -> None:
        self._rate = audio.byte_rate
        self._step = audio.frame_bytes or 1
        self.exact = self._rate is not None
        self.framed = not self.exact and ruler_for(audio) is not None
        self._positions = [0]
        self._times = [0.0]
        self._slope = audio.average_byte_rate or 0.0  # bytes per second, for what lies behind the last mark

    @property
    def marks(self) -> int:
        """How many places are remembered."""
        return len(self._positions)

    @property
    def rate(self) -> float:
        """Bytes per second: exact, or of the frames so far; 0 where they do not tell."""
        return self._rate or (self._slope if self.framed else 0.0)

    def add(self, marks: Sequence[Mark]) -> None:
        """Take the marks of more audio."""
        for mark in marks:
            if mark.position > self._positions[-1]:
                self._positions.append(mark.position)
                self._times.append(mark.time)
        if marks and self._times[-1] > self._times[0]:
            self._slope = (self._positions[-1] - self._positions[0]) / (self._times[-1] - self._times[0])

    def heard(self, position: int, time: float) -> None:
        """The server has heard so many seconds of so many bytes."""
        if not self.exact and not self.framed and position > 0 and time > 1.0:
            self._slope = position / time

    def seconds(self, position: int) -> float:
        """The time of a byte position; 0 while nothing is known."""
        if self._rate:
            return position / self._rate
        index = max(0, bisect.bisect_right(self._positions, position) - 1)
        beyond = position - self._positions[index]
        return self._times[index] + (beyond / self._slope if self._slope else 0.0)

    def begin(self, time: float) -> Mark:
        """The last place at or before a time where the stream may be taken up."""
        if self._rate:
            # A server's times are rounded: 6.3499994 is meant to be 6.35.
            position = int(time * self._rate + 0.25 * self._step) // self._step * self._step
            return Mark(position, position / self._rate)
        lead = self._LEAD if self.framed else 0.0
        index = max(0, bisect.bisect_right(self._times, time - lead) - 1)
        return Mark(self._positions[index], self._times[index])

    def forget(self, position: int) -> None:
        """Marks before a position are needed no more, but for the last of them."""
        index = bisect.bisect_right(self._positions, position) - 1
        if index > 1000:
            del self._positions[:index]
            del self._times[:index]
