"""Models from the hub: whole or not at all, continued, verified, and from wherever redirects lead."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dgcli.api.hub.download import DownloadLimits, Hub
from dgcli.api.hub.origin import OriginFailed
from dgcli.api.hub.settings import HubSettings
from dgcli.errors import NetworkError, OutputError, UsageError
from dgcli.tasks.models import ModelTasks
from tests.api.hub.conftest import Listener, tasks_for
from tests.api.hub.server import FILES, REVISION, SMALL, WEIGHTS, Behaviour, HubServer
from tests.conftest import ROOT


def assert_whole(folder: Path) -> None:
    """All files of a model are there, right, and nothing else is."""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def parts(folder: Path) -> list[str]:
    """What is there of a model, whole or not."""
    return sorted(path.name for path in (folder / "small").glob("*"))


def test_a_model_is_fetched_at_its_revision(
    hub: HubServer,
    tasks: ModelTasks,
    settings: HubSettings,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All files come from the pinned revision, one line says so, and no key of ours is sent along."""
    monkeypatch.setenv("DEEPGRAM_API_KEY", "secret-key")
    tasks.pull("whisper-small")
    assert_whole(settings.folder / "small")
    assert {asked.path for asked in hub.asked} == {
        f"/speech/small/resolve/{REVISION}/{name}" for name in FILES
    }
    assert not any("secret-key" in value for asked in hub.asked for value in asked.headers.values())
    assert not any("authorization" in asked.headers for asked in hub.asked)
    assert sum("Fetching" in note for note in listener.notes) == 1


def test_progress_grows_to_the_size_of_the_model(tasks: ModelTasks, listener: Listener) -> None:
    """The bar is told ever more bytes, of all files together, up to the size of the model."""
    tasks.pull("small")
    assert listener.shown == [("small", SMALL.size)]
    assert listener.progress == sorted(listener.progress)
    assert listener.progress[-1] == SMALL.size


def test_a_model_is_fetched_once(hub: HubServer, tasks: ModelTasks) -> None:
    """What is here is not asked for again."""
    tasks.pull("small")
    count = len(hub.asked)
    tasks.pull("small")
    assert len(hub.asked) == count == len(FILES)


def test_redirects_are_followed_to_another_host(
    hub: HubServer, other_hub: HubServer, tasks: ModelTasks, settings: HubSettings
) -> None:
    """A file may lie elsewhere, and be continued there: the range goes along."""
    elsewhere = Behaviour(302, location=other_hub.url + "{path}")
    hub.script["model.bin"] = [elsewhere, elsewhere]
    other_hub.script["model.bin"] = [Behaviour(cut=100_000)]
    tasks.pull("small")
    assert_whole(settings.folder / "small")
    assert [asked.headers.get("range") for asked in other_hub.asked] == [None, "bytes=100000-"]


def test_redirects_in_a_circle_end(hub: HubServer, tasks: ModelTasks) -> None:
    """A hub that redirects to itself for ever is given up."""
    hub.script["model.bin"] = [Behaviour(302, location="{path}")] * 20
    with pytest.raises(NetworkError, match="redirects in a circle"):
        tasks.pull("small")


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "http://[", "file:///etc/passwd"])
def test_redirects_to_nowhere_are_refused(hub: HubServer, tasks: ModelTasks, location: str) -> None:
    """Only addresses of HTTP are followed."""
    hub.script["model.bin"] = [Behaviour(302, location=location)] * 9
    with pytest.raises(NetworkError, match="model small cannot be fetched"):
        tasks.pull("small")


def test_what_broke_off_is_continued(hub: HubServer, tasks: ModelTasks, settings: HubSettings) -> None:
    """Connections that end early cost only the bytes that did not come."""
    hub.script["model.bin"] = [Behaviour(cut=50_000)] * 4
    tasks.pull("small")
    assert_whole(settings.folder / "small")
    assert sum(asked.sent for asked in hub.asked if asked.file == "model.bin") == len(WEIGHTS)


def test_what_broke_off_is_continued_by_the_next_run(
    hub: HubServer, tasks: ModelTasks, settings: HubSettings
) -> None:
    """A run that gives up leaves what came, under no name that counts, and the next one goes on from there."""
    hub.script["model.bin"] = [Behaviour(cut=120_000), *[Behaviour(cut=0)] * 3]
    with pytest.raises(NetworkError, match="broke off at 120,000 bytes"):
        tasks.pull("small")
    assert parts(settings.folder) == ["model.bin.part"]
    tasks.pull("small")
    assert_whole(settings.folder / "small")
    assert [asked.headers.get("range") for asked in hub.asked if asked.file == "model.bin"][
        -1
    ] == "bytes=120000-"


def test_a_server_without_ranges_begins_again(
    hub: HubServer, tasks: ModelTasks, settings: HubSettings
) -> None:
    """Where a range is answered with the whole file, it is taken from its beginning."""
    hub.script["model.bin"] = [Behaviour(cut=200_000), Behaviour(ranges=False)]
    tasks.pull("small")
    assert_whole(settings.folder / "small")


def test_a_server_that_never_gets_further_is_given_up(hub: HubServer, tasks: ModelTasks) -> None:
    """Attempts that bring nothing new are counted: three, and no more."""
    hub.script["model.bin"] = [Behaviour(cut=1000, ranges=False)] * 20
    with pytest.raises(NetworkError, match="broke off"):
        tasks.pull("small")
    assert hub.times("model.bin") == 4


def test_wrong_bytes_are_refused(hub: HubServer, tasks: ModelTasks, settings: HubSettings) -> None:
    """Weights with another digest are neither kept nor asked for again, and nothing of them is left."""
    hub.script["model.bin"] = [Behaviour(body=WEIGHTS[::-1])]
    with pytest.raises(NetworkError, match=r"model\.bin has another digest"):
        tasks.pull("small")
    assert hub.times("model.bin") == 1
    assert not (settings.folder / "small").exists()


@pytest.mark.parametrize("body", [WEIGHTS + b"x", WEIGHTS[:-1], b""])
def test_a_file_of_another_size_is_refused(
    hub: HubServer, tasks: ModelTasks, settings: HubSettings, body: bytes
) -> None:
    """Neither more nor fewer bytes than the file has are taken for it."""
    hub.script["model.bin"] = [Behaviour(body=body)] * 5
    with pytest.raises(NetworkError, match="bytes"):
        tasks.pull("small")
    assert not (settings.folder / "small" / "model.bin").exists()


def test_a_page_is_no_configuration(hub: HubServer, settings: HubSettings, listener: Listener) -> None:
    """The log-in page of a network, answered with 200, is not taken for a file without a known digest."""
    page = b"<!doctype html>".ljust(len(FILES["config.json"]))
    hub.script["config.json"] = [Behaviour(body=page)]
    with pytest.raises(NetworkError, match=r"config\.json is no JSON"):
        tasks_for(settings, listener).pull("small")


def test_a_part_that_is_damaged_is_fetched_anew(
    hub: HubServer, tasks: ModelTasks, settings: HubSettings
) -> None:
    """What an earlier attempt left is no obstacle when its bytes are wrong: once more, from the beginning."""
    folder = settings.folder / "small"
    folder.mkdir(parents=True)
    (folder / "model.bin.part").write_bytes(b"\0" * 1000)
    tasks.pull("small")
    assert_whole(folder)
    assert [asked.headers.get("range") for asked in hub.asked if asked.file == "model.bin"] == [
        "bytes=1000-",
        None,
    ]


def test_a_part_that_is_too_long_is_no_obstacle(tasks: ModelTasks, settings: HubSettings) -> None:
    """A part with more bytes than the file has is begun again."""
    folder = settings.folder / "small"
    folder.mkdir(parents=True)
    (folder / "model.bin.part").write_bytes(WEIGHTS * 2)
    tasks.pull("small")
    assert_whole(folder)


def test_a_hub_that_stalls_is_given_up(hub: HubServer, settings: HubSettings, listener: Listener) -> None:
    """A connection on which nothing comes is left after the read time-out."""
    hub.script["model.bin"] = [Behaviour(cut=0, stall=True)] * 5
    with pytest.raises(NetworkError, match=r"nothing came for 0\.1 s"):
        tasks_for(settings, listener, DownloadLimits(read=0.1)).pull("small")


def test_a_hub_that_does_not_answer_is_left_soon(
    hub: HubServer, settings: HubSettings, listener: Listener
) -> None:
    """A host that takes the request and says nothing is asked once, and not for long."""
    hub.script["model.bin"] = [Behaviour(hold=True)]
    with pytest.raises(NetworkError, match=r"cannot be reached \(no answer within 0\.1 s\)"):
        tasks_for(settings, listener, DownloadLimits(answer=0.1)).pull("small")
    assert hub.times("model.bin") == 0, "it is still held"


def test_a_hub_that_trickles_is_given_up(settings: HubSettings, tmp_path: Path) -> None:
    """Less than the slowest rate counts as broken off, by the clock that is handed in."""
    ticks = iter(range(0, 100_000, 31))
    limits = DownloadLimits(slowest_bytes=10**9, tries=1)
    with (
        Hub(settings, limits, clock=lambda: float(next(ticks)), sleep=lambda _: None) as hub,
        pytest.raises(OriginFailed, match="too slow"),
    ):
        hub.fetch(SMALL, SMALL.files[0], tmp_path, lambda _: None)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_final(hub: HubServer, tasks: ModelTasks, status: int) -> None:
    """What the hub does not have is not asked for twice, and the message has its answer."""
    hub.script["model.bin"] = [Behaviour(status)]
    with pytest.raises(NetworkError, match=f"it answers {status}"):
        tasks.pull("small")
    assert hub.times("model.bin") == 1


def test_a_busy_hub_is_asked_again(hub: HubServer, tasks: ModelTasks, settings: HubSettings) -> None:
    """429 and 503 pass."""
    hub.script["model.bin"] = [Behaviour(503), Behaviour(429)]
    tasks.pull("small")
    assert_whole(settings.folder / "small")


def test_a_refused_port_fails_at_once(settings: HubSettings, listener: Listener) -> None:
    """Where nothing listens there is one attempt, and the message names the host and the reason."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    nowhere = dataclasses.replace(settings, endpoint=f"http://127.0.0.1:{port}")
    folder = settings.folder / "small"
    folder.mkdir(parents=True)
    (folder / "model.bin.part").write_bytes(WEIGHTS[:1000])  # what came before is kept, and no reason to wait
    with pytest.raises(NetworkError, match=f"127.0.0.1:{port}: it cannot be reached") as failure:
        tasks_for(nowhere, listener).pull("small")
    assert "--local-model" in (failure.value.hint or "")
    assert parts(settings.folder) == ["model.bin.part"]


def test_a_proxy_is_honoured(
    hub: HubServer, settings: HubSettings, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub elsewhere is asked through the proxy of the environment."""
    monkeypatch.setenv("HTTP_PROXY", hub.url)
    far = dataclasses.replace(settings, endpoint="http://hub.example")
    tasks_for(far, listener).pull("small")
    assert_whole(settings.folder / "small")
    assert {asked.headers["host"] for asked in hub.asked} == {"hub.example"}


def test_a_folder_that_cannot_be_written_is_named(settings: HubSettings, listener: Listener) -> None:
    """A file where the folder should be is an error that says how to choose another."""
    settings.folder.write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written to") as failure:
        tasks_for(settings, listener).pull("small")
    assert "DGCLI_MODELS" in (failure.value.hint or "")


@pytest.mark.parametrize("by", ["--offline", "HF_HUB_OFFLINE"])
def test_offline_nothing_is_asked_for(
    hub: HubServer, settings: HubSettings, listener: Listener, by: str
) -> None:
    """Offline, a model that is not here is an error that names the command to run, and the network is left alone."""
    offline = dataclasses.replace(settings, offline=by)
    with pytest.raises(UsageError, match=f"{by} forbids fetching it") as failure:
        tasks_for(offline, listener).pull("small")
    assert "dg models pull small" in (failure.value.hint or "")
    assert not hub.asked
    assert not settings.folder.exists()


_PULL = """
import sys
from pathlib import Path
from dgcli.api.hub.settings import HubSettings
from tests.api.hub.conftest import Listener, tasks_for

class Printing(Listener):
    def note(self, message):
        print(message, flush=True)

tasks_for(HubSettings(Path(sys.argv[1]), (), sys.argv[2]), Printing()).pull("small")
"""


def pulling(settings: HubSettings) -> "subprocess.Popen[str]":
    """Another process that pulls the same model into the same folder."""
    return subprocess.Popen(
        [sys.executable, "-c", _PULL, str(settings.folder), settings.endpoint],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_two_processes_fetch_once(hub: HubServer, settings: HubSettings) -> None:
    """Of two processes that want a model, one fetches it and the other waits for that."""
    hub.script["model.bin"] = [Behaviour(hold=True)]
    first = pulling(settings)
    assert hub.arrived.wait(30)
    second = pulling(settings)
    assert second.stdout is not None
    assert second.stdout.readline() == "Another dg is fetching small: waiting for it.\n"
    hub.released.set()
    assert "Fetching" in first.communicate(timeout=60)[0]
    assert "Fetching" not in second.communicate(timeout=60)[0]
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(hub.asked) == len(FILES)
    assert_whole(settings.folder / "small")


@pytest.mark.skipif(sys.platform == "win32", reason="the process is killed by a signal")
def test_a_lock_ends_with_its_process(hub: HubServer, tasks: ModelTasks, settings: HubSettings) -> None:
    """A process that is killed while it fetches leaves neither a lock nor half a file under its name."""
    hub.script["model.bin"] = [Behaviour(cut=100_000, stall=True)]
    killed = pulling(settings)
    part = settings.folder / "small" / "model.bin.part"
    assert hub.arrived.wait(30)
    while not (part.exists() and part.stat().st_size):
        assert killed.poll() is None
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    assert parts(settings.folder) == ["model.bin.part"]
    tasks.pull("small")
    assert_whole(settings.folder / "small")
