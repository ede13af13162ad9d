"""`dg url`: have the API fetch a recording, print its transcript."""

import shlex
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from dgcli import outputs
from dgcli.commands.prerecorded import transcribe
from dgcli.errors import UsageError
from dgcli.options import Connection, General, Output, Params, Patience, Rendering, command
from dgcli.params import Endpoint, encode


def _check_url(url: str) -> None:
    """Refuse what the API could not fetch whatever it tried."""
    parts = urlsplit(url)
    if parts.scheme.lower() in ("http", "https") and parts.netloc:
        return
    if "://" not in url:
        what = "a file" if Path(url).exists() else "a path"
        raise UsageError(f"{url} is {what}, not a URL.", hint=f"Did you mean: dg file {shlex.quote(url)}")
    raise UsageError(f"The API cannot fetch {url!r}.", hint="A URL begins with https:// or http://.")


@command(Endpoint.URL)
def url(
    url: Annotated[str, typer.Argument(help="Address of the recording: http or https.", metavar="URL")],
    params: Params,
    output: Output,
    rendering: Rendering,
    connection: Connection,
    patience: Patience,
    general: General,
) -> None:
    """Transcribe a recording that the API fetches itself.

    The audio does not pass through this machine, so the URL must be one that the API can reach.

    Examples:

        dg url https://example.com/call.wav --multichannel
        dg url https://example.com/talk.mp3 --summarize -o talk.json
    """
    _check_url(url)
    config = connection.config(timeout=patience.timeout, retries=patience.retries)
    query = encode(params.checked(config))
    options = rendering.options()
    transcribe(
        config,
        outputs.plan(output.format, output.output or ()),
        options,
        general.console(),
        local=connection.local,
        name=url,
        size=None,
        send=lambda client, _: client.transcribe_url(url, query),
    )
