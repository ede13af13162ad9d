"""Where models are looked for, and that no file counts that is not what it should be."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from dgcli.api.hub.catalogue import CATALOGUE as REAL
from dgcli.api.hub.settings import HubSettings, hub_settings
from dgcli.api.hub.store import Store
from dgcli.errors import UsageError
from dgcli.tasks.models import ModelTasks
from tests.api.hub.conftest import Listener
from tests.api.hub.server import CATALOGUE, FILES, REVISION, SMALL, WEIGHTS, HubServer


@pytest.fixture
def store(settings: HubSettings, listener: Listener) -> Store:
    """A store over the small catalogue."""
    return Store(settings, CATALOGUE, listener.warning)


def put(folder: Path, **other: bytes) -> Path:
    """A model's files in a folder; `model_bin` and the like are other bytes than they should be."""
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(other.get(name.replace(".", "_"), data))
    return folder


def cached(settings: HubSettings, **other: bytes) -> Path:
    """The same as the hub's own library keeps it: blobs, and a snapshot of links to them."""
    folder = settings.caches[0] / "models--speech--small"
    blobs = put(folder / "blobs", **other)
    snapshot = folder / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    for blob in blobs.iterdir():
        (snapshot / blob.name).symlink_to(Path("..", "..", "blobs", blob.name))
    return snapshot


def test_a_model_of_the_hubs_cache_is_used(settings: HubSettings, store: Store) -> None:
    """What another program has fetched at the pinned revision is found, though its files are links."""
    snapshot = cached(settings)
    found = store.find(SMALL)
    assert found is not None
    assert (found.path, found.is_ours) == (snapshot, False)


def test_our_folder_comes_before_the_hubs_cache(settings: HubSettings, store: Store) -> None:
    """Where both have a model, ours is used."""
    cached(settings)
    folder = put(settings.folder / "small")
    found = store.find(SMALL)
    assert found is not None
    assert (found.path, found.is_ours) == (folder, True)


def test_a_wrong_file_of_ours_is_removed(settings: HubSettings, store: Store, listener: Listener) -> None:
    """Weights of the right size with other bytes are refused, removed, and named."""
    folder = put(settings.folder / "small", model_bin=WEIGHTS[::-1])
    assert store.find(SMALL) is None
    assert not (folder / "model.bin").exists()
    assert (folder / "config.json").exists()
    (warning,) = listener.warnings
    assert str(folder / "model.bin") in warning
    assert "removed" in warning


def test_a_wrong_file_of_others_is_left_alone(
    settings: HubSettings, store: Store, listener: Listener
) -> None:
    """The hub's cache is verified alike, but what is in it is not ours to remove; it is named once."""
    snapshot = cached(settings, model_bin=WEIGHTS[::-1])
    assert store.find(SMALL) is None
    assert store.find(SMALL) is None
    assert (snapshot / "model.bin").read_bytes() == WEIGHTS[::-1]
    assert len(listener.warnings) == 1


def test_only_the_missing_file_is_fetched(hub: HubServer, settings: HubSettings, tasks: ModelTasks) -> None:
    """After one file was refused, the others are not fetched again."""
    put(settings.folder / "small", model_bin=WEIGHTS[::-1])
    tasks.pull("small")
    assert [asked.file for asked in hub.asked] == ["model.bin"]


def test_a_digest_is_remembered_by_size_and_times(settings: HubSettings, store: Store) -> None:
    """A verified file is not read again until it changes: a mark for other bytes is believed until then."""
    path = put(settings.folder / "small") / "model.bin"
    assert store.find(SMALL)
    path.write_bytes(WEIGHTS[::-1])
    stat, record = path.stat(), settings.folder / "verified.json"
    marks = json.loads(record.read_bytes())
    assert list(marks) == [str(path)]
    marks[str(path)][:3] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    record.write_text(json.dumps(marks))
    assert store.find(SMALL)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as `touch -r` hides a change
    assert store.find(SMALL) is None


def test_a_fetched_file_is_not_read_again(tasks: ModelTasks, settings: HubSettings) -> None:
    """What was verified while it arrived is in the record."""
    tasks.pull("small")
    assert list(json.loads((settings.folder / "verified.json").read_bytes())) == [
        str(settings.folder / "small" / "model.bin")
    ]


@pytest.mark.parametrize("record", [b"", b"[]", b'{"x": 1}', b"\xff"])
def test_a_damaged_record_costs_only_a_look(settings: HubSettings, store: Store, record: bytes) -> None:
    """Whatever stands in the record, files are verified by their bytes."""
    put(settings.folder / "small")
    (settings.folder / "verified.json").write_bytes(record)
    assert store.find(SMALL)


def test_a_model_without_a_companion_is_not_there(settings: HubSettings, store: Store) -> None:
    """Weights alone are no model."""
    (put(settings.folder / "small") / "tokenizer.json").unlink()
    assert store.find(SMALL) is None


def test_the_environment_names_the_places(tmp_path: Path) -> None:
    """DGCLI_MODELS, and the hub's own variables in their order, say where models are."""
    home = {"HOME": str(tmp_path)}
    assert hub_settings({**home, "DGCLI_MODELS": str(tmp_path / "m")}).folder == tmp_path / "m"
    assert hub_settings({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}).caches == (Path("/a"),)
    assert hub_settings({"HF_HOME": "/b"}).caches == (Path("/b/hub"),)
    assert hub_settings({"XDG_CACHE_HOME": "/c"}).caches == (Path("/c/huggingface/hub"),)
    assert hub_settings({}).caches == (Path("~/.cache/huggingface/hub").expanduser(),)
    assert hub_settings({}).endpoint == "https://huggingface.co"
    assert hub_settings({"HF_ENDPOINT": "https://mirror.example/"}).endpoint == "https://mirror.example"
    with pytest.raises(UsageError, match="HF_ENDPOINT"):
        hub_settings({"HF_ENDPOINT": "mirror.example"})


@pytest.mark.parametrize(("value", "by"), [("1", "HF_HUB_OFFLINE"), ("true", "HF_HUB_OFFLINE"), ("0", None)])
def test_the_environment_says_offline(value: str, by: str | None) -> None:
    """HF_HUB_OFFLINE counts as the hub's library reads it, and the flag comes first."""
    assert hub_settings({"HF_HUB_OFFLINE": value}).offline == by
    assert hub_settings({"HF_HUB_OFFLINE": value}, offline=True).offline == "--offline"


def test_every_model_is_pinned() -> None:
    """Each model of the real catalogue has a revision, a digest for its weights, and what they need beside them."""
    assert len({spec.name for spec in REAL.models}) == len(REAL.models) == 12
    for spec in REAL.models:
        files = {file.name: file for file in spec.files}
        assert len(spec.revision) == 40
        assert len(files["model.bin"].sha256 or "") == 64
        assert (files["model.bin"].size or 0) > 75e6
        assert {"config.json", "tokenizer.json"} < set(files)
        assert {"vocabulary.txt", "vocabulary.json"} & set(files)
        assert ("preprocessor_config.json" in files) == ("v3" in spec.name or "distil" in spec.name)
    default = REAL.find(REAL.default)
    assert default is not None
    assert all(file.sha256 for file in default.files), "its other origin is a stranger's"
    assert [spec.name for spec in REAL.models if spec.wheel] == [REAL.default]


def test_a_folder_that_cannot_be_looked_at_has_no_model(settings: HubSettings, listener: Listener) -> None:
    """A cache of the hub that the system refuses to look at is one without models."""
    endless = Path("/", "a" * 300)
    store = Store(replace(settings, folder=endless, caches=(endless,)), CATALOGUE, listener.warning)
    assert store.all() == []
