"""Shoutcast's and Icecast's additions to HTTP: titles between the audio, and a status line of their own.

Source: "SHOUTcast Metadata Protocol"; every `icy-metaint` bytes of audio are followed by a byte that says how
many blocks of 16 bytes of metadata come next.
"""

import re
from collections.abc import Callable, Iterator, Mapping

# One more than a client should have to read before the headers end.
_HEAD_LIMIT = 1 << 16
_TITLE = re.compile(r"StreamTitle='(.*?)'(?:;|$)", re.DOTALL)


def _decoded(raw: bytes) -> str:
    """Decode text of undeclared encoding: UTF-8 where it is valid, else Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _title(metadata: bytes) -> str | None:
    match = _TITLE.search(_decoded(metadata.rstrip(b"\0")))
    return match.group(1).strip() if match else None


class Deinterleaver:
    """Takes the titles out of a stream; calls `on_title` with each one that is new and not empty."""

    def __init__(self, interval: int, on_title: Callable[[str], None]) -> None:
        self._interval = interval  # bytes of audio between two metadata blocks
        self._on_title = on_title
        self._audio_left = interval
        self._meta_left = -1  # -1: the byte with the length comes next
        self._meta = bytearray()
        self._last = ""

    def feed(self, data: bytes) -> bytes:
        """The audio in the next bytes of the stream."""
        audio = bytearray()
        at = 0
        while at < len(data):
            if self._audio_left:
                part = data[at : at + self._audio_left]
                audio += part
                self._audio_left -= len(part)
                at += len(part)
            elif self._meta_left < 0:
                self._meta_left = data[at] * 16
                at += 1
            if not self._audio_left and self._meta_left >= 0:
                part = data[at : at + self._meta_left]
                self._meta += part
                self._meta_left -= len(part)
                at += len(part)
                if not self._meta_left:
                    self._finish()
        return bytes(audio)

    def _finish(self) -> None:
        title = _title(bytes(self._meta)) if self._meta else None
        if title and title != self._last:
            self._last = title
            self._on_title(title)
        self._meta.clear()
        self._meta_left = -1
        self._audio_left = self._interval


def read_head(receive: Callable[[], bytes]) -> tuple[str, Mapping[str, str], bytes]:
    """Return status line, headers (names in lower case) and the first bytes of the body of an answer.

    Meant for answers that an HTTP library refuses since they begin with `ICY`. Raises
    `ConnectionError` when no head comes.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        got = receive()
        if not got or len(data) > _HEAD_LIMIT:
            raise ConnectionError("it closed the connection without an answer")
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = _decoded(head).split("\r\n")
    pairs: Iterator[tuple[str, str, str]] = (line.partition(":") for line in lines)
    return status, {name.strip().lower(): value.strip() for name, _, value in pairs}, body


def playlist_target(text: str) -> str | None:
    """The first address in a PLS or plain M3U playlist, None if there is none."""
    for line in text.splitlines():
        line = line.strip()
        key, sign, value = line.partition("=")
        if sign and key.lower().startswith("file") and key[4:].isdigit():
            line = value.strip()
        if line and not line.startswith(("#", "[")) and "://" in line:
            return line
    return None
