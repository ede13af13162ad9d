"""The other end of `callback=`: an HTTP server that takes what the API sends there.

Source: Deepgram, "Callback": a POST (or PUT) with the JSON of the answer, for a stream one for each message, with the
header `dg-token`, the id of the API key. Any status outside 2xx is tried again, 10 times, 30 s apart. What is answered
200 is never sent again, so it must be safe by then: that is the business of `store`.

It is made of the standard library alone, since an installation without extras has no other HTTP server.
"""

import hmac
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from dgcli.errors import UsageError

_LONGEST = 64 << 20  # bytes of a body
_DISCARDED = 1 << 20  # bytes of a refused body that are read, so that whoever sends it sees the answer
_BLOCK = 1 << 16
_HEAD = 10.0  # seconds for a request up to its body
_TIMEOUT = 60.0  # seconds for its body
_CONNECTIONS = 128
_AT_ONCE = 8  # bodies; others wait
_LAST = 5.0  # seconds that requests have to end when the server does


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    """Where the server listens, and whom it believes: the first part of the path, the header `dg-token`, or both."""

    host: str = "127.0.0.1"
    port: int = 8080
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


# Takes a body and the request's headers (names in lower case), and returns the status to answer with.
Store = Callable[[bytes, Mapping[str, str]], int]


class _RefusedError(Exception):
    """A request that is answered with this status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


class _CallbackHandler(BaseHTTPRequestHandler):
    """Takes one request of a connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "dgcli", ""
    server: "CallbackServer"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the base class
        """Say nothing: the path has the secret."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no request that is taken here, in plain text."""
        self._answer(code, f"{message or 'This is not taken here'}.\n")

    def do_GET(self) -> None:
        """Tell whoever looks with a browser what this is."""
        try:
            self._check_path()
        except _RefusedError as refusal:
            self._answer(refusal.status, str(refusal))
        else:
            self._answer(200, "dg callbacks: transcripts are taken here by POST. This is a callback URL.\n")

    do_HEAD = do_GET  # noqa: N815 - the name that the base class looks for

    def do_POST(self) -> None:
        """Take a body."""
        try:
            self._check_path()
            self._check_token()
            with self.server.room(self.connection):
                status, message = self.server.take(self._body(), dict(self.headers.items())), ""
        except _RefusedError as refusal:
            status, message = refusal.status, str(refusal)
            self.server.refused += 1
            self._discard()
        self._answer(status, message)

    do_PUT = do_POST  # noqa: N815 - the name that the base class looks for

    def _answer(self, status: int, message: str) -> None:
        self.close_connection = True
        body = message.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _check_path(self) -> None:
        secret = self.server.settings.secret
        if secret is not None:
            first = unquote(urlsplit(self.path).path).lstrip("/").partition("/")[0]
            if not _same(first, secret):
                raise _RefusedError(404, "There is nothing here.\n")

    def _check_token(self) -> None:
        token = self.server.settings.token
        if token is not None and not _same(self.headers.get("dg-token", ""), token):
            raise _RefusedError(401, "The header dg-token is not the one expected.\n")

    def _body(self) -> bytes:
        length, coding = self.headers.get("content-length"), self.headers.get("transfer-encoding")
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise _RefusedError(415, "A body is taken as it is, without compression.\n")
        if coding is not None:
            if coding.strip().lower() != "chunked" or length is not None:
                raise _RefusedError(400, "The length of the body is not clear.\n")
            return self._chunks()
        if length is None or not (length.isascii() and length.isdigit()):
            raise _RefusedError(411, "A Content-Length is needed.\n")
        # Python converts no number of thousands of digits.
        return self._exactly(int(length) if len(length) < 19 else _LONGEST + 1, _LONGEST)

    def _exactly(self, size: int, most: int) -> bytes:
        if size > most:
            raise _RefusedError(413, f"A body has {_LONGEST} bytes at most.\n")
        data = bytearray()
        while len(data) < size:
            piece = self.rfile.read1(min(_BLOCK, size - len(data)))
            if not piece:
                raise _RefusedError(400, "The body is not whole.\n")
            data += piece
        return bytes(data)

    def _chunks(self) -> bytes:
        """A body in chunks (RFC 9112, 7.1), as a proxy may send it on."""
        data = bytearray()
        while True:
            size = self.rfile.readline(_BLOCK).partition(b";")[0].strip()
            if not size or len(size) > 8 or not all(char in b"0123456789abcdefABCDEF" for char in size):
                raise _RefusedError(400, "The body is not whole.\n")
            count = int(size, 16)
            if count == 0:
                while self.rfile.readline(_BLOCK).strip():
                    pass  # trailers
                return bytes(data)
            data += self._exactly(count, _LONGEST - len(data))
            self.rfile.readline(_BLOCK)

    def _discard(self) -> None:
        """Read a refused body: closing with bytes unread would take the answer away from whoever sends it."""
        left = _DISCARDED
        self.connection.settimeout(0.2)
        try:
            while left > 0 and (piece := self.rfile.read1(min(_BLOCK, left))):
                left -= len(piece)
        except OSError:
            pass  # it waits for the answer
        finally:
            self.connection.settimeout(self.timeout)


@dataclass(slots=True)
class _Deadline:
    """How far a connection is: until when it may go on, and whether the sender has shown that it may send."""

    until: float
    is_trusted: bool = False


class CallbackServer(ThreadingHTTPServer):
    """Takes callbacks in threads of its own, from the moment it is made. Raises `UsageError` where it cannot listen.

    Strangers keep nobody out: a request that is believed has room of its own, and where there are too many
    connections, the oldest whose request has not come gives way.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, settings: CallbackSettings, store: Store) -> None:
        self.settings = settings
        self.refused = 0
        self._store = store
        self._free = threading.Semaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, _Deadline] = {}  # the oldest first
        self._closing = False
        self.address_family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        try:
            super().__init__((settings.host, settings.port), _CallbackHandler)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise UsageError(
                f"Nothing can listen on {settings.host}:{settings.port}: {reason}.",
                hint="Choose another --port.",
            ) from error
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="dgcli-callbacks", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The URL to give to the API, as far as it is known from here."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.server_address[1]}/{quote(self.settings.secret or '', safe='')}"

    def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Have a body stored; return the status to answer with."""
        return self._store(body, {name.lower(): value for name, value in headers.items()})

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever sent it has gone, or took too long."""

    def service_actions(self) -> None:
        """End connections whose time is over; the base class calls this again and again."""
        now = time.monotonic()
        with self._lock:
            for connection in [each for each, progress in self._connections.items() if progress.until < now]:
                self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        """Forget a connection; its thread ends by what it reads."""
        del self._connections[connection]
        with suppress(OSError):  # it has ended by itself
            connection.shutdown(socket.SHUT_RDWR)

    def _admits(self, connection: socket.socket) -> bool:
        with self._lock:
            if len(self._connections) >= _CONNECTIONS:
                strangers = (each for each, progress in self._connections.items() if not progress.is_trusted)
                oldest = next(strangers, None)
                if oldest is None:
                    return False
                self._end(oldest)
            self._connections[connection] = _Deadline(time.monotonic() + _HEAD)
            return True

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin with a connection when there is room for it."""
        while not self._admits(request):
            if self._closing:
                self.shutdown_request(request)
                return
            time.sleep(0.05)
            self.service_actions()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Take the request of a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._connections.pop(request, None)

    @contextmanager
    def room(self, connection: socket.socket) -> Iterator[None]:
        """Make room for the body of a request that is believed. Raises `_RefusedError` at the end of all."""
        self._trust(connection, math.inf)
        while not self._free.acquire(timeout=0.1):
            if self._closing:
                raise _RefusedError(503, "Nothing is taken any more.\n")
        try:
            self._trust(connection, time.monotonic() + _TIMEOUT)
            yield
        finally:
            self._free.release()

    def _trust(self, connection: socket.socket, until: float) -> None:
        with self._lock:
            if connection in self._connections:  # else its time was over a moment ago
                self._connections[connection] = _Deadline(until, is_trusted=True)

    def close(self) -> None:
        """Take nothing more, and let the requests that have begun end."""
        self._closing = True
        self.shutdown()
        self.server_close()
        until = time.monotonic() + _LAST
        for _ in range(_AT_ONCE):
            self._free.acquire(timeout=max(0.0, until - time.monotonic()))
        self._thread.join()
