"""The event log: everything that happened on a stream as JSON lines, written and read back.

Each line is an object with a `kind`:

    {"kind": "opened", "request_id": "...", "connection": 1, "offset": 0.0}
    {"kind": "message", "offset": 0.0, "message": {...}}          the server's message, as it came
    {"kind": "message", "offset": 61.2, "repeats": 3, "message": {...}}
    {"kind": "notice", "notice": "gap", "message": "...", "start": 60.0, "end": 61.2}
    {"kind": "closed", "audio_seconds": 120.0, "connections": 2, "error": null}

`offset` is what lies before a connection on the timeline of the stream: add it to every time in `message`
(seconds). `repeats` says that the first so many words of a final were said by an earlier one already: leave
them out. `stands` says that this message, though provisional, is the final text of its Flux turn: the stream ended
without an EndOfTurn. `notice` is a value of `NoticeKind`; `start` and `end` are there where the notice has them, in
seconds of the stream; the server's own errors and warnings are notices with the message under `raw`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dgcli.transcript.events import (
    Closed,
    Connected,
    Event,
    Final,
    Interim,
    Metadata,
    Notice,
    NoticeKind,
    Opened,
    SpeechStarted,
    TurnStage,
    UtteranceEnd,
)
from dgcli.transcript.json_values import mapping, number
from dgcli.transcript.messages import parse_message, words_of
from dgcli.transcript.turn_info import as_it_stands


def _repeats(event: Final) -> int:
    """Count the words of the raw message that are not in the event."""
    return max(len(words_of(event.raw)) - len(event.words), 0)


def _stands(event: Final) -> bool:
    """Whether the message is provisional: the newest of a turn whose end the server did not send."""
    return event.turn is not None and event.turn.stage is not TurnStage.END


def envelope(event: Event) -> Mapping[str, Any]:
    """Return an event as an object, as the module's docstring shows it."""
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
            more = {
                **({"repeats": repeats} if repeats else {}),
                **({"stands": True} if _stands(event) else {}),
            }
            return {"kind": "message", "offset": event.offset, **more, "message": event.raw}
        case Interim() | Connected() | UtteranceEnd() | SpeechStarted() | Metadata():
            return {"kind": "message", "offset": event.offset, "message": event.raw}
        case Notice():
            message: dict[str, Any] = {"kind": "notice", "notice": event.kind.value, "message": event.message}
            if event.start is not None:
                message["start"] = event.start
            if event.end is not None:
                message["end"] = event.end
            if event.raw:
                message["raw"] = event.raw
            return message
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
    """Return an event as a line of JSON."""
    text = json.dumps(envelope(event), ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED) + "\n"


def read_event(line: Mapping[str, Any]) -> Event | None:
    """Read the event of a line; `None` for lines that no transcript is made of."""
    if line.get("kind") == "notice":
        kind = line.get("notice")
        known = next((notice_kind for notice_kind in NoticeKind if notice_kind.value == kind), None)
        return (
            None
            if known is None
            else Notice(known, str(line.get("message", "")), raw=mapping(line.get("raw")))
        )
    message = line.get("message") if "kind" in line else line
    if not isinstance(message, dict):
        return None
    event = parse_message(json.dumps(message), number(line.get("offset")))
    repeats = line.get("repeats")
    if isinstance(event, Interim) and line.get("stands") is True:
        event = as_it_stands(event)
    if isinstance(event, Final) and isinstance(repeats, int) and repeats > 0:
        words = event.words[repeats:]
        return replace(event, words=words, text=" ".join(word.text for word in words))
    return event
