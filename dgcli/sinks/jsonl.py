"""Everything that happened on a stream as JSON lines, to be read by programs and rendered again.

Each line is an object with a `kind`:

    {"kind": "opened", "request_id": "...", "connection": 1, "offset": 0.0}
    {"kind": "message", "offset": 0.0, "message": {...}}          the server's message, as it came
    {"kind": "message", "offset": 61.2, "repeats": 3, "message": {...}}
    {"kind": "notice", "notice": "gap", "message": "...", "start": 60.0, "end": 61.2}
    {"kind": "closed", "audio_seconds": 120.0, "connections": 2, "error": null}

`offset` is what lies before a connection on the timeline of the stream: add it to every time in `message`
(seconds). `repeats` says that the first so many words of a final were said by an earlier one already: leave
them out. `notice` is a value of `NoticeKind`; `start` and `end` are there where the notice has them, in
seconds of the stream; the server's own errors and warnings are notices with the message under `raw`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from dgcli.events import (
    Closed,
    Event,
    Final,
    Interim,
    Metadata,
    Notice,
    Opened,
    SpeechStarted,
    UtteranceEnd,
)
from dgcli.transcript import parse_words


def _repeats(event: Final) -> int:
    """How many words of the raw message are not in the event."""
    channel = event.raw.get("channel")
    alternatives = channel.get("alternatives") if isinstance(channel, Mapping) else None
    first = alternatives[0] if isinstance(alternatives, list) and alternatives else None
    if not isinstance(first, Mapping):
        return 0
    return max(len(parse_words(first.get("words"), event.channel)) - len(event.words), 0)


def envelope(event: Event) -> Mapping[str, Any]:
    """An event as one object, as the module's docstring shows it."""
    match event:
        case Opened():
            return {
                "kind": "opened",
                "request_id": event.request_id,
                "connection": event.connection,
                "offset": event.offset,
            }
        case Final():
            repeats = _repeats(event)
            more = {"repeats": repeats} if repeats else {}
            return {"kind": "message", "offset": event.offset, **more, "message": event.raw}
        case Interim() | UtteranceEnd() | SpeechStarted() | Metadata():
            return {"kind": "message", "offset": event.offset, "message": event.raw}
        case Notice():
            found: dict[str, Any] = {"kind": "notice", "notice": event.kind.value, "message": event.message}
            if event.start is not None:
                found["start"] = event.start
            if event.end is not None:
                found["end"] = event.end
            if event.raw:
                found["raw"] = event.raw
            return found
        case Closed():
            return {
                "kind": "closed",
                "audio_seconds": event.audio_seconds,
                "connections": event.connections,
                "error": event.error.message if event.error else None,
            }


# What some programs take for the end of a line, and terminals for a command, though JSON lets it stand.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def json_line(event: Event) -> str:
    """An event as a line of JSON."""
    text = json.dumps(envelope(event), ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED) + "\n"


class JsonlSink:
    """Writes every event at once."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def handle(self, event: Event) -> None:
        """Take the next event. Raises what `write` raises."""
        self._write(json_line(event))

    def tick(self, now: float) -> None:
        """Nothing depends on time."""

    def close(self) -> None:
        """Nothing is held back."""
