"""What a playlist may lead to, and what it may not: HLS is fetched by us, and names nothing on this machine."""

import io
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trustme

from dgcli.audio import hls, open_source, url
from dgcli.audio.other_files import check_recording
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


_CLIENT = "from dgcli.audio.decode import Decoder; Decoder(sys.argv[1], 'x')"
_SERVER = """
from pathlib import Path
from dgcli.server.decode import decoded
from dgcli.server.engines.base import Audio
list(decoded(Audio(Path(sys.argv[1])), 60))
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only a pipe tells that it was opened")
@pytest.mark.parametrize("program", [_CLIENT, _SERVER], ids=["client", "server"])
@pytest.mark.parametrize(
    "list_", [playlist("x.ts"), b"ffconcat version 1.0\nfile x.ts\n"], ids=["hls", "concat"]
)
def test_what_a_list_names_is_not_even_opened(tmp_path: Path, program: str, list_: bytes) -> None:
    """A list beside a pipe, whose opening would wait for ever, is refused at once."""
    os.mkfifo(tmp_path / "x.ts")
    path = tmp_path / "talk.mp4"
    path.write_bytes(list_)
    command = [sys.executable, "-c", f"import sys\n{program}", str(path)]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert result.returncode == 1
    assert b"AudioError" in result.stderr


@pytest.mark.parametrize("begin", ["#EXTM3U\n", "\ufeff#EXTM3U\n", "[playlist]\n", "[Playlist]\r\n"])
@pytest.mark.parametrize("name", ["a.m3u8", "talk.mp3"])
def test_a_playlist_on_disk_is_called_that(tmp_path: Path, begin: str, name: str) -> None:
    """A playlist that is no recording, whatever its name, is refused as such, with a way out."""
    path = tmp_path / name
    path.write_text(f"{begin}File1=http://127.0.0.1/a\n", "utf-8")
    with pytest.raises(AudioError, match="is a playlist, not audio") as raised:
        open_source(str(path)).open()
    assert "dg live https://" in (raised.value.hint or "")
    with pytest.raises(AudioError, match="is a playlist, not a recording"):
        check_recording(path.read_bytes(), name, size=path.stat().st_size)


def test_a_playlist_changes_into_nothing_else(serve: Serve) -> None:
    """A server that answers the second request with a session description opens no socket here."""
    times = iter([playlist("a.ts")])
    sdp = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        answered(connection, next(times, sdp), "application/x-mpegURL")

    with pytest.raises(AudioError):
        played(serve(answer).url.replace("/stream", "/live.m3u8"))


KEY = bytes(range(16))


def parts_of_one_file(serve: Serve, whole: bytes, listed: bytes) -> str:
    """Serve a playlist of ranges of a file, from a server that knows ranges, and the key; return the list's address."""

    def answer(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if path.endswith(".m3u8"):
            answered(connection, listed, "application/x-mpegURL")
        elif path == "/key":
            answered(connection, KEY, "application/octet-stream")
        else:
            start = int(headers["range"][6:-1]) if "range" in headers else 0
            said = f"Content-Range: bytes {start}-{len(whole) - 1}/{len(whole)}\r\n"
            answered(
                connection, whole[start:], "video/mp2t", "206 Partial Content" if start else "200 OK", said
            )

    return serve(answer).url.replace("/stream", "/live.m3u8")


def encrypted(data: bytes, vector: bytes, key: bytes = KEY) -> bytes:
    """Encrypt a segment as RFC 8216, 4.3.2.4, has it: AES-128, CBC, padded (PKCS #7)."""
    ciphers = pytest.importorskip(
        "cryptography.hazmat.primitives.ciphers", reason="nothing else here encrypts"
    )
    encryptor = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(vector)).encryptor()
    padding = 16 - len(data) % 16
    return bytes(encryptor.update(data + bytes([padding]) * padding) + encryptor.finalize())


@pytest.mark.parametrize("vector", ["given", "counted"])
def test_encrypted_segments_are_played(serve: Serve, vector: str) -> None:
    """AES-128 is decrypted, with the vector of the playlist or, without one, the number of the segment."""
    given = bytes(range(100, 116))
    vectors = (given, given) if vector == "given" else ((7).to_bytes(16, "big"), (8).to_bytes(16, "big"))
    more = f",IV=0x{given.hex()}" if vector == "given" else ""
    before = f'#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-KEY:METHOD=AES-128,URI="key"{more}\n'
    files = {"/live.m3u8": playlist("a.ts", "b.ts", before=before), "/key": KEY}
    files |= {"/a.ts": encrypted(segment(), vectors[0]), "/b.ts": encrypted(segment(), vectors[1])}
    server, address = live(serve, files)
    assert played(address) == pytest.approx(2, abs=0.3)
    assert len(server.requests) == 5


def test_encrypted_segments_may_be_parts_of_one_file(serve: Serve) -> None:
    """Byte ranges of a file are segments that are encrypted each by itself."""
    parts = encrypted(segment(), bytes(16)), encrypted(segment(), bytes(16))
    whole, first = b"".join(parts), len(parts[0])
    entries = f"#EXT-X-BYTERANGE:{first}@0\nall.ts", f"#EXT-X-BYTERANGE:{len(parts[1])}@{first}\nall.ts"
    before = f'#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x{bytes(16).hex()}\n'

    address = parts_of_one_file(serve, whole, playlist(*entries, before=before))
    assert played(address) == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("way", ["refused", "file"])
def test_a_key_that_cannot_be_had_is_told(serve: Serve, tmp_path: Path, way: str) -> None:
    """A key that is refused is named; one that would be a file of this machine is not read."""
    (tmp_path / "key").write_bytes(KEY)
    uri = "key" if way == "refused" else (tmp_path / "key").as_uri()
    before = f'#EXT-X-KEY:METHOD=AES-128,URI="{uri}"\n'
    files = {"/live.m3u8": playlist("a.ts", before=before), "/a.ts": encrypted(segment(), bytes(16))}
    _, address = live(serve, files)
    with pytest.raises(AudioError, match="/key: HTTP 404" if way == "refused" else "can be decoded"):
        played(address)


def test_a_wrong_key_is_no_audio(serve: Serve) -> None:
    """What a wrong key makes of a segment is refused, not heard."""
    before = '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
    files = {"/live.m3u8": playlist("a.ts", before=before), "/key": KEY[::-1]}
    _, address = live(serve, {**files, "/a.ts": encrypted(segment(), bytes(16))})
    with pytest.raises(AudioError):
        played(address)


def test_an_encrypted_segment_without_end_is_not_held(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a bounded part of a segment is held to be decrypted."""
    monkeypatch.setattr(hls, "_MOST_ENCRYPTED", 1 << 12)
    before = '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
    files = {"/live.m3u8": playlist("a.ts", before=before), "/key": KEY, "/a.ts": bytes(1 << 20)}
    _, address = live(serve, files)
    with pytest.raises(AudioError, match="too large"):
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

    address = parts_of_one_file(serve, whole, playlist(*entries))
    assert played(address) == pytest.approx(2, abs=0.3)
