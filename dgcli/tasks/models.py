"""The speech models of the local recogniser: which serves a request, and how one comes here and goes."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from dgcli.api.hub.catalogue import CATALOGUE, Catalogue, ModelSpec
from dgcli.api.hub.fetch import FetchReport, ModelFetcher
from dgcli.api.hub.settings import HubSettings, hub_settings
from dgcli.api.hub.store import Store, StoredModel
from dgcli.config import Config
from dgcli.errors import OutputError, UsageError
from dgcli.server.models import LocalModel, Models, OneModel
from dgcli.tasks.reporter import Reporter

_MULTILINGUAL_PULL = "whisper-small"  # what is worth its size for most languages, and still runs on a laptop
_ENGLISH_VOCABULARY = 51864  # entries; a multilingual model has more
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


class NoModelError(LookupError):
    """No model on this machine serves a request; `pull` is the name to fetch, None where none would help."""

    def __init__(self, message: str, pull: str | None) -> None:
        super().__init__(f"{message} Fetch one with: dg models pull {pull}" if pull else message)
        self.message = message
        self.pull = pull


def _is_english(language: str | None) -> bool:
    return language is None or language.lower().split("-")[0].split("_")[0] == "en"


def _model_name(model: str | None) -> str:
    return (model or "").strip().lower()


class LocalModels:
    """The models on this machine, as a server asks for them. May be used from several threads."""

    def __init__(self, store: Store, catalogue: Catalogue = CATALOGUE) -> None:
        self._store = store
        self._catalogue = catalogue

    @staticmethod
    def _value(stored: StoredModel) -> LocalModel:
        return LocalModel(stored.spec.name, stored.path, stored.spec.english_only)

    def available(self) -> Sequence[LocalModel]:
        """Return the models on this machine, the best first. A model is read through when it is first met."""
        return [self._value(stored) for stored in self._store.all()]

    def _candidates(self, model: str | None, language: str | None) -> Sequence[ModelSpec]:
        """Return the models that may serve a request, the most fitting first. Raises `NoModelError`."""
        english = _is_english(language)
        name = _model_name(model)
        if not self._catalogue.is_whisper(name):
            return [spec for spec in self._catalogue.models if english or not spec.english_only]
        specs = self._catalogue.serving(name, english=english)
        if specs:
            return specs
        if self._catalogue.find(name) is None:
            names = ", ".join(f"whisper-{spec.name}" for spec in self._catalogue.models)
            raise NoModelError(f"There is no Whisper model {model!r}; there are: {names}.", None)
        raise NoModelError(f"The model {model} knows English only.", _MULTILINGUAL_PULL)

    def choose(self, model: str | None, language: str | None) -> LocalModel:
        """Return the model that serves a request; as `Models.choose`. Raises `NoModelError`, a `LookupError`."""
        for spec in self._candidates(model, language):
            if stored := self._store.find(spec):
                return self._value(stored)
        if self._catalogue.is_whisper(_model_name(model)):
            raise NoModelError(f"The model {model} is not on this machine.", model)
        if not _is_english(language):
            known = "more than English" if language in ("multi", "detect") else f"the language {language!r}"
            raise NoModelError(f"No model on this machine knows {known}.", _MULTILINGUAL_PULL)
        raise NoModelError("No speech model is on this machine.", self._catalogue.default)

    def is_served_by(self, spec: ModelSpec, model: str | None, language: str | None) -> bool:
        """Whether a model would serve a request if it were here."""
        try:
            return spec in self._candidates(model, language)
        except NoModelError:
            return False


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model of the list: where it is, None for nowhere; `is_ours` where it lies in our folder."""

    name: str
    size: int
    english_only: bool
    path: Path | None
    is_ours: bool
    is_default: bool

    def fields(self) -> Mapping[str, object]:
        """Return the row as JSON has it."""
        return {
            "name": self.name,
            "languages": ["en"] if self.english_only else ["multi"],
            "bytes": self.size,
            "path": None if self.path is None else str(self.path),
            "managed": self.is_ours,
            "default": self.is_default,
        }


class ModelTasks:
    """Fetches, lists and removes models. `catalogue` and `fetcher` may be others than the usual ones."""

    def __init__(
        self,
        settings: HubSettings,
        reporter: Reporter,
        *,
        catalogue: Catalogue = CATALOGUE,
        fetcher: Callable[[HubSettings, Store, FetchReport], ModelFetcher] = ModelFetcher,
    ) -> None:
        self._settings = settings
        self._reporter = reporter
        self._catalogue = catalogue
        self._store = Store(settings, catalogue, reporter.warning)
        self._fetcher = fetcher(settings, self._store, FetchReport(reporter.note, reporter.detail))
        self.models = LocalModels(self._store, catalogue)

    def _spec(self, name: str) -> ModelSpec:
        spec = self._catalogue.find(name)
        if spec is None:
            raise UsageError(
                f"There is no model {name!r}.",
                hint=f"Models: {', '.join(each.name for each in self._catalogue.models)}.",
            )
        return spec

    def _fetch(self, spec: ModelSpec) -> Path:
        def showing() -> AbstractContextManager[Callable[[int], None]]:
            self._reporter.note(
                f"Fetching the speech model {spec.name} ({spec.size / 1e6:,.0f} MB), once, into "
                f"{self._settings.folder}"
            )
            return self._reporter.download(spec.name, spec.size)

        return self._fetcher.fetch(spec, showing)

    def pull(self, name: str) -> None:
        """Fetch a model. Raises `UsageError`, `NetworkError`, `OutputError`."""
        spec = self._spec(name)
        if stored := self._store.find(spec):
            self._reporter.note(f"{spec.name} is here: {stored.path}")
            return
        path = self._fetch(spec)
        self._reporter.note(f"{spec.name} is in {path}")

    def rows(self) -> Sequence[ModelRow]:
        """Return all models of the catalogue, the best first, and where they are on this machine."""
        stored = {each.spec.name: each for each in self._store.all()}
        rows = []
        for spec in self._catalogue.models:
            here = stored.get(spec.name)
            rows.append(
                ModelRow(
                    name=spec.name,
                    size=spec.size,
                    english_only=spec.english_only,
                    path=here.path if here else None,
                    is_ours=bool(here and here.is_ours),
                    is_default=spec.name == self._catalogue.default,
                )
            )
        return rows

    def remove(self, name: str) -> None:
        """Delete a model from our folder. Raises `UsageError` where it is not there, `OutputError`."""
        spec = self._spec(name)
        removed = False
        if os.path.isdir(self._settings.folder):
            try:
                with self._fetcher.locked(spec):
                    removed = self._store.remove(spec)
            except OSError as error:
                raise OutputError(f"{self._settings.folder} cannot be written: {error.strerror}.") from error
        if not removed:
            stored = self._store.find(spec)
            where = f"{stored.path} belongs to another program." if stored else "See: dg models local"
            raise UsageError(f"There is no {spec.name} in {self._settings.folder}.", hint=where)
        self._reporter.note(f"{spec.name} is removed.")

    def prepare(self, model: str | None, language: str | None) -> LocalModels:
        """Return the models of this machine, of which one serves the request.

        The default model is fetched where it would serve and nothing that would is here. Raises `UsageError` when
        another one is needed; and as `pull`.
        """
        try:
            self.models.choose(model, language)
        except NoModelError as error:
            default = self._spec(self._catalogue.default)
            if not self.models.is_served_by(default, model, language):
                hint = f"Fetch one, once, with: dg models pull {error.pull}" if error.pull else None
                raise UsageError(error.message, hint=hint) from error
            self._fetch(default)
        return self.models


def _own_model(path: Path) -> LocalModel:
    """Return a model of the user's own. Raises `UsageError` when it cannot be one."""
    missing = [name for name in _NEEDED if not os.path.isfile(path / name)]
    if missing:
        what = f"has no {missing[0]}" if os.path.isdir(path) else "is no folder"
        raise UsageError(
            f"{path} {what}: it is no model.",
            hint="--local-model takes a folder with a Whisper model for faster-whisper (CTranslate2).",
        )
    return LocalModel(path.resolve().name, path, english_only=_entries(path) == _ENGLISH_VOCABULARY)


def _entries(path: Path) -> int:
    """Return the size of a model's vocabulary; 0 where that cannot be read."""
    try:
        if (path / "vocabulary.json").is_file():
            return len(json.loads((path / "vocabulary.json").read_bytes()))
        return len((path / "vocabulary.txt").read_bytes().splitlines())
    except (OSError, ValueError, TypeError):
        return 0  # the recogniser will say what is wrong with it


def needs_models(engine: str) -> bool:
    """Whether a recogniser of the server loads models."""
    return engine == "whisper"


def models_for(
    config: Config,
    reporter: Reporter,
    *,
    model: str | None = None,
    language: str | None = None,
) -> Models:
    """Return what a local server finds its models with, after fetching the default one where that is needed.

    `model` and `language` are those of the request that is to be served first. The user's own model serves
    everything, unverified, which is told. Raises as `ModelTasks.prepare`.
    """
    if config.local_model is not None:
        own = OneModel(_own_model(config.local_model))
        try:
            own.choose(model, language)
        except LookupError as error:
            raise UsageError(str(error), hint="Leave --local-model out, or --language.") from error
        reporter.note(
            f"The model in {config.local_model} is used as it is: nobody but you vouches for its files."
        )
        return own
    return _tasks(config, reporter).prepare(model, language)


def _tasks(config: Config, reporter: Reporter) -> ModelTasks:
    settings = hub_settings(os.environ, offline=config.offline, ca_cert=config.ca_cert)
    return ModelTasks(settings, reporter)


def list_models(config: Config, reporter: Reporter) -> Sequence[ModelRow]:
    """Return all models, the best first, and where those are that are here."""
    return _tasks(config, reporter).rows()


def pull_model(name: str, config: Config, reporter: Reporter) -> None:
    """Fetch a model by its name, or one of the API's. Raises `UsageError`, `NetworkError`, `OutputError`."""
    _tasks(config, reporter).pull(name)


def remove_model(name: str, config: Config, reporter: Reporter) -> None:
    """Delete a model that was fetched. Raises `UsageError`, `OutputError`."""
    _tasks(config, reporter).remove(name)
