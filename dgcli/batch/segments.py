r"""Segments: the append-only files that a ledger consists of, each with one writer.

    dg ledger 2 <key of the checksums>\n
    #dg <checksum> <kind> <key> <time> <size> <JSON>\n          a head; the checksum is of all that follows it
    <body, size bytes>\n                                        of heads with a body

Why files of our own and not SQLite: its locks and its journal must be trusted between all writers of a database,
which its authors advise against on network folders, where a corpus is shared out to machines; a write-ahead log,
which makes its commits cheap, cannot be shared there at all. Of a segment the one writer appends, and everybody
reads: nothing that a second process does, with locks or without, can damage what the first wrote. A group of
answers costs one sync here, and three to four in a rollback journal.

Heads are found again after a damaged stretch by their checksum, whose key is in the segment alone: what a server
sends cannot pass for a head.
"""

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from dgcli.system import BYTES, NO_FOLLOW

SUFFIX = ".ledger"
_MAGIC = b"dg ledger 2 "
_FIRST = re.compile(re.escape(_MAGIC) + rb"([0-9a-f]{16})\n")
_HEAD = b"#dg "
_LONGEST_HEAD = 1 << 20  # bytes
_BLOCK = 1 << 20  # bytes read at a time when looking for the next head
_FULL_SEGMENT = 1 << 30  # bytes; the next answer begins a new one, long before a file system's limit


class SegmentEntry(NamedTuple):
    """A head of a segment: where its JSON stands, and the size of the body after it (None: it has none)."""

    kind: str
    key: str
    time: int  # ns since 1970
    offset: int
    length: int
    size: int | None

    @property
    def body(self) -> int:
        """Where the body begins."""
        return self.offset + self.length + 1


class Damage(NamedTuple):
    """A stretch that cannot be read; `is_tail`: the file ends in it, as after a crash or while it is written."""

    offset: int
    size: int
    is_tail: bool
    key: str | None = None  # of the answer that lay there, where its head can be read


def _checksum(key: bytes, payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=8, key=key).hexdigest().encode()


def _encoded(
    key: bytes, kind: str, name: str, head: bytes, body: bytes | None, written: int
) -> tuple[bytes, int]:
    """Return the bytes of an entry, and where in them the JSON `head` begins."""
    size = b"-" if body is None else b"%d" % len(body)
    start = b"%s %s %d %s " % (kind.encode(), name.encode(), written, size)
    payload = start + head
    line = _HEAD + _checksum(key, payload) + b" " + payload + b"\n"
    at = len(line) - 1 - len(head)
    return (line if body is None else b"".join((line, body, b"\n"))), at


def _entry(key: bytes, line: bytes, position: int) -> SegmentEntry | None:
    """The head in a line that begins at `position`."""
    if not line.startswith(_HEAD) or not line.endswith(b"\n") or line[20:21] != b" ":
        return None
    payload = line[21:-1]
    if _checksum(key, payload) != line[4:20]:
        return None
    kind, name, written, size, head = payload.split(b" ", 4)
    offset = position + len(line) - 1 - len(head)
    return SegmentEntry(
        kind.decode(), name.decode(), int(written), offset, len(head), None if size == b"-" else int(size)
    )


def _next_head(file: BinaryIO, key: bytes, start: int) -> int | None:
    """The place of the next whole head that begins after a line's end at or after `start`."""
    position = start
    while True:
        file.seek(position)
        block = file.read(_BLOCK)
        hit = block.find(b"\n" + _HEAD)
        if hit < 0:
            if len(block) < _BLOCK:
                return None
            position += _BLOCK - len(_HEAD)
            continue
        place = position + hit + 1
        file.seek(place)
        if _entry(key, file.readline(_LONGEST_HEAD), place):
            return place
        position = place


def read_key(file: BinaryIO) -> tuple[bytes, int] | None:
    """The key of a segment's checksums and where its entries begin; None where it is no segment."""
    file.seek(0)
    line = file.readline(100)
    begun = _FIRST.fullmatch(line)
    return (begun[1], len(line)) if begun else None


def scan(file: BinaryIO, key: bytes, start: int) -> Iterator[SegmentEntry | Damage]:
    """Yield what stands in a segment from `start`, where an entry begins."""
    end = os.fstat(file.fileno()).st_size
    position = floor = start  # `floor`: where the body of the entry before begins, or what stands for it
    before: str | None = None
    file.seek(position)
    while position < end:
        line = file.readline(_LONGEST_HEAD)
        entry = _entry(key, line, position)
        after = position + len(line)
        stop = after if entry is None or entry.size is None else after + entry.size + 1
        if entry is not None and stop <= end:
            yield entry
            if entry.size is not None:
                file.seek(stop)
            position, floor, before = stop, after, entry.key
            continue
        # A body that lost bytes reaches over the heads after it: look from where it begins.
        following = _next_head(file, key, (floor if entry is None else after) - 1)
        name = before if entry is None else entry.key
        if following is None:
            yield Damage(position, end - position, is_tail=True, key=entry and entry.key)
            return
        begin = floor if following < position else position
        yield Damage(begin, following - begin, is_tail=False, key=name if entry or begin < position else None)
        position = floor = following
        before = None
        file.seek(position)


class Appender:
    """The one writer of a segment; safe for several threads.

    The caller holds the lock that makes it the only one, and has read the segment up to `end`: what lies behind
    is what a writer that was killed left unfinished, and is cut off.
    """

    def __init__(self, path: Path, end: int = 0) -> None:
        """Raises OSError."""
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | NO_FOLLOW | BYTES
        self._handle = os.open(path, flags, 0o660)
        self._writing = threading.Lock()
        self._syncing = threading.Lock()
        self._synced = 0
        self._failure: OSError | None = None
        try:
            if end:
                with path.open("rb") as file:
                    self.key, _ = read_key(file) or (b"", 0)
                os.ftruncate(self._handle, end)
                os.lseek(self._handle, end, os.SEEK_SET)
                self.size = end
            else:
                self.key = os.urandom(8).hex().encode()
                os.ftruncate(self._handle, 0)
                self.size = 0
                self._write(_MAGIC + self.key + b"\n")
        except BaseException:
            os.close(self._handle)
            raise

    @property
    def is_usable(self) -> bool:
        """Whether more may be appended."""
        return self._failure is None and self.size < _FULL_SEGMENT

    def _write(self, data: bytes) -> None:
        before = self.size
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError:
            # The disk is full: half an entry would be a damaged one.
            os.ftruncate(self._handle, before)
            os.lseek(self._handle, before, os.SEEK_SET)
            raise
        self.size = before + len(data)

    def append(self, kind: str, name: str, head: bytes, body: bytes | None = None) -> SegmentEntry:
        """Write an entry; it is on the disk after `sync`. Raises OSError, and nothing is written then."""
        written = time.time_ns()
        data, at = _encoded(self.key, kind, name, head, body, written)
        with self._writing:
            if self._failure is not None:
                raise self._failure
            place = self.size
            self._write(data)
        return SegmentEntry(kind, name, written, place + at, len(head), None if body is None else len(body))

    def sync(self) -> None:
        """Return when all that this thread has written is on the disk. Raises OSError.

        Of several threads, one syncs for all that wrote before it began; the others wait.
        """
        written = self.size
        with self._syncing:
            if self._failure is not None:
                raise self._failure
            if self._synced >= written:
                return
            with self._writing:
                written = self.size
            try:
                (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(self._handle)
            except OSError as error:
                # A system tells that it could not write once, and then forgets (fsync(2), "EIO"): what this
                # segment holds from here on is nothing to build upon.
                self._failure = error
                raise
            self._synced = written

    def close(self) -> None:
        """End writing."""
        with self._syncing, self._writing:
            os.close(self._handle)
