"""`dg models`: the speech models of the local recogniser."""

from typing import Annotated

import typer

from dgcli.options.groups import GeneralOptions
from dgcli.options.machinery import command

_ACTIONS = ("local", "pull", "remove")


def _names() -> list[str]:
    from dgcli.api.hub.catalogue import CATALOGUE

    return [spec.name for spec in CATALOGUE.models]


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
    from dgcli.tasks.models import list_models, pull_model, remove_model

    console = general.console()
    checked = _checked(action, name, as_json=json)
    if action == "local":
        list_models(console, as_json=json)
    elif action == "pull":
        pull_model(checked, console)
    else:
        remove_model(checked, console)


def _checked(action: str, name: str | None, *, as_json: bool) -> str:
    """Refuse what does not go together; the name. Raises `UsageError`."""
    from dgcli.errors import UsageError

    if action not in _ACTIONS:
        raise UsageError(
            f"dg models does not know {action!r}.",
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
