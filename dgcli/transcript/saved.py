"""Reading what was saved: a response, the body of a callback, the JSON lines of a stream, or words in a table."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dgcli.errors import ApiError
from dgcli.transcript.collected import Collected
from dgcli.transcript.duplicates import Duplicates
from dgcli.transcript.event_log import read_event
from dgcli.transcript.events import Event, Final, Interim
from dgcli.transcript.json_values import mapping, number, string
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import parse, parse_body, parse_json
from dgcli.transcript.word_tables import is_table, parse_objects, parse_table


def _lines(body: bytes) -> Iterator[Mapping[str, Any]]:
    """The objects of JSON lines; a last line that was cut off (the program was killed) is left out."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    for at, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            if at == len(lines):
                return
            raise ApiError(f"Line {at} is no JSON: {error}.") from None
        if isinstance(value, dict):
            yield value


def _is_stream(first: object) -> bool:
    """Whether the first line is an object of a stream: an envelope of the event log, or a message as it came."""
    return isinstance(first, dict) and "results" not in first and ("kind" in first or "type" in first)


def _as_final(line: Mapping[str, Any]) -> Event | None:
    """The last words of a log that was cut off, which nothing confirms any more."""
    message = line.get("message") if "kind" in line else line
    final = {**mapping(message), "is_final": True}
    return read_event({"kind": "message", **line, "message": final, "stands": True})


def _response(body: bytes) -> Mapping[str, Any]:
    """A stream in the shape of a prerecorded response."""
    collected, duplicates = Collected(), Duplicates()
    last: Mapping[str, Any] | None = None  # what was provisional when the log ended
    for line in _lines(body):
        event = read_event(line)
        if isinstance(event, Final) or line.get("kind") == "closed":
            last = None
        elif isinstance(event, Interim):
            last = line
        if event is not None:
            collected.take(duplicates.without(event) if isinstance(event, Final) else event)
        elif line.get("request_id") or line.get("audio_seconds"):  # where a connection opens, and at the end
            if line.get("kind") == "opened":
                duplicates = Duplicates()
            collected.note(string(line.get("request_id")) or None, number(line.get("audio_seconds")))
    if last is not None and (event := _as_final(last)):
        collected.take(event)
    return collected.response()


def parse_saved(body: bytes) -> Transcript:
    """Return the transcript in what was saved. Raises `ApiError` when there is none."""
    first, _, rest = body.strip().partition(b"\n")
    if not first:
        raise ApiError("There is nothing in it.")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        if is_table(first):
            return parse_table(body)
        return parse_body(body)  # which says what is wrong, if it is
    if _is_stream(value):
        return parse(_response(body))
    if isinstance(value, dict) and "word" in value and "start" in value:
        return parse_objects(_lines(body))
    return parse_body(body) if rest else parse_json(value, body)
