"""A run over many recordings: a display on a terminal, lines elsewhere, a table at the end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from dgcli.errors import DgError
from dgcli.terminal import harmless

_FAILURES_SHOWN = 50  # in the table; the report has all of them


class Progress(Protocol):
    """The figures of a run; `audio` and `elapsed` are in seconds."""

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
        """The failures, by name."""


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


def _speed(progress: Progress) -> list[str]:
    """Describe the speed, and the time left at that speed: recordings that were skipped say nothing of it."""
    worked = progress.ended - progress.counts.get("skipped", 0)
    left = progress.total - progress.ended
    parts = []
    if progress.audio:
        parts.append(f"{hours(progress.audio)} of audio")
        if progress.elapsed > 1:
            parts.append(f"{progress.audio / progress.elapsed:.0f}x real time")
    if worked and left:
        parts.append(f"{clock(progress.elapsed / worked * left)} left")
    return parts


def _overall(progress: Progress) -> str:
    parts = [f"{progress.ended} of {progress.total}"]
    if failed := len(progress.failures):
        parts.append(f"{failed} failed")
    parts.append(f"{progress.total - progress.ended} to do")
    return " · ".join(parts + _speed(progress))


@contextmanager
def display(progress: Progress, running: Callable[[], Sequence[tuple[str, str]]]) -> Iterator[None]:
    """Show a bar for the whole and a line for each recording under way, on stderr, while the block runs."""
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    screen = RichConsole(stderr=True)

    def picture() -> Any:
        grid = Table.grid(expand=True)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(ProgressBar(total=max(progress.total, 1), completed=progress.ended))
        grid.add_row(Text(_overall(progress)))
        uploads = Table.grid(expand=True, padding=(0, 2))
        uploads.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        uploads.add_column(justify="right", no_wrap=True)
        for name, phase in list(running())[: max(1, screen.height - 4)]:
            uploads.add_row(Text("  " + harmless(name)), Text(phase))
        grid.add_row(uploads)
        return grid

    with Live(get_renderable=picture, console=screen, transient=True, refresh_per_second=8):
        yield


def ended_line(
    progress: Progress, name: str, outcome: str, *, audio: float | None, took: float | None
) -> str:
    """Describe the outcome of a recording on one line."""
    parts = [f"{hours(audio)} of audio"] if audio else []
    parts += [f"{took:.1f} s"] if took is not None else []
    rest = f" ({', '.join(parts)})" if parts else ""
    return f"[{progress.ended}/{progress.total}] {name}: {outcome}{rest}"


def summary_lines(progress: Progress, rows: Mapping[str, str]) -> list[str]:
    """The table at the end: how many ended how (`rows` names each), what it took, and the failures last."""
    entries = [(str(progress.counts[key]), label) for key, label in rows.items() if progress.counts.get(key)]
    if left := progress.total - progress.ended:
        entries.append((str(left), "not begun"))
    if progress.audio:
        entries.append((hours(progress.audio), "of audio"))
    entries.append((clock(progress.elapsed), "taken"))
    failed = progress.failures
    if failed:
        entries.append((str(len(failed)), "failed"))
    width = max(len(number) for number, _ in entries)
    lines = [f"{number:>{width}}  {label}" for number, label in entries]
    listed = failed[:_FAILURES_SHOWN]
    longest = min(max((len(harmless(name)) for name, _ in listed), default=0), 40)
    lines += [f"{'':{width}}  {harmless(name):<{longest}}  {error.summary}" for name, error in listed]
    if len(failed) > len(listed):
        more = len(failed) - len(listed)
        lines.append(f"{'':{width}}  and {more} more; --report FILE.jsonl has them all")
    return lines
