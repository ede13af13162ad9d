"""The check of ledgers: every answer that stands is read, compared with its checksum, and parsed."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dgcli.batch.index import FOLDER, DamagedAnswer, Index, body_at, head_at
from dgcli.batch.numbered_locks import LockFile
from dgcli.batch.record import Record, record_in
from dgcli.batch.segments import SUFFIX
from dgcli.errors import DgError
from dgcli.transcript.json_values import json_object
from dgcli.transcript.response import parse_body


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in the ledger of a directory: the number of good answers, and what is damaged."""

    folder: Path
    good: int
    damage: tuple[str, ...]


def _is_being_written(folder: Path, name: str) -> bool:
    """Whether a process appends to a segment just now: its end need not be whole."""
    number = name.removesuffix(SUFFIX).rpartition("-")[2]
    with contextlib.suppress(OSError, ValueError):
        locks = LockFile(folder / "lock")
        try:
            return not locks.acquire(int(number))
        finally:
            locks.close()
    return False


def _stretches(index: Index, folder: Path) -> Iterator[str]:
    """What cannot be read at all, but for what was told and put aside before."""
    for place, (name, damage) in index.damage.items():
        if place not in index.aside:
            yield f"{folder / name} is damaged at byte {damage.offset}: {damage.size} bytes cannot be read"
    for name, segment in index.segments.items():
        if segment.tail is not None and not _is_being_written(folder, name):
            yield f"{folder / name} ends in the middle of an answer, at byte {segment.tail.offset}"


def _problem(record: Record | None, body: bytes) -> str | None:
    if record is None:
        return "what is noted of it cannot be read"
    if record.accepted:
        return None
    try:
        parse_body(body)
    except DgError as error:
        return error.summary.rstrip(".")
    return None


def _check(folder: Path) -> Checked:
    index = Index()
    index.read(folder, None)
    good, damage = 0, list(_stretches(index, folder))
    try:
        for key in index.entries["answer"]:
            place = index.get("answer", key)
            if place is None:
                continue
            record = record_in(head_at(place))
            name = record.source if record else f"answer {key}"
            try:
                problem = _problem(record, body_at(place))
            except DamagedAnswer as error:
                damage.append(f"{name}: {error}")
                continue
            if problem is None:
                good += 1
            else:
                damage.append(f"{name}: {place[0].path}, byte {place[1].body}: {problem}")
        for name in sorted(index.earlier):
            if not name.endswith(".response") or name.partition(".")[0] in index.entries["answer"]:
                continue
            head, _, body = (folder / name).read_bytes().partition(b"\n")
            record = record_in(json_object(head))
            problem = _problem(record, body)
            if problem is None:
                good += 1
            else:
                damage.append(f"{record.source if record else 'an answer'}: {folder / name}: {problem}")
    finally:
        index.close()
    return Checked(folder, good, tuple(damage))


def check_ledgers(root: Path) -> Iterator[Checked]:
    """Check every ledger in and below a directory; nothing is written. Raises OSError."""
    for here, folders, _ in os.walk(root):
        folders.sort()
        if FOLDER in folders:
            folders.remove(FOLDER)
            yield _check(Path(here, FOLDER))
