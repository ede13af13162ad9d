"""What an answer or a close frame means that is not what was asked for: one fault, one wording, no I/O.

Whoever talks to a server (the REST caller, the streamer, HTTP sources) hands plain values in and gets a `Refusal`:
an error with one message, a hint that fits whom we talk to, and whether another try is worth it. What fails
before there is an answer is in `unreachable`.

Sources: Deepgram reference, "API Errors" and "STT Troubleshooting WebSocket, NET, and DATA Errors"; RFC 9110,
section 15 (status codes); RFC 6455, section 7.4 (close codes).
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from dgcli.api.retry_after import retry_after
from dgcli.errors import ApiError, AudioError, AuthError, DgError, NetworkError
from dgcli.transcript.json_values import json_object


class Role(enum.Enum):
    """What a server is to us. The remedies of one are none for the other."""

    API = "api"
    SOURCE = "source"  # a radio, a podcast: it has neither our key nor a base URL


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom we talk to."""

    url: str
    role: Role = Role.API

    @property
    def host(self) -> str:
        """Its name, and its port if the URL has one; without a login."""
        return one_line(urlsplit(self.url).netloc.rpartition("@")[2])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer or no connection, as an error, and whether another try is worth it."""

    error: DgError
    retry: bool = False
    once: bool = False  # another try is worth it, but not a third
    code: int | None = None  # of a close frame
    retry_after: float | None = None  # seconds that the server asked to wait
    busy: bool = False  # it answered, and cannot serve us now: asking again at once would make it worse

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        message = self.error.message
        return message if message.endswith((".", "!", "?", "…")) else f"{message}."


def one_line(text: str, limit: int = 300) -> str:
    """Return a server's text on one line, without control characters, cut where it is too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_login(url: str) -> str:
    """Return a URL as it may be shown: without the name and the password that may be in it."""
    return re.sub(r"//[^/?#]*@", "//", url, count=1)


_AUDIO_HINT = (
    "Check that what is sent is audio and not empty. Headerless audio needs the right --encoding and "
    "--sample-rate; a container (WAV, Ogg, MP3...) needs neither of them."
)
_STATUS_HINT = "Try again; see status.deepgram.com. If it persists, ask support with the request id."
_LATER = "Try again later."

# Answers with a status.

_SENTENCES = {
    400: "The API refused the request.",
    401: "The API refused the key.",
    402: "The project has not enough credits.",
    403: "The key may not do this.",
    404: "The server has no such address.",
    405: "The server does not transcribe at this address.",
    408: "The upload took too long for the server.",
    413: "The audio is too large for the server.",
    414: "The query is too long for the server.",
    415: "The server does not take this kind of media.",
    422: "The server could not read the whole request.",
    429: "Too many requests at the same time.",
    500: "The server met an error.",
    502: "A server on the way to the API got no answer.",
    503: "The server is too busy.",
    504: "The server took too long.",
}
_NOT_ALLOWED = "The key may not use this model or feature: check --model, or use another key."
_HINTS: Mapping[int, str] = {
    401: "Check the API key (--api-key, DEEPGRAM_API_KEY or the config file): it may be mistyped, deleted or expired.",
    402: "Add credit to the project, or use a key of another one.",
    403: _NOT_ALLOWED,
    404: "Check --base-url: this server has no such path.",
    405: "Check --base-url: this server does not transcribe.",
    408: "The connection is slow; compressing the audio (FLAC, Opus) makes it smaller.",
    411: "A proxy on the way wants another kind of upload.",
    413: "The API takes up to 2 GB: compress the audio (FLAC, Opus), extract it from the video, or split it.",
    414: "Send fewer keywords, keyterms or search terms.",
    415: "Convert the audio to WAV, FLAC or MP3.",
    422: _LATER,
    429: "The project has as many requests or streams under way as it may: try later, or run fewer at a time.",
    501: "Check --base-url: this server does not do that.",
    504: "Try a smaller file or a faster model.",
}
REMOTE_CONTENT = "REMOTE_CONTENT_ERROR"
_FETCH_HINT = "The API must be able to fetch the URL; for a file of this machine: dg file."
_HINTS_BY_CODE: Mapping[str, str] = {
    "INVALID_AUTH": _HINTS[401],
    "INSUFFICIENT_PERMISSIONS": _NOT_ALLOWED,
    "ASR_PAYMENT_REQUIRED": _HINTS[402],
    "UNAUTHORIZED_FEATURES_REQUESTED": "Leave the feature out, or ask for access to it.",
    REMOTE_CONTENT: _FETCH_HINT,
    "SLOW_UPLOAD": _HINTS[408],
}
_SOURCE_HINTS = {
    401: "The server wants a login: put it into the URL, as in http://NAME:PASSWORD@HOST/.",
    403: "The server lets only some in: it may want a login in the URL, or refuse this place.",
    404: "Check the URL: what was there may have moved.",
    410: "Check the URL: what was there may have moved.",
    429: "The server has as many listeners as it may, or was asked too often: try later.",
}
_CORRUPT = "failed to process audio"
_ONCE = 422  # of an upload that was cut on the way, the API says so once
# Others of 500 and above are about what is asked, and not about when.
_LASTING = frozenset({501, 505, 506, 508, 510, 511})
_PASSING = frozenset({408, 425, 429})


def passes(status: int) -> bool:
    """Whether the same request may succeed later."""
    return status in _PASSING or (status >= 500 and status not in _LASTING)


def is_html(headers: Mapping[str, str], body: bytes | None) -> bool:
    """Whether an answer is a web page."""
    start = (body or b"")[:512].lstrip().lower()
    return "html" in headers.get("content-type", "").lower() or start.startswith((b"<!doctype", b"<html"))


def _title(body: bytes | None) -> str:
    """What a web page says it is."""
    match = re.search(rb"<title[^>]*>(.*?)</title>", (body or b"")[:65536], re.IGNORECASE | re.DOTALL)
    return one_line(match[1].decode("utf-8", "replace"), 100) if match else "no title"


def _first(*candidates: object) -> str:
    return next((text for value in candidates if isinstance(value, str) and (text := one_line(value))), "")


def _own_message(headers: Mapping[str, str], fields: Mapping[str, Any], body: bytes | None) -> str:
    """What the answer says is wrong: its JSON, its header, or its text; of a web page what it is."""
    own = _first(fields.get("err_msg"), fields.get("message"), headers.get("dg-error"))
    details = _first(fields.get("details"))
    if own:
        return f"{own} {details}" if details and details not in own else own
    if is_html(headers, body):
        return f"A web page instead of the API's answer: {_title(body)!r}."
    text = one_line((body or b"")[:2000].decode("utf-8", "replace"))
    return "" if text in ("{}", "[]", "null") else text


def phrase(status: int) -> str:
    """Return a status with its name, as the standard has it."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _from_source(status: int, headers: Mapping[str, str], peer: Peer) -> Refusal:
    hint = _SOURCE_HINTS.get(status, _LATER if passes(status) else None)
    error = AudioError(f"{without_login(peer.url)} answered {phrase(status)}.", hint=hint)
    return Refusal(error, passes(status), retry_after=retry_after(status, headers), busy=passes(status))


def _redirected(status: int, headers: Mapping[str, str], request_id: str | None) -> Refusal:
    target = one_line(headers.get("location", "")) or "another address"
    hint = "Redirects are not followed, so that the key stays where it belongs: set --base-url to that host."
    error = ApiError(f"The server redirects to {target}.", status=status, request_id=request_id, hint=hint)
    return Refusal(error)


def refused(
    status: int, headers: Mapping[str, str], body: bytes | None = None, peer: Peer | None = None
) -> Refusal:
    """Return what an answer means that is not what was asked for; of the API unless `peer` is a source.

    Header names are lower case, or the mapping does not mind.
    """
    if peer is not None and peer.role is Role.SOURCE:
        return _from_source(status, headers, peer)
    fields = json_object(body or b"") or {}
    request_id = _first(fields.get("request_id"), headers.get("dg-request-id")) or None
    if 300 <= status < 400:
        return _redirected(status, headers, request_id)
    code = _first(fields.get("err_code"), fields.get("category"), fields.get("error_code")) or None
    message = _own_message(headers, fields, body)
    hint: str | None = _HINTS_BY_CODE.get(code or "") or _HINTS.get(
        status, _STATUS_HINT if status >= 500 else None
    )
    if status < 300:  # instead of opening a WebSocket
        message, hint = "The server does not stream at this address.", "Check --base-url."
    elif _CORRUPT in message:
        hint = _AUDIO_HINT
    message = message or _SENTENCES.get(status) or f"The server answered {phrase(status)}."
    kind = AuthError if status in (401, 403) else ApiError
    error = kind(message, status=status, code=code, request_id=request_id, hint=hint)
    retry = passes(status) or status == _ONCE
    return Refusal(
        error,
        retry,
        once=status == _ONCE,
        retry_after=retry_after(status, headers),
        busy=passes(status),
    )


def web_page(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """Return what a web page means that came where a transcript should: a proxy may say 200 and want a log-in."""
    error = ApiError(
        f"The answer is a web page, {_title(body)!r}: something between here and the API gave it.",
        status=status,
        request_id=_first(headers.get("dg-request-id")) or None,
        hint="Check --base-url and any proxy.",
    )
    return Refusal(error)


# Connections that end.

ABNORMAL = 1006  # no close frame was received
NO_CODE = 1005  # a close frame without a code
# Audio that the server refused once is refused again.
_FATAL_CODES = frozenset({1003, 1007, 1008, 1009, 1010})
_NAMED = re.compile(r"(DATA|NET)-?(\d{4})", re.IGNORECASE)
_NETWORK_HINT = "Check the network between here and the server."
_IDLE_HINT = (
    "Audio must be sent within 10 s of opening, KeepAlive messages alone do not hold a connection. "
    "Check that the source gives audio, and the network."
)
_CLOSE_SENTENCES = {
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


def closed(code: int, reason: str = "", request_id: str | None = None) -> Refusal:
    """Return what a close frame, or its absence (1006), means."""
    named = _NAMED.search(reason)
    name = f"{named[1].upper()}-{named[2]}" if named else None
    if name in _NAMED_ENDINGS:
        sentence, hint, retry = _NAMED_ENDINGS[name]
        error: DgError = ApiError(sentence, code=f"{code} {name}", request_id=request_id, hint=hint)
        return Refusal(error, retry, code=code)
    sentence = _CLOSE_SENTENCES.get(code, "The server ended the connection.")
    if reason := one_line(reason):
        sentence = f"{sentence.rstrip('.')}: {reason}"
    retry = code not in _FATAL_CODES
    if code in (NO_CODE, ABNORMAL):
        return Refusal(NetworkError(sentence, hint=_NETWORK_HINT), retry, code=code)
    hint = _STATUS_HINT if retry else _AUDIO_HINT
    return Refusal(ApiError(sentence, code=str(code), request_id=request_id, hint=hint), retry, code=code)


def failed(code: int, message: str, request_id: str | None = None) -> Refusal:
    """Return what it means that the server ended the connection with this code after an error message."""
    if _NAMED.search(message):
        return closed(code, message, request_id)
    retry = code not in _FATAL_CODES
    hint = _STATUS_HINT if retry else _AUDIO_HINT
    return Refusal(ApiError(message, code=str(code), request_id=request_id, hint=hint), retry, code=code)


def nothing_heard(request_id: str | None = None) -> Refusal:
    """Return what it means that the server closed in good order, and found no audio in what was sent."""
    sentence = "The server found no audio in what was sent."
    return Refusal(ApiError(sentence, request_id=request_id, hint=_AUDIO_HINT), code=1000)


def unfinished(seconds: float) -> Refusal:
    """Return what it means that the last results did not come in time."""
    error = NetworkError(f"The server did not finish within {seconds:g} s.", hint=_NETWORK_HINT)
    return Refusal(error, retry=True)
