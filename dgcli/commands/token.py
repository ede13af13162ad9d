"""`dg token`: a temporary token for scripts."""

from typing import Annotated

import typer

from dgcli.options.account import JsonOption
from dgcli.options.groups import AccessOptions, GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_json, write_stdout


@command()
def token(
    access: AccessOptions,
    general: GeneralOptions,  # noqa: ARG001 - -q and -v are taken everywhere
    ttl: Annotated[
        int, typer.Option(help="Seconds for which it counts, 1 to 3600. Default: 30.", metavar="SECONDS")
    ] = 30,
    json: JsonOption = False,
) -> None:
    """Print a temporary token, for a script or a page that should not have the key.

    A stream outlives the token that opened it.

    Examples:

        export DEEPGRAM_ACCESS_TOKEN="$(dg token --ttl 60)"
    """
    from dgcli.tasks.login import temporary_token

    answer = temporary_token(access.access_config(), ttl)
    if json:
        write_json(answer)
    else:
        write_stdout(f"{answer['access_token']}\n".encode())
