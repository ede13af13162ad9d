"""WAV headers as they come down a pipe, and samples of any size as linear16.

libsndfile reads complete files; this module is for what it cannot have: a stream without a known length, and
a file whose recorder has not filled in the length yet.
Sources: Microsoft, "Multiple channel audio data and WAVE files"; RFC 2361; EBU Tech 3306 (RF64).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from dgcli.audio.base import AudioFormat

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
# What follows the two bytes of the format in the sub-format of WAVE_FORMAT_EXTENSIBLE.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
# Recorders that write to a pipe put 0, -1 or the largest signed number (less their header) as the length.
_UNKNOWN_FROM = 0x7FFF0000
_UNKNOWN_LONG = 0xFFFFFFFFFFFFFFFF
# More than this before the samples is no header that a recorder writes.
_HEADER_LIMIT = 1 << 20

_FLIP = bytes(value ^ 0x80 for value in range(256))


@dataclass(frozen=True, slots=True)
class WavHeader:
    """The format of the samples behind a WAV header."""

    kind: int  # the format tag; that of the sub-format if the header is an extensible one
    bits: int  # of one sample, as stored
    sample_rate: int  # Hz
    channels: int
    data_bytes: int | None  # None: until the stream ends

    @property
    def frame_bytes(self) -> int:
        """Stored bytes of one sample of all channels."""
        return self.bits // 8 * self.channels

    @property
    def format(self) -> AudioFormat:
        """The format of the samples after `to_linear16`."""
        encoding = {_ALAW: "alaw", _MULAW: "mulaw"}.get(self.kind, "linear16")
        return AudioFormat(encoding, self.sample_rate, self.channels, ".wav")


def _readable(kind: int, bits: int) -> bool:
    sizes = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _ALAW: (8,), _MULAW: (8,)}
    return bits in sizes.get(kind, ())


def read_header(exactly: Callable[[int], bytes]) -> tuple[WavHeader | None, bytes]:
    """The header at the beginning of a stream, and every byte that was read to find it.

    `exactly(n)` returns n bytes, or fewer where the stream ends. The header is None when the stream is no WAV
    that can be taken apart here (another container, a codec such as ADPCM, a header cut off): what was read
    then belongs to the audio. Otherwise the samples follow.
    """
    taken = bytearray()

    def take(count: int) -> bytes:
        got = exactly(count)
        taken.extend(got)
        return got

    if take(4) not in (b"RIFF", b"RF64", b"BW64") or take(8)[4:] != b"WAVE":
        return None, bytes(taken)
    kind = bits = rate = channels = 0
    long_size: int | None = None
    while len(taken) < _HEADER_LIMIT:
        name, length = take(4), take(4)
        if len(length) < 4:
            break
        size = int.from_bytes(length, "little")
        if name == b"data":
            if not (_readable(kind, bits) and channels and rate):
                break
            known: int | None = None if size == 0 or size >= _UNKNOWN_FROM else size
            if size == 0xFFFFFFFF and long_size not in (None, 0, _UNKNOWN_LONG):
                known = long_size
            return WavHeader(kind, bits, rate, channels, known), bytes(taken)
        if size > _HEADER_LIMIT:
            break
        body = take(size + size % 2)
        if name == b"fmt " and len(body) >= 16:
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if kind == _EXTENSIBLE and body[26:40] == _GUID_TAIL:
                kind = int.from_bytes(body[24:26], "little")
        elif name == b"ds64" and len(body) >= 16:
            long_size = int.from_bytes(body[8:16], "little")
    return None, bytes(taken)


def _as_is(block: bytes) -> bytes:
    return block


def _from_8(block: bytes) -> bytes:
    """Convert samples of 8 bits, which are unsigned, to linear16."""
    wide = bytearray(len(block) * 2)
    wide[1::2] = block.translate(_FLIP)
    return bytes(wide)


def _from_wide(size: int) -> Callable[[bytes], bytes]:
    """The upper two bytes of every sample of `size` bytes."""

    def narrow(block: bytes) -> bytes:
        samples = bytearray(len(block) // size * 2)
        samples[0::2] = block[size - 2 :: size]
        samples[1::2] = block[size - 1 :: size]
        return bytes(samples)

    return narrow


def from_float(bits: int) -> Callable[[bytes], bytes]:
    """A function from float samples of 32 or 64 bits to linear16; too loud is clipped, NaN is silence."""
    import numpy as np

    stored = np.dtype("<f8" if bits == 64 else "<f4")

    def convert(block: bytes) -> bytes:
        samples = np.nan_to_num(np.frombuffer(block, stored), nan=0.0, posinf=1.0, neginf=-1.0)
        return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes()

    return convert


def to_linear16(header: WavHeader) -> Callable[[bytes], bytes]:
    """A function from whole frames as stored to what is sent: linear16, or mulaw and alaw as they are."""
    if header.kind == _FLOAT:
        return from_float(header.bits)
    if header.kind != _PCM or header.bits == 16:
        return _as_is
    return _from_8 if header.bits == 8 else _from_wide(header.bits // 8)
