"""The ledger of a batch: paid answers and what was made of them, beside the outputs in `.dg/`.

Two kinds of small file, each written whole or not at all, none ever shared by two recordings; so any number of
processes, on any number of machines, work in one directory without locks.

    .dg/<hash of source and query>.response    a line of JSON (`Record`), then the API's answer byte for byte
    .dg/<hash of output's name>.made           which response an output was made of, how, and how it then looked

An answer is on the disk (fsync) before anything is made of it. Whatever happens afterwards, the same command
finds it there and makes what is missing without asking again. The other half of the promise is `reserve`: a
place for the answer is made before the audio is sent.

Whether a recording is still the one that was sent is first asked of its size and its times of change, both
of content and of inode, as git does; where these differ, or are so young that another change could hide
behind them, its bytes are hashed and compared.
"""

import contextlib
import errno
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.naming import Target
from dgcli.errors import OutputError
from dgcli.output.files import write_file
from dgcli.output.kept import state_folder
from dgcli.output.stamps import Stamp

FOLDER = ".dg"
_BLOCK = 1 << 20  # bytes read at a time for hashing
_ABANDONED = 86_400.0  # seconds after which a scratch file is nobody's: requests may wait for hours


@dataclass(frozen=True, slots=True)
class Record:
    """A noted answer of the API.

    `sha256`, `size` in bytes and `stamp` are of the audio that was sent; of what the API fetched, not all are
    known. `mark` names this answer and no other. `accepted`: the transcript goes to a callback, and there is
    nothing to make outputs of.
    """

    source: str
    query: str
    mark: str
    request_id: str | None
    sha256: str | None = None
    size: int | None = None
    stamp: Stamp | None = None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class _Provenance:
    """The answer an output was made of, and the output's size and time when it was written."""

    output: str
    source: str
    sha256: str | None
    query: str
    request_id: str | None
    mark: str
    rendering: str
    size: int
    mtime_ns: int


def sha256_of(path: str) -> str:
    """The hash of a file's content. Raises OSError."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(os.fsencode(part) + b"\0")
    return digest.hexdigest()[:32]


def _read_json(line: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None  # torn by a power cut, or somebody else's: as if it were not there
    return value if isinstance(value, dict) else None


def _record(line: bytes) -> Record | None:
    values = _read_json(line)
    if values is None:
        return None
    # A later version may note more: that must not make this one pay again.
    known = {field.name: values[field.name] for field in fields(Record) if field.name in values}
    known["stamp"] = tuple(known["stamp"]) if known.get("stamp") else None
    try:
        return Record(**known)
    except TypeError:
        return None  # no record of ours


class Reservation:
    """An open, empty file reserved for an answer: proof that the place can be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)

    def fill(self, data: bytes, target: Path) -> None:
        """Write everything, to the disk, and give it its name. Raises OSError."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._handle, left) :]
        os.fsync(self._handle)
        os.close(self._handle)
        self._handle = -1
        self.path.replace(target)
        _sync_folder(target.parent)

    def release(self) -> None:
        """Remove the file; does nothing once it is filled."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            with contextlib.suppress(OSError):
                self.path.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut; not every system can say so."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        return  # a network file system without it: the name is as safe as such systems make it
    finally:
        os.close(handle)


class Ledger:
    """The memory of one directory of outputs."""

    def __init__(self, folder: str, *, spare: Path) -> None:
        self._outputs = Path(folder or os.curdir)
        self._folder = self._outputs / FOLDER
        self._scratch = self._folder / "tmp"
        self._spare = spare

    def _path(self, recording: Input, query: str) -> Path:
        """Return the path of a recording's answer: named after it within its directory, so that a tree may move."""
        name = recording.base if recording.kind is InputKind.FILE else recording.name
        return self._folder / f"{_digest(name, query)}.response"

    def _spare_path(self, recording: Input, query: str) -> Path:
        return self._spare / f"{_digest(os.path.abspath(self._outputs), recording.name, query)}.response"

    def find(self, recording: Input, query: str) -> Record | None:
        """Return the record of an answer for this recording and query, whatever bytes the recording had then."""
        path = self._path(recording, query)
        try:
            with path.open("rb") as file:
                return _record(file.readline())
        except OSError:
            pass
        return self._recovered(recording, query, path)

    def _recovered(self, recording: Input, query: str, path: Path) -> Record | None:
        """Move an answer that a full disk forced elsewhere to its place."""
        spare = self._spare_path(recording, query)
        try:
            data = spare.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OutputError):  # still full: it is safe where it is
            place = self.reserve()
            try:
                place.fill(data, path)
                spare.unlink()
            except OSError:
                place.release()
        return _record(data.partition(b"\n")[0])

    def body(self, recording: Input, query: str) -> bytes:
        """The answer itself. Raises OSError."""
        for path in (self._path(recording, query), self._spare_path(recording, query)):
            with contextlib.suppress(FileNotFoundError):
                return path.read_bytes().partition(b"\n")[2]
        raise FileNotFoundError(str(self._path(recording, query)))

    def reserve(self, room: int = 0) -> Reservation:
        """Reserve a place for an answer, before it is paid for.

        Raises `OutputError` where nothing can be written, or not `room` bytes.
        """
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            if not os.access(self._outputs, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            _check_room(self._scratch, room)
            return Reservation(self._scratch / os.urandom(8).hex())
        except OSError as error:
            raise OutputError(
                f"Nothing can be written to {self._outputs}: {error.strerror}.",
                hint="Nothing was sent. Make room, or choose another place: --output-dir DIR",
            ) from error

    def keep(self, place: Reservation, record: Record, recording: Input, body: bytes) -> None:
        """Put an answer on the disk. Raises `OutputError`, having tried the state folder as well."""
        data = json.dumps(asdict(record)).encode() + b"\n" + body
        try:
            place.fill(data, self._path(recording, record.query))
        except OSError as error:
            place.release()
            failure = OutputError(f"The response cannot be written to {self._folder}: {error.strerror}.")
            spare = self._spare_path(recording, record.query)
            with contextlib.suppress(OutputError, OSError):
                spare.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_file(spare, data, private=True)
                failure.kept = spare
                failure.hint = (
                    "The same command takes it from there when there is room, without sending again."
                )
            raise failure from error

    def restamp(self, record: Record, recording: Input, stamp: Stamp) -> None:
        """Note that the bytes are the same though the times of change are not; a failure costs only time."""
        with contextlib.suppress(OSError, OutputError):
            body = self.body(recording, record.query)
            fresh = json.dumps({**asdict(record), "stamp": stamp}).encode() + b"\n" + body
            write_file(self._path(recording, record.query), fresh, scratch=self._scratch)

    def _provenance_path(self, path: str) -> Path:
        return self._folder / f"{_digest(os.path.basename(path))}.made"

    def is_current(self, target: Target, record: Record, rendering: str) -> bool:
        """Whether an output is there and was made of this answer in this way.

        One that was edited since is current too: what somebody corrected by hand is not to be lost.
        """
        try:
            status = Path(target.path).stat()
            provenance = _read_json(self._provenance_path(target.path).read_bytes())
        except OSError:
            return False
        if provenance is None or (provenance.get("mark"), provenance.get("rendering")) != (
            record.mark,
            rendering,
        ):
            return False
        is_edited = status.st_size > 0 and status.st_mtime_ns > provenance.get("mtime_ns", 0)
        return is_edited or (status.st_size, status.st_mtime_ns) == (
            provenance.get("size"),
            provenance.get("mtime_ns"),
        )

    def write(self, target: Target, data: bytes, record: Record, rendering: str) -> None:
        """Write an output, and what it was made of. Raises `OutputError`."""
        write_file(Path(target.path), data, scratch=self._scratch)
        status = Path(target.path).stat()
        provenance = _Provenance(
            os.path.basename(target.path), record.source, record.sha256, record.query, record.request_id,
            record.mark, rendering, status.st_size, status.st_mtime_ns,
        )  # fmt: skip
        # Not forced to the disk: if it is lost, the output is made once more from the answer.
        write_file(
            self._provenance_path(target.path),
            json.dumps(asdict(provenance)).encode() + b"\n",
            scratch=self._scratch,
            durable=False,
        )

    def tidy(self) -> None:
        """Remove what a killed process left half-written, once it is certainly nobody's."""
        with contextlib.suppress(OSError):
            for entry in self._scratch.iterdir():
                if entry.stat().st_mtime < time.time() - _ABANDONED:
                    entry.unlink()


def _check_room(folder: Path, needed: int) -> None:
    """Raises OSError when there is less room for files in `folder` than `needed` bytes, as far as one can tell."""
    if not hasattr(os, "statvfs"):
        return
    import resource

    filesystem = os.statvfs(folder)
    room = filesystem.f_bavail * filesystem.f_frsize
    largest, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if largest != resource.RLIM_INFINITY:
        room = min(room, largest)
    if room < needed:
        raise OSError(errno.ENOSPC, f"{room / 1e6:.1f} MB are free, and it may take {needed / 1e6:.1f} MB")


class Ledgers:
    """The ledgers of all directories of a run; safe for several threads, since each is only names."""

    def __init__(self) -> None:
        self._spare = state_folder() / "unfinished"
        self._tidied: set[str] = set()

    def of(self, folder: str) -> Ledger:
        """The ledger of the outputs in `folder`."""
        ledger = Ledger(folder, spare=self._spare)
        if folder not in self._tidied:
            self._tidied.add(folder)
            ledger.tidy()
        return ledger


def new_mark() -> str:
    """Return a new name for an answer."""
    return os.urandom(8).hex()


def rendering_of(options: object, format_name: str) -> str:
    """Return a hash of the format and all render settings of an output."""
    return hashlib.sha256(f"{format_name} {options!r}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
