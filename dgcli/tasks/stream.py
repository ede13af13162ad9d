"""One stream of a command, from an opened source to its end: sinks, keys, signals."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from dgcli.audio.base import AudioFormat, Pace, Source
from dgcli.audio.save import SaveAudio, saved_path
from dgcli.config import Config
from dgcli.errors import Interrupted, OutputError, UsageError
from dgcli.formats import RenderSettings, by_name
from dgcli.live.stats import report
from dgcli.live.streamer import Streamer
from dgcli.output.plan import check_paths
from dgcli.sinks.base import Sink
from dgcli.sinks.fanout import DisplaySettings, FanOut
from dgcli.sinks.files import check_files
from dgcli.sinks.last_lines import check_last_lines
from dgcli.tasks.actions import Actions
from dgcli.tasks.control_file import ControlFile, obey
from dgcli.tasks.keeping import history_sinks
from dgcli.tasks.keyterm_prompt import KeytermPrompt
from dgcli.tasks.local import reached
from dgcli.tasks.reporter import Reporter
from dgcli.tasks.signals import Signals
from dgcli.tasks.stream_settings import StreamRequest, stream_settings
from dgcli.transcript.events import Closed, Metadata, Notice, Opened
from dgcli.visitors import is_loopback

_TICK = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Controls:
    """The additions of a command to a stream: actions of its keys, sinks of its own, a meter for the status line.

    `keys` are None where nobody sits. A meter gives RMS and peak in dBFS, or a word to show in their place.
    """

    keys: Mapping[str, Callable[[], None]] | None = None
    sinks: Sequence[Sink] = ()
    meter: Callable[[], tuple[float, float] | str] | None = None


MakeControls = Callable[[Actions], Controls]  # made when there is a stream to act on


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamJob(StreamRequest):
    """What a command asks of a stream, and where its words go.

    `save_audio` keeps what is sent; `stats` are reported at the end. Lines of JSON in `control` act on it. `overlay`
    is the host and port of a page.
    """

    display: DisplaySettings = field(default_factory=DisplaySettings)
    render: RenderSettings = field(default_factory=RenderSettings)
    save_audio: Path | None = None
    stats: bool = False
    control: Path | None = None
    overlay: tuple[str, int] | None = None


def check_outputs(job: StreamJob, source: Path | None) -> None:
    """Refuse what cannot be written, before anything is opened or sent. Raises `UsageError`, `OutputError`.

    `source` is a file that must not be overwritten.
    """
    display = job.display
    if display.format is not None and display.format.lower() != "jsonl":
        try:
            by_name(display.format)
        except UsageError as error:
            if not (error.hint or "").startswith("Formats:"):
                raise
            hint = f"{(error.hint or '').rstrip('.')}, jsonl."
            raise UsageError(error.message, hint=hint) from None
    check_files(list(display.files), source)
    files = [*display.files]
    if job.save_audio is not None:
        files.append(job.save_audio)
        check_paths(files, source=source)
    if display.last_lines is not None:
        check_last_lines(display.last_lines, files, source)


def check_saved_audio(job: StreamJob, audio_format: AudioFormat, source: Path | None) -> None:
    """Check the name that --save-audio gets once the source's format is known.

    Audio that passes through keeps its own suffix, so talk.wav may turn out to be talk.mp3: the input, say.
    Raises `UsageError`, `OutputError`.
    """
    if job.save_audio is None:
        return
    path = saved_path(job.save_audio, audio_format)
    if path != job.save_audio:
        check_paths([*job.display.files, path], source=source)


def keys_of_all(actions: Actions) -> Mapping[str, Callable[[], None]]:
    """Return the keys that every stream has, beside `k`."""
    return {"f": actions.finalize, "m": actions.mark, "q": actions.stop}


def _usual(actions: Actions) -> Controls:
    """The additions of `dg live`."""
    return Controls(keys_of_all(actions))


class _LiveControls:
    """Where a person and scripts act on the stream: keys, the question for key terms, a control file."""

    def __init__(self, actions: Actions, controls: Controls, file: ControlFile | None) -> None:
        self.prompt = KeytermPrompt(actions)
        self.draws = False  # whether there is a display that shows the question
        self._actions = actions
        self._keys = controls.keys
        self._file = file

    def _press(self, key: str) -> None:
        if self.prompt.press(key):
            return
        key = key.lower()
        if self._keys is None:
            return
        if key == "k" and self.draws:
            self.prompt.open()
        elif key == "k":
            self._actions.complain(
                "Key terms are asked for where the stream is drawn: leave -f out, or use --control."
            )
        elif act := self._keys.get(key):
            act()

    def look(self, pressed: str) -> None:
        """Act on the keys that were pressed, and on what was written to the control file."""
        for key in pressed:
            self._press(key)
        self.prompt.pause()
        if self._file is not None:
            obey(self._file, self._actions)


def _drive(
    streamer: Streamer, sinks: FanOut, actions: Actions, live: _LiveControls, reporter: Reporter
) -> Closed | None:
    """Pass events on until the stream is over; return how it ended."""
    closed: Closed | None = None
    ticked, told = 0.0, ""
    with reporter.keys() as pressed:
        while not streamer.closed:
            event = streamer.next_event(_TICK)
            if event is not None:
                sinks.handle(event)
                if isinstance(event, Opened | Metadata) and event.request_id not in ("", told):
                    told = event.request_id  # the header may lack it, which the last message has
                    reporter.detail(f"Request id of the stream: {told}")
                if isinstance(event, Notice):
                    actions.heard(event)
                if isinstance(event, Closed):
                    closed = event
            now = time.monotonic()
            if now - ticked >= _TICK:
                ticked = now
                live.look(pressed())
                sinks.tick(now)
            if sinks.must_stop:
                streamer.stop()
    return closed


def _rendering(job: StreamJob) -> RenderSettings:
    return job.render.spoken_in(job.values.get("language"))


@contextmanager
def _overlay(job: StreamJob, reporter: Reporter) -> Iterator[Sequence[Sink]]:
    """Serve the page of a stream that has one, while the block runs. Raises `OutputError`."""
    if job.overlay is None:
        yield ()
        return
    from dgcli.sinks.overlay import OverlaySink
    from dgcli.sinks.overlay.server import OverlayServer

    host, port = job.overlay
    render = _rendering(job)
    server = OverlayServer(host, port, language=render.language)
    sink = OverlaySink(server, render)
    try:
        reporter.note(f"Captions for OBS and a second screen: {server.url}")
        if not is_loopback(host):
            reporter.warning("Whoever reaches this address can read what is said: there is no key.")
        yield (sink,)
    finally:
        sink.close()


def stream(
    config: Config,
    source: Source,
    audio_format: AudioFormat,
    job: StreamJob,
    reporter: Reporter,
    *,
    controls: MakeControls = _usual,
) -> None:
    """Run one stream from an opened source to its end. Raises every `DgError` there is."""
    with (
        closing(ControlFile(job.control)) if job.control is not None else nullcontext() as file,
        # First of all: a port that is in use is to be known before anything is paid.
        _overlay(job, reporter) as overlay,
        reached(config, reporter, job.values, local=job.local) as server,
    ):
        _run(server, source, audio_format, job, reporter, controls, file, overlay)


def _run(
    config: Config,
    source: Source,
    audio_format: AudioFormat,
    job: StreamJob,
    reporter: Reporter,
    make_controls: MakeControls,
    file: ControlFile | None,
    overlay: Sequence[Sink],
) -> None:
    settings = stream_settings(config, audio_format, job)
    saved = SaveAudio(job.save_audio, audio_format) if job.save_audio else None
    if saved is not None and saved.path != job.save_audio:
        reporter.note(f"The audio is kept as it is sent, in {saved.path}.")
    kept = history_sinks(config, reporter, name=source.name, url=settings.url, local=job.local)
    sinks: FanOut | None = None

    def tap(audio: bytes) -> None:
        assert saved is not None, "only called where audio is kept"
        try:
            saved.write(audio)
        except OutputError as error:
            assert sinks is not None, "audio is sent after the sinks are made"
            sinks.failed(error)

    streamer = Streamer(source, audio_format, replace(settings, tap=tap if saved else None))
    actions = Actions(streamer, lambda event: sinks.handle(event) if sinks else None, job.values)
    controls = make_controls(actions)
    live = _LiveControls(actions, controls, file)
    sinks = FanOut(
        job.display,
        _rendering(job).named_after(source.name),
        reporter,
        audio_seconds=lambda: streamer.audio_seconds,
        meter=controls.meter,
        prompt=lambda: live.prompt.line,
        more=[*overlay, *controls.sinks, *kept],
    )
    live.draws = sinks.draws
    signals = Signals(streamer.stop, streamer.abort, on_user=streamer.finalize)
    # Caught to the end: a Ctrl-C while files are being finished must not leave them unfinished.
    with signals.caught():
        try:
            with streamer:
                closed = _drive(streamer, sinks, actions, live, reporter)
        finally:
            sinks.close()
            if saved is not None:
                try:
                    saved.close()
                except OutputError as error:
                    sinks.failed(error)
    if job.stats:
        for text in report(streamer.stats):
            reporter.report(text)
    if sinks.failure is not None and any(log.has_entry for log in kept):
        sinks.failure.render_with = "dg last"
    is_usual = source.pace is Pace.FREE and signals.first == signal.SIGINT and signals.count == 1
    is_whole = sinks.failure is None and not sinks.kept and not streamer.stats.gaps
    if is_usual and is_whole and closed is not None and closed.error is None:
        # How one ends a microphone, or what has no end of its own.
        words = streamer.stats.words
        reporter.note(
            f"Stopped after {_hours(closed.audio_seconds)}, {words:,} word{'' if words == 1 else 's'}."
        )
        return
    _conclude(closed, signals.first, sinks, reporter)


def _hours(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _conclude(closed: Closed | None, number: int | None, sinks: FanOut, reporter: Reporter) -> None:
    """Raise the error that decides the exit code: the signal, what ended the stream, or what could not be written."""
    failure = sinks.failure
    if number is not None:
        if sinks.kept:
            reporter.note(f"What nobody read is kept in {sinks.kept}")
        raise Interrupted(signal=number)
    if closed is not None and closed.error is not None:
        raise closed.error
    if failure is not None:
        failure.kept = failure.kept or sinks.kept
        raise failure
