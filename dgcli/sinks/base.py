"""The interface of a sink, and the recipe for a new one.

A sink takes the events of a live stream, on the main thread, one after the other: it needs no locks. To add
one, write a class like this in a module of its own and give it a row where sinks are chosen:

    class Shout:
        def handle(self, event: Event) -> None:
            if isinstance(event, Final):
                print(event.text.upper())

        def tick(self, now: float) -> None: ...

        def close(self) -> None: ...
"""

from typing import Protocol

from dgcli.transcript.events import Event


class Messages(Protocol):
    """The destination of messages that are no part of the transcript."""

    @property
    def quiet(self) -> bool:
        """Whether only errors are wanted."""

    def note(self, message: str) -> None:
        """Show a message."""

    def warning(self, message: str) -> None:
        """Show a warning."""


class Sink(Protocol):
    """A destination of a stream's events."""

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError` or `BrokenPipe` when it cannot be written."""

    def tick(self, now: float) -> None:
        """Act on the time (monotonic seconds): clocks on the screen, utterances open for long."""

    def close(self) -> None:
        """The stream is over, or is being left: write what is still held. May be called twice."""
