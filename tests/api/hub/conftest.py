"""What tests of fetching models stand on: a hub of our own, and someone who listens to what is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dgcli.api.hub.download import DownloadLimits
from dgcli.api.hub.fetch import FetchReport, ModelFetcher
from dgcli.api.hub.settings import HubSettings
from dgcli.api.hub.store import Store
from dgcli.tasks.models import ModelTasks
from dgcli.tasks.reporter import SilentReporter
from tests.api.hub.server import CATALOGUE, HubServer


@dataclass
class Listener(SilentReporter):
    """Keeps what is told."""

    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    progress: list[int] = field(default_factory=list)
    shown: list[tuple[str, int]] = field(default_factory=list)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)

    def detail(self, message: str) -> None:
        self.details.append(message)

    @contextmanager
    def download(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        self.shown.append((name, size))
        yield self.progress.append


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """A hub on this machine."""
    server = HubServer()
    yield server
    server.close()


@pytest.fixture
def other_hub() -> Iterator[HubServer]:
    """A second one, where redirects lead."""
    server = HubServer()
    yield server
    server.close()


@pytest.fixture
def listener() -> Listener:
    """Hears what is told."""
    return Listener()


@pytest.fixture
def settings(hub: HubServer, tmp_path: Path) -> HubSettings:
    """Settings with an empty folder, an empty cache of the hub, and our hub."""
    return HubSettings(tmp_path / "models", (tmp_path / "cache",), hub.url)


def tasks_for(settings: HubSettings, listener: Listener, limits: DownloadLimits | None = None) -> ModelTasks:
    """The tasks with the small catalogue, that do not wait between attempts."""

    def fetcher(settings: HubSettings, store: Store, report: FetchReport) -> ModelFetcher:
        return ModelFetcher(settings, store, report, limits=limits, sleep=lambda _: None)

    return ModelTasks(settings, listener, catalogue=CATALOGUE, fetcher=fetcher)


@pytest.fixture
def tasks(settings: HubSettings, listener: Listener) -> ModelTasks:
    """The tasks with the small catalogue."""
    return tasks_for(settings, listener)


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies, indexes and hubs of whoever runs the tests are not asked."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
