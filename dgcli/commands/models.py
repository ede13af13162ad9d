"""`dg models`: the speech models of the local recogniser."""

import json as json_module
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command
from dgcli.ui.console import Console

if TYPE_CHECKING:  # loaded when there is something to list
    from dgcli.tasks.models import ModelRow

_ACTIONS = ("local", "pull", "remove")


def _names() -> list[str]:
    from dgcli.api.hub.catalogue import CATALOGUE

    return [spec.name for spec in CATALOGUE.models]


def _table(rows: "Sequence[ModelRow]") -> str:
    from dgcli.ui.table import aligned

    cells = [["Model", "Size", "Languages", "Where"]]
    for row in rows:
        languages = "English" if row.english_only else "99"
        cells.append([row.name, f"{row.size / 1e6:,.0f} MB", languages, str(row.path or "-")])
    return aligned(cells, right=(1,))


def _write(rows: "Sequence[ModelRow]", console: Console, *, as_json: bool) -> None:
    """Write the list to standard output."""
    from dgcli.output.stdout import write_stdout

    if as_json:
        text = json_module.dumps([row.fields() for row in rows], ensure_ascii=False, indent=2)
        write_stdout(f"{text}\n".encode())
        return
    write_stdout(_table(rows).encode())
    if any(row.path is None for row in rows):
        console.note("Fetch one with: dg models pull NAME")


@command()
def models(
    general: GeneralOptions,
    action: Annotated[
        str,
        typer.Argument(
            help="local lists them (the default), pull fetches one, remove deletes one.",
            metavar="local|pull|remove",
            autocompletion=lambda: list(_ACTIONS),
        ),
    ] = "local",
    name: Annotated[
        str | None,
        typer.Argument(
            help="A model of the list; the API's names do too: whisper-small.",
            metavar="NAME",
            autocompletion=_names,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write a JSON array instead of a table.")] = False,
) -> None:
    """List, fetch and remove the speech models that --local and dg serve recognise with.

    The best model that is here and knows the language is used, unless --model names one. The first --local
    fetches tiny.en by itself; what is larger is better and slower. Models with .en know English only. Each file
    is verified before it is loaded. They are kept in the data folder of dgcli, or where DGCLI_MODELS says.

    Examples:

        dg models
        dg models pull small
        dg file talk.wav --local --model whisper-small --language de
        dg models remove small
    """
    from dgcli.config import load
    from dgcli.tasks.models import list_models, pull_model, remove_model

    console = general.console()
    checked = _checked_name(action, name, as_json=json)
    config = load({})
    if action == "local":
        _write(list_models(config, console), console, as_json=json)
    elif action == "pull":
        pull_model(checked, config, console)
    else:
        remove_model(checked, config, console)


def _checked_name(action: str, name: str | None, *, as_json: bool) -> str:
    """Refuse what does not go together; the name. Raises `UsageError`."""
    if action not in _ACTIONS:
        raise UsageError(
            f"{action!r} is no action of dg models.",
            hint="dg models local, dg models pull, or dg models remove",
        )
    if action == "local":
        if name is not None:
            raise UsageError("dg models local takes no name.", hint=f"Did you mean: dg models pull {name}")
        return ""
    if as_json:
        raise UsageError("--json goes with the list of models.", hint="dg models --json")
    if name is None:
        raise UsageError(f"dg models {action} needs a name.", hint=f"For example: dg models {action} small")
    return name
