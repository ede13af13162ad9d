"""The journal gives back exactly what it was given, in memory or from disk."""

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dgcli.live.journal import Journal

LIMIT = 64


class Model(RuleBasedStateMachine):
    """A journal with little memory against a plain bytes object."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = Journal(LIMIT)
        self.all = b""
        self.forgotten = 0

    @rule(data=st.binary(min_size=0, max_size=40))
    def append(self, data: bytes) -> None:
        self.journal.append(data)
        self.all += data

    @rule(share=st.floats(0, 1))
    def forget(self, share: float) -> None:
        position = int(share * (len(self.all) + 5))
        self.journal.forget(position)
        self.forgotten = max(self.forgotten, min(position, len(self.all)))

    @rule(share=st.floats(0, 1), size=st.integers(0, 200))
    def read(self, share: float, size: int) -> None:
        position = self.forgotten + int(share * (len(self.all) - self.forgotten))
        assert self.journal.read(position, size) == self.all[position : position + size]

    @rule(sizes=st.lists(st.integers(1, 30), max_size=8))
    def read_on(self, sizes: list[int]) -> None:
        position = self.forgotten
        for size in sizes:
            data = self.journal.read(position, size)
            assert data == self.all[position : position + size]
            position += len(data)

    @invariant()
    def bounds(self) -> None:
        assert self.journal.end == len(self.all)
        assert self.journal.start == self.forgotten
        assert self.journal.in_memory <= LIMIT + 40

    def teardown(self) -> None:
        self.journal.close()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestModel.__doc__ = "Whatever is appended, forgotten and read in any order: the bytes are the ones given."


def test_what_is_gone_cannot_be_read() -> None:
    """A read before the start or behind the end is a bug and says so."""
    journal = Journal(10)
    journal.append(b"0123456789")
    journal.forget(4)
    with pytest.raises(ValueError, match="not within"):
        journal.read(3, 1)
    with pytest.raises(ValueError, match="not within"):
        journal.read(11, 1)
    journal.close()


def test_the_disk_is_given_back() -> None:
    """When little is left unconfirmed the file is given up, so that a long stream does not fill the disk."""
    journal = Journal(100)
    for _ in range(50):
        journal.append(b"x" * 10)
    assert journal.on_disk == 400
    journal.forget(460)
    assert (journal.on_disk, journal.in_memory) == (0, 40)
    assert journal.read(460, 100) == b"x" * 40
    journal.close()


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Files cannot grow beyond a size: a write fails as on a full disk. The tests' own output is a file too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 55, 150])
def test_a_full_disk_loses_nothing_at_first(room: int) -> None:
    """When the disk takes no more, what is on it comes back to memory, and what comes stays there."""
    journal = Journal(100)
    blocks = [bytes([number]) * 10 for number in range(60)]
    with small_files(room):
        for block in blocks:
            journal.append(block)
    assert (journal.start, journal.end) == (0, 600)
    assert journal.read(0, 1000) == b"".join(blocks)
    assert journal.on_disk == 0
    journal.close()


def test_without_a_disk_the_oldest_audio_goes_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded even without a disk: the start then says what was given up."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    journal = Journal(100)
    for number in range(100):
        journal.append(bytes([number]) * 10)
    assert (journal.start, journal.end, journal.in_memory) == (200, 1000, 800)
    assert journal.read(200, 20) == bytes([20]) * 10 + bytes([21]) * 10
    journal.close()
