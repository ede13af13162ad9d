"""WAV headers and samples, as they come down a pipe."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.audio.wav import WavHeader, read_header, to_linear16
from tests.sources.conftest import wav


@pytest.mark.parametrize(
    ("kind", "bits", "encoding"),
    [(1, 8, "linear16"), (1, 16, "linear16"), (1, 24, "linear16"), (1, 32, "linear16"),
     (3, 32, "linear16"), (3, 64, "linear16"), (6, 8, "alaw"), (7, 8, "mulaw")],
)  # fmt: skip
def test_every_kind_of_samples_is_named(kind: int, bits: int, encoding: str) -> None:
    """Header fields become encoding, rate and channels; the samples follow untouched."""
    stream = io.BytesIO(wav(b"\1\2\3\4" * 4, kind=kind, bits=bits, rate=44100, channels=2))
    header, _ = read_header(stream.read)
    assert header is not None
    assert (header.format.encoding, header.format.sample_rate, header.format.channels) == (encoding, 44100, 2)
    assert stream.read() == b"\1\2\3\4" * 4


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x80000000])
def test_streaming_lengths_are_unknown_lengths(size: int) -> None:
    """What recorders write into a pipe instead of a length is not taken for one."""
    header, _ = read_header(io.BytesIO(wav(b"\0\0", data_size=size)).read)
    assert header is not None
    assert header.data_bytes is None


def test_chunks_before_the_data_are_skipped() -> None:
    """LIST and JUNK chunks, odd lengths with their padding included, do not hide the samples."""
    extra = b"LIST" + struct.pack("<I", 5) + b"hello\0" + b"JUNK" + struct.pack("<I", 2) + b"ab"
    stream = io.BytesIO(wav(b"\5\6", extra=extra))
    header, _ = read_header(stream.read)
    assert header is not None
    assert stream.read() == b"\5\6"


def test_rf64_takes_its_length_from_ds64() -> None:
    """A data size of -1 in an RF64 stands for the 64-bit one."""
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 1 << 33, 5 << 32, 0, 0)
    header, _ = read_header(io.BytesIO(wav(b"\0\0", data_size=0xFFFFFFFF, extra=ds64, riff=b"RF64")).read)
    assert header is not None
    assert header.data_bytes == 5 << 32


def test_an_extensible_header_is_looked_into() -> None:
    """WAVE_FORMAT_EXTENSIBLE with the sub-format IEEE float is float."""
    guid = struct.pack("<H", 3) + bytes.fromhex("000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 6, 48000, 48000 * 24, 24, 32, 22, 32, 0x3F) + guid
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 40) + fmt + b"data\xff\xff\xff\xff"
    header, taken = read_header(io.BytesIO(head).read)
    assert header == WavHeader(3, 32, 48000, 6, None)
    assert taken == head


@pytest.mark.parametrize(
    "stream",
    [b"", b"RI", b"OggS" + bytes(60), b"RIFF\0\0\0\0AVI " + bytes(40), wav(b"", kind=2, bits=4),
     wav(b"")[:30], b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f" + bytes(99), wav(b"", channels=0)],
)  # fmt: skip
def test_what_is_no_readable_wav_is_given_back(stream: bytes) -> None:
    """Nothing that was read on the way to no header is lost."""
    source = io.BytesIO(stream)
    header, taken = read_header(source.read)
    assert header is None
    assert taken + source.read() == stream


@given(st.binary(max_size=300))
def test_any_bytes_can_follow_a_riff_tag(tail: bytes) -> None:
    """No header, however broken, raises or loses bytes."""
    stream = io.BytesIO(b"RIFF\0\0\0\0WAVE" + tail)
    _, taken = read_header(stream.read)
    assert taken + stream.read() == b"RIFF\0\0\0\0WAVE" + tail


@given(st.lists(st.integers(-32768, 32767), min_size=1))
def test_wider_samples_keep_their_upper_half(samples: list[int]) -> None:
    """24 and 32 bits become the 16 they began with; 32-bit float is scaled back exactly."""
    plain = struct.pack(f"<{len(samples)}h", *samples)
    wide24 = b"".join(b"\x7f" + plain[i : i + 2] for i in range(0, len(plain), 2))
    wide32 = b"".join(b"\x01\x80" + plain[i : i + 2] for i in range(0, len(plain), 2))
    floats = struct.pack(f"<{len(samples)}f", *(s / 32768 for s in samples))
    assert to_linear16(WavHeader(1, 24, 8000, 1, None))(wide24) == plain
    assert to_linear16(WavHeader(1, 32, 8000, 1, None))(wide32) == plain
    assert to_linear16(WavHeader(3, 32, 8000, 1, None))(floats) == plain


def test_too_loud_is_clipped_and_never_wraps() -> None:
    """Float samples beyond full scale stay at full scale; NaN is silence."""
    stored = np.array([1.5, -1.5, 1.0, -1.0, np.nan, np.inf, -np.inf], "<f4").tobytes()
    samples = np.frombuffer(to_linear16(WavHeader(3, 32, 8000, 1, None))(stored), "<i2").tolist()
    assert samples == [32767, -32768, 32767, -32768, 0, 32767, -32768]


def test_eight_bits_are_unsigned() -> None:
    """128 is silence in an 8-bit WAV."""
    assert to_linear16(WavHeader(1, 8, 8000, 1, None))(b"\x80\x00\xff") == struct.pack(
        "<3h", 0, -32768, 32512
    )
