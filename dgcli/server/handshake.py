"""How a stream of either version of the API begins: key, query, a place, and the session that then runs."""

import logging
import time
from collections.abc import Awaitable, Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from dgcli.server import errors, responses
from dgcli.server.access import SCHEMES, handshake_authorized, printable
from dgcli.server.engines.base import Engine
from dgcli.server.errors import ErrorAnswer
from dgcli.server.guard import refuse_handshake
from dgcli.server.request_log import RequestLog
from dgcli.server.settings import ServerSettings
from dgcli.server.stream_session import StreamSession

_access = logging.getLogger("dgcli.server.access")

Opening = Callable[[], Awaitable[StreamSession]]  # gives the session; raises ErrorAnswer
Check = Callable[[str, str], Opening]  # of a query and the request id; raises ErrorAnswer


def _subprotocol(socket: WebSocket) -> str | None:
    """Return the offered scheme, which a browser needs to hear again."""
    return next((name for name in socket.scope["subprotocols"] if name.lower() in SCHEMES), None)


class Slots:
    """How many streams there may be at once."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    def take(self) -> bool:
        """Take a place, if there is one."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Leave a place to others."""
        self._free += 1


def check_model(engine: Engine, model: str | None, language: str | None) -> None:
    """Raise ErrorAnswer when no model serves a query of these."""
    try:
        engine.serve(model, language)
    except LookupError as error:
        raise errors.no_model(str(error)) from error


async def refuse_unknown(socket: WebSocket) -> None:
    """Refuse a WebSocket on a path that this server does not have."""
    await socket.receive()
    await refuse_handshake(socket, errors.not_found())


async def _open(
    socket: WebSocket, settings: ServerSettings, slots: Slots, check: Check, request_id: str
) -> StreamSession:
    """Check a handshake, take a place and return the session. Raises ErrorAnswer."""
    protocols = socket.scope["subprotocols"]
    if not handshake_authorized(socket.headers.get("authorization"), protocols, settings.require_key):
        raise errors.invalid_credentials()
    opening = check(socket.scope["query_string"].decode("latin-1"), request_id)
    if not slots.take():
        raise errors.too_many_requests()
    try:
        return await opening()
    except BaseException:
        slots.give_back()
        raise


async def serve_stream(
    socket: WebSocket, settings: ServerSettings, slots: Slots, log: RequestLog, check: Check
) -> None:
    """Serve one WebSocket: refuse it with a status and a JSON body, or run its session; note it in `log`."""
    request_id = responses.new_request_id()
    began = time.monotonic()
    await socket.receive()  # websocket.connect
    try:
        session = await _open(socket, settings, slots, check, request_id)
    except ErrorAnswer as refusal:
        await refuse_handshake(socket, refusal, request_id)
        log.answered(request_id, socket.url.path, refusal.status, method="streaming")
        return
    headers = [
        (b"dg-request-id", request_id.encode()),
        (b"dg-project-id", responses.PROJECT_ID.encode()),
    ]
    heard = ""
    try:
        await socket.accept(_subprotocol(socket), headers)
        end = await session.run()
        heard = f", {session.heard}"
        log.heard(request_id, session.model_asked, session.seconds)
    except (WebSocketDisconnect, OSError):
        end = "the client did not wait for the handshake"
    finally:
        slots.give_back()
        await session.release()
    log.answered(request_id, socket.url.path, 200, method="streaming")
    _access.info(
        "WebSocket %s %s%s, %.2f s, %s",
        printable(socket.url.path),
        end,
        heard,
        time.monotonic() - began,
        request_id,
    )
