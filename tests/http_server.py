"""HTTP servers of the tests: real ones, on a free port, with a thread, and without words of their own."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class QuietHandler:
    """What a handler has that writes no log."""

    def log_message(self, *args: object) -> None:
        """Tests read what their servers note."""


class QuietServer(ThreadingHTTPServer):
    """A server that writes nothing about clients that leave in the middle: many tests are about them."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def answered_by(answer: Answer) -> type[BaseHTTPRequestHandler]:
    """A handler of GET and POST that has a function answer."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            answer(self)

        do_POST = do_GET

    return Handler


class HttpServer:
    """A server that runs until `close`; `handler` is what makes the handler of a connection."""

    def __init__(
        self,
        handler: Callable[..., BaseHTTPRequestHandler],
        *,
        kind: type[ThreadingHTTPServer] = QuietServer,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = kind(("127.0.0.1", 0), handler)
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def serving(
    handler: Callable[..., BaseHTTPRequestHandler], *, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve while the block runs; its URL."""
    server = HttpServer(handler, tls=tls)
    try:
        yield server.url
    finally:
        server.close()
