"""What a command line says that nothing would come of is told; what is nobody's is not."""

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pexpect
import pytest

from tests.conftest import BODY, Reply, Run, ScriptedServer, dg_path
from tests.http_server import HttpServer, QuietHandler
from tests.live.server import NumberedServer, numbered

RAW = ("--encoding", "linear16", "--sample-rate", "1000")


@pytest.fixture
def config(environment: dict[str, str], tmp_path: Path) -> Path:
    """A config file that `dg` reads, open to its owner only."""
    path = tmp_path / "config.toml"
    path.touch(0o600)
    environment["DGCLI_CONFIG"] = str(path)
    return path


@pytest.mark.parametrize(
    "text",
    ['api_key = ["SECRET"]', 'access_token = {a = "SECRET"}', 'profiles = ["SECRET"]', 'timeout = "SECRET"'],
)
def test_a_value_of_the_config_file_is_never_repeated(dg: Run, config: Path, audio: Path, text: str) -> None:
    """A setting of the wrong type is named, and its value, which may be a key, is not."""
    config.write_text(text)
    result = dg("file", audio)
    assert result.returncode == 2
    assert b"takes" in result.stderr
    assert b"SECRET" not in result.stderr + result.stdout


@pytest.mark.skipif(os.name != "posix", reason="permission bits say nothing on Windows")
@pytest.mark.parametrize("way", ["everybody", "folder", "owner"])
def test_a_config_file_that_others_can_change_is_told(
    dg: Run, server: ScriptedServer, audio: Path, config: Path, way: str
) -> None:
    """Who can change the config file decides where the key goes: where that is somebody else, it is said each time."""
    config.write_text("timeout = 30\n")
    config.chmod(0o644)
    assert b"decides where" not in dg("file", audio, "--base-url", server.url).stderr
    if way == "everybody":
        config.chmod(0o646)
    elif way == "folder":
        config.parent.chmod(0o777)
    elif os.geteuid():
        pytest.skip("only root can give a file away")
    else:
        os.chown(config, 12345, -1)
    told = dg("file", audio, "--base-url", server.url).stderr.decode()
    assert told.count(f"{config} decides where the key is sent.") == 1
    assert "chmod go-w" in told


def test_a_key_that_others_can_read_is_told(
    dg: Run, config: Path, audio: Path, server: ScriptedServer
) -> None:
    """A config file with a key that others can read is told once, with the command that closes it."""
    config.write_text('[profiles.work]\napi_key = "SECRET"\n')
    config.chmod(0o644)
    told = dg("file", audio, "--base-url", server.url)
    assert told.stderr.decode().count(f"chmod 600 {config}") == 1
    assert (told.returncode, told.stdout) == (0, b"Call Maria at noon.\n")
    config.chmod(0o600)
    assert b"chmod" not in dg("file", audio, "--base-url", server.url).stderr
    config.write_text("timeout = 10\n")
    config.chmod(0o644)
    assert b"chmod" not in dg("file", audio, "--base-url", server.url).stderr


def test_a_language_is_no_number(dg: Run, config: Path, audio: Path) -> None:
    """`language = 3` in the config file is refused, and the file is named."""
    config.write_text("[params]\nlanguage = 3\n")
    result = dg("file", audio, "--api-key", "k")
    assert result.returncode == 2
    assert b"--language takes text, not 3" in result.stderr
    assert str(config).encode() in result.stderr


def test_two_servers_are_refused(dg: Run, audio: Path) -> None:
    """--base-url beside --local is refused: only one of them can be asked."""
    result = dg("file", audio, "--base-url", "http://localhost:1", "--local")
    assert (result.returncode, b"exclude each other" in result.stderr) == (2, True)


def test_karaoke_needs_a_format_that_can(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """--karaoke without vtt and ass is refused before anything is sent, and taken with one of them."""
    result = dg("file", audio, "--base-url", server.url, "--karaoke", "-f", "srt")
    assert (result.returncode, b"--karaoke" in result.stderr) == (2, True)
    assert server.seen == []
    for more in (("-f", "vtt"), ("-o", "x.ass")):
        assert dg("file", audio, "--base-url", server.url, "--karaoke", *more).returncode == 0


def test_a_recording_that_is_not_there_is_told(dg: Run, tmp_path: Path) -> None:
    """--audio of a page that leads nowhere is told; one that is there and a URL are not."""
    saved = tmp_path / "x.json"
    saved.write_bytes(BODY)
    (tmp_path / "work" / "talk.mp3").touch()
    told = dg("render", saved, "-f", "html", "--audio", "nosuch.mp3")
    assert (told.returncode, b"nosuch.mp3" in told.stderr) == (0, True)
    for there in ("talk.mp3", "https://example.com/nosuch.mp3"):
        assert b"nosuch" not in dg("render", saved, "-f", "html", "--audio", there).stderr


def test_a_speaker_that_nobody_is_is_told(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """A name for a speaker that the transcript does not have is told, with those that it has."""
    server.script = [Reply(body=BODY.replace(b'"word": "call"', b'"speaker": 1, "word": "call"'))]
    result = dg("file", audio, "--base-url", server.url, "--speaker", "9=Zed", "--speaker", "1=Ann")
    assert result.returncode == 0
    assert b"there is no speaker 9. There: 1." in result.stderr
    assert b"speaker 1=" not in result.stderr


def test_a_diarizer_without_diarize(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """--no-diarize beside --diarize-model sends the diarizer alone: the API takes one of the two."""
    result = dg("file", audio, "--base-url", server.url, "--diarize-model", "latest", "--no-diarize")
    assert result.returncode == 0, result.stderr
    assert [pair for pair in server.seen[0].query if pair[0].startswith("diarize")] == [
        ("diarize_model", "latest")
    ]


def test_a_missing_file_comes_before_a_missing_key(dg: Run) -> None:
    """`dg live nosuch.wav` without a key says that the file is missing, and not that the key is."""
    result = dg("live", "nosuch.wav")
    assert result.returncode == 6
    assert b"nosuch.wav" in result.stderr
    assert b"key" not in result.stderr


def test_verbose_streams_tell_their_request_ids(dg: Run, tmp_path: Path) -> None:
    """-v tells the request id of each connection of a stream, for a support request."""
    pcm = tmp_path / "talk.raw"
    pcm.write_bytes(numbered(10))
    server = NumberedServer()
    try:
        flags = (*RAW, "--base-url", f"http://localhost:{server.port}")
        assert b"Request id of the stream: 0198f3a2-" in dg("live", pcm, *flags, "-v").stderr
        assert b"Request id" not in dg("live", pcm, *flags).stderr
    finally:
        server.close()


def test_libmpg123_is_not_heard(dg: Run, tmp_path: Path) -> None:
    """What libmpg123 prints about a damaged MP3 stays off the screen, whatever opens or measures the file."""
    path = tmp_path / "talk.wav"  # a wrong suffix, so that its length is looked for
    path.write_bytes(b"\xff\xfb\x90\x64" + bytes(5000))
    server = NumberedServer()
    try:
        flags = ("--base-url", f"http://localhost:{server.port}")
        live, loud = dg("live", path, *flags), dg("live", path, *flags, "-v")
        many = dg("file", path, "--dry-run", "--api-key", "k", "--base-url", "http://localhost:1")
    finally:
        server.close()
    assert b"MPEG-Header" not in live.stderr + many.stderr
    assert loud.stderr.count(b"dg: Note: Illegal Audio-MPEG-Header") == 1


def test_ctrl_c_on_a_file_is_an_interruption(environment: dict[str, str], tmp_path: Path) -> None:
    """Ctrl-C in the middle of a file leaves words unsaid: 130."""
    pcm = tmp_path / "talk.raw"
    pcm.write_bytes(numbered(200))
    server = NumberedServer()
    args = ["live", str(pcm), *RAW, "--base-url", f"http://localhost:{server.port}"]
    child = pexpect.spawn(dg_path(), args, env=environment, timeout=20)  # type: ignore[arg-type]
    try:
        child.expect(r"2\.")
        child.kill(signal.SIGINT)
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 130
        assert b"Stopped after" not in child.before
    finally:
        child.close(force=True)
        server.close()


@pytest.mark.parametrize(("signals", "code"), [(1, 0), (2, 130)])
def test_ctrl_c_on_a_radio_is_success(
    environment: dict[str, str], tmp_path: Path, signals: int, code: int
) -> None:
    """Ctrl-C is how one ends a stream without end: all words are written, and the exit code is 0; twice is 130."""
    over = threading.Event()

    class Radio(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Icy-Name", "Test")
            self.end_headers()
            for first in range(1, 1000):
                self.wfile.write(numbered(1, first=first))
                self.wfile.flush()
                if over.wait(0.1):
                    return

    radio = HttpServer(Radio)
    server = NumberedServer(finals=(0.5, 1.0))
    url = f"{radio.url}/radio"
    args = ["live", url, *RAW, "--base-url", f"http://localhost:{server.port}", "-o", str(tmp_path / "x.txt")]
    child = pexpect.spawn(dg_path(), args, env=environment, timeout=30)  # type: ignore[arg-type]
    try:
        server.wait_for(lambda: bool(server.seen) and len(server.seen[0].audio) > 4000)
        if signals == 2:
            os.kill(child.pid, signal.SIGSTOP)  # so that both are there before the first is answered
            child.kill(signal.SIGINT)
            child.kill(signal.SIGTERM)
            os.kill(child.pid, signal.SIGCONT)
        else:
            child.kill(signal.SIGINT)
            child.expect(r"Stopped after 0:00:0\d, \d+ words\.")
        child.expect(pexpect.EOF)
        child.wait()
        if signals == 1:
            assert child.exitstatus == code
            assert "1. 2. 3." in " ".join((tmp_path / "x.txt").read_text().split())
        else:
            assert child.exitstatus in (130, 143)
    finally:
        over.set()
        child.close(force=True)
        radio.close()
        server.close()
