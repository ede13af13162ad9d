"""`dg models`: the installed command, a hub on this machine, and the real weights."""

import json
import sys
from collections.abc import Iterator, Mapping
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import SAMPLE, Run, dg_path
from tests.http_server import QuietHandler, serving

_TINY = {"config.json", "model.bin", "tokenizer.json", "vocabulary.txt"}


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, str]:
    """An environment without a model, whose hub cannot be reached, and whose pip has no index."""
    return {
        "DGCLI_MODELS": str(tmp_path / "models"),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
    }


@pytest.fixture
def real_hub(models_folder: Path) -> Iterator[str]:
    """A hub on this machine that has the real tiny.en."""

    class Handler(QuietHandler, SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            return str(models_folder / "tiny.en" / urlsplit(path).path.rpartition("/")[2])

    with serving(Handler) as url:
        yield url


def test_a_model_is_pulled_listed_and_removed(
    dg: Run, empty: Mapping[str, str], real_hub: str, tmp_path: Path
) -> None:
    """The real tiny.en comes from a hub, is verified, is in the list, and goes again."""
    env = {**empty, "HF_ENDPOINT": real_hub}
    pulled = dg("models", "pull", "whisper-tiny.en", env=env)
    assert pulled.returncode == 0, pulled.stderr
    assert pulled.stdout == b""
    folder = tmp_path / "models" / "tiny.en"
    assert {path.name for path in folder.iterdir()} == _TINY
    listed = dg("models", "local", env=env)
    assert str(folder) in listed.stdout.decode()
    rows = {row["name"]: row for row in json.loads(dg("models", "local", "--json", env=env).stdout)}
    assert rows["tiny.en"]["path"] == str(folder)
    assert rows["small"]["path"] is None
    assert dg("models", "remove", "tiny.en", env=env).returncode == 0
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect.spawn needs a pseudo-terminal")
def test_a_bar_shows_on_a_terminal(
    environment: Mapping[str, str], empty: Mapping[str, str], real_hub: str
) -> None:
    """On a terminal, a bar shows how much of the model is here."""
    import pexpect

    child = pexpect.spawn(
        dg_path(),
        ["models", "pull", "tiny.en"],
        env={**environment, **empty, "HF_ENDPOINT": real_hub, "COLUMNS": "100"},
        dimensions=(24, 100),
        timeout=60,
    )
    child.expect("Fetching the speech model tiny.en \\(78 MB\\), once")
    child.expect("78.1 MB")
    child.expect("tiny.en is in ")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_model_that_no_origin_has_is_an_error(dg: Run, empty: Mapping[str, str]) -> None:
    """With neither a hub nor an index, the message names both and why, within seconds."""
    result = dg("models", "pull", "tiny.en", env=empty)
    assert result.returncode == 5
    message = result.stderr.decode()
    assert "127.0.0.1:9: it cannot be reached" in message
    assert "the package index: pip says" in message


def test_offline_names_the_command(dg: Run, empty: Mapping[str, str]) -> None:
    """HF_HUB_OFFLINE forbids fetching, and the error says what to run without it."""
    result = dg("models", "pull", "small", env={**empty, "HF_HUB_OFFLINE": "1"})
    assert result.returncode == 2
    assert "HF_HUB_OFFLINE forbids fetching it" in result.stderr.decode()
    assert "dg models pull small" in result.stderr.decode()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["pull"], "needs a name"),
        (["pull", "nova-3"], "There is no model 'nova-3'"),
        (["remove", "small"], "There is no small"),
        (["fetch", "small"], "'fetch' is no action"),
        (["local", "small"], "dg models pull small"),
        (["pull", "small", "--json"], "--json goes with the list"),
    ],
)
def test_what_does_not_go_is_refused(dg: Run, empty: Mapping[str, str], args: list[str], said: str) -> None:
    """Each mistake is a usage error that says what to do."""
    result = dg("models", *args, env=empty)
    assert result.returncode == 2
    assert said in result.stderr.decode()


def test_local_offline_without_a_model_names_the_command(dg: Run, empty: Mapping[str, str]) -> None:
    """`--local --offline` where no model is here is an error with the command to run, and nothing is sent."""
    result = dg("file", SAMPLE, "--local", "--offline", env=empty)
    assert result.returncode == 2
    assert "--offline forbids fetching it" in result.stderr.decode()
    assert "dg models pull tiny.en" in result.stderr.decode()


def test_the_first_local_fetches_the_model(
    dg: Run, empty: Mapping[str, str], real_hub: str, tmp_path: Path
) -> None:
    """`--local` on a fresh machine fetches tiny.en once, with one line on stderr, and transcribes."""
    env = {**empty, "HF_ENDPOINT": real_hub}
    first = dg("file", SAMPLE, "--local", env=env)
    assert first.returncode == 0, first.stderr
    assert b"people of the United States" in first.stdout
    assert first.stderr.decode().count("\n") == 1
    assert "Fetching the speech model tiny.en (78 MB), once" in first.stderr.decode()
    second = dg("file", SAMPLE, "--local", "--offline", env=empty)
    assert second.stdout == first.stdout
    assert second.stderr == b""


def test_a_model_of_ones_own_is_told_once(dg: Run, empty: Mapping[str, str], models_folder: Path) -> None:
    """`--local-model` is used unverified, which one line says."""
    result = dg("file", SAMPLE, "--local", "--local-model", models_folder / "tiny.en", env=empty)
    assert result.returncode == 0, result.stderr
    assert b"people of the United States" in result.stdout
    assert result.stderr.decode().count("nobody but you vouches") == 1


@pytest.mark.parametrize("flag", [["--offline"], ["--local-model", "mine"]])
def test_flags_of_the_local_recogniser_need_it(dg: Run, flag: list[str]) -> None:
    """Without --local, what concerns it is refused, before anything is sent."""
    result = dg("file", SAMPLE, *flag, "--api-key", "k", "--base-url", "http://127.0.0.1:9")
    assert result.returncode == 2
    assert f"{flag[0]} goes with --local" in result.stderr.decode()


def test_a_whisper_model_that_is_not_here_names_the_command(dg: Run, empty: Mapping[str, str]) -> None:
    """`--local --model whisper-small` does not fetch half a gigabyte by itself: it says how."""
    result = dg("file", SAMPLE, "--local", "--model", "whisper-small", env=empty)
    assert result.returncode == 2
    assert "dg models pull whisper-small" in result.stderr.decode()
