"""The states of a stream and the moves between them."""

import enum
from collections.abc import Mapping
from types import MappingProxyType


class State(enum.Enum):
    """The state of a stream; the value is the status line's text."""

    CONNECTING = "connecting"  # no connection was open yet; or no audio to open one for
    OPEN = "open"
    RECONNECTING = "reconnecting"  # a connection was lost; or the first could not be opened at once
    DRAINING = "finishing"  # CloseStream was sent, the last results are awaited
    CLOSED = "closed"


MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.CONNECTING: frozenset({State.OPEN, State.RECONNECTING, State.CLOSED}),
        State.OPEN: frozenset({State.RECONNECTING, State.DRAINING, State.CLOSED}),
        State.RECONNECTING: frozenset({State.OPEN, State.CLOSED}),
        State.DRAINING: frozenset({State.RECONNECTING, State.CLOSED}),
        State.CLOSED: frozenset(),
    }
)


def move(old: State, new: State) -> State:
    """The new state. Raises `RuntimeError` for a move that is not in the table: a bug."""
    if new not in MOVES[old]:
        raise RuntimeError(f"A stream cannot go from {old.name} to {new.name}.")
    return new
