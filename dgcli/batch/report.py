"""The report of a run for programs: a line of JSON for each recording, written as it ends."""

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from dgcli.batch.jobs import Outcome
from dgcli.errors import DgError, OutputError


def _line(outcome: Outcome) -> bytes:
    """A line of the report. Names that are no UTF-8 have their bytes as lone surrogates, as Python spells them."""
    error = outcome.error
    fields = {
        "input": outcome.source.name,
        "status": outcome.status.value,
        "outputs": list(outcome.outputs),
        "error": None if error is None else error.message,
        "error_details": None if error is None else list(error.details()),
        "exit_code": 0 if error is None else error.exit_code,
        "request_id": outcome.request_id,
        "duration": outcome.duration,
        "seconds": round(outcome.seconds, 3),
        "attempts": outcome.attempts,
        "notes": list(outcome.notes),
    }
    return json.dumps(fields).encode() + b"\n"


class Report:
    """A file of JSON lines; without a path, nothing."""

    def __init__(self, path: Path | None) -> None:
        """Raises `OutputError` when the file cannot be written."""
        self._path = path
        try:
            self._file = path.open("wb", buffering=0) if path else None
        except OSError as error:
            raise OutputError(f"The report {path} cannot be written: {error.strerror}.") from error
        self.failure: DgError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Write a line. A report that cannot be written any more stops nothing; `failure` says why."""
        if self._file is None or self.failure is not None:
            return
        try:
            self._file.write(_line(outcome))  # unbuffered: a line is there when its recording has ended
        except OSError as error:
            self.failure = OutputError(f"The report {self._path} cannot be written: {error.strerror}.")
            self.failure.__cause__ = error
