"""`dg config`: the settings of the config file."""

import json as json_module
from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_stdout

# What each action takes after its name.
_ACTIONS = {
    "show": (),
    "get": ("NAME",),
    "set": ("NAME", "VALUE"),
    "unset": ("NAME",),
    "edit": (),
    "path": (),
    "profiles": (),
}


def _names() -> list[str]:
    from dgcli.tasks.settings import setting_names

    return setting_names()


def _check(action: str, name: str | None, value: str | None) -> None:
    """Refuse what does not go together. Raises `UsageError`."""
    if action not in _ACTIONS:
        raise UsageError(
            f"{action!r} is no action of dg config.",
            hint=f"Actions: {', '.join(_ACTIONS)}. See: dg config --help",
        )
    takes = _ACTIONS[action]
    given = [text for text in (name, value) if text is not None]
    if len(given) != len(takes):
        raise UsageError(f"It is: dg config {' '.join((action, *takes))}", hint="See: dg config --help")


@command()
def config(
    general: GeneralOptions,
    action: Annotated[
        str,
        typer.Argument(
            help="show lists what is set (the default), get prints a setting, set and unset change it, edit opens "
            "the file in an editor, path says where it is, profiles lists the profiles.",
            metavar="show|get|set|unset|edit|path|profiles",
            autocompletion=lambda: list(_ACTIONS),
        ),
    ] = "show",
    name: Annotated[
        str | None,
        typer.Argument(
            help="A setting: base_url, project, timeout, params.language...",
            metavar="NAME",
            autocompletion=_names,
        ),
    ] = None,
    value: Annotated[str | None, typer.Argument(help="Its new value.", metavar="VALUE")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Settings of this profile; else of all.", metavar="PROFILE")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Show a JSON object instead of lines.")] = False,
) -> None:
    """Show and change the settings of the config file.

    Comments and order of the file stay as they are. Of keys, only the last four characters are shown; dg login keeps
    one.

    Examples:

        dg config
        dg config set params.language de
        dg config set base_url https://api.eu.deepgram.com --profile eu
        dg config unset params.language
        dg config edit
    """
    from dgcli.tasks.settings import settings

    _check(action, name, value)
    store, console = settings(), general.console()
    if json and action != "show":
        raise UsageError("--json goes with the list of settings.", hint="dg config --json")
    if action == "show":
        if json:
            text = json_module.dumps(store.values(), ensure_ascii=False, indent=2, default=str)
            write_stdout(f"{text}\n".encode())
            return
        rows = store.rows()
        write_stdout("".join(f"{row} = {shown}\n" for row, shown in rows).encode())
        if not rows:
            console.note(f"Nothing is set in {store.path}.")
    elif action == "path":
        write_stdout(f"{store.path}\n".encode())
    elif action == "profiles":
        write_stdout("".join(f"{own}\n" for own in store.profiles()).encode())
    elif action == "edit":
        console.note("The settings are changed." if store.edit() else "Nothing was changed.")
    elif action == "get":
        write_stdout(f"{store.get(name or '', profile)}\n".encode())
    elif action == "set":
        console.note(f"{store.set(name or '', value or '', profile)}, in {store.path}")
    else:
        store.unset(name or "", profile)
