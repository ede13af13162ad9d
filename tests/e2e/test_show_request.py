"""`--show-request`: what it prints is run, by the program it is for, and asks for the same as dg does itself."""

import inspect
import json
import os
import pkgutil
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from websockets.sync.server import ServerConnection, serve

from dgcli.params import PARAMS, Endpoint
from dgcli.tasks.show_request import _BESIDE_FILES, _BESIDE_STREAMS
from tests.conftest import HANGS_AFTER, Run, ScriptedServer, Seen

KEY = "not-a-real-key-0123456789"
ODD = 'it\'s {a,b} [1] $HOME `x` "q" @é.wav'
WAYS = ["curl", "python", "httpie"]
FLAGS = (
    "--keyterm", "a b", "--keyterm", "c'&=", "--keyterm", "nan", "--no-smart-format", "--utt-split", "0.9",
    "--utterances", "--detect-language", "--param", "new=x y",
)  # fmt: skip


def _run(way: str, text: bytes, folder: Path, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run what was printed, as somebody would who pastes it."""
    program = {"curl": "curl", "httpie": "http"}.get(way, sys.executable)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    if shutil.which(program, path=path) is None:
        pytest.skip(f"{program} is not installed")
    environment = {
        "PATH": path,
        "HOME": str(folder),
        "DEEPGRAM_API_KEY": KEY,
        "LC_ALL": "C.UTF-8",
    }
    if way == "python":
        script = folder / "shown.py"
        script.write_bytes(text)
        command: list[str | bytes] = [sys.executable, str(script)]
    else:
        command = ["bash", "-c", text]
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        timeout=HANGS_AFTER,
        check=False,
    )
    assert result.returncode == 0, result.stderr.decode()
    return result


def _asked(seen: Seen) -> tuple[object, ...]:
    """What a request asks for."""
    headers = {name.lower(): value for name, value in seen.headers.items()}
    body = json.loads(seen.body) if headers["content-type"] == "application/json" else seen.body
    return (
        seen.path,
        sorted(seen.query),
        headers["content-type"],
        headers["authorization"].lower(),
        body,
    )


@pytest.mark.system
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [ODD, "-rf.wav", "@talk.wav", "'; $(id >&2)\n{x}.wav"])
def test_a_file(dg: Run, server: ScriptedServer, audio: Path, way: str, name: str) -> None:
    """The request for a file, whatever its name, is the one that dg sends, and holds no key."""
    folder = audio.parent / "work"
    shutil.copy(audio, folder / name)
    path = f"./{name}" if name.startswith("-") else name
    own = ("file", path, "--base-url", server.url, *FLAGS)
    assert dg(*own, env={"DEEPGRAM_API_KEY": KEY}).returncode == 0
    shown = dg(*own, "--show-request", way, env={"DEEPGRAM_API_KEY": KEY})
    assert (shown.returncode, shown.stderr, len(server.seen)) == (0, b"", 1)
    assert KEY.encode() not in shown.stdout
    _run(way, shown.stdout, folder)
    assert _asked(server.seen[1]) == _asked(server.seen[0])
    assert server.seen[0].body == audio.read_bytes()


@pytest.mark.system
@pytest.mark.parametrize("way", WAYS)
def test_standard_input(dg: Run, server: ScriptedServer, audio: Path, way: str) -> None:
    """The request for standard input reads the standard input of whoever runs it."""
    shown = dg("file", "-", "--base-url", server.url, "--show-request", way)
    assert not server.seen
    _run(way, shown.stdout, audio.parent / "work", audio.read_bytes())
    assert server.seen[0].body == audio.read_bytes()


@pytest.mark.system
@pytest.mark.parametrize("way", WAYS)
def test_a_url(dg: Run, server: ScriptedServer, tmp_path: Path, way: str) -> None:
    """The request for a URL is the one that dg sends."""
    own = ("url", "https://example.com/it's?a=1&b=[2]", "--base-url", server.url, *FLAGS)
    assert dg(*own, env={"DEEPGRAM_API_KEY": KEY}).returncode == 0
    shown = dg(*own, "--show-request", way)
    assert (shown.returncode, shown.stderr) == (0, b"")
    _run(way, shown.stdout, tmp_path)
    assert _asked(server.seen[1]) == _asked(server.seen[0])


def test_a_token(dg: Run, audio: Path) -> None:
    """With a temporary token the request takes that from the environment."""
    shown = dg("file", audio, "--show-request", "curl", env={"DEEPGRAM_ACCESS_TOKEN": KEY})
    assert b'"Authorization: Bearer $DEEPGRAM_ACCESS_TOKEN"' in shown.stdout
    assert KEY.encode() not in shown.stdout


class _Streamed(NamedTuple):
    """What a WebSocket server has seen of a stream."""

    path: str
    authorization: str
    audio: bytes


class _Streams:
    """A WebSocket server on a free port that keeps what it is sent, and answers the end of a stream."""

    def __init__(self) -> None:
        self.seen: list[_Streamed] = []
        self._server = serve(self._answer, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def _answer(self, socket: ServerConnection) -> None:
        audio = b""
        for message in socket:
            if isinstance(message, bytes):
                audio += message
            elif json.loads(message)["type"] == "CloseStream":
                break
        assert socket.request is not None, "the handshake is over"
        self.seen.append(_Streamed(socket.request.path, socket.request.headers["Authorization"], audio))
        metadata = {
            "type": "Metadata", "transaction_key": "x", "request_id": "r", "sha256": "0",
            "created": "2026-01-01T00:00:00Z", "duration": 0.1, "channels": 1,
        }  # fmt: skip
        socket.send(json.dumps(metadata))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def streams() -> Iterator[_Streams]:
    """A WebSocket server."""
    made = _Streams()
    yield made
    made.close()


@pytest.mark.system
@pytest.mark.parametrize("name", [ODD, "-rf.wav"])
def test_a_stream(dg: Run, streams: _Streams, audio: Path, name: str) -> None:
    """The program for a stream asks for the same as dg, and sends the same samples."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    folder = audio.parent / "work"
    shutil.copy(audio, folder / name)
    path = f"./{name}" if name.startswith("-") else name
    own = (
        "live",
        path,
        "--base-url",
        streams.url,
        "--keyterm",
        "a b",
        "--keyterm",
        "c",
        "--endpointing",
        "300",
    )
    result = dg(*own, "--param", "new=x", env={"DEEPGRAM_API_KEY": KEY})
    assert result.returncode == 0, result.stderr
    shown = dg(*own, "--param", "new=x", "--show-request", "python", env={"DEEPGRAM_API_KEY": KEY})
    assert (shown.returncode, shown.stderr, len(streams.seen)) == (0, b"", 1)
    assert KEY.encode() not in shown.stdout
    _run("python", shown.stdout, folder)
    ours, theirs = streams.seen
    assert sorted(theirs.path.partition("?")[2].split("&")) == sorted(ours.path.partition("?")[2].split("&"))
    assert theirs.authorization.lower() == ours.authorization.lower()
    assert theirs.audio == ours.audio


@pytest.mark.system
def test_a_flux_stream(dg: Run, streams: _Streams, audio: Path) -> None:
    """The program for a Flux model asks /v2/listen for the same as dg, and sends the same samples."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    folder = audio.parent / "work"
    path = folder / "talk.wav"
    soundfile.write(path, np.arange(4000, dtype=np.int16), 16000)
    own = ("live", path, "--base-url", streams.url, "--model", "flux-general-en", "--eot-threshold", "0.8")
    own = (*own, "--keyterm", "a b", "--keyterm", "c", "--param", "new=x")
    result = dg(*own, env={"DEEPGRAM_API_KEY": KEY})
    assert result.returncode == 0, result.stderr
    shown = dg(*own, "--show-request", "python", env={"DEEPGRAM_API_KEY": KEY})
    assert (shown.returncode, shown.stderr, len(streams.seen)) == (0, b"", 1)
    _run("python", shown.stdout, folder)
    ours, theirs = streams.seen
    assert ours.path.startswith("/v2/listen?")
    assert sorted(theirs.path.partition("?")[2].split("&")) == sorted(ours.path.partition("?")[2].split("&"))
    assert theirs.path.partition("?")[0] == "/v2/listen"
    assert theirs.audio == ours.audio


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("file b.wav a.wav", "b.wav"),
        ("file -r .", "a.wav"),
        ("file a.wav -f srt -f vtt", "a.wav"),
        ("url https://a.b/c https://a.b/d", "https://a.b/c"),
    ],
)
def test_of_a_batch_the_first_is_told(dg: Run, audio: Path, line: str, name: str) -> None:
    """Of several recordings the request of the first is printed, and a line says that the others have their own."""
    folder = audio.parent / "work"
    for own in ("a.wav", "b.wav"):
        shutil.copy(audio, folder / own)
    alone = dg(line.split()[0], name, "--show-request", "curl").stdout
    shown = dg(*line.split(), "--show-request", "curl")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.replace(b"./", b"") == alone
    said = f"dg: This is the request for {name}; each of the 2 recordings has one like it.\n".encode()
    assert shown.stderr.replace(b"./", b"") == (b"" if "-f srt" in line else said)
    assert not list(folder.glob("*.srt"))


@pytest.mark.system
def test_a_stream_of_raw_samples(dg: Run, streams: _Streams, tmp_path: Path) -> None:
    """Headerless samples on standard input go out as they come, under the name that was given them."""
    own = ("live", "-", "--base-url", streams.url, "--encoding", "linear16", "--sample-rate", "8000")
    shown = dg(*own, "--show-request", "python")
    assert shown.returncode == 0, shown.stderr
    _run("python", shown.stdout, tmp_path, bytes(4000))
    assert "sample_rate=8000" in streams.seen[0].path
    assert streams.seen[0].audio == bytes(4000)


@pytest.mark.parametrize("way", ["curl", "httpie"])
def test_no_command_line_streams(dg: Run, audio: Path, way: str) -> None:
    """curl and httpie cannot stream: that is said, with what can."""
    lines = dg("live", audio, "--show-request", way).stderr.decode().splitlines()
    assert lines == [
        f"dg: error: {way} cannot stream: the API's streams are WebSockets.",
        "dg: Use: --show-request python",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("file talk.wav --show-request perl", "takes curl, python, httpie"),
        ("file talk.wav --show-request curl --local", "ends with this command"),
        ("file nothing.wav a.wav --show-request curl", "There are no files nothing.wav, a.wav"),
        ("file nothing.wav --show-request curl", "There is no file nothing.wav"),
        ("file s3://a/b.wav --show-request curl", "object of a cloud"),
    ],
)
def test_what_has_no_request(dg: Run, line: str, message: str) -> None:
    """Where there is no such request, the error says why."""
    result = dg(*line.split())
    assert (result.returncode, result.stdout) == (6 if "no file" in message else 2, b"")
    assert message in result.stderr.decode()


# The SDK asks websockets for a name that it will not have for ever.
@pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")
@pytest.mark.parametrize(
    ("method", "endpoint", "beside"),
    [
        ("v1.media.client.MediaClient.transcribe_file", Endpoint.FILE, _BESIDE_FILES),
        ("v1.media.client.MediaClient.transcribe_url", Endpoint.URL, _BESIDE_FILES),
        ("v1.client.V1Client.connect", Endpoint.LIVE, _BESIDE_STREAMS),
        ("v2.client.V2Client.connect", Endpoint.FLUX, frozenset()),
    ],
)
def test_the_sdk_takes_the_rest(method: str, endpoint: Endpoint, beside: frozenset[str]) -> None:
    """Every parameter of the table is an argument of the SDK's method, or listed as one that it lacks."""
    taken = set(inspect.signature(pkgutil.resolve_name(f"deepgram.listen.{method}")).parameters)
    ours = {param.name for param in PARAMS if endpoint in param.endpoints}
    assert ours - taken <= beside
    assert not taken & ours & beside
