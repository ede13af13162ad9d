"""The memory of a batch: found again, never half, and never in the way."""

import os
import time
from pathlib import Path

import pytest

from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.ledger import Ledger, Record, sha256_of
from dgcli.batch.naming import Target
from dgcli.errors import OutputError
from dgcli.formats import by_name
from dgcli.output.stamps import stamp_of

ONE = Input(InputKind.FILE, "", "", "talk.wav")
RECORD = Record("talk.wav", "host model=nova-3", "mark", "request", "ab" * 32, 7, (7, 1, 2))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """The ledger of an empty directory."""
    return Ledger(str(tmp_path / "out"), spare=tmp_path / "spare")


def kept(ledger: Ledger, body: bytes = b"answer\nwith lines") -> Record:
    """A record in a ledger."""
    ledger.keep(ledger.reserve(), RECORD, ONE, body)
    return RECORD


def test_found_again(ledger: Ledger) -> None:
    """An answer is found by recording and query, byte for byte, and by no other query."""
    kept(ledger)
    assert ledger.find(ONE, RECORD.query) == RECORD
    assert ledger.body(ONE, RECORD.query) == b"answer\nwith lines"
    assert ledger.find(ONE, "host model=nova-2") is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"source": "x"}', b"\xff\xfe\x00"])
def test_damaged_record(ledger: Ledger, tmp_path: Path, damage: bytes) -> None:
    """A record that a power cut tore is as if it were not there."""
    kept(ledger)
    (path,) = (tmp_path / "out" / ".dg").glob("*.response")
    path.write_bytes(damage)
    assert ledger.find(ONE, RECORD.query) is None


def test_record_of_a_later_version(ledger: Ledger, tmp_path: Path) -> None:
    """Fields that a later version adds do not make this one pay again."""
    kept(ledger)
    (path,) = (tmp_path / "out" / ".dg").glob("*.response")
    path.write_bytes(path.read_bytes().replace(b'{"source"', b'{"later": 1, "source"'))
    assert ledger.find(ONE, RECORD.query) == RECORD


def test_outputs_are_known(ledger: Ledger, tmp_path: Path) -> None:
    """An output is current while it is what was made of the answer in that way, or was edited since."""
    record = kept(ledger)
    target = Target(str(tmp_path / "out" / "talk.txt"), by_name("text"))
    assert not ledger.is_current(target, record, "way")
    ledger.write(target, b"text", record, "way")
    assert ledger.is_current(target, record, "way")
    assert not ledger.is_current(target, record, "another way")
    path = Path(target.path)
    path.write_bytes(b"edited")
    assert ledger.is_current(target, record, "way")
    path.write_bytes(b"")
    assert not ledger.is_current(target, record, "way")
    path.unlink()
    assert not ledger.is_current(target, record, "way")


def test_stamps(tmp_path: Path) -> None:
    """A file's stamp tells changes apart; a file that changed a moment ago has none yet."""
    path = tmp_path / "x"
    path.write_bytes(b"1234567")
    status = path.stat()
    assert stamp_of(status) is None
    settled = stamp_of(status, time.time() + 10)
    assert settled == (7, status.st_mtime_ns, status.st_ctime_ns)
    os.utime(path, (1, 1))
    assert stamp_of(path.stat(), time.time() + 10) != settled
    assert sha256_of(str(path)).startswith("8bb0cf6e")


def test_scratch_is_tidied(ledger: Ledger, tmp_path: Path) -> None:
    """What a killed process left is removed after a day, and not while it may be in use."""
    place = ledger.reserve()
    ledger.tidy()
    assert place.path.exists()
    os.utime(place.path, (1, 1))
    ledger.tidy()
    assert not place.path.exists()
    place.release()


def test_released_places_leave_nothing(ledger: Ledger, tmp_path: Path) -> None:
    """A place that was not needed is gone."""
    ledger.reserve().release()
    assert list((tmp_path / "out" / ".dg" / "tmp").iterdir()) == []


def test_room(ledger: Ledger) -> None:
    """A disk without room for an answer is found out before it is needed."""
    with pytest.raises(OutputError, match="are free, and it may take"):
        ledger.reserve(1 << 60)
