"""OpenAI's dialect: POST /v1/audio/transcriptions, and its form of errors.

Source: the API reference "Create transcription" and the types of the official client.
"""

import asyncio
import json
import math
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dgcli.server import query, record, responses, wording
from dgcli.server.access import authorized
from dgcli.server.engines.base import HeardWord
from dgcli.server.errors import ErrorAnswer, invalid_credentials
from dgcli.server.languages import name_of
from dgcli.server.multipart import FormData, MalformedError, read_form
from dgcli.server.query import Options
from dgcli.server.receive import Received
from dgcli.server.settings import ServerSettings

_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_GRANULARITIES = ("word", "segment")
_PAUSE = 0.8  # seconds of silence that no caption stands through
_LONGEST = 84  # characters of a segment: two lines of a caption
_TYPES = {401: "invalid_request_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}
_CODES = {"INVALID_AUTH": "invalid_api_key", "TOO_MANY_REQUESTS": "rate_limit_exceeded"}

Json = dict[str, Any]
Words = tuple[float, str, Sequence[HeardWord]]  # seconds of audio, language, words as they are written
Recognise = Callable[[Request, Received, Options], Awaitable[Words]]


class InvalidFieldError(ErrorAnswer):
    """A field of the form that is missing or has a value that is not taken."""

    def __init__(self, param: str | None, message: str, code: str | None = None) -> None:
        super().__init__(400, code or "invalid_value", message)
        self.param = param


def error_body(refusal: ErrorAnswer, request_id: str) -> bytes:  # noqa: ARG001 - OpenAI's errors do not hold it
    """Return the body of a refusal as OpenAI's clients read it."""
    error = {
        "message": refusal.message,
        "type": _TYPES.get(refusal.status, "invalid_request_error"),
        "param": getattr(refusal, "param", None),
        "code": _CODES.get(refusal.code, refusal.code.lower().replace(" ", "_")),
    }
    return json.dumps({"error": error}, ensure_ascii=False).encode()


def speaks(path: str) -> bool:
    """Tell whether whoever asks for a path expects OpenAI's answers, whatever is there."""
    return path.startswith("/v1/audio/")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a form asks for."""

    options: Options
    format: str
    granularities: Sequence[str]
    stream: bool


def _choice(form: FormData, name: str, choices: Sequence[str], default: str) -> str:
    value = form.text(name) or default
    if value not in choices:
        known = ", ".join(f"'{choice}'" for choice in choices)
        raise InvalidFieldError(name, f"Invalid value: '{value}'. Supported values are: {known}.")
    return value


def _check_temperature(form: FormData) -> None:
    value = form.text("temperature")
    try:
        valid = value is None or 0 <= float(value) <= 1
    except ValueError:
        valid = False
    if not valid:
        raise InvalidFieldError("temperature", f"Invalid value: '{value}'. Expected a number from 0 to 1.")


def _options(form: FormData, model: str) -> Options:
    """Ask for the same in the words of /v1/listen: so there is one reading of what a request may want."""
    asked = [("punctuate", "true")]
    if query.is_model(model):  # whisper-small; what only OpenAI has gets the model that is there
        asked.append(("model", model))
    language = form.text("language")
    if language:
        asked.append(("language", language))
    asked += [("keyterm", term) for term in [form.text("prompt"), *form.many("keywords")] if term]
    try:
        return query.parse(urlencode(asked), any_port=False)
    except ErrorAnswer as refusal:
        param = "language" if "language" in refusal.message else "prompt"
        raise InvalidFieldError(param, refusal.message) from refusal


def _wanted(form: FormData) -> _Wanted:
    model = form.text("model")
    if not model:
        raise InvalidFieldError("model", "you must provide a model parameter", "missing_required_parameter")
    form_of = _choice(form, "response_format", _FORMATS, "json")
    granularities = form.many("timestamp_granularities")
    for value in granularities:
        if value not in _GRANULARITIES:
            raise InvalidFieldError(
                "timestamp_granularities",
                f"Invalid value: '{value}'. Supported values are: 'word', 'segment'.",
            )
    if granularities and form_of != "verbose_json":
        raise InvalidFieldError(
            "timestamp_granularities", "Timestamp granularities need response_format 'verbose_json'."
        )
    _check_temperature(form)
    stream = _choice(form, "stream", ("true", "false"), "false") == "true"
    return _Wanted(_options(form, model), form_of, granularities or ["segment"], stream)


def _segments(words: Sequence[HeardWord]) -> list[list[HeardWord]]:
    """Split into sentences, at pauses, and what is long so that it fits a caption."""
    result: list[list[HeardWord]] = []
    parts = [part for sentence in wording.sentences(words) for part in wording.split(sentence, _PAUSE)]
    for sentence in parts:
        length = 0
        result.append([])
        for word in sentence:
            size = len(wording.written(word)) + 1
            if result[-1] and length + size > _LONGEST:
                result.append([])
                length = 0
            result[-1].append(word)
            length += size
    return result


def _segment_json(number: int, words: Sequence[HeardWord]) -> Json:
    text = wording.text_of(words)
    raw = text.encode()
    return {
        "id": number,
        "seek": int(words[0].start * 100),
        "start": round(words[0].start, 3),
        "end": round(words[-1].end, 3),
        "text": f" {text}",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(fmean(math.log(max(word.confidence, 1e-9)) for word in words), 6),
        "compression_ratio": round(len(raw) / len(zlib.compress(raw)), 6),
        "no_speech_prob": 0.0,
    }


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


def _captions(segments: Sequence[Sequence[HeardWord]], mark: str) -> list[str]:
    """Return times and text of each segment; `-->` in a text cannot break the file."""
    return [
        f"{_clock(words[0].start, mark)} --> {_clock(words[-1].end, mark)}\n"
        + wording.text_of(words).replace("-->", "->")
        for words in segments
    ]


def _usage(duration: float) -> Json:
    return {"type": "duration", "seconds": math.ceil(duration)}


def _verbose(wanted: _Wanted, heard: Words) -> Json:
    duration, language, words = heard
    body: Json = {
        "task": "transcribe",
        "language": name_of(language),
        "duration": round(duration, 3),
        "text": wording.text_of(words),
    }
    if "segment" in wanted.granularities:
        body["segments"] = [_segment_json(number, part) for number, part in enumerate(_segments(words))]
    if "word" in wanted.granularities:
        body["words"] = [
            {"word": wording.written(word), "start": round(word.start, 3), "end": round(word.end, 3)}
            for word in words
        ]
    return {**body, "usage": _usage(duration)}


def _rendered(wanted: _Wanted, heard: Words) -> tuple[str, str]:
    """Return a body and its media type."""
    duration, _, words = heard
    match wanted.format:
        case "text":
            return wording.text_of(words) + "\n", "text/plain"
        case "srt":
            cues = [f"{n}\n{cue}\n" for n, cue in enumerate(_captions(_segments(words), ","), 1)]
            return "\n".join(cues), "text/plain"
        case "vtt":
            return "WEBVTT\n\n" + "\n\n".join(_captions(_segments(words), ".")) + "\n", "text/plain"
        case "verbose_json":
            return json.dumps(_verbose(wanted, heard), ensure_ascii=False), "application/json"
    body = {"text": wording.text_of(words), "usage": _usage(duration)}
    return json.dumps(body, ensure_ascii=False), "application/json"


async def _events(heard: Words) -> AsyncIterator[bytes]:
    """Yield the text in pieces, as server-sent events, and then the whole."""
    duration, _, words = heard

    def event(kind: str, **fields: Any) -> bytes:
        return b"data: " + json.dumps({"type": kind, **fields}, ensure_ascii=False).encode() + b"\n\n"

    for number, segment in enumerate(_segments(words)):
        yield event("transcript.text.delta", delta=(" " if number else "") + wording.text_of(segment))
    yield event("transcript.text.done", text=wording.text_of(words), usage=_usage(duration))
    yield b"data: [DONE]\n\n"


class Transcriptions:
    """Answers POST /v1/audio/transcriptions; `recognise` is what /v1/listen answers with too."""

    def __init__(self, settings: ServerSettings, recognise: Recognise) -> None:
        self._settings = settings
        self._recognise = recognise

    async def create(self, request: Request, request_id: str) -> Response:
        """Receive the form, recognise its file, and render what was heard."""
        settings = self._settings
        if not authorized(request.headers.get("authorization"), settings.require_key):
            raise invalid_credentials()
        with TemporaryDirectory(prefix="dg-request-") as folder:
            form = await self._form(request, Path(folder, "audio"))
            wanted = _wanted(form)
            if form.file is None or not form.file.size:
                raise InvalidFieldError("file", "The form holds no audio.", "missing_required_parameter")
            if settings.record is not None:
                facts = {**record.describe(request.scope, request_id), "fields": form.fields}
                await asyncio.to_thread(record.keep, settings.record, facts, form.file.path)
            heard = await self._recognise(request, form.file, wanted.options)
        headers = self._headers(request_id)
        if wanted.stream:
            return StreamingResponse(_events(heard), media_type="text/event-stream", headers=headers)
        body, media_type = await asyncio.to_thread(_rendered, wanted, heard)
        return Response(body, media_type=media_type, headers=headers)

    def _headers(self, request_id: str) -> Mapping[str, str]:
        return {
            "x-request-id": request_id,
            "dg-request-id": request_id,
            "dg-project-id": responses.PROJECT_ID,
        }

    async def _form(self, request: Request, path: Path) -> FormData:
        limit = self._settings.max_bytes
        try:
            return await read_form(
                request.headers.get("content-type", ""),
                request.stream(),
                path,
                file_field="file",
                limit=limit,
            )
        except MalformedError as error:
            raise InvalidFieldError(None, f"The form cannot be read: {error}") from error
