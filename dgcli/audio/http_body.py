"""The body of a URL as a file that a decoder reads: breaks are mended, and never with a part of another file."""

from typing import Protocol

from dgcli.audio import icy
from dgcli.audio.http import READ_BYTES, ConnectionFailed, HttpAnswer, whole_number
from dgcli.errors import AudioError


class Requester(Protocol):
    """What asks for the URL, again where that is needed."""

    name: str

    @property
    def is_stopped(self) -> bool:
        """Whether nobody wants more."""

    def announce_title(self, title: str) -> None:
        """Give a notice of the title that a radio announces."""

    def came_live(self, answer: HttpAnswer) -> bool:
        """Whether the end of an answer is a broken connection."""

    def request(self, offset: int, validator: str | None) -> HttpAnswer:
        """Ask for the URL, from byte `offset` of the file that `validator` means on. Raises `ConnectionFailed`."""

    def again(self, why: str, offset: int, validator: str | None) -> HttpAnswer | None:
        """Ask again until an answer comes; None when stopped. Raises `AudioError` when it is hopeless."""


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
        self._validator = answer.validator
        self._at = 0  # bytes of the body that were handed on
        self._skip = 0  # bytes that come again and are known
        self._kept = b""
        self._moved = False  # somebody sought: the answer is for another place
        interval = whole_number(answer.headers.get("icy-metaint", ""))
        self._titles: icy.Deinterleaver | None = None
        if interval:
            self._titles = icy.Deinterleaver(interval, source.announce_title)

    def _next(self) -> bytes:
        if self._moved:
            self._moved = False
            if self._length is not None and self._at >= self._length:
                return b""
            try:
                answer = self._source.request(self._at, self._validator)
            except ConnectionFailed as error:
                if not self._resume(str(error)):
                    return b""
            else:
                self._go_on_with(answer)
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
        answer = self._source.again(why, self._at, self._validator)
        if answer is None:
            return False
        self._go_on_with(answer)
        return True

    def _spliced(self, why: str) -> AudioError:
        """Return the error for a file that cannot be continued where it broke off."""
        return AudioError(
            f"{self._source.name} cannot be continued where it broke off: {why}.",
            hint="What was transcribed so far stands; begin again for the rest.",
        )

    def _go_on_with(self, answer: HttpAnswer) -> None:
        """Take what comes as the rest of the file. Raises `AudioError` for the rest of another one."""
        if answer.status == 206:
            if not answer.begins_at(self._at, self._length):
                said = answer.headers.get("content-range") or "nothing"
                raise self._spliced(f"it sends another part than was asked for ({said})")
            self._skip = 0
        else:
            # A server without ranges sends the beginning again, and so does one whose file has changed.
            if self._at and self._length is not None and answer.length not in (None, self._length):
                raise self._spliced("its length is another one now")
            self._skip = self._at
        if self._at and self._validator and answer.validator not in (None, self._validator):
            raise self._spliced("it was replaced meanwhile")
        self._answer = answer

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
