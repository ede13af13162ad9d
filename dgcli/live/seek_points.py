"""Seek points of compressed streams: places in their bytes, and the time of each.

MPEG audio (MP3, AAC in ADTS), FLAC, Ogg and Matroska (WebM) say in every frame, page or cluster when it is or
how much it holds: each of them is a place to begin, once what stands at the beginning of the stream was sent.

Sources: ISO/IEC 11172-3 and 13818-7 (frame headers of MPEG audio and ADTS), RFC 3533 (Ogg pages), RFC 7845
(Opus in Ogg), the Vorbis I specification, section 4.2, RFC 9639 (FLAC), RFC 8794 and 9559 (EBML, Matroska).
"""

from dataclasses import dataclass
from typing import Protocol

from dgcli.audio.base import AudioFormat


@dataclass(frozen=True, slots=True)
class SeekPoint:
    """A place where a stream may be taken up: its byte position and its time in seconds."""

    position: int
    time: float


class SeekPointFinder(Protocol):
    """Finds the marks of a stream, block by block."""

    @property
    def head(self) -> bytes:
        """What must be sent before a mark other than the first."""

    def measure(self, data: bytes) -> list[SeekPoint]:
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


class MpegSeekPoints:
    """Every frame of MPEG audio or ADTS is a mark. Bytes that are no frame (tags) take no time."""

    head = b""

    def __init__(self) -> None:
        self._rest = b""
        self._position = 0
        self._time = 0.0

    def measure(self, data: bytes) -> list[SeekPoint]:
        """The marks that the next bytes of the stream complete."""
        data = self._rest + data
        at, points = 0, []
        while len(data) - at >= 7:
            frame = _frame(data[at : at + 7])
            if frame is None:
                sync = data.find(b"\xff", at + 1)
                at = sync if sync >= 0 else len(data)
                continue
            if at + frame[0] > len(data):
                break
            points.append(SeekPoint(self._position + at, self._time))
            at += frame[0]
            self._time += frame[1]
        at = min(at, len(data))
        self._rest = data[at:]
        self._position += at
        return points


_LONGEST_HEAD = 4 << 20  # bytes; there may be pictures in it
_LONGEST_FLAC_HEAD = 4 * _LONGEST_HEAD  # a picture may fill a block of metadata, which has 16 MiB


class OggSeekPoints:
    """Every page that begins a packet is a mark; the pages before the first audio are the head."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._shared = b""  # the same for every block that keeps it
        self._rest = b""
        self._position = 0
        self._time = 0.0
        self._rate = 0
        self._skip = 0  # samples before the first that counts
        self._in_head = True

    @property
    def head(self) -> bytes:
        """The pages before the first audio."""
        if len(self._shared) != len(self._head):
            self._shared = bytes(self._head)
        return self._shared

    def _read_identity(self, body: bytes) -> None:
        if body.startswith(b"OpusHead") and len(body) >= 12:
            self._rate, self._skip = 48000, int.from_bytes(body[10:12], "little")
        elif body.startswith(b"\x01vorbis") and len(body) >= 16:
            self._rate = int.from_bytes(body[12:16], "little")
        elif body.startswith(b"\x7fFLAC") and len(body) >= 30:
            self._rate = int.from_bytes(body[27:30], "big") >> 4
        elif body.startswith(b"Speex   ") and len(body) >= 40:
            self._rate = int.from_bytes(body[36:40], "little")

    def measure(self, data: bytes) -> list[SeekPoint]:
        """The marks that the next bytes of the stream complete."""
        data = self._rest + data
        at, points = 0, []
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
                self._head += data[at : at + size]
                self._in_head = len(self._head) < _LONGEST_HEAD  # or it is nothing that we understand
            elif self._rate:
                if not data[at + 5] & 1:
                    points.append(SeekPoint(self._position + at, self._time))
                self._in_head = False
                if granule > 0:
                    self._time = max(self._time, (granule - self._skip) / self._rate)
            at += size
        self._rest = data[at:]
        self._position += at
        return points


class MatroskaSeekPoints:
    """Every cluster of Matroska and WebM is a mark; what comes before the first is the head."""

    # Elements that are looked into; every other one is passed over. A live recorder knows no sizes of these.
    _SEGMENT, _INFO, _CLUSTER = 0x18538067, 0x1549A966, 0x1F43B675
    _SCALE, _TIMECODE = 0x2AD7B1, 0xE7

    def __init__(self) -> None:
        self._head = bytearray()
        self._shared = b""  # the same for every block that keeps it
        self._rest = b""
        self._at = 0  # how much of `_rest` is done with
        self._position = 0  # of the next byte
        self._skip = 0  # bytes of an element that says nothing to us
        self._scale = 1_000_000  # nanoseconds of a tick
        self._cluster: int | None = None  # position of a cluster whose time comes next
        self._first: float | None = None
        self._in_head = True

    @property
    def head(self) -> bytes:
        """What comes before the first cluster."""
        if len(self._shared) != len(self._head):
            self._shared = bytes(self._head)
        return self._shared

    def _step(self, size: int) -> None:
        if self._in_head:
            self._head += self._rest[self._at : self._at + size]
            self._in_head = len(self._head) < _LONGEST_HEAD  # or it is nothing that we understand
        self._at += size
        self._position += size

    @staticmethod
    def _length(first: int, most: int) -> int | None:
        """Bytes of a number that begins with this one; None if it is none."""
        length = 9 - first.bit_length()
        return length if length <= most else None

    def _element(self) -> tuple[int, int, int] | None:
        """Id, bytes of the header and of the content of what begins here; None where more must come first."""
        rest, at = self._rest, self._at
        named = self._length(rest[at], 4)
        if named is None or len(rest) - at <= named:
            return (0, 1, 0) if named is None else None
        sized = self._length(rest[at + named], 8)
        if sized is None:
            return 0, 1, 0
        if len(rest) - at < named + sized:
            return None
        size = int.from_bytes(rest[at + named : at + named + sized], "big") & ((1 << 7 * sized) - 1)
        return int.from_bytes(rest[at : at + named], "big"), named + sized, size

    def measure(self, data: bytes) -> list[SeekPoint]:
        """The marks that the next bytes of the stream complete."""
        self._rest += data
        points: list[SeekPoint] = []
        while self._at < len(self._rest):
            if self._skip:
                size = min(self._skip, len(self._rest) - self._at)
                self._skip -= size
                self._step(size)
                continue
            element = self._element()
            if element is None:
                break
            kind, header, size = element
            if kind in (self._SCALE, self._TIMECODE) and size <= 8:
                start = self._at + header
                if len(self._rest) < start + size:
                    break
                self._number(kind, int.from_bytes(self._rest[start : start + size], "big"), points)
            if kind == self._CLUSTER:
                self._in_head = False
                self._cluster = self._position
            self._step(header)
            self._skip = 0 if kind in (self._SEGMENT, self._INFO, self._CLUSTER) else size
        self._rest, self._at = self._rest[self._at :], 0
        return points

    def _number(self, kind: int, value: int, points: list[SeekPoint]) -> None:
        if kind == self._SCALE:
            self._scale = value or self._scale
        elif self._cluster is not None:
            time = value * self._scale / 1e9
            self._first = time if self._first is None else self._first
            points.append(SeekPoint(self._cluster, max(0.0, time - self._first)))
            self._cluster = None


_FLAC_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_FLAC_SIZES = (0, 192, 576, 1152, 2304, 4608, 0, 0, *(256 << n for n in range(8)))
_FLAC_HEADER = 16  # bytes at most


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ (0x107 if crc & 0x80 else 0)
    return crc


class FlacSeekPoints:
    """Every frame of FLAC is a mark; the metadata before the first is the head."""

    def __init__(self) -> None:
        self.head = b""
        self._rest = b""
        self._position = 0
        self._rate = 0
        self._block = 0  # samples of a frame, where all have as many
        self._in_head = True
        self._time = 0.0
        self._first: float | None = None

    def _read_head(self) -> bool:
        """Take the metadata blocks; whether they are there."""
        at = 4
        while True:
            if len(self._rest) < at + 4:
                return False
            kind, size = self._rest[at], int.from_bytes(self._rest[at + 1 : at + 4], "big")
            at += 4 + size
            if len(self._rest) < at:
                return False
            if kind & 0x7F == 0 and size >= 34:
                info = self._rest[at - size : at]
                self._block = int.from_bytes(info[:2], "big")
                self._rate = int.from_bytes(info[10:13], "big") >> 4
            if kind & 0x80:
                break
        self.head, self._rest = self._rest[:at], self._rest[at:]
        self._position += at
        return True

    def _time_of(self, head: bytes) -> float | None:
        """Return the time (seconds) of the frame with this header; None if it is none (RFC 9639, 9.1)."""
        if head[1] & 0xFE != 0xF8 or head[3] & 1 or head[2] >> 4 == 0 or head[2] & 15 == 15:
            return None
        length = max(1, 8 - (head[4] ^ 0xFF).bit_length())  # of a number coded like UTF-8
        if length > 7 or head[4] & 0xC0 == 0x80:
            return None
        number = head[4] & (0x7F if length == 1 else (1 << (7 - length)) - 1)
        for byte in head[5 : 4 + length]:
            if byte & 0xC0 != 0x80:
                return None
            number = number << 6 | byte & 0x3F
        size, rate = head[2] >> 4, head[2] & 15
        at = 4 + length + {6: 1, 7: 2}.get(size, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
        if at >= len(head) or _crc8(head[:at]) != head[at] or not self._rate:
            return None
        samples = number if head[1] & 1 else number * (self._block or _FLAC_SIZES[size])
        return samples / self._rate

    def measure(self, data: bytes) -> list[SeekPoint]:
        """The marks that the next bytes of the stream complete."""
        self._rest += data
        if self._in_head:
            if len(self._rest) < 4 or (self._rest.startswith(b"fLaC") and not self._read_head()):
                # A head without end is nothing that we understand.
                self._in_head = len(self._rest) < _LONGEST_FLAC_HEAD
                return []
            self._in_head = False
        points, at = [], 0
        while (at := self._rest.find(b"\xff", at)) >= 0 and at + _FLAC_HEADER <= len(self._rest):
            time = self._time_of(self._rest[at : at + _FLAC_HEADER])
            if time is not None:
                self._first = time if self._first is None else self._first
                if time - self._first >= self._time:
                    self._time = time - self._first
                    points.append(SeekPoint(self._position + at, self._time))
            at += 1
        at = max(0, len(self._rest) - _FLAC_HEADER + 1) if at < 0 else at
        self._position += at
        self._rest = self._rest[at:]
        return points


def seek_points_for(audio: AudioFormat) -> SeekPointFinder | None:
    """Return the finder of seek points for such a stream; None where it has none."""
    if audio.byte_rate:
        return None
    if audio.suffix in (".mp3", ".mp2", ".aac", ".adts", ".mpga"):
        return MpegSeekPoints()
    if audio.suffix in (".ogg", ".oga", ".opus", ".spx") or audio.encoding == "ogg-opus":
        return OggSeekPoints()
    if audio.suffix in (".webm", ".mkv", ".mka"):
        return MatroskaSeekPoints()
    if audio.suffix == ".flac" or audio.encoding == "flac":
        return FlacSeekPoints()
    return None
