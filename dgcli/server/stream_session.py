"""What the streams of both versions of the API have in common: the audio's way in, and how a stream ends."""

import asyncio
import hashlib
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from dgcli.server import live_messages, record
from dgcli.server.engines.base import Ended, Engine, LiveAudio, LiveStream, NotAudioError
from dgcli.server.settings import ServerSettings

_log = logging.getLogger("dgcli.server")

_BLOCK = 1 << 16  # bytes of any encoding that a recogniser must have something to say about
_ENOUGH = 1 << 15  # bytes that must be some audio, if they are audio at all
_GONE = 1006  # the close code of a client that sent none


class Closing(Exception):
    """The stream must end with this close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended: its close code and reason, whether all audio was heard, and what went wrong."""

    code: int = 1000
    reason: str = ""
    complete: bool = True
    fault: Exception | None = None


class StreamSession(ABC):
    """A stream that was accepted."""

    empty_frame_ends = False  # whether a frame of no length ends the stream

    def __init__(
        self, socket: WebSocket, settings: ServerSettings, engine: Engine, audio: LiveAudio, request_id: str
    ) -> None:
        self._socket = socket
        self._settings = settings
        self._engine = engine
        self._audio = audio
        self._request_id = request_id
        self._model = engine.serve(audio.model, audio.language)
        self._hash = hashlib.sha256()
        self._size = 0
        self._duration = 0.0
        self._opened = self._last_message = time.monotonic()
        self._unheard = 0  # bytes since the recogniser last told anything
        self._unheard_since: float | None = None  # when they became too many for a block of anything
        self._recording: record.StreamRecording | None = None

    async def run(self) -> str:
        """Serve until the stream ends; returns how it ended, for the log."""
        if self._settings.record is not None:
            facts = record.describe(self._socket.scope, self._request_id)
            self._recording = record.StreamRecording(self._settings.record, facts)
        stream = self._engine.open_stream(self._audio)
        end = StreamEnd()
        try:
            async with asyncio.TaskGroup() as group:
                work = [self._read(stream), self._watch(), *self._beside()]
                others = [group.create_task(part) for part in work]
                await self._write(stream)
                for task in others:
                    task.cancel()
        except* Closing as group_of:
            closing = group_of.exceptions[0]
            assert isinstance(closing, Closing)
            end = StreamEnd(closing.code, closing.reason, False, closing)
        except* WebSocketDisconnect:
            end = StreamEnd(_GONE)
        except* NotAudioError as group_of:
            end = StreamEnd(1008, live_messages.DATA_0000, False, group_of.exceptions[0])
        except* Exception as group_of:
            fault = group_of.exceptions[0]
            _log.error("stream %s failed", self._request_id, exc_info=fault)
            end = StreamEnd(1011, live_messages.NET_0000, False, fault)
        finally:
            stream.close()
            if self._recording is not None:
                self._recording.close(self._size, self._duration)
        with suppress(WebSocketDisconnect, RuntimeError, Closing):
            end = await self._farewell(end)
        if end.code == _GONE:
            return "the client has gone"
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(end.code, end.reason)
        return f"{end.code} {end.reason}".strip()

    @property
    def seconds(self) -> float:
        """The seconds of audio that came."""
        return self._duration

    @property
    def model_asked(self) -> str | None:
        """The model that the query names."""
        return self._audio.model

    @property
    def heard(self) -> str:
        """What arrived, for the log."""
        kept = f", kept in {self._recording.path}" if self._recording else ""
        return f"{self._size} bytes of {self._encoding} ({self._duration:.2f} s){kept}"

    async def release(self) -> None:  # noqa: B027 - not every stream holds more than its socket
        """Free what the session was given, when it has ended or was never run."""

    @property
    def _encoding(self) -> str:
        return self._audio.encoding or "audio with a header"

    def _beside(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Return what else must be watched while the stream runs."""
        return ()

    @abstractmethod
    def _deadline(self) -> float:
        """Return until when (monotonic seconds) the client may be silent."""

    @abstractmethod
    def _idle(self) -> Closing:
        """Return how a stream ends whose client was silent for too long."""

    @abstractmethod
    async def _control(self, text: str, stream: LiveStream) -> bool:
        """Do what a text message asks for; true when it ends the stream."""

    @abstractmethod
    async def _write(self, stream: LiveStream) -> None:
        """Send what the recogniser tells until everything is heard."""

    @abstractmethod
    async def _farewell(self, end: StreamEnd) -> StreamEnd:
        """Send the last message, if the client is still there; returns how to close."""

    async def _read(self, stream: LiveStream) -> None:
        """Take the client's messages until it ends the stream, then watch for its leaving."""
        self._opened = self._last_message = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(self._deadline() - time.monotonic()):
                    message = await self._socket.receive()
            except TimeoutError:
                if self._deadline() > time.monotonic():
                    continue  # a ping has come meanwhile
                raise self._idle() from None
            if message["type"] != "websocket.receive":
                raise WebSocketDisconnect(message.get("code", _GONE))
            data, text = message.get("bytes"), message.get("text")
            if (data == b"" and self.empty_frame_ends) or (
                text is not None and await self._control(text, stream)
            ):
                break
            if data:
                await self._take(data, stream)
            self._last_message = time.monotonic()
        await stream.finish()
        while (await self._socket.receive())["type"] == "websocket.receive":
            pass  # what comes after the end is dropped
        raise WebSocketDisconnect(_GONE)

    async def _take(self, data: bytes, stream: LiveStream) -> None:
        """Take a block of audio."""
        self._size += len(data)
        self._hash.update(data)
        if self._recording is not None:
            self._recording.write(data)
        self._unheard += len(data)
        if self._unheard_since is None and self._unheard >= _BLOCK:
            self._unheard_since = time.monotonic()
        await stream.send(data)

    def _heard_something(self) -> None:
        """Note that the recogniser has told something."""
        self._unheard, self._unheard_since = 0, None

    def _note_end(self, event: Ended) -> None:
        """Note that everything is heard. Raises NotAudioError when that was nothing although enough has come."""
        self._duration = event.duration
        if not event.channels and self._size >= _ENOUGH:
            raise NotAudioError

    async def _watch(self) -> None:
        """End the stream when audio has come and the recogniser says nothing for too long."""
        limit = self._settings.response_timeout
        while True:
            since = self._unheard_since
            now = time.monotonic()
            if since is not None and now - since >= limit:
                raise Closing(1011, live_messages.NET_0000)
            await asyncio.sleep(limit if since is None else since + limit - now)

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._settings.response_timeout):
                await self._socket.send_text(text)
        except TimeoutError:
            raise WebSocketDisconnect(_GONE) from None  # it sends and never reads
