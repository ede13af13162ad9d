"""`dg logout`: forget the API key that `dg login` kept."""

import os
from typing import Annotated

import typer

from dgcli.config import load
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command


@command()
def logout(
    general: GeneralOptions,
    profile: Annotated[
        str | None, typer.Option(help="Forget the key of this profile.", metavar="PROFILE")
    ] = None,
) -> None:
    """Delete the API key that dg login has kept, from the keyring or its file.

    The key itself stays valid: revoke it at https://console.deepgram.com.
    """
    from dgcli.tasks.login import log_out

    profile = profile or os.environ.get("DGCLI_PROFILE") or None
    log_out(load({}, environ={**os.environ, "DGCLI_PROFILE": ""}), profile, general.console())
