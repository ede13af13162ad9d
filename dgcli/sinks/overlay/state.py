"""What a page shows, as values; and the messages that bring a page to it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

# The stages of a stream, as the page knows them.
CONNECTING, LIVE, RECONNECTING, ENDED = "connecting", "live", "reconnecting", "ended"


class OverlayLine(NamedTuple):
    """A paragraph on the page; `who` is empty where the one above it has the same voice.

    `turn` says what becomes of its interim where turns are told: `open`, or empty for one that is probably over.
    """

    number: int
    voice: int
    who: str
    text: str
    interim: str
    turn: str = ""


class OverlayState(NamedTuple):
    """All that there is to show; `changed` is when its text last changed (monotonic seconds)."""

    lines: tuple[OverlayLine, ...] = ()
    stage: str = CONNECTING
    changed: float = 0.0


def message(state: OverlayState, known: Mapping[int, OverlayLine], **more: Any) -> str:
    """The message that brings a page to a state, of which it knows some lines already.

    It has the numbers of all lines in their order, and those lines that are new or different.
    """
    return json.dumps(
        {
            "order": [line.number for line in state.lines],
            "set": [line._asdict() for line in state.lines if known.get(line.number) != line],
            "stage": state.stage,
            **more,
        },
        separators=(",", ":"),
    )
