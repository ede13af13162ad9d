"""`dg config`: the installed command on a config file of its own."""

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import Run

FILE = """\
# What we use at work.
timeout = 60  # seconds
api_key = "0123456789abcdef0123456789abcdef"

[params]
model = "nova-3-medical"  # since May

[profiles.eu]
base_url = "https://api.eu.deepgram.com"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config file with comments."""
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def test_a_change_keeps_the_rest(dg: Run, file: Path) -> None:
    """set changes and adds values where they belong, unset removes them, and every comment stays."""
    env = {"DGCLI_CONFIG": str(file)}
    for args in (
        ("set", "timeout", "90"),
        ("set", "params.diarize", "on"),
        ("set", "params.language", "de", "--profile", "eu"),
    ):
        assert dg("config", *args, env=env).returncode == 0
    assert (
        file.read_text()
        == FILE.replace("60", "90").replace("# since May\n", "# since May\ndiarize = true\n")
        + '\n[profiles.eu.params]\nlanguage = "de"\n'
    )
    for args in (("params.diarize",), ("profiles.eu.params.language",)):
        assert dg("config", "unset", *args, env=env).returncode == 0
    assert file.read_text().rstrip() == FILE.replace("60", "90").rstrip()


def test_values_are_shown_and_keys_are_not(dg: Run, file: Path) -> None:
    """The list, as lines and JSON, and get have every value; of a key the last four characters."""
    env = {"DGCLI_CONFIG": str(file)}
    lines = dg("config", env=env).stdout.decode()
    assert 'params.model = "nova-3-medical"' in lines
    values = json.loads(dg("config", "--json", env=env).stdout)
    assert values["profiles.eu.base_url"] == "https://api.eu.deepgram.com"
    assert values["api_key"] == "...cdef"
    assert dg("config", "get", "timeout", env=env).stdout == b"60\n"
    assert (
        dg("config", "get", "base_url", "--profile", "eu", env=env).stdout == b"https://api.eu.deepgram.com\n"
    )
    assert b"0123456789" not in dg("config", "get", "api_key", env=env).stdout + lines.encode()
    assert dg("config", "path", env=env).stdout.decode() == f"{file}\n"
    assert dg("config", "get", "retries", env=env).returncode == 2


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("set", "base_ur", "x"), "Did you mean: base_url"),
        (("set", "base-url", "ftp://x"), "cannot be used"),
        (("set", "base-url", "nonsense"), "It looks like https://api.deepgram.com"),
        (("set", "base-url", "foo bar.com"), "cannot be used"),
        (("set", "base-url", ""), "needs a value"),
        (("set", "timeout", "0"), "takes seconds above 0, up to 86400"),
        (("set", "timeout", "-3"), "behind two: dg config ... -- VALUE"),
        (("set", "--", "retries", "-3"), "takes 0 or more"),
        (("set", "history_days", "0"), "takes a number above 0"),
        (("set", "history", "maybe"), "takes true or false"),
        (("set", "ca_cert", "/nope.pem"), "There is no file /nope.pem"),
        (("set", "local_model", "tiny.en"), "takes a folder"),
        (("set", "params.utt_split", "abc"), "takes a number, not 'abc'"),
        (("set", "params.diarize", "perhaps"), "is on or off"),
        (("set", "params.encoding", "mp7"), "takes linear16,"),
        (("set", "params.endpointing", "soon"), "takes a whole number"),
        (("set", "params.callback", "nowhere"), "takes a whole URL"),
        (("set", "profiles.eu.params.sample_rate", "0"), "of 1 or more"),
        (("set", "language", "de"), "Did you mean: params.language"),
        (("set", "params.diarise", "true"), "Did you mean: params.diarize"),
        (("set", "retries", "many"), "takes a number"),
        (("set", "api_key", "0123456789"), "dg login"),
        (("set", "timeout"), "dg config set NAME VALUE"),
        (("sett", "timeout", "1"), "no action"),
        (("set", "a.b.c", "1"), "There is no setting"),
    ],
)
def test_what_is_invalid_changes_nothing(dg: Run, file: Path, args: tuple[str, ...], told: str) -> None:
    """An unknown name gets a suggestion, an invalid value a reason, and the file stays as it is."""
    result = dg("config", *args, env={"DGCLI_CONFIG": str(file)})
    assert result.returncode == 2
    assert told in result.stderr.decode()
    assert file.read_text() == FILE


def test_an_edit_is_checked(dg: Run, file: Path, tmp_path: Path) -> None:
    """edit takes a valid text over; of an invalid one the file stays as it is, and the text is kept."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys, pathlib\npath = pathlib.Path(sys.argv[2])\npath.write_text(path.read_text() + sys.argv[1])\n"
    )
    env = {"DGCLI_CONFIG": str(file), "EDITOR": f"{sys.executable} {script} 'x = 1\n'"}
    result = dg("config", "edit", env=env)
    assert result.returncode == 2
    assert file.read_text() == FILE
    assert "x = 1" in (tmp_path / "config.rejected.toml").read_text()
    refused = dg(
        "config",
        "edit",
        env={**env, "EDITOR": f"{sys.executable} {script} '[profiles.eu.params]\nutt_split = 0'"},
    )
    assert b"--utt-split takes a number above 0, not 0." in refused.stderr
    assert file.read_text() == FILE
    assert (
        dg("config", "edit", env={**env, "EDITOR": f"{sys.executable} {script} '# fine\n'"}).returncode == 0
    )
    assert file.read_text() == FILE + "# fine\n"
    assert dg("config", "edit", env={**env, "EDITOR": "/nonexistent/editor"}).returncode == 2


def test_a_file_is_made_where_there_is_none(dg: Run, environment: dict[str, str]) -> None:
    """The first set makes the file, for its owner alone."""
    assert dg("config", "set", "project", "p-1").returncode == 0
    path = Path(environment["HOME"], ".config/dgcli/config.toml")
    assert path.read_text() == 'project = "p-1"\n'
    assert path.stat().st_mode & 0o777 == 0o600
