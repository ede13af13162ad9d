"""Audio from an http or https URL: radio that never ends, files, HLS.

An endless stream is decoded through PyAV where that is installed, so that a dropped WebSocket is resumed to
the sample; without it the stream is passed on as it comes. What the API's key belongs to is another server:
it is never sent here.
"""

import random
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from dgcli import __version__
from dgcli.audio import decode, icy
from dgcli.audio.base import AudioFormat, Pace, slices
from dgcli.audio.containers import suffix_of
from dgcli.audio.media import SNIFF_BYTES
from dgcli.audio.pump import Pump
from dgcli.errors import AudioError, NetworkError
from dgcli.events import Notice, NoticeKind

_CONNECT_SECONDS = 10.0
_STALL_SECONDS = 10.0
_READ_BYTES = 4096
# Tries without a byte of audio before a source is given up; with the pauses below that is about ten minutes.
_MOST_TRIES = 24
_LONGEST_PAUSE = 30.0
_MOST_REDIRECTS = 10
_HEADERS = {"User-Agent": f"dgcli/{__version__}", "Icy-MetaData": "1", "Accept": "*/*"}
_PLAYLISTS = ("audio/x-scpls", "audio/scpls", "audio/x-mpegurl", "audio/mpegurl", "application/pls+xml")
_HLS = ("application/vnd.apple.mpegurl", "application/x-mpegurl")

_log_pause = tuple(min(0.5 * 2**tries, _LONGEST_PAUSE) for tries in range(8))


class _DroppedError(Exception):
    """The connection broke or stalled; what was said is the message."""


class _Answer:
    """One answer of a server: its headers, and its body piece by piece."""

    def __init__(
        self,
        url: str,
        status: int,
        reason: str,
        headers: Mapping[str, str],
        pieces: Iterator[bytes],
        abort: Callable[[], None],
    ) -> None:
        self.url = url
        self.status = status
        self.reason = reason
        self.headers = headers
        self.abort = abort  # from any thread: makes a read that waits return
        self._pieces = pieces

    @property
    def kind(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_radio(self) -> bool:
        """Whether a radio server answers: what it sends has no end of its own."""
        server = self.headers.get("server", "").lower()
        return "icecast" in server or "shoutcast" in server or any(k.startswith("icy-") for k in self.headers)

    @property
    def length(self) -> int | None:
        """Bytes of the body, where a file answers."""
        text = self.headers.get("content-length", "")
        # Old Icecast servers send the length of nothing for what never ends.
        return int(text) if text.isdigit() and int(text) and not self.is_radio else None

    def read(self) -> bytes:
        """The next piece, never empty but at the end. Raises `_DroppedError`."""
        try:
            for piece in self._pieces:
                if piece:
                    return piece
        except httpx.TimeoutException as error:
            raise _DroppedError(f"no data for {_STALL_SECONDS:g} s") from error
        except TimeoutError as error:
            raise _DroppedError(f"no data for {_STALL_SECONDS:g} s") from error
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            raise _DroppedError(str(error) or type(error).__name__) from error
        return b""


def _shut_down(connection: Any) -> None:
    """Wake whoever waits for a socket. The socket is closed by its owner, later."""
    with suppress(OSError, AttributeError):
        connection.shutdown(socket.SHUT_RDWR)


def _get_icy(url: str, verify: ssl.SSLContext | bool) -> _Answer:
    """Ask a server whose status line is `ICY 200 OK`, as Shoutcast before version 2 says it.

    HTTP libraries refuse that line. All such a server ever sends after its head is audio.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection: socket.socket = socket.create_connection((parts.hostname, port), timeout=_CONNECT_SECONDS)
    if parts.scheme == "https":
        context = verify if isinstance(verify, ssl.SSLContext) else ssl.create_default_context()
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
    connection.settimeout(_STALL_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {path} HTTP/1.0", f"Host: {parts.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in _HEADERS.items()]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
    status, headers, begun = icy.read_head(lambda: connection.recv(_READ_BYTES))
    code = re.match(r"\S+\s+(\d{3})\s*(.*)", status)

    def pieces() -> Iterator[bytes]:
        try:
            yield begun
            while got := connection.recv(_READ_BYTES):
                yield got
        finally:
            connection.close()

    return _Answer(
        url,
        int(code.group(1)) if code else 0,
        code.group(2) if code else status,
        {**headers, "icy-status": status},
        pieces(),
        lambda: _shut_down(connection),
    )


class _Body:
    """A file-like view of a URL that a decoder reads from.

    Of a file, a break is mended by asking for the rest (RFC 9110, 14.2); of an endless stream it is the end,
    and `dropped` says why.
    """

    def __init__(self, source: "HttpSource", answer: _Answer) -> None:
        self.dropped: str | None = None
        self._source = source
        self._answer = answer
        self._length = answer.length
        self._at = 0
        self._kept = b""
        interval = answer.headers.get("icy-metaint", "")
        self._titles: icy.Deinterleaver | None = None
        if interval.isdigit() and int(interval):
            self._titles = icy.Deinterleaver(int(interval), source.announce_title)

    def _next(self) -> bytes:
        while True:
            try:
                piece = self._answer.read()
            except _DroppedError as error:
                if not self._resume(str(error)):
                    return b""
                continue
            if not piece and self._length is not None and self._at < self._length:
                if not self._resume("the connection was closed too early"):
                    return b""
                continue
            if not piece and self._answer.is_radio:
                self.dropped = "the server closed the connection"
            self._at += len(piece)
            return self._titles.feed(piece) if piece and self._titles else piece

    def _resume(self, why: str) -> bool:
        """Continue a file where it broke off; False when that is impossible or not wanted."""
        if self._length is None:
            self.dropped = why
            return False
        answer = self._source.again(why, self._at)
        if answer is None:
            return False
        skip = self._at if answer.status != 206 else 0
        self._answer = answer
        self._at -= skip
        while skip > 0:
            piece = answer.read()
            if not piece:
                return False
            self._kept = piece[skip:]
            self._at += min(len(piece), skip)
            skip -= len(piece)
        self._at += len(self._kept)
        return True

    def read(self, size: int = _READ_BYTES, /) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._kept:
            if self._source.is_stopped:
                return b""
            before = self._at
            self._kept = self._kept or self._next()
            if not self._kept and self._at == before:
                return b""
        taken, self._kept = self._kept[:size], self._kept[size:]
        return taken


class HttpSource:
    """Audio from an http or https URL.

    One with a Content-Length is a file: it is sent at real-time pace, and resumed where it broke off. One
    without is endless and comes at its own pace: when it stalls or drops, it is asked for again, with pauses
    that grow. `raw` says what headerless audio behind the URL is. `verify` is for TLS, as httpx takes it.
    """

    def __init__(
        self,
        url: str,
        raw: AudioFormat | None = None,
        *,
        verify: ssl.SSLContext | bool = True,
        may_decode: bool = True,
    ) -> None:
        self.name = url
        self.pace = Pace.FREE
        self.duration: float | None = None
        self._raw = raw
        self._verify = verify
        self._may_decode = may_decode and raw is None and decode.available()
        self._client: httpx.Client | None = None
        self._answer: _Answer | None = None
        self._body: _Body | None = None
        self._decoder: decode.Decoder | None = None
        self._format = AudioFormat()
        self._is_hls = False
        self._stopped = threading.Event()
        self._notices: deque[Notice] = deque()
        self._begun = b""
        self._tries = 0
        self._pump: Pump[bytes | Notice] = Pump(self._audio, name="http source")

    @property
    def is_stopped(self) -> bool:
        """Whether nobody wants more."""
        return self._stopped.is_set()

    def announce_title(self, title: str) -> None:
        """A radio says what it plays."""
        self._notices.append(Notice(NoticeKind.SOURCE, f"Now playing: {title}"))

    def _request(self, offset: int = 0) -> _Answer:
        """Ask for the URL, from byte `offset` on. Raises httpx's errors and `OSError`."""
        if self._client is None:
            self._client = httpx.Client(
                verify=self._verify,
                follow_redirects=True,
                max_redirects=_MOST_REDIRECTS,
                headers=_HEADERS,
                timeout=httpx.Timeout(_STALL_SECONDS, connect=_CONNECT_SECONDS),
            )
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        try:
            request = self._client.build_request("GET", self.name, headers=headers)
            response = self._client.send(request, stream=True)
        except httpx.RemoteProtocolError as error:
            location = str(error.request.url) if error._request else self.name  # where redirects have led
            answer = _get_icy(location, self._verify)
        else:
            stream = response.extensions.get("network_stream")
            connection = stream.get_extra_info("socket") if stream is not None else None
            answer = _Answer(
                str(response.url),
                response.status_code,
                response.reason_phrase,
                {name.lower(): value for name, value in response.headers.items()},
                response.iter_raw(),
                lambda: _shut_down(connection),
            )
        self._answer = answer
        if self.is_stopped:
            answer.abort()
        return answer

    def _first(self) -> _Answer:
        """The first answer, behind playlists. Raises `NetworkError` and `AudioError`."""
        for _ in range(_MOST_REDIRECTS):
            try:
                answer = self._request()
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
                raise AudioError(f"{self.name} cannot be opened: {error}") from error
            except httpx.TooManyRedirects as error:
                raise AudioError(f"{self.name} redirects in a circle.") from error
            except (httpx.HTTPError, OSError) as error:
                why = str(error) or type(error).__name__
                raise NetworkError(f"{self.name} cannot be reached: {why}") from error
            if answer.status >= 400 or not 200 <= answer.status < 300:
                hint = "The server wants a login." if answer.status in (401, 403) else None
                raise AudioError(
                    f"{self.name} answered {answer.status} {answer.reason}".rstrip() + ".", hint=hint
                )
            path = urlsplit(answer.url).path.lower()
            if answer.kind in _HLS or (path.endswith(".m3u8") and answer.kind not in _PLAYLISTS[:2]):
                self._is_hls = True
                self.name = answer.url
                return answer
            if answer.kind not in _PLAYLISTS and not path.endswith((".pls", ".m3u")):
                return answer
            text = self._whole(answer)
            if "#EXT-X-" in text:
                self._is_hls = True
                self.name = answer.url
                return answer
            target = icy.playlist_target(text)
            if target is None:
                raise AudioError(f"The playlist {self.name} names no stream.")
            self.name = urljoin(answer.url, target)
        raise AudioError(f"{self.name} leads from playlist to playlist.")

    @staticmethod
    def _whole(answer: _Answer, most: int = 1 << 16) -> str:
        found = b""
        with suppress(_DroppedError):
            while len(found) < most and (piece := answer.read()):
                found += piece
        return found.decode("utf-8", "replace")

    def open(self) -> AudioFormat:
        """Ask for the URL and find out what comes. Raises `NetworkError` and `AudioError`."""
        if urlsplit(self.name).scheme.lower() not in ("http", "https") or not urlsplit(self.name).hostname:
            raise AudioError(f"{self.name} is no http or https URL.")
        answer = self._first()
        if answer.kind in ("text/html", "application/xhtml+xml"):
            raise AudioError(
                f"{answer.url} is a web page, not audio.",
                hint="Look for the address of the stream itself; it often ends in .mp3, .aac or .m3u8.",
            )
        if self._is_hls:
            answer.abort()
            return self._open_hls()
        if answer.length is not None:
            self.pace = Pace.REAL_TIME
        self._body = _Body(self, answer)
        if self._may_decode:
            self._decoder = decode.Decoder(self._body, self.name)
            self.duration = self._decoder.duration if self.pace is Pace.REAL_TIME else None
            self._format = self._decoder.format
        elif self._raw is not None:
            self._format = self._raw
            if answer.length and self._raw.byte_rate:
                self.duration = answer.length / self._raw.byte_rate
        else:
            while len(self._begun) < SNIFF_BYTES and (piece := self._body.read()):
                self._begun += piece
            if not self._begun:
                raise AudioError(f"Nothing came from {self.name}.")
            self._format = AudioFormat(suffix=suffix_of(self._begun, urlsplit(answer.url).path))
        return self._format

    def _open_hls(self) -> AudioFormat:
        if not decode.available():
            raise AudioError(f"{self.name} is an HLS stream.", hint=decode.EXTRA_HINT)
        self._decoder = self._hls_decoder()
        self.duration = self._decoder.duration
        if self.duration is not None:
            self.pace = Pace.REAL_TIME
        self._format = self._decoder.format
        return self._format

    def _hls_decoder(self) -> decode.Decoder:
        like = self._format if self._format.sample_rate else None
        return decode.Decoder(
            self.name,
            self.name,
            like=like,
            options={"user_agent": _HEADERS["User-Agent"], "reconnect": "1", "http_persistent": "0"},
            timeout=(_CONNECT_SECONDS * 2, _STALL_SECONDS * 2),
        )

    def _pause(self) -> bool:
        """Wait before the next try, longer each time; False when it is to end."""
        self._tries += 1
        pause = _log_pause[min(self._tries - 1, len(_log_pause) - 1)]
        return self._tries <= _MOST_TRIES and not self._stopped.wait(pause * random.uniform(0.8, 1.2))

    def again(self, why: str, offset: int = 0) -> _Answer | None:
        """Ask again until an answer comes; None when stopped. Raises `AudioError` when it is hopeless."""
        self._note(f"{self.name} broke off ({why}); asking again.")
        while self._pause():
            try:
                answer = self._request(offset)
            except (httpx.HTTPError, OSError, ValueError) as error:
                why = str(error) or type(error).__name__
                continue
            if 200 <= answer.status < 300:
                self._note(f"{self.name} is back.")
                return answer
            answer.abort()
            why = f"HTTP {answer.status}"
        if self.is_stopped:
            return None
        raise AudioError(f"{self.name} did not come back after {_MOST_TRIES} tries: {why}.")

    def _note(self, message: str) -> None:
        if not self.is_stopped:
            self._notices.append(Notice(NoticeKind.SOURCE, message))

    def _pieces(self) -> Iterator[bytes]:
        """The audio of one connection."""
        if self._decoder is not None:
            yield from self._decoder.blocks(self._stopped.is_set)
            return
        body = self._body
        begun, self._begun = self._begun, b""
        if begun:
            yield from slices(begun, self._format)
        while body is not None and (piece := body.read()):
            yield from slices(piece, self._format)

    def _reopen(self) -> bool:
        """Connect to an endless source again; False when it is to end."""
        if self._is_hls:
            if not self._pause():
                return False
            self._decoder = self._hls_decoder()
            self._note(f"{self.name} is back; what was said meanwhile may be missing.")
            return True
        answer = self.again(self._body.dropped or "" if self._body else "")
        if answer is None:
            return False
        self._body = _Body(self, answer)
        if self._decoder is not None:
            self._decoder = decode.Decoder(self._body, self.name, like=self._format)
        return True

    def _audio(self) -> Iterator[bytes | Notice]:
        """Blocks and notices, over as many connections as it takes; runs on the thread of the pump."""
        problem: AudioError | None = None
        while True:
            problem = None
            try:
                for piece in self._pieces():
                    self._tries = 0
                    while self._notices:
                        yield self._notices.popleft()
                    yield piece
            except AudioError as error:
                problem = error
            while self._notices:
                yield self._notices.popleft()
            endless = self._is_hls and self.pace is Pace.FREE
            broke = bool(self._body and self._body.dropped) or (endless and problem is not None)
            if self.is_stopped or not broke:
                break
            try:
                if not self._reopen():
                    break
            except AudioError as error:
                problem = error
                if self._tries >= _MOST_TRIES:
                    break
                if self._body is not None:
                    self._body.dropped = error.message
        if problem is not None and not self.is_stopped:
            raise problem

    def blocks(self) -> Iterator[bytes | Notice]:
        """The audio in blocks, with notices about the source and the titles it plays."""
        self._pump.start()
        yield from self._pump

    def stop(self) -> None:
        """End `blocks` soon, with what was already received."""
        self._stopped.set()
        self._pump.stop()
        if self._answer is not None:
            self._answer.abort()
