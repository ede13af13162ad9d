"""Standard output for a stream: what cannot be written there any more is not lost."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from dgcli.errors import BrokenPipe, DgError, OutputError
from dgcli.output.kept import keep_text
from dgcli.terminal import forget


class Stdout:
    """Writes text to standard output at once.

    When whoever reads it has gone (Ctrl-C ends `tee` too), the text goes to stderr and to a file in the state
    folder from then on. The write that notices raises `BrokenPipe` or `OutputError`, with its text safe
    already; later ones do not raise.
    """

    def __init__(self) -> None:
        self.failure: DgError | None = None
        self.kept: Path | None = None  # the file in the state folder

    def write(self, text: str) -> None:
        """Write text that ends in a newline."""
        if not text:
            return
        data = text.encode("utf-8", "surrogateescape")
        if self.failure is None:
            try:
                write_stdout(data)
            except DgError as error:
                self.failure = error
                self._rescue(data)
                error.kept = self.kept
                raise
        else:
            self._rescue(data)

    def _rescue(self, data: bytes) -> None:
        # Past Python's buffer: a terminal that hung up takes both streams with it.
        with suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), data)
        try:
            if self.kept is None:
                self.kept = keep_text(b"", "live")
            if self.kept is not None:
                with self.kept.open("ab") as file:
                    file.write(data)
        except OSError:
            self.kept = None


def write_stdout(data: bytes) -> None:
    """Write to standard output and flush. Raises `BrokenPipe` when nobody reads it any more."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        forget(sys.stdout)
        raise BrokenPipe from error
    except OSError as error:
        forget(sys.stdout)
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def write_json(value: object) -> None:
    """Write a value to standard output as JSON that people can read. Raises as `write_stdout`."""
    import json

    write_stdout((json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "surrogateescape"))
