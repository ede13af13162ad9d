"""The server's side of a live stream whose recogniser is a process of its own (live_worker.py)."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dgcli.server.engines.base import (
    Ended,
    LiveAudio,
    LiveEvent,
    LiveStream,
    NotAudioError,
    Passed,
    Segment,
    SpeechBegan,
    Word,
)
from dgcli.server.engines.pool import Worker, WorkerError
from dgcli.server.engines.worker import read_message, write_message

_AHEAD = 1 << 20  # bytes that wait for the worker before the client has to

_Message = tuple[Mapping[str, Any], bytes]


def _event(header: Mapping[str, Any]) -> LiveEvent:
    match header["event"]:
        case "segment":
            return Segment(
                channel=header["channel"],
                start=header["start"],
                duration=header["duration"],
                words=[Word(*heard) for heard in header["words"]],
                is_final=header.get("is_final", False),
                speech_final=header.get("speech_final", False),
                from_finalize=header.get("from_finalize", False),
            )
        case "speech":
            return SpeechBegan(header["channel"], header["at"])
        case "passed":
            return Passed(header["channel"], header["at"], header["speaking"])
        case "ended":
            return Ended(header["duration"], header["channels"])
        case "not audio":
            raise NotAudioError
    raise WorkerError(header.get("message", "The recogniser failed."))


class ProcessStream(LiveStream):
    """A worker, a thread that writes to it and a thread that reads from it."""

    def __init__(self, audio: LiveAudio) -> None:
        self._loop = asyncio.get_running_loop()
        self._worker = Worker("dgcli.server.engines.live_worker")
        self._outgoing: queue.SimpleQueue[_Message | None] = queue.SimpleQueue()
        self._incoming: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        self._waiting = 0  # bytes in _outgoing
        self._room = asyncio.Event()
        self._room.set()
        self._threads = [
            threading.Thread(target=target, name=f"stream-{target.__name__}", daemon=True)
            for target in (self._write, self._read)
        ]
        self._outgoing.put(({"op": "open", **asdict(audio)}, b""))
        for thread in self._threads:
            thread.start()

    async def send(self, data: bytes) -> None:
        """Hand over a block; waits while too much of it is unread."""
        await self._room.wait()
        self._waiting += len(data)
        if self._waiting >= _AHEAD:
            self._room.clear()
        self._outgoing.put(({"op": "audio"}, data))

    async def finalize(self, channel: int | None) -> None:
        """Hand over the wish, in its place among the audio."""
        self._outgoing.put(({"op": "finalize", "channel": channel}, b""))

    async def configure(self, vocabulary: Sequence[str]) -> None:
        """Hand over the terms."""
        self._outgoing.put(({"op": "configure", "vocabulary": list(vocabulary)}, b""))

    async def finish(self) -> None:
        """Tell that no audio follows."""
        self._outgoing.put(({"op": "finish"}, b""))

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Yield what the worker tells. Raises NotAudioError and WorkerError."""
        while True:
            header = await self._incoming.get()
            if header is None:
                raise WorkerError("The recogniser's process has gone.")
            event = _event(header)
            yield event
            if isinstance(event, Ended):
                return

    def close(self) -> None:
        """End the worker and its threads."""
        self._outgoing.put(None)
        self._worker.kill()
        for thread in self._threads:
            thread.join()
        self._worker.close()

    def _tell(self, callback: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            return  # the loop has ended, and with it everyone who would listen

    def _written(self, size: int) -> None:
        self._waiting -= size
        if self._waiting < _AHEAD:
            self._room.set()

    def _write(self) -> None:
        gone = False
        while (message := self._outgoing.get()) is not None:
            header, payload = message
            try:
                if not gone:
                    write_message(self._worker.stdin, header, payload)
            except (OSError, ValueError):
                gone = True  # whoever reads the events is told; what is still sent is dropped
            self._tell(self._written, len(payload))

    def _read(self) -> None:
        try:
            while (message := read_message(self._worker.stdout)) is not None:
                self._tell(self._incoming.put_nowait, message[0])
        except (OSError, ValueError):
            pass
        self._tell(self._incoming.put_nowait, None)
