"""The audio of a live stream on its way to the recogniser: bytes go in, samples at 16 kHz come out.

Raw samples are expanded and resampled here; everything with a header or a codec goes through a process of its
own, because codecs are native code that meets whatever a client sends.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

from dgcli.server.decode import SAMPLE_BYTES, check_rate, expand
from dgcli.server.engines.base import RATE, LiveAudio, NotAudioError
from dgcli.server.engines.messages import read_message, write_message
from dgcli.server.engines.process import Process, ProcessDied

MODULE = "dgcli.server.engines.stream_decoder_process"

_PIECE = 0.25  # seconds of raw audio that are handed on at once, however much came in one message
_AHEAD = 1 << 20  # bytes that wait to be decoded before the client has to
_UNREAD = 16  # blocks of samples that a process decodes ahead

Json = Mapping[str, Any]
Item = Any  # frames x channels of float32, or a message that stood among the audio


class LiveSource(Protocol):
    """Decodes one stream."""

    async def put(self, data: bytes) -> None:
        """Take a block of audio; waits while too much is not decoded yet."""

    def tell(self, message: Json) -> None:
        """Take a message, to be yielded where it stands among the audio; `{"op": "finish"}` is the last."""

    def items(self) -> AsyncIterator[Item]:
        """Yield samples and messages in order. Raises NotAudioError and ProcessDied."""

    def close(self) -> None:
        """Stop at once."""


class _Room:
    """Lets the client wait while so many bytes are not decoded."""

    def __init__(self) -> None:
        self._waiting = 0
        self._free = asyncio.Event()
        self._free.set()

    async def enter(self, size: int) -> None:
        await self._free.wait()
        self._waiting += size
        if self._waiting >= _AHEAD:
            self._free.clear()

    def leave(self, size: int) -> None:
        self._waiting -= size
        if self._waiting < _AHEAD:
            self._free.set()


class RawSource(LiveSource):
    """Samples without a header."""

    def __init__(self, audio: LiveAudio) -> None:
        assert audio.encoding is not None
        assert audio.sample_rate is not None
        check_rate(audio.sample_rate)
        self._audio = audio
        self._encoding: str = audio.encoding
        self._rate = audio.sample_rate
        self._frame = SAMPLE_BYTES[audio.encoding] * audio.channels
        self._tracks = audio.channels if audio.multichannel else 1
        self._resampler: Any = None
        self._rest = b""
        self._room = _Room()
        self._queue: asyncio.Queue[bytes | Json] = asyncio.Queue()

    async def put(self, data: bytes) -> None:
        """Take a block of audio."""
        await self._room.enter(len(data))
        self._queue.put_nowait(data)

    def tell(self, message: Json) -> None:
        """Take a message in its place."""
        self._queue.put_nowait(message)

    async def items(self) -> AsyncIterator[Item]:
        """Yield samples and messages in order."""
        piece = max(int(self._rate * _PIECE), 1) * self._frame
        while True:
            message = await self._queue.get()
            if isinstance(message, bytes):
                for at in range(0, len(message), piece):
                    samples = self._decode(message[at : at + piece], last=False)
                    if len(samples):
                        yield samples
                self._room.leave(len(message))
            elif message["op"] == "finish":
                samples = self._decode(b"", last=True)
                if len(samples):
                    yield samples
                return
            else:
                yield message

    def close(self) -> None:
        """Stop at once."""
        self._room.leave(1 << 62)  # whoever waits to send finds the stream closed

    def _decode(self, data: bytes, *, last: bool) -> Any:
        data = self._rest + data
        whole = len(data) // self._frame * self._frame
        self._rest = data[whole:]
        block = expand(data[:whole], self._encoding).reshape(-1, self._audio.channels)
        if not self._audio.multichannel:
            block = block.mean(axis=1, keepdims=True)
        samples = np.ascontiguousarray(block, np.float32)
        if self._rate == RATE:
            return samples
        if self._resampler is None:
            import soxr

            self._resampler = soxr.ResampleStream(
                self._rate, RATE, self._tracks, dtype="float32", quality="MQ"
            )
        return self._resampler.resample_chunk(samples, last=last)


class CodecSource(LiveSource):
    """Audio that a process decodes; a thread writes to it and a thread reads from it."""

    def __init__(self, audio: LiveAudio) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = _Room()
        self._outgoing: queue.SimpleQueue[tuple[Json, bytes] | None] = queue.SimpleQueue()
        self._incoming: asyncio.Queue[tuple[Json, bytes] | None] = asyncio.Queue()
        self._unread = threading.Semaphore(_UNREAD)
        self._closed = False
        self._process = Process(MODULE)
        self._threads = [
            threading.Thread(target=target, name=f"stream-{target.__name__}", daemon=True)
            for target in (self._write, self._read)
        ]
        self._outgoing.put(({"op": "open", **asdict(audio)}, b""))
        for thread in self._threads:
            thread.start()

    async def put(self, data: bytes) -> None:
        """Take a block of audio."""
        await self._room.enter(len(data))
        self._outgoing.put(({"op": "audio"}, data))

    def tell(self, message: Json) -> None:
        """Take a message in its place."""
        self._outgoing.put((message, b""))

    async def items(self) -> AsyncIterator[Item]:
        """Yield samples and messages in order."""
        while (message := await self._incoming.get()) is not None:
            self._unread.release()
            header, payload = message
            match header["op"]:
                case "samples":
                    yield np.frombuffer(payload, np.float32).reshape(-1, header["channels"])
                case "ended":
                    return
                case "not audio":
                    raise NotAudioError
                case _:
                    yield header
        raise ProcessDied("The process that decoded the stream has gone.")

    def close(self) -> None:
        """Stop at once."""
        self._room.leave(1 << 62)
        self._closed = True
        self._outgoing.put(None)
        self._process.kill()
        self._unread.release()
        for thread in self._threads:
            thread.join()
        self._process.close()

    def _in_loop(self, callback: Callable[..., None], *arguments: Any) -> None:
        # The loop may end first: then nobody waits for the rest.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _write(self) -> None:
        gone = False
        while (message := self._outgoing.get()) is not None:
            header, payload = message
            try:
                if not gone:
                    write_message(self._process.stdin, header, payload)
            except (OSError, ValueError):
                gone = True  # whoever reads is told; what is still sent is dropped
            self._in_loop(self._room.leave, len(payload))

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            while (message := read_message(self._process.stdout)) is not None:
                self._unread.acquire()
                if self._closed:
                    return  # whatever the pipe still holds
                self._in_loop(self._incoming.put_nowait, message)
        self._in_loop(self._incoming.put_nowait, None)


def open_source(audio: LiveAudio) -> LiveSource:
    """Return what decodes a stream; called in the event loop."""
    return RawSource(audio) if audio.encoding in SAMPLE_BYTES else CodecSource(audio)
