"""`dg serve`: the local server in the foreground, until it is told to stop."""

from typing import Any

from dgcli.config import Config
from dgcli.tasks.reporter import Reporter


def _warning(host: str, require_key: str | None) -> str | None:
    """What whoever opens the server to others without a key must know."""
    from dgcli.visitors import is_loopback

    if require_key is not None or is_loopback(host):
        return None
    return f"Whoever reaches {host} can use this server: give it a key with --require-key KEY."


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

    def ready(base_url: str) -> None:
        reporter.note(f"Listening on {base_url}  (Ctrl-C stops it)")
        if (warning := _warning(made.host, made.require_key)) is not None:
            reporter.warning(warning)

    run(made, on_ready=ready, quiet=reporter.quiet)
