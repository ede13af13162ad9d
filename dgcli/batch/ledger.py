"""The ledger of a batch: paid answers and what was made of them, beside the outputs in `.dg/`.

    .dg/<machine>-<number>.ledger    answers, byte for byte, and what was made of them (see `segments`)
    .dg/lock                         what is being asked for, and by whom a segment is written (see `numbered_locks`)
    .dg/damaged/                     what could not be read any more
    .dg/*.response, *.made           what version 0.1 noted; it is read, and not written

An answer is on the disk (fsync) before anything is made of it. Whatever happens afterwards, the same command
finds it there and makes what is missing without asking again. The other half of the promise is the claim: of
all processes, one asks for a recording, and it has a place for the answer before the audio is sent.
How several processes share a directory: `store`.
"""

import contextlib
import errno
import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.naming import Target
from dgcli.batch.record import (
    Provenance,
    Record,
    digest,
    provenance_in,
    record_in,
    sha256_of,
    stamp_in,
)
from dgcli.batch.store import Report, SegmentStore
from dgcli.errors import OutputError
from dgcli.output.files import check_inside, write_file
from dgcli.output.stamps import Stamp
from dgcli.transcript.json_values import json_object

_RECORDINGS = 1 << 30  # numbers that recordings are claimed by


def _key(recording: Input, query: str) -> str:
    """Return the key of a recording's answer: named after it within its directory, so that a tree may move."""
    name = recording.base if recording.kind is InputKind.FILE else recording.name
    return digest(name, query)


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
        outputs = Path(folder or os.curdir)
        self._within = Path(within) if within else outputs  # no link leads out of it
        self._store = SegmentStore(outputs, self._within, warned)
        self._spare = spare
        self._absolute = os.path.abspath(outputs)
        self._booted = time.time_ns() - time.monotonic_ns() if booted is None else booted

    @property
    def folder(self) -> Path:
        """The folder of the ledger's own files."""
        return self._store.folder

    # Answers

    def _spare_path(self, recording: Input, query: str) -> Path:
        return self._spare / f"{digest(self._absolute, recording.name, query)}.response"

    def find(self, recording: Input, query: str) -> Record | None:
        """Return the record of an answer for this recording and query, whatever bytes the recording had then."""
        key = _key(recording, query)
        head = self._store.head("answer", key)
        if head is not None:
            record = record_in(head)
            return record and self._restamped(key, record)
        if earlier := self._store.earlier(f"{key}.response"):
            with contextlib.suppress(OSError), earlier.open("rb") as file:
                return record_in(json_object(file.readline()))
        return self._recovered(recording, query)

    def _restamped(self, key: str, record: Record) -> Record:
        values = self._store.head("stamp", key) or {}
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
        record = record_in(json_object(head))
        if record is not None:
            with contextlib.suppress(OutputError, OSError):  # still full: it is safe where it is
                self._append_answer(record, recording, body)
                spare.unlink()
        return record

    def body(self, recording: Input, query: str) -> bytes:
        """The answer itself. Raises `DamagedAnswer`, OSError."""
        key = _key(recording, query)
        body = self._store.body(key)
        if body is not None:
            return body
        for path in (self.folder / f"{key}.response", self._spare_path(recording, query)):
            with contextlib.suppress(FileNotFoundError):
                return path.read_bytes().partition(b"\n")[2]
        raise FileNotFoundError(errno.ENOENT, "the answer is gone", str(self.folder))

    def set_aside(self, recording: Input, query: str) -> None:
        """Put an answer that cannot be used out of the way. Raises OSError, `OutputError`."""
        key = _key(recording, query)
        if self._store.set_aside(key):
            return
        self._store.damaged.mkdir(parents=True, exist_ok=True)
        for path in (self.folder / f"{key}.response", self._spare_path(recording, query)):
            with contextlib.suppress(FileNotFoundError):
                path.replace(self._store.damaged / path.name)
        self._store.forget_earlier(f"{key}.response")

    def claim(self, recording: Input, query: str) -> ExitStack | None:
        """Claim the right to ask for a recording until the block ends, or the process does.

        None while another process (or another thread) has it. What others have answered until then is known
        afterwards. Raises `OutputError` where nothing can be written.
        """
        number = int(_key(recording, query)[:12], 16) % _RECORDINGS
        if not self._store.claim(number):
            return None
        claim = ExitStack()
        claim.callback(self._store.release, number)
        return claim

    def require_room(self, needed: int) -> None:
        """Raises `OutputError` where there is no room for `needed` bytes more, as far as one can tell."""
        self._store.require_room(needed)

    def _append_answer(self, record: Record, recording: Input, body: bytes) -> None:
        """Put an answer on the disk. Raises OSError, `OutputError`."""
        head = {**asdict(record), "body_sha256": hashlib.sha256(body).hexdigest()}
        writer = self._store.append("answer", _key(recording, record.query), json.dumps(head).encode(), body)
        writer.sync()

    def keep(self, record: Record, recording: Input, body: bytes) -> None:
        """Put an answer on the disk. Raises `OutputError`, having tried the state folder as well."""
        try:
            self._append_answer(record, recording, body)
        except OSError as error:
            failure = OutputError(f"The response cannot be written to {self.folder}: {error.strerror}.")
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
            self._store.append("stamp", _key(recording, record.query), head)

    # Outputs

    def _provenance(self, path: str) -> Provenance | None:
        """What an output was made of, as far as is known."""
        key = digest(os.path.basename(path))
        head = self._store.head("made", key)
        if head is not None:
            return provenance_in(head)
        if earlier := self._store.earlier(f"{key}.made"):
            with contextlib.suppress(OSError):
                return provenance_in(json_object(earlier.read_bytes()))
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
        self._store.append("made", digest(os.path.basename(target.path)), json.dumps(asdict(made)).encode())

    def write(self, target: Target, data: bytes, record: Record, rendering: str) -> None:
        """Write an output, and what it was made of. Raises `OutputError`.

        Neither is forced to the disk: if they are lost, the output is made once more from the answer.
        """
        self._store.scratch.mkdir(parents=True, exist_ok=True)
        write_file(Path(target.path), data, scratch=self._store.scratch, durable=False, within=self._within)
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
            raise OutputError(f"{self.folder} cannot be written: {error.strerror}.") from error

    def check_links(self, targets: Iterable[Target]) -> None:
        """Refuse outputs, and a place for our own files, that links lead elsewhere. Raises `OutputError`."""
        self._store.check_links()
        for target in targets:
            if os.path.islink(target.path):
                check_inside(Path(target.path), self._within)

    def close(self) -> bool:
        """Close all files, unless something is claimed; whether they are closed. It opens again when it is used."""
        return self._store.close()
