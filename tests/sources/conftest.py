"""Audio to read, and servers to read it from."""

import math
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dgcli.audio.base import Source
from dgcli.transcript.events import Notice

RATE = 16000


def tone(seconds: float, rate: int = RATE, channels: int = 1) -> bytes:
    """A tone as linear16: no two of its blocks are alike."""
    count = int(seconds * rate)
    samples = [int(9000 * math.sin(i / 7 + i * i / 9e6)) for i in range(count)]
    return struct.pack(f"<{count * channels}h", *(s for s in samples for _ in range(channels)))


def wav(samples: bytes, *, kind: int = 1, bits: int = 16, rate: int = RATE, channels: int = 1,
        data_size: int | None = None, extra: bytes = b"", riff: bytes = b"RIFF") -> bytes:  # fmt: skip
    """A WAV around stored samples; `data_size` is what the header claims."""
    frame = bits // 8 * channels
    fmt = struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, bits)
    size = len(samples) if data_size is None else data_size
    body = b"WAVE" + extra + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", size) + samples
    return riff + struct.pack("<I", min(len(body), 0xFFFFFFFF)) + body


def read_all(source: Source) -> tuple[bytes, list[Notice]]:
    """All audio and all notices of an opened source."""
    audio, notices = bytearray(), []
    for item in source.blocks():
        if isinstance(item, Notice):
            notices.append(item)
        else:
            assert item, "a block is never empty"
            audio += item
    return bytes(audio), notices


Handler = Callable[[socket.socket, str, dict[str, str]], None]


class Server:
    """A server of raw sockets: every connection is answered by the handler, as it likes."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[dict[str, str]] = []
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/stream"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                got = connection.recv(4096)
                if not got:
                    return
                head += got
            first, *lines = head.partition(b"\r\n\r\n")[0].decode().split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
            headers["path"] = first.split()[1]
            self.requests.append(headers)
            self._handler(connection, headers["path"], headers)

    def close(self) -> None:
        """Stop listening, and end what is open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() alone does not
        # Closed before that thread has gone, the number of the socket might be another server's next.
        self._thread.join(10)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], Server]]:
    """Start servers that end with the test."""
    servers: list[Server] = []

    def start(handler: Handler) -> Server:
        servers.append(Server(handler))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file into the test's folder."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write
