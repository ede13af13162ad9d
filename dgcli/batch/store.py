"""What a ledger keeps, by kind and key: read from all segments of its folder, written to one of our own.

Any number of processes, on any number of machines, use one folder: each appends to a segment of its own, and
reads those of the others.
"""

import contextlib
import errno
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dgcli.batch.index import FOLDER, Index, SegmentFile, body_at, head_at, read_at
from dgcli.batch.numbered_locks import LockFile
from dgcli.batch.segments import SUFFIX, Appender, Damage
from dgcli.errors import OutputError
from dgcli.output.files import check_inside, write_file
from dgcli.system import check_room, sync_folder

_ABANDONED = 86_400.0  # seconds after which a scratch file is nobody's: requests may wait for hours
_WRITERS = 4096  # segments that may be written at once; the locks of claims come after theirs

Report = Callable[[str], None]


def _machine() -> str:
    """A name for this machine: even where locks do not reach, no two machines write one file."""
    return hashlib.sha256(os.fsencode(socket.gethostname())).hexdigest()[:8]


class SegmentStore:
    """The segments beside the outputs in one directory; safe for several threads.

    Claims are numbers that one thread of one process holds. `warned` is told what is damaged; no link leads our
    files out of `within`.
    """

    def __init__(self, outputs: Path, within: Path, warned: Report) -> None:
        self.folder = outputs / FOLDER
        self.scratch = self.folder / "tmp"
        self.damaged = self.folder / "damaged"
        self._outputs = outputs
        self._within = within
        self._warned = warned
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._locks: LockFile | None = None
        self._has_locks = True
        self._writer: Appender | None = None
        self._claims = 0

    # What is there

    def _loaded(self) -> Index:
        if self._index is None:
            self._index = Index()
            self._index.read(self.folder, None)
        return self._index

    def head(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """The newest of a kind; empty where it cannot be understood, None where there is none. Raises OSError."""
        with self._lock:
            place = self._loaded().get(kind, key)
            return None if place is None else head_at(place) or {}

    def body(self, key: str) -> bytes | None:
        """The newest answer; None where there is none. Raises `DamagedAnswer`, OSError."""
        with self._lock:
            place = self._loaded().get("answer", key)
            return None if place is None else body_at(place)

    def earlier(self, name: str) -> Path | None:
        """The file of version 0.1 with this name, if there was one."""
        with self._lock:
            return self.folder / name if name in self._loaded().earlier else None

    def forget_earlier(self, name: str) -> None:
        """Note that a file of version 0.1 is no longer there."""
        with self._lock:
            self._loaded().earlier.discard(name)

    def set_aside(self, key: str) -> bool:
        """Put the newest answer out of the way; whether there was one. Raises OSError, `OutputError`."""
        with self._lock:
            index = self._loaded()
            if index.get("answer", key) is None:
                return False
            name, entry = index.entries["answer"][key]
            self._copy_aside(index.segments[name], name, entry.body, entry.size or 0)
            self.append("aside", f"{name}:{entry.offset}", b"{}")
            return True

    def _copy_aside(self, segment: SegmentFile, name: str, offset: int, size: int) -> None:
        with contextlib.suppress(OSError, OutputError):  # a full disk: the bytes stay where they are as well
            self.damaged.mkdir(parents=True, exist_ok=True)
            write_file(self.damaged / f"{name}-{offset}", read_at(segment, offset, size), durable=False)

    # Claims

    def claim(self, number: int) -> bool:
        """Claim a number, from 0; False while another process (or another thread) has it.

        What others have written until then is known afterwards. Raises `OutputError` where nothing can be written.
        """
        with self._lock:
            try:
                locks = self._opened()
                if locks is not None and not locks.acquire(_WRITERS + number):
                    return False
                self._claims += 1
                self._loaded().read(self.folder, self._writer.path.name if self._writer else None)
            except OSError as error:
                raise self._refusal(error) from error
            return True

    def release(self, number: int) -> None:
        """Give a claim back."""
        with self._lock:
            self._claims -= 1
            if self._locks is not None and self._has_locks:
                self._locks.release(_WRITERS + number)

    # Writing

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
                check_room(self.scratch, needed, written)
            except OSError as error:
                raise self._refusal(error) from error

    def check_links(self) -> None:
        """Refuse a place for our own files that links lead elsewhere. Raises `OutputError`."""
        for folder in () if self._locks else (self.scratch, self.damaged):
            check_inside(folder, self._within)

    def _opened(self) -> LockFile | None:
        """Become the writer of a segment; the locks, None where the file system has none. Raises OSError."""
        if self._writer is not None and self._writer.is_usable:
            return self._locks if self._has_locks else None
        if self._locks is None:
            self.check_links()
            # Queries may hold secrets, such as a callback's: nothing of it is for everybody.
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o770)
            self.scratch.mkdir(exist_ok=True)
            if not os.access(self._outputs, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._tidy()
            self._locks = LockFile(self.folder / "lock")
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
                        f"{self.folder} has no locks ({error.strerror}): two runs at once may pay twice there."
                    )
            name = f"{_machine()}-{number if self._has_locks else os.urandom(8).hex()}{SUFFIX}"
            index.read(self.folder, None)
            segment = index.segments.setdefault(name, SegmentFile(self.folder / name))
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
            sync_folder(self.folder)
            sync_folder(self._outputs)
        return True

    def _tell_damage(self, name: str, damage: Damage) -> None:
        self._warned(
            f"{self.folder / name} is damaged at byte {damage.offset} ({damage.size} bytes): what was answered "
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
            self.append("aside", place, b"{}")

    def append(self, kind: str, key: str, head: bytes, body: bytes | None = None) -> Appender:
        """Write an entry, and know it; it is on the disk when what wrote it has synced. Raises OSError."""
        with self._lock:
            self._opened()
            writer = self._writer
            assert writer is not None  # that is what `_opened` sees to
            entry = writer.append(kind, key, head, body)
            index = self._loaded()
            index.segments[writer.path.name].end = writer.size
            index.add(writer.path.name, entry)
            return writer

    def _tidy(self) -> None:
        """Remove what a killed process left half-written, once it is certainly nobody's."""
        with contextlib.suppress(OSError):
            for entry in self.scratch.iterdir():
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
