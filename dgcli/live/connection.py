"""One WebSocket connection: the only place that knows websocket-client.

One thread connects and then receives, another sends, any thread may abort; who made the connection closes it,
after the first two are done with it. Every foreign exception ends here: what comes out is `ConnectionEnded`.

`WebSocketApp` is not used: it swallows the exceptions of its callbacks.
"""

import contextlib
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import websocket

from dgcli.api import unreachable
from dgcli.api.proxies import Proxy, proxy_for
from dgcli.api.refusals import ABNORMAL, NO_CODE, Peer, Refusal, closed, one_line, refused
from dgcli.errors import NetworkError, UsageError
from dgcli.live.opening import NotLetThrough, Opening, shut_down

# What is raised by the library or beneath it when a connection fails. OSError holds TLS errors and time-outs.
_FAILURES = (websocket.WebSocketException, OSError)
_CONTROL = (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG)
# Waiting: epoll would take a file descriptor for each wait, poll takes none.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


_MOST_OF_CONTROL = 125  # bytes of a ping, a pong or a close; RFC 6455, section 5.5
_MOST_BYTES = 16 << 20  # of one message: results of a second of speech have some thousand


class _TooLarge(OSError):
    """A message is larger than any that a server has to send."""


class ConnectionEnded(Exception):
    """The connection is gone, or never was: `ending` says why."""

    def __init__(self, ending: Refusal) -> None:
        super().__init__(ending.sentence)
        self.ending = ending


class _Wire:
    """A connected socket as two threads use it: one receives, one sends.

    OpenSSL forbids SSL_read and SSL_write on one connection at the same time, and Python lets go of its lock
    around both: what is lost then is the connection. So the socket never blocks, each call holds a lock, and
    the waiting is done outside of it. Receiving waits for ever (abort ends it), sending up to `send_timeout`
    real seconds; websocket-client has one time-out for both. The library closes a socket as soon as it reads
    its end, while the other thread may still use the number: `close` does nothing, `release` closes.
    """

    _closed = False  # websocket-client asks

    def __init__(self, sock: socket.socket, send_timeout: float) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._send_timeout = send_timeout
        self._lock = threading.Lock()
        self.came = 0  # bytes of the message that is being received

    def _wait(self, event: int, timeout: float | None = None) -> bool:
        with _Selector() as selector:
            selector.register(self._sock, event)
            return bool(selector.select(timeout))

    def recv(self, size: int) -> bytes:
        """Up to so many bytes, as soon as there are some; none at the end of the stream."""
        while True:
            event = selectors.EVENT_READ
            try:
                with self._lock:
                    data = self._sock.recv(size)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except ssl.SSLWantWriteError:
                event = selectors.EVENT_WRITE
            else:
                self.came += len(data)
                if self.came > _MOST_BYTES:
                    raise _TooLarge
                return data
            self._wait(event)

    def send(self, data: bytes) -> int:
        """Send some of the data; how many bytes. Raises `TimeoutError`."""
        deadline = time.monotonic() + self._send_timeout
        while True:
            event = selectors.EVENT_WRITE
            try:
                with self._lock:
                    return self._sock.send(data)
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            except ssl.SSLWantReadError:
                event = selectors.EVENT_READ
            left = deadline - time.monotonic()
            if left <= 0 or not self._wait(event, left):
                raise TimeoutError("timed out")

    def fileno(self) -> int:
        return self._sock.fileno()

    def gettimeout(self) -> None:
        """None: the waiting is done here."""

    def settimeout(self, timeout: float | None) -> None:
        """Nothing: the waiting is done here."""

    def close(self) -> None:
        """Nothing: see `release`."""

    def shutdown(self, how: int) -> None:  # noqa: ARG002 - both ways, whatever the library asks for
        shut_down(self._sock)

    def release(self) -> None:
        """Close the socket, when no thread uses it any more."""
        self._sock.close()


class _WebSocket(websocket.WebSocket):
    """The library's socket, which keeps a close code even if it can no longer be answered."""

    def send_close(self, status: int = websocket.STATUS_NORMAL, reason: str | bytes = b"") -> None:
        with contextlib.suppress(*_FAILURES):
            super().send_close(status, reason)


def _unreachable(error: BaseException, peer: Peer, proxy: Proxy | None, seconds: float) -> Refusal:
    """Why no connection could be made, before the server answered."""
    match error:
        case NotLetThrough():
            return unreachable.proxy_refused(str(error), proxy)
        case websocket.WebSocketTimeoutException():
            return unreachable.no_answer(peer, seconds)
        case websocket.WebSocketConnectionClosedException():
            return unreachable.broke_off(peer)
        case websocket.WebSocketException():
            return unreachable.not_http(peer)
    return unreachable.not_connected(error, peer, proxy, seconds=seconds)


def _lost(error: BaseException) -> Refusal:
    """Why an open connection can be used no more, without a close frame."""
    if isinstance(error, websocket.WebSocketTimeoutException | TimeoutError):
        return closed(ABNORMAL, "nothing could be sent")
    if isinstance(error, websocket.WebSocketConnectionClosedException):
        return closed(ABNORMAL)
    return closed(ABNORMAL, getattr(error, "strerror", None) or str(error))


class Connection:
    """A WebSocket to `url`, with the headers as they are given.

    `connect_timeout` and `send_timeout` are real seconds. A send that timed out may have left half a frame:
    the connection is dead then, as after every other `ConnectionEnded`.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        ssl_context: ssl.SSLContext | None = None,
        connect_timeout: float = 10.0,
        send_timeout: float = 5.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if any(c in f"{name}{value}" for name, value in headers.items() for c in "\r\n"):
            raise UsageError("A header must be on one line. Check the API key for a line break.")
        self._url = url
        self._headers = [f"{name}: {value}" for name, value in headers.items()]
        self._connect_timeout = connect_timeout
        self._send_timeout = send_timeout
        self._wire: _Wire | None = None
        self._aborted = False
        self._ended: Refusal | None = None  # by the server, in whatever way: nothing that follows counts
        self.request_id = ""
        self._now = now
        self.last_received = 0.0  # `now()` of the last frame of any kind
        self._ssl_context = ssl_context
        self._opening: Opening | None = None
        self._socket: Any = _WebSocket(skip_utf8_validation=True)

    def connect(self) -> None:
        """Open the connection. Raises `ConnectionEnded`.

        Every byte of an answer, of the server or a proxy, may take as long as the whole: what drips is ended from here.
        """
        late = threading.Event()

        def end() -> None:
            late.set()
            if self._wire is None:
                self._end_opening()

        timer = threading.Timer(2 * self._connect_timeout, end)  # connecting, and then the answer
        timer.daemon = True
        timer.start()
        try:
            self._connect()
        except ConnectionEnded as error:
            if late.is_set() and not isinstance(error.__cause__, NotLetThrough):
                peer = Peer(self._url)
                raise ConnectionEnded(unreachable.no_answer(peer, 2 * self._connect_timeout)) from error
            raise
        finally:
            timer.cancel()

    def _end_opening(self) -> None:
        if self._opening is not None:
            self._opening.end()

    def _connect(self) -> None:
        peer, proxy = Peer(self._url), None
        try:
            proxy = proxy_for(self._url)
            self._opening = Opening(
                self._url, proxy=proxy, context=self._ssl_context, timeout=self._connect_timeout
            )
            if self._aborted:
                self._opening.end()
            self._socket.connect(
                self._url,
                header=self._headers,
                timeout=self._connect_timeout,
                redirect_limit=0,  # it would send the key along
                suppress_origin=True,
                socket=self._opening.open(),
            )
        except websocket.WebSocketBadStatusException as error:
            if not error.status_code:
                raise ConnectionEnded(unreachable.not_http(peer)) from error
            body = error.resp_body if isinstance(error.resp_body, bytes) else None
            raise ConnectionEnded(refused(error.status_code, error.resp_headers or {}, body)) from error
        except _FAILURES as error:
            answer = self._socket.handshake_response
            if answer is not None and answer.status != 101:
                raise ConnectionEnded(refused(answer.status, answer.headers)) from error
            raise ConnectionEnded(_unreachable(error, peer, proxy, self._connect_timeout)) from error
        except UsageError as error:
            raise ConnectionEnded(Refusal(error)) from error
        except ValueError as error:
            raise ConnectionEnded(
                Refusal(UsageError(f"{self._url} is no WebSocket URL: {error}."))
            ) from error
        self.request_id = one_line((self._socket.headers or {}).get("dg-request-id", ""))
        self._socket.sock = self._wire = _Wire(self._socket.sock, self._send_timeout)
        self.last_received = self._now()
        if self._aborted:
            self.abort()

    def receive(self) -> str:
        """The next text message; waits for it. Raises `ConnectionEnded` when there will be none."""
        while True:
            if self._ended is not None:
                raise ConnectionEnded(self._ended)
            try:
                opcode, frame = self._socket.recv_data_frame(control_frame=True)
            except _TooLarge as error:
                message = f"The server sent a message larger than {_MOST_BYTES >> 20} MiB."
                hint = "Check --base-url and any proxy; the API's own messages are not like that."
                raise ConnectionEnded(Refusal(NetworkError(message, hint=hint))) from error
            except _FAILURES as error:
                raise ConnectionEnded(_lost(error)) from error
            self.last_received = self._now()
            if opcode not in _CONTROL:
                if self._wire is not None:
                    self._wire.came = 0
            elif len(frame.data) > _MOST_OF_CONTROL:  # the library looks at pings alone
                self._ended = closed(ABNORMAL, "a control frame is too long")
                continue
            if opcode == websocket.ABNF.OPCODE_TEXT:
                return bytes(frame.data).decode("utf-8", "replace")
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                data = bytes(frame.data)
                code = struct.unpack("!H", data[:2])[0] if len(data) >= 2 else NO_CODE
                self._ended = closed(code, data[2:].decode("utf-8", "replace"), self.request_id or None)

    def _send(self, data: str | bytes, opcode: int) -> None:
        try:
            self._socket.send(data, opcode)
        except _FAILURES as error:
            raise ConnectionEnded(_lost(error)) from error

    def send_audio(self, data: bytes) -> None:
        """Send a binary frame: never an empty one, which would end the stream. Raises `ConnectionEnded`."""
        if data:
            self._send(data, websocket.ABNF.OPCODE_BINARY)

    def send_text(self, text: str) -> None:
        """Send a text frame. Raises `ConnectionEnded`."""
        self._send(text, websocket.ABNF.OPCODE_TEXT)

    def ping(self) -> None:
        """Send a ping; whatever comes back counts as received. Raises `ConnectionEnded`."""
        self._send(b"", websocket.ABNF.OPCODE_PING)

    def abort(self) -> None:
        """Wake every thread that uses the connection: it is over. From any thread, at any time."""
        self._aborted = True
        if self._wire is not None:
            self._wire.shutdown(socket.SHUT_RDWR)
        else:
            self._end_opening()

    def close(self) -> None:
        """Give the socket back. Only when no thread uses it any more."""
        if self._wire is not None:
            self._wire.release()
