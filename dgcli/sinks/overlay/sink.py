"""What a page shows of a stream."""

import time
from collections.abc import Callable

from dgcli.formats import RenderSettings
from dgcli.sinks.overlay.server import OverlayServer
from dgcli.sinks.overlay.state import CONNECTING, ENDED, LIVE, RECONNECTING, OverlayLine, OverlayState
from dgcli.sinks.rollup import RollUp
from dgcli.transcript.events import Closed, Event, Notice, NoticeKind, Opened

_NOTICES = {NoticeKind.DROPPED: RECONNECTING, NoticeKind.RECONNECTED: LIVE}


class OverlaySink:
    """Shows each event on the page at once, interims included."""

    def __init__(
        self, server: OverlayServer, options: RenderSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._server = server
        self._options = options
        self._clock = clock
        self._roll_up = RollUp()
        self._state = OverlayState(stage=CONNECTING, changed=clock())
        self._is_closed = False

    def _lines(self) -> tuple[OverlayLine, ...]:
        lines, before = [], None
        for paragraph in self._roll_up.paragraphs:
            voice = paragraph.voice
            name = "" if voice == before else self._options.who(voice, paragraph.channels > 1)
            number = voice.channel if voice.speaker is None else voice.speaker
            interim = paragraph.gap + paragraph.interim
            turn = "open" if paragraph.is_open else ""
            lines.append(OverlayLine(paragraph.number, number, name, paragraph.text, interim, turn))
            before = voice
        return tuple(lines)

    def _show(self, *, stage: str | None = None, lines: tuple[OverlayLine, ...] | None = None) -> None:
        before = self._state
        state = before._replace(stage=stage or before.stage)
        if lines is not None and lines != before.lines:
            state = state._replace(lines=lines, changed=self._clock())
        if state != before:
            self._state = state
            self._server.show(state)

    def handle(self, event: Event) -> None:
        """Take the next event."""
        stage = None
        match event:
            case Opened():
                stage = LIVE
            case Notice():
                stage = _NOTICES.get(event.kind)
            case Closed():
                stage = ENDED
        self._show(stage=stage, lines=self._lines() if self._roll_up.take(event) else None)

    def tick(self, now: float) -> None:
        """Do nothing: the page itself knows how long nothing was said."""

    def close(self) -> None:
        """Tell the pages that this is the end, and serve no longer. Again: nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._show(stage=ENDED)
            self._server.close()
