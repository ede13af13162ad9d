"""Every event as a line of JSON, at once."""

from collections.abc import Callable

from dgcli.transcript.event_log import json_line
from dgcli.transcript.events import Event


class JsonlSink:
    """Writes every event at once."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def handle(self, event: Event) -> None:
        """Take the next event. Raises what `write` raises."""
        self._write(json_line(event))

    def tick(self, now: float) -> None:
        """Do nothing: nothing depends on time."""

    def close(self) -> None:
        """Do nothing: nothing is held back."""
