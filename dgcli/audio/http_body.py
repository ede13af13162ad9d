"""The body behind a URL as a file that a decoder reads, over as many connections as that takes."""

from typing import Protocol

from dgcli.audio import icy
from dgcli.audio.http import READ_BYTES, ConnectionFailed, HttpAnswer


class Requester(Protocol):
    """Whoever asks for the URL."""

    @property
    def is_stopped(self) -> bool:
        """Whether nobody wants more."""

    def announce_title(self, title: str) -> None:
        """Give a notice of the title that a radio announces."""

    def request(self, offset: int = 0) -> HttpAnswer:
        """Ask for the URL, from byte `offset` on. Raises `ConnectionFailed`."""

    def again(self, why: str, offset: int = 0) -> HttpAnswer | None:
        """Ask again until an answer comes; None when stopped. Raises `AudioError` when it is hopeless."""

    def came_live(self, answer: HttpAnswer) -> bool:
        """Whether the end of an answer is a broken connection, by the pace at which audio came."""


class HttpBody:
    """A file-like view of a URL that a decoder reads from.

    Of a file, a break is mended by asking for the rest (RFC 9110, 14.2); of an endless stream it is the end,
    and `dropped` says why.
    """

    def __init__(self, source: Requester, answer: HttpAnswer) -> None:
        self.dropped: str | None = None
        self._source = source
        self._answer = answer
        self._length = answer.length
        self._at = 0  # bytes of the body that were handed on
        self._skip = 0  # bytes that come again and are known
        self._kept = b""
        self._moved = False  # somebody sought: the answer is for another place
        interval = answer.headers.get("icy-metaint", "")
        self._titles: icy.Deinterleaver | None = None
        if interval.isdigit() and int(interval):
            self._titles = icy.Deinterleaver(int(interval), source.announce_title)

    def _next(self) -> bytes:
        if self._moved:
            self._moved = False
            if self._length is not None and self._at >= self._length:
                return b""
            try:
                self._answer = self._source.request(self._at)
            except ConnectionFailed as error:
                if not self._resume(str(error)):
                    return b""
            self._skip = 0 if self._answer.status == 206 else self._at
        while True:
            try:
                piece = self._answer.read()
            except ConnectionFailed as error:
                if not self._resume(str(error)):
                    return b""
                continue
            if not piece and self._length is not None and self._at < self._length:
                if not self._resume("The connection was closed too early."):
                    return b""
                continue
            if not piece and (self._answer.is_radio or self._source.came_live(self._answer)):
                self.dropped = "The server closed the connection."
            if piece and self._skip:
                known = min(self._skip, len(piece))
                self._skip -= known
                piece = piece[known:]
                if not piece:
                    continue
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
        self._answer = answer
        # A server without ranges sends the beginning again.
        self._skip = 0 if answer.status == 206 else self._at
        return True

    def read(self, size: int = READ_BYTES, /) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._kept:
            before = self._at
            if self._source.is_stopped or self.dropped:
                return b""
            self._kept = self._next()
            if not self._kept and self._at == before:
                return b""
        taken, self._kept = self._kept[:size], self._kept[size:]
        return taken


class SeekableHttpBody(HttpBody):
    """A body on a server that sends any part of a file: an MP4 may have its index at the end."""

    def __init__(self, source: Requester, answer: HttpAnswer, length: int) -> None:
        super().__init__(source, answer)
        self._size = length

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._at - len(self._kept)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Continue at another place; the server is asked when somebody reads there."""
        target = offset + {0: 0, 1: self.tell(), 2: self._size}[whence]
        if target != self.tell():
            self._moved = True
            self._kept = b""
            self._at = target
        return target
