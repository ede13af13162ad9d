"""What all tests stand on: real recordings, an HTTP server that follows a script, and the installed `dg`."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, settings
from platformdirs import user_cache_path

from dgcli.errors import DgError
from tests.http_server import HttpServer, answered_by

# A machine that is busy with other things is slow, and that is no fault of what is tested.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")

# Whoever starts the tests in the background, or with nohup, has signals ignored, which programs inherit.
for name in ("SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
# One folder of models for all tests, whatever HOME they give to what they start, and for later runs.
os.environ.setdefault("DGCLI_MODELS", str(user_cache_path("dgcli-tests", appauthor=False) / "models"))
SAMPLE = ROOT / "tests" / "audio" / "preamble-rms.flac"
# Seconds after which what is waited for is taken to hang. Nothing that works waits so long, however busy the machine.
HANGS_AFTER = 240.0
POSIX = frozenset({"fcntl", "pty", "resource", "termios"})  # modules of the standard library
# What takes seconds to load, and what stands on another program or on a right of the system.
SLOW_FOLDERS = frozenset({ROOT / "tests" / "e2e", ROOT / "tests" / "hostile"})  # start `dg` again and again
SLOW_FIXTURES = frozenset({"recogniser", "models_folder", "tiny"})
SYSTEM_FIXTURES = frozenset({"pulse", "small_disk", "chromium", "typist", "terminal", "zsh"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow or asks for a part of the system by what it is made of: the installed `dg`, a recogniser..."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if SLOW_FOLDERS & set(item.path.parents) or fixtures & SLOW_FIXTURES:
            item.add_marker(pytest.mark.slow)
        if fixtures & SYSTEM_FIXTURES:
            item.add_marker(pytest.mark.system)


class SystemModule(pytest.Module):
    """A module of tests that is skipped where what it imports loads a library that the system does not have."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        try:
            return list(super().collect())
        except OSError as error:  # sounddevice: PortAudio; soundfile: libsndfile
            reason = str(error)
        except self.CollectError as error:
            missing = getattr(error.__cause__, "name", None)
            if missing not in POSIX:
                raise
            reason = f"there is no module {missing} on this system"
        pytest.skip(f"cannot be loaded: {reason}", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    """Let a missing library skip the tests that need it, and collect the others."""
    module: pytest.Module = SystemModule.from_parent(parent, path=module_path)
    return module


@pytest.fixture(scope="session", autouse=True)
def _nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that whoever runs the tests has set reaches them: neither a HOME nor a key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("nobody")))
        for variable in list(os.environ):
            if variable.startswith(("DEEPGRAM_", "DGCLI_", "XDG_")) and variable != "DGCLI_MODELS":
                patch.delenv(variable)
        yield


RESPONSE = {
    "metadata": {
        "transaction_key": "deprecated",
        "request_id": "0198f3a2-5c1e-7b40-9d77-2f6a1c0de501",
        "sha256": "9c1185a5c5e9fc54612808977ee8f548b2258d31f1a3c1f2a3f3c9b2d7e0a611",
        "created": "2026-09-14T08:21:33.512Z",
        "duration": 2.4,
        "channels": 1,
        "models": [],
        "model_info": {},
    },
    "results": {
        "channels": [
            {
                "alternatives": [
                    {
                        "transcript": "Call Maria at noon.",
                        "confidence": 0.994,
                        "words": [
                            {"word": "call", "punctuated_word": "Call", "start": 0.32, "end": 0.64, "confidence": 0.98},
                            {"word": "maria", "punctuated_word": "Maria", "start": 0.64, "end": 1.12, "confidence": 1},
                            {"word": "at", "punctuated_word": "at", "start": 1.12, "end": 1.28, "confidence": 0.99},
                            {"word": "noon", "punctuated_word": "noon.", "start": 1.28, "end": 1.78, "confidence": 1},
                        ],
                    }
                ]
            }
        ]
    },
}  # fmt: skip
BODY = json.dumps(RESPONSE, indent=1).encode()


@dataclass
class Reply:
    """One answer of the scripted server."""

    status: int = 200
    body: bytes = BODY
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    cut: bool = False  # close in the middle of the body
    early: bool = False  # answer without reading the request's body
    hold: bool = False  # read all of the request, then wait for `released`
    discard: bool = False  # read the request's body without keeping it
    read: int | None = None  # read only so many bytes of the request's body, then wait for `released`


def error(status: int, code: str, message: str, **headers: str) -> Reply:
    """An error in the API's usual form."""
    body = {"err_code": code, "err_msg": message, "request_id": "0198-request"}
    return Reply(
        status, json.dumps(body).encode(), {"dg-error": message, "dg-request-id": "0198-request", **headers}
    )


@dataclass
class Seen:
    """One request as the scripted server saw it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


class ScriptedServer(HttpServer):
    """A real HTTP server on a free port that gives the replies of a script, the last one for ever."""

    def __init__(self) -> None:
        self.script: list[Reply] = [Reply()]
        self.seen: list[Seen] = []
        self.arrived = threading.Event()  # a request's head is here
        self.released = threading.Event()  # a reply that waits may go on
        super().__init__(answered_by(self._answer))

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.arrived.set()
        if reply.read is not None:
            handler.rfile.read(reply.read)
            self.released.wait(30)
            handler.close_connection = True
            return
        length = int(handler.headers.get("Content-Length", 0))
        body = b"" if reply.early else self._body(handler, length, keep=not reply.discard)
        if reply.hold:
            self.released.wait(30)
        target = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.seen.append(Seen(handler.command, target.path, parse_qsl(target.query), headers, body))
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.media_type)
        handler.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        handler.wfile.flush()
        if reply.cut:
            handler.close_connection = True
        if reply.early:  # take what still comes, so that the answer is not lost to a reset
            handler.connection.settimeout(5)
            while handler.rfile.read1(1 << 20):
                pass

    @staticmethod
    def _body(handler: BaseHTTPRequestHandler, length: int, *, keep: bool) -> bytes:
        if keep:
            return handler.rfile.read(length)
        while length > 0 and (block := handler.rfile.read1(1 << 20)):
            length -= len(block)
        return b""

    def close(self) -> None:
        self.released.set()
        super().close()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted HTTP server."""
    made = ScriptedServer()
    yield made
    made.close()


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The folder of models, with tiny.en in it; the test is skipped where neither of its origins can be reached."""
    from dgcli.api.hub.settings import hub_settings
    from dgcli.tasks.models import ModelTasks
    from dgcli.tasks.reporter import SilentReporter

    own = replace(hub_settings(os.environ), caches=())
    try:
        ModelTasks(own, SilentReporter()).pull("tiny.en")
    except DgError as error:
        pytest.skip(f"without the model tiny.en: {error}")
    return own.folder


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def make_home(home: Path) -> None:
    """Make a HOME where the history was announced already, so that a first run says no more than later ones."""
    history = home / ".local" / "state" / "dgcli" / "history"
    history.mkdir(parents=True, mode=0o700)
    (history / ".announced").touch()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A clean environment: a HOME of its own, no key, no terminal settings."""
    home = tmp_path / "home"
    make_home(home)
    kept = {"PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "DGCLI_MODELS"}
    return {
        **{name: value for name, value in os.environ.items() if name in kept},
        "HOME": str(home),
        "TERM": "xterm",
    }


def dg_path() -> str:
    """The installed `dg`, next to the Python that runs the tests."""
    return str(Path(sys.executable).with_name("dg"))


@pytest.fixture
def dg(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the installed `dg` in an empty folder and a clean environment; more environment as `env=`."""
    work = tmp_path / "work"
    work.mkdir()

    def run(
        *args: str | bytes | Path, env: Mapping[str, str] | None = None, stdin: bytes | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [dg_path(), *args],
            env={**environment, **(env or {})},
            cwd=work,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=HANGS_AFTER,
            check=False,
        )

    return run


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A small real WAV file: a tenth of a second of a tone."""
    import math
    import struct
    import wave

    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(i / 5))) for i in range(1600)))
    return path


@pytest.fixture
def shared_audio() -> Path:
    """The folder of shared recordings; the test is skipped where it does not stand next to the checkout."""
    folder = SHARED / "audio"
    if not folder.is_dir():
        pytest.skip("the shared recordings are not next to this checkout")
    return folder


def stream_threads() -> list[threading.Thread]:
    """The threads of streams in this process; those of PortAudio stay, which tests of microphones have started."""
    return [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("dgcli-") and thread.name != "dgcli-portaudio"
    ]


def loaded(code: str) -> set[str]:
    """The modules that `code` loads in a fresh Python."""
    script = (
        f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*{{*sys.modules}} - before, file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    return set(result.stderr.decode().split())


def loaded_by(args: list[str]) -> set[str]:
    """The modules that are loaded when `dg` has run with `args`, successfully."""
    return loaded(
        f"sys.argv[1:] = {args!r}\nfrom dgcli.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert not left.code"
    )
