"""One connection: how it is opened or refused, how it ends, and that abort wakes everybody."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from dgcli.api import tls
from dgcli.errors import ApiError, AuthError, NetworkError, UsageError
from dgcli.live.connection import Connection, ConnectionEnded
from tests.live.conftest import HEADERS, Make
from tests.live.server import Fault, numbered


@pytest.fixture
def opened() -> Iterator[list[Connection]]:
    """Connections that are closed after the test."""
    made: list[Connection] = []
    yield made
    for connection in made:
        connection.abort()
        connection.close()


def refusal(connection: Connection) -> ConnectionEnded:
    """Why it cannot be opened."""
    with pytest.raises(ConnectionEnded) as caught:
        connection.connect()
    return caught.value


def test_headers_are_sent_as_given(make_server: Make, opened: list[Connection]) -> None:
    """The caller's headers arrive, the query is untouched, and there is no Origin."""
    server = make_server()
    connection = Connection(server.url + "&x=%20", HEADERS)
    opened.append(connection)
    connection.connect()
    server.wait_for(lambda: bool(server.seen))
    assert server.seen[0].headers["Authorization"] == "Token secret"
    assert server.seen[0].path == "/v1/listen?encoding=linear16&x=%20"
    assert "Origin" not in server.seen[0].headers


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (400, ApiError, False),
        (401, AuthError, False),
        (402, ApiError, False),
        (403, AuthError, False),
        (404, ApiError, False),
        (429, ApiError, True),
        (500, ApiError, True),
        (503, ApiError, True),
    ],
)
def test_a_refused_handshake(make_server: Make, status: int, kind: type[Exception], retry: bool) -> None:
    """The dg-error text, the status and the request id of a refusal are told; some are worth another try."""
    headers = {"dg-error": "Said in the header.", "dg-request-id": "req-7", "retry-after": "3"}
    server = make_server(Fault("refuse", status=status, headers=headers, body='{"err_code":"CODE"}'))
    ended = refusal(Connection(server.url, HEADERS))
    assert isinstance(ended.ending.error, kind)
    assert "Said in the header." in ended.ending.sentence
    assert list(ended.ending.error.details()) == [f"HTTP {status}", "CODE", "request req-7"]
    assert ended.ending.retry is retry
    assert ended.ending.retry_after == 3


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_never_takes_the_key_along(make_server: Make, status: int) -> None:
    """A redirect is not followed: the other server sees nothing."""
    other = make_server()
    server = make_server(Fault("refuse", status=status, headers={"Location": other.url}))
    ended = refusal(Connection(server.url, HEADERS))
    assert other.url in ended.ending.sentence
    assert not ended.ending.retry
    assert not other.requests


def test_nothing_listens() -> None:
    """A port where nothing listens is a network error worth another try."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ended = refusal(Connection(f"ws://127.0.0.1:{port}/", HEADERS))
    assert isinstance(ended.ending.error, NetworkError)
    assert f"127.0.0.1:{port}" in ended.ending.sentence
    assert ended.ending.retry


def test_an_unknown_host() -> None:
    """A host that does not exist is named."""
    ended = refusal(Connection("ws://no-such-host.invalid/v1", HEADERS))
    assert isinstance(ended.ending.error, NetworkError)
    assert "no-such-host.invalid" in ended.ending.sentence


def test_no_answer_to_the_handshake(make_server: Make) -> None:
    """A server that accepts and then says nothing is given up in time."""
    server = make_server(Fault("mute"))
    ended = refusal(Connection(server.url, HEADERS, connect_timeout=0.1))
    assert ended.ending.sentence == f"No answer from localhost:{server.port} within 0.1 s."
    assert ended.ending.retry


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff\n\n", b"\r\n\r\n"]
)
def test_a_server_of_another_kind(answer: bytes) -> None:
    """What is no WebSocket server is an error of ours, whatever it says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(4096)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        ended = refusal(Connection(f"ws://127.0.0.1:{listener.getsockname()[1]}/", HEADERS))
        thread.join()
    assert isinstance(ended.ending.error, NetworkError | ApiError)


def test_a_certificate_that_is_not_trusted(make_server: Make, server_tls: ssl.SSLContext) -> None:
    """TLS is verified: an unknown authority ends it without another try, and the remedy is named."""
    server = make_server(tls=server_tls)
    ended = refusal(Connection(server.url, HEADERS, ssl_context=tls.context(None)))
    assert not ended.ending.retry
    assert "--ca-cert" in (ended.ending.error.hint or "")
    assert not server.requests


def test_a_certificate_for_another_name(make_server: Make, server_tls: ssl.SSLContext, ca_cert: Path) -> None:
    """The name in the certificate is checked too."""
    server = make_server(tls=server_tls)
    url = server.url.replace("localhost", "127.0.0.1")
    assert not refusal(Connection(url, HEADERS, ssl_context=tls.context(ca_cert))).ending.retry


def test_tls_to_a_server_without(make_server: Make, ca_cert: Path) -> None:
    """wss to a server that speaks plain ws is told as that."""
    server = make_server()
    url = server.url.replace("ws:", "wss:")
    ended = refusal(Connection(url, HEADERS, ssl_context=tls.context(ca_cert), connect_timeout=2))
    assert isinstance(ended.ending.error, NetworkError)


def test_a_header_of_two_lines_is_refused() -> None:
    """A key with a line break cannot smuggle in a header."""
    with pytest.raises(UsageError, match="one line"):
        Connection("ws://localhost/", {"Authorization": "Token a\r\nX: y"})


def test_the_close_code_survives_a_server_that_leaves(make_server: Make, opened: list[Connection]) -> None:
    """A close frame is told with code and reason."""
    server = make_server(Fault("close", code=1008, reason="DATA-0000"))
    connection = Connection(server.url, HEADERS)
    opened.append(connection)
    connection.connect()
    connection.send_audio(numbered(1))
    with pytest.raises(ConnectionEnded) as caught:
        connection.receive()
    assert caught.value.ending.code == 1008
    assert "decode the audio" in caught.value.ending.sentence


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_abort_wakes_a_receiver(
    make_server: Make, server_tls: ssl.SSLContext, ca_cert: Path, opened: list[Connection], *, secure: bool
) -> None:
    """A thread that waits for a message ends at once when the connection is aborted from another."""
    server = make_server(tls=server_tls if secure else None)
    connection = Connection(server.url, HEADERS, ssl_context=tls.context(ca_cert) if secure else None)
    opened.append(connection)
    connection.connect()
    ended: list[ConnectionEnded] = []

    def receive() -> None:
        try:
            connection.receive()
        except ConnectionEnded as reason:
            ended.append(reason)

    thread = threading.Thread(target=receive)
    thread.start()
    connection.abort()
    thread.join(5)
    assert ended[0].ending.code == 1006


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_send_that_cannot_go_out_ends_in_time(
    make_server: Make, server_tls: ssl.SSLContext, ca_cert: Path, opened: list[Connection], *, secure: bool
) -> None:
    """When the other side reads no more a send gives up after its time-out: the connection is dead."""
    server = make_server(Fault("deaf"), tls=server_tls if secure else None)
    context = tls.context(ca_cert) if secure else None
    connection = Connection(server.url, HEADERS, ssl_context=context, send_timeout=0.2)
    opened.append(connection)
    connection.connect()
    connection.send_audio(numbered(1))
    server.wait_for(lambda: server.happened == ["deaf"])
    block = bytes(1 << 20)
    with pytest.raises(ConnectionEnded) as caught:  # noqa: PT012  # how much the network holds is its own affair
        for _ in range(100):
            connection.send_audio(block)
    assert "nothing could be sent" in caught.value.ending.sentence


def test_an_empty_frame_is_never_sent(make_server: Make, opened: list[Connection]) -> None:
    """Empty audio would end the stream: it is left out."""
    server = make_server()
    connection = Connection(server.url, HEADERS)
    opened.append(connection)
    connection.connect()
    connection.send_audio(b"")
    connection.send_audio(numbered(1))
    server.wait_for(lambda: bool(server.seen and server.seen[0].frames))
    assert server.empty_frames == 0


@pytest.fixture
def connect_proxy() -> Iterator[Callable[[int], tuple[int, list[bytes]]]]:
    """Start a proxy that leads every CONNECT to a port of this machine; its own port, and what it was asked."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def start(port: int) -> tuple[int, list[bytes]]:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        asked: list[bytes] = []

        def serve() -> None:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # nobody came
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                asked.append(client.recv(65536))
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join()

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return listener.getsockname()[1], asked

    yield start
    for listener in listeners:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_stream_goes_through_the_proxy(
    make_server: Make,
    connect_proxy: Callable[[int], tuple[int, list[bytes]]],
    authority: trustme.CA,
    ca_cert: Path,
    opened: list[Connection],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    """A stream takes the proxy that requests take, ALL_PROXY too, with its login; TLS is with the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example.invalid").configure_cert(context)
    server = make_server(tls=context)
    port, asked = connect_proxy(server.port)
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable, f"http://me:pass@127.0.0.1:{port}")
    connection = Connection("wss://api.example.invalid/v1/listen", HEADERS, ssl_context=tls.context(ca_cert))
    opened.append(connection)
    connection.connect()
    server.wait_for(lambda: bool(server.seen))
    assert asked[0].startswith(b"CONNECT api.example.invalid:443 ")
    assert b"Proxy-Authorization: Basic bWU6cGFzcw==" in asked[0]
    assert b"secret" not in asked[0]
    connection.abort()
