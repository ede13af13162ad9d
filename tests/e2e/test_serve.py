"""The flags of `dg serve`, on the installed program."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.conftest import BODY, Run, dg_path

RAW = "encoding=linear16&sample_rate=16000"
Serve = Callable[..., tuple[str, "subprocess.Popen[str]"]]


@contextmanager
def process(environment: dict[str, str], *flags: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [dg_path(), "serve", "--port", "0", *flags], env=environment, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.communicate(timeout=20)


@pytest.fixture
def serve(environment: dict[str, str], tmp_path: Path) -> Iterator[Serve]:
    """Start `dg serve` with flags, replaying a saved response unless told otherwise; its port and process."""
    saved = tmp_path / "saved.json"
    saved.write_bytes(BODY)
    with ExitStack() as stack:

        def start(*flags: str) -> tuple[str, "subprocess.Popen[str]"]:
            engine = [] if "--engine" in flags else ["--engine", "replay", "--response", str(saved)]
            running = stack.enter_context(process(environment, *engine, *flags))
            assert running.stderr is not None
            url = running.stderr.readline().split()[3]
            return url.rpartition(":")[2], running

        yield start


def test_open_to_the_network_without_a_key(serve: Serve) -> None:
    """A server that others can reach warns when it asks for no key; with one it does not."""
    _, running = serve("--host", "0.0.0.0")
    assert running.stderr is not None
    assert running.stderr.readline() == (
        "dg: warning: Whoever reaches 0.0.0.0 can use this server: give it a key with --require-key KEY.\n"
    )
    port, running = serve("--host", "0.0.0.0", "--require-key", "k")
    assert httpx.get(f"http://127.0.0.1:{port}/v1/models").status_code == 200
    assert running.stderr is not None
    assert "GET /v1/models 200" in running.stderr.readline()


def test_hosts_and_origins(serve: Serve) -> None:
    """--allow-host and --allow-origin may be repeated; what they do not name is refused."""
    port, _ = serve("--allow-host", "a.lan", "--allow-host", "b.lan", "--allow-origin", "https://x.example")
    url = f"http://127.0.0.1:{port}/v1/models"
    for headers, status in [
        ({"host": "a.lan"}, 200),
        ({"host": "b.lan:80"}, 200),
        ({"host": "c.lan"}, 403),
        ({"origin": "https://x.example"}, 200),
        ({"origin": "https://y.example"}, 403),
    ]:
        assert httpx.get(url, headers=headers).status_code == status, headers


def test_streams_at_once(serve: Serve) -> None:
    """--max-streams refuses the next handshake."""
    port, _ = serve("--max-streams", "1")
    url = f"ws://127.0.0.1:{port}/v1/listen?{RAW}"
    with connect(url), pytest.raises(InvalidStatus) as caught, connect(url):
        pass
    assert caught.value.response.status_code == 429


def test_counting(serve: Serve, tmp_path: Path) -> None:
    """--engine count tells how much came, and --record where it is."""
    port, _ = serve("--engine", "count", "--record", str(tmp_path / "kept"))
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/listen", content=b"0123456789").json()
    assert answer["results"]["channels"][0]["alternatives"][0]["transcript"] == "10 bytes received"
    assert Path(answer["metadata"]["extra"]["file"]).read_bytes() == b"0123456789"


def test_a_response_without_its_engine(dg: Run, tmp_path: Path) -> None:
    """A response that nothing would answer with is refused, not left aside."""
    result = dg("serve", "--response", "saved.json")
    assert result.returncode == 2
    assert result.stderr.decode().splitlines() == [
        "dg: error: --response is what --engine replay answers with.",
        "dg: Add: --engine replay",
    ]


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
def test_a_container_without_audio_is_an_error(dg: Run, serve: Serve, tmp_path: Path, model: str) -> None:
    """`dg live` of a file that has a header and no audio says so and exits 4; what cannot be decoded does as well."""
    port, _ = serve()
    header = (
        bytes.fromhex("1a45dfa3 8f 4286 81 01 42f2 81 04 4282 84 77656d61")
        + b"\x18\x53\x80\x67"
        + b"\xff" * 8
    )
    for name, data in (("header.mkv", header), ("other.mkv", header + b"\x00" * 4000)):
        file = tmp_path / name
        file.write_bytes(data)
        result = dg("live", file, "--model", model, "--base-url", f"http://127.0.0.1:{port}")
        assert result.returncode == 4, result.stderr
        assert re.search(rb"found no audio|could not decode the audio", result.stderr)
