"""The body of an answer, read whole and within bounds: what a server sends decides nothing about our memory.

The library that reads HTTP would decompress without a limit, so we do it: gzip alone, which is all we ask for.
Source: RFC 9110, section 8.4.1 (content codings).
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping

# The longest recordings that the API takes give a third of this, with every analysis there is.
MOST_BYTES = 256 << 20
ACCEPTED = "gzip"
_GZIP = 16 + zlib.MAX_WBITS


class UnusableBody(Exception):
    """A body that is too large or damaged; `came` is what came of it, for whoever has paid for it."""

    def __init__(self, message: str, came: bytes) -> None:
        super().__init__(message)
        self.came = came


def _plain(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The pieces of a gzip stream, decompressed; no piece is larger than `most` and a byte. Raises `zlib.error`."""
    member, ended = zlib.decompressobj(_GZIP), False
    for piece in pieces:
        rest = piece
        while rest:
            yield member.decompress(rest, most + 1)
            rest = member.unconsumed_tail
            if member.eof:  # another member may follow
                rest = member.unused_data
                member = zlib.decompressobj(_GZIP)
                ended = True
                if not rest.strip(b"\0"):  # padding
                    break
            else:
                ended = False
    if not ended:
        raise zlib.error("incomplete")


def read_body(pieces: Iterable[bytes], headers: Mapping[str, str], *, most: int = MOST_BYTES) -> bytes:
    """Return the body that comes in these pieces. Raises `UnusableBody`, and what the pieces raise."""
    coding = headers.get("content-encoding", "").strip().lower()
    came = bytearray()  # as it was sent: what is damaged is kept so

    def received() -> Iterator[bytes]:
        for piece in pieces:
            came.extend(piece)
            yield piece

    if coding in ("", "identity"):
        plain: Iterator[bytes] = iter(pieces)
    elif coding in ("gzip", "x-gzip"):
        plain = _plain(received(), most)
    else:
        for _ in received():
            if len(came) > most:
                break
        raise UnusableBody(
            f"The answer is compressed in a way that was not asked for: {coding[:40]!r}.", bytes(came)
        )
    body = bytearray()
    try:
        for piece in plain:
            body.extend(piece)
            if len(body) > most:
                raise UnusableBody(f"The answer is larger than {most >> 20} MiB.", bytes(came or body[:most]))
    except zlib.error:
        raise UnusableBody("The answer is damaged: it cannot be decompressed.", bytes(came)) from None
    return bytes(body)
