"""/v1/listen: Nova and its predecessors. Results come as the model goes along, and Metadata at the end.

Sources: Deepgram reference, "Live Audio", "Audio Keep Alive", "Finalize".
"""

import json

from dgcli.live.configuration import Configuration
from dgcli.live.protocol import CLOSE_STREAM, ClosingStep, FrameLengths
from dgcli.transcript.events import Final, Interim

_UNSAID = 0.5  # seconds at the end that a server may leave without a final, if it closes in good order


class ListenV1:
    """The protocol of /v1/listen."""

    path = "/v1/listen"
    frames = FrameLengths(0.02, 0.1, 0.25)
    keep_alive: str | None = '{"type":"KeepAlive"}'
    finalizes_silence = True
    has_fatal_errors = False

    def finalize(self, channel: int | None = None) -> str:
        """Finalize, of one channel or of all."""
        return json.dumps(
            {"type": "Finalize"} if channel is None else {"type": "Finalize", "channel": channel}
        )

    def configure(self, change: Configuration) -> str:
        """Configure, as this endpoint has it."""
        return change.message()

    def closing(self, *, planned: bool) -> tuple[ClosingStep, ...]:
        """CloseStream; where the audio was cut off in the middle of a word, Finalize before it."""
        finalize = (ClosingStep(self.finalize()),) if planned else ()
        return (*finalize, ClosingStep(CLOSE_STREAM))

    def has_said_all(self, code: int | None, *, summarized: bool, uncovered: float) -> bool:
        """Metadata is the last message; without it, a close in good order after the last final."""
        return summarized or (code == 1000 and uncovered <= _UNSAID)

    def silent_until(self, result: Interim) -> float | None:  # noqa: ARG002 - a `ListenProtocol`
        """None: finals without words say that."""
        return None

    def standing(self, result: Interim) -> Final | None:  # noqa: ARG002 - a `ListenProtocol`
        """None: an interim may still change, and its audio is sent again."""
        return None
