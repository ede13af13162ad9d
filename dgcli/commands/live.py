"""`dg live`: transcribe audio while it comes in."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from dgcli.options.groups import ConnectionOptions, GeneralOptions, HistoryOptions
from dgcli.options.machinery import QueryOptions, command
from dgcli.options.outputs import RenderingOptions, StreamOutputOptions
from dgcli.options.request import ShownRequestOptions
from dgcli.options.streaming import DisplayOptions, OverlayOptions, PacingOptions, StreamOptions
from dgcli.params import STREAM


@command(STREAM)
def live(
    source: Annotated[
        str, typer.Argument(help="File, http(s) URL, or - for standard input.", metavar="SOURCE")
    ],
    params: QueryOptions,
    output: StreamOutputOptions,
    rendering: RenderingOptions,
    display: DisplayOptions,
    overlay: OverlayOptions,
    pacing: PacingOptions,
    streaming: StreamOptions,
    connection: ConnectionOptions,
    history: HistoryOptions,
    shown: ShownRequestOptions,
    general: GeneralOptions,
) -> None:
    """Transcribe a stream: a radio, a pipe, or a file at the pace at which it plays.

    What is said goes to standard output, utterance by utterance, or to the files named with -o, which grow
    while it runs. Ctrl-C ends the stream and waits for its last words; a second one leaves at once. The key
    f, or SIGUSR1, asks for a result now; k asks for key terms. Scripts act on it by --control. A Flux model
    (--model flux-general-en) hears turns: each is an utterance, and f ends one.
    """
    from dgcli.api import tls
    from dgcli.audio import open_source, raw_format
    from dgcli.audio.native_stderr import captured_native_stderr
    from dgcli.sinks.fanout import DisplaySettings
    from dgcli.tasks.local import check_model
    from dgcli.tasks.stream import StreamJob, check_outputs, check_saved_audio, stream
    from dgcli.tasks.stream_settings import fitted

    config = connection.config(**history.settings())
    way = shown.way(local=connection.local)
    job = StreamJob(
        values=params.checked(config),
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
        speed=pacing.checked(local=connection.local),
        local=connection.local,
        **streaming.settings(),
    )
    # Standard input may be a file too, which must not be overwritten either.
    file = None if "://" in source else Path("/dev/stdin" if source == "-" else source)
    check_outputs(job, file)
    console = general.console()
    params.warn(job.values, console)
    opened = fitted(
        open_source(
            source, raw_format(job.values), verify="://" not in source or tls.context(config.ca_cert)
        ),
        job.values,
    )
    is_file = "://" not in source and source != "-"
    if way is not None:
        from dgcli.tasks.show_request import show_stream_request

        try:
            found = opened.open() if is_file and Path(source).is_file() else None
        finally:
            opened.stop()
        show_stream_request(way, source, config, job.values, found)
        return
    # libmpg123 inside libsndfile prints about every odd frame.
    with captured_native_stderr() if is_file else nullcontext(list) as printed:
        try:
            # A file costs nothing to open, and one that is not there is nobody's key.
            audio_format = opened.open() if is_file else None
            if not job.local:
                config.authorization()  # without a key there is no point in opening another source
            else:
                check_model(config, job.values, console)
            audio_format = audio_format or opened.open()
            check_saved_audio(job, audio_format, file)
            stream(config, opened, audio_format, job, console)
        finally:
            opened.stop()
            for text in printed():
                console.detail(text)
