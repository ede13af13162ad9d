"""`--local` and `dg serve`: real audio, the real recogniser, the installed `dg`."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import BODY, ROOT, SAMPLE, Run, ScriptedServer, dg_path

pytestmark = pytest.mark.usefixtures("models_folder")  # the recogniser has weights

PREAMBLE = SAMPLE.with_suffix(".txt")


def words(text: str) -> list[str]:
    """The words of a text, as they are heard: two spellings of one word are the same."""
    text = text.lower().replace("ensure", "insure").replace("defence", "defense")
    return re.findall(r"[a-z']+", text)


def heard(reference: list[str], transcript: list[str]) -> int:
    """How many words of the reference are in the transcript, in order (longest common subsequence)."""
    row = [0] * (len(transcript) + 1)
    for word in reference:
        before = row[:]
        for index, other in enumerate(transcript):
            row[index + 1] = before[index] + 1 if word == other else max(row[index], before[index + 1])
    return row[-1]


def whole(transcript: bytes) -> bool:
    """Whether all of the sample is there, but for one slip, and nothing else."""
    reference, said = words(PREAMBLE.read_text()), words(transcript.decode())
    return heard(reference, said) >= len(reference) - 1 and len(said) <= len(reference) + 1


def test_sample_is_transcribed_whole(dg: Run) -> None:
    """The shipped sample is transcribed with at least 51 of its 52 words, without a key and without a network."""
    result = dg("file", SAMPLE, "--local")
    assert whole(result.stdout)
    assert len(words(PREAMBLE.read_text())) == 52
    assert (result.stderr, result.returncode) == (b"", 0)


def test_real_recording(dg: Run, shared_audio: Path) -> None:
    """Of a real recording of the Preamble, at least 49 of 52 words are there, in order."""
    result = dg("file", shared_audio / "preamble.wav", "--local")
    assert heard(words(PREAMBLE.read_text()), words(result.stdout.decode())) >= 49


def test_channels(dg: Run) -> None:
    """A conversation with one voice per channel comes out turn by turn, each with its channel."""
    conversation = ROOT / "tests" / "audio" / "conversation.flac"
    result = dg("file", conversation, "--local", "--multichannel", "--utterances")
    turns = re.findall(r"^Channel (\d): (.*)$", result.stdout.decode(), re.MULTILINE)
    spoken = re.findall(r"^(\d): (.*)$", conversation.with_suffix(".txt").read_text(), re.MULTILINE)
    assert [(channel, words(text)) for channel, text in turns] == [
        (channel, words(text)) for channel, text in spoken
    ]


def test_all_outputs(dg: Run, tmp_path: Path) -> None:
    """One request fills text, JSON, SRT and WebVTT, and the JSON is a response with timed words."""
    names = ["a.txt", "a.json", "a.srt", "a.vtt"]
    dg("file", SAMPLE, "--local", *(flag for name in names for flag in ("-o", tmp_path / name)))
    response = json.loads((tmp_path / "a.json").read_text())
    timed = response["results"]["channels"][0]["alternatives"][0]["words"]
    assert all(0 <= word["start"] < word["end"] <= response["metadata"]["duration"] for word in timed)
    for name in names:
        assert words(PREAMBLE.read_text())[-1] in (tmp_path / name).read_text()


def test_what_cannot_be_done_is_said(dg: Run) -> None:
    """A feature that the local recogniser lacks is a warning, not a silent nothing."""
    result = dg("file", SAMPLE, "--local", "--diarize", "-q")
    assert result.stderr == b""
    result = dg("file", SAMPLE, "--local", "--diarize")
    assert result.stderr.decode().startswith("dg: warning: diarize: ")
    assert result.returncode == 0


def test_not_audio(dg: Run, tmp_path: Path) -> None:
    """A text file named .wav that is sent all the same gets the API's own refusal."""
    (tmp_path / "text.wav").write_text("This is no audio at all.\n")
    result = dg("file", tmp_path / "text.wav", "--local", "--any-file")
    first, hint = result.stderr.decode().splitlines()
    assert re.fullmatch(
        r"dg: error: Bad Request: failed to process audio: corrupt or unsupported data "
        r"\[HTTP 400, Bad Request, request [0-9a-f-]{36}\]",
        first,
    )
    assert hint.startswith("dg: Check that what is sent is audio and not empty.")
    assert result.returncode == 4


def test_url(dg: Run, server: ScriptedServer) -> None:
    """`dg url --local` fetches from this machine too, and transcribes."""
    from tests.conftest import Reply

    server.script = [Reply(200, SAMPLE.read_bytes(), media_type="audio/flac")]
    result = dg("url", f"{server.url}/preamble.flac", "--local")
    assert whole(result.stdout)


def test_callback_is_delivered(dg: Run, server: ScriptedServer) -> None:
    """With --local and --callback, dg does not leave before the transcript was delivered."""
    result = dg("file", SAMPLE, "--local", "--callback", f"{server.url}/done")
    assert re.fullmatch(r"[0-9a-f-]{36}\n", result.stdout.decode())
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/done")
    delivered = json.loads(seen.body)
    assert delivered["metadata"]["request_id"] == result.stdout.decode().strip()
    assert words(delivered["results"]["channels"][0]["alternatives"][0]["transcript"])[:2] == ["we", "the"]


@pytest.fixture
def serving(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """`dg serve` that replays a saved response and records what it gets; its URL and its process."""
    saved = tmp_path / "saved.json"
    saved.write_bytes(BODY)
    command = [dg_path(), "serve", "--port", "0", "--engine", "replay", "--response", saved]
    process = subprocess.Popen(
        [*command, "--require-key", "right", "--record", tmp_path / "kept"],
        env=environment,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    line = process.stderr.readline().decode()
    yield line.split()[3], process
    process.kill()
    process.communicate()


def test_serve_replays_and_records(
    dg: Run, audio: Path, serving: tuple[str, "subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    """A saved response is given back byte for byte; the audio and query are kept, the key is not."""
    url, _ = serving
    result = dg("file", audio, "--base-url", url, "--api-key", "right", "--tag", "t1", "-f", "json")
    assert result.stdout == BODY
    kept = sorted(path for path in (tmp_path / "kept").rglob("*") if path.is_file())
    assert any(path.read_bytes() == audio.read_bytes() for path in kept)
    assert any(b"t1" in path.read_bytes() for path in kept)
    assert not any(b"right" in path.read_bytes() for path in kept)


def test_wrong_key(dg: Run, audio: Path, serving: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    """A wrong key is refused as the API refuses it."""
    result = dg("file", audio, "--base-url", serving[0], "--api-key", "wrong")
    assert b"Invalid credentials. [HTTP 401, INVALID_AUTH, request " in result.stderr
    assert result.returncode == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_stops(serving: tuple[str, "subprocess.Popen[bytes]"], number: signal.Signals) -> None:
    """Ctrl-C is how a server is stopped: it ends at once, as a success, without a traceback."""
    _, process = serving
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert b"Traceback" not in err


def test_interrupted(environment: dict[str, str], tmp_path: Path) -> None:
    """Ctrl-C while the local recogniser works leaves at once, and no process of its own behind."""
    process = subprocess.Popen(
        [dg_path(), "file", SAMPLE, "--local", "-v"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    children: list[str] = []
    while len(children) < 2:  # its recognisers are there
        listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, check=False)
        children = listed.stdout.decode().split()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert err.decode().splitlines() == ["dg: error: Interrupted."]
    assert (out, process.returncode) == (b"", 130)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_port_in_use(dg: Run, serving: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    """A port that another program has is named, with the way to another."""
    port = serving[0].rpartition(":")[2]
    result = dg("serve", "--port", port)
    first, hint = result.stderr.decode().splitlines()
    assert first == f"dg: error: The server cannot listen on 127.0.0.1 port {port}: Address already in use."
    assert hint == "dg: Another program may have the port: choose one with --port, or 0 for any free one."
    assert result.returncode == 2


def test_a_worker_that_died_idle_costs_no_request(environment: dict[str, str], dg: Run) -> None:
    """When a recogniser was killed between two requests, the next request is answered all the same."""
    process = subprocess.Popen(
        [dg_path(), "serve", "--port", "0", "-v"], env=environment, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        url = process.stderr.readline().decode().split()[3]
        assert dg("file", SAMPLE, "--base-url", url, "-q").returncode == 0  # all workers are there
        listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, check=True)
        workers = [int(pid) for pid in listed.stdout.split()]
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        result = dg("file", SAMPLE, "--base-url", url)
        assert whole(result.stdout)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--record", __file__], "Requests cannot be recorded in "),
        (["--host", "no-such-host.invalid"], "The server cannot listen on no-such-host.invalid port 8080: "),
        (["--engine", "parrot"], "There is no engine 'parrot'."),
        (["--engine", "replay"], ""),
    ],
)
def test_servers_that_cannot_start(dg: Run, flags: list[str], message: str) -> None:
    """What keeps a server from starting is a usage error with a remedy, never called a bug."""
    result = dg("serve", *flags)
    first, hint = result.stderr.decode().splitlines()
    assert first.startswith(f"dg: error: {message}")
    assert hint.startswith("dg: ")
    assert result.returncode == 2


def test_log_of_hostile_paths(serving: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    """A path with escape sequences is spelt out in the operator's log."""
    import urllib.error
    import urllib.request

    url, process = serving
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{url}/v1/%1b%5d0;pwn%07")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    assert b"\x1b" not in err
    assert rb"/v1/\x1b]0;pwn\x07" in err
