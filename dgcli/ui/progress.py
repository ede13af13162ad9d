"""The progress of an upload and of the wait for its transcript, and of a download, on a terminal."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from dgcli.terminal import harmless


class Bar(Protocol):
    """The progress of one upload."""

    def sent(self, count: int) -> None:
        """Show that so many bytes have been sent; after all of them, the wait for the transcript begins."""

    def transcribed(self, share: float) -> None:
        """Show the transcribed share, 0 to 1."""


class NoBar:
    """A bar that is not drawn, for where there is no terminal."""

    def sent(self, count: int) -> None:
        """Show nothing."""

    def transcribed(self, share: float) -> None:
        """Show nothing."""


@contextmanager
def upload_bar(name: str, total: int | None) -> Iterator[Bar]:
    """Show a bar on stderr for one upload of `total` bytes (None: only a wait)."""
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    screen = RichConsole(stderr=True)
    waiting = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
    )
    label = Text(harmless(os.fsencode(name).decode("utf-8", "replace")), overflow="ellipsis", no_wrap=True)
    label.truncate(max(8, screen.width - 50), overflow="ellipsis")
    sending = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
    )

    class Stages:
        def __init__(self) -> None:
            self._task = sending.add_task(label.plain, total=total)
            self._waiting = False
            (waiting if total is None else sending).start()
            if total is None:
                waiting.add_task("Transcribing")
                self._waiting = True

        def sent(self, count: int) -> None:
            if total is None:
                return
            sending.update(self._task, completed=count)
            if count >= total and not self._waiting:
                sending.stop()
                waiting.add_task("Transcribing")
                waiting.start()
                self._waiting = True
            elif count < total and self._waiting:  # another attempt began
                waiting.stop()
                for task in waiting.task_ids:
                    waiting.remove_task(task)
                sending.start()
                self._waiting = False

        def transcribed(self, share: float) -> None:
            for task in waiting.task_ids:
                waiting.update(task, description=f"Transcribing {share:.0%}")

    try:
        yield Stages()
    finally:
        sending.stop()
        waiting.stop()


@contextmanager
def download_bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr for one download of `total` bytes; what is given is told how many are here."""
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=RichConsole(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task(harmless(name), total=total)
        yield lambda count: progress.update(task, completed=count)
