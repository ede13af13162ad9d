"""The folders and origins of models, as the environment names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dgcli.config.file import home_path
from dgcli.errors import UsageError

_DEFAULT_ENDPOINT = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class HubSettings:
    """The settings for finding and fetching models.

    `folder` is ours. `caches` are folders that other programs keep the hub's models in; they are only read.
    `offline` says what forbids the network: a flag, a variable, None for nothing.
    """

    folder: Path
    caches: tuple[Path, ...] = ()
    endpoint: str = _DEFAULT_ENDPOINT
    offline: str | None = None
    ca_cert: Path | None = None


def _caches(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the cache of the hub's own library. Source: huggingface_hub, "Environment variables"."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if named := environ.get(variable):
            return (home_path(named),)
    if home := environ.get("HF_HOME"):
        return (home_path(home) / "hub",)
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return (home_path(cache) / "huggingface" / "hub",)


def _offline(environ: Mapping[str, str], flag: bool) -> str | None:
    if flag:
        return "--offline"
    if environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return "HF_HUB_OFFLINE"
    return None


def _endpoint(environ: Mapping[str, str]) -> str:
    endpoint = (environ.get("HF_ENDPOINT") or _DEFAULT_ENDPOINT).strip().rstrip("/")
    if not endpoint.lower().startswith(("https://", "http://")):
        raise UsageError(
            f"HF_ENDPOINT is no URL: {endpoint!r}.", hint=f"It looks like {_DEFAULT_ENDPOINT}; or unset it."
        )
    return endpoint


def hub_settings(
    environ: Mapping[str, str], *, offline: bool = False, ca_cert: Path | None = None
) -> HubSettings:
    """Return the settings for one run. Raises `UsageError` for an HF_ENDPOINT that is no URL."""
    if named := environ.get("DGCLI_MODELS"):
        folder = home_path(named)
    else:
        from platformdirs import user_data_path

        folder = user_data_path("dgcli", appauthor=False) / "models"
    return HubSettings(
        folder=folder,
        caches=_caches(environ),
        endpoint=_endpoint(environ),
        offline=_offline(environ, offline),
        ca_cert=ca_cert,
    )
