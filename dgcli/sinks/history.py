"""The event log of a stream in the history: written as the events come, and complete when the stream ends."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from dgcli.errors import OutputError
from dgcli.output.history import History
from dgcli.output.history_entry import Facts, HistoryEntry
from dgcli.output.redaction import redacted_text
from dgcli.transcript.event_log import json_line
from dgcli.transcript.events import Closed, Event, Final, Interim, Metadata, Notice, Opened
from dgcli.transcript.json_values import mapping

_EVERY = 1.0  # seconds between writes of what is still provisional


class HistorySink:
    """Keeps a stream's events, but of the interims only the last, while it is not yet final.

    Nothing is kept of a stream without a word. `failed` is told once when the log cannot be written; nothing
    is raised. `limit` is the size in bytes at which the log ends.
    """

    def __init__(
        self, history: History, facts: Facts, *, limit: float, failed: Callable[[OutputError], None]
    ) -> None:
        self._history = history
        self._facts = facts
        self._limit = limit
        self._failed = failed
        self._entry: HistoryEntry | None = None
        self._file: BinaryIO | None = None
        self._pending = b""  # lines that are not yet in the file
        self._base = self._length = 0  # where the provisional line begins, and the file ends
        self._digest = hashlib.sha256()
        self._interim: Interim | None = None
        self._written = 0.0
        self._has_words = self._has_failed = self._is_full = self._is_closed = False

    @property
    def has_entry(self) -> bool:
        """Whether there is a log that can be read."""
        return self._entry is not None and not self._has_failed

    def handle(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case Interim():
                self._interim = event
                self._has_words = self._has_words or bool(event.text.strip())
                return
            case Final():
                self._interim = None
                self._has_words = self._has_words or bool(event.text.strip())
                info = mapping(mapping(event.raw.get("metadata")).get("model_info"))
                self._facts = self._facts.answered_by(info.get("name"))
            case Notice():
                event = replace(event, message=redacted_text(event.message))
            case Opened() | Metadata():
                request_id = self._facts.request_id or event.request_id or None
                self._facts = self._facts._replace(request_id=request_id)
            case Closed():
                self._facts = self._facts._replace(duration=round(event.audio_seconds, 3))
        if not self._is_full:
            self._pending += json_line(event).encode("utf-8", "surrogateescape")
            self._put()

    def tick(self, now: float) -> None:
        """Write what is provisional, at most once a second."""
        if self._interim is not None and now - self._written >= _EVERY:
            self._written = now
            self._put(json_line(self._interim).encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """Write the rest, and the facts of the whole."""
        if self._is_closed:
            return
        self._put()
        self._is_closed = True
        if self._entry is None or self._file is None:
            return
        try:
            self._file.close()
            if self._entry.path.exists():  # the history was not cleared meanwhile
                self._history.note(
                    self._entry._replace(facts=self._facts, size=self._base, sha256=self._digest.hexdigest())
                )
        except (OSError, OutputError) as error:
            self._tell(error)

    def _put(self, tail: bytes = b"") -> None:
        """Put the lines into the file, and behind them, until the next call, `tail`."""
        if self._is_full or self._is_closed or not self._has_words:
            return
        if self._base + len(self._pending) > self._limit:
            self._is_full = True
            self._pending = b""
            self._tell(OutputError("The log of this stream is as large as the history may be: it ends here."))
            return
        try:
            if self._entry is None:
                self._entry = self._history.begin(self._facts)
                self._facts = self._entry.facts._replace(
                    request_id=self._facts.request_id, duration=self._facts.duration
                )
            if self._file is None:
                self._file = self._entry.path.open("r+b", buffering=0)
            self._write(self._file, tail)
        except (OSError, OutputError) as error:
            self._tell(error)  # the lines wait for the next event

    def _write(self, file: BinaryIO, tail: bytes) -> None:
        data = self._pending + tail
        if self._base + len(data) < self._length:
            file.truncate(self._base)
        file.seek(self._base)
        self._length = self._base + len(data)
        done = 0
        while done < len(data):
            done += file.write(data[done:])
        self._digest.update(self._pending)
        self._base += len(self._pending)
        self._pending = b""

    def _tell(self, error: OSError | OutputError) -> None:
        if not self._has_failed:
            self._has_failed = True
            text = error.message if isinstance(error, OutputError) else str(error.strerror)
            self._failed(OutputError(text))
