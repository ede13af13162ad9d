"""`--last-lines FILE`: the last lines of what is said, for text sources that read a file, such as those of OBS."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dgcli.captions.limits import Limits
from dgcli.captions.text import wrapped
from dgcli.errors import OutputError
from dgcli.formats import RenderSettings
from dgcli.output.files import write_file
from dgcli.output.plan import check_paths
from dgcli.sinks.rollup import RollUp
from dgcli.transcript.events import Event

_EVERY = 0.1  # seconds between two writes
SILENCE = 8.0  # seconds without a new word after which the file is emptied


def check_last_lines(path: Path, others: Sequence[Path], source: Path | None = None) -> None:
    """Refuse a file that cannot be replaced, before anything is sent. Raises `UsageError`, `OutputError`."""
    check_paths([*others, path], source=source)
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is no file: --last-lines replaces the whole of it each time.")


class LastLinesSink:
    """Keeps the last lines in a file, interims included; it is replaced as a whole, at most ten times a second.

    Lines are as long and as many as those of a cue. The file is emptied after a silence, and at the end.
    """

    def __init__(
        self, path: Path, options: RenderSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._options = options
        limits = options.limits or Limits()
        self._columns, self._count = limits.max_chars, limits.max_lines
        self._clock = clock
        self._roll_up = RollUp()
        self._text = ""
        self._written: str | None = None  # what the file holds; None: what somebody else put there
        self._spent: dict[int, str] = {}  # what went with a silence, by paragraph
        self._changed = clock()
        self._next = -math.inf
        self._failed = self._closed = False

    def _lines(self) -> list[str]:
        lines: list[str] = []
        before = None
        for paragraph in self._roll_up.paragraphs:
            if self._spent.get(paragraph.number) == paragraph.all_text:
                continue
            voice = paragraph.voice
            name = "" if voice == before else self._options.who(voice, paragraph.channels > 1)
            before = voice
            lines += wrapped(f"{name}: {paragraph.all_text}" if name else paragraph.all_text, self._columns)
        return lines[-self._count :]

    def _write(self) -> None:
        now = self._clock()
        if self._text == self._written or now < self._next:
            return
        self._next = now + _EVERY
        try:
            write_file(self._path, self._text.encode("utf-8", "surrogateescape"), durable=False)
        except OutputError:
            if not self._failed:  # the first time is the one to tell; then it is tried again
                self._failed = True
                raise
        else:
            self._written, self._failed = self._text, False

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        if self._roll_up.take(event):
            text = "".join(f"{line}\n" for line in self._lines())
            if text != self._text:
                self._text, self._changed = text, self._clock()
        self._write()

    def tick(self, now: float) -> None:
        """Write what had to wait, and empty the file after a silence. Raises `OutputError`."""
        if self._text and now - self._changed >= SILENCE:
            self._text = ""
            self._spent = {each.number: each.all_text for each in self._roll_up.paragraphs}
        self._write()

    def close(self) -> None:
        """Empty the file: nobody speaks any more. Raises `OutputError`."""
        if not self._closed:
            self._closed = True
            self._text, self._next = "", -math.inf
            self._write()
