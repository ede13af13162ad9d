"""Messages to send on a stream, and repeats among received ones: no I/O, no threads.

Sources: Deepgram reference, "Live Audio", "STT Troubleshooting WebSocket, NET, and DATA Errors", "Audio Keep
Alive", "Finalize"; RFC 6455, section 7.4, for the close codes.
"""

import json
from dataclasses import replace

from dgcli.live.configuration import Configuration
from dgcli.transcript.events import (
    Final,
    Interim,
)

KEEP_ALIVE = '{"type":"KeepAlive"}'
CLOSE_STREAM = '{"type":"CloseStream"}'

_ROUNDING = 0.005  # seconds: the API's times are 32-bit floats, which are 4 ms apart after nine hours


def finalize(channel: int | None = None) -> str:
    """The message that has everything buffered returned as final: of one channel, or of all."""
    return json.dumps({"type": "Finalize"} if channel is None else {"type": "Finalize", "channel": channel})


def configure(change: Configuration) -> str:
    """The message that changes settings while the stream runs."""
    return change.message()


def without_repeats(result: Interim | Final, floor: float) -> Interim | Final:
    """The result without the words that an earlier connection's finals held.

    `floor` is where those finals end, in seconds: a word whose middle lies before it is a repeat. Comparing
    starts would lose words to rounding. A word without a time is kept, and so is one whose middle lies just
    there: a final that held it would end where the word does.
    """
    until = floor - _ROUNDING
    kept = tuple(word for word in result.words if not (word.start + word.end) / 2 < until)
    if len(kept) == len(result.words):
        return result
    text = " ".join(word.text for word in kept)
    start = max(result.start, min(floor, result.end))
    return replace(result, words=kept, text=text, start=start)
