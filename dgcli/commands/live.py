"""`dg live`: transcribe audio while it comes in."""

from pathlib import Path
from typing import Annotated

import typer

from dgcli.audio import open_source, raw_format
from dgcli.commands.streaming import Pacing, Shown, Streaming, check_kept, check_outputs
from dgcli.options import Connection, General, Output, Params, Rendering, command
from dgcli.params import Endpoint


@command(Endpoint.LIVE)
def live(
    source: Annotated[
        str, typer.Argument(help="File, http(s) URL, or - for standard input.", metavar="SOURCE")
    ],
    params: Params,
    output: Output,
    rendering: Rendering,
    shown: Shown,
    pacing: Pacing,
    streaming: Streaming,
    connection: Connection,
    general: General,
) -> None:
    """Transcribe a stream: a radio, a pipe, or a file at the pace at which it plays.

    What is said goes to standard output, utterance by utterance, or to the files named with -o, which grow
    while it runs. Ctrl-C ends the stream and waits for its last words; a second one leaves at once. The key
    f, or SIGUSR1, asks for a result now.
    """
    from dgcli import tls
    from dgcli.commands.session import stream

    config = connection.config()
    values = params.checked(config)
    # Standard input may be a file too, which must not be overwritten either.
    file = None if "://" in source else Path("/dev/stdin" if source == "-" else source)
    options = rendering.options()
    check_outputs(output, shown, file)
    speed = pacing.check(local=connection.local)
    streaming.check()
    if not connection.local:
        config.authorization()  # without a key there is no point in opening the source
    opened = open_source(
        source, raw_format(values), verify="://" not in source or tls.context(config.ca_cert)
    )
    try:
        form = opened.open()
        check_kept(output, shown, form, file)
        stream(
            config,
            opened,
            form,
            values,
            connection=connection,
            output=output,
            streaming=streaming,
            shown=shown,
            console=general.console(),
            options=options,
            speed=speed,
        )
    finally:
        opened.stop()
