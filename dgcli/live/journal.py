"""Audio that no final covers yet, so that it can be sent again.

Positions are bytes from the start of the stream. The oldest audio is in memory, up to a limit; what comes on
top of that goes to a temporary file, until enough has been forgotten.
"""

import tempfile
from collections import deque
from typing import IO

_COPY = 1 << 20
_WITHOUT_DISK = 8  # times as much memory when there is no disk to write to


class Journal:
    """The bytes from `start` to `end` of a stream; appended at the end, forgotten from the start.

    At most `limit` bytes are held in memory. If the temporary file cannot be written, eight times as many are,
    and then the oldest are given up: `start` lies behind what was asked to be kept, which is how a gap is seen.
    """

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._disk = True
        self._blocks: deque[bytes] = deque()
        self._held = 0  # bytes in _blocks
        self._file: IO[bytes] | None = None
        self._file_from = 0  # position of the file's first byte
        self.start = 0
        self.end = 0
        # Where the last read ended: reading on from there needs no search.
        self._hint = (0, 0)  # index in _blocks, its position

    @property
    def in_memory(self) -> int:
        """The number of bytes held in memory."""
        return self._held

    @property
    def on_disk(self) -> int:
        """The number of bytes in the temporary file."""
        return self.end - self._file_from if self._file is not None else 0

    def _first(self) -> int:
        """Position of the first byte in memory: `start` may lie within the first block."""
        return (self._file_from if self._file else self.end) - self._held

    def _spill(self, data: bytes) -> bool:
        """Move audio to disk; return whether that succeeded."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="dgcli-", buffering=0)  # noqa: SIM115  # in close()
                self._file_from = self.end
            self._file.seek(self.end - self._file_from)
            if self._file.write(data) == len(data):
                return True
        except OSError:
            pass
        # The disk is full, say: from now on all is held in memory.
        self._limit *= _WITHOUT_DISK
        self._disk = False
        if self._file is not None:
            self._load()
        return False

    def append(self, data: bytes) -> None:
        """Keep more audio."""
        if not data:
            return
        full = self._held + len(data) > self._limit
        if self._disk and (full or self._file is not None) and self._spill(data):
            self.end += len(data)
            return
        self._blocks.append(bytes(data))
        self._held += len(data)
        self.end += len(data)
        if self._held > self._limit:
            self.forget(self.end - self._limit)

    def forget(self, position: int) -> None:
        """Drop everything before a position."""
        self.start = min(max(self.start, position), self.end)
        first, dropped = self._first(), 0
        while self._blocks and first + len(self._blocks[0]) <= self.start:
            size = len(self._blocks.popleft())
            first += size
            self._held -= size
            dropped += 1
        index, at = self._hint
        self._hint = (index - dropped, at) if index >= dropped and self._blocks else (0, first)
        if self._file is not None and self.end - self.start <= self._limit // 2:
            self._load()

    def _load(self) -> None:
        """Take what is left on disk back to memory, and give the file up: it would only grow."""
        assert self._file is not None
        at = max(self.start, self._file_from)
        blocks = []
        try:
            while at < self.end:
                block = self._read_file(at, min(_COPY, self.end - at))
                blocks.append(block)
                at += len(block)
        except OSError:  # a disk that does not even read: what is on it is lost
            blocks = []
            self._blocks.clear()
            self._held = 0
            self.start = self.end
        self._file.close()
        self._file = None
        self._blocks.extend(blocks)
        self._held += sum(map(len, blocks))
        self._hint = (0, self._first())

    def _read_file(self, position: int, size: int) -> bytes:
        assert self._file is not None
        self._file.seek(position - self._file_from)
        data = self._file.read(size)
        if len(data) != size:
            raise OSError("The temporary file of the journal was cut short.")
        return data

    def read(self, position: int, size: int) -> bytes:
        """Up to so many bytes from a position, fewer only at the end. Raises ValueError for what is gone."""
        if position < self.start or position > self.end:
            raise ValueError(f"{position} is not within {self.start}..{self.end}")
        size = min(size, self.end - position)
        parts: list[bytes] = []
        index, at = self._hint
        if position < at:
            index, at = 0, self._first()
        while size and index < len(self._blocks):
            block = self._blocks[index]
            if position < at + len(block):
                part = block[position - at : position - at + size]
                parts.append(part)
                position += len(part)
                size -= len(part)
                self._hint = (index, at)
                if not size:
                    break
            index, at = index + 1, at + len(block)
        if size:
            parts.append(self._read_file(position, size))
        return b"".join(parts)

    def close(self) -> None:
        """Drop everything."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._blocks.clear()
        self._held = 0
        self.start = self.end
        self._hint = (0, self.end)
