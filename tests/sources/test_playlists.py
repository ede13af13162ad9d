"""What a playlist may lead to, and what it may not: HLS is fetched by us, and names nothing on this machine."""

import io
import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trustme

from dgcli.audio import open_source, url
from dgcli.errors import AudioError
from tests.sources.conftest import Handler, Server, read_all, tone

Serve = Callable[[Handler], Server]

av = pytest.importorskip("av")  # without PyAV nothing plays HLS


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are the same code, only shorter."""
    monkeypatch.setattr(url, "_PAUSES", (0.01,))


def segment(seconds: float = 1.0) -> bytes:
    """A tone in an MPEG transport stream."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("aac", rate=48000)
        samples = np.frombuffer(tone(seconds, 48000), "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def playlist(*entries: str, before: str = "") -> bytes:
    """An HLS playlist that ends; `before` stands in front of its entries."""
    lines = "".join(f"#EXTINF:1.0,\n{entry}\n" for entry in entries)
    head = f"#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:1\n{before}"
    return f"{head}{lines}#EXT-X-ENDLIST\n".encode()


def answered(
    connection: socket.socket, body: bytes, kind: str, status: str = "200 OK", more: str = ""
) -> None:
    """Answer a request."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
    connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)


def live(serve: Serve, files: dict[str, bytes]) -> tuple[Server, str]:
    """A server of files, and the URL of its `/live.m3u8`."""

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        kind = "application/x-mpegURL" if path.endswith(".m3u8") else "video/mp2t"
        if path in files:
            answered(connection, files[path], kind)
        else:
            answered(connection, b"", kind, "404 Not Found")

    server = serve(answer)
    return server, server.url.replace("/stream", "/live.m3u8")


def played(address: str) -> float:
    """The seconds of audio that a URL gives."""
    source = open_source(address)
    rate = source.open().byte_rate or 1
    return len(read_all(source)[0]) / rate


class _TlsServer:
    """A server of HLS whose certificate is trusted by those who have its authority; counts what it is asked for."""

    def __init__(self, authority: trustme.CA, first: trustme.CA | None = None) -> None:
        self.paths: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._contexts = [self._context(authority)]
        if first is not None:
            self._contexts.insert(0, self._context(first))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}/live.m3u8"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @staticmethod
    def _context(authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        return context

    def _run(self) -> None:
        sound = segment()
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            context = self._contexts.pop(0) if len(self._contexts) > 1 else self._contexts[0]
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                path = connection.recv(65536).split(b" ")[1].decode()
                self.paths.append(path)
                if path.endswith(".m3u8"):
                    answered(connection, playlist("a.ts"), "application/x-mpegURL")  # type: ignore[arg-type]
                else:
                    answered(connection, sound, "video/mp2t")  # type: ignore[arg-type]

    def close(self) -> None:
        """Listen no longer."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.mark.parametrize("caught", [False, True])
def test_certificates_are_verified_for_every_file_of_hls(tmp_path: Path, caught: bool) -> None:
    """With the authority HLS plays; where another answers behind the first request, none of it is heard."""
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    verify = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    server = _TlsServer(theirs if caught else ours, first=ours)
    try:
        source = url.HttpSource(server.url, verify=verify)
        if caught:
            with pytest.raises(AudioError):
                source.open()
            assert server.paths == ["/live.m3u8"]
        else:
            rate = source.open().byte_rate or 1
            assert len(read_all(source)[0]) / rate == pytest.approx(1, abs=0.2)
            assert server.paths == ["/live.m3u8", "/live.m3u8", "/a.ts"]
    finally:
        server.close()


@pytest.mark.parametrize("way", ["absolute", "file", "http"])
def test_hls_names_no_file_of_this_machine(serve: Serve, tmp_path: Path, way: str) -> None:
    """A playlist from the network plays what lies in the network, and no file of this machine."""
    path = tmp_path / "private.mp3"
    soundfile.write(path, np.zeros(48000, np.float32), 48000, format="MP3")
    entry = {"absolute": str(path), "file": path.as_uri(), "http": "a.ts"}[way]
    _, address = live(serve, {"/live.m3u8": playlist(entry), "/a.ts": segment()})
    if way == "http":
        assert played(address) == pytest.approx(1, abs=0.2)
    else:
        with pytest.raises(AudioError):
            played(address)


@pytest.mark.parametrize("where", ["url", "file"])
def test_media_name_no_other_files(
    serve: Serve, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What claims to be audio and is a list of other files opens none, from the network or from disk."""
    soundfile.write(tmp_path / "private.wav", np.zeros(16000, np.float32), 16000)
    monkeypatch.chdir(tmp_path)
    list_ = b"ffconcat version 1.0\nfile private.wav\n"
    if where == "url":
        server = serve(lambda connection, path, headers: answered(connection, list_, "audio/x-unknown"))
        address = server.url
    else:
        (tmp_path / "talk.mp4").write_bytes(list_)
        address = str(tmp_path / "talk.mp4")
    with pytest.raises(AudioError):
        played(address)


def test_a_playlist_changes_into_nothing_else(serve: Serve) -> None:
    """A server that answers the second request with a session description opens no socket here."""
    times = iter([playlist("a.ts")])
    sdp = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        answered(connection, next(times, sdp), "application/x-mpegURL")

    with pytest.raises(AudioError):
        played(serve(answer).url.replace("/stream", "/live.m3u8"))


def test_an_encrypted_stream_says_so(serve: Serve) -> None:
    """What FFmpeg would have to fetch by itself to decrypt it is refused, with a way out."""
    before = '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
    files = {"/live.m3u8": playlist("a.ts", before=before), "/key": os.urandom(16), "/a.ts": segment()}
    _, address = live(serve, files)
    with pytest.raises(AudioError, match="encrypted"):
        played(address)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_segment_that_breaks_off_is_continued(serve: Serve, ranges: bool) -> None:
    """The rest of a segment is asked for, from a server with ranges and from one without."""
    sound = segment(2)
    broken: list[str] = []

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if path.endswith(".m3u8"):
            answered(connection, playlist("a.ts"), "application/x-mpegURL")
        elif not broken:
            broken.append(path)
            connection.sendall(
                f"HTTP/1.1 200 OK\r\nContent-Length: {len(sound)}\r\n\r\n".encode() + sound[: len(sound) // 2]
            )
        elif ranges and "range" in headers:
            start = int(headers["range"][6:-1])
            said = f"Content-Range: bytes {start}-{len(sound) - 1}/{len(sound)}\r\n"
            answered(connection, sound[start:], "video/mp2t", "206 Partial Content", said)
        else:
            answered(connection, sound, "video/mp2t")

    server = serve(answer)
    assert played(server.url.replace("/stream", "/live.m3u8")) == pytest.approx(2, abs=0.2)
    assert any("range" in request for request in server.requests)


def test_segments_may_be_parts_of_one_file(serve: Serve) -> None:
    """A playlist of byte ranges (RFC 8216, 4.3.2.2) plays in order."""
    whole = segment() + segment()
    half = len(whole) // 2
    entries = f"#EXT-X-BYTERANGE:{half}@0\nall.ts", f"#EXT-X-BYTERANGE:{half}@{half}\nall.ts"

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if path.endswith(".m3u8"):
            answered(connection, playlist(*entries), "application/x-mpegURL")
        else:
            start = int(headers["range"][6:-1]) if "range" in headers else 0
            said = f"Content-Range: bytes {start}-{len(whole) - 1}/{len(whole)}\r\n"
            answered(
                connection, whole[start:], "video/mp2t", "206 Partial Content" if start else "200 OK", said
            )

    address = serve(answer).url.replace("/stream", "/live.m3u8")
    assert played(address) == pytest.approx(2, abs=0.3)
