"""`dg history`: the answers that are kept on this machine."""

from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command


def _actions() -> list[str]:
    return ["clear"]


@command()
def history(
    general: GeneralOptions,
    action: Annotated[
        str | None,
        typer.Argument(
            help="clear deletes all of them. Without it they are listed.",
            metavar="[clear]",
            autocompletion=_actions,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="List as JSON.")] = False,
) -> None:
    """List the answers that are kept on this machine, newest first, or delete them.

    The API keeps no transcript: its answer is the only one. So the answers to dg file and dg url and what was
    said on streams are kept in the state folder, readable by you alone, for 30 days and up to 1 GiB. What of a
    URL opens doors (passwords, queries) is not. A batch keeps its answers beside its outputs, in .dg, and is
    one line here.

    dg last N writes the answer of line N again. --no-history keeps none; in the config file, history = false
    keeps none ever, history_days and history_size (MiB) change the limits.

    Examples:

        dg history
        dg last 2 -f srt
        dg history --json
        dg history clear
    """
    from dgcli.output.stdout import write_stdout
    from dgcli.tasks.history import clear_history, list_history

    if action == "clear":
        clear_history(general.console())
    elif action is not None:
        raise UsageError(f"dg history does not know {action!r}.", hint="dg history, or dg history clear")
    else:
        listed = list_history(general.console())
        if json:
            from dgcli.tasks.history import as_json

            write_stdout(as_json(listed).encode())
        elif listed:
            from dgcli.ui.table import aligned

            rows = [
                ("", "date", "length", "recording", "request", "parameters"),
                *(row.cells for row in listed),
            ]
            write_stdout(aligned(rows, right=[0, 2]).encode())
