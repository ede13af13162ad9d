"""`dg cache`: show or clear what `--cache` has kept."""

from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.cache import ResponseCache
from dgcli.output.stdout import write_stdout


def _actions() -> list[str]:
    return ["info", "clear"]


@command()
def cache(
    action: Annotated[
        str,
        typer.Argument(
            help="info says what is kept and where, clear deletes it.",
            metavar="info|clear",
            autocompletion=_actions,
        ),
    ],
    general: GeneralOptions,
) -> None:
    """Show or clear the responses that --cache keeps.

    Each is kept under the hash of its audio and its options, readable by you alone. Clearing costs nothing but
    paying again for what is transcribed again.

    Examples:

        dg file *.mp3 -f srt --cache
        dg cache info
        dg cache clear
    """
    store = ResponseCache()
    if action == "info":
        contents = store.contents()
        write_stdout(
            f"{contents.answers} responses, {contents.size / 1e6:.1f} MB, in {store.folder}\n".encode()
        )
    elif action == "clear":
        contents = store.clear()
        general.console().note(f"{contents.answers} responses deleted, {contents.size / 1e6:.1f} MB.")
    else:
        raise UsageError(f"{action!r} is no action of dg cache.", hint="dg cache info, or dg cache clear")
