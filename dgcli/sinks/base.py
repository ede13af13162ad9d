"""What a sink is, and the recipe for a new one.

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
    """Where sinks say what is no part of the transcript."""

    @property
    def quiet(self) -> bool:
        """Whether only errors are wanted."""

    def note(self, message: str) -> None:
        """Something worth knowing."""

    def warning(self, message: str) -> None:
        """Something that may not be what was wanted."""


class Sink(Protocol):
    """Something that shows or keeps what happens on a stream."""

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError` or `BrokenPipe` when it cannot be written."""

    def tick(self, now: float) -> None:
        """Time has passed (monotonic seconds): for clocks on the screen and utterances open for long."""

    def close(self) -> None:
        """The stream is over, or is being left: write what is still held. May be called twice."""
