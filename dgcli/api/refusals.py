"""Why a connection ended or was never opened, and whether to try again: no I/O.

Sources: Deepgram reference, "STT Troubleshooting WebSocket, NET, and DATA Errors" (codes, reasons, remedies)
and "Errors"; RFC 6455, section 7.4 (close codes), RFC 9110, section 15 (status codes).
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dgcli.errors import ApiError, AuthError, DgError, NetworkError

ABNORMAL = 1006  # no close frame was received
NO_CODE = 1005  # a close frame without a code

# Audio that the server refused once is refused again.
_FATAL_CODES = frozenset({1003, 1007, 1008, 1009, 1010})
_RETRY_STATUSES = frozenset({408, 425, 429})
_NAMED = re.compile(r"(DATA|NET)-?(\d{4})", re.IGNORECASE)

_AUDIO_HINT = (
    "Check that what is sent is audio and not empty. Headerless audio needs the right --encoding and "
    "--sample-rate; a container (WAV, Ogg, MP3...) needs neither of them."
)
_STATUS_HINT = "Try again; see status.deepgram.com. If it persists, ask support with the request id."
_IDLE_HINT = (
    "Audio must be sent within 10 s of opening, KeepAlive messages alone do not hold a connection. "
    "Check that the source gives audio, and the network."
)
_NETWORK_HINT = "Check the network between here and the server."


@dataclass(frozen=True, slots=True)
class Ending:
    """Why there is no connection (any more), as an error, and whether another try is worth it."""

    error: DgError
    retry: bool
    code: int | None = None
    retry_after: float | None = None  # seconds that the server asked to wait
    busy: bool = False  # it answered, and cannot serve us now: asking again at once would make it worse

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        message = self.error.message
        return message if message.endswith((".", "!", "?", "…")) else f"{message}."


_SENTENCES = {
    1000: "The server ended the connection before it was asked to.",
    1001: "The server is going away.",
    1002: "The server saw a fault in the WebSocket protocol.",
    1003: "The server does not take this kind of data.",
    NO_CODE: "The connection was closed without a reason.",
    ABNORMAL: "The connection was cut off.",
    1007: "The server could not decode a text message.",
    1008: "The server refused what was sent.",
    1009: "A message was too big for the server.",
    1011: "The server met an error.",
    1012: "The server is restarting.",
    1013: "The server is overloaded.",
}
_NAMED_ENDINGS = {
    "DATA-0000": ("The server could not decode the audio.", _AUDIO_HINT, False),
    "NET-0000": (
        "The server did not answer in time: trouble on its side, or too little audio.",
        _STATUS_HINT,
        True,
    ),
    "NET-0001": ("The server received no audio in time.", _IDLE_HINT, True),
}


def one_line(text: str, limit: int = 300) -> str:
    """Text of a server on one line, without control characters, cut where it is too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def closed(code: int, reason: str = "", request_id: str | None = None) -> Ending:
    """What a close frame, or its absence (1006), means."""
    named = _NAMED.search(reason)
    name = f"{named[1].upper()}-{named[2]}" if named else None
    if name in _NAMED_ENDINGS:
        sentence, hint, retry = _NAMED_ENDINGS[name]
        error: DgError = ApiError(sentence, code=f"{code} {name}", request_id=request_id, hint=hint)
        return Ending(error, retry, code)
    sentence = _SENTENCES.get(code, "The server ended the connection.")
    if reason := one_line(reason):
        sentence = f"{sentence.rstrip('.')}: {reason}"
    retry = code not in _FATAL_CODES
    if code in (NO_CODE, ABNORMAL):
        return Ending(NetworkError(sentence, hint=_NETWORK_HINT), retry, code)
    hint = _STATUS_HINT if retry else _AUDIO_HINT
    return Ending(ApiError(sentence, code=str(code), request_id=request_id, hint=hint), retry, code)


def _body_fields(body: bytes | None) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _first(*candidates: object) -> str:
    return next((text for one in candidates if isinstance(one, str) and (text := one_line(one))), "")


def _said(headers: Mapping[str, str], fields: Mapping[str, Any], body: bytes | None) -> str:
    """What the answer says is wrong: its header, its JSON, or its text where that is no web page."""
    own = _first(headers.get("dg-error"), fields.get("err_msg"), fields.get("message"))
    details = _first(fields.get("details"))
    if own:
        return f"{own} {details}" if details and details not in own else own
    text = (body or b"")[:2000].decode("utf-8", "replace")
    return "" if fields or "<" in text else one_line(text)


_STATUS_SENTENCES = {
    400: "The server refused the request",
    401: "The API refused the key",
    402: "The project has not enough credits",
    403: "The key has no right to do this",
    404: "There is no such address on the server",
    429: "Too many requests at the same time",
}
_STATUS_HINTS = {
    400: "A parameter may be misspelt or not allowed on a stream.",
    401: "Check the API key: DEEPGRAM_API_KEY, --api-key or `dg config`.",
    402: "Add credits in the console.",
    403: "Check which models and features the project may use, and the role of the key.",
    404: "Check the base URL.",
    429: "The project streams as many connections as it may: close some, or try later.",
}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, where the header gives them as a number; at most a minute."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(max(seconds, 0.0), 60.0) if math.isfinite(seconds) else None


def refused(status: int, headers: Mapping[str, str], body: bytes | None = None) -> Ending:
    """What an answer to the handshake other than 101 means. Header names are lower case."""
    fields = _body_fields(body)
    request_id = _first(headers.get("dg-request-id"), fields.get("request_id")) or None
    code = _first(fields.get("err_code"), fields.get("error_code"), fields.get("category")) or None
    if 300 <= status < 400:
        target = one_line(headers.get("location", "")) or "another address"
        error: DgError = ApiError(
            f"The server redirects to {target}.",
            status=status,
            request_id=request_id,
            hint="A redirect is not followed, because the key would go with it: change the base URL.",
        )
        return Ending(error, retry=False)
    said = _said(headers, fields, body)
    if status >= 500:
        sentence, hint = "The server cannot take the stream", _STATUS_HINT
    else:
        sentence = _STATUS_SENTENCES.get(status, "The server refused the stream")
        hint = _STATUS_HINTS.get(status, "")
    message = f"{sentence}: {said}" if said else f"{sentence}."
    make = AuthError if status in (401, 403) else ApiError
    error = make(message, status=status, code=code, request_id=request_id, hint=hint or None)
    busy = status >= 500 or status in _RETRY_STATUSES
    return Ending(error, busy, None, _retry_after(headers), busy)


def nothing_heard(request_id: str | None = None) -> Ending:
    """The server closed in good order, and says that none of what was sent was audio."""
    sentence = "The server found no audio in what was sent."
    return Ending(ApiError(sentence, request_id=request_id, hint=_AUDIO_HINT), retry=False, code=1000)
