"""One stream of turns: the WebSocket /v2/listen (Flux) from the handshake to the close frame."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from dgcli.server import flux_messages, flux_query, live_messages, responses
from dgcli.server.connections import NO_STATUS, PINGED
from dgcli.server.engines.base import (
    Configured,
    Ended,
    Engine,
    HeardSegment,
    HeardWord,
    LiveAudio,
    LiveStream,
    NotAudioError,
    SpeechBegan,
)
from dgcli.server.flux_messages import Message
from dgcli.server.flux_query import FluxOptions
from dgcli.server.handshake import Check, Opening, check_model
from dgcli.server.settings import ServerSettings
from dgcli.server.stream_session import Closing, StreamEnd, StreamSession
from dgcli.server.turns import TurnState, TurnTracker

_MARKS = 12  # bytes that tell which container begins
_CODEC_WITHIN = 1 << 12  # bytes in which a WebM file names its codec
_NO_TURN = "FORCE_END_TURN_NO_ACTIVE_TURN"


class FatalError(Closing):
    """The stream must end with this `Error`."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(NO_STATUS, code)
        self.message = flux_messages.error(code, description)


def _known_container(head: bytes) -> bool | None:
    """Tell whether audio begins as one of the containers that Flux takes; None: more of it is needed to tell."""
    if head[:4] == b"RIFF":
        return head[8:12] == b"WAVE" if len(head) >= _MARKS else None
    mark = {b"OggS": b"OpusHead", b"\x1aE\xdf\xa3": b"A_OPUS"}.get(head[:4])
    if mark is None:
        return False if len(head) >= _MARKS else None
    if mark in head:
        return True
    return False if len(head) >= _CODEC_WITHIN else None


class FluxSession(StreamSession):
    """A stream of /v2/listen that was accepted."""

    def __init__(
        self,
        socket: WebSocket,
        settings: ServerSettings,
        engine: Engine,
        options: FluxOptions,
        request_id: str,
    ) -> None:
        audio = LiveAudio(
            encoding=options.encoding,
            sample_rate=options.sample_rate,
            vocabulary=list(options.vocabulary),
            model=options.model,
            language=options.language,
            candidates=_languages(options),
        )
        super().__init__(socket, settings, engine, audio, request_id)
        self._options = options
        self._tracker = TurnTracker(options.thresholds)
        self._sequence = 0
        self._sending = asyncio.Lock()
        self._head: bytes | None = None if options.encoding else b""  # of a container, until it is known
        self._configuring: deque[tuple[FluxOptions, Message] | None] = deque()  # None: answered already
        self._configured = options  # as it will be when all of these are in force
        self._forced = 0  # wishes to end a turn that wait for the audio before them to be heard
        state = socket.scope.get("state") or {}
        self._pinged: Callable[[], float] = state.get(PINGED, lambda: 0.0)

    def _deadline(self) -> float:
        return max(self._last_message, self._pinged()) + self._settings.flux_idle_timeout

    def _idle(self) -> Closing:
        return FatalError(
            "CLIENT_MESSAGE_TIMEOUT", "No message was received from the client within the timeout window."
        )

    async def _take(self, data: bytes, stream: LiveStream) -> None:
        if self._head is not None:
            self._head += data[:_CODEC_WITHIN]
            known = _known_container(self._head)
            if known is False:
                raise NotAudioError
            if known:
                self._head = None
        await super()._take(data, stream)

    async def _control(self, text: str, stream: LiveStream) -> bool:
        try:
            control = flux_messages.read(text)
        except flux_messages.UnparsableError:
            raise FatalError("UNPARSABLE_CLIENT_MESSAGE", flux_messages.UNPARSABLE) from None
        if control.type == "Configure":
            await self._configure(control, stream)
        elif control.type == "ForceEndTurn":
            if self._size:
                self._forced += 1
                await stream.finalize(None)
            else:
                await self._warn_of_no_turn()
        return control.type == "CloseStream"

    async def _configure(self, control: live_messages.Control, stream: LiveStream) -> None:
        """Check a configuration; it is in force, and answered, when the audio before it was heard."""
        before = self._configured
        try:
            self._configured = flux_messages.configure(control.fields, before)
            answer = flux_messages.configured(self._request_id, self._configured)
        except flux_messages.ConfigureError as refusal:
            answer = flux_messages.not_configured(self._request_id, refusal)
        if self._size:
            self._configuring.append((self._configured, answer))
        else:  # a container may be waited for for long
            self._configuring.append(None)
            await self._put_in_force(self._configured, answer)
        if (before.vocabulary, before.hints) == (self._configured.vocabulary, self._configured.hints):
            await stream.configure()
        else:
            await stream.configure(self._configured.vocabulary, _languages(self._configured))

    async def _put_in_force(self, options: FluxOptions, answer: Message) -> None:
        self._options = options
        self._tracker.thresholds = options.thresholds
        await self._tell(answer)

    async def _write(self, stream: LiveStream) -> None:
        await self._tell(flux_messages.connected(self._request_id))
        for lacking in self._options.warnings:
            await self._tell(
                flux_messages.warning(
                    self._request_id, lacking.type.upper(), f"{lacking.parameter}: {lacking.message}"
                )
            )
        async for event in stream.events():
            if not isinstance(event, SpeechBegan):  # that somebody speaks is heard before any word is
                self._heard_something()
            if isinstance(event, Ended):
                self._note_end(event)
                break
            if isinstance(event, Configured):
                if (due := self._configuring.popleft()) is not None:
                    await self._put_in_force(*due)
                continue
            await self._tell_turns(self._tracker.follow(event))
            self._duration = max(self._duration, self._tracker.now)
            if isinstance(event, HeardSegment) and event.from_finalize:
                await self._force()
        while self._forced:
            await self._force()
        for due in self._configuring:  # the audio ended before any of it was a sample
            if due is not None:
                await self._put_in_force(*due)
        await self._tell_turns(self._tracker.finish())

    async def _force(self) -> None:
        """End the active turn, on a wish of the client whose place among the audio has come."""
        self._forced -= 1
        states = list(self._tracker.force())
        await self._tell_turns(states)
        if not states:
            await self._warn_of_no_turn()

    async def _warn_of_no_turn(self) -> None:
        description = "ForceEndTurn was received, but no turn is active."
        await self._tell(flux_messages.warning(self._request_id, _NO_TURN, description))

    async def _tell_turns(self, states: Iterator[TurnState] | Sequence[TurnState]) -> None:
        for state in states:
            words = self._prepare(state)
            await self._tell(
                flux_messages.turn_info(state, words, self._options, request_id=self._request_id)
            )

    def _prepare(self, state: TurnState) -> list[HeardWord]:
        return responses.prepare(state.words, self._options, ends=state.settled)

    async def _tell(self, message: Message) -> None:
        """Send a message with the next number; two tasks send, and the numbers must be in order."""
        async with self._sending:
            numbered = {**message, "sequence_id": self._sequence}
            self._sequence += 1
            await self._send(live_messages.dump(numbered))

    async def _farewell(self, end: StreamEnd) -> StreamEnd:
        if end.fault is None:
            return StreamEnd(NO_STATUS) if end.code == 1000 else end
        if isinstance(end.fault, FatalError):
            message = end.fault.message
        elif isinstance(end.fault, NotAudioError):
            description = (
                "The audio cannot be decoded: it is not in the encoding or container that Flux expects."
            )
            message = flux_messages.error(live_messages.DATA_0000, description)
        else:
            message = flux_messages.error("INTERNAL_SERVER_ERROR", "An internal server error occurred.")
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._tell(message)
        return StreamEnd(NO_STATUS, message["code"], False, end.fault)  # the code is for the log


def _languages(options: FluxOptions) -> list[str]:
    """Return the languages to choose among."""
    if not options.multilingual:
        return []
    return [hint.lower().split("-")[0] for hint in options.hints] or list(flux_query.LANGUAGES)


def checks(socket: WebSocket, settings: ServerSettings, engine: Engine) -> Check:
    """Return what checks the query of a handshake and opens its session."""

    def check(query: str, request_id: str) -> Opening:
        options = flux_query.parse(query)
        check_model(engine, options.model, options.language)

        async def opening() -> FluxSession:
            return FluxSession(socket, settings, engine, options, request_id)

        return opening

    return check
