"""HTTP as audio needs it: reads that can be ended from outside, servers that only nearly speak it."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from dgcli import __version__
from dgcli.api import unreachable
from dgcli.api.http_failures import http_failure
from dgcli.api.proxies import unusable
from dgcli.api.refusals import Peer, Refusal, Role
from dgcli.audio import icy

_CONNECT_SECONDS = 10.0
STALL_SECONDS = 10.0  # so long without a byte: the source hangs
READ_BYTES = 4096
_MOST_REDIRECTS = 10
# What is no digit of ASCII, or too long for any number of bytes, is no length.
_WHOLE = re.compile(r"[0-9]{1,18}")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE | re.ASCII)
USER_AGENT = f"dgcli/{__version__}"
_HEADERS = {"User-Agent": USER_AGENT, "Icy-MetaData": "1", "Accept": "*/*", "Accept-Encoding": "identity"}


# A server of this machine is never reached through a proxy.
_DIRECT = ("all://localhost", "all://127.0.0.1", "all://[::1]")


def whole_number(text: str) -> int | None:
    """Return the number that a header says; None for anything else."""
    return int(text) if _WHOLE.fullmatch(text) else None


class ConnectionFailed(Exception):
    """No connection, or it broke or stalled: `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def _failed(error: Exception, url: str) -> ConnectionFailed:
    """What went wrong between here and a source, at its head or on the way to it."""
    peer = Peer(url, Role.SOURCE)
    return ConnectionFailed(http_failure(error, peer, connect=_CONNECT_SECONDS, stall=STALL_SECONDS))


class HttpAnswer:
    """One answer of a server: its headers, and its body piece by piece."""

    def __init__(
        self,
        url: str,
        status: int,
        headers: Mapping[str, str],
        pieces: Iterator[bytes],
        abort: Callable[[], None],
        close: Callable[[], None],
    ) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self.abort = abort  # from any thread: makes a read that waits return
        self.close = close  # from the thread that reads
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
        # Old Icecast servers send the length of nothing for what never ends.
        return (whole_number(self.headers.get("content-length", "")) or None) if not self.is_radio else None

    @property
    def validator(self) -> str | None:
        """What says that the file is still the same: a strong ETag, else its time of change (RFC 9110, 13.1.5)."""
        etag = self.headers.get("etag", "")
        if etag.startswith('"'):
            return etag
        return self.headers.get("last-modified") or None

    def begins_at(self, offset: int, length: int | None) -> bool:
        """Whether this is the rest, from `offset` on, of a file of `length` bytes: what Content-Range says."""
        span = _CONTENT_RANGE.fullmatch(self.headers.get("content-range", "").strip())
        if span is None or int(span[1]) != offset:
            return False
        return length is None or span[3] == "*" or int(span[3]) == length

    def read(self) -> bytes:
        """The next piece, never empty but at the end. Raises `ConnectionFailed`."""
        try:
            for piece in self._pieces:
                if piece:
                    return piece
        except (httpx.TimeoutException, TimeoutError) as error:
            peer = Peer(self.url, Role.SOURCE)
            raise ConnectionFailed(unreachable.stalled(peer, STALL_SECONDS, sending=False)) from error
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            refusal = unreachable.broke_off(Peer(self.url, Role.SOURCE), in_answer=False)
            raise ConnectionFailed(refusal) from error
        return b""


def _shut_down(connection: Any) -> None:
    """Wake whoever waits for a socket. The socket is closed by its owner, later."""
    with suppress(OSError, AttributeError):
        connection.shutdown(socket.SHUT_RDWR)


def _get_icy(url: str, verify: ssl.SSLContext | bool) -> HttpAnswer:
    """Ask a server whose status line is `ICY 200 OK`, as Shoutcast before version 2 says it.

    HTTP libraries refuse that line. All such a server ever sends after its head is audio.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection: socket.socket = socket.create_connection((parts.hostname, port), timeout=_CONNECT_SECONDS)
    try:
        if parts.scheme == "https":
            context = verify if isinstance(verify, ssl.SSLContext) else ssl.create_default_context()
            connection = context.wrap_socket(connection, server_hostname=parts.hostname)
        connection.settimeout(STALL_SECONDS)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {path} HTTP/1.0", f"Host: {parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in _HEADERS.items()]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
        status, headers, begun = icy.read_head(lambda: connection.recv(READ_BYTES))
    except BaseException:
        connection.close()
        raise

    code = re.match(r"\S+\s+(\d{3})\b", status)
    if code is None:
        connection.close()
        raise ValueError("no status line")

    def pieces() -> Iterator[bytes]:
        yield begun
        while got := connection.recv(READ_BYTES):
            yield got

    return HttpAnswer(
        url,
        int(code.group(1)),
        {**headers, "icy-status": status},
        pieces(),
        lambda: _shut_down(connection),
        connection.close,
    )


class Fetcher:
    """Asks for URLs. `verify` is for TLS, as httpx takes it. Raises `UsageError` for an unusable proxy."""

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        self._verify = verify
        try:
            self._client = httpx.Client(
                verify=verify,
                follow_redirects=True,
                max_redirects=_MOST_REDIRECTS,
                headers=_HEADERS,
                # A source is asked again when something broke: never over a connection that may be broken too.
                limits=httpx.Limits(max_keepalive_connections=0),
                timeout=httpx.Timeout(STALL_SECONDS, connect=_CONNECT_SECONDS),
                mounts=dict.fromkeys(_DIRECT),
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise unusable(error) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _get_http(self, url: str, offset: int, validator: str | None) -> HttpAnswer:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and validator:
            headers["If-Range"] = validator
        request = self._client.build_request("GET", url, headers=headers)
        response = self._client.send(request, stream=True)
        stream = response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None
        return HttpAnswer(
            str(response.url),
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            response.iter_raw(),
            lambda: _shut_down(connection),
            response.close,
        )

    def get(self, url: str, offset: int = 0, validator: str | None = None) -> HttpAnswer:
        """The answer to a GET, redirects followed, from byte `offset` on where the server can do that.

        With a validator of the file that the offset is of, a server sends all of one that has changed.
        Raises `ConnectionFailed`.
        """
        try:
            return self._get_http(url, offset, validator)
        except httpx.RemoteProtocolError as error:
            # Where redirects have led: only the last server speaks otherwise.
            last = str(error.request.url)
            try:
                return _get_icy(last, self._verify)
            except (OSError, ValueError):
                raise _failed(error, last) from error  # what went wrong first says more
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            last = str(error.request.url) if isinstance(error, httpx.RequestError) else url
            raise _failed(error, url if isinstance(error, httpx.TooManyRedirects) else last) from error
