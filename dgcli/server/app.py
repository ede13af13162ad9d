"""The routes of the local server, and its answers to POST /v1/listen."""

import asyncio
import gzip
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dgcli.server import background, callback, errors, flux, live, openai, query, record, responses
from dgcli.server.access import authorized, printable
from dgcli.server.alignment import Aligner
from dgcli.server.connections import OVERFLOW
from dgcli.server.engines.base import Audio, Engine, NotAudioError, Recognition, TooLongError, Wishes
from dgcli.server.errors import ErrorAnswer
from dgcli.server.fetch import fetch
from dgcli.server.guard import EXPOSE, EarlyResponse, Guard
from dgcli.server.handshake import Slots, refuse_unknown, serve_stream
from dgcli.server.management import ProjectRoutes, both_dialects
from dgcli.server.receive import Received, spool
from dgcli.server.request_log import RequestLog
from dgcli.server.settings import ServerSettings
from dgcli.visitors import Visitors

_MAX_JSON = 1 << 20  # bytes of a {"url"} body
_WORTH_GZIP = 1000  # bytes
_WORTH_THREAD = 1 << 16  # bytes whose compression would hold up other requests

_log = logging.getLogger("dgcli.server")
_access = logging.getLogger("dgcli.server.access")

T = TypeVar("T")
Handler = Callable[[Request, str], Awaitable[Response]]
ErrorBody = Callable[[ErrorAnswer, str], bytes]


def _json_response(request: Request, body: bytes, request_id: str) -> Response:
    headers = {
        "dg-request-id": request_id,
        "dg-project-id": responses.PROJECT_ID,
        **EXPOSE,
    }
    if len(body) >= _WORTH_GZIP and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 6)
        headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
    return Response(body, media_type="application/json", headers=headers)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work, but cancel it when the client disconnects."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, watching = asyncio.create_task(work), asyncio.create_task(gone())
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        watching.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await working


class Listen:
    """Answers the requests; one per server."""

    def __init__(self, settings: ServerSettings, engine: Engine, log: RequestLog) -> None:
        self._settings = settings
        self._engine = engine
        self._log = log
        self._deliveries: set[asyncio.Task[None]] = set()
        self.delivered = threading.Event()  # no callback is still to be called
        self.delivered.set()

    async def transcribe(self, request: Request, request_id: str) -> Response:
        """Answer POST /v1/listen."""
        settings = self._settings
        if not authorized(request.headers.get("authorization"), settings.require_key):
            raise errors.invalid_credentials()
        options = query.parse(request.url.query, any_port=settings.allow_private_urls)
        folder = TemporaryDirectory(prefix="dg-request-")
        keep_folder = False
        try:
            received = await self._receive(request, Path(folder.name))
            if not received.size:
                raise errors.not_audio()
            if settings.record is not None:
                facts = record.describe(request.scope, request_id)
                if received.url is not None:
                    facts["url"] = received.url
                kept = await asyncio.to_thread(record.keep, settings.record, facts, received.path)
                told = {"received_bytes": str(received.size), "file": str(kept)}
                options = replace(options, extra={**(options.extra or {}), **told})
            work = self._answer(received, options, request_id)
            if options.callback is None:
                body = await _unless_gone(request, work)
                if len(body) < _WORTH_THREAD:
                    return _json_response(request, body, request_id)
                return await asyncio.to_thread(_json_response, request, body, request_id)
            keep_folder = True
            task = asyncio.create_task(self._deliver(options.callback, work, request_id, folder))
            self._deliveries.add(task)
            self.delivered.clear()
            task.add_done_callback(self._delivered)
            return _json_response(request, json.dumps({"request_id": request_id}).encode(), request_id)
        finally:
            if not keep_folder:
                folder.cleanup()

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._deliveries.discard(task)
        if not self._deliveries:
            self.delivered.set()

    async def _receive(self, request: Request, folder: Path) -> Received:
        """Put the audio of a request on disk, from its body or from the URL it names."""
        limit = self._settings.max_bytes
        if int(request.headers.get("content-length") or 0) > limit:
            raise errors.too_large(limit)
        path = folder / "audio"
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            return await spool(request.stream(), path, limit)
        body = await spool(request.stream(), path, _MAX_JSON)
        try:
            url = json.loads(path.read_bytes())["url"] if body.size else None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise errors.bad_json() from error
        if not isinstance(url, str):
            raise errors.bad_json()
        allow = self._settings.allow_private_urls
        work = background.call(lambda stop: fetch(url, path, limit=limit, allow_private=allow, stop=stop))
        received = await _unless_gone(request, work)
        return replace(received, url=url)

    async def _recognise(self, received: Received, options: query.Options) -> Recognition:
        """Recognise audio on disk. Raises ErrorAnswer."""
        audio = Audio(
            received.path, options.multichannel, options.encoding, options.sample_rate, options.channels
        )
        wishes = Wishes(
            options.model, options.language, options.detect_language, options.candidates, options.vocabulary
        )
        progress = self._settings.on_progress or (lambda _: None)
        try:
            return await self._engine.recognise(audio, wishes, progress)
        except NotAudioError as error:
            raise errors.not_audio() from error
        except TooLongError as error:
            raise errors.too_long(self._settings.max_seconds) from error
        except LookupError as error:
            raise errors.no_model(str(error)) from error

    def _detects(self, model: str | None) -> bool:
        """Tell whether a model is there that can hear which language is spoken."""
        try:
            self._engine.serve(model, "detect")
        except LookupError:
            return False
        return True

    async def hear(self, request: Request, received: Received, options: query.Options) -> openai.Words:
        """Recognise for another dialect: duration, language and words, unless the client leaves."""
        if options.language is None and await asyncio.to_thread(self._detects, options.model):
            options = replace(options, detect_language=True)
        recognition = await _unless_gone(request, self._recognise(received, options))
        words = [word for heard in recognition.channels for word in heard.words]
        words.sort(key=lambda word: word.start)
        language = recognition.channels[0].language if recognition.channels else "en"
        return recognition.duration, language, responses.prepare(words, options)

    async def _answer(self, received: Received, options: query.Options, request_id: str) -> bytes:
        saved = self._engine.saved_answer
        if saved is not None:
            return saved if options.callback is None else responses.with_request_id(saved, request_id)
        created = datetime.now(UTC)
        recognition = await self._recognise(received, options)
        self._log.heard(request_id, options.model, recognition.duration)
        submission = responses.Submission(request_id, received.sha256, created)
        return await asyncio.to_thread(responses.transcription, submission, recognition, options)

    async def _deliver(
        self,
        target: query.Callback,
        work: Awaitable[bytes],
        request_id: str,
        folder: "TemporaryDirectory[str]",
    ) -> None:
        with folder:
            try:
                body = await work
            except ErrorAnswer as refusal:
                body = refusal.body(request_id)
            except Exception:
                _log.exception("request %s failed", request_id)
                body = errors.internal_error().body(request_id)
        await callback.send(target, body, self._settings, request_id)


def _answering(
    handler: Handler, limit: int, body_of: ErrorBody = ErrorAnswer.body, requests: RequestLog | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Give a handler its request id, its errors their bodies, and the log its line; note it in `requests`."""

    def refused(refusal: ErrorAnswer, request_id: str) -> Response:
        return EarlyResponse(refusal, request_id, limit, body_of(refusal, request_id))

    async def answer(request: Request) -> Response:
        request_id = responses.new_request_id()
        began = time.monotonic()
        try:
            response = await handler(request, request_id)
        except ErrorAnswer as refusal:
            response = refused(refusal, request_id)
        except ClientDisconnect:
            # Nobody reads this; 499 is what the log of a proxy calls it.
            response = Response(status_code=499)
        except asyncio.CancelledError:
            # The server is being stopped, and has waited for this request as long as it does.
            response = refused(errors.stopping(), request_id)
        except Exception:
            _log.exception("request %s failed", request_id)
            response = refused(errors.internal_error(), request_id)
        if requests is not None:
            requests.answered(request_id, request.url.path, response.status_code)
        _access.info(
            "%s %s %d %.2f s, %s",
            request.method,
            printable(request.url.path),
            response.status_code,
            time.monotonic() - began,
            request_id,
        )
        return response

    return answer


def _http_error(limit: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    messages: Mapping[int, tuple[str, str]] = {
        404: (errors.not_found().code, errors.not_found().message),
        405: ("METHOD_NOT_ALLOWED", "The method is not allowed for this resource."),
    }

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code, message = messages.get(error.status_code, ("Bad Request", error.detail))
        request_id = responses.new_request_id()
        _access.info(
            "%s %s %d, %s", request.method, printable(request.url.path), error.status_code, request_id
        )
        refusal = ErrorAnswer(error.status_code, code, message)
        if not openai.speaks(request.url.path):
            return EarlyResponse(refusal, request_id, limit)
        if error.status_code == 404:  # as OpenAI words it: its clients show this and nothing else
            asked = f"Invalid URL ({request.method} {printable(request.url.path)})"
            refusal = ErrorAnswer(404, code, f"{asked}: this server has POST /v1/audio/transcriptions only.")
        return EarlyResponse(refusal, request_id, limit, openai.error_body(refusal, request_id))

    return answer


def create_app(settings: ServerSettings, engine: Engine) -> Starlette:
    """Return the ASGI application; the engine must have been started."""
    log = RequestLog()
    requests = Listen(settings, engine, log)
    slots = Slots(settings.max_streams)

    async def stream(socket: WebSocket) -> None:
        await serve_stream(socket, settings, slots, log, live.checks(socket, settings, engine))

    async def turns(socket: WebSocket) -> None:
        await serve_stream(socket, settings, slots, log, flux.checks(socket, settings, engine))

    limit = settings.max_bytes
    management = ProjectRoutes(settings, engine, log)
    transcriptions = openai.Transcriptions(settings, requests.hear)

    aligner = Aligner(settings, engine, _unless_gone)

    def get(path: str, handler: Handler, body_of: ErrorBody = ErrorAnswer.body) -> Route:
        return Route(path, _answering(handler, limit, body_of), methods=["GET"])

    app = Starlette(
        routes=[
            Route("/v1/listen", _answering(requests.transcribe, limit, requests=log), methods=["POST"]),
            WebSocketRoute("/v1/listen", stream),
            WebSocketRoute("/v2/listen", turns),
            WebSocketRoute("/{path:path}", refuse_unknown),
            Route(
                "/v1/audio/transcriptions",
                _answering(transcriptions.create, limit, openai.error_body, log),
                methods=["POST"],
            ),
            Route("/v1/align", _answering(aligner.align, limit, requests=log), methods=["POST"]),
            get("/v1/models", management.models, both_dialects),
            get("/v1/models/{model_id}", management.models, both_dialects),
            get("/v1/projects", management.projects),
            get("/v1/projects/{project_id}", management.projects),
            get("/v1/projects/{project_id}/models", management.models),
            get("/v1/projects/{project_id}/models/{model_id}", management.models),
            get("/v1/projects/{project_id}/usage", management.usage),
            get("/v1/projects/{project_id}/usage/breakdown", management.usage),
            get("/v1/projects/{project_id}/requests", management.requests),
            get("/v1/projects/{project_id}/requests/{request_id}", management.requests),
            get("/v1/projects/{project_id}/balances", management.balances),
            get("/v1/auth/token", management.token),
            Route("/v1/auth/grant", _answering(management.grant, limit), methods=["POST"]),
        ],
        middleware=[
            Middleware(
                Guard,
                visitors=Visitors(settings.host, settings.allow_hosts, settings.allow_origins),
                limit=limit,
                overflow=OVERFLOW,
                stall=settings.body_timeout,
            )
        ],
        exception_handlers={HTTPException: _http_error(limit)},
    )
    app.state.delivered = requests.delivered
    return app
