"""Connections of the REST caller that keep to a deadline and see a refusal while they still upload.

httpx counts its read time-out anew for every piece that comes, so a server that drips can hold a request for
ever, and it looks for an answer only when all is sent. Both are mended below it, in the network stream of
httpcore, whose contract (`httpcore.NetworkStream`) is public:

- a read may take until `timeout` seconds after the last write, however many pieces come meanwhile;
- a write looks for an answer first, and gives up when a refusal has begun: httpcore goes on to read it.
"""

import re
import selectors
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import httpcore
import httpx

_READ = 65536
_MOST_EARLY = (
    1 << 18
)  # bytes that may come during an upload: interim answers (1xx), and the head of a refusal
# Bytes from one write to the next: what a server says without end between heads is limited by nothing else.
_MOST_BETWEEN = 1 << 30
_HEAD = re.compile(rb"HTTP/1\.[01] (\d)\d\d[ \r\n]")
_LONGEST_STATUS = 13
# epoll would take a file descriptor for each wait, poll takes none.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


@contextmanager
def _as_write_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpcore.WriteTimeout(str(error)) from error
    except OSError as error:
        raise httpcore.WriteError(str(error)) from error


def _is_refusal(begun: bytes) -> bool:
    """Whether these first bytes of an answer say that the rest of the upload is not wanted.

    Raises `httpcore.RemoteProtocolError` for what is no HTTP.
    """
    while True:
        status = _HEAD.match(begun)
        if status is None:
            if len(begun) >= _LONGEST_STATUS:  # with less, a status line may still come of it
                raise httpcore.RemoteProtocolError("no HTTP status line")
            return False
        if status[1] != b"1":
            return status[1] in (b"3", b"4", b"5")
        _, end, begun = begun.partition(b"\r\n\r\n")
        if not end:
            return False


class _WatchedConnection(httpcore.NetworkStream):
    """A connection of httpcore, with a deadline for answers and an eye on them during uploads."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._wrote = time.monotonic()
        self._early = b""
        self._came = 0  # bytes since the last write
        # TLS inside TLS (an https proxy) lies over a socket that is not ours to read: there nothing is looked at.
        is_nested = isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject)
        self._socket: Any = None if is_nested else stream.get_extra_info("socket")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._early:
            begun, self._early = self._early[:max_bytes], self._early[max_bytes:]
            return begun
        left = None if timeout is None else self._wrote + timeout - time.monotonic()
        if left is not None and left <= 0:
            raise httpcore.ReadTimeout("the answer was not complete in time")
        data = self._stream.read(max_bytes, left)
        self._came += len(data)
        if self._came > _MOST_BETWEEN:
            raise httpcore.RemoteProtocolError("the answer has no end")
        return data

    def _look(self) -> None:
        """Take what the server says during the upload. Raises `httpcore.WriteError` for a refusal, or its end."""
        ended = False
        try:
            while len(self._early) <= _MOST_EARLY:
                data = self._socket.recv(_READ)
                if not data:
                    ended = True
                    break
                self._early += data
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass  # that was all for now; a session ticket of TLS 1.3 is no data
        if ended or len(self._early) > _MOST_EARLY or _is_refusal(self._early):
            raise httpcore.WriteError("the server answered before all was sent")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._came = 0
        try:
            if self._socket is None:
                self._stream.write(buffer, timeout)
            elif buffer:
                with _as_write_errors():
                    self._write(memoryview(buffer), timeout)
        finally:
            self._wrote = time.monotonic()

    def _write(self, rest: memoryview, timeout: float | None) -> None:
        self._socket.settimeout(0)
        # The limit counts from each byte that was taken.
        deadline = None if timeout is None else time.monotonic() + timeout
        with _Selector() as waits:
            waits.register(self._socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while rest:
                left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
                events = waits.select(left)
                if not events:
                    raise TimeoutError("timed out")
                if events[0][1] & selectors.EVENT_READ:
                    self._look()
                try:
                    sent = self._socket.send(rest)
                except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    continue
                rest = rest[sent:]
                deadline = None if timeout is None else time.monotonic() + timeout

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _WatchedConnection(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Connects as httpcore does; the connections are watched."""

    def __init__(self) -> None:
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _WatchedConnection(self._real.connect_tcp(host, port, timeout, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._real.sleep(seconds)


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise httpcore's exceptions as those of httpx, which have the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError,
            httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:  # fmt: skip
        kind = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error)) from error


class _Body(httpx.SyncByteStream):
    """The body of an answer as it comes."""

    def __init__(self, pieces: Any) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._pieces

    def close(self) -> None:
        self._pieces.close()


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _pool(tls: ssl.SSLContext, proxy: httpx.Proxy | None, connections: int) -> httpcore.ConnectionPool:
    settings: Mapping[str, Any] = MappingProxyType(
        {
            "ssl_context": tls,
            "max_connections": None,
            "max_keepalive_connections": connections,
            "keepalive_expiry": 5.0,
            "network_backend": _Backend(),
        }
    )
    if proxy is None:
        return httpcore.ConnectionPool(**settings)
    if proxy.url.scheme in ("socks5", "socks5h"):
        from importlib.util import find_spec

        if find_spec("socksio") is None:  # httpcore would only find out in the middle of a request
            raise ImportError("for a SOCKS proxy the package socksio is needed")
        return httpcore.SOCKSProxy(proxy_url=_url(proxy.url), proxy_auth=proxy.raw_auth, **settings)
    return httpcore.HTTPProxy(proxy_url=_url(proxy.url), proxy_auth=proxy.raw_auth, **settings)


class WatchedTransport(httpx.BaseTransport):
    """A transport of httpx whose read time-out is a deadline, and whose uploads end with a refusal.

    Raises `ValueError`, `ImportError` and `httpx.InvalidURL` for a proxy that cannot be used.
    """

    def __init__(self, tls: ssl.SSLContext, *, proxy: str | None, connections: int) -> None:
        self._connections = _pool(tls, httpx.Proxy(proxy) if proxy else None, connections)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its answer, whose body is still to be read."""
        asked = httpcore.Request(
            method=request.method,
            url=_url(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            answer = self._connections.handle_request(asked)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()
