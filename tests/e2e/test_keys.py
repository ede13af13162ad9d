"""`dg login`, `logout`, `whoami`, `token`: the installed command, at a terminal and in a pipe, against the server."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dgcli.credentials import profiles_with_keys
from dgcli.server.run import running
from dgcli.server.settings import ServerSettings
from tests.conftest import ROOT, SAMPLE, Run, dg_path

KEY = "0123456789abcdef0123456789abcdef0f1e2d3c"
CREDENTIALS = ".config/dgcli/credentials.toml"


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """A local server that serves KEY alone."""
    with running(ServerSettings(engine="count", require_key=KEY)) as url:
        yield url


@pytest.fixture
def with_keyring(tmp_path: Path) -> dict[str, str]:
    """An environment whose system keyring works."""
    return {
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "tests.e2e.keyring_file.FileKeyring",
        "KEYRING_FILE": str(tmp_path / "keyring.json"),
    }


@pytest.fixture
def home(environment: Mapping[str, str]) -> Path:
    """The user's home."""
    return Path(environment["HOME"])


def test_no_key_names_the_remedy(dg: Run) -> None:
    """Without a key, the error names where to get one and the command that keeps it."""
    result = dg("file", SAMPLE)
    assert result.returncode == 3
    assert b"No API key." in result.stderr
    assert b"console.deepgram.com" in result.stderr
    assert b"dg login" in result.stderr


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f"  {KEY} \n",
        f'"{KEY}"',
        f"export DEEPGRAM_API_KEY={KEY}",
        f"Token {KEY}",
        f"\x1b[200~{KEY}\x1b[201~",
    ],
)
def test_a_key_is_kept_in_a_private_file(dg: Run, guarded: str, home: Path, pasted: str) -> None:
    """In a pipe, whatever was pasted around it: the key is checked, kept with mode 0600, and used from then on."""
    env = {"DEEPGRAM_BASE_URL": guarded}
    result = dg("login", "-v", stdin=pasted.encode(), env=env)
    assert result.returncode == 0, result.stderr
    assert str(home / CREDENTIALS).encode() in result.stderr
    assert KEY.encode() not in result.stdout + result.stderr
    assert stat.S_IMODE((home / CREDENTIALS).stat().st_mode) == 0o600
    assert dg("file", SAMPLE, "-f", "json", env=env).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect.spawn needs a pseudo-terminal")
def test_a_terminal_does_not_show_the_key(environment: Mapping[str, str], guarded: str, home: Path) -> None:
    """At a terminal the prompt hides what is pasted, and nothing that follows shows it."""
    import pexpect

    env = {**environment, "DEEPGRAM_BASE_URL": guarded}
    child = pexpect.spawn(dg_path(), ["login"], env=env, timeout=60, encoding="utf-8", dimensions=(24, 200))
    child.expect("hidden")
    child.waitnoecho()
    command_line = Path(f"/proc/{child.pid}/cmdline")
    child.sendline(f" {KEY} ")
    if command_line.exists():  # Linux: what `ps` shows
        assert KEY not in command_line.read_text()
    child.expect("kept in")
    before = child.before
    child.expect(pexpect.EOF)
    assert KEY not in before + child.before
    child.close()
    assert child.exitstatus == 0
    assert KEY in (home / CREDENTIALS).read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect.spawn needs a pseudo-terminal")
def test_ctrl_c_at_the_prompt_leaves_a_clean_line(environment: Mapping[str, str], home: Path) -> None:
    """Ctrl-C where the key is asked for: 130, nothing is kept, and the message is not on the prompt's line."""
    import pexpect

    child = pexpect.spawn(dg_path(), ["login"], env=dict(environment), timeout=60, encoding="utf-8")
    child.expect("hidden.*: ")
    child.waitnoecho()
    child.sendintr()
    child.expect("\r\n(?:\x1b[^m]*m|[a-z]|:| )*Interrupted\\.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert not (home / CREDENTIALS).exists()


def test_a_refused_key_is_not_kept(dg: Run, guarded: str, home: Path) -> None:
    """A key that the API refuses is an error, is not quoted, and leaves the one that was kept as it is."""
    env = {"DEEPGRAM_BASE_URL": guarded}
    assert dg("login", stdin=b"wrong-key-of-nobody", env=env).returncode == 3
    assert not (home / CREDENTIALS).exists()
    dg("login", stdin=KEY.encode(), env=env)
    refused = dg("login", "-v", stdin=b"wrong-key-of-nobody", env=env)
    assert refused.returncode == 3
    assert b"wrong-key-of-nobody" not in refused.stderr + refused.stdout
    assert KEY in (home / CREDENTIALS).read_text()


@pytest.mark.parametrize("text", [b"", b"\n", b"two words", "schlüssel".encode()])
def test_what_is_no_key_is_refused(dg: Run, guarded: str, text: bytes) -> None:
    """Nothing, or what no header can carry, is refused before anything is sent, and is not quoted."""
    result = dg("login", stdin=text, env={"DEEPGRAM_BASE_URL": guarded})
    assert result.returncode == 2
    assert not text.strip() or text.strip() not in result.stderr


def test_a_working_keyring_has_the_key(
    dg: Run, guarded: str, home: Path, with_keyring: Mapping[str, str], tmp_path: Path
) -> None:
    """Where the system's keyring works the key is in it alone; a locked one is named; logout deletes it there."""
    env = {**with_keyring, "DEEPGRAM_BASE_URL": guarded}
    result = dg("login", stdin=KEY.encode(), env=env)
    assert b"system keyring" in result.stderr
    assert KEY not in (home / CREDENTIALS).read_text()
    assert KEY in (tmp_path / "keyring.json").read_text()
    status = dg("whoami", "--json", env=env)
    assert json.loads(status.stdout)["works"] is True
    locked = dg("whoami", env={**env, "KEYRING_LOCKED": "1"})
    assert locked.returncode == 2
    assert b"keyring" in locked.stderr
    assert dg("logout", env=env).returncode == 0
    assert KEY not in (tmp_path / "keyring.json").read_text()
    assert dg("whoami", env=env).returncode == 3


def test_an_environment_key_is_never_written(dg: Run, guarded: str, home: Path) -> None:
    """A key of the environment is used and told of, and is in no file afterwards."""
    env = {"DEEPGRAM_BASE_URL": guarded, "DEEPGRAM_API_KEY": KEY}
    assert dg("whoami", env=env).returncode == 0
    assert dg("file", SAMPLE, "-o", "x.json", env=env).returncode == 0
    assert dg("config", "set", "timeout", "60", env=env).returncode == 0
    assert dg("login", stdin=b"\n", env=env).returncode == 2
    texts = [path.read_bytes() for path in home.parent.rglob("*") if path.is_file() and path.suffix != ".wav"]
    assert texts
    assert not any(KEY.encode() in text for text in texts)
    login = dg("login", stdin=KEY.encode(), env=env)
    assert b"DEEPGRAM_API_KEY is set" in login.stderr


def test_profiles_have_keys_of_their_own(dg: Run, guarded: str) -> None:
    """A profile's key is used with --profile alone; logout of one leaves the other."""
    env = {"DEEPGRAM_BASE_URL": guarded}
    assert dg("login", "--profile", "work", stdin=KEY.encode(), env=env).returncode == 0
    assert dg("whoami", env=env).returncode == 3
    assert dg("whoami", "--profile", "work", env=env).returncode == 0
    assert dg("whoami", env={**env, "DGCLI_PROFILE": "work"}).returncode == 0
    assert dg("logout", env=env).returncode == 2
    assert dg("logout", "--profile", "work", env=env).returncode == 0
    assert dg("whoami", "--profile", "work", env=env).returncode == 2


def test_whoami_tells_the_source(dg: Run, guarded: str) -> None:
    """whoami names the source of the key and its last four characters, never more, and fails for a refused one."""
    env = {"DEEPGRAM_BASE_URL": guarded}
    by_flag = dg("whoami", "--api-key", KEY, env=env)
    assert b"...2d3c, from --api-key" in by_flag.stdout
    assert b"yes" in by_flag.stdout
    refused = dg("whoami", "-v", env={**env, "DEEPGRAM_API_KEY": KEY[::-1]})
    assert refused.returncode == 3
    assert b"from DEEPGRAM_API_KEY" in refused.stdout
    for result in (by_flag, refused):
        assert KEY.encode() not in result.stdout + result.stderr
        assert KEY[::-1].encode() not in result.stdout + result.stderr


def test_a_token_opens_what_the_key_opens(dg: Run, guarded: str) -> None:
    """A temporary token transcribes without the key, gives no other token, and its ttl has limits."""
    env = {"DEEPGRAM_BASE_URL": guarded}
    granted = dg("token", "--ttl", "60", env={**env, "DEEPGRAM_API_KEY": KEY})
    assert granted.returncode == 0, granted.stderr
    token = granted.stdout.decode().strip()
    with_token = {**env, "DEEPGRAM_ACCESS_TOKEN": token}
    assert dg("file", SAMPLE, "-f", "json", env=with_token).returncode == 0
    assert dg("file", SAMPLE, env={**env, "DEEPGRAM_ACCESS_TOKEN": f"{token}x"}).returncode == 3
    assert dg("token", env=with_token).returncode == 2
    assert dg("token", "--ttl", "3601", env={**env, "DEEPGRAM_API_KEY": KEY}).returncode == 2
    as_json = json.loads(dg("token", "--json", env={**env, "DEEPGRAM_API_KEY": KEY}).stdout)
    assert as_json["expires_in"] == 30


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect.spawn needs a pseudo-terminal")
def test_at_a_terminal_no_key_is_shown(environment: Mapping[str, str], guarded: str, home: Path) -> None:
    """token, whoami, config, a stream and logout at a pseudo-terminal: all work, and none shows or keeps the key."""
    import pexpect

    config = home / ".config" / "dgcli" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'api_key = "{KEY}"\ntimeout = 60\n')
    config.chmod(0o600)
    env = {**environment, "DEEPGRAM_BASE_URL": guarded}
    shown = {}

    def run(*args: str, code: int = 0) -> str:
        child = pexpect.spawn(
            dg_path(), list(args), env=env, timeout=60, encoding="utf-8", dimensions=(30, 160)
        )
        command_line = Path(f"/proc/{child.pid}/cmdline")
        if command_line.exists():  # Linux: what `ps` shows
            assert KEY not in command_line.read_text()
        child.expect(pexpect.EOF)
        child.close()
        shown[args] = child.before
        assert child.exitstatus == code, child.before
        return str(child.before)

    (token,) = run("token", "--ttl", "60").split()  # a line for scripts, and nothing around it
    assert len(token) > 20
    assert json.loads(run("token", "--json"))["expires_in"] == 30
    assert "2d3c" in run("whoami", "-v")
    assert "timeout" in run("config")
    assert run("config", "get", "timeout").strip() == "60"
    run("config", "set", "timeout", "90")
    run("config", "get", "api_key", code=0)
    assert run("config", "path").strip() == str(config)
    assert "did you mean" in run("config", "set", "timout", "90", code=2).lower()
    run("live", str(SAMPLE), "--duration", "1", "-v")
    run("file", str(SAMPLE), "-f", "json", "-v")
    run("file", str(SAMPLE), "--base-url", "http://127.0.0.1:1", "--retries", "0", "-v", code=5)
    run("history")
    run("config", "unset", "api_key")
    assert KEY not in config.read_text()
    child = pexpect.spawn(dg_path(), ["login"], env=env, timeout=60, encoding="utf-8")
    child.expect("hidden")
    child.waitnoecho()
    child.sendline(KEY)
    child.expect(pexpect.EOF)
    child.close()
    assert KEY in (home / CREDENTIALS).read_text()
    run("logout")
    assert "No API key" in run("whoami", code=3)
    run("logout", code=2)
    for args, text in shown.items():
        assert KEY not in text, args
        assert "Traceback" not in text, args
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert kept  # the history has the answers
    assert not any(KEY.encode() in path.read_bytes() for path in kept)


_LOGINS = """
import sys
from pathlib import Path
from dgcli.credentials import keep_key
for number in range(20):
    keep_key(Path(sys.argv[1]), f"{sys.argv[2]}-{number}", "k" * 40)
"""


def test_logins_at_once_lose_no_key(tmp_path: Path) -> None:
    """Several processes that keep keys at the same time each find theirs in the file afterwards."""
    path = tmp_path / "new" / "credentials.toml"
    command = [sys.executable, "-c", _LOGINS, str(path)]
    env = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    running = [subprocess.Popen([*command, str(number)], env=env) for number in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert len(profiles_with_keys(path)) == 80
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="there is no umask on Windows")
def test_no_umask_opens_what_is_kept(dg: Run, guarded: str, home: Path) -> None:
    """Under umask 000 the key and its folder are their owner's alone: who can write there could send it elsewhere."""
    before = os.umask(0)
    try:
        result = dg("login", "--base-url", guarded, stdin=KEY.encode())
        assert result.returncode == 0, result.stderr
        result = dg("file", SAMPLE, "--base-url", guarded)
    finally:
        os.umask(before)
    assert result.returncode == 0, result.stderr
    answers = list((home / ".local" / "state" / "dgcli" / "history").glob("[!.]*"))
    assert answers
    for path in (home / CREDENTIALS, *answers):
        assert not path.stat().st_mode & 0o077, path
        assert not path.parent.stat().st_mode & 0o022, path.parent
