"""What a ledger notes: an answer of the API (`Record`), and which answer an output was made of (`Provenance`).

Both are read back as what they are or not at all: a file that was damaged, or that somebody else wrote, must
not put text where a number is expected.

Whether a recording is still the one that was sent is first asked of its size and its times of change, both
of content and of inode, as git does; where these differ, or are so young that another change could hide
behind them, its bytes are hashed and compared.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgcli.output.stamps import Stamp
from dgcli.transcript.json_values import number

_BLOCK = 1 << 20  # bytes read at a time for hashing


@dataclass(frozen=True, slots=True)
class Record:
    """A noted answer of the API.

    `sha256`, `size` in bytes and `stamp` are of the audio that was sent; of what the API fetched, not all are
    known. `mark` names this answer and no other. `accepted`: the transcript goes to a callback, and there is
    nothing to make outputs of. `duration` is that of the audio, in seconds.
    """

    source: str
    query: str
    mark: str
    request_id: str | None
    sha256: str | None = None
    size: int | None = None
    stamp: Stamp | None = None
    accepted: bool = False
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The answer an output was made of, and the output's size and time when it was written.

    `sha256` is that of the output. `is_settled`: it was read back from the disk after a restart of the machine.
    """

    output: str
    mark: str
    rendering: str
    size: int
    mtime_ns: int
    sha256: str | None = None
    is_settled: bool = False


def sha256_of(path: str) -> str:
    """The hash of a file's content. Raises OSError."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digest(*parts: str) -> str:
    """A name for some texts together, fit for a file."""
    made = hashlib.sha256()
    for part in parts:
        made.update(os.fsencode(part) + b"\0")
    return made.hexdigest()[:32]


def _is_of(values: Mapping[str, Any], kind: type | tuple[type, ...], *names: str) -> bool:
    return all(isinstance(values.get(name), kind) for name in names)


def stamp_in(value: object) -> Stamp | None:
    """A stamp as JSON has it."""
    if not isinstance(value, list) or not all(isinstance(item, int | str) for item in value):
        return None
    return tuple(value) or None


def record_in(values: Mapping[str, Any] | None) -> Record | None:
    """The record in a JSON object; what a later version notes besides is left out."""
    if values is None or not _is_of(values, str, "source", "query", "mark"):
        return None
    if not _is_of(values, (str, type(None)), "request_id", "sha256"):
        return None
    if not _is_of(values, (int, type(None)), "size"):
        return None
    duration = number(values.get("duration"), -1.0)
    return Record(
        values["source"],
        values["query"],
        values["mark"],
        values.get("request_id"),
        values.get("sha256"),
        values.get("size"),
        stamp_in(values.get("stamp")),
        values.get("accepted") is True,
        duration if duration >= 0 else None,
    )


def provenance_in(values: Mapping[str, Any] | None) -> Provenance | None:
    """The provenance in a JSON object."""
    if values is None or not _is_of(values, str, "output", "mark", "rendering"):
        return None
    if not _is_of(values, int, "size", "mtime_ns") or not _is_of(values, (str, type(None)), "sha256"):
        return None
    return Provenance(
        values["output"],
        values["mark"],
        values["rendering"],
        values["size"],
        values["mtime_ns"],
        values.get("sha256"),
        values.get("is_settled") is True,
    )


def new_mark() -> str:
    """Return a new name for an answer."""
    return os.urandom(8).hex()


def rendering_of(options: object, format_name: str) -> str:
    """Return a hash of the format and all render settings of an output."""
    return hashlib.sha256(f"{format_name} {options!r}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
