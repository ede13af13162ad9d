"""http and https URLs as a source."""

import io
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dgcli.audio import decode, http, icy, open_source, url
from dgcli.audio.base import AudioFormat, Pace
from dgcli.audio.url import HttpSource
from dgcli.errors import AudioError, NetworkError
from tests.conftest import HANGS_AFTER
from tests.sources.conftest import RATE, Handler, Server, read_all, tone, wav

Serve = Callable[[Handler], Server]


def mp3(seconds: float) -> bytes:
    """A tone as MP3."""
    file = io.BytesIO()
    samples = np.frombuffer(tone(seconds), "<i2")
    soundfile.write(file, samples, RATE, format="MP3", subtype="MPEG_LAYER_III")
    return file.getvalue()


def head(status: str = "HTTP/1.1 200 OK", **headers: str) -> bytes:
    """The head of an answer; underscores stand for hyphens."""
    lines = [status, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def titled(audio: bytes, interval: int, titles: dict[int, str]) -> bytes:
    """Audio with ICY metadata between; `titles` by the number of the interval."""
    out = bytearray()
    for number, start in enumerate(range(0, len(audio), interval)):
        part = audio[start : start + interval]
        out += part
        if len(part) == interval:
            text = f"StreamTitle='{titles[number]}';".encode() if number in titles else b""
            padded = text + b"\0" * (-len(text) % 16)
            out += bytes([len(padded) // 16]) + padded
    return bytes(out)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are the same code, only shorter."""
    monkeypatch.setattr(url, "_PAUSES", (0.01,))


def test_a_file_is_sent_at_real_time(serve: Serve) -> None:
    """What has a Content-Length is a file: paced, decoded to the sample."""
    data = wav(tone(0.7))

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(head(Content_Length=str(len(data)), Content_Type="audio/wav") + data)

    source = open_source(serve(answer).url)
    assert source.open() == AudioFormat("linear16", RATE, 1, ".wav")
    assert source.pace is Pace.REAL_TIME
    assert read_all(source)[0] == tone(0.7)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_file_is_resumed_where_it_broke(serve: Serve, ranges: bool) -> None:
    """Every sample comes once and in order, with or without Range on the server."""
    data = wav(tone(2.0))
    cuts = [20_000, 45_000]

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        start = int(headers["range"][6:-1]) if ranges and "range" in headers else 0
        status = "HTTP/1.1 206 Partial Content" if start else "HTTP/1.1 200 OK"
        stop = cuts.pop(0) if cuts else len(data)
        more = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        connection.sendall(head(status, Content_Length=str(len(data) - start), **more) + data[start:stop])

    source = open_source(serve(answer).url)
    source.open()
    audio, notices = read_all(source)
    assert audio == tone(2.0)
    assert [n.message.split()[1:3] for n in notices] == [["broke", "off:"], ["is", "back."]] * 2


@pytest.mark.parametrize("decoded", [True, False])
@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        ("206 Partial Content", {"Content_Range": "bytes 0-63999/64044"}, "another part"),
        ("206 Partial Content", {"Content_Range": "bytes 20000-64000/99999"}, "another part"),
        ("206 Partial Content", {}, "another part"),
        ("206 Partial Content", {"Content_Range": "bytes 20000-64043/64044", "ETag": '"two"'}, "replaced"),
        ("200 OK", {"ETag": '"two"'}, "replaced"),
        ("200 OK", {"Content_Length": "70000"}, "length"),
    ],
)
def test_parts_of_two_files_are_never_joined(
    serve: Serve,
    status: str,
    headers: dict[str, str],
    message: str,
    decoded: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A source that goes on with another part, or another file, ends with an error: nothing of it is sent."""
    monkeypatch.setattr(decode, "available", lambda: decoded)
    data = wav(tone(2.0))
    asked: list[dict[str, str]] = []

    def answer(connection: socket.socket, path: str, given: dict[str, str]) -> None:
        asked.append(given)
        if len(asked) == 1:
            connection.sendall(head(Content_Length=str(len(data)), ETag='"one"') + data[:20_000])
        else:
            length = {"Content_Length": str(len(data))} | headers
            connection.sendall(head(f"HTTP/1.1 {status}", **length) + bytes([7]) * 70_000)

    source = open_source(serve(answer).url, None if decoded else AudioFormat("linear16", RATE, 1))
    audio = bytearray()

    def listen() -> None:
        source.open()  # reads as far as a decoder wants
        for item in source.blocks():
            audio.extend(item if isinstance(item, bytes) else b"")

    with pytest.raises(AudioError, match=f"cannot be continued where it broke off: .*{message}"):
        listen()
    assert bytes([7] * 8) not in audio
    assert (asked[1]["range"], asked[1]["if-range"]) == ("bytes=20000-", '"one"')


@pytest.mark.parametrize("decoded", [True, False])
def test_radio_is_endless_and_its_titles_are_notices(
    serve: Serve, decoded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ICY metadata is taken out of the audio; titles are told once each."""
    monkeypatch.setattr(decode, "available", lambda: decoded)
    data = mp3(3)
    asked = threading.Event()

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        assert headers["icy-metadata"] == "1"
        body = titled(data, 1000, {0: "One", 1: "One", 3: "It's two"})
        connection.sendall(head("HTTP/1.0 200 OK", icy_metaint="1000", Content_Type="audio/mpeg") + body)
        asked.wait(10)

    source = open_source(serve(answer).url)
    opened = source.open()
    assert (source.pace, source.duration) == (Pace.FREE, None)
    audio, titles = b"", []
    for item in source.blocks():
        if isinstance(item, bytes):
            audio += item
        else:
            titles.append(item.message)
        if len(audio) >= (opened.byte_rate or 0) * 2 and (decoded or len(audio) >= len(data)):
            source.stop()
    asked.set()
    if decoded:
        assert opened.encoding == "linear16"
    else:
        assert opened == AudioFormat(suffix=".mp3")
        assert audio == data
    assert titles == ["Now playing: One", "Now playing: It's two"]


def test_old_shoutcast_servers_are_understood(serve: Serve) -> None:
    """`ICY 200 OK` instead of HTTP does not stop us; the path and query are asked for."""
    data = mp3(2)

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        assert path == "/;stream?sid=1"
        connection.sendall(
            b"ICY 200 OK\r\nicy-name:Old\r\nicy-metaint:500\r\n\r\n" + titled(data, 500, {0: "T"})
        )
        connection.recv(1)

    server = serve(answer)
    source = open_source(server.url.replace("/stream", "/;stream?sid=1"))
    assert source.open().encoding == "linear16"
    assert source.pace is Pace.FREE
    seconds = 0.0
    for item in source.blocks():
        if isinstance(item, bytes):
            seconds += len(item) / 2 / RATE
            if seconds > 1:
                source.stop()
    assert seconds > 1


def test_a_radio_that_drops_is_asked_again(serve: Serve) -> None:
    """A reset, a clean end, a refusal and a stall are each followed by more audio and a notice."""
    data = mp3(1.0)
    answers = iter(["reset", "end", "503", "stay"])
    done = threading.Event()

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        how = next(answers, "stay")
        if how == "503":
            connection.sendall(head("HTTP/1.1 503 Busy", Content_Length="0"))
            return
        connection.sendall(head("HTTP/1.0 200 OK", icy_name="x", Content_Type="audio/mpeg") + data)
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "stay":
            done.wait(10)

    server = serve(answer)
    source = open_source(server.url)
    opened = source.open()
    notices, seconds = [], 0.0
    for item in source.blocks():
        if isinstance(item, bytes):
            seconds += len(item) / (opened.byte_rate or 1)
            if len(server.requests) == 4 and len(notices) >= 4:
                source.stop()
        else:
            notices.append(item.message)
    done.set()
    assert sum("broke off" in message for message in notices) == 2
    assert sum("is back" in message for message in notices) == 2
    assert seconds > 1.5


@pytest.mark.parametrize(
    ("pause", "chunked", "is_live"),
    [(3.0, False, True), (3.0, True, False), (1.0, False, False), (0.0, False, False)],
)
def test_the_end_of_a_plain_answer(serve: Serve, *, pause: float, chunked: bool, is_live: bool) -> None:
    """A server that says nothing of itself: what came as it was made has dropped, what came at once was a file."""
    now, asked = 0.0, threading.Event()

    def clock() -> float:
        asked.set()
        return now

    data = mp3(20.0)
    parts = [data[at : at + len(data) // 5 + 1] for at in range(0, len(data), len(data) // 5 + 1)]

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        nonlocal now
        more = {"Transfer_Encoding": "chunked"} if chunked else {}
        connection.sendall(head("HTTP/1.1 200 OK", Content_Type="audio/mpeg", **more))
        assert asked.wait(HANGS_AFTER)  # the time of the answer is taken: what follows comes later
        for part in parts:
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
            now += pause
        if chunked:
            connection.sendall(b"0\r\n\r\n")

    source = HttpSource(serve(answer).url, clock=clock)
    source.open()
    notices = []
    for item in source.blocks():
        if not isinstance(item, bytes):
            notices.append(item.message)
            if "is back" in item.message:
                source.stop()
    assert bool(notices) is is_live


def test_a_stalled_radio_is_asked_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that keeps the connection and sends nothing is left after the stall time."""
    monkeypatch.setattr(http, "STALL_SECONDS", 0.2)
    data, done = mp3(1.0), threading.Event()

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(head("HTTP/1.0 200 OK", icy_name="x", Content_Type="audio/mpeg") + data)
        done.wait(10)

    source = open_source(serve(answer).url)
    source.open()
    for item in source.blocks():
        if not isinstance(item, bytes) and "is back" in item.message:
            source.stop()
            break
        assert isinstance(item, bytes) or "for 0.2 s. Asking again." in item.message
    done.set()


def test_a_radio_that_never_comes_back_is_an_error(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many tries without audio the source fails, and says why."""
    monkeypatch.setattr(url, "_MOST_TRIES", 3)
    data = mp3(1.0)

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if len(server.requests) > 1:
            connection.sendall(head("HTTP/1.1 404 Gone", Content_Length="0"))
        else:
            connection.sendall(head("HTTP/1.0 200 OK", icy_name="x", Content_Type="audio/mpeg") + data)

    server = serve(answer)
    source = open_source(server.url)
    source.open()
    with pytest.raises(AudioError, match="did not come back after 3 tries: HTTP 404 Not Found"):
        read_all(source)


def test_redirects_are_followed_and_no_key_is_sent(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect leads to the audio; no request carries an Authorization header."""
    monkeypatch.setenv("DEEPGRAM_API_KEY", "secret")
    data = wav(tone(0.1))

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if path == "/stream":
            connection.sendall(head("HTTP/1.1 302 Found", Location="/real", Content_Length="0"))
        else:
            connection.sendall(head(Content_Length=str(len(data))) + data)

    server = serve(answer)
    source = open_source(server.url)
    source.open()
    assert read_all(source)[0] == tone(0.1)
    assert all("authorization" not in request for request in server.requests)
    assert "secret" not in str(server.requests)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("audio/x-scpls", "[playlist]\nNumberOfEntries=1\nFile1={base}/real\n"),
     ("audio/x-mpegurl", "#EXTM3U\n#EXTINF:-1,Radio\n{base}/real\n")],
)  # fmt: skip
def test_playlists_lead_to_their_stream(serve: Serve, kind: str, text: str) -> None:
    """A PLS or M3U that a radio links to is opened for what it names."""
    data = wav(tone(0.1))

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if path == "/stream":
            body = text.format(base=server.url.removesuffix("/stream")).encode()
            connection.sendall(head(Content_Type=kind, Content_Length=str(len(body))) + body)
        else:
            connection.sendall(head(Content_Length=str(len(data))) + data)

    server = serve(answer)
    source = open_source(server.url)
    source.open()
    assert read_all(source)[0] == tone(0.1)


@pytest.mark.parametrize("endless", [False, True])
def test_hls_is_played_through_pyav(serve: Serve, tmp_path: Path, endless: bool) -> None:
    """A playlist of segments is a file if it ends, and endless if it does not."""
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.ts"), "w", format="mpegts") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.frombuffer(tone(2, 48000), "<i2").reshape(1, -1), layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    segment = (tmp_path / "a.ts").read_bytes()
    end = "" if endless else "#EXT-X-ENDLIST\n"
    text = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\na.ts\n{end}".encode()

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        body, kind = (segment, "video/mp2t") if path.endswith(".ts") else (text, "application/x-mpegURL")
        connection.sendall(head(Content_Type=kind, Content_Length=str(len(body)), Connection="close") + body)

    source = open_source(serve(answer).url.replace("/stream", "/live.m3u8"))
    opened = source.open()
    assert opened.encoding == "linear16"
    assert source.pace is (Pace.FREE if endless else Pace.REAL_TIME)
    seconds = 0.0
    for item in source.blocks():
        if isinstance(item, bytes):
            seconds += len(item) / (opened.byte_rate or 1)
        if endless and seconds > 1.5:
            source.stop()
    assert seconds == pytest.approx(2, abs=0.5)


def test_an_index_at_the_end_is_found(serve: Serve, tmp_path: Path) -> None:
    """An MP4 with its index at the end plays from a server that knows ranges, and has a duration."""
    av = pytest.importorskip("av")
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.frombuffer(tone(9, 48000), "<i2").reshape(1, -1), layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert data.index(b"moov") > data.index(b"mdat")

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        start = int(headers["range"][6:-1]) if "range" in headers else 0
        status = "HTTP/1.1 206 Partial Content" if start else "HTTP/1.1 200 OK"
        length = str(len(data) - start)
        more = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        connection.sendall(head(status, Content_Length=length, Accept_Ranges="bytes", **more) + data[start:])

    source = open_source(serve(answer).url)
    opened = source.open()
    audio, notices = read_all(source)
    assert source.duration == pytest.approx(9, abs=0.1)
    assert len(audio) / (opened.byte_rate or 1) == pytest.approx(9, abs=0.1)
    assert not notices


def test_a_stream_joined_in_the_middle_starts_at_once(serve: Serve) -> None:
    """Of an MP3 radio a second is enough to begin: nothing waits for more."""
    data, done = mp3(2)[700:], threading.Event()

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(head("HTTP/1.0 200 OK", icy_name="x", Content_Type="audio/mpeg") + data)
        done.wait(20)

    source = open_source(serve(answer).url)
    begun = time.monotonic()
    assert source.open().encoding == "linear16"
    assert time.monotonic() - begun < 2
    source.stop()
    read_all(source)
    done.set()


def test_stop_ends_a_wait_for_the_network(serve: Serve) -> None:
    """stop() ends a source that waits for a silent server, well within a second."""
    data, done = mp3(0.5), threading.Event()

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(head("HTTP/1.0 200 OK", icy_name="x", Content_Type="audio/mpeg") + data)
        done.wait(10)

    source = open_source(serve(answer).url)
    source.open()
    threading.Timer(0.3, source.stop).start()
    begun = time.monotonic()
    for _ in source.blocks():
        pass
    assert time.monotonic() - begun < 1.5
    done.set()


@pytest.mark.parametrize(
    ("status", "kind", "body", "words"),
    [("404 Not Found", "text/plain", b"", "answered 404 Not Found"),
     ("401 Unauthorized", "text/plain", b"", "401"),
     ("200 OK", "text/html; charset=utf-8", b"<html>", "web page"),
     ("200 OK", "audio/mpeg", b"no music at all " * 300, "decoded")],
)  # fmt: skip
def test_what_is_no_audio_is_said(serve: Serve, status: str, kind: str, body: bytes, words: str) -> None:
    """Error answers, web pages and noise are an AudioError at once."""

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(
            head(f"HTTP/1.1 {status}", Content_Type=kind, Content_Length=str(len(body))) + body
        )

    with pytest.raises(AudioError, match=words):
        open_source(serve(answer).url).open()


def test_nobody_there_is_a_network_error(serve: Serve) -> None:
    """A refused connection and a server that hangs up are NetworkErrors."""
    server = serve(lambda *_: None)
    with pytest.raises(NetworkError):
        open_source(server.url).open()
    port = urlsplit(server.url).port
    server.close()
    with pytest.raises(NetworkError):
        open_source(f"http://127.0.0.1:{port}/x").open()


def test_raw_samples_behind_a_url(serve: Serve) -> None:
    """--encoding holds for a URL too."""
    data = tone(0.2, 8000)

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(head(Content_Length=str(len(data))) + data)

    source = HttpSource(serve(answer).url, AudioFormat("linear16", 8000))
    source.open()
    assert source.duration == pytest.approx(0.2)
    assert read_all(source)[0] == data


@given(st.binary(max_size=400), st.integers(1, 60), st.lists(st.integers(1, 50), max_size=30))
def test_titles_never_cost_audio(audio: bytes, interval: int, cuts: list[int]) -> None:
    """However the network cuts a stream, the audio between the titles is whole."""
    stream = titled(audio, interval, {0: "a", 2: "b" * 40})
    titles: list[str] = []
    taker = icy.Deinterleaver(interval, titles.append)
    out, at = b"", 0
    for cut in [*cuts, len(stream)]:
        out += taker.feed(stream[at : at + cut])
        at += cut
    assert out == audio
    assert titles == [text for number, text in ((0, "a"), (2, "b" * 40)) if len(audio) // interval > number]
