"""The common parts of the origins of a model's files: their failures, and the arrival of a file.

A file arrives in `NAME.part` beside its place, and gets its name when all of it is there and right.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dgcli.api.hub.catalogue import LARGEST_COMPANION, ModelFile, ModelSpec

_BLOCK = 1024 * 1024

Progress = Callable[[int], None]  # is told how many bytes of a model are here


class OriginFailed(Exception):
    """An origin could not give a file; why is the message, a clause without a full stop."""


class WrongBytes(OriginFailed):
    """A file arrived that is not the one expected."""


class Origin(Protocol):
    """A place that a model's files come from."""

    @property
    def name(self) -> str:
        """Return what messages call it."""

    def fetch(self, spec: ModelSpec, file: ModelFile, folder: Path, progress: Progress) -> None:
        """Put a file of a model into a folder. `progress` is told the bytes of this file that are here.

        Raises `OriginFailed`, and `OSError` when the file cannot be written.
        """


class Arriving:
    """A file on its way. What is there from an earlier attempt counts, unless `restart` says otherwise."""

    def __init__(self, folder: Path, file: ModelFile) -> None:
        self._file = file
        self._place = folder / file.name
        self._path = folder / f"{file.name}.part"
        self._most = LARGEST_COMPANION if file.size is None else file.size
        self._hash = hashlib.sha256()
        self._stream = self._path.open("ab")
        self.size = self._stream.tell()
        try:
            self._rehash()
        except BaseException:
            self._stream.close()
            raise
        if self.size > self._most:
            self.restart()

    def _rehash(self) -> None:
        with self._path.open("rb") as begun:
            while block := begun.read(_BLOCK):
                self._hash.update(block)

    def restart(self) -> None:
        """Forget what is there."""
        self._stream.seek(0)
        self._stream.truncate()
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes) -> None:
        """Add the next bytes. Raises `WrongBytes` when there are more than the file has."""
        self.size += len(block)
        if self.size > self._most:
            raise WrongBytes(f"{self._file.name} has more than its {self._most:,} bytes")
        self._stream.write(block)
        self._hash.update(block)

    @property
    def is_complete(self) -> bool:
        """Whether all bytes are there, as far as their number is known."""
        return self._file.size is not None and self.size == self._file.size

    def _check(self) -> None:
        file = self._file
        if file.size is not None and self.size != file.size:
            raise WrongBytes(f"{file.name} has {self.size:,} bytes instead of {file.size:,}")
        if file.sha256 is not None:
            if self._hash.hexdigest() != file.sha256:
                raise WrongBytes(f"{file.name} has another digest than the model's")
        elif file.name.endswith(".json"):
            try:  # the page of a captive portal is no JSON
                json.loads(self._path.read_bytes())
            except ValueError:
                raise WrongBytes(f"{file.name} is no JSON") from None

    def finish(self) -> None:
        """Give the file its name. Raises `WrongBytes` when it is not what it should be; then it is removed."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        try:
            self._check()
        except WrongBytes:
            self._path.unlink()
            raise
        self._path.replace(self._place)

    def discard(self) -> None:
        """Remove what is there."""
        self._stream.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave what is there for another attempt."""
        self._stream.close()
