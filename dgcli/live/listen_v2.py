"""/v2/listen: Flux, which hears turns.

There is no KeepAlive (pings hold the connection) and no Finalize; an unknown message ends the connection. CloseStream
does not end the turn that is open: ForceEndTurn does, with an EndOfTurn or, where nobody speaks, with a warning or
nothing at all. A close frame without a code is how a stream ends that was asked to.
Sources: Deepgram reference, "Turn-based Audio (Flux)"; Deepgram guides, "Flux Quickstart" (frames of 80 ms), "Force
End Turn", "Understanding the Flux State Machine".
"""

from dgcli.api.refusals import NO_CODE
from dgcli.live.configuration import Configuration
from dgcli.live.protocol import CLOSE_STREAM, ClosingStep, FrameLengths
from dgcli.transcript.events import Event, Final, Interim, Notice
from dgcli.transcript.turn_info import as_it_stands

FORCE_END_TURN = '{"type":"ForceEndTurn"}'

_FRAME = 0.08  # seconds
_ANSWER = 1.5  # seconds for the EndOfTurn that was asked for: Update comes every 0.25 s
_LAG = 2.0  # seconds that a word may have been spoken for before a message has it
_UNSAID = 0.5  # seconds at the end that may be without a turn when the connection is cut off
_NO_TURN = "FORCE_END_TURN_NO_ACTIVE_TURN"


def _answers(event: Event) -> bool:
    """Whether the server has done what ForceEndTurn asks, or has no turn to end.

    A turn that ends by itself may be an earlier one, whose end was on its way.
    """
    match event:
        case Final(turn=turn):
            return turn is not None and turn.trigger in ("manual", "")
        case Notice(raw=raw):
            return raw.get("type") == "Warning" and raw.get("code") == _NO_TURN
    return False


class ListenV2:
    """The protocol of /v2/listen."""

    path = "/v2/listen"
    frames = FrameLengths(_FRAME, _FRAME, _FRAME)
    keep_alive: str | None = None
    finalizes_silence = False
    has_fatal_errors = True

    def finalize(self, channel: int | None = None) -> str:  # noqa: ARG002 - there is one channel
        """ForceEndTurn."""
        return FORCE_END_TURN

    def configure(self, change: Configuration) -> str:
        """Configure, as this endpoint has it."""
        return change.message(flux=True)

    def closing(self, *, planned: bool) -> tuple[ClosingStep, ...]:  # noqa: ARG002 - every end is alike
        """ForceEndTurn, and CloseStream when the turn has ended."""
        return (ClosingStep(FORCE_END_TURN, _answers, _ANSWER), ClosingStep(CLOSE_STREAM))

    def has_said_all(self, code: int | None, *, summarized: bool, uncovered: float) -> bool:  # noqa: ARG002
        """A close frame after CloseStream follows the last message; a cut may have taken some along."""
        return code in (1000, NO_CODE) or uncovered <= _UNSAID

    def silent_until(self, result: Interim) -> float | None:
        """Nothing was said until shortly before the window of a message without text ends."""
        if result.text.strip() or result.words:
            return None
        return result.end - _LAG

    def standing(self, result: Interim) -> Final | None:
        """What was last heard of an open turn."""
        return as_it_stands(result) if result.text.strip() else None
