"""The body of a request on its way to disk, whatever its length."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dgcli.server.errors import ErrorAnswer, too_large

_BLOCK = 1 << 20  # bytes that are collected before a thread writes and hashes them
_SMALL = 1 << 16  # bytes that are written sooner than a thread would begin to
_DRAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Received:
    """Audio on disk; `url` is where it was fetched from, if it was not the body."""

    path: Path
    size: int
    sha256: str
    url: str | None = None


class Spool:
    """Writes blocks to a file and hashes them; every method blocks. Refuses more than `limit` bytes."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._size = 0
        self._hash = hashlib.sha256()
        self._file: IO[bytes] = path.open("wb")

    def write(self, block: bytes) -> None:
        """Append a block. Raises ErrorAnswer (413) when the limit is passed."""
        self._size += len(block)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._hash.update(block)
        self._file.write(block)

    def close(self) -> Received:
        """Close the file and tell what is in it."""
        self._file.close()
        return Received(self._path, self._size, self._hash.hexdigest())


async def spool(chunks: AsyncIterator[bytes], path: Path, limit: int) -> Received:
    """Write the chunks of a body to `path`. Raises ErrorAnswer (413) when they are more than `limit` bytes."""
    spool = Spool(path, limit)
    pending = bytearray()
    try:
        async for chunk in chunks:
            pending += chunk
            if len(pending) >= _BLOCK:
                block, pending = pending, bytearray()
                await asyncio.to_thread(spool.write, bytes(block))
        if len(pending) <= _SMALL:
            spool.write(bytes(pending))
        else:
            await asyncio.to_thread(spool.write, bytes(pending))
    finally:
        received = spool.close()
    return received


async def drain(receive: Any, limit: int) -> None:
    """Read on and discard what a refused client still sends: at most `limit` bytes, for at most 30 s.

    A socket that is closed with unread data resets the connection, and the client never sees the answer.
    """
    seen = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while seen <= limit:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                seen += len(message.get("body", b""))
    except (TimeoutError, ErrorAnswer):
        return  # it has had its answer
