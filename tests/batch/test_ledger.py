"""The memory of a batch: found again, never half, never in the way, and healed when it is damaged."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dgcli.batch import segments
from dgcli.batch.index import DamagedAnswer
from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.ledger import Ledger
from dgcli.batch.naming import Target
from dgcli.batch.record import Record, digest, sha256_of
from dgcli.errors import OutputError
from dgcli.formats import by_name
from dgcli.output.stamps import stamp_of

QUERY = "host model=nova-3"
BODY = b"answer\nwith lines, and with a head: \n#dg 0123456789abcdef answer x 1 - {}\n"


def recording(name: str = "talk.wav") -> Input:
    """A recording of the current directory."""
    return Input(InputKind.FILE, "", "", name)


def record(name: str = "talk.wav", query: str = QUERY) -> Record:
    """What is noted of an answer for it."""
    return Record(name, query, f"mark of {name}", "request", "ab" * 32, 7, (7, 1, 2), duration=1.5)


class Folder:
    """A directory of outputs with a ledger, as one process after another opens it."""

    def __init__(self, path: Path, spare: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.ledgers: list[Ledger] = []
        self._spare = spare

    def opened(self, *, booted: int = 0) -> Ledger:
        """The ledger, as a new process sees it."""
        ledger = Ledger(str(self.path), spare=self._spare, warned=self.warnings.append, booted=booted)
        self.ledgers.append(ledger)
        return ledger

    def keep(self, *names: str) -> None:
        """Note an answer for each, by a process of its own that ends then."""
        ledger = self.opened()
        for name in names:
            claim = ledger.claim(recording(name), QUERY)
            assert claim is not None
            with claim:
                ledger.keep(record(name), recording(name), BODY + name.encode())
        assert ledger.close()

    def readable(self, *names: str) -> list[str]:
        """Those whose answers are found, byte for byte, by a process that writes as well."""
        ledger = self.opened()
        claim = ledger.claim(recording("another"), QUERY)
        assert claim is not None
        with claim:
            found = [name for name in names if ledger.find(recording(name), QUERY) == record(name)]
            assert all(ledger.body(recording(name), QUERY) == BODY + name.encode() for name in found)
        ledger.close()
        return found

    @property
    def segment(self) -> Path:
        """The only segment there is."""
        (path,) = (self.path / ".dg").glob("*.ledger")
        return path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """An empty directory of outputs."""
    made = Folder(tmp_path / "out", tmp_path / "spare")
    yield made
    for ledger in made.ledgers:
        ledger.close()


def test_found_again(folder: Folder) -> None:
    """An answer is found by recording and query, byte for byte, and by no other query."""
    folder.keep("talk.wav")
    ledger = folder.opened()
    assert ledger.find(recording(), QUERY) == record()
    assert ledger.body(recording(), QUERY) == BODY + b"talk.wav"
    assert ledger.find(recording(), "host model=nova-2") is None


def test_the_newest_answer_counts(folder: Folder) -> None:
    """Of two answers to the same question, the later one is found, by this process and the next."""
    folder.keep("talk.wav")
    ledger = folder.opened()
    later = Record("talk.wav", QUERY, "later", None)
    claim = ledger.claim(recording(), QUERY)
    assert claim is not None
    with claim:
        ledger.keep(later, recording(), b"later")
        assert ledger.find(recording(), QUERY) == later
    assert folder.opened().body(recording(), QUERY) == b"later"


def test_a_stamp_is_noted(folder: Folder) -> None:
    """A stamp that is noted afterwards is found, and only for the answer that it was noted for."""
    folder.keep("talk.wav")
    ledger = folder.opened()
    ledger.restamp(record(), recording(), (7, 8, 9))
    found = folder.opened().find(recording(), QUERY)
    assert found is not None
    assert found.stamp == (7, 8, 9)


@pytest.mark.parametrize("seed", range(5))
def test_any_byte_may_be_damaged(folder: Folder, seed: int) -> None:
    """Wherever a byte is wrong, only what is there is lost: it is told with its file, once, and kept apart."""
    import random

    names = [f"{number}.wav" for number in range(8)]
    folder.keep(*names)
    whole = folder.segment.read_bytes()
    start = whole.index(b"\n") + 1
    chance = random.Random(seed)
    for place in chance.sample(range(start, len(whole)), 12):
        folder.segment.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        folder.warnings.clear()
        ledger = folder.opened()
        claim = ledger.claim(recording("another"), QUERY)
        assert claim is not None
        unreadable = []
        with claim:
            for name in names:
                try:
                    if ledger.find(recording(name), QUERY) is None:
                        unreadable.append(name)
                    else:
                        assert ledger.body(recording(name), QUERY) == BODY + name.encode()
                except DamagedAnswer as damaged:
                    folder.warnings.append(str(damaged))
                    unreadable.append(name)
                    ledger.set_aside(recording(name), QUERY)
                    assert ledger.find(recording(name), QUERY) is None
        ledger.close()
        assert all(str(folder.segment) in text for text in folder.warnings)
        assert len(unreadable) <= 2  # a line's end that is missing hides the next head from a line reader
        for name in unreadable:
            folder.keep(name)
        folder.warnings.clear()
        assert folder.readable(*names) == names
        assert folder.warnings == []


@pytest.mark.parametrize("lost", [1, 30, 200, 500])
def test_a_ledger_that_lost_its_end(folder: Folder, lost: int) -> None:
    """A ledger that is cut off has all answers before the cut; the cut is told, and what is added is found."""
    folder.keep("a.wav", "b.wav", "c.wav")
    os.truncate(folder.segment, folder.segment.stat().st_size - lost)
    left = folder.readable("a.wav", "b.wav", "c.wav")
    assert left == ["a.wav", "b.wav"][: len(left)]
    assert len(left) >= 1
    assert [f"{folder.segment} is damaged" in text for text in folder.warnings] == [True]
    folder.keep("c.wav")
    assert "c.wav" in folder.readable("c.wav")


def test_bytes_that_are_missing(folder: Folder) -> None:
    """Where bytes of one answer are gone, the answers after it are found nevertheless."""
    names = ["a.wav", "b.wav", "c.wav", "d.wav"]
    folder.keep(*names)
    whole = folder.segment.read_bytes()
    place = whole.index(BODY + b"b.wav") + 10
    folder.segment.write_bytes(whole[:place] + whole[place + 40 :])
    ledger = folder.opened()
    for name in ("a.wav", "c.wav", "d.wav"):
        assert ledger.body(recording(name), QUERY) == BODY + name.encode()
    with pytest.raises(DamagedAnswer):
        ledger.body(recording("b.wav"), QUERY)


def test_what_is_no_ledger(folder: Folder) -> None:
    """A file of another kind in a segment's place is told, and left alone."""
    folder.keep("a.wav")
    segment = folder.segment
    segment.write_bytes(b"no ledger at all, and longer than the first line of one would be" * 2)
    folder.keep("b.wav")
    assert len(folder.warnings) == 1
    assert str(segment) in folder.warnings[0]
    assert folder.readable("a.wav", "b.wav") == ["b.wav"]
    assert segment.read_bytes().startswith(b"no ledger at all")


def test_a_server_cannot_forge_answers(folder: Folder) -> None:
    """An answer that looks like entries of a ledger is one answer, even where the ledger is damaged before it."""
    folder.keep("a.wav")
    forged = folder.segment.read_bytes().partition(b"\n")[2]
    other = Folder(folder.path / "other", folder.path)
    ledger = other.opened()
    claim = ledger.claim(recording("x.wav"), QUERY)
    assert claim is not None
    with claim:
        ledger.keep(record("x.wav"), recording("x.wav"), b"\n" + forged)
    ledger.close()
    (path,) = (folder.path / "other" / ".dg").glob("*.ledger")
    whole = path.read_bytes()
    at = whole.index(b"#dg ") + 30
    path.write_bytes(whole[:at] + b"~" + whole[at + 1 :])
    ledger = other.opened()
    assert ledger.find(recording("a.wav"), QUERY) is None
    ledger.close()


@pytest.mark.parametrize(
    "change",
    [{"source": 3}, {"mark": None}, {"size": "7"}, {"sha256": 5}, {"request_id": []}, {"query": {}}],
)
def test_wrong_types(folder: Folder, change: dict[str, object]) -> None:
    """A record of version 0.1 with values of another type is as if it were not there."""
    made = {"source": "talk.wav", "query": QUERY, "mark": "m", "request_id": "r", "size": 7, **change}
    earlier(folder, json.dumps(made).encode() + b"\n{}")
    assert folder.opened().find(recording(), QUERY) is None


def earlier(folder: Folder, data: bytes) -> Path:
    """An answer as version 0.1 kept it."""
    path = folder.path / ".dg" / f"{digest('talk.wav', QUERY)}.response"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_answers_of_version_0_1(folder: Folder) -> None:
    """What version 0.1 kept is found, and is put aside where it cannot be used."""
    head = {"source": "talk.wav", "query": QUERY, "mark": "m", "request_id": "r", "sha256": None, "size": 7,
            "stamp": [1, 2, 3], "accepted": False, "later": 1}  # fmt: skip
    path = earlier(folder, json.dumps(head).encode() + b"\nthe answer")
    ledger = folder.opened()
    assert ledger.find(recording(), QUERY) == Record("talk.wav", QUERY, "m", "r", None, 7, (1, 2, 3))
    assert ledger.body(recording(), QUERY) == b"the answer"
    ledger.set_aside(recording(), QUERY)
    assert ledger.find(recording(), QUERY) is None
    assert (path.parent / "damaged" / path.name).exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"source": "x"}', b"\xff\xfe\x00", b"[" * 5000])
def test_damaged_record_of_version_0_1(folder: Folder, damage: bytes) -> None:
    """A record that a power cut tore is as if it were not there."""
    earlier(folder, damage)
    assert folder.opened().find(recording(), QUERY) is None


def test_outputs_are_known(folder: Folder) -> None:
    """An output is current while it is what was made of the answer in that way, or was edited since."""
    folder.keep("talk.wav")
    ledger = folder.opened()
    target = Target(str(folder.path / "talk.txt"), by_name("text"))
    assert not ledger.is_current(target, record(), "way")
    ledger.write(target, b"text", record(), "way")
    for seen in (ledger, folder.opened()):
        assert seen.is_current(target, record(), "way")
        assert not seen.is_current(target, record(), "another way")
    path = Path(target.path)
    path.write_bytes(b"edited")
    assert ledger.is_current(target, record(), "way")
    path.write_bytes(b"")
    assert not ledger.is_current(target, record(), "way")
    path.unlink()
    assert not ledger.is_current(target, record(), "way")


def test_outputs_after_a_power_cut(folder: Folder) -> None:
    """An output that came out of a power cut with its size and without its bytes is made once more; one that
    is whole is hashed once, and believed from then on."""
    ledger = folder.opened()
    target = Target(str(folder.path / "talk.txt"), by_name("text"))
    folder.path.mkdir()
    ledger.write(target, b"text", record(), "way")
    path = Path(target.path)
    status = path.stat()
    path.write_bytes(b"\0\0\0\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    booted = time.time_ns() + 10**9
    assert ledger.is_current(target, record(), "way")  # the machine has run all the time
    assert not folder.opened(booted=booted).is_current(target, record(), "way")
    path.write_bytes(b"text")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    ledger.close()
    assert folder.opened(booted=booted).is_current(target, record(), "way")
    path.chmod(0)  # it is not read again
    path.write_bytes(b"\0\0\0\0") if os.geteuid() == 0 else None
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert folder.opened(booted=booted).is_current(target, record(), "way")


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


def test_scratch_is_tidied(folder: Folder) -> None:
    """What a killed process left half-written is removed after a day, and not while it may be in use."""
    scratch = folder.path / ".dg" / "tmp"
    scratch.mkdir(parents=True)
    (scratch / "old").touch()
    (scratch / "new").touch()
    os.utime(scratch / "old", (1, 1))
    folder.keep("a.wav")
    assert [path.name for path in scratch.iterdir()] == ["new"]


def test_room(folder: Folder) -> None:
    """A disk without room for an answer is found out before it is needed."""
    with pytest.raises(OutputError, match="are free, and it may take"):
        folder.opened().require_room(1 << 60)


CLAIMER = """
import sys
from pathlib import Path
from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.ledger import Ledger
ledger = Ledger(sys.argv[1], spare=Path(sys.argv[1]))
for name in sys.argv[2:]:
    claim = ledger.claim(Input(InputKind.FILE, "", "", name), "host model=nova-3")
    print("claimed" if claim else "refused", flush=True)
sys.stdin.read()
"""


@contextmanager
def claimer(folder: Folder, *names: str) -> "Iterator[subprocess.Popen[str]]":
    """Another process that claims recordings, tells which it got, and keeps them until the block ends."""
    command = [sys.executable, "-c", CLAIMER, str(folder.path), *names]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_claim_dies_with_its_process(folder: Folder) -> None:
    """What another process claims nobody else gets, until that process ends, however it does."""
    ledger = folder.opened()
    with claimer(folder, "a.wav") as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        assert ledger.claim(recording("a.wav"), QUERY) is None
        with ledger.claim(recording("a.wav"), "host model=nova-2") or pytest.fail("another question"):
            other.kill()
            other.wait()
    claim = ledger.claim(recording("a.wav"), QUERY)
    assert claim is not None
    with claim:
        assert ledger.claim(recording("a.wav"), QUERY) is None  # nor any thread of this one
        with claimer(folder, "a.wav", "b.wav") as third:
            assert third.stdout is not None
            assert [third.stdout.readline(), third.stdout.readline()] == ["refused\n", "claimed\n"]
        assert not ledger.close()
    with ledger.claim(recording("a.wav"), QUERY) or pytest.fail("it was given back"):
        pass


def test_what_another_process_answered(folder: Folder) -> None:
    """Whoever gets a claim knows what was answered until then; two processes write two segments."""
    first, second = folder.opened(), folder.opened()
    assert second.find(recording("a.wav"), QUERY) is None
    claim = first.claim(recording("a.wav"), QUERY)
    assert claim is not None
    with claim:
        first.keep(record("a.wav"), recording("a.wav"), b"the answer")
    # Within one process POSIX locks are one: the other one is asked in its own.
    script = (
        CLAIMER
        + """
print(ledger.body(Input(InputKind.FILE, "", "", sys.argv[2]), "host model=nova-3"))
"""
    )
    command = [sys.executable, "-c", script, str(folder.path), "a.wav"]
    result = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == ["claimed", "b'the answer'"]
    assert len(list((folder.path / ".dg").glob("*.ledger"))) == 2


def test_no_locks(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file system has no locks, that is told once, and each process writes a file of its own."""
    import errno

    from dgcli.batch import numbered_locks

    def refused(handle: int, number: int, *, held: bool) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(numbered_locks, "lock_byte", refused)
    folder.keep("a.wav", "b.wav")
    folder.keep("c.wav")
    assert len([text for text in folder.warnings if "two runs at once may pay twice" in text]) == 2
    assert len(list((folder.path / ".dg").glob("*.ledger"))) == 2
    found = folder.opened()
    assert all(found.find(recording(name), QUERY) for name in ("a.wav", "b.wav", "c.wav"))


def test_syncs_are_shared(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of several threads share a sync, and each is on the disk when `keep` returns."""
    syncs: list[int] = []
    begun, written, go_on = threading.Semaphore(0), threading.Semaphore(0), threading.Event()
    real = os.fdatasync

    def counted(handle: int) -> None:
        size = os.fstat(handle).st_size
        begun.release()
        go_on.wait(30)
        real(handle)
        syncs.append(size)

    ledger = folder.opened()
    claims = [ledger.claim(recording(f"{number}.wav"), QUERY) for number in range(8)]
    assert all(claims)
    monkeypatch.setattr(segments.os, "fdatasync", counted)
    append = segments.Appender.append

    def counted_append(
        segment: segments.Appender, kind: str, name: str, head: bytes, body: bytes | None = None
    ) -> segments.SegmentEntry:
        entry = append(segment, kind, name, head, body)
        if body is not None:
            written.release()
        return entry

    monkeypatch.setattr(segments.Appender, "append", counted_append)
    synced_at: dict[str, int] = {}

    def keep(name: str) -> None:
        ledger.keep(record(name), recording(name), BODY)
        synced_at[name] = syncs[-1]

    threads = [threading.Thread(target=keep, args=(f"{number}.wav",)) for number in range(8)]
    threads[0].start()
    assert begun.acquire(timeout=30)
    for thread in threads[1:]:
        thread.start()
    for _ in range(8):  # all are written while the first sync goes on
        assert written.acquire(timeout=30)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert len(syncs) == 2
    whole = folder.segment.read_bytes()
    for name, size in synced_at.items():
        assert digest(name, QUERY).encode() in whole[:size]
