"""The parameter table as Typer options, and the options that several commands share.

A command is a plain function; `command` gives it the flags:

    @command(Endpoint.FILE)
    def file(path: Path, params: Params, connection: Connection, output: Output, general: General) -> None:

`params` receives the query parameters that were given, by wire name; a parameter whose type is one of the
groups below receives that group, filled from its own flags.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from dgcli.config import DEFAULT_RETRIES, DEFAULT_TIMEOUT, Config, load
from dgcli.errors import UsageError
from dgcli.params import PARAMS, Endpoint, Kind, Panel, Param, Values, check, merge
from dgcli.ui.console import Console

if TYPE_CHECKING:  # loaded when there is something to write
    from dgcli.formats import Options

_CONNECTION, _OUTPUT, _CAPTIONS, _GENERAL = "Connection", "Output", "Captions", "General"


@dataclass(frozen=True, slots=True)
class Params:
    """The query parameters that the command line gives, by wire name, and `--param` beside them."""

    given: Mapping[str, object]
    assignments: tuple[str, ...]
    endpoint: Endpoint

    def checked(self, config: Config, **own: object) -> Values:
        """All that will be sent: the profile's parameters, ours, and those of the command line over both.

        Parameters of the profile that this endpoint does not take are left out, since a profile serves all
        commands.
        Raises `UsageError`.
        """
        on_line = merge(self.given, self.assignments)
        ours = {**own, **on_line}
        try:
            return check({**_profile_params(config, self.endpoint, on_line), **ours}, self.endpoint)
        except UsageError as error:
            if config.params and _is_fine(ours, self.endpoint):
                error.message += f" It comes from [params] in {config.path}."
            raise


def _is_fine(values: Mapping[str, object], endpoint: Endpoint) -> bool:
    try:
        check(values, endpoint)
    except UsageError:
        return False
    return True


def _profile_params(
    config: Config, endpoint: Endpoint, on_line: Mapping[str, object]
) -> Mapping[str, object]:
    """What the profile says and the command line does not contradict."""
    excluded = {other for param in PARAMS if param.name in on_line for other in param.excludes}
    by_name = {param.name: param for param in PARAMS}
    return {
        name: value
        for name, value in config.params.items()
        if name not in excluded and (name not in by_name or endpoint in by_name[name].endpoints)
    }


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API is, and who asks."""

    api_key: Annotated[
        str | None,
        typer.Option(help="API key; else DEEPGRAM_API_KEY or the config file.", metavar="KEY"),
    ] = None
    access_token: Annotated[
        str | None,
        typer.Option(help="Temporary token instead of a key; else DEEPGRAM_ACCESS_TOKEN.", metavar="TOKEN"),
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option(help="Another host of the API; else DEEPGRAM_BASE_URL.", metavar="URL"),
    ] = None
    profile: Annotated[
        str | None, typer.Option(help="Profile of the config file; else DGCLI_PROFILE.", metavar="NAME")
    ] = None
    allow_http: Annotated[
        bool | None,
        typer.Option("--allow-http", help="Send the key in clear text to a self-hosted server."),
    ] = None
    ca_cert: Annotated[
        str | None, typer.Option(help="Certificate authorities to trust; else SSL_CERT_FILE.", metavar="FILE")
    ] = None
    local: Annotated[
        bool,
        typer.Option("--local", help="Transcribe on this machine: no key, no network, English only."),
    ] = False

    def config(self, **more: object) -> Config:
        """What these flags, the environment and the config file make. Raises `UsageError`."""
        names = ("api_key", "access_token", "base_url", "allow_http", "ca_cert")
        return load({**{name: getattr(self, name) for name in names}, **more}, profile=self.profile)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and how often to try."""

    timeout: Annotated[
        float | None,
        typer.Option(
            help=f"Seconds to wait for the transcript after the upload. Default: {DEFAULT_TIMEOUT:g}.",
            metavar="SECONDS",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    retries: Annotated[
        int | None,
        typer.Option(
            help="Further tries after a lost connection or a busy server; one that comes after a whole "
            f"upload may be billed again. Default: {DEFAULT_RETRIES}.",
            metavar="N",
            rich_help_panel=_CONNECTION,
        ),
    ] = None


def _completion(values: tuple[str, ...]) -> Callable[[str], list[str]] | None:
    if not values:
        return None
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def _formats() -> list[tuple[str, str]]:
    from dgcli.formats import FORMATS

    return [(form.name, form.help) for form in FORMATS]


@dataclass(frozen=True, slots=True)
class Output:
    """What is written, and where."""

    format: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", help="Format for standard output. Default: text.", metavar="FORMAT",
            autocompletion=_formats,
        ),
    ] = None  # fmt: skip
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="File to write; its suffix names the format; repeatable.", metavar="FILE"
        ),
    ] = None


def _list_formats(wanted: bool) -> None:
    if wanted:
        from dgcli.formats import FORMATS

        width = max(len(form.name) for form in FORMATS)
        for form in FORMATS:
            typer.echo(f"{form.name:{width}}  {' '.join(form.suffixes):21}  {form.help}")
        raise typer.Exit


def _names(given: Sequence[str]) -> dict[int, str]:
    """Speakers' names from `N=NAME`. Raises `UsageError`."""
    names = {}
    for one in given:
        number, equals, name = one.partition("=")
        if not (equals and number.strip().isdecimal() and name.strip()):
            raise UsageError(f"--speaker takes N=NAME, not {one!r}.", hint="For example: --speaker 0=Anna")
        names[int(number)] = " ".join(name.split())
    return names


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a transcript is written: names, the limits of captions, what a page links to."""

    speaker: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of speaker N (of channel N, where only channels are known); repeatable.",
            metavar="N=NAME",
            rich_help_panel=_OUTPUT,
        ),
    ] = None
    audio: Annotated[
        str | None,
        typer.Option(
            help="Recording that html and md link to: a path or a URL.",
            metavar="PATH",
            rich_help_panel=_OUTPUT,
        ),
    ] = None
    list_formats: Annotated[
        bool,
        typer.Option(
            "--list-formats",
            help="List the formats and leave.",
            callback=_list_formats,
            is_eager=True,
            rich_help_panel=_OUTPUT,
        ),
    ] = False
    preset: Annotated[
        str | None,
        typer.Option(
            help="Limits of captions as a publisher has them. Default: netflix.",
            metavar="netflix|bbc|youtube|social",
        ),
    ] = None
    max_chars: Annotated[int | None, typer.Option(help="Characters a line.", metavar="N")] = None
    max_lines: Annotated[int | None, typer.Option(help="Lines a cue.", metavar="N")] = None
    min_duration: Annotated[
        float | None, typer.Option(help="Shortest time a cue is shown.", metavar="SECONDS")
    ] = None
    max_duration: Annotated[
        float | None, typer.Option(help="Longest time a cue is shown.", metavar="SECONDS")
    ] = None
    max_cps: Annotated[
        float | None, typer.Option(help="Reading speed, in characters a second.", metavar="N")
    ] = None
    min_gap: Annotated[float | None, typer.Option(help="Gap between cues.", metavar="SECONDS")] = None
    karaoke: Annotated[
        bool, typer.Option("--karaoke", help="Time every word, in formats that can: vtt, ass, ssa.")
    ] = False

    def options(self) -> "Options":
        """What formats are told. Raises `UsageError`."""
        from dgcli.captions import limits
        from dgcli.formats import Options

        return Options(
            speaker_names=_names(self.speaker or ()),
            limits=limits(
                self.preset or "netflix",
                max_chars=self.max_chars,
                max_lines=self.max_lines,
                min_duration=self.min_duration,
                max_duration=self.max_duration,
                max_cps=self.max_cps,
                min_gap=self.min_gap,
            ),
            karaoke=self.karaoke,
            audio=self.audio,
        )


@dataclass(frozen=True, slots=True)
class Transcripts:
    """What is written of one recording, or of each of many, and where."""

    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format", "-f",
            help="Format for standard output; of a batch, for the files: repeatable. Default: text.",
            metavar="FORMAT", autocompletion=_formats,
        ),
    ] = None  # fmt: skip
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="File to write; its suffix names the format; repeatable.", metavar="FILE"
        ),
    ] = None

    @property
    def stdout_format(self) -> str | None:
        """The format for standard output, where that was asked for."""
        return self.format[-1] if self.format else None


@dataclass(frozen=True, slots=True)
class Batch:
    """How many recordings are transcribed."""

    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Transcribe every recording below a directory.")
    ] = False
    files_from: Annotated[
        list[str] | None,
        typer.Option(help="File with a path or URL on each line; - for standard input.", metavar="FILE"),
    ] = None
    files0_from: Annotated[
        list[str] | None,
        typer.Option(
            "--files0-from", help="The same with NUL after each (find -print0), for any name.", metavar="FILE"
        ),
    ] = None
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Write below this, as the recordings lie below theirs; else beside each.", metavar="DIR"
        ),
    ] = None
    name_template: Annotated[
        str | None,
        typer.Option(
            help="Names of the outputs, from {stem}, {name}, {ext}, {lang} and {hash}. Default: {stem}.{ext}.",
            metavar="TEXT",
        ),
    ] = None
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Uploads at once. Default: 4.", metavar="N", min=1)
    ] = None
    max_rps: Annotated[
        float | None, typer.Option(help="Requests a second, at most.", metavar="NUMBER", min=0.001)
    ] = None
    skip_existing: Annotated[
        str | None,
        typer.Option(
            help="Keep outputs made of the same audio with the same options (same, the default), or any.",
            metavar="same|any",
            autocompletion=_completion(("same", "any")),
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Send everything again, and pay for it again.")
    ] = False
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Begin nothing more after the first failure.")
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only list what would be sent and written, and the hours of audio."),
    ] = False
    report: Annotated[
        Path | None, typer.Option(help="Write a line of JSON for each recording.", metavar="FILE.jsonl")
    ] = None
    shard: Annotated[
        str | None,
        typer.Option(
            help="Take only share K of N; auto: the one that Slurm, Kubernetes or AWS Batch gives.",
            metavar="K/N|auto",
        ),
    ] = None
    cache: Annotated[
        bool,
        typer.Option("--cache", help="Keep responses, and use kept ones for the same audio and options."),
    ] = False

    @property
    def lists(self) -> Sequence[str]:
        """The files that name recordings."""
        return [*(self.files_from or ()), *(self.files0_from or ())]

    def is_meant(self, names: Sequence[str], formats: Sequence[str]) -> bool:
        """Whether this is a batch, and not one recording whose transcript goes to standard output."""
        ours = (getattr(self, one.name) for one in fields(self) if one.name != "cache")
        return len(names) != 1 or len(formats) > 1 or any(value not in (None, False, []) for value in ours)


@dataclass(frozen=True, slots=True)
class General:
    """How much is said on stderr."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False

    def console(self) -> Console:
        """Where the command's messages go."""
        return Console(quiet=self.quiet, verbose=self.verbose)


_PANELS: Mapping[type, str] = {
    Connection: _CONNECTION,
    Patience: _CONNECTION,
    Output: _OUTPUT,
    Transcripts: _OUTPUT,
    Batch: "Many recordings",
    Rendering: _CAPTIONS,
    General: _GENERAL,
}

_TYPES: Mapping[Kind, Any] = {
    Kind.FLAG: bool | None,
    Kind.FLAG_OR_LIST: bool | None,
    Kind.TEXT: str | None,
    Kind.INTEGER: int | None,
    Kind.INTEGER_OR_FALSE: str | None,
    Kind.NUMBER: float | None,
    Kind.CHOICE: str | None,
    Kind.LIST: list[str] | None,
    Kind.PAIRS: list[str] | None,
}

_ASSIGN = "param_"  # the Python name of --param, which no wire name can take


def _help(param: Param, endpoint: Endpoint) -> str:
    default = param.default_for(endpoint)
    if default is None:
        return param.help
    return f"{param.help} Default: {'on' if default is True else default}."


def _metavar(param: Param, endpoint: Endpoint) -> str:
    """What stands for the value in `--help`: the choices where they are few."""
    if param.kind is Kind.CHOICE and len(param.values_on(endpoint)) < 5:
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
    """An option for each row that the endpoint takes, and --param."""
    made = []
    for param in PARAMS:
        if endpoint not in param.endpoints:
            continue
        flag = param.flag
        if param.kind in (Kind.FLAG, Kind.FLAG_OR_LIST):
            flag = f"{flag}/--no-{flag[2:]}"
        aliases = ["--" + alias.replace("_", "-") for alias in param.aliases] if param.hidden else []
        values = param.values_on(endpoint)
        typed = param.kind not in (Kind.FLAG, Kind.FLAG_OR_LIST)
        made.append(
            _option(
                param.name, _TYPES[param.kind], flag, *param.flags, *aliases,
                help=_help(param, endpoint),
                metavar=_metavar(param, endpoint) if typed else None,
                rich_help_panel=param.panel.value,
                hidden=param.hidden,
                autocompletion=_completion(values) if typed else None,
            )
        )  # fmt: skip
        if param.list_flag:
            made.append(
                _option(
                    f"{param.name}_list", list[str] | None, param.list_flag,
                    help=f"Restrict {param.flag} to this; repeatable.",
                    metavar="TAG", rich_help_panel=param.panel.value, autocompletion=_completion(values),
                )
            )  # fmt: skip
    made.append(
        _option(
            _ASSIGN, list[str] | None, "--param",
            help="Any other query parameter of the API, as KEY=VALUE; repeatable.",
            metavar="KEY=VALUE", rich_help_panel=Panel.DELIVERY.value,
        )
    )  # fmt: skip
    return made


def _collected(endpoint: Endpoint, values: dict[str, Any]) -> Params:
    """Take the table's options out of what Typer parsed."""
    given: dict[str, object] = {}
    for param in PARAMS:
        if endpoint not in param.endpoints:
            continue
        value = values.pop(param.name)
        if param.list_flag and (several := values.pop(f"{param.name}_list")):
            value = several
        if value is not None and value != []:
            given[param.name] = value
    return Params(given, tuple(values.pop(_ASSIGN) or ()), endpoint)


def _group_options(group: type) -> list[inspect.Parameter]:
    """An option for each field of a group of options."""
    hints = get_type_hints(group, include_extras=True)
    made = []
    for field in fields(group):
        annotation, option = hints[field.name].__origin__, hints[field.name].__metadata__[0]
        option.rich_help_panel = option.rich_help_panel or _PANELS.get(group, _GENERAL)
        option.show_default = False
        made.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if field.default is MISSING else field.default,
                annotation=Annotated[annotation, option],
            )
        )
    return made


def command(endpoint: Endpoint | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a function the flags that its parameters stand for: `Params`, and any group of options.

    What stands for no group keeps its own annotation. The result is what Typer registers.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        own: list[inspect.Parameter] = []
        flags: list[inspect.Parameter] = []
        groups: dict[str, type] = {}
        for parameter in inspect.signature(function).parameters.values():
            kind = hints[parameter.name]
            if kind is Params:
                assert endpoint is not None, "Params needs the endpoint whose options it has"
                groups[parameter.name] = Params
                flags += _table_options(endpoint)
            elif isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
                groups[parameter.name] = kind
                flags += _group_options(kind)
            else:
                own.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))

        @wraps(function)
        def run(**values: Any) -> None:
            arguments: dict[str, Any] = {}
            for name, group in groups.items():
                if group is Params:
                    assert endpoint is not None, "checked when the command was made"
                    arguments[name] = _collected(endpoint, values)
                else:
                    arguments[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
            function(**values, **arguments)

        run.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]  # Typer reads it
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *flags)}
        return run

    return decorate
