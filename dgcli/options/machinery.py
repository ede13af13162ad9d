"""The parameter table as Typer options, and how a command gets its flags.

A command is a plain function; `command` gives it the flags:

    @command(Endpoint.FILE)
    def file(path: Path, params: QueryOptions, connection: ConnectionOptions) -> None:

`params` receives the query parameters that were given, by wire name; a parameter whose type is a group of
options (groups.py, streaming.py, or an `OptionGroup` of the command's own) receives that group, filled from its flags.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, ClassVar, NamedTuple, get_type_hints

import typer

from dgcli.config import Config, checked_params
from dgcli.params import BY_NAME, PARAMS, Endpoint, Panel, Param, ParamKind, Values, merge
from dgcli.ui.console import Console


class OptionGroup:
    """Options that belong together: every annotated attribute of a subclass is a flag, and its default.

    It is no dataclass, since making one takes half a millisecond, and a command has up to nine groups.
    `panel` is the heading under which the flags stand in `--help`.
    """

    panel: ClassVar[str] = "General"

    def __init__(self, values: Mapping[str, object]) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is what the command line said.")

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the flags, in Python's spelling; those of a group that it extends come first."""
        groups = [group for group in reversed(cls.__mro__) if issubclass(group, OptionGroup)]
        return list(dict.fromkeys(name for group in groups[1:] for name in group.__annotations__))


class QueryOptions(NamedTuple):
    """The query parameters that the command line gives, by wire name, and `--param` beside them."""

    given: Mapping[str, object]
    assignments: tuple[str, ...]
    endpoint: Endpoint

    def checked(self, config: Config, **own: object) -> Values:
        """Return every parameter to send: the profile's, ours, and those of the command line over both.

        Raises `UsageError`.
        """
        return checked_params(config, merge(self.given, self.assignments), self.endpoint, **own)

    def values_for(self, config: Config) -> Callable[[Endpoint], Values]:
        """The same for any endpoint, since a batch may hold files and URLs."""
        return lambda endpoint: self._replace(endpoint=endpoint).checked(config)

    def warn(self, values: Values, console: Console) -> None:
        """Warn of what is valid, and may well go wrong."""
        terms = values.get("keyterm")
        if isinstance(terms, tuple):
            from dgcli.params.keyterms import token_warning

            if (warning := token_warning(terms)) is not None:
                console.warning(warning)
        for name in values.keys() - BY_NAME.keys():
            from difflib import get_close_matches

            if close := get_close_matches(name, BY_NAME, n=1, cutoff=0.8):
                console.warning(f"{name} is sent as it is. Did you mean: {BY_NAME[close[0]].flag}")


def completion(values: tuple[str, ...]) -> Callable[[str], list[str]] | None:
    """Completion of one of these values; None where there are none."""
    if not values:
        return None
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def language_completion(values: tuple[str, ...]) -> Callable[[str], list[tuple[str, str]]]:
    """Completion of one of these languages, with its name."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        from dgcli.params.languages import name_of_language

        return [(value, name_of_language(value)) for value in values if value.startswith(incomplete)]

    return complete


def _completion(param: Param, values: tuple[str, ...]) -> Callable[[str], Any] | None:
    """Completion of a value of a row."""
    if param.name in _LANGUAGE_PARAMS:
        return language_completion(values)
    return completion(values)


_LANGUAGE_PARAMS = ("language", "language_hint", "detect_language")
_TYPES: Mapping[ParamKind, Any] = {
    ParamKind.FLAG: bool | None,
    ParamKind.FLAG_OR_LIST: bool | None,
    ParamKind.TEXT: str | None,
    ParamKind.INTEGER: int | None,
    ParamKind.INTEGER_OR_FALSE: str | None,
    ParamKind.NUMBER: float | None,
    ParamKind.CHOICE: str | None,
    ParamKind.LIST: list[str] | None,
    ParamKind.PAIRS: list[str] | None,
}

_ASSIGN = "param_"  # the Python name of --param, which no wire name can take


def _help(param: Param, endpoint: Endpoint) -> str:
    default = param.default_for(endpoint)
    if default is None:
        return param.help
    return f"{param.help} Default: {'on' if default is True else default}."


def _metavar(param: Param, endpoint: Endpoint) -> str:
    """Return the placeholder of the value in `--help`: the choices where they are few."""
    if param.kind is ParamKind.CHOICE and len(param.values_on(endpoint)) < 5:
        return "|".join(param.values_on(endpoint))
    return param.metavar or param.name.upper()


def _option(name: str, annotation: object, *declared: str, **settings: Any) -> inspect.Parameter:
    """An option as a parameter of a function, which is how Typer wants it; None: not given."""
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[annotation, typer.Option(*declared, show_default=False, **settings)],
    )


def _table_options(endpoint: Endpoint) -> list[inspect.Parameter]:
    """Make an option for each row that the endpoint takes, and --param."""
    options = []
    for param in PARAMS:
        if not endpoint & param.endpoints:
            continue
        flag = param.flag
        if param.kind in (ParamKind.FLAG, ParamKind.FLAG_OR_LIST):
            flag = f"{flag}/--no-{flag[2:]}"
        aliases = ["--" + alias.replace("_", "-") for alias in param.aliases] if param.hidden else []
        values = param.values_on(endpoint)
        typed = param.kind not in (ParamKind.FLAG, ParamKind.FLAG_OR_LIST)
        options.append(
            _option(
                param.name, _TYPES[param.kind], flag, *param.flags, *aliases,
                help=_help(param, endpoint),
                metavar=_metavar(param, endpoint) if typed else None,
                rich_help_panel=param.panel.value,
                hidden=param.hidden,
                autocompletion=_completion(param, values) if typed else None,
            )
        )  # fmt: skip
        if param.list_flag:
            options.append(
                _option(
                    f"{param.name}_list", list[str] | None, param.list_flag,
                    help=f"Restrict {param.flag} to this; repeatable.",
                    metavar="TAG", rich_help_panel=param.panel.value, autocompletion=_completion(param, values),
                )
            )  # fmt: skip
    options.append(
        _option(
            _ASSIGN, list[str] | None, "--param",
            help="Any other query parameter of the API, as KEY=VALUE; repeatable.",
            metavar="KEY=VALUE", rich_help_panel=Panel.DELIVERY.value,
        )
    )  # fmt: skip
    return options


def _collected(endpoint: Endpoint, values: dict[str, Any]) -> QueryOptions:
    """Take the table's options out of what Typer parsed."""
    given: dict[str, object] = {}
    for param in PARAMS:
        if not endpoint & param.endpoints:
            continue
        value = values.pop(param.name)
        if param.list_flag and (several := values.pop(f"{param.name}_list")):
            value = several
        if value is not None and value != []:
            given[param.name] = value
    return QueryOptions(given, tuple(values.pop(_ASSIGN) or ()), endpoint)


def _group_options(group: type[OptionGroup]) -> list[inspect.Parameter]:
    """Make an option for each flag of a group."""
    hints = get_type_hints(group, include_extras=True)
    options = []
    for name in group.names():
        annotation, option = hints[name].__origin__, hints[name].__metadata__[0]
        option.rich_help_panel = option.rich_help_panel or group.panel
        option.show_default = False
        options.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=getattr(group, name),
                annotation=Annotated[annotation, option],
            )
        )
    return options


def command(endpoint: Endpoint | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a function the flags of its parameters: `QueryOptions`, and any group of options.

    What stands for no group keeps its own annotation. The result is what Typer registers.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        own: list[inspect.Parameter] = []
        flags: list[inspect.Parameter] = []
        groups: dict[str, type[OptionGroup] | None] = {}  # None: the query parameters
        for parameter in inspect.signature(function).parameters.values():
            kind = hints[parameter.name]
            if kind is QueryOptions:
                assert endpoint is not None, "QueryOptions needs the endpoint whose options it has"
                groups[parameter.name] = None
                flags += _table_options(endpoint)
            elif isinstance(kind, type) and issubclass(kind, OptionGroup):
                groups[parameter.name] = kind
                flags += _group_options(kind)
            else:
                own.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))

        @wraps(function)
        def run(**values: Any) -> None:
            arguments: dict[str, Any] = {}
            for name, group in groups.items():
                if group is None:
                    assert endpoint is not None, "checked when the command was made"
                    arguments[name] = _collected(endpoint, values)
                else:
                    arguments[name] = group({flag: values.pop(flag) for flag in group.names()})
            function(**values, **arguments)

        run.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]  # Typer reads it
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *flags)}
        return run

    return decorate
