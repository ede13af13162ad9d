"""The recognisers of the local server; base.py says what one is and how to add another."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dgcli.server.engines.base import Engine
    from dgcli.server.settings import ServerSettings


def _whisper(settings: "ServerSettings") -> "Engine":
    from dgcli.errors import UsageError
    from dgcli.server.engines.local import WhisperEngine

    if settings.models is None:
        raise UsageError("The local recogniser has no model.", hint="Get one with: dg models pull tiny.en")
    return WhisperEngine(settings.models, settings.workers, settings.max_seconds)


def _replay(settings: "ServerSettings") -> "Engine":
    from dgcli.errors import UsageError
    from dgcli.server.engines.replay import ReplayEngine

    if settings.response is None:
        raise UsageError(
            "The replay engine needs a saved response.", hint="Name one with --response FILE (a JSON answer)."
        )
    return ReplayEngine(settings.response)


def _count(_: "ServerSettings") -> "Engine":
    from dgcli.server.engines.count import CountEngine

    return CountEngine()


def registry() -> Mapping[str, Callable[["ServerSettings"], "Engine"]]:
    """Return the engines by name; each value builds its engine from the settings."""
    return {
        "whisper": _whisper,
        "replay": _replay,
        "count": _count,
    }
