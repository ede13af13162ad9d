"""Notices of a stream on stderr: drops, gaps, titles, warnings of the server."""

from collections.abc import Sequence

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


_MOST_ALIKE = 3


class Repeats:
    """Tells which notices of the server are worth showing: not the hundredth of a kind."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def text(self, event: Notice) -> str | None:
        """Return what is shown for a notice; None where enough like it have been."""
        if event.kind is not NoticeKind.SERVER:
            return event.message
        kind = event.message.partition(":")[0]
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count > _MOST_ALIKE:
            return None
        return event.message + (" No more like it are shown." if count == _MOST_ALIKE else "")

    def left_out(self) -> Sequence[str]:
        """Return what was not shown, a line for each kind."""
        return [
            f"{kind}: {count - _MOST_ALIKE} more times."
            for kind, count in self._counts.items()
            if count > _MOST_ALIKE
        ]


class NoticesSink:
    """Passes notices on to the console, as warnings where something may be missing or wrong."""

    def __init__(self, console: Messages) -> None:
        self._console = console
        self._repeats = Repeats()

    def handle(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Notice):
            say = self._console.warning if event.kind in WARNINGS else self._console.note
            text = self._repeats.text(event)
            if text is not None:
                say(text)

    def tick(self, now: float) -> None:
        """Do nothing: nothing depends on time."""

    def close(self) -> None:
        """Count what was not shown."""
        for text in self._repeats.left_out():
            self._console.warning(text)
        self._repeats = Repeats()
