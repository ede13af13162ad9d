"""The interface through which a task reports: to the console, or to nobody."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from dgcli.errors import DgError


class Transfer(Protocol):
    """The progress of one upload and of the wait for its transcript."""

    def sent(self, count: int) -> None:
        """Show that so many bytes have been sent; after all of them, the wait for the transcript begins."""

    def transcribed(self, share: float) -> None:
        """Show the transcribed share, 0 to 1: known of a server inside this process only."""


class BatchProgress(Protocol):
    """The figures of a run over many recordings."""

    @property
    def total(self) -> int:
        """The number of recordings."""

    @property
    def ended(self) -> int:
        """Recordings that have ended, in whatever way."""

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of recordings by how they ended."""

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

    @property
    def is_terminal(self) -> bool:
        """Whether somebody is looking."""

    def note(self, message: str) -> None:
        """Report a message."""

    def aside(self, message: str) -> None:
        """Report what only somebody who is looking wants to know."""

    def report(self, message: str) -> None:
        """Report a result."""

    def warning(self, message: str) -> None:
        """Report a possible mistake."""

    def detail(self, message: str) -> None:
        """Report a detail."""

    def error(self, error: DgError) -> None:
        """Report an error, while the task goes on."""

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
        """Report the end of a recording; `audio` and `took` are seconds."""

    def summary(self, progress: BatchProgress, rows: Mapping[str, str]) -> None:
        """Report the end of a run; `rows` names each way in which a recording can end."""

    def preview(self, count: int, total: int, *, audio: float, unknown: int) -> None:
        """Report the plan of a dry run: `audio` seconds, and `unknown` recordings whose length is not known."""

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
    """A reporter without output."""

    quiet = True
    is_terminal = False
    verbose = False

    def note(self, message: str) -> None:
        """Say nothing."""

    aside = report = warning = detail = note

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
