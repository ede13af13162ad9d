"""`dg serve`: the local server in the foreground, until it is told to stop."""

from typing import Any

from dgcli.tasks.reporter import Reporter


def serve(reporter: Reporter, **settings: Any) -> None:
    """Serve until a signal comes; `settings` are fields of `ServerSettings`. Raises `UsageError`."""
    from dgcli.server.run import ServerSettings
    from dgcli.server.run import serve as run

    run(
        ServerSettings(**settings),
        on_ready=lambda base_url: reporter.note(f"Listening on {base_url}  (Ctrl-C stops it)"),
        quiet=reporter.quiet,
    )
