"""The sinks of one stream, fed together. Which ones there are is decided here."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgcli.captions.text import wrapped
from dgcli.errors import BrokenPipe, DgError, OutputError
from dgcli.formats import Format, RenderSettings, by_name
from dgcli.output.stdout import Stdout
from dgcli.sinks.base import Messages, Sink
from dgcli.sinks.files import file_sink
from dgcli.sinks.lines import LinesSink, line
from dgcli.sinks.notices import NoticesSink
from dgcli.transcript.events import Event

if TYPE_CHECKING:
    from dgcli.sinks.screen import ScreenSink  # rich is only loaded where there is a screen


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """The display options of a stream, and the files it goes to.

    `format` is that of standard output (None: lines or a screen), `files` are written by their suffixes.
    `timestamps` stand behind every utterance; `interims`: None shows them on a terminal only. `last_lines` is a
    file of what is being said.
    """

    format: str | None = None
    files: tuple[Path, ...] = ()
    timestamps: bool = False
    interims: bool | None = None
    last_lines: Path | None = None


def _is_screen(stream: Any) -> bool:
    return bool(stream.isatty()) and os.environ.get("TERM", "") not in ("", "dumb")


class FanOut:
    """The sinks of one run. A sink that fails does not stop the others; the first failure is remembered.

    `audio_seconds` tells how much audio was sent, `meter` how loud it is, `prompt` what is asked and what is typed
    so far, if a question is open; `more` are sinks of the caller.
    """

    def __init__(
        self,
        display: DisplaySettings,
        render: RenderSettings,
        messages: Messages,
        *,
        audio_seconds: Callable[[], float],
        meter: Callable[[], tuple[float, float] | str] | None = None,
        prompt: Callable[[], tuple[str, str] | None] = lambda: None,
        more: Sequence[Sink] = (),
    ) -> None:
        self.failure: DgError | None = None
        self.must_stop = False  # nobody is left to read
        self._messages = messages
        self._stdout = Stdout()
        self._render = render
        self._display = display
        self._screen: ScreenSink | None = None
        self._sinks: list[Sink] = [*self._front(audio_seconds, meter, prompt), *more]
        for path in display.files:
            self._sinks.append(file_sink(path, render, timestamps=display.timestamps))
        if display.last_lines is not None:
            from dgcli.sinks.last_lines import LastLinesSink

            self._sinks.append(LastLinesSink(display.last_lines, render))

    def _front(
        self,
        audio_seconds: Callable[[], float],
        meter: Callable[[], tuple[float, float] | str] | None,
        prompt: Callable[[], tuple[str, str] | None],
    ) -> Iterator[Sink]:
        """Create the visible sinks: a screen, or standard output and notices."""
        display = self._display
        name = display.format.lower() if display.format else None
        if name not in (None, "jsonl"):
            name = by_name(name).name
        on_screen = name is None and _is_screen(sys.stdout)
        beside = not sys.stdout.isatty() and _is_screen(sys.stderr) and not self._messages.quiet
        if on_screen or beside:
            from dgcli.sinks.screen import ScreenSink

            self._screen = ScreenSink(
                sys.stdout if on_screen else sys.stderr,
                self._render,
                finals=on_screen,
                interims=display.interims is not False,
                timestamps=display.timestamps,
                status=not self._messages.quiet,
                audio_seconds=audio_seconds,
                meter=meter,
                prompt=prompt,
            )
            yield self._screen
        else:
            yield NoticesSink(self._messages)
        if on_screen or (name is None and display.files):
            return
        match name:
            case None | "text":
                yield LinesSink(
                    self._write_lines if sys.stdout.isatty() else self._stdout.write,
                    self._render,
                    timestamps=display.timestamps,
                    interims=bool(display.interims) and not beside,
                )
            case "jsonl":
                from dgcli.sinks.jsonl import JsonlSink

                yield JsonlSink(self._stdout.write)
            case _:
                yield self._formatted(by_name(name))

    def _write_lines(self, text: str) -> None:
        """Write lines on a terminal, wrapped at words."""
        columns = max(shutil.get_terminal_size().columns - 1, 1)
        rows = [row for line in text.splitlines() for row in wrapped(line, columns)]
        self._stdout.write("".join(f"{row}\n" for row in rows))

    def _formatted(self, format_: Format) -> Sink:
        """The sink for standard output in a format: as it comes where the format grows, else at the end."""
        match format_.grows:
            case "cues":
                from dgcli.sinks.captions import CaptionSink

                return CaptionSink(self._stdout.write, format_, self._render)
            case "words":
                from dgcli.sinks.words import WordsSink

                return WordsSink(self._stdout.write, format_, self._render)
            case _:
                from dgcli.sinks.rendered import RenderedFile

                return RenderedFile(None, format_, self._render)

    @property
    def draws(self) -> bool:
        """Whether there is a display that shows a prompt."""
        return self._screen is not None

    @property
    def kept(self) -> Path | None:
        """The file that took the text of a standard output nobody read any more."""
        return self._stdout.kept

    def failed(self, error: DgError, sink: Sink | None = None) -> None:
        """Remember a failure; a terminal that is gone is replaced by what standard output falls back to."""
        if self.failure is None:
            self.failure = error
        self.failure.kept = self.failure.kept or error.kept
        screen = self._screen
        if screen is not None and sink is screen:
            self._screen = None
            self._sinks.remove(screen)
            lines = LinesSink(self._stdout.write, self._render, timestamps=self._display.timestamps)
            left = "".join(line(utterance, self._render) for utterance in screen.left())
            self._sinks.append(lines)
            self.must_stop = True
            self._each(lambda _: self._stdout.write(left), [lines])
        elif isinstance(error, BrokenPipe):
            self.must_stop = True
        elif screen is not None:
            screen.warn(error.message)
        else:
            self._messages.warning(error.message)

    def _each(self, act: Callable[[Sink], None], sinks: list[Sink]) -> None:
        for sink in sinks:
            try:
                act(sink)
            except (BrokenPipe, OutputError) as error:
                self.failed(error, sink)

    def handle(self, event: Event) -> None:
        """Give every sink the next event."""
        self._each(lambda sink: sink.handle(event), list(self._sinks))

    def tick(self, now: float) -> None:
        """Tell every sink the time (monotonic seconds)."""
        self._each(lambda sink: sink.tick(now), list(self._sinks))

    def close(self) -> None:
        """Let every sink write what it holds."""
        self._each(lambda sink: sink.close(), list(self._sinks))
