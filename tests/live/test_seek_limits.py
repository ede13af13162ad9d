"""Finders of seek points hold a bounded part of a stream, whatever it claims to be."""

import sys
from collections.abc import Callable, Iterator

import pytest

from dgcli.live.seek_points import FlacSeekPoints, MatroskaSeekPoints, OggSeekPoints, SeekPointFinder

_MIB = 1 << 20
_SIZE = 40 * _MIB


def _ogg_without_audio() -> bytes:
    page = b"OggS\0\0" + (-1).to_bytes(8, "little", signed=True) + bytes(12) + b"\xff" + b"\xff" * 255
    return page + bytes(255 * 255)


def _blocks(first: bytes, again: bytes) -> Iterator[bytes]:
    yield first
    for _ in range(_SIZE // len(again)):
        yield again


@pytest.mark.parametrize(
    ("make", "first", "again"),
    [
        (FlacSeekPoints, b"fLaC", b"\x06\x0f\xff\xfc" + bytes(_MIB - 4)),
        (OggSeekPoints, b"", _ogg_without_audio()),
        (MatroskaSeekPoints, bytes.fromhex("1a45dfa3 80"), b"\xec\x1f\xff\xfb" + bytes(_MIB - 5)),
    ],
)
def test_a_head_without_end_is_not_held(
    make: Callable[[], SeekPointFinder], first: bytes, again: bytes
) -> None:
    """Of 40 MiB that never come to audio no more than 18 MiB are kept."""
    finder = make()
    for block in _blocks(first, again):
        finder.measure(block)
        assert finder.head is finder.head  # blocks of a stream share it
        held = sum(sys.getsizeof(value) for value in vars(finder).values())
        assert held < 18 * _MIB


def test_what_is_no_matroska_is_passed_over_in_one_go() -> None:
    """A block of anything is looked through once: its bytes are not copied for each of them."""
    finder = MatroskaSeekPoints()

    class Counting(bytes):
        """Counts the bytes that slices of it copy."""

        copied = 0

        def __getitem__(self, key: object) -> object:  # type: ignore[override]
            value = super().__getitem__(key)  # type: ignore[call-overload]
            if isinstance(value, bytes):
                Counting.copied += len(value)
            return value

        def __radd__(self, other: bytes) -> "Counting":
            return Counting(bytes(other) + bytes(self))

    finder._rest = Counting(bytes(10_000))
    finder.measure(b"")
    assert Counting.copied <= 20_000
    assert finder.head == bytes(10_000)
