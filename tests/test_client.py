"""The Python API, as another program uses it: real servers, nothing of the process changed."""

import ast
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import dgcli
import dgcli.client
from dgcli.params import PARAMS, STREAM, Endpoint
from dgcli.transcript.event_log import json_line
from tests.conftest import BODY, ROOT, Reply, ScriptedServer, error, stream_threads
from tests.live.conftest import Make, make_server
from tests.live.server import RATE, Fault, NumberedServer, numbered
from tests.sources.conftest import wav

__all__ = ["make_server"]  # a fixture of the streamer's tests

RAW = {"encoding": "linear16", "sample_rate": RATE}

Left = Callable[[], list[str]]  # names of threads


@pytest.fixture(autouse=True)
def _clean_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key and an empty config file, whatever the machine has."""
    config = tmp_path / "config.toml"
    config.touch()
    monkeypatch.setenv("DGCLI_CONFIG", str(config))
    for name in ("DEEPGRAM_ACCESS_TOKEN", "DEEPGRAM_BASE_URL", "DGCLI_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEEPGRAM_API_KEY", "environment-key")


@pytest.fixture
def api(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The scripted server, as the environment's API."""
    monkeypatch.setenv("DEEPGRAM_BASE_URL", server.url)
    return server


def address(server: NumberedServer) -> str:
    """The base URL of a server of streams."""
    return f"http://localhost:{server.port}"


@pytest.fixture
def left_threads() -> Left:
    """The threads of streams since the test began that do not end within two seconds.

    The server of other tests may run in this process until all have ended.
    """
    before = set(threading.enumerate())

    def left() -> list[str]:
        own = [*stream_threads(), *(t for t in threading.enumerate() if t.name in ("pipe", "local-server"))]
        own = [thread for thread in own if thread not in before]
        for thread in own:
            thread.join(2)
        return [thread.name for thread in own if thread.is_alive()]

    return left


def test_exports_are_what_type_checkers_are_told_of() -> None:
    """What `dgcli` exports and what type checkers are told of are the same names, of the same things."""
    tree = ast.parse((ROOT / "dgcli" / "__init__.py").read_text())
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.name: str(node.module)
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(told) == dgcli.__all__
    assert all(getattr(dgcli, name) is getattr(import_module(home), name) for name, home in told.items())
    assert set(dgcli.__all__) <= set(dir(dgcli))
    with pytest.raises(AttributeError, match="no attribute 'transcrib'"):
        dgcli.transcrib  # type: ignore[attr-defined]  # noqa: B018


def test_no_parameter_hides_another() -> None:
    """No query parameter has the name of an argument of the Python API, all of which are suggested."""
    calls = {Endpoint.FILE: dgcli.transcribe, Endpoint.URL: dgcli.transcribe_url, STREAM: dgcli.stream}
    parameters = {name for row in PARAMS for name in (row.name, *row.aliases)}
    for endpoint, function in calls.items():
        named = {*dgcli.client._ARGUMENTS, *dgcli.client._OWN_ARGUMENTS[endpoint]}
        code = function.__code__
        assert named == set(code.co_varnames[code.co_posonlyargcount :][: code.co_kwonlyargcount])
        assert not named & parameters


# Recordings.


def test_a_file_is_sent_as_the_command_sends_it(api: ScriptedServer, audio: Path) -> None:
    """Key, host and our defaults come from where the command has them; parameters are keywords."""
    found = dgcli.transcribe(audio, diarize=True, keyterm=["Maria", "noon"], other_params={"new_one": 3})
    (seen,) = api.seen
    assert seen.headers["authorization"] == "Token environment-key"
    assert seen.headers["content-type"] == "audio/wav"
    assert seen.body == audio.read_bytes()
    assert sorted(seen.query) == [
        ("diarize", "true"),
        ("keyterm", "Maria"),
        ("keyterm", "noon"),
        ("model", "nova-3"),
        ("new_one", "3"),
        ("smart_format", "true"),
    ]
    assert found.text == "Call Maria at noon."
    assert [word.text for word in found.words] == ["Call", "Maria", "at", "noon."]
    assert (found.body, found.raw) == (BODY, json.loads(BODY))
    assert (found.duration, found.warnings) == (2.4, ())
    assert found.render("srt", speaker_names={0: "Anna"}, max_lines=1).startswith("1\n00:00:00,320 -->")
    assert found.render("json").encode() == BODY


def test_binary_files_are_read_from_where_they_stand(api: ScriptedServer, audio: Path) -> None:
    """An open file, a pipe and bytes in memory are sent from their position on, and stay open."""
    with audio.open("rb") as file:
        dgcli.transcribe(file)
        file.seek(1000)
        dgcli.transcribe(file)
        assert not file.closed
    with subprocess.Popen(["cat", str(audio)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        dgcli.transcribe(process.stdout)
    memory = io.BytesIO(audio.read_bytes())
    dgcli.transcribe(memory)
    assert not memory.closed
    whole = audio.read_bytes()
    assert [seen.body for seen in api.seen] == [whole, whole[1000:], whole, whole]


def test_a_url_is_fetched_by_the_api(api: ScriptedServer) -> None:
    """`transcribe_url` sends the address, and parameters that only URLs and files have."""
    dgcli.transcribe_url("https://example.com/talk.wav", summarize=True)
    assert json.loads(api.seen[0].body) == {"url": "https://example.com/talk.wav"}
    assert ("summarize", "v2") in api.seen[0].query


def test_arguments_overrule_the_configuration(server: ScriptedServer, audio: Path, tmp_path: Path) -> None:
    """A profile gives key, host and parameters; `api_key` and a keyword are stronger than it."""
    (tmp_path / "config.toml").write_text(
        f'[profiles.work]\nbase_url = "{server.url}"\nparams = {{ language = "de", punctuate = true }}\n'
    )
    dgcli.transcribe(audio, profile="work", api_key="another-key", language="fr")
    (seen,) = server.seen
    assert seen.headers["authorization"] == "Token another-key"
    assert ("language", "fr") in seen.query
    assert ("punctuate", "true") in seen.query


@pytest.mark.parametrize(
    ("name", "meant"), [("diarise", "diarize"), ("base_ur", "base_url"), ("kyterm", "keyterm")]
)
def test_an_unknown_parameter_is_named(api: ScriptedServer, audio: Path, name: str, meant: str) -> None:
    """A name that there is not is a UsageError and a TypeError with a suggestion, and nothing is sent."""
    for call in (dgcli.transcribe, dgcli.stream):
        with pytest.raises(dgcli.UnknownParameter, match=repr(name)) as caught:
            call(audio, **{name: True})  # type: ignore[operator]
        assert isinstance(caught.value, dgcli.UsageError)
        assert isinstance(caught.value, TypeError)
        assert caught.value.hint == f"Did you mean: {meant}"
    assert not api.seen


def test_an_unknown_option_of_formats_is_named() -> None:
    """So is an option that no format has, and a format that there is not lists all of them."""
    found = dgcli.Transcription(dgcli.client.Transcript(()))
    with pytest.raises(dgcli.UnknownParameter) as caught:
        found.render("srt", max_char=30)
    assert caught.value.hint == "Did you mean: max_chars"
    with pytest.raises(dgcli.UsageError) as refused:
        found.render("srtt")
    assert "words.jsonl" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        (b"RIFF", "io.BytesIO"),
        (io.StringIO("no audio"), "binary mode"),
        ("https://example.com/talk.wav", "transcribe_url"),
        (7, "binary mode"),
    ],
)
def test_what_is_no_file_is_refused(api: ScriptedServer, source: Any, hint: str) -> None:
    """Bytes, text, URLs and anything else are refused with what to do."""
    with pytest.raises(dgcli.UsageError) as caught:
        dgcli.transcribe(source)
    assert hint in (caught.value.hint or "")
    if source != "https://example.com/talk.wav":
        with pytest.raises(dgcli.UsageError):
            dgcli.stream(source)
    with pytest.raises(dgcli.UsageError):
        dgcli.transcribe_url("talk.wav")
    assert not api.seen


def test_failures_are_exceptions(api: ScriptedServer, audio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals carry status, code and request id; a paid answer that is no transcript is in `body`."""
    api.script = [error(402, "ASR_PAYMENT_REQUIRED", "No credit.")]
    with pytest.raises(dgcli.ApiError, match="No credit") as refused:
        dgcli.transcribe(audio)
    assert (refused.value.status, refused.value.code) == (402, "ASR_PAYMENT_REQUIRED")
    api.script = [Reply(body=b"[]")]
    with pytest.raises(dgcli.ApiError) as damaged:
        dgcli.transcribe(audio)
    assert damaged.value.body == b"[]"
    with pytest.raises(dgcli.AudioError, match="There is no file"):
        dgcli.transcribe("no such file")
    monkeypatch.delenv("DEEPGRAM_API_KEY")
    monkeypatch.delenv("DEEPGRAM_BASE_URL")
    for call in (dgcli.transcribe, dgcli.stream):
        with pytest.raises(dgcli.AuthError, match="No API key"):
            call(audio)  # type: ignore[operator]


def test_a_callback_leaves_an_empty_transcript(api: ScriptedServer, audio: Path) -> None:
    """What the API says of a callback is the request id."""
    api.script = [Reply(body=b'{"request_id": "0198-request"}')]
    found = dgcli.transcribe(audio, callback="https://example.com/done")
    assert (found.request_id, found.text, found.words) == ("0198-request", "", ())


def test_several_threads_at_once(api: ScriptedServer, tmp_path: Path) -> None:
    """Eight threads each send their own file and get an answer."""
    files = [tmp_path / f"{number}.wav" for number in range(24)]
    for number, path in enumerate(files):
        path.write_bytes(wav(number.to_bytes(2, "little") * 100))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(dgcli.transcribe, files))
    assert {transcript.text for transcript in found} == {"Call Maria at noon."}
    assert {seen.body for seen in api.seen} == {path.read_bytes() for path in files}


def test_saved_responses_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A response, the lines of a stream, and a file named `-`; what cannot be read is named."""
    monkeypatch.chdir(tmp_path)
    Path("-").write_bytes(BODY)
    assert dgcli.load("-").text == "Call Maria at noon."
    final = {
        "type": "Results", "channel_index": [0, 1], "start": 0.0, "duration": 1.0, "is_final": True,
        "channel": {"alternatives": [{"transcript": "Hello", "words": [{"word": "hello", "start": 0, "end": 1}]}]},
    }  # fmt: skip
    lines = json_line(dgcli.Opened("0198-live", 1, 0.0)) + json.dumps(final) + "\n"
    Path("talk.jsonl").write_text(lines)
    found = dgcli.load(Path("talk.jsonl"))
    assert (found.request_id, [word.text for word in found.words]) == ("0198-live", ["hello"])
    with pytest.raises(dgcli.AudioError, match=r"nothing\.json"):
        dgcli.load("nothing.json")
    Path("list.json").write_text("[]")
    with pytest.raises(dgcli.ApiError, match=r"list\.json"):
        dgcli.load("list.json")


# Streams.


def numbers(transcript: dgcli.Transcription) -> list[int]:
    """The words of a server that numbers audio."""
    return [int(word.text.rstrip(".")) for word in transcript.words]


def test_a_file_is_streamed(make_server: Make, tmp_path: Path, left_threads: Left) -> None:
    """Events come in order up to Closed, and the transcript so far grows to all that was said."""
    server = make_server()
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(numbered(30), rate=RATE))
    growing: list[int] = []
    events: list[dgcli.Event] = []
    with dgcli.stream(path, speed=10, base_url=address(server), api_key="key") as stream:
        for event in stream:
            events.append(event)
            if isinstance(event, dgcli.Final):
                growing.append(len(stream.transcript.words))
    assert isinstance(events[0], dgcli.Opened)
    assert isinstance(events[-1], dgcli.Closed)
    assert events[-1].error is None
    assert growing == sorted(growing)
    assert numbers(stream.transcript) == list(range(1, 31))
    assert stream.transcript.render("srt").startswith("1\n00:00:00,0")
    assert (stream.transcript.duration, stream.audio_seconds) == (3.0, 3.0)
    assert server.seen[0].headers["Authorization"] == "Token key"
    assert left_threads() == []


class Unbuffered(io.RawIOBase):
    """A file of a program's own, that has neither a descriptor nor `read1`."""

    def __init__(self, data: bytes) -> None:
        self._rest = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)


@pytest.mark.parametrize("kind", ["iterable", "memory", "file", "pipe", "own"])
def test_all_that_gives_bytes_is_streamed(
    make_server: Make, tmp_path: Path, kind: str, left_threads: Left
) -> None:
    """Iterables of any blocks, files in memory and on disk, pipes and files of a program's own are all heard."""
    server = make_server()
    data = wav(numbered(10), rate=RATE)
    path = tmp_path / "talk.wav"
    path.write_bytes(data)
    process = subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE)
    with process, path.open("rb") as file:
        sources: dict[str, Any] = {
            "iterable": (memoryview(data)[at : at + 777] if at % 2 else b"" + data[at : at + 777]
                         for at in range(0, len(data), 777)),
            "memory": io.BytesIO(data),
            "file": file,
            "pipe": process.stdout,
            "own": Unbuffered(data),
        }  # fmt: skip
        stream = dgcli.stream(sources[kind], base_url=address(server), speed=4)
        assert isinstance([*stream][-1], dgcli.Closed)
        assert not file.closed
    assert numbers(stream.transcript) == list(range(1, 11))
    assert left_threads() == []


def endless() -> Iterator[bytes]:
    """Audio that never ends, as much of it as is asked for."""
    for number in count(1):
        yield numbered(1, first=number % 1000 + 1)


def test_leaving_the_loop_closes(make_server: Make, left_threads: Left) -> None:
    """A break within the block ends the stream and all its threads, within two seconds."""
    with dgcli.stream(endless(), base_url=address(make_server()), **RAW) as stream:
        for event in stream:
            if isinstance(event, dgcli.Final):
                break
    assert left_threads() == []
    assert list(stream) == []


def test_a_stream_that_is_forgotten_ends(make_server: Make, left_threads: Left) -> None:
    """Without a block, a loop that is left lets go of the stream, whose threads end."""
    for event in dgcli.stream(endless(), base_url=address(make_server()), **RAW):
        if isinstance(event, dgcli.Final):
            break
    del event
    assert left_threads() == []


def test_stop_drains(make_server: Make, left_threads: Left) -> None:
    """After `stop` the loop goes on until all that was sent is final."""
    server = make_server()
    with dgcli.stream(endless(), base_url=address(server), speed=4, **RAW) as stream:
        for event in stream:
            if isinstance(event, dgcli.Interim):
                stream.stop()
    assert isinstance(event, dgcli.Closed)
    assert event.error is None
    sent = len(server.seen[0].audio) // len(numbered(1))
    assert sent > 0
    assert len(stream.transcript.words) == sent
    assert left_threads() == []


@pytest.mark.parametrize("blocked", [False, True])
def test_another_thread_may_close(make_server: Make, blocked: bool, left_threads: Left) -> None:
    """`close` from elsewhere ends the loop, also one that waits for a pipe in which nothing comes."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as file, os.fdopen(writer, "wb") as pipe:
        pipe.write(numbered(1))
        pipe.flush()
        source: Any = file if blocked else endless()
        stream = dgcli.stream(source, base_url=address(make_server()), **RAW)
        timer = threading.Timer(0.3, stream.close)
        timer.start()
        events = list(stream)
        timer.join()
        assert left_threads() == []
    assert all(not isinstance(event, dgcli.Final) or event.text for event in events) or not blocked


def test_finalize_names_a_channel(make_server: Make) -> None:
    """`finalize` asks for all channels, or for one."""
    server = make_server(finals=(1e9, 1e9))
    with dgcli.stream(endless(), base_url=address(server), **RAW) as stream:
        asked = 0
        for event in stream:
            if isinstance(event, dgcli.Interim) and not asked:
                stream.finalize()
                asked = 1
            elif isinstance(event, dgcli.Final) and event.from_finalize and asked == 1:
                stream.finalize(channel=0)
                asked = 2
            elif isinstance(event, dgcli.Final) and event.from_finalize:
                break
    assert server.seen[0].texts[:2] == [{"type": "Finalize"}, {"type": "Finalize", "channel": 0}]


def test_what_ends_a_stream_is_raised_after_closed(make_server: Make, left_threads: Left) -> None:
    """A refusal is in the last event, and then raised by the loop."""
    server = make_server(Fault("refuse", status=401, body='{"err_code": "INVALID_AUTH", "err_msg": "No."}'))
    events: list[dgcli.Event] = []
    with (
        pytest.raises(dgcli.AuthError),
        dgcli.stream(io.BytesIO(numbered(20)), base_url=address(server), **RAW) as stream,
    ):
        events.extend(stream)
    assert isinstance(events[-1], dgcli.Closed)
    assert isinstance(events[-1].error, dgcli.AuthError)
    assert list(stream) == []
    assert left_threads() == []


def test_errors_of_an_iterable_come_out_of_the_loop(make_server: Make, left_threads: Left) -> None:
    """What a generator of the program raises is raised where the program iterates."""

    def broken() -> Iterator[bytes]:
        yield numbered(3)
        raise LookupError("of the program")

    with pytest.raises(LookupError, match="of the program"):
        list(dgcli.stream(broken(), base_url=address(make_server()), **RAW))

    def text() -> Iterator[Any]:
        yield "no bytes"

    with pytest.raises(dgcli.UsageError, match="must come as bytes, not as str"):
        list(dgcli.stream(text(), base_url=address(make_server()), **RAW))
    assert left_threads() == []


INTERRUPTED = """
import os, sys, dgcli
reader, writer = os.pipe()
os.write(writer, bytes(2000))
with os.fdopen(reader, "rb") as file:
    with dgcli.stream(file, base_url=sys.argv[1], encoding="linear16", sample_rate=1000) as stream:
        for event in stream:
            print(type(event).__name__, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")
def test_ctrl_c_passes(make_server: Make) -> None:
    """KeyboardInterrupt goes through a loop that waits, and the program ends by it."""
    command = [sys.executable, "-c", INTERRUPTED, address(make_server())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "Opened\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert stderr.rstrip().endswith("KeyboardInterrupt")


UNTOUCHED = """
import gc, logging, os, signal, sys, threading, warnings
import httpx, numpy, stamina.instrumentation  # numpy adds filters of warnings when it is imported
def state():
    numbers = [n for n in signal.valid_signals() if n not in (signal.SIGKILL, signal.SIGSTOP)]
    return (
        [signal.getsignal(n) for n in numbers], sys.excepthook, threading.excepthook, sys.unraisablehook,
        gc.isenabled(), gc.get_freeze_count(), gc.get_threshold(), dict(os.environ), os.getcwd(), os.umask(0o22),
        list(logging.root.handlers), logging.root.level, list(warnings.filters), sys.getrecursionlimit(),
        stamina.instrumentation.get_on_retry_hooks(), httpx.main, sys.stdout, sys.stderr, sys.flags,
    )
before = state()
import dgcli
rest, live, path = sys.argv[1:]
dgcli.transcribe(path, base_url=rest).render("html")
list(dgcli.stream(path, base_url=live, speed=10))
try:
    dgcli.transcribe(path, base_url=live, retries=1)
except dgcli.DgError:
    pass
assert state() == before, [pair for pair in zip(state(), before) if pair[0] != pair[1]]
assert threading.active_count() == 1
"""


def test_nothing_is_printed_or_changed(server: ScriptedServer, make_server: Make, tmp_path: Path) -> None:
    """Calls that are retried, fail and stream leave the process as it was, and write nothing anywhere."""
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(numbered(5), rate=RATE))
    server.script = [error(503, "BUSY", "Busy.", **{"retry-after-ms": "1"}), Reply()]
    result = subprocess.run(
        [sys.executable, "-c", UNTOUCHED, server.url, address(make_server()), str(path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    assert len(server.seen) == 2
