"""`dg file` and `dg url` as a user runs them, against a server that keeps what it was sent."""

import json
from pathlib import Path

import pytest

from tests.conftest import BODY, RESPONSE, Reply, Run, ScriptedServer


def test_transcript_on_stdout(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """The transcript goes to stdout, nothing to stderr, and the audio arrives whole, with type and length."""
    result = dg("file", audio, "--base-url", server.url)
    assert (result.stdout, result.stderr, result.returncode) == (b"Call Maria at noon.\n", b"", 0)
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/v1/listen")
    assert seen.body == audio.read_bytes()
    assert seen.headers["content-type"] == "audio/wav"
    assert seen.headers["content-length"] == str(audio.stat().st_size)
    assert "transfer-encoding" not in seen.headers
    assert seen.query == [("model", "nova-3"), ("smart_format", "true")]


def test_standard_input(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """A pipe is sent with its length, as if it were a file, and again when a try fails."""
    server.script = [Reply(503, b"", {"Retry-After": "0"}), Reply()]
    result = dg("file", "-", "--base-url", server.url, stdin=audio.read_bytes())
    assert result.stdout == b"Call Maria at noon.\n"
    assert [seen.body for seen in server.seen] == [audio.read_bytes()] * 2
    assert server.seen[0].headers["content-type"] == "audio/wav"


def test_url(dg: Run, server: ScriptedServer) -> None:
    """`dg url` sends the address as JSON."""
    result = dg("url", "https://example.com/call.wav", "--base-url", server.url, "--diarize")
    assert result.stdout == b"Call Maria at noon.\n"
    (seen,) = server.seen
    assert json.loads(seen.body) == {"url": "https://example.com/call.wav"}
    assert seen.headers["content-type"] == "application/json"
    assert ("diarize", "true") in seen.query


def test_query(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """Flags become the documented query: lower-case booleans, repeated keys, unknown parameters as they are."""
    dg(
        "file", audio, "--base-url", server.url, "--no-smart-format", "--search", "a b", "--search", "c&d",
        "--summarize", "--detect-language-code", "en", "--detect-language-code", "es", "--param", "brand_new=1",
        "--utterances", "--utt-split", "0.5", "--extra", "job:7",
    )  # fmt: skip
    assert server.seen[0].query == [
        ("model", "nova-3"),
        ("detect_language", "en"),
        ("detect_language", "es"),
        ("smart_format", "false"),
        ("utterances", "true"),
        ("search", "a b"),
        ("search", "c&d"),
        ("summarize", "v2"),
        ("utt_split", "0.5"),
        ("extra", "job:7"),
        ("brand_new", "1"),
    ]


@pytest.mark.parametrize(
    ("flags", "env", "header"),
    [
        (["--api-key", "flag"], {"DEEPGRAM_API_KEY": "env"}, "Token flag"),
        ([], {"DEEPGRAM_API_KEY": "env"}, "Token env"),
        ([], {"DEEPGRAM_API_KEY": "env", "DEEPGRAM_ACCESS_TOKEN": "jwt"}, "Bearer jwt"),
        (["--api-key", "flag"], {"DEEPGRAM_ACCESS_TOKEN": "jwt"}, "Token flag"),
        (["--access-token", "jwt"], {"DEEPGRAM_API_KEY": "env"}, "Bearer jwt"),
        ([], {}, None),
    ],
)
def test_credentials(
    dg: Run, audio: Path, server: ScriptedServer, flags: list[str], env: dict[str, str], header: str | None
) -> None:
    """A flag beats a variable, a token beats a key of its own level, and without either nothing is sent."""
    dg("file", audio, "--base-url", server.url, *flags, env=env)
    assert server.seen[0].headers.get("authorization") == header


def test_config_file(dg: Run, audio: Path, server: ScriptedServer, environment: dict[str, str]) -> None:
    """Key, host and parameters come from a profile of the config file, and flags beat them."""
    folder = Path(environment["HOME"]) / ".config" / "dgcli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'api_key = "top"\n[profiles.work]\napi_key = "work"\nbase_url = "{server.url}"\n'
        'params = { language = "de", diarize = true, vad_events = true }\n'
    )
    dg("file", audio, "--profile", "work", "--language", "fr")
    (seen,) = server.seen
    assert seen.headers["authorization"] == "Token work"
    assert seen.query == [
        ("model", "nova-3"), ("language", "fr"), ("smart_format", "true"), ("diarize", "true"),
    ]  # fmt: skip


def test_mistakes_of_the_config_file(dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path) -> None:
    """A parameter of the config file that is certainly wrong is said to come from there."""
    config = tmp_path / "config.toml"
    config.write_text("[params]\nutt_split = 1\n")
    result = dg("file", audio, "--base-url", server.url, env={"DGCLI_CONFIG": str(config)})
    assert result.stderr.decode().splitlines()[0] == (
        f"dg: error: --utt-split needs --utterances. It comes from [params] in {config}."
    )
    assert server.seen == []


def test_key_in_clear_text(dg: Run, audio: Path) -> None:
    """A key is not sent in clear text to another machine, and the error says how to allow it."""
    result = dg("file", audio, "--base-url", "http://192.0.2.1", "--api-key", "k")
    assert result.stderr.decode().splitlines() == [
        "dg: error: The key would travel in clear text to 192.0.2.1.",
        "dg: Use an https:// base URL, or --allow-http for a self-hosted server you trust.",
    ]
    assert result.returncode == 2


def test_outputs(dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path) -> None:
    """Several outputs are written by suffix, the JSON being the server's bytes, and stdout stays empty."""
    names = ["a.json", "b.srt", "c.vtt", "d.txt"]
    flags = [flag for name in names for flag in ("-o", tmp_path / name)]
    result = dg("file", audio, "--base-url", server.url, *flags)
    assert (result.stdout, result.stderr, result.returncode) == (b"", b"", 0)
    assert (tmp_path / "a.json").read_bytes() == BODY
    assert (tmp_path / "b.srt").read_text().startswith("1\n00:00:00,320 --> 00:00:0")
    assert (tmp_path / "c.vtt").read_text().startswith("WEBVTT\n")
    assert (tmp_path / "d.txt").read_text() == "Call Maria at noon.\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [*names, "talk.wav"]


def test_output_and_stdout(dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path) -> None:
    """With -f beside -o, both are written."""
    result = dg("file", audio, "--base-url", server.url, "-f", "json", "-o", tmp_path / "x.txt")
    assert result.stdout == BODY
    assert (tmp_path / "x.txt").read_text() == "Call Maria at noon.\n"


def test_output_keeps_mode_and_link(dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path) -> None:
    """Overwriting through a symbolic link keeps the link, and the mode of the file."""
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    dg("file", audio, "--base-url", server.url, "-o", link)
    assert link.is_symlink()
    assert real.read_text() == "Call Maria at noon.\n"
    assert real.stat().st_mode & 0o777 == 0o640


def test_callback(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """With --callback the answer is a request id: it is printed, and said to be one."""
    server.script = [Reply(200, b'{"request_id": "0198-accepted"}')]
    result = dg("file", audio, "--base-url", server.url, "--callback", "https://example.com/done")
    assert result.stdout == b"0198-accepted\n"
    assert result.stderr == b"dg: The request was accepted: the transcript goes to the callback.\n"


def test_warnings(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """Warnings of the response are shown on stderr, without the escape sequences that a server may send."""
    warned = json.loads(json.dumps(RESPONSE))
    message = "Summaries are \x1b[31mEnglish\x1b]0;x\x07 only."
    warned["metadata"]["warnings"] = [
        {"parameter": "summarize", "type": "unsupported_language", "message": message}
    ]
    server.script = [Reply(200, json.dumps(warned).encode())]
    result = dg("file", audio, "--base-url", server.url)
    assert result.stderr == b"dg: warning: summarize: Summaries are English only.\n"
    assert result.stdout == b"Call Maria at noon.\n"


def test_empty_transcript(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """Silence is a success that says so on stderr."""
    silent = json.loads(json.dumps(RESPONSE))
    silent["results"]["channels"][0]["alternatives"] = [{"transcript": "", "confidence": 0, "words": []}]
    server.script = [Reply(200, json.dumps(silent).encode())]
    result = dg("file", audio, "--base-url", server.url)
    assert result.stdout == b""
    assert result.stderr == b"dg: The transcript is empty: no speech was found.\n"
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (["talk.mp3"], "dg file talk.mp3"),
        (["my talk.wav", "--diarize"], "dg file 'my talk.wav' --diarize"),
        (["https://example.com/x.wav"], "dg url https://example.com/x.wav"),
        (["file", "https://example.com/x.wav"], "dg url https://example.com/x.wav"),
        (["url", "./x.wav"], "dg file ./x.wav"),
    ],
)
def test_the_command_that_was_meant(dg: Run, args: list[str], meant: str) -> None:
    """A command line that can only mean another one is answered with that one."""
    result = dg(*args)
    assert result.stderr.decode().splitlines()[-1] == f"dg: Did you mean: {meant}"
    assert result.returncode == 2


def test_quiet(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """-q silences everything but errors."""
    server.script = [Reply(503, b"", {"Retry-After": "0"}), Reply(200, b'{"request_id": "x"}')]
    result = dg("file", audio, "-q", "--base-url", server.url)
    assert result.stderr == b""
    assert result.stdout == b"x\n"


def test_odd_names(dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path) -> None:
    """Names with newlines, quotes, a leading dash and bytes that are no UTF-8 are sent like any other."""
    for name in (b"a\nb.wav", b'it\'s "x".wav', b"\xff\xfe.wav", b"-dash.wav"):
        path = bytes(tmp_path) + b"/" + name
        Path(path.decode("utf-8", "surrogateescape")).write_bytes(audio.read_bytes())
        result = dg("file", path, "--base-url", server.url)
        assert result.stdout == b"Call Maria at noon.\n", result.stderr
