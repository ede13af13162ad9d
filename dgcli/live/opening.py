"""The socket of a stream before its handshake: connected, let through by a proxy, with TLS; no WebSocket yet.

Every byte of a proxy's answer or of a TLS handshake may come as late as the whole: so that what drips has an end, the
opening can be ended from another thread at any time. Source for CONNECT: RFC 9110, section 9.3.6.
"""

import base64
import re
import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from dgcli.api.proxies import Proxy, unusable

_PORTS = {"ws": 80, "wss": 443}
_MOST_OF_ANSWER = 1 << 16  # bytes of a proxy's answer
# Nothing is held back for larger packets; a peer that has vanished is noticed in a minute.
_OPTIONS = (("IPPROTO_TCP", "TCP_NODELAY", 1), ("SOL_SOCKET", "SO_KEEPALIVE", 1), ("IPPROTO_TCP", "TCP_KEEPIDLE", 30),
            ("IPPROTO_TCP", "TCP_KEEPINTVL", 10), ("IPPROTO_TCP", "TCP_KEEPCNT", 3))  # fmt: skip


class NotLetThrough(OSError):
    """The proxy gave no answer, or another than to let us through."""


def shut_down(sock: socket.socket) -> None:
    """Wake whoever waits for the socket.

    `SSLSocket.shutdown` would forget its TLS state first, and a thread that reads on would take what is
    still encrypted for data.
    """
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Opening:
    """Opens one socket to the server of a ws or wss URL. `timeout`: seconds for each step that can be late."""

    def __init__(
        self, url: str, *, proxy: Proxy | None, context: ssl.SSLContext | None, timeout: float
    ) -> None:
        """Raises `UsageError` for a proxy of another kind, ValueError for another URL."""
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        if scheme not in _PORTS or not parts.hostname:
            raise ValueError("it does not begin with ws:// or wss:// and a host")
        if proxy is not None and proxy.scheme != "http":
            reason = f"a stream goes through an HTTP proxy, and {proxy.setting} names one for {proxy.scheme}"
            raise unusable(reason)
        host = parts.hostname
        self._host = host if host.isascii() else host.encode("idna").decode()  # UnicodeError is a ValueError
        self._port = parts.port or _PORTS[scheme]
        self._proxy = proxy
        self._context = (context or ssl.create_default_context()) if scheme == "wss" else None
        self._timeout = timeout
        self._sock: socket.socket | None = None
        self._is_ended = False

    def end(self) -> None:
        """Make `open` fail soon; from any thread."""
        self._is_ended = True
        if self._sock is not None:
            shut_down(self._sock)

    def _use(self, sock: socket.socket) -> None:
        self._sock = sock
        if self._is_ended:
            raise TimeoutError("ended")

    def open(self) -> socket.socket:
        """Return the socket. Raises OSError, of which `NotLetThrough`, and ValueError."""
        address = self._proxy.address if self._proxy is not None else (self._host, self._port)
        sock = socket.create_connection(address, self._timeout)
        try:
            self._use(sock)
            for level, name, value in _OPTIONS:
                if hasattr(socket, name):  # as far as the system knows them
                    sock.setsockopt(getattr(socket, level), getattr(socket, name), value)
            if self._proxy is not None:
                self._tunnel(sock, self._proxy)
            if self._context is not None:
                sock = self._context.wrap_socket(
                    sock, server_hostname=self._host, do_handshake_on_connect=False
                )
                self._use(sock)
                sock.do_handshake()
        except BaseException:
            sock.close()
            raise
        return sock

    def _tunnel(self, sock: socket.socket, proxy: Proxy) -> None:
        """Have the proxy connect us to the server."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        lines = [f"CONNECT {host}:{self._port} HTTP/1.1", f"Host: {host}:{self._port}"]
        if proxy.login is not None:
            login = base64.b64encode(":".join(proxy.login).encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {login}")
        answer = b""
        try:
            sock.sendall("\r\n".join([*lines, "", ""]).encode())
            while b"\r\n\r\n" not in answer and b"\n\n" not in answer:
                if len(answer) > _MOST_OF_ANSWER:
                    raise NotLetThrough("its answer has no end")
                piece = sock.recv(1)  # what follows is the server's
                if not piece:
                    raise NotLetThrough("it took too long" if self._is_ended else "it hung up")
                answer += piece
        except TimeoutError as error:
            raise NotLetThrough("timed out") from error
        except ConnectionError as error:
            raise NotLetThrough(error.strerror or "it hung up") from error
        line = answer.partition(b"\n")[0].decode("latin-1").strip()
        status = re.match(r"HTTP/\d\.\d (\d{3})\b", line)
        if status is None:
            raise NotLetThrough("what it said is no HTTP")
        if status[1] != "200":
            raise NotLetThrough(f"status {status[1]}")
