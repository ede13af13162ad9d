"""The WebSocket protocol under the client, as RFC 6455 has it: what a conformance suite asks of a client.

A server of raw sockets says one thing to a `Connection`; what comes of it is the table. Two rows are not what a strict
suite wants, and on purpose: text that is no UTF-8 is taken with replacement characters, since ending the connection
would lose the words in it and be answered with the same bytes again; and a server that masks its frames is understood.
"""

import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import dgcli
from dgcli.live.connection import Connection, ConnectionEnded
from dgcli.server.run import ServerSettings, running
from tests.conftest import BODY, HANGS_AFTER
from tests.hostile.conftest import Serve
from tests.hostile.conftest import hostile as hostile
from tests.hostile.sockets import Peer
from tests.hostile.test_websocket import BINARY, CLOSE, PING, PONG, TEXT, frame, upgrade

CONTINUATION = 0
Connect = Callable[..., Connection]


@pytest.fixture
def connect(hostile: Serve) -> Iterator[Connect]:
    """Connect to a server that says this after the handshake, and answers a close with a close."""
    opened: list[Connection] = []

    def start(*data: bytes, heard: list[tuple[int, bytes]] | None = None) -> Connection:
        def behave(peer: Peer) -> None:
            upgrade(peer)
            for piece in data:
                peer.send(piece)

            def over(opcode: int, payload: bytes) -> bool:
                if heard is not None:
                    heard.append((opcode, payload))
                return opcode == CLOSE

            peer.read_frames(over)

        server = hostile(behave)
        made = Connection(server.url.replace("http", "ws", 1), {})
        made.connect()
        opened.append(made)
        return made

    yield start
    for connection in opened:
        connection.abort()
        connection.close()


def wait_for(heard: list[tuple[int, bytes]], count: int) -> None:
    """Wait until the server has read so many frames."""
    pause = threading.Event()
    deadline = time.monotonic() + HANGS_AFTER
    while len(heard) < count and time.monotonic() < deadline:
        pause.wait(0.01)


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def ending(connection: Connection) -> str:
    """Why it ended."""
    with pytest.raises(ConnectionEnded) as caught:
        connection.receive()
    return str(caught.value)


def masked(opcode: int, data: bytes) -> bytes:
    """A frame as only clients may send it."""
    mask = b"\x11\x22\x33\x44"
    return (
        bytes([0x80 | opcode, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))
    )


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65535, 65536, 1 << 20])
def test_a_message_of_any_length(connect: Connect, size: int) -> None:
    """Each of the three ways to say a length is understood, at its limits."""
    assert connect(frame(TEXT, b"*" * size)).receive() == "*" * size


@pytest.mark.parametrize("pieces", [1, 7, 997])
def test_frames_that_arrive_in_pieces(connect: Connect, pieces: int) -> None:
    """Where TCP cuts a frame makes no difference."""
    data = frame(TEXT, b"a" * 300) + frame(TEXT, "größer".encode())
    connection = connect(*(data[at : at + pieces] for at in range(0, len(data), pieces)))
    assert [connection.receive(), connection.receive()] == ["a" * 300, "größer"]


def test_a_length_in_the_longest_form(connect: Connect) -> None:
    """A short message with its length in eight bytes, which is more than it needs, is read."""
    data = bytes([0x81, 127]) + struct.pack(">Q", 2) + b"hi"
    assert connect(data).receive() == "hi"


@pytest.mark.parametrize("payload", [b"", b"ping", bytes(range(125))])
def test_a_ping_is_answered(connect: Connect, payload: bytes) -> None:
    """Every ping gets a pong with its very bytes, before what comes next is delivered."""
    heard: list[tuple[int, bytes]] = []
    connection = connect(frame(PING, payload), frame(TEXT, b"next"), close(), heard=heard)
    assert connection.receive() == "next"
    ending(connection)
    wait_for(heard, 1)
    assert heard[0] == (PONG, payload)


def test_many_pings(connect: Connect) -> None:
    """Ten pings get ten pongs, in order."""
    heard: list[tuple[int, bytes]] = []
    ending(connect(*(frame(PING, str(n).encode()) for n in range(10)), close(), heard=heard))
    wait_for(heard, 10)
    assert heard[:10] == [(PONG, str(n).encode()) for n in range(10)]


def test_a_pong_that_nobody_asked_for(connect: Connect) -> None:
    """It is taken as a sign of life and otherwise ignored."""
    assert connect(frame(PONG, b"?"), frame(TEXT, b"next")).receive() == "next"


FRAGMENTS = {
    "two": [frame(TEXT, b"frag", fin=False), frame(CONTINUATION, b"ment")],
    "empty ones": [
        frame(TEXT, b"", fin=False), frame(CONTINUATION, b"fragment", fin=False), frame(CONTINUATION, b""),
    ],
    "one a byte": [
        frame(TEXT, b"f", fin=False), *(frame(CONTINUATION, bytes([b]), fin=False) for b in b"ragmen"),
        frame(CONTINUATION, b"t"),
    ],
    "a ping between": [frame(TEXT, b"frag", fin=False), frame(PING, b"now"), frame(CONTINUATION, b"ment")],
    "a pong between": [frame(TEXT, b"frag", fin=False), frame(PONG, b"now"), frame(CONTINUATION, b"ment")],
}  # fmt: skip


@pytest.mark.parametrize("frames", FRAGMENTS.values(), ids=FRAGMENTS.keys())
def test_a_message_in_fragments(connect: Connect, frames: list[bytes]) -> None:
    """However a message is cut, and whatever control frames come between, it is whole."""
    assert connect(*frames).receive() == "fragment"


def test_a_character_in_two_fragments(connect: Connect) -> None:
    """A fragment may end in the middle of a character."""
    both = "über".encode()
    assert connect(frame(TEXT, both[:1], fin=False), frame(CONTINUATION, both[1:])).receive() == "über"


BROKEN = {
    **{f"reserved bits {bits}": frame(TEXT, b"x", rsv=bits) for bits in range(1, 8)},
    **{f"a ping with reserved bits {bits}": frame(PING, b"x", rsv=bits) for bits in (1, 2, 4)},
    **{f"opcode {opcode}": frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a pong of 126 bytes": frame(PONG, b"x" * 126),
    "a ping in fragments": frame(PING, b"x", fin=False) + frame(CONTINUATION, b"y"),
    "a close in fragments": frame(CLOSE, b"", fin=False),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "a continuation of nothing, unfinished": frame(CONTINUATION, b"x", fin=False),
    "a message amid the fragments of another": frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
    "binary amid the fragments of text": frame(TEXT, b"x", fin=False) + frame(BINARY, b"y"),
    "a close with half a code": frame(CLOSE, b"\x03"),
    "a close of 126 bytes": frame(CLOSE, struct.pack(">H", 1000) + b"x" * 124),
    **{
        f"close code {code}": close(code)
        for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_what_breaks_the_protocol_ends_the_connection(connect: Connect, data: bytes) -> None:
    """The next message is not delivered, whatever is behind the broken frame."""
    connection = connect(data, frame(TEXT, b"next"))
    assert ending(connection)


@pytest.mark.parametrize(
    "code",
    [None, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999],
)
def test_a_close_is_answered(connect: Connect, code: int | None) -> None:
    """Every code that a server may send is answered with a close, and ends the connection in good order."""
    heard: list[tuple[int, bytes]] = []
    connection = connect(close(code), heard=heard)
    ending(connection)
    wait_for(heard, 1)
    assert heard[-1][0] == CLOSE
    assert heard[-1][1][:2] in (b"", struct.pack(">H", code or 1000), struct.pack(">H", 1000))


@pytest.mark.parametrize("reason", [b"", b"x" * 123, "schön".encode(), b"\xff\xfe"])
def test_the_reason_of_a_close(connect: Connect, reason: bytes) -> None:
    """A reason of any length is taken, and one that is no UTF-8 breaks nothing."""
    assert ending(connect(close(1011, reason)))


def test_nothing_counts_after_a_close(connect: Connect) -> None:
    """What comes behind a close is not delivered."""
    connection = connect(close() + frame(TEXT, b"late"))
    ending(connection)
    with pytest.raises(ConnectionEnded):
        connection.receive()


@pytest.mark.parametrize(
    "data", [b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", "\U0010ffff\ufffe".encode()]
)
def test_text_is_utf8(connect: Connect, data: bytes) -> None:
    """Every character that UTF-8 can say is taken, those that mean nothing too."""
    assert connect(frame(TEXT, data)).receive() == data.decode()


@pytest.mark.parametrize("data", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"caf\xc3"])
def test_text_that_is_no_utf8_is_not_lost(connect: Connect, data: bytes) -> None:
    """What cannot be read is replaced, and the next message comes: see the module."""
    connection = connect(frame(TEXT, b"word " + data), frame(TEXT, b"next"))
    assert connection.receive().startswith("word ")
    assert connection.receive() == "next"


def test_a_server_that_masks(connect: Connect) -> None:
    """Its frames are understood: see the module."""
    assert connect(masked(TEXT, b"hidden")).receive() == "hidden"


def test_a_message_of_binary_is_passed_over(connect: Connect) -> None:
    """The API has none; the next message comes."""
    assert connect(frame(BINARY, b"\x00\x01"), frame(TEXT, b"next")).receive() == "next"


def test_what_we_send_is_masked_each_time_anew(hostile: Serve) -> None:
    """Every frame of ours has the mask bit and a mask of its own, and no reserved bits."""
    heads: list[bytes] = []
    done = threading.Event()

    def behave(peer: Peer) -> None:
        upgrade(peer)
        while len(heads) < 20:
            first = peer._exactly(2)
            size = first[1] & 0x7F
            if size == 126:
                size = int.from_bytes(peer._exactly(2), "big")
            heads.append(first + peer._exactly(4))
            peer._exactly(size)
        done.set()

    connection = Connection(hostile(behave).url.replace("http", "ws", 1), {})
    connection.connect()
    for number in range(10):
        connection.send_audio(bytes(100 * number + 1))
        connection.send_text("text")
    assert done.wait(10)
    connection.abort()
    connection.close()
    assert all(head[0] & 0x70 == 0 and head[0] & 0x80 and head[1] & 0x80 for head in heads)
    assert len({head[2:] for head in heads}) == 20


@pytest.mark.slow
def test_two_hundred_streams_leave_nothing(tmp_path: Path) -> None:
    """After 200 streams there is no thread and no descriptor more than after ten, and nothing is left unclosed."""
    response = tmp_path / "response.json"
    response.write_bytes(BODY)

    def left() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    with running(ServerSettings(engine="replay", response=response)) as url:
        counts = []
        for number in range(200):
            with dgcli.stream(
                [bytes(3200)], base_url=url, api_key="k", encoding="linear16", sample_rate=16000
            ) as stream:
                if number % 10 == 9:
                    next(iter(stream))  # one in ten is left in the middle
                else:
                    assert any(isinstance(event, dgcli.Closed) for event in stream)
            if number >= 9:
                counts.append(left())
    # The server, which is in this process, closes its sides a moment later: what counts is that nothing grows.
    descriptors, threads = zip(*counts, strict=True)
    assert min(descriptors[-20:]) <= max(descriptors[:20])
    assert min(threads[-20:]) <= max(threads[:20])
