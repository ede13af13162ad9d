"""Which model serves a request, and what is fetched without being asked for."""

import dataclasses
from pathlib import Path

import pytest

from dgcli.api.hub.settings import HubSettings
from dgcli.config import Config
from dgcli.errors import UsageError
from dgcli.tasks.models import ModelTasks, models_for
from tests.api.hub.conftest import Listener, tasks_for
from tests.api.hub.server import FILES, HubServer
from tests.api.hub.test_store import put

ALL = ("large-v3", "large-v3-turbo", "medium", "small.en", "small", "tiny.en", "tiny")


@pytest.mark.parametrize(
    ("here", "model", "language", "chosen"),
    [
        (ALL, "whisper-small", None, "small.en"),
        (ALL, "whisper-small", "en-US", "small.en"),
        (ALL, "whisper-small", "de", "small"),
        (ALL, "whisper-small", "detect", "small"),
        (ALL, "whisper", None, "medium"),
        (ALL, "whisper-large", None, "large-v3-turbo"),
        (ALL, "WHISPER-TINY", None, "tiny.en"),
        (ALL, "tiny", "multi", "tiny"),
        (ALL, "nova-3", None, "large-v3"),
        (ALL, None, "de", "large-v3"),
        (ALL, "base", None, "large-v3"),
        (ALL, "whisper-1", None, "large-v3"),
        (("small.en", "small", "tiny"), "nova-3", None, "small.en"),
        (("small.en", "tiny"), "nova-3", "de-CH", "tiny"),
        (("tiny.en", "tiny"), None, "en_GB", "tiny.en"),
        (("large-v3",), "whisper-large", "ja", "large-v3"),
        (("small",), "whisper-small", "en", "small"),
    ],
)
def test_the_model_that_serves_a_request(
    settings: HubSettings, tasks: ModelTasks, here: tuple[str, ...], model: str | None, language: str | None,
    chosen: str,
) -> None:  # fmt: skip
    """A Whisper model that is named serves, English by its English sibling; else the best for the language."""
    for name in here:
        put(settings.folder / name)
    local = tasks.models.choose(model, language)
    assert (local.name, local.path) == (chosen, settings.folder / chosen)
    assert local.english_only == chosen.endswith(".en")


@pytest.mark.parametrize(
    ("here", "model", "language", "message"),
    [
        ((), None, None, "No speech model is on this machine.*dg models pull tiny.en"),
        (("tiny.en",), "whisper-small", None, "whisper-small is not on this.*dg models pull whisper-small"),
        (("tiny.en",), None, "de", "knows the language 'de'.*dg models pull whisper-small"),
        (("tiny.en",), None, "detect", "knows more than English.*dg models pull whisper-small"),
        (("tiny.en",), "tiny.en", "fr", "tiny.en knows English only.*dg models pull whisper-small"),
        (("tiny.en",), "whisper-huge", None, "no Whisper model 'whisper-huge'; there are: whisper-large-v3"),
    ],
)
def test_what_no_model_serves_says_what_to_fetch(
    settings: HubSettings, tasks: ModelTasks, here: tuple[str, ...], model: str | None, language: str | None,
    message: str,
) -> None:  # fmt: skip
    """A request that no model here serves is a LookupError that names the command to run."""
    for name in here:
        put(settings.folder / name)
    with pytest.raises(LookupError, match=message):
        tasks.models.choose(model, language)


def test_available_models_come_best_first(settings: HubSettings, tasks: ModelTasks) -> None:
    """A server lists the models that are whole and right, the best first."""
    for name in ("tiny", "small"):
        put(settings.folder / name)
    put(settings.folder / "medium", model_bin=b"damaged")
    assert [model.name for model in tasks.models.available()] == ["small", "tiny"]


@pytest.mark.parametrize(("model", "language"), [(None, None), ("nova-3", "en"), ("whisper-tiny", None)])
def test_the_first_request_fetches_the_default_model(
    hub: HubServer,
    settings: HubSettings,
    tasks: ModelTasks,
    listener: Listener,
    model: str | None,
    language: str | None,
) -> None:
    """Where nothing is here, tiny.en is fetched by itself, once, and one line says so."""
    assert tasks.prepare(model, language).choose(model, language).name == "tiny.en"
    assert tasks.prepare(model, language).choose(model, language).name == "tiny.en"
    assert len(hub.asked) == len(FILES)
    (note,) = listener.notes
    assert note.startswith("Fetching the speech model tiny.en (")
    assert str(settings.folder) in note


@pytest.mark.parametrize(
    ("model", "language", "pull"),
    [
        ("whisper-small", None, "whisper-small"),
        (None, "de", "whisper-small"),
        ("tiny.en", "de", "whisper-small"),
    ],
)
def test_only_the_default_model_is_fetched_by_itself(
    hub: HubServer, tasks: ModelTasks, model: str | None, language: str | None, pull: str
) -> None:
    """Whatever else is needed is an error that names the command, and nothing is fetched."""
    with pytest.raises(UsageError) as failure:
        tasks.prepare(model, language)
    assert failure.value.hint == f"Fetch one, once, with: dg models pull {pull}"
    assert not hub.asked


def test_what_is_here_serves_without_a_network(settings: HubSettings, listener: Listener) -> None:
    """With a model here, neither the hub nor an index is asked, offline or not."""
    put(settings.folder / "small")
    offline = dataclasses.replace(settings, offline="--offline", endpoint="http://127.0.0.1:9")
    assert tasks_for(offline, listener).prepare("nova-3", None).choose("nova-3", None).name == "small"
    assert not listener.notes


def test_a_model_that_was_spoilt_is_fetched_again(
    hub: HubServer, settings: HubSettings, tasks: ModelTasks, listener: Listener
) -> None:
    """Where a file of the default model is not what it should be, it is removed and comes anew."""
    put(settings.folder / "tiny.en", vocabulary_txt=b"c\nd\n")
    tasks.prepare(None, None)
    assert [asked.file for asked in hub.asked] == ["vocabulary.txt"]
    assert len(listener.warnings) == 1


def test_rows_tell_where_models_are(settings: HubSettings, tasks: ModelTasks) -> None:
    """The list has every model, and where those are that are here."""
    put(settings.folder / "small")
    rows = {row.name: row.fields() for row in tasks.rows()}
    assert list(rows) == list(ALL)
    assert rows["small"]["path"] == str(settings.folder / "small")
    assert rows["small"]["managed"] is True
    assert rows["tiny.en"]["path"] is None
    assert rows["tiny.en"]["default"] is True


def test_a_removed_model_is_gone(settings: HubSettings, tasks: ModelTasks, listener: Listener) -> None:
    """Removing deletes the model, and what had arrived of it; there is none to remove after that."""
    folder = put(settings.folder / "small")
    (folder / "model.bin.part").write_bytes(b"x")
    tasks.remove("whisper-small")
    assert not folder.exists()
    with pytest.raises(UsageError, match="There is no small in"):
        tasks.remove("small")


def test_models_of_other_programs_are_not_removed(settings: HubSettings, tasks: ModelTasks) -> None:
    """A model of the hub's cache is named, and left alone."""
    from tests.api.hub.test_store import cached

    snapshot = cached(settings)
    with pytest.raises(UsageError) as failure:
        tasks.remove("small")
    assert str(snapshot) in (failure.value.hint or "")
    assert (snapshot / "model.bin").exists()


@pytest.mark.parametrize("name", ["nova-3", "whisper-huge", "../tiny", ""])
def test_an_unknown_model_is_refused(tasks: ModelTasks, name: str) -> None:
    """A name that the catalogue does not have is an error that lists those it has."""
    with pytest.raises(UsageError, match="There is no model") as failure:
        tasks.pull(name)
    assert "tiny.en" in (failure.value.hint or "")


def own(folder: Path, entries: int) -> Path:
    """A model of the user's own, with a vocabulary of so many entries."""
    path = put(folder)
    (path / "vocabulary.txt").write_bytes(b"word\n" * entries)
    return path


def test_a_model_of_ones_own_serves_everything(tmp_path: Path, listener: Listener) -> None:
    """--local-model is used whatever model is asked for, unverified, and one line says so."""
    path = own(tmp_path / "mine", 51865)
    models = models_for(Config(local_model=path), listener, model="whisper-small", language="de")
    assert models.choose("nova-3", "de").path == path
    assert models.choose("nova-3", "de").name == "mine"
    (note,) = listener.notes
    assert "nobody but you vouches" in note


def test_a_model_of_ones_own_may_know_english_only(tmp_path: Path, listener: Listener) -> None:
    """An English vocabulary, told by its size, is not asked for another language."""
    path = own(tmp_path / "mine", 51864)
    with pytest.raises(UsageError, match="knows English only"):
        models_for(Config(local_model=path), listener, language="de")


def test_a_folder_without_a_model_is_refused(tmp_path: Path, listener: Listener) -> None:
    """--local-model says what is missing."""
    with pytest.raises(UsageError, match=r"has no model\.bin"):
        models_for(Config(local_model=tmp_path), listener)
    with pytest.raises(UsageError, match="is no folder"):
        models_for(Config(local_model=tmp_path / "nowhere"), listener)
