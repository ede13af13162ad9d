"""One live stream: the WebSocket /v1/listen from the handshake to the close frame."""

from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from dgcli.server import live_messages, live_query, responses
from dgcli.server.callback import CallbackLostError, StreamCallback, open_callback
from dgcli.server.engines.base import (
    Ended,
    Engine,
    HeardSegment,
    HeardWord,
    LiveAudio,
    LiveEvent,
    LiveStream,
    Passed,
    SpeechBegan,
)
from dgcli.server.handshake import Check, Opening, check_model
from dgcli.server.live_query import LiveOptions
from dgcli.server.settings import ServerSettings
from dgcli.server.stream_session import Closing, StreamEnd, StreamSession

_CALLBACK_LOST = "The callback's WebSocket was closed."


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


class Session(StreamSession):
    """A stream of /v1/listen that was accepted."""

    empty_frame_ends = True  # as it did before there was CloseStream

    def __init__(
        self,
        socket: WebSocket,
        settings: ServerSettings,
        engine: Engine,
        options: LiveOptions,
        request_id: str,
        callback: StreamCallback | None = None,
    ) -> None:
        audio = LiveAudio(
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
        super().__init__(socket, settings, engine, audio, request_id)
        self._callback = callback
        self._options = options
        self._created = datetime.now(UTC)
        self._channels = options.channels if options.multichannel else 1
        self._state: dict[int, StreamedUtterances] = {}

    async def release(self) -> None:
        """End the callback."""
        if self._callback is not None:
            await self._callback.close()

    def _beside(self) -> Sequence[Coroutine[Any, Any, None]]:
        return () if self._callback is None else (self._watch_callback(self._callback),)

    async def _watch_callback(self, callback: StreamCallback) -> None:
        try:
            await callback.watch()
        except CallbackLostError:
            raise Closing(1011, _CALLBACK_LOST) from None

    def _deadline(self) -> float:
        limit = self._settings.idle_timeout
        # KeepAlive alone does not hold a stream that never had audio.
        return limit + (self._last_message if self._size else min(self._last_message, self._opened))

    def _idle(self) -> Closing:
        return Closing(1011, live_messages.NET_0001)

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
            answer, terms = live_messages.configured(self._request_id, control.fields, self._options.model)
            if terms is not None:
                await stream.configure(terms)
            await self._send(answer)
        return control.type == "CloseStream"

    async def _write(self, stream: LiveStream) -> None:
        """Send what the recogniser tells until everything is heard."""
        async for event in stream.events():
            if not isinstance(event, SpeechBegan):  # that somebody speaks is heard before any word is
                self._heard_something()
            if isinstance(event, Ended):
                self._channels = event.channels
                self._note_end(event)
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

    async def _farewell(self, end: StreamEnd) -> StreamEnd:
        if end.code not in (1006, 1008):
            with suppress(WebSocketDisconnect, RuntimeError, Closing):
                await self._send(self._metadata(self._hash.hexdigest() if end.complete else "incomplete"))
        if self._callback is not None:
            await self._callback.close()  # whoever sees the stream end finds every message delivered
        return end

    async def _send(self, text: str) -> None:
        await super()._send(text)
        if self._callback is not None:
            try:
                await self._callback.send(text)
            except CallbackLostError:
                raise Closing(1011, _CALLBACK_LOST) from None


def checks(socket: WebSocket, settings: ServerSettings, engine: Engine) -> Check:
    """Return what checks the query of a handshake and opens its session."""

    def check(query: str, request_id: str) -> Opening:
        options = live_query.parse(query, any_port=settings.allow_private_urls)
        check_model(engine, options.model, options.language)

        async def opening() -> Session:
            callback = await open_callback(options.callback, settings, request_id)
            return Session(socket, settings, engine, options, request_id, callback)

        return opening

    return check
