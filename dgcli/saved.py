"""Reading what was saved: a response, the body of a callback, or the JSON lines of a stream."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dgcli.errors import ApiError
from dgcli.events import Event, Final, Notice, NoticeKind
from dgcli.transcript import Transcript, parse, parse_body


def _lines(body: bytes) -> Iterator[Mapping[str, Any]]:
    """The objects of JSON lines; a last line that was cut off (the program was killed) is left out."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                return
            raise ApiError(f"Line {number} is no JSON: {error}.") from None
        if isinstance(found, dict):
            yield found


def _is_stream(body: bytes) -> bool:
    """Whether the first line is an object of a stream: an envelope of `sinks.jsonl`, or a message as it came."""
    first = body.lstrip().partition(b"\n")[0]
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "results" not in found and ("kind" in found or "type" in found)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else 0.0


def _event(line: Mapping[str, Any]) -> Event | None:
    """What a line says; `None` for what no transcript is made of."""
    from dgcli.live.protocol import parse as parse_message

    if line.get("kind") == "notice":
        kind = line.get("notice")
        known = next((one for one in NoticeKind if one.value == kind), None)
        return None if known is None else Notice(known, str(line.get("message", "")))
    message = line.get("message") if "kind" in line else line
    if not isinstance(message, dict):
        return None
    event = parse_message(json.dumps(message), _number(line.get("offset")))
    repeats = line.get("repeats")
    if isinstance(event, Final) and isinstance(repeats, int) and repeats > 0:
        words = event.words[repeats:]
        return replace(event, words=words, text=" ".join(word.text for word in words))
    return event


def _response(body: bytes) -> Mapping[str, Any]:
    """A stream in the shape of a prerecorded response."""
    from dgcli.sinks.response import utterance_object
    from dgcli.sinks.utterance import Utterances

    collected = Utterances()
    found, channels, request_id, duration = [], 1, None, 0.0
    for line in _lines(body):
        request_id = request_id or line.get("request_id")
        duration = max(duration, _number(line.get("audio_seconds")))
        event = _event(line)
        if event is None:
            continue
        if isinstance(event, Final):
            channels, duration = max(channels, event.channels), max(duration, event.end)
        found += collected.take(event)
    found += collected.finish()
    empty = {"alternatives": [{"transcript": "", "confidence": 0.0, "words": []}]}
    return {
        "metadata": {"request_id": request_id, "duration": round(duration, 3), "channels": channels},
        "results": {
            "channels": [empty] * channels,
            "utterances": [utterance_object(utterance) for utterance in found],
        },
    }


def parse_saved(body: bytes) -> Transcript:
    """The transcript in what was saved. Raises `ApiError` for what is none."""
    if not body.strip():
        raise ApiError("There is nothing in it.")
    return parse(_response(body)) if _is_stream(body) else parse_body(body)
