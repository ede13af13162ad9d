"""`dg config`: a config file that cannot be read, changed or edited."""

import sys
from pathlib import Path

import pytest

from dgcli.errors import OutputError, UsageError
from dgcli.tasks.settings import Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The config file."""
    return tmp_path / "config.toml"


@pytest.fixture
def settings(path: Path) -> Settings:
    """The settings in it."""
    return Settings({"DGCLI_CONFIG": str(path)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff\xfe", "is not valid TOML"),
        (b"timeout = = 3", "is not valid TOML"),
        (None, "is a directory"),
    ],
)
def test_a_file_that_is_none_is_named(path: Path, settings: Settings, text: bytes | None, said: str) -> None:
    """Bytes that are no text, a text that is no TOML, a folder: the file is named and left as it is."""
    path.mkdir() if text is None else path.write_bytes(text)
    with pytest.raises(UsageError, match=said):
        settings.get("timeout", None)
    with pytest.raises(UsageError, match=r"config\.toml"):
        settings.set("timeout", "60", None)
    assert path.is_dir() if text is None else path.read_bytes() == text


def test_a_value_where_a_table_should_stand(path: Path, settings: Settings) -> None:
    """What cannot be changed without losing something is left, and the editor is named."""
    path.write_text("params = 3\n")
    with pytest.raises(UsageError, match="cannot be changed") as refused:
        settings.set("params.model", "nova-3", None)
    assert refused.value.hint == "Repair it with: dg config edit"
    assert path.read_text() == "params = 3\n"


def test_a_profile_is_named_once(settings: Settings) -> None:
    """A profile both in the name and as an option is refused."""
    with pytest.raises(UsageError, match="named twice"):
        settings.set("profiles.work.timeout", "60", "home")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file where the folder of settings should be is told as what it is."""
    (tmp_path / "file").touch()
    settings = Settings({"DGCLI_CONFIG": str(tmp_path / "file" / "deeper" / "config.toml")})
    with pytest.raises((OutputError, UsageError), match=r"file/deeper"):
        settings.set("timeout", "60", None)


@pytest.mark.parametrize(
    ("program", "outcome"),
    [("raise SystemExit(3)", "ended with code 3"), ("", False), ("open(sys.argv[1], 'w').write('timeout = 5')", True)],
)  # fmt: skip
def test_what_an_editor_does_counts(
    path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, program: str, outcome: str | bool
) -> None:
    """An editor that fails changes nothing, one that changes nothing is no change, and what it writes is taken."""
    path.write_text("timeout = 4\n")
    script = path.with_name("editor.py")
    script.write_text(f"import sys\n{program}\n")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    if isinstance(outcome, str):
        with pytest.raises(UsageError, match=outcome):
            settings.edit()
    else:
        assert settings.edit() is outcome
    assert path.read_text() == ("timeout = 5" if outcome is True else "timeout = 4\n")
