"""The models of the API: asked for, the newest first, and their names kept for completion."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dgcli.config import Config
from dgcli.errors import OutputError
from dgcli.output.files import write_file
from dgcli.params import BY_NAME
from dgcli.transcript.json_values import mappings, string

_DAY = 86400.0  # seconds
_FAMILIES = ("nova-3", "nova-2")  # named without a variant: what most people use


@dataclass(frozen=True, slots=True)
class ApiModel:
    """A model for speech to text, all its versions and languages together."""

    name: str  # for --model
    languages: tuple[str, ...]
    version: str  # the newest
    batch: bool
    streaming: bool

    @property
    def uses(self) -> str:
        """What it transcribes."""
        return ", ".join(use for use, can in (("batch", self.batch), ("streaming", self.streaming)) if can)

    def speaks(self, language: str) -> bool:
        """Whether it knows a language; `de` is any German, `de-CH` also that of all Germans."""
        wanted = language.lower()
        known = [tag.lower() for tag in self.languages]
        return any(
            tag == wanted or tag.split("-")[0] == wanted or tag == wanted.split("-")[0] for tag in known
        )


def _merged(entries: Iterable[Mapping[str, Any]]) -> Sequence[ApiModel]:
    """Return the models of an answer: of each name one, the newest first."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if name := string(entry.get("canonical_name")) or string(entry.get("name")):
            by_name.setdefault(name, []).append(entry)
    models = []
    for name, versions in by_name.items():
        languages = {
            language: None
            for version in versions
            if isinstance(version.get("languages"), list)
            for language in version["languages"]
            if isinstance(language, str)
        }
        models.append(
            ApiModel(
                name,
                tuple(sorted(languages)),
                max(string(version.get("version")) for version in versions),
                batch=any(version.get("batch") is True for version in versions),
                streaming=any(version.get("streaming") is True for version in versions),
            )
        )
    return sorted(sorted(models, key=lambda model: model.name), key=lambda model: model.version, reverse=True)


def _cache(config: Config) -> Path:
    """Return the file that keeps the names of a host's models."""
    from platformdirs import user_cache_path

    host = quote(config.base_url.partition("://")[2], safe="")
    return user_cache_path("dgcli", appauthor=False) / f"models-{host}.json"


@dataclass(frozen=True, slots=True)
class ModelList:
    """The models of the API, as values and as the API has them."""

    models: Sequence[ApiModel]
    answer: Sequence[Mapping[str, Any]]


def api_models(config: Config, *, outdated: bool = False) -> ModelList:
    """Ask the API for its models; keep the names for completion. Raises `ApiError`, `NetworkError`, `UsageError`."""
    from dgcli.api.management import Management

    with Management(config, with_key=False, timeout=10.0, tries=1) as api:
        answer = list(mappings(api.models(outdated=outdated).fields.get("stt")))
    models = _merged(answer)
    if models and not outdated:
        path = _cache(config)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            names = [model.name for model in models]
            write_file(
                path, json.dumps({"at": time.time(), "names": names}).encode(), durable=False, private=True
            )
        except (OSError, OutputError):
            pass  # completion then has the names that it always has
    return ModelList(models, answer)


def known_names(config: Config) -> Sequence[str]:
    """Return names for completion without asking anybody: those asked for within a day, and those built in."""
    names: list[str] = []
    try:
        kept = json.loads(_cache(config).read_bytes())
        if 0 <= time.time() - kept["at"] < _DAY:
            names = [name for name in kept["names"] if isinstance(name, str) and name.isprintable()]
    except (OSError, ValueError, KeyError, TypeError):
        names = []
    return list(dict.fromkeys((*_FAMILIES, *names, *BY_NAME["model"].values)))
