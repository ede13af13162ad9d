"""Audio that a program hands over: an open binary file, or any iterable of bytes."""

import io
import os
import select
import stat
import threading
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, cast

from dgcli.audio.base import AudioFormat
from dgcli.audio.stdin import PipeSource
from dgcli.errors import AudioError, UsageError
from dgcli.system import CAN_AWAIT_PIPES

_LOOK = 0.1  # seconds between looks at whether anybody still wants what comes


def _awaited(file: BinaryIO) -> int | None:
    """The descriptor to wait at before a read that could not be ended, where the system lets us.

    Only where each read of the file is one of the descriptor: what else lies above it (TLS, say) may hold data
    of which the descriptor knows nothing.
    """
    if not CAN_AWAIT_PIPES or not isinstance(getattr(file, "raw", file), io.FileIO):
        return None
    descriptor = file.fileno()
    return None if stat.S_ISREG(os.fstat(descriptor).st_mode) else descriptor


class ChunkSource(PipeSource):
    """Audio of an open binary file, which stays open, or of an iterable of bytes; read as a pipe is.

    A thread of its own reads it. `stop` ends the wait for a pipe, but no iterable that hangs in its own code.
    """

    example = None
    raw_hint = "For raw samples say what they are: encoding='linear16', sample_rate=16000."

    def __init__(self, data: BinaryIO | Iterable[bytes], raw: AudioFormat | None = None) -> None:
        super().__init__(raw, descriptor=-1)
        name = getattr(data, "name", None)
        self.name = name if isinstance(name, str) else "the audio"
        self._data = data
        self._stopped = threading.Event()

    def _read(self) -> Iterator[bytes]:
        chunks = self._file_chunks() if hasattr(self._data, "read") else iter(self._data)
        try:
            for chunk in cast(Iterator[Any], chunks):
                if not isinstance(chunk, bytes | bytearray | memoryview):
                    raise UsageError(
                        f"The audio must come as bytes, not as {type(chunk).__name__}.",
                        hint="Open files in binary mode: open(path, 'rb')",
                    )
                if len(chunk):
                    yield bytes(chunk)
        except OSError as error:
            raise AudioError(f"Reading {self.name} failed: {error.strerror or error}.") from error

    def _file_chunks(self) -> Iterator[bytes]:
        file = cast(BinaryIO, self._data)
        read = getattr(file, "read1", file.read)  # one read of the system: audio goes on as it comes
        descriptor = _awaited(file)
        while not self._stopped.is_set():
            if descriptor is not None and not select.select([descriptor], [], [], _LOOK)[0]:
                continue
            chunk = read(self._want)
            if not chunk:
                return
            yield chunk

    def stop(self) -> None:
        """End `blocks` soon, with what was already read."""
        self._stopped.set()
        super().stop()
