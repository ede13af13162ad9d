"""Keys that `dg login` keeps: the private file, the system's keyring, and what is wrong with either."""

import os
from pathlib import Path

import pytest

from dgcli import credentials
from dgcli.config import Config
from dgcli.credentials import forget_key, keep_key, kept_key
from dgcli.errors import ApiError, AuthError, OutputError, UsageError
from dgcli.tasks.login import log_in, log_out, temporary_token
from dgcli.tasks.reporter import SilentReporter
from tests.conftest import Reply, ScriptedServer, error

KEY = "0123456789abcdef0123456789abcdef0f1e2d3c"


class Keyring:
    """A system's keyring that works until it is locked."""

    priority = 5.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def _open(self) -> dict[tuple[str, str], str]:
        if self.is_locked:
            raise RuntimeError("locked")
        return self.kept

    def get_password(self, service: str, name: str) -> str | None:
        return self._open().get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self._open()[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        del self._open()[service, name]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """The keyring that this system has."""
    import keyring

    made = Keyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of keys."""
    return tmp_path / "credentials.toml"


def test_a_locked_keyring_leaves_the_file(path: Path, ring: Keyring) -> None:
    """A keyring that fails when a key comes is passed over: the key stands in the private file."""
    ring.is_locked = True
    assert keep_key(path, "default", KEY).place == str(path)
    kept = kept_key(path, None)
    assert kept is not None
    assert kept.read() == KEY


def test_a_keyring_that_fails_later_is_named(path: Path, ring: Keyring) -> None:
    """Reading, and deleting, from a keyring that fails says so; what was deleted there is missed by name."""
    kept = keep_key(path, "default", KEY)
    assert (kept.place, kept.read()) == ("the system keyring", KEY)
    ring.is_locked = True
    with pytest.raises(UsageError, match="cannot be read: locked"):
        kept.read()
    with pytest.raises(OutputError, match="does not delete the key: locked"):
        forget_key(path, "default")
    ring.is_locked = False
    ring.kept.clear()
    with pytest.raises(UsageError) as missed:
        kept.read()
    assert missed.value.hint == "Log in again with: dg login"
    assert forget_key(path, "default") == "the system keyring"
    assert not path.exists()


@pytest.mark.parametrize("priority", [0.5, "broken"])
def test_a_keyring_that_keeps_no_secrets_is_none(
    path: Path, ring: Keyring, monkeypatch: pytest.MonkeyPatch, priority: object
) -> None:
    """One that is rated low, or cannot say how good it is, is not used; a key that is in it is asked for by name."""
    kept = keep_key(path, "default", KEY)
    monkeypatch.setattr(ring, "priority", priority)
    with pytest.raises(UsageError, match="cannot be used now") as refused:
        kept.read()
    assert refused.value.hint is not None
    assert "keyring" in refused.value.hint
    with pytest.raises(UsageError, match="which has the key, cannot be used now"):
        forget_key(path, "default")
    assert keep_key(path, "work", KEY).place == str(path)


def test_a_damaged_file_is_not_quoted(path: Path) -> None:
    """A file that is no TOML is named, with the remedy, and nothing of its text is shown: it may be a key."""
    path.write_text(f"api_key = {KEY}")
    with pytest.raises(UsageError) as refused:
        kept_key(path, None)
    assert str(path) in refused.value.message
    assert KEY[:8] not in refused.value.message + (refused.value.hint or "")
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        kept_key(path, None)


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails at the last moment is told, and no part of a key is left."""
    monkeypatch.setattr(credentials, "_usable_keyring", lambda: None)

    def fails(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OutputError, match="cannot be written: No space"):
        keep_key(tmp_path / "config" / "credentials.toml", "default", KEY)
    assert list((tmp_path / "config").iterdir()) == []


class Told(SilentReporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, message: str) -> None:
        self.said.append(message)

    def warning(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture
def config(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Settings of somebody without a key, whose host is the scripted server."""
    monkeypatch.setattr(credentials, "_usable_keyring", lambda: None)
    return Config(base_url=server.url, path=tmp_path / "config.toml")


def reply(body: bytes) -> Reply:
    """A success."""
    return Reply(200, body)


def test_a_host_that_does_not_know_keys_is_no_hindrance(server: ScriptedServer, config: Config) -> None:
    """Where neither keys nor projects are told, the key is kept, and the doubt is told."""
    server.script = [error(404, "Not Found", "No.")]
    told = Told()
    log_in(config, None, KEY, told)
    assert kept_key(config.path.with_name("credentials.toml"), None) is not None
    assert "does not say whether the key works" in told.said[0]


def test_the_project_of_a_key_stands_for_those_it_may_not_list(
    server: ScriptedServer, config: Config
) -> None:
    """A key that tells its project but may not list projects is kept under that one."""
    server.script = [reply(b'{"project_id": "calls-of-may"}'), error(403, "FORBIDDEN", "No.")]
    told = Told()
    log_in(config, None, KEY, told)
    assert "Project: calls-of-may." in told.said[0]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([error(400, "Bad Request", "No.")], ApiError),
        ([error(404, "Not Found", "No."), error(401, "INVALID_AUTH", "No.")], AuthError),
    ],
)
def test_an_answer_that_settles_nothing_keeps_no_key(
    server: ScriptedServer, config: Config, script: list[Reply], kind: type[Exception]
) -> None:
    """Other refusals, of the key or of the list of projects, end the login."""
    server.script = script
    with pytest.raises(kind):
        log_in(config, None, KEY, Told())
    assert kept_key(config.path.with_name("credentials.toml"), None) is None


def test_who_logs_out_is_told_what_is_still_set(
    server: ScriptedServer, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that goes on being used is named; a profile without a key names those that have one."""
    keep_key(config.path.with_name("credentials.toml"), "work", KEY)
    with pytest.raises(UsageError) as refused:
        log_out(config, None, Told())
    assert refused.value.hint == "There are keys for: work."
    monkeypatch.setitem(os.environ, "DEEPGRAM_API_KEY", KEY)
    told = Told()
    log_out(config, "work", told)
    assert told.said[1] == "DEEPGRAM_API_KEY is set, and goes on being used."


def test_an_answer_without_a_token_is_an_error(server: ScriptedServer, tmp_path: Path) -> None:
    """A server that answers a request for a token with anything else gives none."""
    server.script = [reply(b'{"access_token": 3}')]
    with pytest.raises(ApiError, match="holds no token"):
        temporary_token(Config(base_url=server.url, api_key=KEY), 60)
