"""One stream of a command, from an opened source to its end: sinks, keys, signals."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
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
from dgcli.tasks.keeping import history_sinks
from dgcli.tasks.local import reached
from dgcli.tasks.reporter import Reporter
from dgcli.tasks.signals import Signals
from dgcli.tasks.stream_settings import StreamRequest, stream_settings
from dgcli.transcript.events import Closed, Event, Metadata, Opened

_TICK = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Controls:
    """The additions of a command to a stream: actions of its keys, sinks of its own, a meter for the status line.

    A meter gives RMS and peak in dBFS, or a word to show in their place.
    """

    keys: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    sinks: Sequence[Sink] = ()
    meter: Callable[[], tuple[float, float] | str] | None = None


# Made when there is a streamer; the second argument tells the sinks of an event.
MakeControls = Callable[[Streamer, Callable[[Event], None]], Controls]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamJob(StreamRequest):
    """What a command asks of a stream, and where its words go.

    `save_audio` keeps what is sent; `stats` are reported at the end.
    """

    display: DisplaySettings = field(default_factory=DisplaySettings)
    render: RenderSettings = field(default_factory=RenderSettings)
    save_audio: Path | None = None
    stats: bool = False


def check_outputs(job: StreamJob, source: Path | None) -> None:
    """Refuse what cannot be written, before anything is opened or sent. Raises `UsageError`, `OutputError`.

    `source` is a file that must not be overwritten.
    """
    display = job.display
    if display.format is not None and display.format.lower() != "jsonl":
        try:
            by_name(display.format)
        except UsageError as error:
            hint = f"{(error.hint or '').rstrip('.')}, jsonl."
            raise UsageError(error.message, hint=hint) from None
    check_files(list(display.files), source)
    if job.save_audio is not None:
        check_paths([*display.files, job.save_audio], source=source)


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


def _finalizes(streamer: Streamer, tell: Callable[[Event], None]) -> Controls:  # noqa: ARG001 - `MakeControls`
    """The additions of `dg live`."""
    return Controls({"f": streamer.finalize})


def _drive(streamer: Streamer, sinks: FanOut, controls: Controls, reporter: Reporter) -> Closed | None:
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
                if isinstance(event, Closed):
                    closed = event
            now = time.monotonic()
            if now - ticked >= _TICK:
                ticked = now
                sinks.tick(now)
                for key in pressed().lower():
                    if act := controls.keys.get(key):
                        act()
            if sinks.must_stop:
                streamer.stop()
    return closed


def stream(
    config: Config,
    source: Source,
    audio_format: AudioFormat,
    job: StreamJob,
    reporter: Reporter,
    *,
    controls: MakeControls = _finalizes,
) -> None:
    """Run one stream from an opened source to its end. Raises every `DgError` there is."""
    with reached(config, reporter, job.values, local=job.local) as server:
        _run(server, source, audio_format, job, reporter, controls)


def _run(
    config: Config,
    source: Source,
    audio_format: AudioFormat,
    job: StreamJob,
    reporter: Reporter,
    make_controls: MakeControls,
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
    controls = make_controls(streamer, lambda event: sinks.handle(event) if sinks else None)
    sinks = FanOut(
        job.display,
        job.render.spoken_in(job.values.get("language")).named_after(source.name),
        reporter,
        audio_seconds=lambda: streamer.audio_seconds,
        meter=controls.meter,
        more=[*controls.sinks, *kept],
    )
    signals = Signals(streamer.stop, streamer.abort, on_user=streamer.finalize)
    # Caught to the end: a Ctrl-C while files are being finished must not leave them unfinished.
    with signals.caught():
        try:
            with streamer:
                closed = _drive(streamer, sinks, controls, reporter)
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
