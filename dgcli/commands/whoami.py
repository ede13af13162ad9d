"""`dg whoami`: which key is used, and whether it works."""

from typing import TYPE_CHECKING

from dgcli.options.account import JsonOption
from dgcli.options.groups import AccessOptions, GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_json, write_stdout

if TYPE_CHECKING:
    from dgcli.tasks.login import KeyStatus


def _table(status: "KeyStatus") -> str:
    from dgcli.ui.table import aligned

    kind = "Token" if status.is_token else "Key"
    works = {True: "yes", False: "no", None: "not known: this host does not say"}[status.works]
    rows = [(kind, f"...{status.last_four}, from {status.source}"), ("Host", status.base_url)]
    rows += [
        ("Project", " ".join(filter(None, (project["name"], f"({project['project_id']})"))))
        for project in status.projects
    ]
    return aligned([*rows, ("Works", works)])


@command()
def whoami(access: AccessOptions, general: GeneralOptions, json: JsonOption = False) -> None:  # noqa: ARG001 - -q, -v
    """Say which API key is used, where it is from, its last four characters, its project, and whether it works.

    Nothing is billed. The exit code is 0 where the key works or the host does not say.
    """
    from dgcli.tasks.login import key_status

    status = key_status(access.access_config())
    if json:
        write_json(status.fields())
    else:
        write_stdout(_table(status).encode())
    if status.error is not None and status.works is False:
        raise status.error
