"""`dg models`: the speech models of the API and of the local recogniser."""

import json as json_module
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dgcli.errors import DgError, UsageError
from dgcli.options.groups import AccessOptions, GeneralOptions
from dgcli.options.machinery import command
from dgcli.ui.console import Console

if TYPE_CHECKING:  # loaded when there is something to list
    from dgcli.config import Config
    from dgcli.tasks.api_models import ApiModel
    from dgcli.tasks.models import ModelRow

_ALL = "all"
_ACTIONS = (_ALL, "local", "pull", "remove")
_MOST_LANGUAGES = 6  # named in a row of the table


def _names() -> list[str]:
    from dgcli.api.hub.catalogue import CATALOGUE

    return [spec.name for spec in CATALOGUE.models]


def _languages(model: "ApiModel", wanted: str | None) -> str:
    tags = [tag for tag in model.languages if wanted is None or tag.split("-")[0] == wanted.split("-")[0]]
    if len(tags) > _MOST_LANGUAGES and wanted is None:
        # One of each language before its countries: en, de, fr.
        tags = [tag for tag in tags if "-" not in tag] or tags
    more = len(model.languages) - len(tags[:_MOST_LANGUAGES])
    return " ".join(tags[:_MOST_LANGUAGES]) + (f" +{more}" if more else "")


def _api_table(models: "Sequence[ApiModel]", wanted: str | None) -> str:
    from dgcli.ui.table import aligned

    cells = [["Model", "For", "Version", "Languages"]]
    cells += [
        [model.name, model.uses or "-", model.version or "-", _languages(model, wanted)] for model in models
    ]
    return aligned(cells)


def _write_all(
    config: "Config", console: Console, *, as_json: bool, language: str | None, outdated: bool
) -> None:
    """Write the API's models and those of this machine; where the API cannot be asked, the latter with a warning."""
    from dgcli.output.stdout import write_stdout
    from dgcli.tasks.api_models import ModelList, api_models
    from dgcli.tasks.models import list_models

    rows = [row for row in list_models(config, console) if row.path is not None]
    try:
        listed = api_models(config, outdated=outdated)
    except DgError as error:
        console.warning(f"The API's models cannot be listed: {error.summary}")
        if error.hint:
            console.note(error.hint)
        listed = ModelList((), ())
    models = [model for model in listed.models if language is None or model.speaks(language)]
    if as_json:
        names = {model.name for model in models}
        entries = [
            entry for entry in listed.answer if (entry.get("canonical_name") or entry.get("name")) in names
        ]
        fields = {"stt": entries, "local": [row.fields() for row in rows]}
        write_stdout((json_module.dumps(fields, ensure_ascii=False, indent=2) + "\n").encode())
        return
    parts = [_api_table(models, language)] if models else []
    parts += [_table(rows)] if rows else []
    write_stdout("\n".join(parts).encode())
    if listed.models and not models:
        console.note(f"No model of the API knows the language {language!r}.")
    if not rows:
        console.note("On this machine there is none: dg models local lists those that can be fetched.")


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
    access: AccessOptions,
    general: GeneralOptions,
    action: Annotated[
        str,
        typer.Argument(
            help="all lists the API's and those here (the default), local those of this machine; pull fetches one, "
            "remove deletes one.",
            metavar="all|local|pull|remove",
            autocompletion=lambda: list(_ACTIONS),
        ),
    ] = _ALL,
    name: Annotated[
        str | None,
        typer.Argument(
            help="A model of the list; the API's names do too: whisper-small.",
            metavar="NAME",
            autocompletion=_names,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
    language: Annotated[
        str | None, typer.Option(help="Only models of the API that know this language.", metavar="TAG")
    ] = None,
    outdated: Annotated[
        bool, typer.Option("--outdated", help="List what newer models have replaced, too.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Print names alone, without asking the API: for completion.")
    ] = False,
) -> None:
    """List the speech models of the API, the newest first, and those of this machine; fetch and remove the latter.

    Those of the API are for --model; those of this machine serve --local and dg serve, see dg models local.
    The best model that is here and knows the language is used, unless --model names one. The first --local
    fetches tiny.en by itself; what is larger is better and slower. Models with .en know English only. Each file
    is verified before it is loaded. They are kept in the data folder of dgcli, or where DGCLI_MODELS says.

    Examples:

        dg models
        dg models --language de
        dg models local
        dg models pull small
        dg file talk.wav --local --model whisper-small --language de
        dg models remove small
    """
    from dgcli.tasks.models import list_models, pull_model, remove_model

    console = general.console()
    checked = _checked_name(action, name, as_json=json)
    if action != _ALL and (language or outdated or names):
        raise UsageError(
            "--language, --outdated and --names go with the list of all.", hint="dg models --help"
        )
    config = access.access_config()
    if names:
        from dgcli.output.stdout import write_stdout
        from dgcli.tasks.api_models import known_names

        write_stdout("".join(f"{known}\n" for known in known_names(config)).encode())
    elif action == _ALL:
        _write_all(config, console, as_json=json, language=language, outdated=outdated)
    elif action == "local":
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
    if action in (_ALL, "local"):
        if name is not None:
            raise UsageError(
                f"dg models {action} takes no name.", hint=f"Did you mean: dg models pull {name}"
            )
        return ""
    if as_json:
        raise UsageError("--json goes with the list of models.", hint="dg models --json")
    if name is None:
        raise UsageError(f"dg models {action} needs a name.", hint=f"For example: dg models {action} small")
    return name
