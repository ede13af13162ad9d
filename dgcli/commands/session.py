"""One stream, from an opened source to its end: what `dg live` and `dg mic` do when all is checked."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from dgcli import __version__
from dgcli.audio import AudioFormat, Source
from dgcli.commands.prerecorded import local_server
from dgcli.commands.streaming import Shown, Streaming
from dgcli.config import Config
from dgcli.errors import BrokenPipe, DgError, Interrupted, OutputError
from dgcli.events import Closed, Event
from dgcli.formats import Options, by_name
from dgcli.live.settings import Settings
from dgcli.live.streamer import Streamer
from dgcli.options import Connection, Output
from dgcli.params import Endpoint, Values, check, encode
from dgcli.sinks.base import Sink
from dgcli.sinks.files import RenderedFile, file_sink
from dgcli.sinks.lines import LinesSink, line
from dgcli.sinks.notices import NoticesSink
from dgcli.sinks.save_audio import SaveAudio
from dgcli.sinks.stats import report
from dgcli.sinks.stdout import Stdout
from dgcli.ui.console import Console
from dgcli.ui.keys import keys

if TYPE_CHECKING:
    from dgcli.sinks.screen import ScreenSink  # rich is only loaded where there is a screen

_TICK = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Controls:
    """What a command adds to a stream: what its keys do, sinks of its own, a meter for the status line."""

    keys: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    sinks: Sequence[Sink] = ()
    meter: Callable[[], str] | None = None


# Made when there is a streamer; the second argument tells the sinks of an event.
MakeControls = Callable[[Streamer, Callable[[Event], None]], Controls]


def _finalizes(streamer: Streamer, tell: Callable[[Event], None]) -> Controls:  # noqa: ARG001 - `MakeControls`
    """What `dg live` has."""
    return Controls({"f": streamer.finalize})


def _settings(url: str, config: Config, streaming: Streaming, speed: float, values: Values) -> Settings:
    """The options as the streamer wants them."""
    diarized = any(values.get(name) not in (None, False) for name in ("diarize", "diarize_model"))
    return Settings(
        url=url,
        headers={**config.authorization(), "User-Agent": f"dgcli/{__version__}"},
        ca_cert=config.ca_cert,
        diarized=diarized,
        speed=speed,
        reconnect=not streaming.no_reconnect,
        max_reconnects=streaming.max_reconnects,
        duration=streaming.duration,
        stop_after_silence=streaming.stop_after_silence,
    )


def query(values: Values, form: AudioFormat) -> str:
    """The query string: what was asked for, and what the audio is."""
    about: dict[str, object] = dict.fromkeys(("encoding", "sample_rate", "channels"))
    if form.encoding is not None:
        about = {"encoding": form.encoding, "sample_rate": form.sample_rate, "channels": form.channels}
    return encode(check({**values, **about}, Endpoint.LIVE))


def _is_screen(stream: Any) -> bool:
    return bool(stream.isatty()) and os.environ.get("TERM", "") not in ("", "dumb")


class _Deck:
    """The sinks of one run. A sink that fails does not stop the others; the first failure is remembered."""

    def __init__(
        self,
        output: Output,
        shown: Shown,
        options: Options,
        console: Console,
        audio_seconds: Callable[[], float],
        controls: Controls,
    ) -> None:
        self.failure: DgError | None = None
        self.must_stop = False  # nobody is left to read
        self._console = console
        self._stdout = Stdout()
        self._options = options
        self._timestamps = shown.timestamps
        self._screen: ScreenSink | None = None
        self._sinks: list[Sink] = [*self._front(output, shown, audio_seconds, controls), *controls.sinks]
        for path in output.output or ():
            self._sinks.append(file_sink(path, self._options, timestamps=shown.timestamps))

    def _front(
        self, output: Output, shown: Shown, audio_seconds: Callable[[], float], controls: Controls
    ) -> Iterator[Sink]:
        """What is seen: a screen, or standard output and notices."""
        form = output.format.lower() if output.format else None
        if form not in (None, "jsonl"):
            form = by_name(form).name
        on_screen = form is None and _is_screen(sys.stdout)
        beside = not sys.stdout.isatty() and _is_screen(sys.stderr) and not self._console.quiet
        if on_screen or beside:
            from dgcli.sinks.screen import ScreenSink

            self._screen = ScreenSink(
                sys.stdout if on_screen else sys.stderr,
                self._options,
                finals=on_screen,
                interims=shown.interim is not False,
                timestamps=shown.timestamps,
                status=not self._console.quiet,
                audio_seconds=audio_seconds,
                meter=controls.meter,
            )
            yield self._screen
        else:
            yield NoticesSink(self._console)
        if on_screen or (form is None and output.output):
            return
        match form:
            case None | "text":
                yield LinesSink(
                    self._stdout.write,
                    self._options,
                    timestamps=shown.timestamps,
                    interims=bool(shown.interim) and not beside,
                )
            case "jsonl":
                from dgcli.sinks.jsonl import JsonlSink

                yield JsonlSink(self._stdout.write)
            case "srt" | "vtt":
                from dgcli.sinks.captions import CaptionSink

                yield CaptionSink(self._stdout.write, form, self._options)
            case _:
                yield RenderedFile(None, by_name(form), self._options)

    @property
    def kept(self) -> Path | None:
        """Where standard output went when nobody read it any more."""
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
            lines = LinesSink(self._stdout.write, self._options, timestamps=self._timestamps)
            left = "".join(line(one, self._options) for one in screen.left())
            self._sinks.append(lines)
            self.must_stop = True
            self._each(lambda _: self._stdout.write(left), [lines])
        elif isinstance(error, BrokenPipe):
            self.must_stop = True
        elif screen is not None:
            screen.warn(error.message)
        else:
            self._console.warning(error.message)

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
        """Tell every sink the time."""
        self._each(lambda sink: sink.tick(now), list(self._sinks))

    def close(self) -> None:
        """Let every sink write what it holds."""
        self._each(lambda sink: sink.close(), list(self._sinks))


class _Signals:
    """Stops a stream on the first signal and leaves it on the second; SIGUSR1 finalizes."""

    def __init__(self, streamer: Streamer) -> None:
        self.first: int | None = None
        self._streamer = streamer
        self._count = 0

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        self._count += 1
        self.first = self.first or number
        if self._count == 1:
            self._streamer.stop()
        elif self._count == 2:
            self._streamer.abort()
        else:
            raise Interrupted(signal=number)

    def _finalize(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        self._streamer.finalize()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Handle the signals while the block runs; one that is ignored (nohup) stays ignored."""
        before: dict[int, Any] = {}
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:
                continue
            handler = self._finalize if name == "SIGUSR1" else self._stop
            before[number] = signal.signal(number, handler)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _drive(streamer: Streamer, deck: _Deck, controls: Controls) -> Closed | None:
    """Pass events on until the stream is over; how it ended."""
    ended: Closed | None = None
    ticked = 0.0
    with ExitStack() as stack:
        is_watched = sys.stdout.isatty() or sys.stderr.isatty()
        pressed = stack.enter_context(keys()) if is_watched and controls.keys else str
        while not streamer.closed:
            event = streamer.next_event(_TICK)
            if event is not None:
                deck.handle(event)
                if isinstance(event, Closed):
                    ended = event
            now = time.monotonic()
            if now - ticked >= _TICK:
                ticked = now
                deck.tick(now)
                for key in pressed().lower():
                    if act := controls.keys.get(key):
                        act()
            if deck.must_stop:
                streamer.stop()
    return ended


def stream(
    config: Config,
    source: Source,
    form: AudioFormat,
    values: Values,
    *,
    connection: Connection,
    output: Output,
    streaming: Streaming,
    shown: Shown,
    console: Console,
    options: Options | None = None,
    speed: float = 1.0,
    controls: MakeControls = _finalizes,
) -> None:
    """Run one stream from an opened source to its end. Raises every `DgError` there is."""
    if connection.local:
        with local_server(config) as here:
            stream(
                here, source, form, values, connection=replace(connection, local=False), output=output,
                streaming=streaming, shown=shown, console=console, options=options, speed=speed,
                controls=controls,
            )  # fmt: skip
        return
    url = f"{config.url('/v1/listen', websocket=True)}?{query(values, form)}"
    settings = _settings(url, config, streaming, speed, values)
    saved = SaveAudio(shown.save_audio, form) if shown.save_audio else None
    if saved is not None and saved.path != shown.save_audio:
        console.note(f"The audio is kept as it is sent, in {saved.path}.")
    deck: _Deck | None = None

    def tap(audio: bytes) -> None:
        nonlocal saved
        assert saved is not None, "only called where audio is kept"
        try:
            saved.write(audio)
        except OutputError as error:
            assert deck is not None, "audio is sent after the sinks are made"
            deck.failed(error)

    streamer = Streamer(source, form, replace(settings, tap=tap if saved else None))
    made = controls(streamer, lambda event: deck.handle(event) if deck else None)
    deck = _Deck(output, shown, options or Options(), console, lambda: streamer.audio_seconds, made)
    signals = _Signals(streamer)
    # Caught to the end: a Ctrl-C while files are being finished must not leave them unfinished.
    with signals.caught():
        try:
            with streamer:
                ended = _drive(streamer, deck, made)
        finally:
            deck.close()
            if saved is not None:
                try:
                    saved.close()
                except OutputError as error:
                    deck.failed(error)
    if shown.stats:
        for text in report(streamer.stats):
            console.report(text)
    _conclude(ended, signals.first, deck, console)


def _conclude(ended: Closed | None, number: int | None, deck: _Deck, console: Console) -> None:
    """Raise what the exit code is to say: the signal, what ended the stream, or what could not be written."""
    failure = deck.failure
    if number is not None:
        if deck.kept:
            console.note(f"What nobody read is kept in {deck.kept}")
        raise Interrupted(signal=number)
    if ended is not None and ended.error is not None:
        raise ended.error
    if failure is not None:
        failure.kept = failure.kept or deck.kept
        raise failure
