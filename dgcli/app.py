"""The Typer root: the registry of commands, and the one place where errors become messages and exit codes."""

import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from dgcli import __version__
from dgcli.errors import BrokenPipe, DgError, Interrupted, OutputError, UsageError
from dgcli.system import stop_signals
from dgcli.terminal import forget
from dgcli.ui.console import Console


class CommandRow(NamedTuple):
    """A row of the registry: all that `dg --help` needs to know of a command.

    Its module, `dgcli.commands.NAME`, holds a function of that name, and is imported when the command runs.
    """

    name: str
    help: str


COMMANDS = (
    CommandRow("file", "Transcribe files, or standard input."),
    CommandRow("url", "Transcribe recordings that the API fetches itself."),
    CommandRow("live", "Transcribe a stream: a radio, a pipe, a file as it plays."),
    CommandRow("mic", "Transcribe the microphone while you speak."),
    CommandRow("devices", "List the microphones of this machine."),
    CommandRow("render", "Write a saved response in any format, without transcribing again."),
    CommandRow("align", "Put the words of a corrected text on the times of its response."),
    CommandRow("last", "Write what was transcribed last in any format, without transcribing again."),
    CommandRow("history", "List the answers that are kept on this machine, or delete them."),
    CommandRow("models", "List the speech models of the API and of this machine."),
    CommandRow("serve", "Run a Deepgram-compatible server on this machine."),
    CommandRow("callbacks", "Take the transcripts that the API sends to a callback."),
    CommandRow("login", "Keep an API key, in the system's keyring or a private file."),
    CommandRow("logout", "Forget the API key that login kept."),
    CommandRow("whoami", "Say which API key is used, and whether it works."),
    CommandRow("token", "Print a temporary token for a script."),
    CommandRow("usage", "Show the hours and requests of a project."),
    CommandRow("balance", "Show what is left of a project's credits."),
    CommandRow("requests", "Show the latest requests of a project."),
    CommandRow("doctor", "Find out why something does not work, and what to do."),
    CommandRow("config", "Show and change the settings of the config file."),
    CommandRow("completions", "Print the script that completes dg in your shell."),
)

# What a command line may begin with instead of a command, see `corrections`.
_NOT_COMMANDS = frozenset({"-v", "--verbose", "-q", "--quiet", "--base-url", "--profile", "help"})
_SETTINGS = {"help_option_names": ["-h", "--help"]}


def _names() -> list[str]:
    return [row.name for row in COMMANDS]


def _with_optional_values(args: Sequence[str], params: Sequence[Any]) -> list[str]:
    """The arguments, with an empty value for each option that stands without one and may: `--overlay [PORT]`.

    Typer's parser wants a value always. Such a value is a number, so that a file that follows is never taken for it.
    """
    options = [param for param in params if param.param_type_name == "option"]
    optional = {flag for option in options for flag in option.opts if (option.metavar or "").startswith("[")}
    end = args.index("--") if "--" in args else len(args)
    return [
        f"{arg}=" if at < end and arg in optional and not "".join(args[at + 1 : at + 2]).isdecimal() else arg
        for at, arg in enumerate(args)
    ]


class _CommandWithHelp(TyperCommand):
    """A command whose help page we lay out ourselves: -h is a short one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        self._is_short = "-h" in args
        return super().parse_args(ctx, _with_optional_values(args, self.params))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from dgcli.ui.help import format_help

        format_help(self, ctx, formatter, short=self._is_short)


def _real(name: str) -> Any:
    """Import a command with all its options."""
    function = getattr(import_module(f"dgcli.commands.{name}"), name)
    own = typer.Typer(add_completion=False, rich_markup_mode=None)
    own.command(name, cls=_CommandWithHelp, context_settings=_SETTINGS)(function)
    return typer.main.get_command(own)


class _Deferred(TyperCommand):
    """A placeholder in lists and help that imports its command when it runs."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        assert self.name, "every row of the registry has a name"
        return _real(self.name).make_context(info_name, args, parent, **extra)


class _Root(TyperGroup):
    """The root command `dg`: its commands come from the registry."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        return _names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        row = next((row for row in COMMANDS if row.name == cmd_name), None)
        return row and _Deferred(name=row.name, help=row.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("--") and not self.get_command(ctx, args[0]):
            from dgcli.corrections import command_line_for

            suggestion = command_line_for(args, _names())
            hint = f"Did you mean: {suggestion}" if suggestion else "See: dg --help"
            raise UsageError(f"{args[0]!r} is no command.", hint=hint)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from dgcli.ui.help import HelpEntry, Section, format_help

        rows = [HelpEntry(row.name, row.help) for row in COMMANDS]
        format_help(self, ctx, formatter, [Section("Commands", rows)])


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"dg {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=_Root,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=_SETTINGS,
    help="Speech to text from the command line, through Deepgram's API.",
    epilog="A key: https://console.deepgram.com, then dg login\n\nTry: dg file talk.wav --local\n\n"
    "More: dg COMMAND --help",
)


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", "-V", callback=_version, is_eager=True, help="Show the version and leave."
    ),
) -> None:
    """Do nothing: the command does the work."""


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a signal handler
    raise Interrupted(signal=number)


def _catch_signals() -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP leave through the error boundary, unless they are ignored (nohup)."""
    for number in stop_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _options_of(name: str) -> dict[str, bool]:
    """Return the flags of a command, each with whether its help shows it."""
    return {
        flag: not param.hidden
        for param in _real(name).params
        if param.param_type_name == "option"
        for flag in (*param.opts, *param.secondary_opts)
    }


def _placeholder(name: str, option: str | None) -> str | None:
    """Return what stands for the value of an option in the help of a command."""
    return next((param.metavar for param in _real(name).params if option in param.opts), None)


def _usage(error: typer.TyperException, args: Sequence[str]) -> UsageError:
    """Convert Typer's usage error to ours."""
    message = error.format_message().strip()
    command = next((arg for arg in args if not arg.startswith("-")), "")
    if command not in _names():
        context = getattr(error, "ctx", None)
        command = (context.command_path if context is not None else "").removeprefix("dg").strip()
    option = getattr(error, "option_name", None)
    context = getattr(error, "ctx", None)
    if option and context is not None and context.parent is None and message.startswith("No such option"):
        from dgcli.corrections import root_option_advice

        message, hint = root_option_advice(
            option,
            args,
            _options_of,
            lambda name, flag: not (_placeholder(name, flag) or "[").startswith("["),
            _names(),
        )
        return UsageError(message, hint=hint)
    if option and command and message.startswith("No such option"):
        from dgcli.corrections import option_advice

        message, hint = option_advice(option, command, _options_of, _names())
        return UsageError(message, hint=hint)
    message = message if message.endswith((".", "?", "!")) else message + "."
    if command and message.startswith("Got unexpected"):
        from dgcli.corrections import surplus_advice

        if (advice := surplus_advice(message, command)) is not None:
            return UsageError(advice[0], hint=advice[1])
    if command and (option or message.startswith("Invalid value")):
        from dgcli.corrections import value_advice

        message = value_advice(message, _placeholder(command, option))
    return UsageError(
        message,
        hint=f"See: {' '.join(filter(None, ('dg', command)))} --help",
    )


def _console(args: Sequence[str]) -> Console:
    """Create a console for errors; -v counts even where the command line could not be parsed."""
    return Console(verbose=any(arg in ("-v", "--verbose") for arg in args))


def _bug(error: Exception, console: Console) -> DgError:
    """Describe an unexpected exception, with what a bug report needs."""
    if console.verbose:
        import traceback

        traceback.print_exception(error)
    hint = None if console.verbose else "Run the same with -v and report what it prints."
    return DgError(f"This is a bug in dg {__version__}: {type(error).__name__}: {error}", hint=hint)


def run(args: Sequence[str]) -> int:
    """Run the command line `args`; return the exit code."""
    console = _console(args)
    try:
        _catch_signals()
        if args and args[0].partition("=")[0] in _NOT_COMMANDS:
            from dgcli.corrections import reordered

            args = reordered(args, _names())
        result = app(args=list(args) or ["--help"], prog_name="dg", standalone_mode=False)
        sys.stdout.flush()
    except DgError as error:
        failure = error
    except typer.TyperException as error:
        failure = _usage(error, args)
    except (KeyboardInterrupt, typer.Abort):
        failure = Interrupted()
    except SystemExit:  # how Typer leaves when the reader of --help has gone
        failure = BrokenPipe()
    except OSError as error:
        # What Typer prints has no place; a file that cannot be used has a name and an error of ours.
        pathless = error.filename is None
        failure = (
            OutputError(f"Standard output cannot be written: {error.strerror}.")
            if pathless
            else _bug(error, console)
        )
    except Exception as error:
        failure = _bug(error, console)
    else:
        return result if isinstance(result, int) else 0
    if isinstance(failure, BrokenPipe | OutputError):
        forget(sys.stdout)
    if not isinstance(failure, BrokenPipe) or failure.kept:
        console.error(failure)
    return failure.exit_code
