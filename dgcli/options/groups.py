"""The groups of options that commands share: every attribute of one is a flag.

A group's `panel` is the heading under which its flags stand in `--help`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from dgcli.config import DEFAULT_RETRIES, DEFAULT_TIMEOUT, Config, load
from dgcli.errors import UsageError
from dgcli.options.machinery import OptionGroup
from dgcli.ui.console import Console

_CONNECTION, _OUTPUT = "Connection", "Output"


class AccessOptions(OptionGroup):
    """The API's address and the credentials."""

    panel = _CONNECTION

    api_key: Annotated[
        str | None,
        typer.Option(help="API key; else DEEPGRAM_API_KEY, the config file or dg login.", metavar="KEY"),
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
        str | None, typer.Option(help="Profile of the config file; else DGCLI_PROFILE.", metavar="PROFILE")
    ] = None
    allow_http: Annotated[
        bool | None,
        typer.Option("--allow-http", help="Send the key in clear text to a self-hosted server."),
    ] = None
    ca_cert: Annotated[
        str | None, typer.Option(help="Certificate authorities to trust; else SSL_CERT_FILE.", metavar="FILE")
    ] = None

    def access_config(self, **more: object) -> Config:
        """Load the configuration of these flags, the environment and the config file. Raises `UsageError`."""
        given = {name: getattr(self, name) for name in AccessOptions.names() if name != "profile"}
        config = load({**given, **more}, profile=self.profile)
        if config.warning:
            from dgcli.ui.console import Console

            Console().warning(config.warning)
        return config


_LocalModel = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a Whisper model of your own for --local, which nobody verifies.", metavar="DIR"
    ),
]
_Offline = Annotated[bool, typer.Option("--offline", help="Fetch no model for --local; else HF_HUB_OFFLINE.")]


def _go_with_local(local: bool, model: Path | None, *, offline: bool) -> None:
    """Raise `UsageError` for flags that say nothing without --local."""
    for flag, value in (("--local-model", model), ("--offline", offline)):
        if value and not local:
            raise UsageError(f"{flag} goes with --local.", hint="Add --local, or leave it out.")


class LocalOptions(OptionGroup):
    """The recogniser of this machine, for what no API does."""

    panel = _CONNECTION

    local: Annotated[
        bool,
        typer.Option(
            "--local", help="Look for new words in the recording of --audio, with a model of this machine."
        ),
    ] = False
    local_model: _LocalModel = None
    offline: _Offline = False

    def config(self) -> Config | None:
        """Load the configuration, `None` without --local. Raises `UsageError`."""
        _go_with_local(self.local, self.local_model, offline=self.offline)
        if not self.local:
            return None
        own = {"local": True, "local_model": self.local_model, "offline": self.offline or None}
        return load(own, profile=None)


class ConnectionOptions(AccessOptions):
    """The API's address and the credentials, or this machine."""

    local: Annotated[
        bool,
        typer.Option("--local", help="Transcribe on this machine: no key, no network. See dg models local."),
    ] = False
    local_model: _LocalModel = None
    offline: _Offline = False

    def config(self, **more: object) -> Config:
        """Load the configuration of these flags, the environment and the config file. Raises `UsageError`."""
        _go_with_local(self.local, self.local_model, offline=self.offline)
        if self.local and self.base_url:
            raise UsageError("--base-url and --local exclude each other.", hint="Leave one of them out.")
        own = {"local": self.local, "local_model": self.local_model, "offline": self.offline or None}
        return self.access_config(**own, **more)


class RetryOptions(OptionGroup):
    """Retry options: how long to wait, and how often to try."""

    panel = _CONNECTION

    timeout: Annotated[
        float | None,
        typer.Option(
            help=f"Seconds to wait for the transcript after the upload. Default: {DEFAULT_TIMEOUT:g}.",
            metavar="SECONDS",
        ),
    ] = None
    retries: Annotated[
        int | None,
        typer.Option(
            help="Further tries after a lost connection or a busy server; one that comes after a whole "
            f"upload may be billed again. Default: {DEFAULT_RETRIES}.",
            metavar="N",
        ),
    ] = None

    def settings(self) -> Mapping[str, object]:
        """Return the given values by the names of Config's fields."""
        return {"timeout": self.timeout, "retries": self.retries}


class HistoryOptions(OptionGroup):
    """Whether answers are kept on this machine."""

    panel = _OUTPUT

    history: Annotated[
        bool | None,
        typer.Option(
            "--history/--no-history",
            help="Keep the answer on this machine, for dg last and dg history. Default: on.",
        ),
    ] = None

    def settings(self) -> Mapping[str, object]:
        """Return the given values by the names of Config's fields."""
        return {"history": self.history}


class GeneralOptions(OptionGroup):
    """The verbosity on stderr."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False

    def console(self) -> Console:
        """Create the console for the command's messages."""
        return Console(quiet=self.quiet, verbose=self.verbose)
