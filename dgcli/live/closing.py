"""The end of a connection: what is said when all audio was sent, one step after the other. No I/O, no threads."""

from collections import deque

from dgcli.live.protocol import ClosingStep, ListenProtocol
from dgcli.transcript.events import Event, Notice

_AUDIO_CODES = ("DATA-", "NET-")  # these errors are about what was sent before


class ClosingSteps:
    """Walks through the closing steps of a protocol, on each connection anew.

    A step after which the server said that it does not know the message is left out from then on.
    """

    def __init__(self, protocol: ListenProtocol) -> None:
        self._protocol = protocol
        self._left: deque[ClosingStep] = deque()
        self._waits: ClosingStep | None = None  # for its answer
        self._due = 0.0  # when it is not waited for any more
        self._unknown: set[str] = set()

    @property
    def done(self) -> bool:
        """Whether everything was said."""
        return not self._left and self._waits is None

    @property
    def refused(self) -> bool:
        """Whether the server did not know one of the messages: it has said what it heard without it."""
        return bool(self._unknown)

    @property
    def due(self) -> float | None:
        """When the next message is due at the latest; None while nothing is waited for."""
        return self._due if self._waits is not None else None

    def reset(self) -> None:
        """There is another connection: nothing is waited for any more."""
        self._left.clear()
        self._waits = None

    def begin(self, *, planned: bool) -> None:
        """Begin with the first step."""
        steps = self._protocol.closing(planned=planned)
        self._left = deque(step for step in steps if step.text not in self._unknown)
        self._waits = None

    def next(self, now: float) -> str | None:
        """Return the message to send now, if there is one."""
        if self._waits is not None and now >= self._due:
            self._waits = None
        if self._waits is not None or not self._left:
            return None
        step = self._left.popleft()
        if step.answers is not None:
            self._waits, self._due = step, now + step.wait
        return step.text

    def take(self, event: Event) -> bool:
        """Look whether an event answers the last message; return whether it says no more than that."""
        step = self._waits
        if step is None or step.answers is None:
            return False
        if step.answers(event):
            self._waits = None
            return isinstance(event, Notice)
        code = str(event.raw.get("code") or "") if isinstance(event, Notice) else ""
        if (
            isinstance(event, Notice)
            and event.raw.get("type") == "Error"
            and not code.startswith(_AUDIO_CODES)
        ):
            self._unknown.add(step.text)
            return self._protocol.has_fatal_errors and event.raw.get("code") == "UNPARSABLE_CLIENT_MESSAGE"
        return False
