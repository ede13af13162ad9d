"""`dg callbacks`: take the transcripts that the API sends to a callback."""

from pathlib import Path
from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.options.outputs import OutputOptions, RenderingOptions, SpokenLanguage


@command()
def callbacks(
    output: OutputOptions,
    rendering: RenderingOptions,
    general: GeneralOptions,
    port: Annotated[
        int,
        typer.Option(
            help="Port to listen on; 0 takes a free one. Default: 8080.", metavar="PORT", min=0, max=65535
        ),
    ] = 8080,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Default: 127.0.0.1.", metavar="ADDRESS")
    ] = "127.0.0.1",
    output_dir: Annotated[
        Path,
        typer.Option(
            help="Folder for the bodies, ID.json, and for -o. Default: the current one.", metavar="DIR"
        ),
    ] = Path(),
    secret: Annotated[
        str | None,
        typer.Option(
            help="First part of the callback's path; else DGCLI_CALLBACK_SECRET. Default: a random one.",
            metavar="TEXT",
            envvar="DGCLI_CALLBACK_SECRET",
            show_envvar=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="Id of the API key that the header dg-token must have; then no secret is needed.",
            metavar="ID",
        ),
    ] = None,
    language: SpokenLanguage = None,
) -> None:
    """Take the transcripts that the API sends to a callback.

    Each body is on the disk before it is answered, and is kept once, however often it comes. The transcripts go to
    standard output, or to the files named with -o, in which {id} stands for the request.

    Examples:

        dg callbacks --port 8080 -o '{id}.srt'
        dg file talk.mp3 --callback https://callbacks.example/SECRET
        dg callbacks --output-dir calls -f md
    """
    from dgcli.api.callbacks import CallbackSettings
    from dgcli.tasks.callbacks import receive_callbacks

    if secret is not None and (not secret.strip() or "/" in secret):
        raise UsageError("--secret takes a text without slashes.")
    if token is not None and not token.strip():
        raise UsageError("--token is empty: whoever sends no header would be believed.")
    receive_callbacks(
        CallbackSettings(host, port, secret, token),
        general.console(),
        folder=output_dir,
        stdout_format=output.format,
        files=output.output or (),
        render=rendering.settings(output).spoken_in(language),
    )
