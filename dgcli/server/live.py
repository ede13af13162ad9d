"""One live stream: the WebSocket /v1/listen from the handshake to the close frame."""

import asyncio
import hashlib
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime

from starlette.websockets import WebSocket, WebSocketDisconnect

from dgcli.server import errors, live_messages, live_query, record, responses
from dgcli.server.access import SCHEMES, handshake_authorized, printable
from dgcli.server.callback import CallbackLostError, StreamCallback, open_callback
from dgcli.server.engines.base import (
    Ended,
    Engine,
    HeardSegment,
    HeardWord,
    LiveAudio,
    LiveEvent,
    LiveStream,
    NotAudioError,
    Passed,
    SpeechBegan,
)
from dgcli.server.errors import ErrorAnswer
from dgcli.server.guard import refuse_handshake
from dgcli.server.live_query import LiveOptions
from dgcli.server.request_log import RequestLog
from dgcli.server.settings import ServerSettings

_log = logging.getLogger("dgcli.server")
_access = logging.getLogger("dgcli.server.access")

_BLOCK = 1 << 16  # bytes of any encoding that a recogniser must have something to say about
_ENOUGH = 1 << 15  # bytes that must be some audio, if they are audio at all
_CALLBACK_LOST = "The callback's WebSocket was closed."


class _Closing(Exception):
    """The stream must end with this close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class StreamedUtterances:
    """The state of a channel that its messages depend on."""

    def __init__(self) -> None:
        self.sentence_begins = True
        self.last_word_end: float | None = None  # of a final word whose UtteranceEnd was not sent
        self._open_words = False  # whether the newest interim has words that are not final
        self._wordless_until = 0.0  # where the newest interim without words ends

    def prepare(self, segment: HeardSegment, options: LiveOptions) -> list[HeardWord]:
        """Return the words of a segment as they are written, where it stands in the sentence."""
        words = responses.prepare(
            segment.words, options, begins=self.sentence_begins, ends=segment.speech_final
        )
        if segment.is_final and (words or segment.speech_final):
            self.sentence_begins = segment.speech_final
        if segment.is_final and words:
            self.last_word_end = words[-1].end
        self._open_words = bool(words) and not segment.is_final
        if not words:
            self._wordless_until = segment.start + segment.duration
        return words

    def utterance_ended(self, passed: Passed, gap: float) -> float | None:
        """Return the end of the last word, once, when no word has followed for `gap` seconds.

        Noise may look like speech for ever; an interim without words tells then.
        """
        ended = self.last_word_end
        if ended is None or self._open_words or passed.at - ended < gap:
            return None
        if passed.speaking and self._wordless_until < ended + gap:
            return None
        self.last_word_end = None
        return ended


class Session:
    """A stream that was accepted."""

    def __init__(
        self,
        socket: WebSocket,
        settings: ServerSettings,
        engine: Engine,
        options: LiveOptions,
        request_id: str,
        callback: StreamCallback | None = None,
    ) -> None:
        self._socket = socket
        self._callback = callback
        self._settings = settings
        self._engine = engine
        self._options = options
        self._request_id = request_id
        self._model = engine.serve(options.model, options.language)
        self._created = datetime.now(UTC)
        self._hash = hashlib.sha256()
        self._size = 0
        self._duration = 0.0
        self._channels = options.channels if options.multichannel else 1
        self._state: dict[int, StreamedUtterances] = {}
        self._unheard = 0  # bytes since the recogniser last told anything
        self._unheard_since: float | None = None  # when they became too many for a block of anything
        self._recording: record.StreamRecording | None = None

    async def run(self) -> str:
        """Serve until the stream ends; returns how it ended, for the log."""
        options = self._options
        if self._settings.record is not None:
            facts = record.describe(self._socket.scope, self._request_id)
            self._recording = record.StreamRecording(self._settings.record, facts)
        stream = self._engine.open_stream(
            LiveAudio(
                encoding=options.encoding,
                sample_rate=options.sample_rate,
                channels=options.channels,
                multichannel=options.multichannel,
                endpointing=options.endpointing,
                vocabulary=list(options.vocabulary),
                speakers=options.speakers,
                model=options.model,
                language=options.language,
            )
        )
        code, reason, complete = 1000, "", True
        try:
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(self._read(stream)), group.create_task(self._watch())]
                if self._callback is not None:
                    others.append(group.create_task(self._callback.watch()))
                await self._write(stream)
                for task in others:
                    task.cancel()
        except* _Closing as group_of:
            closing = group_of.exceptions[0]
            assert isinstance(closing, _Closing)
            code, reason, complete = closing.code, closing.reason, False
        except* WebSocketDisconnect:
            code = 1006
        except* NotAudioError:
            code, reason = 1008, live_messages.DATA_0000
        except* CallbackLostError:
            code, reason, complete = 1011, _CALLBACK_LOST, False
        except* Exception as group_of:
            _log.error("stream %s failed", self._request_id, exc_info=group_of.exceptions[0])
            code, reason, complete = 1011, live_messages.NET_0000, False
        finally:
            stream.close()
            if self._recording is not None:
                self._recording.close(self._size, self._duration)
        if code not in (1006, 1008):
            with suppress(WebSocketDisconnect, RuntimeError, CallbackLostError):
                await self._send(self._metadata(self._hash.hexdigest() if complete else "incomplete"))
        if self._callback is not None:
            await self._callback.close()  # whoever sees the stream end finds every message delivered
        if code == 1006:
            return "the client has gone"
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code, reason)
        return f"{code} {reason}".strip()

    @property
    def seconds(self) -> float:
        """The seconds of audio that came."""
        return self._duration

    @property
    def heard(self) -> str:
        """What arrived, for the log."""
        kept = f", kept in {self._recording.path}" if self._recording else ""
        return f"{self._size} bytes of {self._encoding} ({self._duration:.2f} s){kept}"

    @property
    def _encoding(self) -> str:
        return self._options.encoding or "audio with a header"

    async def _read(self, stream: LiveStream) -> None:
        """Take the client's messages until it ends the stream, then watch for its leaving."""
        opened = last = time.monotonic()
        while True:
            deadline = last + self._settings.idle_timeout
            if not self._size:
                # KeepAlive alone does not hold a stream that never had audio.
                deadline = min(deadline, opened + self._settings.idle_timeout)
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    message = await self._socket.receive()
            except TimeoutError:
                raise _Closing(1011, live_messages.NET_0001) from None
            if message["type"] != "websocket.receive":
                raise WebSocketDisconnect(message.get("code", 1006))
            data, text = message.get("bytes"), message.get("text")
            # A frame of no length ends the stream, as it did before CloseStream.
            if data == b"" or (text is not None and await self._control(text, stream)):
                break
            if data:
                await self._audio(data, stream)
            last = time.monotonic()
        await stream.finish()
        while (await self._socket.receive())["type"] == "websocket.receive":
            pass  # what comes after the end is dropped
        raise WebSocketDisconnect(1006)

    async def _audio(self, data: bytes, stream: LiveStream) -> None:
        self._size += len(data)
        self._hash.update(data)
        if self._recording is not None:
            self._recording.write(data)
        self._unheard += len(data)
        if self._unheard_since is None and self._unheard >= _BLOCK:
            self._unheard_since = time.monotonic()
        await stream.send(data)

    async def _control(self, text: str, stream: LiveStream) -> bool:
        """Do what a text message asks for; true when it ends the stream."""
        try:
            control = live_messages.read(text)
        except live_messages.SchemaError as error:
            await self._send(error.answer)
            return False
        if control.type == "Finalize":
            await stream.finalize(control.fields.get("channel"))
        elif control.type == "Configure":
            answer, terms = live_messages.configured(self._request_id, control.fields)
            if terms is not None:
                await stream.configure(terms)
            await self._send(answer)
        return control.type == "CloseStream"

    async def _watch(self) -> None:
        """End the stream when audio has come and the recogniser says nothing for too long."""
        limit = self._settings.response_timeout
        while True:
            since = self._unheard_since
            now = time.monotonic()
            if since is not None and now - since >= limit:
                raise _Closing(1011, live_messages.NET_0000)
            await asyncio.sleep(limit if since is None else since + limit - now)

    async def _write(self, stream: LiveStream) -> None:
        """Send what the recogniser tells until everything is heard."""
        async for event in stream.events():
            if not isinstance(event, SpeechBegan):  # that somebody speaks is heard before any word is
                self._unheard, self._unheard_since = 0, None
            if isinstance(event, Ended):
                self._duration, self._channels = event.duration, event.channels
                if not event.channels and self._size >= _ENOUGH:
                    raise NotAudioError
                return
            self._channels = max(self._channels, event.channel + 1)
            await self._tell(event, self._state.setdefault(event.channel, StreamedUtterances()))

    async def _tell(self, event: LiveEvent, state: StreamedUtterances) -> None:
        options = self._options
        if isinstance(event, HeardSegment):
            if not event.is_final and not options.interim_results:
                return
            words = state.prepare(event, options)
            message = live_messages.results(
                event,
                words,
                options,
                channels=self._channels,
                request_id=self._request_id,
                model=self._model,
            )
            await self._send(message)
        elif isinstance(event, SpeechBegan):
            if options.vad_events:
                await self._send(live_messages.speech_started(event.channel, self._channels, event.at))
        elif isinstance(event, Passed):
            self._duration = max(self._duration, event.at)
            ended = state.utterance_ended(event, options.utterance_end) if options.utterance_end else None
            if ended is not None:
                await self._send(live_messages.utterance_end(event.channel, self._channels, ended))

    def _metadata(self, sha256: str) -> str:
        extra = dict(self._options.extra or {})
        if self._recording is not None:
            extra |= {
                "received_bytes": str(self._size),
                "received_seconds": f"{self._duration:.3f}",
                "encoding": self._encoding,
                "file": str(self._recording.path),
            }
        return live_messages.metadata(
            request_id=self._request_id,
            sha256=sha256,
            created=self._created,
            duration=self._duration,
            channels=self._channels if self._size else 0,
            model=self._model,
            extra=extra,
        )

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._settings.response_timeout):
                await self._socket.send_text(text)
        except TimeoutError:
            raise WebSocketDisconnect(1006) from None  # it sends and never reads
        if self._callback is not None:
            await self._callback.send(text)


def _subprotocol(socket: WebSocket) -> str | None:
    """Return the offered scheme, which a browser needs to hear again."""
    return next((name for name in socket.scope["subprotocols"] if name.lower() in SCHEMES), None)


class Slots:
    """How many streams there may be at once."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    def take(self) -> bool:
        """Take a place, if there is one."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Leave a place to others."""
        self._free += 1


async def refuse_unknown(socket: WebSocket) -> None:
    """Refuse a WebSocket on a path that this server does not have; /v2/listen (Flux) is one."""
    await socket.receive()
    await refuse_handshake(socket, errors.not_found())


async def _accept(
    socket: WebSocket, settings: ServerSettings, engine: Engine, slots: Slots, request_id: str
) -> tuple[LiveOptions, StreamCallback | None]:
    """Check a handshake and take a slot. Raises ErrorAnswer."""
    protocols = socket.scope["subprotocols"]
    if not handshake_authorized(socket.headers.get("authorization"), protocols, settings.require_key):
        raise errors.invalid_credentials()
    query = socket.scope["query_string"].decode("latin-1")
    options = live_query.parse(query, any_port=settings.allow_private_urls)
    try:
        engine.serve(options.model, options.language)
    except LookupError as error:
        raise errors.no_model(str(error)) from error
    if not slots.take():
        raise errors.too_many_requests()
    try:
        return options, await open_callback(options.callback, settings, request_id)
    except BaseException:
        slots.give_back()
        raise


async def listen(
    socket: WebSocket, settings: ServerSettings, engine: Engine, slots: Slots, log: RequestLog
) -> None:
    """Serve one WebSocket: refuse it with a status and a JSON body, or run its session; note it in `log`."""
    request_id = responses.new_request_id()
    began = time.monotonic()
    await socket.receive()  # websocket.connect
    try:
        options, callback = await _accept(socket, settings, engine, slots, request_id)
    except ErrorAnswer as refusal:
        await refuse_handshake(socket, refusal, request_id)
        log.answered(request_id, socket.url.path, refusal.status, method="streaming")
        return
    headers = [
        (b"dg-request-id", request_id.encode()),
        (b"dg-project-id", responses.PROJECT_ID.encode()),
    ]
    heard = ""
    try:
        session = Session(socket, settings, engine, options, request_id, callback)
        await socket.accept(_subprotocol(socket), headers)
        end = await session.run()
        heard = f", {session.heard}"
        log.heard(request_id, options.model, session.seconds)
    except (WebSocketDisconnect, OSError):
        end = "the client did not wait for the handshake"
    finally:
        slots.give_back()
        if callback is not None:
            await callback.close()
    log.answered(request_id, socket.url.path, 200, method="streaming")
    _access.info(
        "WebSocket %s %s%s, %.2f s, %s",
        printable(socket.url.path),
        end,
        heard,
        time.monotonic() - began,
        request_id,
    )
