"""What a client may not do to the server: hold its connections, its descriptors, its log."""

import http.client
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dgcli.server.connections import _Unread
from dgcli.server.run import ServerSettings, _listen
from dgcli.server.throttle import LogThrottle
from tests.server.test_run import ROOT, linux, until

Start = Callable[..., str]
RAW = "encoding=linear16&sample_rate=16000"


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


@contextmanager
def raw(url: str, sent: bytes) -> Iterator[socket.socket]:
    """A connection that has sent some bytes."""
    with socket.create_connection(address(url), timeout=20) as sock:
        sock.sendall(sent)
        yield sock


def answer_of(sock: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while block := sock.recv(4096):
            received += block
    return received


def test_nagle_is_off() -> None:
    """asyncio sends at once only on sockets whose listener names TCP."""
    with _listen(ServerSettings(port=0)) as listening:
        assert listening.proto == socket.IPPROTO_TCP


FEW_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
from pathlib import Path
from dgcli.server.run import ServerSettings, serve
settings = ServerSettings(port=0, engine="replay", response=Path(sys.argv[1]))
serve(settings, on_ready=lambda url: print(url, flush=True))
"""


@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /v1/listen HTTP/1.1\r\nHost: loc",
        b"POST /v1/listen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc",
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_half_sent_requests_starve_nobody(sent: bytes, response_file: Path) -> None:
    """150 of them, held open against 100 descriptors: everybody else is served, and the log stays short."""
    command = [sys.executable, "-c", FEW_FILES, str(response_file)]
    with (
        subprocess.Popen(
            command, env={"PYTHONPATH": ROOT}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        ExitStack() as stack,
    ):
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        for _ in range(150):
            stack.enter_context(raw(url, sent))
        for _ in range(10):
            assert httpx.post(f"{url}/v1/listen", content=b"x" * 1000, timeout=20).status_code == 200
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert log.count(" 200 ") == 10
    assert len(log) < 30_000


def test_the_head_of_a_request_is_waited_for_so_long(start: Start) -> None:
    """Half a head is answered with 408 and the connection closed."""
    with raw(start(head_timeout=0.2), b"GET /v1/models HTTP/1.1\r\nHost: loc") as sock:
        assert answer_of(sock).startswith(b"HTTP/1.1 408")


def test_a_kept_connection_may_be_silent(start: Start) -> None:
    """The time for a head does not run between two requests."""
    url = start(head_timeout=0.2)
    kept = http.client.HTTPConnection(*address(url))
    for _ in range(2):
        kept.request("GET", "/v1/models")
        answer = kept.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
        first = kept.sock
        with raw(url, b"GET") as late:
            answer_of(late)  # it has had its time
    assert kept.sock is first
    kept.close()


def test_a_body_is_waited_for_so_long(start: Start) -> None:
    """A body that stops is 408 SLOW_UPLOAD, in the API's words."""
    head = b"POST /v1/listen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc"
    with raw(start(body_timeout=0.2), head) as sock:
        answer = answer_of(sock)
    assert answer.startswith(b"HTTP/1.1 408")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["err_code"] == "SLOW_UPLOAD"


def test_a_body_must_keep_some_pace(start: Start) -> None:
    """Bytes that drip use up the credit, though no pause between them is as long."""
    head = b"POST /v1/listen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    with raw(start(body_timeout=0.5), head) as sock:
        sock.settimeout(0.1)
        answer = b""
        for _ in range(100):
            try:
                answer = sock.recv(4096)
                break
            except TimeoutError:
                sock.sendall(b"a")
    assert answer.startswith(b"HTTP/1.1 408")


def test_one_connection_too_many(start: Start) -> None:
    """While streams hold every connection, a request gets the API's 429; afterwards it is served."""
    url = start(max_connections=2)
    socket_url = f"{url.replace('http', 'ws')}/v1/listen?{RAW}"
    with connect(socket_url), connect(socket_url):
        refused = httpx.get(f"{url}/v1/models")
        with pytest.raises(InvalidStatus) as caught, connect(socket_url):
            pass
    assert (refused.status_code, refused.json()["err_code"]) == (429, "TOO_MANY_REQUESTS")
    assert caught.value.response.status_code == 429
    until(lambda: httpx.get(f"{url}/v1/models").status_code == 200)


def test_one_stream_too_many(start: Start) -> None:
    """The next handshake is the API's 429 while all streams are taken; REST goes on, and so does the next one."""
    url = start(max_streams=1)
    socket_url = f"{url.replace('http', 'ws')}/v1/listen?{RAW}"
    with connect(socket_url):
        with pytest.raises(InvalidStatus) as caught, connect(socket_url):
            pass
        assert httpx.get(f"{url}/v1/models").status_code == 200
    response = caught.value.response
    body = json.loads(response.body or b"")
    assert response.status_code == 429
    assert body["err_code"] == "TOO_MANY_REQUESTS"
    assert body["err_msg"] == "Too many requests. Please try again later" == response.headers["dg-error"]

    def opens() -> bool:
        with suppress(InvalidStatus), connect(socket_url):
            return True
        return False

    until(opens)


def test_refused_handshakes_leave_no_complaint(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a refusal nor a client that leaves during the handshake looks like a fault in the log."""
    url = start(require_key="k")
    handshake = (
        "GET /v1/listen HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    )
    for number in range(20):
        with raw(url, f"{handshake}Authorization: Token k\r\n\r\n".encode()) as sock:
            if number % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closes by a reset
    with pytest.raises(InvalidStatus), connect(f"{url.replace('http', 'ws')}/v1/listen"):
        pass
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


class _Buffer:
    """A transport of which only the buffer is looked at."""

    size = 0

    def get_write_buffer_size(self) -> int:
        return self.size


def test_an_answer_that_nobody_reads() -> None:
    """A buffer that does not shrink for a minute is stuck; one that does is not."""
    unread, buffer = _Unread(), _Buffer()
    assert not unread.stuck(buffer, 0.0)  # type: ignore[arg-type]
    buffer.size = 100
    assert not unread.stuck(buffer, 1.0)  # type: ignore[arg-type]
    buffer.size = 90
    assert not unread.stuck(buffer, 60.0)  # type: ignore[arg-type]
    assert not unread.stuck(buffer, 119.0)  # type: ignore[arg-type]
    assert unread.stuck(buffer, 121.0)  # type: ignore[arg-type]


def test_a_log_that_cannot_be_flooded() -> None:
    """After a burst one line in six seconds is written, and it tells how many were not."""
    now = 0.0
    throttle = LogThrottle(lambda: now)

    def written(count: int) -> list[str]:
        records = [logging.LogRecord("x", logging.WARNING, "", 0, "line", None, None) for _ in range(count)]
        return [record.getMessage() for record in records if throttle.filter(record)]

    assert len(written(1000)) == 20
    now += 7.0
    assert written(3) == ["line (980 lines before it left out)"]
