"""`dg requests`: the latest requests of a project."""

from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.account import AccountOptions, JsonOption
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_json, write_stdout


@command()
def requests(
    account: AccountOptions,
    general: GeneralOptions,
    request_id: Annotated[
        str | None, typer.Argument(help="Only this one, as JSON.", metavar="REQUEST_ID")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First day.", metavar="DATE")] = None,
    end: Annotated[str | None, typer.Option(help="Last day.", metavar="DATE")] = None,
    limit: Annotated[int, typer.Option(help="The latest so many, 1 to 1000. Default: 10.", metavar="N")] = 10,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the latest requests of a project, with the ids that support asks for. Nothing is billed.

    Examples:

        dg requests --failed
        dg requests --limit 100 --json
    """
    from dgcli.tasks.account import request
    from dgcli.tasks.account import requests as ask
    from dgcli.ui.table import aligned

    if request_id is not None:
        if start or end or failed:
            raise UsageError("An id names one request.", hint="Leave --start, --end and --failed out.")
        write_json(request(account.config(), request_id)[1])
        return
    rows, answer = ask(account.config(), start=start, end=end, limit=limit, failed=failed)
    if json:
        write_json(answer)
        return
    cells = [
        [
            row.created[:19].replace("T", " "),
            str(row.status or "-"),
            "-" if row.seconds is None else f"{row.seconds:,.1f} s",
            row.path.partition("?")[0] or "-",
            row.request_id,
        ]
        for row in rows
    ]
    if cells:
        write_stdout(
            aligned([["Created (UTC)", "Status", "Audio", "Path", "Request"], *cells], right=(2,)).encode()
        )
    else:
        general.console().note("There are no such requests.")
