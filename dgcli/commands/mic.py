"""`dg mic`: transcribe the microphone."""

import json
import math
from typing import TYPE_CHECKING, Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import ConnectionOptions, GeneralOptions, HistoryOptions
from dgcli.options.machinery import QueryOptions, command
from dgcli.options.outputs import RenderingOptions, StreamOutputOptions
from dgcli.options.streaming import CaptureOptions, DisplayOptions, OverlayOptions, StreamOptions
from dgcli.params import STREAM

if TYPE_CHECKING:  # what records and streams is loaded when it does
    from dgcli.audio.base import AudioFormat, Source
    from dgcli.audio.microphone import CaptureSettings
    from dgcli.tasks.mic_test import MicTest

_PIPE_RATE = 16000


def _capture_settings(capture: CaptureOptions, params: QueryOptions) -> "CaptureSettings":
    """Build the capture settings. Raises `UsageError` for flags of raw audio that a microphone cannot follow."""
    from dgcli.audio.microphone import CaptureSettings

    given = params.given
    if given.get("encoding", "linear16") != "linear16":
        raise UsageError("A microphone is sent as linear16; leave --encoding out.")
    rate, channels = given.get("sample_rate"), given.get("channels")
    if given.get("multichannel") and channels is None:
        raise UsageError("How many channels? For example: --multichannel --channels 2")
    return CaptureSettings(
        device=capture.device,
        sample_rate=rate if isinstance(rate, int) else None,
        channels=channels if isinstance(channels, int) else None,
        resample=capture.resample,
        block=capture.block / 1000,
        reopen=capture.reopen,
    )


def _described(audio_format: "AudioFormat") -> str:
    channels = "mono" if audio_format.channels == 1 else f"{audio_format.channels} channels"
    return f"linear16, {audio_format.sample_rate} Hz, {channels}"


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}" if count else "none"


def _test_table(test: "MicTest") -> str:
    """Format the result of a mic test for people."""
    from dgcli.ui.meter import decibels
    from dgcli.ui.table import aligned

    judgement, audio_format = test.judgement, test.audio_format
    channels = f"{audio_format.channels} channel{'' if audio_format.channels == 1 else 's'}"
    return aligned(
        [
            ("Microphone", f"{test.device} ({test.host_api}), {audio_format.sample_rate} Hz, {channels}"),
            ("Recorded", f"{judgement.seconds:.1f} s"),
            ("Peak", decibels(judgement.peak)),
            ("RMS", decibels(judgement.rms)),
            ("Noise floor", decibels(judgement.floor)),
            ("Clipping", _times(judgement.clipped, "sample")),
            ("Lost", _times(test.lost, "block")),
            *(("Advice", text) for text in judgement.advice or ("None needed.",)),
        ]
    )


def _test_object(test: "MicTest") -> str:
    """Format the result of a mic test as JSON."""

    def level(value: float) -> float | None:
        return None if math.isinf(value) else round(value, 1)

    judgement = test.judgement
    return json.dumps(
        {
            "device": test.device,
            "index": test.index,
            "seconds": round(judgement.seconds, 3),
            "peak_dbfs": level(judgement.peak),
            "rms_dbfs": level(judgement.rms),
            "noise_floor_dbfs": level(judgement.floor),
            "clipped_samples": judgement.clipped,
            "lost_blocks": test.lost,
            "advice": list(judgement.advice),
        },
        ensure_ascii=False,
        indent=2,
    )


@command(STREAM)
def mic(
    params: QueryOptions,
    output: StreamOutputOptions,
    rendering: RenderingOptions,
    display: DisplayOptions,
    overlay: OverlayOptions,
    capture: CaptureOptions,
    streaming: StreamOptions,
    connection: ConnectionOptions,
    history: HistoryOptions,
    general: GeneralOptions,
    source: Annotated[
        str | None,
        typer.Argument(help="- for standard input: linear16, 16 kHz, mono.", metavar="[-]"),
    ] = None,
) -> None:
    """Transcribe the microphone while you speak.

    What is said goes to standard output, utterance by utterance, or to the files named with -o. On a terminal
    space pauses and goes on, f asks for a result now, k for key terms, m sets a marker, and q stops, as Ctrl-C does.

    Examples:

        dg mic
        dg mic | tee -i notes.txt
        dg mic -o notes.txt --save-audio take.wav --stop-phrase "that is all"
        dg mic --overlay --last-lines captions.txt
        dg mic --test
        arecord -f S16_LE -r 16000 -t raw | dg mic -
    """
    console = general.console()
    capture.check(source)
    settings = streaming.settings()
    if capture.list_devices:
        from dgcli.commands.devices import show

        show(console, as_json=capture.json)
        return
    if capture.test:
        from dgcli.output.stdout import write_stdout
        from dgcli.tasks.mic_test import test_microphone

        test = test_microphone(_capture_settings(capture, params), console, seconds=streaming.duration)
        text = f"{_test_object(test)}\n" if capture.json else _test_table(test)
        write_stdout(text.encode())
        return
    from dgcli.audio import open_source, raw_format
    from dgcli.audio.microphone import Microphone
    from dgcli.audio.native_stderr import captured_native_stderr
    from dgcli.sinks.fanout import DisplaySettings
    from dgcli.tasks.controls import greeting, microphone_controls, pipe_controls
    from dgcli.tasks.local import check_model
    from dgcli.tasks.stream import StreamJob, check_outputs, stream
    from dgcli.tasks.stream_settings import fitted

    config = connection.config(**history.settings())
    is_assumed = params.given.get("encoding", "linear16") == "linear16"
    # A microphone says what it has when it is open, and a WAV header what follows it: that replaces these.
    assumed: dict[str, object] = {"encoding": "linear16", "sample_rate": _PIPE_RATE} if is_assumed else {}
    job = StreamJob(
        values=params.checked(config, **assumed),
        display=DisplaySettings(
            output.format,
            tuple(output.output or ()),
            display.timestamps,
            display.interim,
            overlay.last_lines,
        ),
        render=display.delayed(rendering.settings(output)),
        save_audio=display.save_audio,
        stats=display.stats,
        overlay=overlay.address(),
        local=connection.local,
        **settings,
    )
    check_outputs(job, None)
    params.warn(job.values, console)
    if not job.local:
        config.authorization()  # without a key there is no point in opening the microphone
    else:
        check_model(config, job.values, console)
    with captured_native_stderr() as printed:
        opened: Source
        if source is not None:
            raw = raw_format(job.values)
            if raw is not None and is_assumed:
                console.note(f"Standard input is taken for {_described(raw)}, unless it has a header.")
            opened, controls = fitted(open_source("-", raw), job.values), pipe_controls(capture.stop_phrase)
        else:
            microphone = Microphone(
                _capture_settings(capture, params), native_stderr=printed if general.verbose else None
            )
            opened = fitted(microphone, job.values)
            controls = microphone_controls(microphone, capture.stop_phrase)
        try:
            audio_format = opened.open()
            if source is None:
                console.note(greeting(opened.name, _described(audio_format)))
            stream(config, opened, audio_format, job, console, controls=controls)
        finally:
            opened.stop()
            for text in printed():
                console.detail(text)
