"""`dg usage`: the hours and requests of a project."""

from typing import Annotated

import typer

from dgcli.options.account import AccountOptions, JsonOption
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_json, write_stdout


def _groupings() -> list[str]:
    from dgcli.tasks.account import GROUPINGS

    return list(GROUPINGS)


@command()
def usage(
    account: AccountOptions,
    general: GeneralOptions,
    start: Annotated[
        str | None, typer.Option(help="First day. Default: 30 days before the last.", metavar="DATE")
    ] = None,
    end: Annotated[str | None, typer.Option(help="Last day. Default: today.", metavar="DATE")] = None,
    by: Annotated[
        str,
        typer.Option(
            help="What a row is for: models, endpoint, method, tags... Default: models.",
            metavar="GROUP",
            autocompletion=_groupings,
        ),
    ] = "models",
    json: JsonOption = False,
) -> None:
    """Show the hours of audio and the requests of a project. Nothing is billed.

    Examples:

        dg usage
        dg usage --start 2026-01-01 --end 2026-01-31 --by tags
    """
    from dgcli.tasks.account import usage as ask
    from dgcli.ui.table import aligned

    used = ask(account.config(), start=start, end=end, by=by)
    if json:
        write_json(used.answer)
        return
    span = f"from {used.start} to {used.end}."
    if not used.rows:
        general.console().note(f"Nothing {span}")
        return
    rows = [*used.rows, used.total] if len(used.rows) > 1 else used.rows
    cells = [[row.group, f"{row.hours:,.2f}", f"{row.requests:,}"] for row in rows]
    heads = [by.replace("_", " ").capitalize(), "Hours", "Requests"]
    write_stdout(aligned([heads, *cells], right=(1, 2)).encode())
    general.console().note(f"Usage {span}")
