"""What every request meets before its route: too many connections, strange hosts and origins, slow bodies."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from dgcli.server import errors, responses
from dgcli.server.access import printable
from dgcli.server.errors import ErrorAnswer
from dgcli.server.receive import drain
from dgcli.visitors import Visitors

_SLOWEST = 500  # bytes a second; the leanest speech codecs need 600
_STALL = 30.0  # seconds that a body may lag behind that
_METHODS = "GET, POST, PUT, PATCH, DELETE"
_EXPOSED = "dg-model-name,dg-model-uuid,dg-char-count,dg-request-id,dg-project-id,dg-error"
_PREFLIGHT_SECONDS = "600"

_BODY = "dgcli.body"  # where a scope has its _PacedBody

_access = logging.getLogger("dgcli.server.access")

EXPOSE: Mapping[str, str] = {"access-control-expose-headers": _EXPOSED}


class EarlyResponse(Response):
    """A refusal that may come while the client still sends: it is answered first, then the rest is read."""

    def __init__(self, refusal: ErrorAnswer, request_id: str, limit: int, body: bytes | None = None) -> None:
        headers = {**refusal.headers(request_id), **EXPOSE}
        super().__init__(refusal.body(request_id) if body is None else body, refusal.status, headers)
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then read on. A client that waits for "100 Continue" has sent nothing, and must not go on."""
        waits = dict(scope["headers"]).get(b"expect", b"").lower() == b"100-continue"
        ends = waits or self.status_code in errors.NO_MORE
        if ends:
            self.headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        body = scope.get(_BODY)
        if not ends and not (isinstance(body, _PacedBody) and body.is_whole):
            await drain(receive, self._limit)
        await send({"type": "http.response.body", "body": b""})


class _PacedBody:
    """An ASGI receive that gives up on a body which comes too slowly.

    The client has `_STALL` seconds of waiting to its credit; they are spent while the server waits for it, and
    each block earns back what it would have taken at the slowest speed.
    """

    def __init__(self, receive: Receive, stall: float) -> None:
        self._receive = receive
        self._credit = self._most = stall
        self._more = True
        self._is_whole = False

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read: what waits for more waits until the client leaves."""
        return self._is_whole

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._credit):
                message = await self._receive()
        except TimeoutError:
            self._more = False
            raise errors.slow_upload() from None
        self._more = bool(message.get("more_body", False))
        self._is_whole = not self._more
        self._credit -= loop.time() - began
        self._credit = min(self._most, self._credit + len(message.get("body", b"")) / _SLOWEST)
        return message


class Guard:
    """ASGI middleware around the routes of the server."""

    def __init__(
        self, app: ASGIApp, *, visitors: Visitors, limit: int, overflow: str, stall: float = _STALL
    ) -> None:
        self._app = app
        self._visitors = visitors
        self._limit = limit
        self._overflow = overflow
        self._stall = stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request or handshake."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                socket = WebSocket(scope, receive, send)
                await socket.receive()  # websocket.connect
                await refuse_handshake(socket, refusal)
            return
        body = scope[_BODY] = _PacedBody(receive, self._stall)
        origin = headers.get("origin")
        if refusal is not None:
            request_id = responses.new_request_id()
            _access.info(
                "%s %s %d, %s", scope["method"], printable(scope["path"]), refusal.status, request_id
            )
            await EarlyResponse(refusal, request_id, self._limit)(scope, body, send)
        elif origin is not None and "access-control-request-method" in headers:
            await Response(status_code=204, headers=_preflight(origin, headers))(scope, body, send)
        else:
            await self._app(scope, body, _with_origin(send, origin))

    def _refusal(self, scope: Scope, headers: Headers) -> ErrorAnswer | None:
        host, origin = headers.get("host"), headers.get("origin")
        if scope.get("state", {}).get(self._overflow):
            return errors.too_many_requests()
        if not self._visitors.host_allowed(host):
            return errors.forbidden("This server does not go by that name: start it with --allow-host NAME.")
        if not self._visitors.origin_allowed(origin, host):
            return errors.forbidden(
                "Pages from that origin are not served: start the server with --allow-origin ORIGIN."
            )
        return None


def _preflight(origin: str, headers: Headers) -> Mapping[str, str]:
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": headers.get("access-control-request-headers", "authorization"),
        "access-control-max-age": _PREFLIGHT_SECONDS,
        "vary": "Origin",
    }


def _with_origin(send: Send, origin: str | None) -> Send:
    """Tell the browser that the page may read the answer."""
    if origin is None:
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            cors = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
            message = {**message, "headers": [*message.get("headers", []), *cors]}
        await send(message)

    return sending


async def refuse_handshake(socket: WebSocket, refusal: ErrorAnswer, request_id: str | None = None) -> None:
    """Answer a WebSocket handshake with a status and a JSON body instead of a socket."""
    request_id = request_id or responses.new_request_id()
    _access.info("WebSocket %s %d, %s", printable(socket.url.path), refusal.status, request_id)
    response = Response(refusal.body(request_id), refusal.status, dict(refusal.headers(request_id)))
    with suppress(OSError, WebSocketDisconnect):  # it may not have waited for the answer
        await socket.send_denial_response(response)
