"""`dg balance`: what is left of a project's credits."""

from dgcli.options.account import AccountOptions, JsonOption
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_json, write_stdout


@command()
def balance(account: AccountOptions, general: GeneralOptions, json: JsonOption = False) -> None:
    """Show what is left of a project's credits. Nothing is billed; the key's role must allow it."""
    from dgcli.tasks.account import balances

    rows, answer = balances(account.config())
    if json:
        write_json(answer)
        return
    write_stdout("".join(f"{row.amount:,.2f} {row.units.upper() or '-'}\n" for row in rows).encode())
    if not rows:
        general.console().note("The project has no balance.")
