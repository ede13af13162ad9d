"""The ledger of a batch: paid answers and what was made of them, beside the outputs in `.dg/`.

    .dg/<machine>-<number>.ledger    answers, byte for byte, and what was made of them (see `segments`)
    .dg/lock                         what is being asked for, and by whom a segment is written (see `output.locks`)
    .dg/damaged/                     what could not be read any more
    .dg/*.response, *.made           what version 0.1 noted; it is read, and not written

An answer is on the disk (fsync) before anything is made of it. Whatever happens afterwards, the same command
finds it there and makes what is missing without asking again. The other half of the promise is the `Claim`: of
all processes, one asks for a recording, and it has a place for the answer before the audio is sent.

Any number of processes, on any number of machines, work in one directory: each appends to a segment of its own.
"""

import contextlib
import errno
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from dgcli.batch.index import FOLDER, Index, SegmentFile, body_at, head_at, read_at
from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.naming import Target
from dgcli.batch.numbered_locks import LockFile
from dgcli.batch.record import (
    Provenance,
    Record,
    digest,
    provenance_in,
    read_json,
    record_in,
    sha256_of,
    stamp_in,
)
from dgcli.batch.segments import SUFFIX, Appender, Damage
from dgcli.errors import OutputError
from dgcli.output.files import check_inside, write_file
from dgcli.output.stamps import Stamp
from dgcli.system import check_room, sync_folder

_ABANDONED = 86_400.0  # seconds after which a scratch file is nobody's: requests may wait for hours
_WRITERS = 4096  # segments that may be written at once; the locks of recordings come after theirs
_RECORDINGS = 1 << 30

Report = Callable[[str], None]


def _machine() -> str:
    """A name for this machine: even where locks do not reach, no two machines write one file."""
    return hashlib.sha256(os.fsencode(socket.gethostname())).hexdigest()[:8]


class Claim:
    """The right to ask for a recording, until the block ends or the process does."""

    def __init__(self, ledger: "Ledger", number: int) -> None:
        self._ledger = ledger
        self._number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.release(self._number)


class Ledger:
    """The memory of one directory of outputs; safe for several threads.

    `warned` is told what is damaged. `booted` is when this machine was started, in ns since 1970: an output that
    is older was not necessarily on the disk then.
    """

    def __init__(
        self,
        folder: str,
        *,
        spare: Path,
        warned: Report = lambda _: None,
        booted: int | None = None,
        within: str | None = None,
    ) -> None:
        self._outputs = Path(folder or os.curdir)
        self._within = Path(within) if within else self._outputs  # no link leads out of it
        self._folder = self._outputs / FOLDER
        self._scratch = self._folder / "tmp"
        self._spare = spare
        self._absolute = os.path.abspath(self._outputs)
        self._warned = warned
        self._booted = time.time_ns() - time.monotonic_ns() if booted is None else booted
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._locks: LockFile | None = None
        self._has_locks = True
        self._writer: Appender | None = None
        self._claims = 0

    @property
    def folder(self) -> Path:
        """The folder of the ledger's own files."""
        return self._folder

    # What is there

    def _loaded(self) -> Index:
        if self._index is None:
            self._index = Index()
            self._index.read(self._folder, None)
        return self._index

    def _key(self, recording: Input, query: str) -> str:
        """Return the key of a recording's answer: named after it within its directory, so that a tree may move."""
        name = recording.base if recording.kind is InputKind.FILE else recording.name
        return digest(name, query)

    def _spare_path(self, recording: Input, query: str) -> Path:
        return self._spare / f"{digest(self._absolute, recording.name, query)}.response"

    def find(self, recording: Input, query: str) -> Record | None:
        """Return the record of an answer for this recording and query, whatever bytes the recording had then."""
        key = self._key(recording, query)
        with self._lock:
            index = self._loaded()
            place = index.get("answer", key)
            if place is not None:
                record = record_in(head_at(place))
                return record and self._restamped(index, key, record)
            if f"{key}.response" in index.earlier:
                with contextlib.suppress(OSError), (self._folder / f"{key}.response").open("rb") as file:
                    return record_in(read_json(file.readline()))
        return self._recovered(recording, query)

    def _restamped(self, index: Index, key: str, record: Record) -> Record:
        place = index.get("stamp", key)
        if place is None:
            return record
        values = head_at(place) or {}
        if values.get("mark") != record.mark:
            return record
        return replace(record, stamp=stamp_in(values.get("stamp")))

    def _recovered(self, recording: Input, query: str) -> Record | None:
        """Move an answer that a full disk forced elsewhere to its place."""
        spare = self._spare_path(recording, query)
        try:
            head, _, body = spare.read_bytes().partition(b"\n")
        except OSError:
            return None
        record = record_in(read_json(head))
        if record is not None:
            with contextlib.suppress(OutputError, OSError):  # still full: it is safe where it is
                self._append_answer(record, recording, body)
                spare.unlink()
        return record

    def body(self, recording: Input, query: str) -> bytes:
        """The answer itself. Raises `DamagedAnswer`, OSError."""
        key = self._key(recording, query)
        with self._lock:
            index = self._loaded()
            place = index.get("answer", key)
            if place is not None:
                return body_at(place)
        for path in (self._folder / f"{key}.response", self._spare_path(recording, query)):
            with contextlib.suppress(FileNotFoundError):
                return path.read_bytes().partition(b"\n")[2]
        raise FileNotFoundError(errno.ENOENT, "the answer is gone", str(self._folder))

    def set_aside(self, recording: Input, query: str) -> None:
        """Put an answer that cannot be used out of the way. Raises OSError, `OutputError`."""
        key = self._key(recording, query)
        with self._lock:
            index = self._loaded()
            item = index.entries["answer"].get(key)
            if item is not None and index.get("answer", key) is not None:
                name, entry = item
                self._copy_aside(index.segments[name], name, entry.body, entry.size or 0)
                self._append("aside", f"{name}:{entry.offset}", b"{}")
                return
        damaged = self._folder / "damaged"
        damaged.mkdir(parents=True, exist_ok=True)
        for path in (self._folder / f"{key}.response", self._spare_path(recording, query)):
            with contextlib.suppress(FileNotFoundError):
                path.replace(damaged / path.name)
        index.earlier.discard(f"{key}.response")

    def _copy_aside(self, segment: SegmentFile, name: str, offset: int, size: int) -> None:
        damaged = self._folder / "damaged"
        with contextlib.suppress(OSError, OutputError):  # a full disk: the bytes stay where they are as well
            damaged.mkdir(parents=True, exist_ok=True)
            write_file(damaged / f"{name}-{offset}", read_at(segment, offset, size), durable=False)

    # Claims and writing

    def claim(self, recording: Input, query: str) -> Claim | None:
        """Claim a recording; None while another process (or another thread) has it.

        What others have answered until then is known afterwards. Raises `OutputError` where nothing can be
        written.
        """
        number = _WRITERS + int(self._key(recording, query)[:12], 16) % _RECORDINGS
        with self._lock:
            try:
                locks = self._opened()
                if locks is not None and not locks.acquire(number):
                    return None
                self._claims += 1
                self._loaded().read(self._folder, self._writer.path.name if self._writer else None)
                return Claim(self, number)
            except OSError as error:
                raise self._refusal(error) from error

    def release(self, number: int) -> None:
        """Give a claim back."""
        with self._lock:
            self._claims -= 1
            if self._locks is not None and self._has_locks:
                self._locks.release(number)

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(
            f"Nothing can be written to {self._outputs}: {error.strerror}.",
            hint="Nothing was sent. Make room, or choose another place: --output-dir DIR",
        )

    def require_room(self, needed: int) -> None:
        """Raises `OutputError` where there is no room for `needed` bytes more, as far as one can tell."""
        with self._lock:
            try:
                self._opened()
                written = self._writer.size if self._writer else 0
                check_room(self._scratch, needed, written)
            except OSError as error:
                raise self._refusal(error) from error

    def _opened(self) -> LockFile | None:
        """Become the writer of a segment; the locks, None where the file system has none. Raises OSError."""
        if self._writer is not None and self._writer.is_usable:
            return self._locks if self._has_locks else None
        if self._locks is None:
            self.check_links(())
            # Queries may hold secrets, such as a callback's: nothing of it is for everybody.
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o770)
            self._scratch.mkdir(exist_ok=True)
            if not os.access(self._outputs, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._tidy()
            self._locks = LockFile(self._folder / "lock")
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        index = self._loaded()
        for number in range(1, _WRITERS):
            if self._has_locks:
                try:
                    if not self._locks.acquire(number):
                        continue
                except OSError as error:
                    self._has_locks = False
                    self._warned(
                        f"{self._folder} has no locks ({error.strerror}): two runs at once may pay twice there."
                    )
            name = f"{_machine()}-{number if self._has_locks else os.urandom(8).hex()}{SUFFIX}"
            index.read(self._folder, None)
            segment = index.segments.setdefault(name, SegmentFile(self._folder / name))
            if self._begin(segment, name):
                self._heal(index)
                return self._locks if self._has_locks else None
            if self._has_locks:
                self._locks.release(number)
        raise OSError(errno.EBUSY, "too many processes write there")

    def _begin(self, segment: SegmentFile, name: str) -> bool:
        """Continue a segment that nobody writes; False where it is full, or its beginning is lost."""
        if segment.end and not segment.key:
            return False
        is_new = not segment.end
        self._cut_off(segment, name)
        writer = Appender(segment.path, segment.end)
        if not writer.is_usable:
            writer.close()
            return False
        segment.key, segment.end = writer.key, writer.size
        self._writer = writer
        if is_new:
            sync_folder(self._folder)
            sync_folder(self._outputs)
        return True

    def _tell_damage(self, name: str, damage: Damage) -> None:
        self._warned(
            f"{self._folder / name} is damaged at byte {damage.offset} ({damage.size} bytes): what was answered "
            "there is asked for again."
        )

    def _cut_off(self, segment: SegmentFile, name: str) -> None:
        """Remove what its writer, who is gone, left unfinished at the end of a segment, or what was cut from it."""
        if segment.tail is None:
            return
        self._tell_damage(name, segment.tail)
        self._copy_aside(segment, name, segment.end, segment.tail.size)
        os.truncate(segment.path, segment.end)
        segment.tail = None

    def _heal(self, index: Index) -> None:
        """Tell of damage, once, and keep its bytes apart."""
        for name, segment in index.segments.items():
            machine, _, number = name.removesuffix(SUFFIX).partition("-")
            if segment.tail is None or machine != _machine() or not number.isdigit() or not self._locks:
                continue
            if self._has_locks and self._locks.acquire(int(number)):  # else it is being written just now
                self._cut_off(segment, name)
                self._locks.release(int(number))
        for place, (name, damage) in list(index.damage.items()):
            if place in index.aside:
                continue
            self._tell_damage(name, damage)
            self._copy_aside(index.segments[name], name, damage.offset, damage.size)
            self._append("aside", place, b"{}")

    def _append(self, kind: str, key: str, head: bytes, body: bytes | None = None) -> Appender:
        """Write an entry, and know it. Raises OSError."""
        with self._lock:
            self._opened()
            writer = self._writer
            assert writer is not None  # that is what `_opened` sees to
            entry = writer.append(kind, key, head, body)
            index = self._loaded()
            index.segments[writer.path.name].end = writer.size
            index.add(writer.path.name, entry)
            return writer

    def _append_answer(self, record: Record, recording: Input, body: bytes) -> None:
        """Put an answer on the disk. Raises OSError, `OutputError`."""
        head = {**asdict(record), "body_sha256": hashlib.sha256(body).hexdigest()}
        writer = self._append("answer", self._key(recording, record.query), json.dumps(head).encode(), body)
        writer.sync()

    def keep(self, record: Record, recording: Input, body: bytes) -> None:
        """Put an answer on the disk. Raises `OutputError`, having tried the state folder as well."""
        try:
            self._append_answer(record, recording, body)
        except OSError as error:
            failure = OutputError(f"The response cannot be written to {self._folder}: {error.strerror}.")
            spare = self._spare_path(recording, record.query)
            with contextlib.suppress(OutputError, OSError):
                spare.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                data = json.dumps(asdict(record)).encode() + b"\n" + body
                write_file(spare, data, private=True)
                failure.kept = spare
                failure.hint = (
                    "The same command takes it from there when there is room, without sending again."
                )
            raise failure from error

    def restamp(self, record: Record, recording: Input, stamp: Stamp) -> None:
        """Note that the bytes are the same though the times of change are not; a failure costs only time."""
        head = json.dumps({"mark": record.mark, "stamp": stamp}).encode()
        with contextlib.suppress(OSError, OutputError):
            self._append("stamp", self._key(recording, record.query), head)

    # Outputs

    def _provenance(self, path: str) -> Provenance | None:
        """What an output was made of, as far as is known."""
        key = digest(os.path.basename(path))
        with self._lock:
            index = self._loaded()
            place = index.get("made", key)
            if place is not None:
                return provenance_in(head_at(place))
            if f"{key}.made" in index.earlier:
                with contextlib.suppress(OSError):
                    return provenance_in(read_json((self._folder / f"{key}.made").read_bytes()))
        return None

    def is_current(self, target: Target, record: Record, rendering: str) -> bool:
        """Whether an output is there and was made of this answer in this way.

        One that was edited since is current too: what somebody corrected by hand is not to be lost.
        """
        try:
            status = os.stat(target.path)
        except OSError:
            return False
        made = self._provenance(target.path)
        if made is None or (made.mark, made.rendering) != (record.mark, rendering):
            return False
        if (status.st_size, status.st_mtime_ns) == (made.size, made.mtime_ns):
            return made.is_settled or made.mtime_ns > self._booted or self._survived(target, made)
        return status.st_size > 0 and status.st_mtime_ns > made.mtime_ns

    def _survived(self, target: Target, made: Provenance) -> bool:
        """Whether an output that was written before the machine was started is whole; noted if it is.

        Outputs are not forced to the disk: a power cut may leave one with its size and without its bytes.
        """
        # Version 0.1 noted no hash, and forced its outputs to the disk.
        with contextlib.suppress(OSError):
            if made.sha256 is not None and sha256_of(target.path) != made.sha256:
                return False
        with contextlib.suppress(OSError, OutputError):
            self._note(target, replace(made, is_settled=True))
        return True

    def _note(self, target: Target, made: Provenance) -> None:
        self._append("made", digest(os.path.basename(target.path)), json.dumps(asdict(made)).encode())

    def write(self, target: Target, data: bytes, record: Record, rendering: str) -> None:
        """Write an output, and what it was made of. Raises `OutputError`.

        Neither is forced to the disk: if they are lost, the output is made once more from the answer.
        """
        self._scratch.mkdir(parents=True, exist_ok=True)
        write_file(Path(target.path), data, scratch=self._scratch, durable=False, within=self._within)
        try:
            status = os.stat(target.path)
            name = os.path.basename(target.path)
            made = Provenance(
                name,
                record.mark,
                rendering,
                status.st_size,
                status.st_mtime_ns,
                hashlib.sha256(data).hexdigest(),
            )
            self._note(target, made)
        except OSError as error:
            raise OutputError(f"{self._folder} cannot be written: {error.strerror}.") from error

    def check_links(self, targets: Iterable[Target]) -> None:
        """Refuse outputs, and a place for our own files, that links lead elsewhere. Raises `OutputError`."""
        for folder in () if self._locks else (self._scratch, self._folder / "damaged"):
            check_inside(folder, self._within)
        for target in targets:
            if os.path.islink(target.path):
                check_inside(Path(target.path), self._within)

    def _tidy(self) -> None:
        """Remove what a killed process left half-written, once it is certainly nobody's."""
        with contextlib.suppress(OSError):
            for entry in self._scratch.iterdir():
                if entry.stat().st_mtime < time.time() - _ABANDONED:
                    entry.unlink()

    def close(self) -> bool:
        """Close all files, unless something is claimed; whether they are closed. It opens again when it is used."""
        with self._lock:
            if self._claims:
                return False
            if self._writer is not None:
                self._writer.close()  # answers are on the disk; the rest can be made again
                self._writer = None
            if self._locks is not None:
                self._locks.close()
                self._locks = None
            if self._index is not None:
                self._index.close()
                self._index = None
            return True
