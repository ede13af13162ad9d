"""`dg serve`: the local server in the foreground, until it is told to stop."""

from typing import Any

from dgcli.config import Config
from dgcli.tasks.reporter import Reporter


def serve(config: Config, reporter: Reporter, **settings: Any) -> None:
    """Serve until a signal comes; `settings` are fields of `ServerSettings`.

    `config` says which models there are; the default one is fetched where there is none. Raises `UsageError`,
    `NetworkError` and `OutputError`.
    """
    from dgcli.server.run import ServerSettings
    from dgcli.server.run import serve as run
    from dgcli.tasks.models import models_for, needs_models

    made = ServerSettings(**settings)
    if needs_models(made.engine):
        made = ServerSettings(**settings, models=models_for(config, reporter))
    run(
        made,
        on_ready=lambda base_url: reporter.note(f"Listening on {base_url}  (Ctrl-C stops it)"),
        quiet=reporter.quiet,
    )
