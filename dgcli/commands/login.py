"""`dg login`: keep an API key."""

import os
import sys
from typing import Annotated

import typer

from dgcli.config import load
from dgcli.errors import Interrupted, UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command

_LONGEST = 10_000  # characters of a pasted text


def _asked() -> str:
    """Return what is pasted, which the terminal does not show; in a pipe, the first line."""
    if sys.stdin.isatty():
        try:
            return str(
                typer.prompt("API key, from https://console.deepgram.com (hidden)", hide_input=True, err=True)
            )
        except Interrupted:
            typer.echo(err=True)  # the message that follows has a line of its own
            raise
    return sys.stdin.readline(_LONGEST)


@command()
def login(
    general: GeneralOptions,
    profile: Annotated[
        str | None, typer.Option(help="Keep it for this profile; else for all.", metavar="PROFILE")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Another host of the API, which checks the key.", metavar="URL")
    ] = None,
) -> None:
    """Keep an API key, so that every command finds it.

    Paste it where it is asked for: it is not shown, it is checked with the API, and it is kept in the system's keyring
    where one works (extra keyring), else in a file that you alone can read. A key of the environment is
    used before it, and never kept.

    Examples:

        dg login
        dg login --profile work
        pass show deepgram | dg login
    """
    from dgcli.tasks.login import log_in

    profile = profile or os.environ.get("DGCLI_PROFILE") or None
    try:
        config = load({"base_url": base_url}, profile=profile)
    except UsageError:
        if profile is None:
            raise
        # A profile that this makes.
        config = load({"base_url": base_url}, environ={**os.environ, "DGCLI_PROFILE": ""})
    log_in(config, profile, _asked(), general.console())
