"""The connections of the server: how many there may be, and how long a client may keep one waiting.

uvicorn accepts as many as the system lets it, logs every accept that fails, and waits for the rest of a
request for ever. Here connections are counted before they are accepted, and the one whose client has been
silent longest makes room for the next.
"""

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from dgcli.server.throttle import throttled
from dgcli.system import open_files_limit

_SPARE = 16  # connections beyond the limit that still get the answer that there are too many
_DESCRIPTORS_OF_OURS = 48  # what a server without clients has open, and the pipes of a few workers
_DESCRIPTORS_EACH = 2  # a connection, and the file that its audio goes to
_FEWEST = 8
_SWEEP_EVERY = 1.0  # seconds
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RETRY_ACCEPT = 0.2  # seconds
_UNREAD = 60.0  # seconds that a client may leave an answer unread
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

OVERFLOW = "overflow"  # key of an ASGI scope's state: this connection is one too many
PINGED = "pinged"  # key of an ASGI scope's state: a function that tells when (monotonic) a ping last came
NO_STATUS = 1005  # to be closed with: a close frame without a status (RFC 6455, 7.1.5)

# Not uvicorn's own loggers: an application that embeds this server may have set those up for itself.
_log = throttled(logging.getLogger("dgcli.server.protocol"))


def connection_limit(wanted: int) -> int:
    """Return how many connections the open files that this process may have are enough for."""
    files = open_files_limit()
    if files is None:
        return wanted
    return min(wanted, max(_FEWEST, (files - _DESCRIPTORS_OF_OURS) // _DESCRIPTORS_EACH))


class Connections:
    """Every open connection, and the rules that they share."""

    def __init__(self, limit: int, head_timeout: float) -> None:
        self.limit = limit
        self.head_timeout = head_timeout
        self._http: set[HttpConnection] = set()
        self._streams: set[StreamConnection] = set()

    def __len__(self) -> int:
        return len(self._http) + len(self._streams)

    def add(self, connection: "HttpConnection | StreamConnection") -> None:
        """Count a connection."""
        if isinstance(connection, HttpConnection):
            self._http.add(connection)
        else:
            self._streams.add(connection)

    def discard(self, connection: "HttpConnection | StreamConnection") -> None:
        """Count a connection no longer."""
        self._http.discard(connection)
        self._streams.discard(connection)

    def make_room(self) -> bool:
        """Tell whether another connection may come; drops the one that was silent longest, if it owes a request."""
        if len(self) < self.limit:
            return True
        silent = [connection for connection in self._http if connection.owes_request]
        if not silent:
            return len(self) < self.limit + _SPARE
        dropped = min(silent, key=lambda connection: connection.heard)
        self.discard(dropped)
        dropped.transport.abort()
        return True

    def sweep(self, now: float) -> None:
        """Close the connections whose request has not come in time, or whose answer nobody reads."""
        for http in list(self._http):
            http.close_if_late(now)
        everyone: list[HttpConnection | StreamConnection] = [*self._http, *self._streams]
        for connection in everyone:
            if connection.unread.stuck(connection.transport, now):
                connection.transport.abort()


class _Unread:
    """Watches whether what waits to be sent on a connection becomes less."""

    def __init__(self) -> None:
        self._size = 0
        self._since = 0.0

    def stuck(self, transport: asyncio.Transport, now: float) -> bool:
        size = transport.get_write_buffer_size()
        if size == 0 or size != self._size:
            self._size, self._since = size, now
        return size > 0 and now - self._since > _UNREAD


class HttpConnection(H11Protocol):
    """A connection that speaks HTTP."""

    def __init__(self, *, connections: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.logger = _log
        self.heard = self.loop.time()  # when the client last sent anything
        self.unread = _Unread()
        self._head_began: float | None = self.heard
        self._registry = connections
        self.ws_protocol_class = partial(StreamConnection, connections=connections)  # type: ignore[assignment]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection; those that are too many are marked."""
        self._registry.add(self)
        if len(self._registry) > self._registry.limit:
            self.app_state = {**self.app_state, OVERFLOW: True}
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._registry.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note when it came, and whether the head of a request is still incomplete after it."""
        self.heard = self.loop.time()
        if self._head_began is None:
            self._head_began = self.heard
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_began = None

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to the protocol of a stream."""
        self._registry.discard(self)
        self._head_began = None
        super().handle_websocket_upgrade(event)

    @property
    def owes_request(self) -> bool:
        """Whether the server waits for the client, and not the client for the server."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or (cycle.more_body and not self.flow.read_paused)

    def close_if_late(self, now: float) -> None:
        """Close the connection when the head of a request has taken too long."""
        if self._head_began is None or now - self._head_began < self._registry.head_timeout:
            return
        if not self.transport.is_closing():
            self.transport.write(_TIMED_OUT)
            self.transport.close()


class StreamConnection(WebSocketsSansIOProtocol):
    """A connection that speaks WebSocket."""

    def __init__(self, *, connections: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.logger = _log
        self.conn.logger = _log
        self.unread = _Unread()
        self._pinged = 0.0
        self._registry = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        self._registry.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._registry.discard(self)
        super().connection_lost(exc)

    def handle_connect(self, event: Any) -> None:
        """Begin the handshake; the application may ask when the client pinged."""
        self.app_state = {**self.app_state, PINGED: lambda: self._pinged}
        super().handle_connect(event)

    def handle_ping(self) -> None:
        """Note the time, and answer."""
        self._pinged = time.monotonic()
        super().handle_ping()

    async def send(self, message: Any) -> None:
        """Send a message of the application.

        A refused handshake, and a client that left during it, are no faults of the application: without this
        uvicorn reports that it "returned without completing handshake".
        """
        if not self.handshake_complete and self.transport.is_closing():
            self.handshake_complete = True
            raise ClientDisconnected
        if message["type"] == "websocket.close" and message.get("code") == NO_STATUS:
            self._close_without_status()
            return
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def _close_without_status(self) -> None:
        """Do what uvicorn does for a close that has a status; it knows no other."""
        if self.disconnected or self.close_sent or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": NO_STATUS, "reason": ""})
        try:
            self.conn.send_close()
        except InvalidState:
            raise ClientDisconnected from None
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)


class Acceptor:
    """Accepts connections while there is room; stands where uvicorn has an asyncio server."""

    def __init__(
        self, sock: socket.socket, factory: Callable[[], asyncio.Protocol], connections: Connections
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._factory = factory
        self._connections = connections
        self._tasks = [asyncio.create_task(self._accept()), asyncio.create_task(self._sweep())]

    def close(self) -> None:
        """Accept no more."""
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until nothing is accepted any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._sock)
            except OSError as error:
                if self._sock.fileno() < 0:
                    return
                # A client that has gone again is none of our business; without descriptors a pause helps.
                if error.errno in _EXHAUSTED:
                    _log.warning("No connection can be accepted: %s.", error.strerror)
                    self._connections.make_room()
                    await asyncio.sleep(_RETRY_ACCEPT)
                continue
            if not self._connections.make_room():
                client.close()
                continue
            try:
                await loop.connect_accepted_socket(self._factory, client)
            except OSError:
                client.close()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            self._connections.sweep(loop.time())
