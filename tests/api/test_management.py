"""Questions about the account, and what is no answer to them."""

import pytest

from dgcli.api.management import Management
from dgcli.config import Config
from dgcli.errors import ApiError, AuthError, NetworkError
from tests.conftest import Reply, ScriptedServer, error

PROJECT = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def config(server: ScriptedServer) -> Config:
    """Settings with a key, for the scripted server."""
    return Config(base_url=server.url, api_key="key")


def test_a_project_that_is_none_is_explained(server: ScriptedServer, config: Config) -> None:
    """404 for a project says where its name comes from."""
    server.script = [error(404, "Not Found", "No.")]
    with Management(config) as api, pytest.raises(ApiError) as refused:
        api.balances(PROJECT)
    assert refused.value.hint == "Check the project: dg whoami names those of the key."


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(200, b"no json"), "The answer is no JSON."),
        (Reply(200, b"[" * 100_000), "The answer is no JSON."),
        (Reply(200, b"<!doctype html><title>Log in</title>", media_type="text/html"), "web page"),
    ],
)
def test_what_is_no_answer_is_told(server: ScriptedServer, config: Config, reply: Reply, said: str) -> None:
    """A text, a nesting without an end and a page where JSON should be are errors that say so."""
    server.script = [reply]
    with Management(config) as api, pytest.raises(ApiError, match=said):
        api.projects()


def test_what_may_pass_is_asked_again(server: ScriptedServer, config: Config) -> None:
    """A busy server and a broken connection are asked again, in silence, and then told."""
    server.script = [error(503, "BUSY", "Busy."), Reply(cut=True), Reply(200, b'{"projects": []}')]
    with Management(config) as api:
        assert api.projects().fields == {"projects": []}
    server.script = [Reply(cut=True)]
    with Management(config, tries=1) as api, pytest.raises(NetworkError):
        api.projects()


def test_models_need_no_key(server: ScriptedServer) -> None:
    """A list of models is asked for without a key, where anything else is refused for want of one."""
    server.script = [Reply(200, b"{}")]
    config = Config()
    with pytest.raises(AuthError):
        Management(config)
    with Management(Config(base_url=server.url), with_key=False) as api:
        assert api.models(outdated=True).fields == {}
    assert server.seen[0].query == [("include_outdated", "true")]
    with Management(config, with_key=False):
        pass
