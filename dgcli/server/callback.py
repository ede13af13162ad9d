"""Delivery of results to the URL that the request named (page "Callback")."""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from dgcli.server.background import call
from dgcli.server.errors import ErrorAnswer, invalid_callback
from dgcli.server.fetch import deliver, dial
from dgcli.server.query import Callback
from dgcli.server.settings import ServerSettings

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_RETRIES = 10
_CONNECT = 10.0  # seconds for connecting to the socket of a callback
_AHEAD = 1000  # messages of a stream that wait for their delivery before the stream has to
_LAST = 60.0  # seconds that the deliveries of a stream may take after its end

_log = logging.getLogger("dgcli.server")


class CallbackLostError(Exception):
    """The WebSocket that a stream's messages go to was closed: that ends the stream."""


def key_id(key: str | None) -> str:
    """Return what the API's `dg-token` header holds: an id of the key, which does not reveal it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:dgcli:key:{key or ''}"))


def _headers(settings: ServerSettings, request_id: str) -> Mapping[str, str]:
    return {"dg-token": key_id(settings.require_key), "dg-request-id": request_id}


async def _deliver(
    callback: Callback, body: bytes, headers: Mapping[str, str], *, allow_private: bool
) -> int | None:
    """Send `body` and return the status, or None when there was no answer."""
    headers = {"Content-Type": "application/json", **headers}
    return await call(
        lambda _: deliver(callback.method, callback.url, body, headers, allow_private=allow_private)
    )


def _say(request_id: str, status: int | None) -> None:
    _log.warning("callback of %s: %s", request_id, f"HTTP {status}" if status else "no answer")


async def send(callback: Callback, body: bytes, settings: ServerSettings, request_id: str) -> bool:
    """Deliver `body`; any status outside 2xx is tried again, 10 times, `callback_retry_delay` seconds apart."""
    headers = _headers(settings, request_id)
    for attempt in range(_RETRIES + 1):
        if attempt:
            await asyncio.sleep(settings.callback_retry_delay)
        status = await _deliver(callback, body, headers, allow_private=settings.allow_private_urls)
        if status is not None and 200 <= status < 300:
            return True
        _say(request_id, status)
    return False


class StreamCallback(Protocol):
    """Where the messages of a stream go beside its own socket."""

    async def send(self, text: str) -> None:
        """Deliver a message after those before it; may return before it is. Raises CallbackLostError."""

    async def watch(self) -> None:
        """Wait until the callback is lost. Raises CallbackLostError."""

    async def close(self) -> None:
        """Wait until everything is delivered, under a deadline, and end."""


class _HttpCallback:
    """A request for each message, one after the other."""

    def __init__(self, target: Callback, settings: ServerSettings, request_id: str) -> None:
        self._target = target
        self._request_id = request_id
        self._headers = _headers(settings, request_id)
        self._allow_private = settings.allow_private_urls
        self._queue: asyncio.Queue[str] = asyncio.Queue(_AHEAD)
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            body = (await self._queue.get()).encode()
            status = await _deliver(self._target, body, self._headers, allow_private=self._allow_private)
            if status is None or not 200 <= status < 300:
                _say(self._request_id, status)
            self._queue.task_done()

    async def send(self, text: str) -> None:
        await self._queue.put(text)

    async def watch(self) -> None:
        await asyncio.Event().wait()  # requests that fail do not end a stream

    async def close(self) -> None:
        try:
            async with asyncio.timeout(_LAST):
                await self._queue.join()
        except TimeoutError:
            _log.warning(
                "callback of %s: %d messages were not delivered", self._request_id, self._queue.qsize()
            )
        self._task.cancel()


class _SocketCallback:
    """A WebSocket that gets every message."""

    def __init__(self, socket: "ClientConnection") -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise CallbackLostError from error

    async def watch(self) -> None:
        async for _ in self._socket:
            pass  # what it says is of no interest
        raise CallbackLostError

    async def close(self) -> None:
        await self._socket.close()


async def _connect(target: Callback, settings: ServerSettings, request_id: str) -> _SocketCallback:
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    allow = settings.allow_private_urls
    try:
        sock = await call(lambda _: dial(target.url, allow_private=allow, timeout=_CONNECT))
        socket = await connect(
            target.url,
            sock=sock,
            additional_headers=_headers(settings, request_id),
            open_timeout=_CONNECT,
            close_timeout=_CONNECT,
        )
    except (OSError, ValueError, WebSocketException, ErrorAnswer) as error:
        raise invalid_callback() from error
    return _SocketCallback(socket)


async def open_callback(
    target: Callback | None, settings: ServerSettings, request_id: str
) -> StreamCallback | None:
    """Make ready to deliver the messages of a stream. Raises ErrorAnswer when a WebSocket cannot be opened."""
    if target is None:
        return None
    if target.url.startswith("ws"):
        return await _connect(target, settings, request_id)
    return _HttpCallback(target, settings, request_id)
