"""`dg file`: upload audio, print its transcript."""

import glob
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dgcli import outputs
from dgcli.audio import cloud
from dgcli.audio.upload import is_pipe, opened
from dgcli.commands.prerecorded import Kept, check_callback, check_connection, transcribe, transcribe_object
from dgcli.errors import UsageError
from dgcli.options import Batch, Connection, General, Params, Patience, Rendering, Transcripts, command
from dgcli.params import Endpoint, encode


def _are_many(paths: Sequence[str], batch: Batch, formats: Sequence[str]) -> bool:
    """Whether more is asked for than one file's transcript."""
    if batch.is_meant(paths, formats):
        return True
    (path,) = paths
    # A pattern that the shell left alone, as that of Windows does.
    return glob.has_magic(path) and (cloud.is_object(path) or not Path(path).exists())


@command(Endpoint.FILE)
def file(
    params: Params,
    output: Transcripts,
    batch: Batch,
    rendering: Rendering,
    connection: Connection,
    patience: Patience,
    general: General,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Audio or video files, directories with --recursive, URLs; - alone for standard input.",
            metavar="PATH...",
        ),
    ] = None,
) -> None:
    """Transcribe files, or standard input.

    A file is uploaded as it is, whatever its format. The transcript of one file goes to standard output, or to
    the files named with -o. Those of many go to a file beside each recording, or below --output-dir; running
    the same command again does only what is missing.

    Examples:

        dg file talk.mp3 --diarize
        dg file talk.mp3 -o talk.srt -o talk.json
        ffmpeg -i film.mkv -f flac - | dg file -
        dg file talk.wav --local
        dg file *.mp3 --jobs 8 -f srt
        dg file -r calls --output-dir texts
        find . -print0 | dg file --files0-from -
    """
    given = paths or []
    if not given and not batch.lists:
        raise UsageError("Missing argument 'PATH'.", hint="See: dg file --help")
    if _are_many(given, batch, output.format or ()):
        from dgcli.commands.many import transcribe_many

        transcribe_many(
            given, params, output, rendering.options(), batch, connection, patience, general.console()
        )
        return
    (path,) = given
    if path.lower().startswith(("http://", "https://")):
        raise UsageError(f"{path} is a URL, not a file.", hint=f"Did you mean: dg url {shlex.quote(path)}")
    config = connection.config(timeout=patience.timeout, retries=patience.retries)
    values = params.checked(config)
    check_callback(values, output)
    query = encode(values)
    options = rendering.options()
    if cloud.is_object(path):
        transcribe_object(path, config, output, options, query, general.console(), local=connection.local)
        return
    source = None if path == "-" else Path(path)
    wanted = outputs.plan(output.stdout_format, output.output or (), source=source)
    if is_pipe(path) and not connection.local:
        check_connection(config)  # what is read from a pipe cannot be read again
    with opened(path) as upload:
        transcribe(
            config,
            wanted,
            options,
            general.console(),
            local=connection.local,
            name=Path(path).name,
            size=upload.size,
            send=lambda client, progress: client.transcribe_file(upload, query, progress=progress),
            kept=Kept(upload, query) if batch.cache else None,
        )
