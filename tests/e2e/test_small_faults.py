"""Small mistakes of users and servers: each gets one clear message, and what to do."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import dgcli
from dgcli.api.bodies import MOST_BYTES
from dgcli.transcript.response import parse_body
from tests.conftest import RESPONSE, Reply, Run, ScriptedServer

KEY = {"DEEPGRAM_API_KEY": "key"}


def said(dg: Run, *args: str | Path, env: dict[str, str] | None = None, code: int = 2) -> list[str]:
    """What a command that fails says on stderr, line by line."""
    result = dg(*args, env=env)
    assert result.returncode == code, result.stderr
    return result.stderr.decode().splitlines()


def test_a_directory(dg: Run, tmp_path: Path) -> None:
    """A directory names the flag that transcribes all of it."""
    folder = tmp_path / "my calls"
    folder.mkdir()
    assert said(dg, "file", folder, env=KEY, code=6)[-1].endswith(f"dg file -r '{folder}'")


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        (("a.wav", "a.flac"), "'{name}.{ext}' or '{stem}-{hash}.{ext}'"),
        (("x/a.wav", "y/a.wav"), "--name-template '{stem}-{hash}.{ext}'"),
    ],
)
def test_outputs_that_collide(
    dg: Run, server: ScriptedServer, audio: Path, names: tuple[str, str], remedy: str
) -> None:
    """The hint names templates that do keep these apart, which the same command with each proves."""
    folder = audio.parent / "elsewhere"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(audio.read_bytes())
    paths = [folder / name for name in names]
    own = ("file", *paths, "--output-dir", folder / "out", "--base-url", server.url)
    lines = said(dg, *own, env=KEY)
    assert lines[-1].endswith(remedy)
    for template in remedy.removeprefix("--name-template ").split(" or "):
        assert dg(*own, "--name-template", template.strip("'"), env=KEY).returncode == 0


def test_an_empty_response_name(dg: Run, tmp_path: Path) -> None:
    """An empty name and a directory are told as what they are."""
    assert said(dg, "render", "", code=6)[0] == "dg: error: The name of the response is empty."
    assert said(dg, "render", tmp_path, code=6)[0] == f"dg: error: {tmp_path} is a directory."


def test_noise_as_a_stream(dg: Run, tmp_path: Path) -> None:
    """A file that cannot be decoded is named once."""
    path = tmp_path / "rnd.wav"
    path.write_bytes(bytes(range(256)) * 20)
    (line, hint) = said(dg, "live", path, env=KEY, code=6)
    assert line.count("rnd.wav") == 1
    assert hint.startswith("dg: For headerless samples")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[profiles]\nwork = 1\n", "The profile 'work' in", "[profiles.work]"),
        ("api_key = 12345\n", "'api_key' in", 'Put it in quotes: api_key = "..."'),
        ("timeout = 'x'\n", "'timeout' in", "Write it without quotes: timeout = 10"),
        ("history = 1\n", "'history' in", "Write it like this: history = true"),
        ("params = 1\n", "'params' in", "Write a table: [params]"),
    ],
)
def test_settings_of_the_wrong_type(
    dg: Run, tmp_path: Path, audio: Path, text: str, message: str, hint: str
) -> None:
    """A setting of the wrong type says how it is written, and a secret is not repeated."""
    path = tmp_path / "c.toml"
    path.write_text(text)
    lines = said(dg, "file", audio, "--dry-run", env={"DGCLI_CONFIG": str(path)})
    assert message in lines[0]
    assert "12345" not in "".join(lines)
    assert lines[1].endswith(hint)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("args", [("config",), ("file", "x.wav", "--dry-run")])
def test_a_pipe_as_config_file(dg: Run, tmp_path: Path, args: tuple[str, ...]) -> None:
    """A named pipe as the config file is refused: nobody may ever write into it."""
    os.mkfifo(tmp_path / "c.toml")
    lines = said(dg, *args, env={"DGCLI_CONFIG": str(tmp_path / "c.toml")})
    assert "is a pipe" in lines[0]


@pytest.mark.parametrize("more", [("--local",), ("--base-url", "http://127.0.0.1:9")])
def test_certificates_that_are_not_there(dg: Run, audio: Path, more: tuple[str, ...]) -> None:
    """--ca-cert is checked also where no TLS is spoken."""
    lines = said(dg, "file", audio, "--ca-cert", "/nope", *more, env=KEY)
    assert lines == [
        "dg: error: The certificates of --ca-cert (/nope) cannot be read: there is no such file."
    ]


def test_a_url_that_this_machine_cannot_fetch(dg: Run, models_folder: Path) -> None:
    """With --local it is this machine that cannot fetch a URL, not the API."""
    env = {"DGCLI_MODELS": str(models_folder)}
    lines = said(dg, "url", "--local", "--retries", "0", "http://127.0.0.1:9/x.wav", env=env, code=4)
    assert "could not be fetched from here" in lines[0]
    assert "API" not in "".join(lines)


def test_models_of_a_server_that_lists_none(dg: Run, server: ScriptedServer) -> None:
    """What refuses to list its models is told with a hint."""
    server.script = [Reply(501, b"{}")]
    text = dg("models", "--base-url", server.url, env=KEY).stderr.decode()
    assert "The API's models cannot be listed" in text
    assert "Check --base-url" in text


def test_history_names_the_model_of_this_machine(dg: Run, models_folder: Path, audio: Path) -> None:
    """The history of --local has the model that answered, not the API's that was never asked."""
    env = {"DGCLI_MODELS": str(models_folder)}
    assert dg("file", audio, "--local", env=env).returncode == 0
    listed = dg("history", env=env).stdout.decode()
    assert "tiny.en" in listed
    assert "nova-3" not in listed


def _with(change: dict[str, Any]) -> bytes:
    """A response whose only alternative is changed."""
    response = json.loads(json.dumps(RESPONSE))
    response["results"]["channels"][0]["alternatives"][0].update(change)
    return json.dumps(response).encode()


WORD = {"word": "call", "punctuated_word": "Call", "start": 0.32, "end": 0.64, "confidence": 0.98}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"transcript": 5}, "transcript"),
        ({"words": {"a": 1}}, "words"),
        ({"words": ["call"]}, "words[0]"),
        ({"words": [{**WORD, "start": float("nan")}]}, "words[0].start"),
        ({"words": [{**WORD, "end": float("inf")}]}, "words[0].end"),
        ({"words": [WORD, {**WORD, "punctuated_word": 7, "word": 7}]}, "words[1].word"),
    ],
)
def test_values_of_the_wrong_type(
    dg: Run, server: ScriptedServer, audio: Path, change: dict[str, Any], place: str
) -> None:
    """What an answer has in place of words or times is warned of: it would pass for silence."""
    server.script = [Reply(body=_with(change))]
    result = dg("file", audio, "--base-url", server.url, env=KEY)
    assert f"left out: results.channels[0].alternatives[0].{place}" in result.stderr.decode()


def test_a_good_answer_is_not_warned_of() -> None:
    """Documented answers have no such warning, numbers as text and channels without words neither."""
    for change in (
        {},
        {"words": [{**WORD, "start": "0.32"}]},
        {"words": [], "transcript": ""},
        {"words": [{"word": " "}]},
    ):
        assert parse_body(_with(change)).warnings == ()
    assert parse_body(b'{"results": {"channels": [{}]}}').warnings == ()
    odd = parse_body(b'{"metadata": {"duration": 1e999}, "results": {"channels": [3, {"alternatives": 7}]}}')
    assert odd.warnings[0].endswith("results.channels[0] and 2 more.")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": None}, "A format is named by text, not by NoneType"),
        ({"format": "srt", "max_chars": "x"}, "--max-chars takes a number"),
        ({"format": "srt", "fps": "x"}, "--fps takes a number"),
        ({"format": "srt", "preset": 5}, "There is no preset 5"),
        ({"format": "text", "speaker_names": 5}, "speaker_names takes names by number"),
        ({"format": "text", "sections": 5}, "sections takes a list"),
    ],
)
def test_options_of_python(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    """What a program passes that cannot be used is a `UsageError`."""
    path = tmp_path / "r.json"
    path.write_text(json.dumps(RESPONSE))
    with pytest.raises(dgcli.UsageError, match=message):
        dgcli.load(path).render(**options)


@pytest.mark.parametrize(
    "given", [{"base_url": 5}, {"timeout": "x"}, {"retries": "x"}, {"api_key": 5}, {"timeout": True}]
)
def test_settings_of_python(audio: Path, given: dict[str, Any]) -> None:
    """Settings of another type are a `UsageError` that names them."""
    with pytest.raises(dgcli.UsageError, match=next(iter(given))):
        dgcli.transcribe(audio, **given)


def test_an_endless_list_of_models(dg: Run, server: ScriptedServer) -> None:
    """Answers about the account are bounded as transcripts are: nothing of that size is held."""
    import gzip

    server.script = [
        Reply(body=gzip.compress(bytes(MOST_BYTES + 1), 1), headers={"Content-Encoding": "gzip"})
    ]
    text = dg("models", "--base-url", server.url, env=KEY).stderr.decode()
    assert "The answer is larger than 256 MiB" in text
