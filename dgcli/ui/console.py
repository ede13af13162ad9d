"""Messages and progress on stderr."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from dgcli.errors import DgError
from dgcli.terminal import colours, forget, harmless

if TYPE_CHECKING:  # what draws is loaded when there is something to draw
    from dgcli.ui.batch import Progress
    from dgcli.ui.progress import Bar


def _say(message: str, *, label: str = "", colour: str = "") -> None:
    """Print a message on one line; a failing stderr is ignored."""
    text = " ".join(harmless(message).split("\n"))
    if label:
        label = f"\x1b[1;{colour}m{label}:\x1b[0m " if colours(sys.stderr) else f"{label}: "
    try:
        print(f"dg: {label}{text}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        forget(sys.stderr)


class Console(NamedTuple):
    """The messages of a command on stderr. `quiet` leaves only errors, `verbose` adds detail."""

    quiet: bool = False
    verbose: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether somebody is looking: stderr is a terminal and not silenced."""
        return not self.quiet and sys.stderr.isatty()

    def note(self, message: str) -> None:
        """Print a message; silenced by -q."""
        if not self.quiet:
            _say(message)

    def aside(self, message: str) -> None:
        """Print a message where somebody is looking."""
        if self.is_terminal:
            _say(message)

    def report(self, message: str) -> None:
        """Print a result; never silenced."""
        _say(message)

    def warning(self, message: str) -> None:
        """Print a warning; silenced by -q."""
        if not self.quiet:
            _say(message, label="warning", colour="33")

    def detail(self, message: str) -> None:
        """Print a detail, with -v only."""
        if self.verbose and not self.quiet:
            _say(message)

    def error(self, error: DgError) -> None:
        """Print an error and its hint; never silenced."""
        _say(error.summary, label="error", colour="31")
        if error.hint:
            _say(error.hint)
        if error.kept:
            _say(f"The response is kept in {error.kept}")
        if error.render_with:
            _say(f"The transcript is written from what is kept, free of charge, by: {error.render_with}")

    @contextmanager
    def transfer(self, name: str, size: int | None) -> Iterator["Bar"]:
        """Show the upload of `size` bytes (None: only a wait) while the block runs, on a terminal."""
        from dgcli.ui.progress import NoBar, upload_bar

        with upload_bar(name, size) if self.is_terminal else nullcontext(NoBar()) as bar:
            yield bar

    @contextmanager
    def download(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Show how many of `size` bytes are here while the block runs, where somebody is looking."""
        if not self.is_terminal:
            yield lambda count: None  # noqa: ARG005 - nobody looks
            return
        from dgcli.ui.progress import download_bar

        with download_bar(name, size) as draw:
            yield draw

    @contextmanager
    def batch(self, progress: "Progress", running: Callable[[], Sequence[tuple[str, str]]]) -> Iterator[None]:
        """Show a run over many recordings while the block runs, on a terminal."""
        from dgcli.ui.batch import display

        with display(progress, running) if self.is_terminal else nullcontext():
            yield

    def recording(
        self, progress: "Progress", name: str, outcome: str, *, audio: float | None, took: float | None,
        error: DgError | None,
    ) -> None:  # fmt: skip
        """Print a line for a recording that has ended, where no display shows it; errors always."""
        from dgcli.ui.batch import ended_line

        is_one_of_many = progress.total > 1
        if self.quiet and error is not None and is_one_of_many:
            self.error(DgError(f"{name}: {error.summary}"))
        elif (error is not None and is_one_of_many) or not self.is_terminal or self.verbose:
            self.note(ended_line(progress, name, outcome, audio=audio, took=took))

    def summary(self, progress: "Progress", rows: Mapping[str, str]) -> None:
        """The table at the end of a run; `rows` names each way in which a recording can end."""
        from dgcli.ui.batch import summary_lines

        for line in summary_lines(progress, rows):
            self.note(line)

    def preview(self, count: int, total: int, *, audio: float, unknown: int) -> None:
        """Print the plan of a dry run: `audio` seconds, and `unknown` recordings whose length is not known."""
        from dgcli.ui.batch import hours

        rest = f", and {unknown} of unknown length" if unknown else ""
        self.note(f"{count} of {total} would be sent: {hours(audio)} of audio{rest}.")

    @contextmanager
    def level_line(self) -> Iterator[Callable[[float, float], None]]:
        """Show the level of a microphone while the block runs, on a terminal."""
        if not self.is_terminal:
            yield lambda rms, peak: None  # noqa: ARG005 - nobody looks
            return
        from dgcli.ui.meter import level_line

        with level_line("Speak, and pause once.") as draw:
            yield draw

    @contextmanager
    def keys(self) -> Iterator[Callable[[], str]]:
        """Give the keys that were pressed since the last call, while the block runs, on a terminal."""
        if not (sys.stdout.isatty() or sys.stderr.isatty()):
            yield str
            return
        from dgcli.ui.keys import keys

        with keys() as pressed:
            yield pressed
