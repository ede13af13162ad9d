"""A terminal: utterances scroll up, interims stay below them and are redrawn in place.

Text comes from a server and is data: control characters are taken out, and rich's markup is never looked for.
"""

import time
from collections.abc import Callable
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console as RichConsole
from rich.style import Style
from rich.text import Text

from dgcli.captions.voice import Voice
from dgcli.errors import BrokenPipe, OutputError
from dgcli.formats import RenderSettings
from dgcli.sinks.lines import voice
from dgcli.sinks.notices import WARNINGS, Repeats
from dgcli.sinks.region import Region
from dgcli.terminal import colours, harmless
from dgcli.transcript.events import Closed, Event, Final, Interim, Notice, NoticeKind, Opened, TurnStage
from dgcli.transcript.utterances import Utterance, Utterances
from dgcli.ui.meter import bar, covered

_REDRAW = 0.1  # seconds between two drawings, at least
# When finals go through a pipe to this very terminal (`| tee`), they need so long to get there.
_PIPE_SECONDS = 0.15
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
_STATES = {
    NoticeKind.DROPPED: "reconnecting",
    NoticeKind.RECONNECTED: "listening",
    NoticeKind.STOPPING: "finishing",
    NoticeKind.PAUSED: "paused",
    NoticeKind.RESUMED: "listening",
}


def _plain(text: str) -> str:
    return " ".join(harmless(text).split())


def _times(said: Utterance | Interim) -> str:
    words = said.words
    start, end = (words[0].start, words[-1].end) if words else (said.start, said.end)
    return f" [{round(start, 2)} - {round(end, 2)}]"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"


class ScreenSink:
    """Draws a stream on a terminal, at most ten times a second.

    Without `finals` only what is being said and the status are shown, for a terminal on stderr while the
    utterances go to a pipe. `audio_seconds` tells how much audio was sent, `meter` how loud it is now, `prompt` what is
    asked and what is typed so far, if a question is open.
    `handle`, `tick` and `close` raise `BrokenPipe` when the terminal is gone.
    """

    def __init__(
        self,
        stream: TextIO,
        options: RenderSettings,
        *,
        finals: bool = True,
        interims: bool = True,
        timestamps: bool = False,
        status: bool = True,
        audio_seconds: Callable[[], float] = lambda: 0.0,
        meter: Callable[[], tuple[float, float] | str] | None = None,
        prompt: Callable[[], tuple[str, str] | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._region = Region(stream)
        self._console = RichConsole(
            file=stream,
            force_terminal=True,
            no_color=not colours(stream),
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        self._options = options
        self._finals = finals
        self._interims = interims
        self._timestamps = timestamps
        self._status = status
        self._audio_seconds = audio_seconds
        self._meter = meter
        self._prompt = prompt
        self._asked: tuple[str, str] | None = None
        self._clock = clock
        self._utterances = Utterances(clock=clock)
        self._repeats = Repeats()
        self._provisional: dict[int, Interim] = {}
        self._above: list[Text] = []
        self._unshown: list[Utterance] = []
        self._voice: Voice | None = None  # of the last utterance
        self._state = "connecting"
        self._words = 0
        self._latency: float | None = None
        self._dirty = True
        self._next = 0.0  # not drawn again before
        self._size = (0, 0)
        self._second = -1
        self._loudness = ""

    def _who(self, voice: Voice, channels: int) -> Text:
        """The label of a voice, coloured by its number; empty where there is only one."""
        name = _plain(self._options.who(voice, channels > 1))
        if not name:
            return Text()
        channel, speaker = voice
        colour = _COLOURS[(channel if speaker is None else speaker) % len(_COLOURS)]
        return Text().append(f"{name}: ", Style(color=colour, bold=True))

    def _ended(self, utterances: list[Utterance]) -> None:
        if utterances and not self._finals:
            self._yield_terminal()
        for utterance in utterances if self._finals else ():
            self._unshown.append(utterance)
            before, self._voice = self._voice, voice(utterance)
            is_new = self._voice != before
            line = self._who(self._voice, utterance.channels) if is_new else Text()
            line.append(_plain(utterance.text))
            if self._timestamps:
                line.append(_times(utterance), Style(dim=True))
            self._above.append(line)
        self._dirty = self._dirty or bool(utterances)

    def _yield_terminal(self) -> None:
        """Leave the terminal to another writer."""
        self._draw([])
        self._next = self._clock() + _PIPE_SECONDS
        self._dirty = True

    def warn(self, message: str) -> None:
        """Let a message of our own scroll up; nothing else may write on this terminal."""
        self._above.append(Text(_plain(f"dg: warning: {message}"), Style(color="yellow")))
        self._dirty = True

    def handle(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case Interim():
                self._provisional[event.channel] = event
                self._latency = event.audio_cursor - event.end
                self._dirty = True
            case Final():
                self._provisional.pop(event.channel, None)
                self._words += len(event.words)
                self._dirty = True
            case Notice():
                self._state = _STATES.get(event.kind, self._state)
                shown = self._repeats.text(event)
                if self._status and shown is not None:
                    style = Style(color="yellow") if event.kind in WARNINGS else Style(dim=True)
                    self._above.append(Text(_plain(shown), style))
                self._dirty = True
            case Opened():
                self._state = "listening"
                self._dirty = True
            case Closed():
                self._provisional.clear()
                self._dirty = True
        self._ended(self._utterances.take(event))
        if isinstance(event, Notice) and event.kind is NoticeKind.SPEAKERS_RESTARTED:
            self._voice = None  # the same number may be somebody else
        self._refresh()

    def tick(self, now: float) -> None:
        """Act on the time: the clock in the status line, utterances open for long, a resized window."""
        self._ended(self._utterances.tick(now))
        second = int(self._audio_seconds())
        loudness = self._measured()
        now_shown = (second, loudness, self._prompt())
        if now_shown != (self._second, self._loudness, self._asked) or self._region.size != self._size:
            self._second, self._loudness, self._asked = now_shown
            self._dirty = True
        self._refresh()

    def _measured(self) -> str:
        """The meter as it is drawn: how loud it is, or a word in its place."""
        if self._meter is None or not self._status:
            return ""
        level = self._meter()
        return covered(level) if isinstance(level, str) else bar(*level)

    def _refresh(self) -> None:
        if self._dirty and self._clock() >= self._next:
            self._draw(self._bottom())
            self._next = self._clock() + _REDRAW
            self._dirty = False

    def _bottom(self) -> list[Text]:
        """Return the interims of each channel, wrapped to the window, and the status line."""
        columns, height = self._size = self._region.size
        width = columns - 1
        lines: list[Text] = []
        channels = sorted({*self._provisional, *self._utterances.running_channels}) if self._interims else []
        # A third of the window: were it narrowed to half, all lines would still fit.
        room = max(height // 3 - self._status, 1)
        each = max(room // max(len(channels), 1), 1)
        for channel in channels[:room]:
            wrapped = list(self._open(channel).wrap(self._console, width))
            if len(wrapped) > each:  # the newest words are those to see
                wrapped = list(self._open(channel).wrap(self._console, width - 2))[-each:]
                wrapped[0] = Text().append("… ", Style(dim=True)).append_text(wrapped[0])
            lines += wrapped
        if self._status:
            status = self._status_line()
            status.truncate(width, overflow="ellipsis")
            lines.append(status)
        if self._asked is not None:
            lines += self._question(*self._asked, width, max(height // 8, 1))
        return lines

    def _question(self, question: str, typed: str, width: int, most: int) -> list[Text]:
        """A question on `most` lines, and what is typed so far, whose end is what must be seen."""
        asked = list(Text(_plain(question), Style(bold=True)).wrap(self._console, width))
        if len(asked) > most:
            asked = list(Text(_plain(question), Style(bold=True)).wrap(self._console, width - 2))[:most]
            asked[-1].append(" …")
        shown = harmless(typed)
        while shown and cell_len(shown) > width - 3:
            shown = shown[1:]
        return [*asked, Text().append("> ", Style(bold=True)).append(f"{shown}_")]

    def _label(self, voice: Voice, channels: int) -> Text:
        """The label of an open utterance: none where it goes on with who spoke last."""
        return self._who(voice, channels) if voice != self._voice or channels > 1 else Text()

    def _open(self, channel: int) -> Text:
        """The open utterance of a channel: what is certain, and what is provisional, dim."""
        certain = self._utterances.running(channel)
        provisional = self._provisional.get(channel)
        text = Text()
        if certain is not None:
            text = self._label(voice(certain), certain.channels).append(_plain(certain.text))
        elif provisional is not None and provisional.text.strip():
            speaker = provisional.words[0].speaker if provisional.words else None
            text = self._label(Voice(channel, speaker), provisional.channels)
        if provisional is not None and provisional.text.strip():
            said = _plain(provisional.text) + self._mark(provisional)
            text.append((" " if certain else "") + said, Style(dim=True))
        return text

    def _mark(self, provisional: Interim) -> str:
        """What stands behind the text of an open turn: dots, or, when it is probably over, what will stand there."""
        if provisional.turn is None:
            return ""
        if provisional.turn.stage is not TurnStage.EAGER_END:
            return " …"
        return _times(provisional) if self._timestamps else ""

    def _status_line(self) -> Text:
        count = self._words + sum(
            len(interim.words or interim.text.split()) for interim in self._provisional.values()
        )
        parts = [_clock(self._audio_seconds()), f"{count} word{'' if count == 1 else 's'}"]
        if self._latency is not None:
            parts.append(f"{max(self._latency, 0.0):.1f} s behind")
        if self._loudness:
            parts.insert(0, self._loudness)
        return Text(" · ".join([self._state, *parts]), Style(dim=True, italic=True))

    def _rendered(self, lines: list[Text], *, width: int | None) -> list[str]:
        """Lines with their colours, wrapped at words if a width is given."""
        if not lines:
            return []
        with self._console.capture() as capture:
            for line in lines:
                if width is None:
                    self._console.print(line, soft_wrap=True)
                else:
                    self._console.print(line, width=width)
        return capture.get().split("\n")[:-1]

    def _draw(self, lines: list[Text]) -> None:
        above, self._above = self._above, []
        columns, _ = self._region.size
        text = "".join(line + "\n" for line in self._rendered(above, width=columns))
        try:
            self._region.draw(text, self._rendered(lines, width=None))
        except BrokenPipeError as error:
            raise BrokenPipe from error
        except (OSError, ValueError) as error:
            raise OutputError(f"The terminal is gone: {error}.") from error
        self._unshown.clear()

    def left(self) -> list[Utterance]:
        """Return what a terminal that is gone did not show, for another place."""
        left, self._unshown = [*self._unshown, *self._utterances.finish()], []
        return left if self._finals else []

    def close(self) -> None:
        """Let everything scroll up and leave a clean line."""
        self._ended(self._utterances.finish())
        self._provisional.clear()
        if self._above:
            self._draw([])
        try:
            self._region.leave()
        except (OSError, ValueError) as error:
            raise OutputError(f"The terminal is gone: {error}.") from error
