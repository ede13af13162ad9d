"""The options of commands that ask about the account."""

from typing import Annotated

import typer

from dgcli.config import Config
from dgcli.options.groups import AccessOptions


class AccountOptions(AccessOptions):
    """The API's address, the credentials, and the project."""

    project: Annotated[
        str | None,
        typer.Option(
            help="Project to ask about, by id or name; else DEEPGRAM_PROJECT_ID, `project` of the config file, or "
            "the only one.",
            metavar="PROJECT",
        ),
    ] = None

    def config(self) -> Config:
        """Load the configuration. Raises `UsageError`."""
        return self.access_config(project=self.project)


JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")]
