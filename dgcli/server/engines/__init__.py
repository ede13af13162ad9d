"""The recognisers of the local server; base.py says what one is and how to add another."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dgcli.server.engines.base import Engine
    from dgcli.server.settings import ServerSettings


def _pocketsphinx(settings: "ServerSettings") -> "Engine":
    from dgcli.server.engines.pocketsphinx import PocketsphinxEngine

    return PocketsphinxEngine(workers=settings.workers)


def _replay(settings: "ServerSettings") -> "Engine":
    from dgcli.errors import UsageError
    from dgcli.server.engines.replay import ReplayEngine

    if settings.response is None:
        raise UsageError(
            "The replay engine needs a saved response.", hint="Name one with --response FILE (a JSON answer)."
        )
    return ReplayEngine(settings.response)


def registry() -> Mapping[str, Callable[["ServerSettings"], "Engine"]]:
    """Return the engines by name; each value builds its engine from the settings."""
    return {
        "pocketsphinx": _pocketsphinx,
        "replay": _replay,
    }
