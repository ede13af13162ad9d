"""A run over many recordings, as people see it: a display on a terminal, lines elsewhere, a table at the end."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dgcli.errors import DgError
from dgcli.ui.console import Console, harmless

_FAILURES_SHOWN = 50  # in the table; the report has all of them


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording under way: its name, what is happening, and how much of it was sent (0 to 1; None: unknown)."""

    name: str
    phase: str
    sent: float | None = None


@dataclass(slots=True)
class Totals:
    """How a run stands. `audio` is in seconds, as the API counted it; `began` in seconds of `time.monotonic`."""

    total: int
    counts: dict[str, int] = field(default_factory=dict)
    audio: float = 0.0
    began: float = field(default_factory=time.monotonic)
    failures: list[tuple[str, DgError]] = field(default_factory=list)

    @property
    def ended(self) -> int:
        """Recordings that have ended, however."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Recordings that have not."""
        return self.total - self.ended

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as on a stopwatch."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}"


def hours(seconds: float) -> str:
    """A length of audio in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.2f} h"


def failure_text(error: DgError) -> str:
    """An error on one line."""
    details = ", ".join(error.details())
    return f"{error.message} [{details}]" if details else error.message


def _speed(totals: Totals) -> list[str]:
    """How fast it goes, and how long it will take at that: recordings that were skipped say nothing of it."""
    worked = totals.ended - totals.counts.get("skipped", 0)
    parts = []
    if totals.audio:
        parts.append(f"{hours(totals.audio)} of audio")
        if totals.elapsed > 1:
            parts.append(f"{totals.audio / totals.elapsed:.0f}x real time")
    if worked and totals.left:
        parts.append(f"{clock(totals.elapsed / worked * totals.left)} left")
    return parts


def _overall(totals: Totals) -> str:
    parts = [f"{totals.ended} of {totals.total}"]
    if failed := len(totals.failures):
        parts.append(f"{failed} failed")
    parts.append(f"{totals.left} to do")
    return " · ".join(parts + _speed(totals))


@contextmanager
def display(console: Console, totals: Totals, running: Callable[[], Sequence[Upload]]) -> Iterator[None]:
    """A bar for the whole and a line for each upload, while the block runs; nothing where nobody is looking."""
    if not console.is_terminal:
        yield
        return
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    screen = RichConsole(stderr=True)

    def state(one: Upload) -> str:
        return one.phase if one.sent is None else f"{one.phase} {one.sent:.0%}"

    def picture() -> Any:
        grid = Table.grid(expand=True)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(ProgressBar(total=max(totals.total, 1), completed=totals.ended))
        grid.add_row(Text(_overall(totals)))
        uploads = Table.grid(expand=True, padding=(0, 2))
        uploads.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        uploads.add_column(justify="right", no_wrap=True)
        for one in list(running())[: max(1, screen.height - 4)]:
            uploads.add_row(Text("  " + harmless(one.name)), Text(state(one)))
        grid.add_row(uploads)
        return grid

    with Live(get_renderable=picture, console=screen, transient=True, refresh_per_second=8):
        yield


def line(console: Console, totals: Totals, name: str, what: str, error: DgError | None = None) -> None:
    """One recording has ended: a plain line, where no display says so; errors are told to everybody."""
    if console.quiet and error is not None and totals.total > 1:
        console.error(DgError(f"{name}: {failure_text(error)}"))
    elif (error is not None and totals.total > 1) or not console.is_terminal or console.verbose:
        console.note(f"[{totals.ended}/{totals.total}] {name}: {what}")


def summary(console: Console, totals: Totals, rows: Mapping[str, str]) -> None:
    """The table at the end: how many ended how (`rows` names each), what it took, and the failures last."""
    found = [(str(totals.counts[key]), label) for key, label in rows.items() if totals.counts.get(key)]
    if totals.left:
        found.append((str(totals.left), "not begun"))
    if totals.audio:
        found.append((hours(totals.audio), "of audio"))
    found.append((clock(totals.elapsed), "taken"))
    failed = totals.failures
    if failed:
        found.append((str(len(failed)), "failed"))
    width = max(len(number) for number, _ in found)
    for number, label in found:
        console.note(f"{number:>{width}}  {label}")
    shown = failed[:_FAILURES_SHOWN]
    longest = min(max((len(harmless(name)) for name, _ in shown), default=0), 40)
    for name, error in shown:
        console.note(f"{'':{width}}  {harmless(name):<{longest}}  {failure_text(error)}")
    if len(failed) > len(shown):
        console.note(f"{'':{width}}  and {len(failed) - len(shown)} more; --report FILE.jsonl has them all")
