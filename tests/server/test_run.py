"""Servers come up, end, and take their processes with them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from dgcli.errors import UsageError
from dgcli.server.models import LocalModel
from dgcli.server.run import ServerSettings, running
from tests.conftest import HANGS_AFTER
from tests.server.conftest import AUDIO

ROOT = str(Path(__file__).resolve().parents[2])


def until(fact: Callable[[], bool], seconds: float = HANGS_AFTER) -> None:
    """Wait for a fact, under a deadline."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not fact():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process runs (one that waits to be reaped does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile has none
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


def test_settings_are_those_of_the_api() -> None:
    """The defaults bind this machine only and keep private addresses out."""
    settings = ServerSettings()
    assert (settings.host, settings.max_bytes) == ("127.0.0.1", 2 * 1024**3)
    assert not settings.allow_private_urls


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engine": "parrot"}, "There is no engine 'parrot'."),
        ({"engine": "replay"}, "The replay engine needs a saved response."),
        (
            {"engine": "replay", "response": Path("/nowhere/x.json")},
            "There is no response /nowhere/x.json",
        ),
        ({"engine": "replay", "response": Path(__file__)}, "is not a saved response."),
        ({"host": "192.0.2.1", "engine": "replay", "response": None}, "needs a saved response"),
    ],
)
def test_invalid_settings(change: dict[str, object], message: str) -> None:
    """What cannot be served is a usage error that says why."""
    with pytest.raises(UsageError, match=r".*") as caught, running(ServerSettings(**change)):  # type: ignore[arg-type]
        pass
    assert message in caught.value.message


@linux
def test_the_processes_end_with_the_context(whisper: Callable[..., ServerSettings]) -> None:
    """Leaving `running` leaves no process behind."""
    before = set(children(os.getpid()))
    with running(whisper()):
        started = set(children(os.getpid())) - before
        assert len(started) == 2  # the recogniser, and a decoder that waits for a recording
    assert not any(alive(pid) for pid in started)


@linux
def test_no_process_is_told_a_secret(
    whisper: Callable[..., ServerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of those that meet a stranger's media holds no key and no token."""
    for name in ("DEEPGRAM_API_KEY", "DEEPGRAM_ACCESS_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a-secret")
    before = set(children(os.getpid()))
    with running(whisper()):
        for pid in set(children(os.getpid())) - before:
            assert b"a-secret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_without_a_model() -> None:
    """A recogniser without any model is a usage error that says how to get one."""
    with pytest.raises(UsageError) as caught, running(ServerSettings()):
        pass
    assert caught.value.hint is not None
    assert "dg models pull" in caught.value.hint


def test_a_server_ends_quickly_with_a_connection_open(response_file: Path) -> None:
    """An idle client does not hold the server up."""
    with running(ServerSettings(engine="replay", response=response_file)) as url, httpx.Client() as client:
        assert client.get(f"{url}/v1/models").status_code == 200
        began = time.monotonic()
    assert time.monotonic() - began < 2


SERVE = """
import sys
from pathlib import Path
from dgcli.server.models import LocalModel, OneModel
from dgcli.server.models import LocalModel
from dgcli.server.run import ServerSettings, serve
models = OneModel(LocalModel("tiny.en", Path(sys.argv[2]), english_only=True))
settings = ServerSettings(port=int(sys.argv[1]), models=models, workers=1)
serve(settings, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def start_serve(model: LocalModel, port: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port), str(model.path)],
        env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serve_ends_on_signals(tiny: LocalModel, number: signal.Signals) -> None:
    """A signal is the normal end: serve returns, its processes are gone, requests were logged."""
    with start_serve(tiny) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/v1/models").status_code == 200
        workers = children(process.pid)
        process.send_signal(number)
        out, err = process.communicate(timeout=HANGS_AFTER)
        assert (process.returncode, out) == (0, "ended\n")
        assert "GET /v1/models 200" in err
        assert workers
        assert not any(alive(pid) for pid in workers)


@linux
def test_processes_end_when_their_parent_is_killed(tiny: LocalModel) -> None:
    """kill -9 of the server leaves none of its processes behind."""
    with start_serve(tiny) as process:
        assert process.stdout is not None
        process.stdout.readline()
        workers = children(process.pid)
        process.kill()
        process.communicate()
    until(lambda: not any(alive(pid) for pid in workers))


def test_a_port_that_is_taken(tiny: LocalModel) -> None:
    """A taken port is a usage error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        with start_serve(tiny, port) as process:
            _, err = process.communicate(timeout=HANGS_AFTER)
    assert f"The server cannot listen on 127.0.0.1 port {port}: Address already in use." in err


@linux
def test_a_client_that_leaves_cancels_its_work(
    whisper: Callable[..., ServerSettings], tmp_path: Path
) -> None:
    """When the client disconnects the process that decodes for it is stopped, and the next request is served."""
    audio = tmp_path / "long.flac"
    sample, rate = soundfile.read(AUDIO / "preamble-rms.flac", dtype="int16")
    soundfile.write(audio, np.tile(sample, 60), rate)
    before = set(children(os.getpid()))
    with running(whisper(workers=1)) as url:
        started = set(children(os.getpid())) - before
        host, port = url.removeprefix("http://").split(":")
        data = audio.read_bytes()
        with socket.create_connection((host, int(port))) as sock:
            head = f"POST /v1/listen HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
            sock.sendall(head.encode() + data)
            until(lambda: any("audio" in str(link.readlink()) for pid in started for link in open_files(pid)))
        until(lambda: sum(alive(pid) for pid in started) == 1)  # the recogniser stays
        answer = httpx.post(f"{url}/v1/listen?encoding=linear16&sample_rate=8000", content=bytes(16000))
        assert answer.status_code == 200


def open_files(pid: int) -> list[Path]:
    try:
        return [link for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    except FileNotFoundError:
        return []
