"""The index of a ledger: what stands where in its segments, and the answers in it for whoever only reads.

It is read from the segments and held in memory: numbers for each answer, no text of one.
"""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from dgcli.batch.segments import SUFFIX, Damage, SegmentEntry, read_key, scan
from dgcli.transcript.json_values import json_object

FOLDER = ".dg"
EARLIER = (".response", ".made")  # files of version 0.1: an answer, and what an output was made of
_LONGEST_START = 64  # bytes of a file in which the first line of a segment may be missing


class DamagedAnswer(Exception):
    """An answer that is not what was written any more; the message names its file."""


@dataclass(slots=True)
class SegmentFile:
    """A segment as far as it was read: up to `end`, with `tail` behind it."""

    path: Path
    file: BinaryIO | None = None
    key: bytes = b""
    end: int = 0
    tail: Damage | None = None


@dataclass(slots=True)
class Index:
    """Where the newest of each kind stands: name of a segment, and head."""

    segments: dict[str, SegmentFile] = field(default_factory=dict)
    entries: dict[str, dict[str, tuple[str, SegmentEntry]]] = field(
        default_factory=lambda: {"answer": {}, "made": {}, "stamp": {}}
    )
    aside: set[str] = field(default_factory=set)  # of damage that is known: segment and place
    damage: dict[str, tuple[str, Damage]] = field(default_factory=dict)
    earlier: set[str] = field(default_factory=set)  # files of version 0.1

    def read(self, folder: Path, own: str | None) -> None:
        """Read what was added in a ledger's folder by others than the writer of `own`."""
        try:
            with os.scandir(folder) as listed:
                names = [entry.name for entry in listed]
        except OSError:
            return  # nothing is there, or nothing that can be read: whoever writes will say so
        for name in names:
            if name.endswith(SUFFIX):
                if name != own:
                    with contextlib.suppress(OSError):
                        self._read_segment(folder, name)
            elif name.endswith(EARLIER):
                self.earlier.add(name)

    def _read_segment(self, folder: Path, name: str) -> None:
        segment = self.segments.setdefault(name, SegmentFile(folder / name))
        # Opened anew, a file on a network folder is the one that its server has (nfs(5), "Close-to-open").
        file = segment.path.open("rb")
        if segment.file is not None:
            segment.file.close()
        segment.file = file
        size = os.fstat(file.fileno()).st_size
        segment.tail = None
        if size <= segment.end:
            return
        if not segment.key:
            begun = read_key(file)
            if begun is None and size > _LONGEST_START:
                self.damage[f"{name}:0"] = name, Damage(0, size, is_tail=False)
                segment.end = size
                return
            if begun is None:
                return  # it is being begun, or its writer was killed just then
            segment.key, segment.end = begun
        for item in scan(file, segment.key, segment.end):
            if isinstance(item, Damage):
                if item.is_tail:
                    segment.tail = item
                    return
                self.damage[f"{name}:{item.offset}"] = name, item
                segment.end = item.offset + item.size
            else:
                self.add(name, item)
                segment.end = item.offset + item.length + 1 + (0 if item.size is None else item.size + 1)

    def add(self, name: str, entry: SegmentEntry) -> None:
        """Note an entry of a segment."""
        if entry.kind == "aside":
            self.aside.add(entry.key)
            return
        entries = self.entries.get(entry.kind)
        if entries is None:
            return  # of a later version
        before = entries.get(entry.key)
        if before is None or before[1].time <= entry.time:
            entries[entry.key] = name, entry

    def get(self, kind: str, key: str) -> tuple[SegmentFile, SegmentEntry] | None:
        """The newest of a kind, if it can be read."""
        item = self.entries[kind].get(key)
        if item is None or f"{item[0]}:{item[1].offset}" in self.aside:
            return None
        return self.segments[item[0]], item[1]

    def close(self) -> None:
        """Close all files."""
        for segment in self.segments.values():
            if segment.file is not None:
                segment.file.close()


def read_at(segment: SegmentFile, offset: int, size: int) -> bytes:
    """Read bytes of a segment. Raises OSError."""
    if segment.file is None:
        segment.file = segment.path.open("rb")
    segment.file.seek(offset)
    return segment.file.read(size)


def head_at(place: tuple[SegmentFile, SegmentEntry]) -> Mapping[str, Any] | None:
    """The JSON of a head. Raises OSError."""
    segment, entry = place
    return json_object(read_at(segment, entry.offset, entry.length))


def body_at(place: tuple[SegmentFile, SegmentEntry]) -> bytes:
    """The body of an answer. Raises `DamagedAnswer`, OSError."""
    segment, entry = place
    body = read_at(segment, entry.body, entry.size or 0)
    head = head_at(place)
    if head is None or hashlib.sha256(body).hexdigest() != head.get("body_sha256"):
        raise DamagedAnswer(f"{segment.path} is damaged at byte {entry.body}")
    return body
