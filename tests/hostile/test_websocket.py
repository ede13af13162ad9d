"""What a hostile WebSocket server or proxy can do to `dg live`: an error of ours, or no word less."""

import base64
import hashlib
import json
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dgcli.errors import NetworkError
from dgcli.live.connection import Connection, ConnectionEnded
from tests.conftest import Run
from tests.hostile.conftest import Serve
from tests.hostile.sockets import Behaviour, Peer

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SECONDS = 0.3


def frame(opcode: int, data: bytes, *, fin: bool = True, rsv: int = 0, length: int | None = None) -> bytes:
    """A frame as a server sends it: without a mask."""
    size = len(data) if length is None else length
    first = bytes([fin << 7 | rsv << 4 | opcode])
    if size < 126:
        return first + bytes([size]) + data
    if size < 1 << 16:
        return first + b"\x7e" + struct.pack(">H", size) + data
    return first + b"\x7f" + struct.pack(">Q", size) + data


def message(value: object) -> bytes:
    """A text frame with JSON."""
    return frame(TEXT, json.dumps(value).encode())


def results(**more: object) -> dict[str, object]:
    """The final of all that is sent: two words."""
    words = [
        {"word": "hello", "punctuated_word": "Hello", "start": 0.0, "end": 0.1, "confidence": 0.9},
        {"word": "world", "punctuated_word": "world.", "start": 0.1, "end": 0.2, "confidence": 0.9},
    ]
    return {
        "type": "Results", "channel_index": [0, 1], "start": 0.0, "duration": SECONDS, "is_final": True,
        "speech_final": True, "channel": {"alternatives": [{"transcript": "Hello world.", "words": words}]},
        "metadata": {"request_id": "r-1"}, **more,
    }  # fmt: skip


def accept_of(head: bytes) -> str:
    """The answer to the key of a handshake. Source: RFC 6455, section 4.2.2."""
    key = re.search(rb"(?i)sec-websocket-key: (\S+)", head)
    assert key is not None
    digest = hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest).decode()


def upgrade(peer: Peer, *more: str) -> None:
    """Open the WebSocket."""
    head = peer.read_head()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Accept: {accept_of(head)}", *more]  # fmt: skip
    peer.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")


def until_close_stream(peer: Peer) -> None:
    """Read what the client sends, until it says that this was all."""
    peer.read_frames(lambda opcode, data: opcode == TEXT and b"CloseStream" in data)


def finish(peer: Peer) -> None:
    """End a stream in good order, with its words."""
    until_close_stream(peer)
    peer.send(message(results()))
    peer.send(message({"type": "Metadata", "request_id": "r-1", "duration": SECONDS, "channels": 1}))
    peer.send(frame(CLOSE, struct.pack(">H", 1000)))
    peer.read_frames(lambda opcode, _: opcode == CLOSE)


def saying(*frames: bytes) -> Behaviour:
    """Open, say this, and then end in good order."""

    def behave(peer: Peer) -> None:
        upgrade(peer)
        for data in frames:
            peer.send(data)
        finish(peer)

    return behave


@pytest.fixture
def listen(dg: Run, hostile: Serve, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[bytes]"]:
    """Run `dg live` on a little audio against a server that behaves so, without second connections."""
    pcm = tmp_path / "talk.raw"
    pcm.write_bytes(bytes(int(2 * 1000 * SECONDS)))

    def run(behaviour: Behaviour, *more: str | Path) -> "subprocess.CompletedProcess[bytes]":
        server = hostile(behaviour)
        return dg(
            "live", pcm, "--encoding", "linear16", "--sample-rate", "1000", "--base-url", server.url,
            "--api-key", "SECRET-KEY", "--no-reconnect", *more,
        )  # fmt: skip

    return run


Listen = Callable[..., "subprocess.CompletedProcess[bytes]"]


def checked(result: "subprocess.CompletedProcess[bytes]") -> str:
    """What stderr says: no bug, no key, nothing that a terminal would obey."""
    stderr = result.stderr.decode()
    assert "bug in dg" not in stderr
    assert "Traceback" not in stderr
    assert "SECRET" not in stderr
    assert all(char.isprintable() or char == "\n" for char in stderr)
    return stderr


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([frame(TEXT, b"no JSON")], id="no-json"),
        pytest.param([frame(TEXT, b"")], id="empty-text"),
        pytest.param([frame(TEXT, b"\xff\xfe\xfd")], id="no-utf-8"),
        pytest.param([frame(TEXT, b"[" * 100_000)], id="deep-json"),
        pytest.param([frame(TEXT, b'{"type": "Results", "start": ' + b"9" * 5000 + b"}")], id="long-number"),
        pytest.param([message(None), message([1]), message("x"), message(7)], id="no-object"),
        pytest.param([message({"type": "Nosuch"}), message({"type": 7}), message({})], id="unknown-types"),
        pytest.param([frame(BINARY, bytes(1000))], id="binary"),
        pytest.param([frame(PING, b"x" * 125)] * 500, id="ping-flood"),
        pytest.param([frame(PONG, b"never asked for")] * 50, id="pongs"),
        pytest.param([frame(TEXT, b'{"type": ', fin=False), frame(PING, b""), frame(0, b'"x"}')], id="fragments"),
        pytest.param(
            [frame(TEXT, b"{", fin=False), *[frame(0, b"", fin=False)] * 500, frame(0, b"}")], id="empty-fragments"
        ),
        pytest.param([message({"type": "Metadata", "request_id": {"a": 1}, "duration": "x"})], id="metadata"),
        pytest.param([message({"type": "UtteranceEnd", "channel": "x", "last_word_end": [1]})], id="utterance-end"),
        pytest.param([message({"type": "Error", "description": "\x1b]0;x\x07"})], id="error-with-escapes"),
        pytest.param([message(results(is_final=False, channel={"alternatives": 7}))], id="alternatives"),
        pytest.param([message(results(is_final=False, channel=None, channel_index=None))], id="no-channel"),
        pytest.param([message(results(is_final=False, start="x", duration=[]))], id="text-for-times"),
        pytest.param([message(results(is_final=False, start=float("nan"), duration=float("inf")))], id="no-numbers"),
        pytest.param([message(results(is_final=False, start=-1e300, duration=1e308))], id="impossible-times"),
        pytest.param([message(results(is_final=False))] * 2000, id="interim-flood"),
    ],
)  # fmt: skip
def test_what_is_no_result_costs_no_word(listen: Listen, frames: list[bytes]) -> None:
    """Whatever else a server says, the words that it says are written, and the stream ends well."""
    result = listen(saying(*frames))
    checked(result)
    assert (result.returncode, result.stdout) == (0, b"Hello world.\n"), result.stderr


def test_garbage_is_told_a_few_times(listen: Listen) -> None:
    """Of hundreds of messages that are none, three are shown and the others counted."""
    stderr = checked(listen(saying(*[frame(TEXT, b"no JSON %d" % number) for number in range(200)])))
    lines = [line for line in stderr.splitlines() if "what is no message" in line]
    assert len(lines) == 4
    assert lines[2].endswith("No more like it are shown.")
    assert lines[3].endswith("The server sent what is no message: 197 more times.")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"start": float("nan")}, "start"),
        ({"channel": None}, "channel"),
        ({"channel": {"alternatives": [{"transcript": 5}]}}, "channel.alternatives[0].transcript"),
        (
            {"channel": {"alternatives": [{"transcript": "", "words": [{"word": 1}]}]}},
            "channel.alternatives[0].words",
        ),
    ],
)
def test_values_of_the_wrong_type(listen: Listen, wrong: dict[str, object], place: str) -> None:
    """What a final has in place of words or times is warned of: it would pass for silence."""
    stderr = checked(listen(saying(message(results(**{"start": 0.0, "duration": 0.1, **wrong})))))
    assert f"answer is malformed; what is not what it should be is left out: {place}" in stderr


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(TEXT, b"{}", rsv=4), id="reserved-bit"),
        pytest.param(frame(3, b"{}"), id="unknown-opcode"),
        pytest.param(frame(0, b"{}"), id="continuation-of-nothing"),
        pytest.param(frame(PING, b"x" * 126), id="long-ping"),
        pytest.param(frame(PING, b"", fin=False), id="half-a-ping"),
        pytest.param(frame(CLOSE, b"\x03"), id="half-a-close-code"),
        pytest.param(frame(CLOSE, struct.pack(">H", 5) + b"x"), id="impossible-close-code"),
        pytest.param(frame(CLOSE, struct.pack(">H", 1011) + b"\xff\xff"), id="close-reason-no-utf-8"),
        pytest.param(b"HTTP/1.1 500 Oops\r\n\r\n", id="http-again"),
        pytest.param(frame(TEXT, b"x" * 100, length=200)[:50], id="cut-frame"),
    ],
)
def test_what_is_no_websocket_ends_the_stream(listen: Listen, data: bytes) -> None:
    """A server that breaks the protocol ends the connection with an error of ours."""

    def behave(peer: Peer) -> None:
        upgrade(peer)
        peer.read_frames(lambda opcode, _: opcode == BINARY)
        peer.send(data)
        peer.sock.shutdown(1)
        peer.read_frames(lambda *_: False)

    result = listen(behave)
    checked(result)
    assert result.returncode in (4, 5), result.stderr


@pytest.mark.parametrize("fragments", [False, True])
def test_a_message_without_end(listen: Listen, fragments: bool) -> None:
    """A message that grows for ever, in one frame or in many, is given up at 16 MiB."""

    def behave(peer: Peer) -> None:
        upgrade(peer)
        peer.read_frames(lambda opcode, _: opcode == BINARY)
        block = b" " * (1 << 20)
        peer.send(frame(TEXT, block, fin=False) if fragments else frame(TEXT, b"", length=1 << 62))
        for _ in range(1000):
            peer.send(frame(0, block, fin=False) if fragments else block)

    result = listen(behave)
    assert "larger than 16 MiB" in checked(result)
    assert result.returncode == 5


def says(answer: str, body: bytes = b"") -> Behaviour:
    """Answer the handshake so."""

    def behave(peer: Peer) -> None:
        head = peer.read_head()
        text = answer.replace("ACCEPT", accept_of(head))
        peer.send(text.encode("latin-1") + b"\r\n\r\n" + body)
        peer.sock.shutdown(1)
        peer.hold()

    return behave


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 0", id="ok"),
        pytest.param("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade", id="no-accept"),
        pytest.param(
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA",
            id="wrong-accept",
        ),
        pytest.param("HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT", id="h2c"),
        pytest.param("220 mail.example.com", id="smtp"),
        pytest.param("HTTP/1.1 abc", id="no-status"),
        pytest.param("HTTP/1.1 403 No\r\nContent-Length: 99999999999", id="lying-length"),
        pytest.param("HTTP/1.1 400 No\r\nContent-Length: -1", id="negative-length"),
        pytest.param("HTTP/1.1 400 No\r\ndg-error: a\x1b]0;x\x07b", id="escapes"),
        pytest.param("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/", id="redirect"),
        pytest.param("HTTP/1.1 429 Busy\r\nRetry-After: nan", id="retry-after"),
    ],
)  # fmt: skip
def test_a_handshake_that_is_none(listen: Listen, answer: str) -> None:
    """A handshake that is refused or wrong is an error of ours."""
    result = listen(says(answer))
    checked(result)
    assert result.returncode in (3, 4, 5), result.stderr
    assert result.stdout == b""


def test_a_dripped_handshake(hostile: Serve) -> None:
    """A handshake that comes byte by byte ends by its deadline, which is for all of it."""

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\n")
        peer.drip(lambda number: f"X-{number}: x\r\n".encode())

    connection = Connection(f"ws://localhost:{hostile(behave).port}/v1/listen", {}, connect_timeout=0.5)
    with pytest.raises(ConnectionEnded) as caught:
        connection.connect()
    assert isinstance(caught.value.ending.error, NetworkError)
    assert "No answer from" in caught.value.ending.error.message
    connection.close()


def _unconnected(url: str) -> str:
    """What is said of a connection that cannot be opened, with half a second for each step."""
    connection = Connection(url, {}, connect_timeout=0.5)
    with pytest.raises(ConnectionEnded) as caught:
        connection.connect()
    connection.close()
    assert isinstance(caught.value.ending.error, NetworkError)
    return caught.value.ending.error.message


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_a_proxy_that_drips_its_answer(hostile: Serve, monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    """A proxy's answer that comes byte by byte ends by the deadline of the handshake, and the proxy is named."""

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.send(begin)
        peer.drip(lambda _: b"H")

    server = hostile(behave)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "")
    assert _unconnected("ws://api.invalid/v1/listen") == (
        f"The proxy {server.url.removeprefix('http://')} gave no answer: it took too long."
    )


def test_a_proxy_whose_answer_has_no_end(hostile: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than 64 KiB of a proxy's answer are read."""

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000)

    monkeypatch.setenv("HTTP_PROXY", hostile(behave).url)
    monkeypatch.setenv("NO_PROXY", "")
    assert "its answer has no end" in _unconnected("ws://api.invalid/v1/listen")


def test_tls_that_drips(hostile: Serve) -> None:
    """A TLS handshake whose record comes byte by byte ends by the same deadline."""

    def behave(peer: Peer) -> None:
        peer.send(b"\x16\x03\x03\x40\x00")
        peer.drip(lambda _: b"\x02")

    assert "within 0.5 s" in _unconnected(f"wss://localhost:{hostile(behave).port}/v1/listen")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", 5, id="login"),
        pytest.param(b"HTTP/1.1 502 Bad Gateway\r\n\r\n", 5, id="gateway"),
        pytest.param(b"HTTP/1.1 abc\r\n\r\n", 5, id="no-status"),
        pytest.param(b"\x05\x00", 5, id="socks"),
        pytest.param(b"", 5, id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nnot a WebSocket\r\n\r\n", 5, id="rubbish-behind-it"),
    ],
)
def test_a_proxy_that_is_none(dg: Run, hostile: Serve, tmp_path: Path, answer: bytes, code: int) -> None:
    """A proxy that refuses, or is none, ends the stream with an error of ours, and learns no key."""
    pcm = tmp_path / "talk.raw"
    pcm.write_bytes(bytes(600))

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.send(answer)
        peer.sock.shutdown(1)

    server = hostile(behave)
    result = dg(
        "live", pcm, "--encoding", "linear16", "--sample-rate", "1000", "--base-url", "http://api.invalid",
        "--allow-http", "--api-key", "SECRET-KEY", "--no-reconnect", env={"HTTP_PROXY": server.url},
    )  # fmt: skip
    checked(result)
    assert result.returncode == code, result.stderr
    assert all(b"SECRET" not in head for head in server.heads)
