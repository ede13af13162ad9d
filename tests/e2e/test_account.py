"""`dg usage`, `balance`, `requests` and models: the installed command against a local and a scripted server."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from dgcli.server.run import running
from dgcli.server.settings import ServerSettings
from tests.conftest import SAMPLE, Reply, Run, ScriptedServer, dg_path, error

KEY = "0123456789abcdef0123456789abcdef0f1e2d3c"
PROJECT = "11111111-2222-4333-8444-555555555555"
TWO = {"projects": [{"project_id": PROJECT, "name": "calls"}, {"project_id": "other", "name": "films"}]}


def answer(fields: Mapping[str, object]) -> Reply:
    """A success with these fields."""
    return Reply(200, json.dumps(fields).encode())


@pytest.fixture
def used(dg: Run) -> Iterator[dict[str, str]]:
    """The environment of a local server that has transcribed once and refused once."""
    with running(ServerSettings(engine="count", require_key=KEY)) as url:
        env = {"DEEPGRAM_BASE_URL": url, "DEEPGRAM_API_KEY": KEY}
        assert dg("file", SAMPLE, "-f", "json", env=env).returncode == 0
        nothing = httpx.post(f"{url}/v1/listen", headers={"Authorization": f"Token {KEY}"})
        assert nothing.status_code == 400
        yield env


def test_the_local_server_answers_as_the_api(dg: Run, used: Mapping[str, str]) -> None:
    """What was transcribed is in usage and requests, a refused request too, and there is a balance."""
    usage = json.loads(dg("usage", "--json", env=used).stdout)
    assert sum(row["requests"] for row in usage["results"]) == 2
    table = dg("usage", env=used).stdout.decode().splitlines()
    assert table[0].split() == ["Models", "Hours", "Requests"]
    assert any(line.split()[0] == "nova-3" for line in table[1:])
    requests = json.loads(dg("requests", "--json", env=used).stdout)["requests"]
    assert [request["code"] for request in requests] == [400, 200]
    only = json.loads(dg("requests", requests[1]["request_id"], env=used).stdout)
    assert only["request"] == requests[1]
    failed = json.loads(dg("requests", "--failed", "--json", env=used).stdout)["requests"]
    assert failed == requests[:1]
    assert dg("balance", env=used).stdout == b"0.00 USD\n"
    for args in (("usage",), ("requests",), ("balance",)):
        assert dg(*args, env={**used, "DEEPGRAM_API_KEY": KEY[::-1]}).returncode == 3


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect.spawn needs a pseudo-terminal")
@pytest.mark.parametrize("name", ["usage", "requests", "balance", "models", "whoami"])
def test_a_terminal_gets_a_table(environment: Mapping[str, str], used: Mapping[str, str], name: str) -> None:
    """At a terminal each ends well, without a traceback and without the key."""
    import pexpect

    child = pexpect.spawn(
        dg_path(),
        [name, "-v"],
        env={**environment, **used},
        timeout=60,
        encoding="utf-8",
        dimensions=(24, 120),
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    assert KEY not in child.before
    assert "Traceback" not in child.before


def test_the_project_is_named_or_the_only_one(dg: Run, server: ScriptedServer, tmp_path: Path) -> None:
    """With several projects one is named: by flag, by variable, by setting; by name or by id."""
    env = {"DEEPGRAM_BASE_URL": server.url, "DEEPGRAM_API_KEY": KEY}
    server.script = [answer(TWO)]
    result = dg("balance", env=env)
    assert result.returncode == 2
    assert b"--project" in result.stderr
    assert b"calls" in result.stderr
    config = tmp_path / "config.toml"
    config.write_text('project = "films"\n')
    for args, more in (
        (("--project", "films"), {}),
        ((), {"DEEPGRAM_PROJECT_ID": "other"}),
        ((), {"DGCLI_CONFIG": str(config)}),
    ):
        server.seen.clear()
        server.script = [answer(TWO), answer({"balances": [{"amount": 12.5, "units": "usd"}]})]
        assert dg("balance", *args, env={**env, **more}).stdout == b"12.50 USD\n"
        assert server.seen[-1].path == "/v1/projects/other/balances"
    server.seen.clear()
    assert dg("balance", "--project", PROJECT, env=env).returncode == 0
    assert [seen.path for seen in server.seen] == [f"/v1/projects/{PROJECT}/balances"]
    server.script = [answer(TWO)]
    assert b"no project 'film'" in dg("balance", "--project", "film", env=env).stderr


def test_what_the_api_calls_them_is_shown(dg: Run, server: ScriptedServer) -> None:
    """Usage is sorted by hours with a total; a request's fields may be missing or of another kind."""
    env = {"DEEPGRAM_BASE_URL": server.url, "DEEPGRAM_API_KEY": KEY}
    rows = [
        {"hours": 1.5, "total_hours": 1.5, "requests": 3, "grouping": {"models": ["nova-2"]}},
        {"hours": 1200.25, "total_hours": 1200.25, "requests": 4000, "grouping": {"models": ["nova-3"]}},
    ]
    server.script = [answer({"start": "2026-01-01", "end": "2026-01-31", "results": rows})]
    args = ("usage", "--project", PROJECT, "--start", "2026-01-01", "--end", "2026-01-31")
    lines = [line.split() for line in dg(*args, env=env).stdout.decode().splitlines()]
    assert lines[1:] == [
        ["nova-3", "1,200.25", "4,000"],
        ["nova-2", "1.50", "3"],
        ["total", "1,201.75", "4,003"],
    ]
    assert dict(server.seen[-1].query) == {"start": "2026-01-01", "end": "2026-01-31", "grouping": "models"}
    server.script = [
        answer(
            {"requests": [{}, {"code": "x", "created": 3, "path": "/v1/listen?x=1\x1b[31m", "response": []}]}
        )
    ]
    shown = dg("requests", "--project", PROJECT, env=env)
    assert shown.returncode == 0
    assert b"\x1b" not in shown.stdout
    assert len(shown.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    "args", [("--start", "yesterday"), ("--start", "2026-02-01", "--end", "2026-01-01"), ("--by", "colour")]
)
def test_an_invalid_span_is_refused(dg: Run, server: ScriptedServer, args: tuple[str, ...]) -> None:
    """A date that is none, a span that ends before it begins, a group that is none: nothing is asked."""
    env = {"DEEPGRAM_BASE_URL": server.url, "DEEPGRAM_API_KEY": KEY}
    assert dg("usage", *args, env=env).returncode == 2
    assert server.seen == []


def test_a_regional_host_is_explained(dg: Run, server: ScriptedServer) -> None:
    """A regional host answers 404 for projects: the error names the main one."""
    server.script = [error(404, "Not Found", "Not found.")]
    result = dg(
        "usage", "--base-url", "http://api.eu.deepgram.com", "--allow-http",
        env={"HTTP_PROXY": server.url, "DEEPGRAM_API_KEY": KEY},
    )  # fmt: skip
    assert result.returncode == 4
    assert b"--base-url https://api.deepgram.com" in result.stderr


def test_a_missing_role_is_explained(dg: Run, server: ScriptedServer) -> None:
    """403 is about the role of the key and not about models."""
    server.script = [error(403, "FORBIDDEN", "Insufficient permissions.")]
    result = dg(
        "balance", "--project", PROJECT, env={"DEEPGRAM_BASE_URL": server.url, "DEEPGRAM_API_KEY": KEY}
    )
    assert result.returncode == 3
    assert b"role" in result.stderr
    assert b"0198-request" in result.stderr


STT = [
    {"name": "general", "canonical_name": "nova-2-general", "architecture": "nova-2", "languages": ["en", "fr"],
     "version": "2024-01-09.29447", "uuid": "u1", "batch": True, "streaming": True},
    {"name": "general", "canonical_name": "nova-3-general", "architecture": "nova-3", "languages": ["en", "en-US"],
     "version": "2025-01-09.0", "uuid": "u2", "batch": True, "streaming": False},
    {"name": "general", "canonical_name": "nova-3-general", "architecture": "nova-3", "languages": ["de", "de-CH"],
     "version": "2025-07-31.0", "uuid": "u3", "batch": True, "streaming": True},
]  # fmt: skip


def test_the_api_models_are_listed(dg: Run, server: ScriptedServer, tmp_path: Path) -> None:
    """Newest first, versions of one model together, without a key; --language narrows; the names feed completion."""
    env = {"DEEPGRAM_BASE_URL": server.url, "DGCLI_MODELS": str(tmp_path / "models")}
    server.script = [answer({"stt": STT, "tts": []})]
    before = dg("models", "--names", env=env).stdout.decode().splitlines()
    assert before[0] == "nova-3"
    assert server.seen == []
    lines = dg("models", env=env).stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == ["Model", "nova-3-general", "nova-2-general"]
    assert "batch, streaming" in lines[1]
    assert "de" in lines[1].split()
    german = dg("models", "--language", "de", env=env).stdout.decode()
    assert "nova-3-general" in german
    assert "nova-2-general" not in german
    fields = json.loads(dg("models", "--json", env=env).stdout)
    assert fields == {"stt": STT, "local": []}
    asked = len(server.seen)
    server.script = [answer({"stt": [{**STT[0], "canonical_name": "nova-9"}]})]
    assert "nova-9" not in dg("models", "--names", env=env).stdout.decode()
    assert len(server.seen) == asked
    dg("models", env=env)
    assert "nova-9" in dg("models", "--names", env=env).stdout.decode().splitlines()


def test_models_of_this_machine_are_listed_offline(dg: Run, tmp_path: Path) -> None:
    """Where the API cannot be reached, a warning says so and the list of this machine is shown all the same."""
    result = dg(
        "models", env={"DEEPGRAM_BASE_URL": "http://127.0.0.1:9", "DGCLI_MODELS": str(tmp_path / "none")}
    )
    assert result.returncode == 0
    assert b"cannot be listed" in result.stderr


def test_a_balance_is_json_or_nothing(dg: Run, server: ScriptedServer) -> None:
    """--json gives the API's own fields; a project without a balance is told on stderr."""
    env = {"DEEPGRAM_BASE_URL": server.url, "DEEPGRAM_API_KEY": KEY}
    fields = {"balances": [{"balance_id": "b", "amount": 12.5, "units": "usd", "purchase_order_id": None}]}
    server.script = [answer(fields)]
    assert json.loads(dg("balance", "--project", PROJECT, "--json", env=env).stdout) == fields
    server.script = [answer({"balances": []})]
    result = dg("balance", "--project", PROJECT, env=env)
    assert (result.returncode, result.stdout) == (0, b"")
    assert b"The project has no balance." in result.stderr
