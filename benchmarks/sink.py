"""A server for benchmarks: takes an upload, throws it away, answers with a transcript; tells when requests came."""

import json
import socket
import threading
import time
from types import TracebackType
from typing import Self

ANSWER = json.dumps(
    {
        "metadata": {"request_id": "sink", "duration": 1.0, "channels": 1, "models": [], "model_info": {}},
        "results": {
            "channels": [{"alternatives": [{"transcript": "Taken.", "confidence": 1.0, "words": []}]}]
        },
    }
).encode()


class Sink:
    """Listens on a free port of this machine while its block runs; `arrivals` are `time.perf_counter` values."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.arrivals: list[float] = []
        self.taken = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        buffer = bytearray(1 << 20)
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            with connection:
                self._take(connection, buffer)

    def _take(self, connection: socket.socket, buffer: bytearray) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            block = connection.recv(65536)
            if not block:
                return
            head += block
        self.arrivals.append(time.perf_counter())
        head, _, body = head.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"expect: 100-continue" in lower:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if (
            not lower.startswith(b"post") and b"content-length" not in lower
        ):  # deepctl asks for its projects first
            answer = b'{"projects": [{"project_id": "sink", "name": "sink"}]}'
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(answer)
            )
            connection.sendall(answer)
            return
        length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
        left = length - len(body)
        while left > 0:
            count = connection.recv_into(buffer)
            if not count:
                return
            left -= count
        self.taken += length
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(ANSWER) + ANSWER
        )
