"""`dg file`: upload audio, print its transcript."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from dgcli import outputs
from dgcli.audio.upload import opened
from dgcli.commands.prerecorded import transcribe
from dgcli.errors import UsageError
from dgcli.options import Connection, General, Output, Params, Patience, Rendering, command
from dgcli.params import Endpoint, encode


@command(Endpoint.FILE)
def file(
    path: Annotated[
        str, typer.Argument(help="Audio or video file, or - for standard input.", metavar="PATH")
    ],
    params: Params,
    output: Output,
    rendering: Rendering,
    connection: Connection,
    patience: Patience,
    general: General,
) -> None:
    """Transcribe a file, or standard input.

    The file is uploaded as it is, whatever its format. The transcript goes to standard output, or to the
    files named with -o.

    Examples:

        dg file talk.mp3 --diarize
        dg file talk.mp3 -o talk.srt -o talk.json
        ffmpeg -i film.mkv -f flac - | dg file -
        dg file talk.wav --local
    """
    if path.lower().startswith(("http://", "https://")):
        raise UsageError(f"{path} is a URL, not a file.", hint=f"Did you mean: dg url {shlex.quote(path)}")
    config = connection.config(timeout=patience.timeout, retries=patience.retries)
    query = encode(params.checked(config))
    options = rendering.options()
    if path == "-" and not connection.local:
        config.authorization()  # without a key there is no point in reading all of a pipe
    with opened(path) as upload:
        transcribe(
            config,
            outputs.plan(output.format, output.output or (), source=None if path == "-" else Path(path)),
            options,
            general.console(),
            local=connection.local,
            name=Path(path).name,
            size=upload.size,
            send=lambda client, progress: client.transcribe_file(upload, query, progress=progress),
        )
