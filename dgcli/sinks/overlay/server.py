"""The server of the page: four paths over HTTP, one of them a stream of events (WHATWG HTML, "Server-sent events").

Each connection has a thread, and their number is bounded. A page always gets what is newest: for one that is slow,
nothing queues up.
"""

import errno
import os
import socket
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from socketserver import TCPServer, ThreadingMixIn
from types import MappingProxyType
from typing import Any, cast

from dgcli.errors import OutputError
from dgcli.sinks.overlay.state import ENDED, OverlayLine, OverlayState, message
from dgcli.system import CAN_REUSE_PORTS
from dgcli.visitors import Visitors

_MOST = 64  # connections at once
_IDLE = 15.0  # seconds for a request, and for a page to take what it is sent
_HEARTBEAT = 10.0  # seconds; a comment that shows whether the page is still there
_GOODBYE = 0.5  # seconds for the pages to take the last message
_EVENTS = "/events"
_FILES = MappingProxyType(
    {
        "/": ("page.html", "text/html; charset=utf-8"),
        "/overlay.css": ("overlay.css", "text/css; charset=utf-8"),
        "/overlay.js": ("overlay.js", "text/javascript; charset=utf-8"),
    }
)
# Text from a stranger's mouth is shown here: nothing runs, loads or frames but what we serve ourselves.
_HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)


class _Board:
    """The newest state, and a bell that rings when there is a newer one."""

    def __init__(self, language: str | None) -> None:
        self.run = os.urandom(8).hex()  # tells a page that dg was started again
        self.language = language
        self._bell = threading.Condition()
        self._state = OverlayState(changed=time.monotonic())
        self._readers = 0

    def put(self, state: OverlayState) -> None:
        with self._bell:
            self._state = state
            self._bell.notify_all()

    def newer(self, than: OverlayState | None, seconds: float) -> OverlayState:
        """Wait for another state than this one, at most so long; return the newest."""
        with self._bell:
            self._bell.wait_for(lambda: self._state is not than, seconds)
            return self._state

    def read(self, count: int) -> None:
        """Count a reader that came or left."""
        with self._bell:
            self._readers += count
            self._bell.notify_all()

    def wait_for_readers(self, seconds: float) -> None:
        """Wait until every reader has left, at most so long."""
        with self._bell:
            self._bell.wait_for(lambda: self._readers == 0, seconds)


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)


class _OverlayHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    timeout = _IDLE
    disable_nagle_algorithm = True  # an interim must not wait for the acknowledgement of the one before
    server: "_Server"

    def handle(self) -> None:
        """Answer a request whose head comes in time: one that drips would keep a place from the pages for ever."""
        self._late = threading.Timer(_IDLE, _shut_down, (self.connection,))
        self._late.daemon = True
        self._late.start()
        try:
            super().handle()
        finally:
            self._late.cancel()

    def do_GET(self) -> None:
        self._late.cancel()
        host, origin = self.headers.get("Host"), self.headers.get("Origin")
        visitors, path = self.server.visitors, self.path.partition("?")[0]
        if not (visitors.host_allowed(host) and visitors.origin_allowed(origin, host)):
            self._answer(HTTPStatus.FORBIDDEN, b"This page is not served under that name.\n")
        elif path == _EVENTS:
            self._events()
        elif path in _FILES:
            name, kind = _FILES[path]
            self._answer(HTTPStatus.OK, (files("dgcli.sinks.overlay") / "page" / name).read_bytes(), kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"There is nothing here.\n")

    def _head(self, status: HTTPStatus, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        for name, value in _HEADERS.items():
            self.send_header(name, value)

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self._head(status, kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _events(self) -> None:
        board = self.server.board
        self._head(HTTPStatus.OK, "text/event-stream; charset=utf-8")
        self.end_headers()
        board.read(1)
        try:
            self._send_states(board)
        finally:
            board.read(-1)

    def _send_states(self, board: _Board) -> None:
        state: OverlayState | None = None
        known: dict[int, OverlayLine] = {}
        more: dict[str, Any] = {"run": board.run, "language": board.language}
        while state is None or state.stage != ENDED:
            newest = board.newer(state, _HEARTBEAT)
            if newest is state:
                self.wfile.write(b":\n\n")
                continue
            if state is None:
                more["age"] = round(max(time.monotonic() - newest.changed, 0.0), 3)
            self.wfile.write(f"data: {message(newest, known, **more)}\n\n".encode())
            more.clear()
            state, known = newest, {line.number: line for line in newest.lines}

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no request of ours, without repeating it."""
        self.close_connection = True
        self._answer(HTTPStatus(code), b"This is no request for the overlay.\n")

    def version_string(self) -> str:
        """The `Server` header."""
        return "dg"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing: standard error belongs to the stream."""


class _Server(ThreadingMixIn, TCPServer):
    """Listens, and gives each connection a thread."""

    daemon_threads = True
    allow_reuse_address = CAN_REUSE_PORTS
    request_queue_size = 32

    def __init__(self, host: str, port: int, board: _Board) -> None:
        self.board = board
        self.visitors = Visitors(host)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._free = threading.Semaphore(_MOST)
        super().__init__((host, port), _OverlayHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a thread for a connection; one too many is closed at once."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: a page that was closed is no fault of ours."""


def _url(host: str, port: int) -> str:
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104 - somebody's wish
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


class OverlayServer:
    """Serves the page from a thread of its own, from the moment it is made. Raises `OutputError` when it cannot listen.

    `language` is what is spoken (BCP 47), which decides over fonts and capital letters.
    """

    def __init__(self, host: str, port: int, *, language: str | None = None) -> None:
        self._board = _Board(language)
        try:
            self._server = _Server(host, port, self._board)
        except (OSError, UnicodeError, OverflowError) as error:
            in_use = getattr(error, "errno", None) == errno.EADDRINUSE
            reason = "the port is in use" if in_use else getattr(error, "strerror", None) or str(error)
            raise OutputError(
                f"The overlay cannot be served on {host}, port {port}: {reason}.",
                hint=f"Choose another port: --overlay {port % 65535 + 1}"
                if in_use
                else "Choose another address with --overlay-host, or leave it out.",
            ) from error
        self.url = _url(host, cast("tuple[str, int]", self._server.server_address)[1])
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="dg-overlay", daemon=True
        ).start()

    def show(self, state: OverlayState) -> None:
        """Bring all pages to a state."""
        self._board.put(state)

    def close(self) -> None:
        """Let the pages take what is newest, and serve no longer."""
        self._board.wait_for_readers(_GOODBYE)
        self._server.shutdown()
        self._server.server_close()
