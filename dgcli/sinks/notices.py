"""Notices of a stream on stderr: drops, gaps, titles, warnings of the server."""

from dgcli.sinks.base import Messages
from dgcli.transcript.events import Event, Notice, NoticeKind

WARNINGS = frozenset(
    {
        NoticeKind.CONTROL,
        NoticeKind.DROPPED,
        NoticeKind.GAP,
        NoticeKind.NOT_CONFIGURED,
        NoticeKind.OVERFLOW,
        NoticeKind.SERVER,
        NoticeKind.SIGNAL,
        NoticeKind.SPEAKERS_RESTARTED,
    }
)


class NoticesSink:
    """Passes notices on to the console, as warnings where something may be missing or wrong."""

    def __init__(self, console: Messages) -> None:
        self._console = console

    def handle(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Notice):
            say = self._console.warning if event.kind in WARNINGS else self._console.note
            say(event.message)

    def tick(self, now: float) -> None:
        """Do nothing: nothing depends on time."""

    def close(self) -> None:
        """Do nothing: nothing is held back."""
