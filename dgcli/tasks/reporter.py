"""Whom a task tells what happens: the console is one reporter, the Python API's says nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from dgcli.errors import DgError


class Transfer(Protocol):
    """The progress of one upload and of the wait for its transcript."""

    def sent(self, count: int) -> None:
        """So many bytes have been sent; all of them: the wait for the transcript begins."""

    def transcribed(self, share: float) -> None:
        """So much of the recording, 0 to 1, is transcribed: known of a server inside this process only."""


class BatchProgress(Protocol):
    """How a run over many recordings stands."""

    @property
    def total(self) -> int:
        """Recordings that there are."""

    @property
    def ended(self) -> int:
        """Recordings that have ended, however."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many ended how."""

    @property
    def audio(self) -> float:
        """Seconds of audio that were transcribed."""

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""

    @property
    def failures(self) -> Sequence[tuple[str, DgError]]:
        """The recordings that failed, by name."""


class Reporter(Protocol):
    """Takes messages and progress."""

    @property
    def quiet(self) -> bool:
        """Whether only errors are wanted."""

    @property
    def verbose(self) -> bool:
        """Whether details are wanted."""

    def note(self, message: str) -> None:
        """Something worth knowing."""

    def report(self, message: str) -> None:
        """Something that was asked for."""

    def warning(self, message: str) -> None:
        """Something that may not be what was wanted."""

    def detail(self, message: str) -> None:
        """Something for whoever wants to know everything."""

    def error(self, error: DgError) -> None:
        """Something that failed, while the task goes on."""

    def transfer(self, name: str, size: int | None) -> AbstractContextManager[Transfer]:
        """Show the upload of `size` bytes (None: only a wait) while the block runs."""

    def download(self, name: str, size: int) -> AbstractContextManager[Callable[[int], None]]:
        """Show that `size` bytes are fetched while the block runs; what is given is told how many are here."""

    def batch(
        self, progress: BatchProgress, running: Callable[[], Sequence[tuple[str, str]]]
    ) -> AbstractContextManager[None]:
        """Show a run over many recordings while the block runs; `running`: names and phases of those under way."""

    def recording(
        self, progress: BatchProgress, name: str, outcome: str, *, audio: float | None, took: float | None,
        error: DgError | None,
    ) -> None:  # fmt: skip
        """One recording has ended; `audio` and `took` are seconds."""

    def summary(self, progress: BatchProgress, rows: Mapping[str, str]) -> None:
        """A run has ended; `rows` names each way in which a recording can end."""

    def preview(self, count: int, total: int, *, audio: float, unknown: int) -> None:
        """So many of all would be sent: `audio` seconds, and `unknown` recordings whose length is not known."""

    def level_line(self) -> AbstractContextManager[Callable[[float, float], None]]:
        """Show the level of a microphone (RMS and peak in dBFS) while the block runs."""

    def keys(self) -> AbstractContextManager[Callable[[], str]]:
        """Give the keys that were pressed since the last call, while the block runs."""


class _NoTransfer:
    def sent(self, count: int) -> None:
        pass

    def transcribed(self, share: float) -> None:
        pass


class SilentReporter:
    """Says nothing to anybody."""

    quiet = True
    verbose = False

    def note(self, message: str) -> None:
        """Say nothing."""

    report = warning = detail = note

    def error(self, error: DgError) -> None:
        """Say nothing."""

    @contextmanager
    def transfer(self, name: str, size: int | None) -> Iterator[Transfer]:  # noqa: ARG002 - a Reporter
        """Show nothing."""
        yield _NoTransfer()

    @contextmanager
    def download(self, name: str, size: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG002 - a Reporter
        """Show nothing."""
        yield lambda count: None  # noqa: ARG005 - nobody looks

    @contextmanager
    def batch(
        self,
        progress: BatchProgress,  # noqa: ARG002 - a Reporter
        running: Callable[[], Sequence[tuple[str, str]]],  # noqa: ARG002 - a Reporter
    ) -> Iterator[None]:
        """Show nothing."""
        yield

    def recording(self, *args: object, **more: object) -> None:
        """Say nothing."""

    def summary(self, progress: BatchProgress, rows: Mapping[str, str]) -> None:
        """Say nothing."""

    def preview(self, count: int, total: int, *, audio: float, unknown: int) -> None:
        """Say nothing."""

    @contextmanager
    def level_line(self) -> Iterator[Callable[[float, float], None]]:
        """Show nothing."""
        yield lambda rms, peak: None  # noqa: ARG005 - nobody looks

    @contextmanager
    def keys(self) -> Iterator[Callable[[], str]]:
        """Take no keys."""
        yield str
