"""Servers come up, end, and take their processes with them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from dgcli.errors import UsageError
from dgcli.server.engines.base import NotAudioError
from dgcli.server.engines.pool import Pool, Worker, WorkerError
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
            "The response /nowhere/x.json cannot be read",
        ),
        ({"engine": "replay", "response": Path(__file__)}, "is not a saved response."),
        ({"host": "192.0.2.1", "engine": "replay", "response": None}, "needs a saved response"),
    ],
)
def test_settings_that_cannot_be_meant(change: dict[str, object], message: str) -> None:
    """What cannot be served is a usage error that says why."""
    with pytest.raises(UsageError, match=r".*") as caught, running(ServerSettings(**change)):  # type: ignore[arg-type]
        pass
    assert message in caught.value.message


@pytest.mark.slow
@linux
def test_the_workers_end_with_the_context() -> None:
    """Leaving `running` leaves no process behind."""
    before = set(children(os.getpid()))
    with running(ServerSettings(workers=2)):
        workers = set(children(os.getpid())) - before
        assert len(workers) == 2
    assert not any(alive(pid) for pid in workers)


def test_a_server_ends_quickly_with_a_connection_open(response_file: Path) -> None:
    """An idle client does not hold the server up."""
    with running(ServerSettings(engine="replay", response=response_file)) as url, httpx.Client() as client:
        assert client.get(f"{url}/v1/models").status_code == 200
        began = time.monotonic()
    assert time.monotonic() - began < 2


SERVE = """
import sys
from dgcli.server.run import ServerSettings, serve
serve(ServerSettings(port=int(sys.argv[1]), workers=1), on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def start_serve(port: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)],
        env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serve_ends_on_signals(number: signal.Signals) -> None:
    """A signal is the normal end: serve returns, its worker is gone, requests were logged."""
    with start_serve() as process:
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


@pytest.mark.slow
@linux
def test_workers_end_when_their_parent_is_killed() -> None:
    """kill -9 of the server leaves no worker behind."""
    with start_serve() as process:
        assert process.stdout is not None
        process.stdout.readline()
        workers = children(process.pid)
        process.kill()
        process.communicate()
    until(lambda: not any(alive(pid) for pid in workers))


def test_a_port_that_is_taken() -> None:
    """A taken port is a usage error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        with start_serve(port) as process:
            _, err = process.communicate(timeout=HANGS_AFTER)
    assert f"The server cannot listen on 127.0.0.1 port {port}: Address already in use." in err


@pytest.mark.slow
@linux
def test_workers_ignore_ctrl_c() -> None:
    """SIGINT does not end a worker: the server decides what it means."""
    worker = Worker()
    try:
        job = {"job": "decode", "path": "/nowhere", "multichannel": False, "encoding": None}
        job |= {"sample_rate": None, "channels": 1, "folder": "/nowhere"}
        first = worker.call(job)
        os.kill(worker.pid, signal.SIGINT)
        assert worker.call(job) == first
    finally:
        worker.close()


async def _crash(pool: Pool) -> None:
    job = {"job": "recognise", "path": "/dev/zero", "start": 0, "end": 16000 * 60, "vocabulary": []}
    task = asyncio.create_task(pool.run(job))
    while not pool._all or pool._idle:
        await asyncio.sleep(0)
    for worker in pool._all:
        worker.kill()
    with pytest.raises(WorkerError):
        await task
    with pytest.raises((NotAudioError, WorkerError)):
        await pool.run({"job": "nonsense"})


@pytest.mark.slow
def test_a_crashed_worker_is_replaced() -> None:
    """The job of a crashed worker fails; the next one finds another worker."""
    pool = Pool(1)
    try:
        asyncio.run(_crash(pool))
    finally:
        pool.close()


@pytest.mark.slow
@linux
def test_a_client_that_leaves_cancels_its_work() -> None:
    """When the client disconnects the worker that serves it is stopped, and the next request is served."""
    before = set(children(os.getpid()))
    with running(ServerSettings(workers=1)) as url:
        (worker,) = set(children(os.getpid())) - before
        host, port = url.removeprefix("http://").split(":")
        audio = (AUDIO / "preamble-rms.flac").read_bytes()
        with socket.create_connection((host, int(port))) as sock:
            head = f"POST /v1/listen HTTP/1.1\r\nHost: x\r\nContent-Length: {len(audio)}\r\n\r\n"
            sock.sendall(head.encode() + audio)
            busy = Path(f"/proc/{worker}/stat")
            until(lambda: int(busy.read_text().rpartition(")")[2].split()[11]) > 60)  # ticks of user time
        until(lambda: not alive(worker))
        answer = httpx.post(
            f"{url}/v1/listen?encoding=linear16&sample_rate=8000", content=bytes(16000), timeout=HANGS_AFTER
        )
        assert answer.status_code == 200
