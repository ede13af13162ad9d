"""`dg serve`: a Deepgram-compatible server on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command


@command()
def serve(
    general: GeneralOptions,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; 0.0.0.0 opens it to the network. Default: 127.0.0.1.",
            metavar="ADDRESS",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            help="Port to listen on; 0 takes a free one. Default: 8080.", metavar="PORT", min=0, max=65535
        ),
    ] = 8080,
    engine: Annotated[
        str,
        typer.Option(
            help="Recogniser: whisper; replay to answer with --response; count to confirm bytes only. "
            "Default: whisper.",
            metavar="NAME",
            autocompletion=lambda: ["whisper", "replay", "count"],
        ),
    ] = "whisper",
    response: Annotated[
        Path | None, typer.Option(help="Response that --engine replay answers with.", metavar="FILE")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Keep the audio, query and headers of each request here.", metavar="DIR"),
    ] = None,
    require_key: Annotated[
        str | None, typer.Option(help="Answer 401 to whoever does not send this key.", metavar="KEY")
    ] = None,
    allow_private_urls: Annotated[
        bool,
        typer.Option("--allow-private-urls", help="Fetch URLs of private networks and this machine too."),
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Another name that this server goes by: NAME, *.DOMAIN, or * for any. May be repeated.",
            metavar="NAME",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Origin of web pages to serve beside those of this machine, or * for any. May be repeated.",
            metavar="ORIGIN",
        ),
    ] = None,
    max_streams: Annotated[
        int,
        typer.Option(help="Live streams at once; the next one gets 429. Default: 32.", metavar="N", min=0),
    ] = 32,
    local_model: Annotated[
        Path | None,
        typer.Option(help="Folder of a Whisper model of your own, which nobody verifies.", metavar="DIR"),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch no model; else HF_HUB_OFFLINE.")] = False,
) -> None:
    """Run a Deepgram-compatible server on this machine.

    It transcribes with Whisper, whose models stay on this machine, and speaks the documented protocol of
    /v1/listen and OpenAI's /v1/audio/transcriptions. Once a model is here it needs no network.

    Examples:

        dg serve --port 8080
        dg file talk.wav --base-url http://127.0.0.1:8080
        dg serve --engine replay --response saved.json
        dg serve --engine count --record audio/
        dg serve --host 0.0.0.0 --require-key SECRET --max-streams 4
    """
    if response is not None and engine != "replay":
        raise UsageError("--response is what --engine replay answers with.", hint="Add: --engine replay")
    from dgcli.config import load
    from dgcli.tasks.serve import serve as run_server

    run_server(
        load({"local_model": local_model, "offline": offline or None}),
        general.console(),
        host=host,
        port=port,
        engine=engine,
        response=response,
        record=record,
        require_key=require_key,
        allow_private_urls=allow_private_urls,
        allow_hosts=allow_host or (),
        allow_origins=allow_origin or (),
        max_streams=max_streams,
    )
