"""A server for batches: each recording has a transcript of its own, and every request is counted."""

import hashlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import HttpServer, QuietServer, answered_by

Failure = tuple[int, dict[str, str]]  # status and headers


def text_of(audio: bytes) -> str:
    """The one sentence that is said in a recording."""
    return f"Heard {hashlib.sha256(audio).hexdigest()}."


def answer_to(audio: bytes, padding: int = 0) -> bytes:
    """The response for a recording, with `padding` bytes more than it needs."""
    text = text_of(audio)
    words = [{"word": word, "punctuated_word": word, "start": at / 2, "end": at / 2 + 0.4, "confidence": 1.0}
             for at, word in enumerate(text.split())]  # fmt: skip
    response = {
        "metadata": {
            "request_id": f"r-{text[6:14]}",
            "duration": 1.5,
            "channels": 1,
            "padding": "x" * padding,
        },
        "results": {
            "channels": [{"alternatives": [{"transcript": text, "confidence": 1.0, "words": words}]}]
        },
    }
    return json.dumps(response).encode()


class BatchServer(HttpServer):
    """Answers every upload.

    `fail` may say, for a body and the number of the request, how it is refused. `before` and `after` are
    called with the number of the request when its body is read and when it is answered. While `held` is set,
    answers wait for `released`.
    """

    def __init__(self) -> None:
        self.posts: Counter[bytes] = Counter()  # bodies that were read whole
        self.answered: Counter[bytes] = Counter()
        self.queries: list[str] = []
        self.requests = 0
        self.refused = 0
        self.most_at_once = 0
        self.padding = 0
        self.fail: Callable[[bytes, int], Failure | None] = lambda body, number: None
        self.before: Callable[[int], None] = lambda number: None
        self.after: Callable[[int], None] = lambda number: None
        self.held = False
        self.arrived = threading.Semaphore(0)
        self.released = threading.Event()
        self._under_way = 0
        self._lock = threading.Lock()
        self._accepted: Counter[int] = Counter()  # by the clients' ports
        self._open = 0  # connections
        self._connections = threading.Condition()
        outer = self

        class Server(QuietServer):
            request_queue_size = 64

            def process_request(self, request: Any, client_address: Any) -> None:
                with outer._connections:
                    outer._accepted[client_address[1]] += 1
                    outer._open += 1
                super().process_request(request, client_address)

            def process_request_thread(self, request: Any, client_address: Any) -> None:
                try:
                    super().process_request_thread(request, client_address)
                finally:
                    with outer._connections:
                        outer._open -= 1
                        outer._connections.notify_all()

        super().__init__(answered_by(self._answer), kind=Server)

    def settle(self) -> None:
        """Wait until all that came from clients that have gone is read and counted."""
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            port = last.getsockname()[1]
            before = self._accepted[port]
            last.connect(self._server.server_address[:2])
        with self._connections:  # accepted in their order: behind the last there is no other
            settled = self._connections.wait_for(
                lambda: self._accepted[port] > before and self._open == 0, 60
            )
        assert settled, f"{self._open} connections are open"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
            with self._lock:
                self.requests += 1
                number = self.requests
                self.queries.append(handler.path.partition("?")[2])
            failure = self.fail(body, number)
            if failure is None:
                with self._lock:
                    self.posts[body] += 1
            self.arrived.release()
            self.before(number)
            if self.held:
                self.released.wait(60)
            self._reply(handler, body, failure)
            self.after(number)
        finally:
            with self._lock:
                self._under_way -= 1

    def _reply(self, handler: BaseHTTPRequestHandler, body: bytes, failure: Failure | None) -> None:
        if failure is not None:
            status, headers = failure
            with self._lock:
                self.refused += 1
            data = json.dumps({"err_code": "REFUSED", "err_msg": f"Refused with {status}."}).encode()
        else:
            status, headers, data = 200, {}, answer_to(body, self.padding)
        handler.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **headers,
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)
        handler.wfile.flush()
        if failure is None:
            with self._lock:
                self.answered[body] += 1

    def close(self) -> None:
        self.released.set()
        super().close()
