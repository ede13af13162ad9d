"""The models on this machine: our folder and the caches of other programs, each file verified before it counts."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dgcli.api.hub.catalogue import Catalogue, ModelFile, ModelSpec
from dgcli.api.hub.settings import HubSettings
from dgcli.errors import OutputError

_BLOCK = 1024 * 1024
_RECORD = "verified.json"

Warn = Callable[[str], None]
_Mark = tuple[int, int, int, str]  # size, time of the content, time of the entry, digest


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model whose files are all here and verified. `is_ours`: it lies in our folder."""

    spec: ModelSpec
    path: Path
    is_ours: bool


class VerifiedFiles:
    """The files that were verified: a digest is computed once, and again when a file's size or times have changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _marks(self) -> dict[str, list[object]]:
        try:
            marks = json.loads(self._path.read_bytes())
        except (OSError, ValueError):  # not there, or damaged: everything is verified again
            return {}
        return marks if isinstance(marks, dict) else {}

    @staticmethod
    def _mark(path: Path, sha256: str) -> _Mark:
        stat = path.stat()
        return (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, sha256)

    def has(self, path: Path, sha256: str) -> bool:
        """Whether this file was verified against this digest, and is unchanged since. Raises `OSError`."""
        return self._marks().get(str(path.resolve())) == list(self._mark(path, sha256))

    def add(self, path: Path, sha256: str) -> None:
        """Remember that a file was verified. Where nothing can be written, it is verified again next time."""
        with suppress(OSError):
            marks = {name: mark for name, mark in self._marks().items() if os.path.exists(name)}
            marks[str(path.resolve())] = list(self._mark(path, sha256))
            write_whole(self._path, json.dumps(marks, indent=1).encode())


def write_whole(path: Path, data: bytes) -> None:
    """Replace a small file at once, whoever reads it meanwhile. Raises `OSError`."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex. Raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class Store:
    """Finds models and vouches for their files; `warn` is told of those that are not what they should be.

    May be used from several threads.
    """

    def __init__(self, settings: HubSettings, catalogue: Catalogue, warn: Warn) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._warn = warn
        self._warned: set[Path] = set()
        self._verified = VerifiedFiles(settings.folder / _RECORD)

    def folder_of(self, spec: ModelSpec) -> Path:
        """Return the place of a model in our folder."""
        return self._settings.folder / spec.name

    def _places(self, spec: ModelSpec) -> Sequence[tuple[Path, bool]]:
        """Return where a model may lie, and whether that is our folder."""
        cached = Path(f"models--{spec.repository.replace('/', '--')}", "snapshots", spec.revision)
        return [(self.folder_of(spec), True), *((cache / cached, False) for cache in self._settings.caches)]

    def _is_right(self, path: Path, file: ModelFile) -> bool:
        """Return whether a file is what it must be. Raises `OSError`."""
        if file.size is not None and path.stat().st_size != file.size:
            return False
        if file.sha256 is None or self._verified.has(path, file.sha256):
            return True
        if digest_of(path) != file.sha256:
            return False
        self._verified.add(path, file.sha256)
        return True

    def _refuse(self, path: Path, spec: ModelSpec, *, is_ours: bool) -> None:
        if is_ours:
            with suppress(OSError):  # it is refused whether or not it can be removed
                path.unlink()
            end = "it was removed"
        else:
            end = "it is not used"
        if path not in self._warned:
            self._warned.add(path)
            self._warn(f"{path} is not the file of {spec.name} that it should be: {end}.")

    def _is_there(self, path: Path, file: ModelFile, spec: ModelSpec, *, is_ours: bool) -> bool:
        try:
            if not path.is_file():
                return False
            right = self._is_right(path, file)
        except OSError as error:
            if path not in self._warned:
                self._warned.add(path)
                self._warn(f"{path} cannot be read: {error.strerror}.")
            return False
        if not right:
            self._refuse(path, spec, is_ours=is_ours)
        return right

    def missing(self, spec: ModelSpec) -> list[ModelFile]:
        """Return the files of a model that our folder lacks; wrong ones are removed from it."""
        folder = self.folder_of(spec)
        return [
            file for file in spec.files if not self._is_there(folder / file.name, file, spec, is_ours=True)
        ]

    def find(self, spec: ModelSpec) -> StoredModel | None:
        """Return a model whose files are all here and right; ours before those of other programs."""
        for folder, is_ours in self._places(spec):
            # Looking comes first: no digest of gigabytes where a companion is missing anyway.
            if all(os.path.isfile(folder / file.name) for file in spec.files) and all(
                self._is_there(folder / file.name, file, spec, is_ours=is_ours) for file in spec.files
            ):
                return StoredModel(spec, folder, is_ours)
        return None

    def all(self) -> Sequence[StoredModel]:
        """Return every model that is here, the best first."""
        return [stored for spec in self._catalogue.models if (stored := self.find(spec))]

    def vouch(self, path: Path, file: ModelFile) -> None:
        """Remember a file that was verified while it arrived."""
        if file.sha256 is not None:
            self._verified.add(path, file.sha256)

    def remove(self, spec: ModelSpec) -> bool:
        """Delete a model, and what has arrived of it, from our folder; whether there was anything.

        Raises `OutputError` when it cannot be deleted.
        """
        folder = self.folder_of(spec)
        try:
            if folder.is_symlink():
                folder.unlink()
            elif folder.exists():
                shutil.rmtree(folder)
            else:
                return False
        except OSError as error:
            raise OutputError(f"{folder} cannot be deleted: {error.strerror}.") from error
        return True
