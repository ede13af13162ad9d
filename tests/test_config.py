"""Configuration: what wins over what, and what is refused."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from dgcli.config import checked_params, load
from dgcli.config.file import config_path
from dgcli.config.hosts import DEFAULT_BASE_URL
from dgcli.errors import AuthError, UsageError
from dgcli.params import Endpoint


def written(tmp_path: Path, text: str) -> dict[str, str]:
    """An environment whose config file holds `text`."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    return {"DGCLI_CONFIG": str(path)}


def test_defaults() -> None:
    """Without any word from the user, requests go to the vendor's host, without a key."""
    config = load({}, environ={"HOME": "/nonexistent"})
    assert (config.base_url, config.api_key, config.timeout, config.retries) == (
        DEFAULT_BASE_URL,
        None,
        1500,
        3,
    )


def test_flag_environment_profile_default(tmp_path: Path) -> None:
    """A flag beats a variable, which beats the profile, which beats the top of the file."""
    environ = written(
        tmp_path, 'timeout = 5\nretries = 9\nbase_url = "https://top.example"\n[profiles.x]\ntimeout = 6\n'
    )
    assert load({}, environ=environ).timeout == 5
    assert load({}, profile="x", environ=environ).timeout == 6
    assert load({}, environ={**environ, "DGCLI_PROFILE": "x"}).timeout == 6
    assert load({"timeout": 7.0}, profile="x", environ=environ).timeout == 7
    assert load({}, profile="x", environ=environ).retries == 9
    assert (
        load({}, environ={**environ, "DEEPGRAM_BASE_URL": "https://env.example"}).base_url
        == "https://env.example"
    )


def test_profile_key_is_not_outvoted(tmp_path: Path) -> None:
    """A profile's own key is used even where the top of the file has a token."""
    environ = written(tmp_path, 'access_token = "top"\n[profiles.x]\napi_key = "own"\n')
    config = load({}, profile="x", environ=environ)
    assert (config.api_key, config.access_token) == ("own", None)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("https://api.eu.deepgram.com/", "https://api.eu.deepgram.com"),
        ("api.eu.deepgram.com", "https://api.eu.deepgram.com"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("wss://api.deepgram.com/v1/listen", "https://api.deepgram.com"),
        ("https://proxy.example/deepgram/v1", "https://proxy.example/deepgram"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_base_url(given: str, made: str) -> None:
    """Hosts, whole addresses and those of a stream are all understood."""
    assert load({"base_url": given}, environ={"HOME": "/nonexistent"}).base_url == made


@pytest.mark.parametrize(
    "given",
    [
        "ftp://x.example",
        "https://",
        "https://user:pass@x.example",
        "https://x:port",
        "http://[::1",
        "http://a..b",
        "nonsense",
        "https://a b",
    ],
)
def test_base_url_refused(given: str) -> None:
    """What is no address of a web server is refused."""
    with pytest.raises(UsageError, match="cannot be used"):
        load({"base_url": given}, environ={"HOME": "/nonexistent"})


def test_endpoint_urls() -> None:
    """The path of an endpoint follows any prefix, and a stream has the scheme that goes with it."""
    config = load({"base_url": "https://proxy.example/deepgram"}, environ={"HOME": "/nonexistent"})
    assert config.url("/v1/listen") == "https://proxy.example/deepgram/v1/listen"
    assert config.url("/v1/listen", websocket=True) == "wss://proxy.example/deepgram/v1/listen"


@pytest.mark.parametrize(
    ("base_url", "key", "allow_http", "outcome"),
    [
        ("https://api.deepgram.com", "k", False, {"Authorization": "Token k"}),
        ("https://api.eu.deepgram.com", None, False, AuthError),
        ("https://self.example", None, False, {}),
        ("http://self.example", None, False, {}),
        ("http://self.example", "k", False, UsageError),
        ("http://self.example", "k", True, {"Authorization": "Token k"}),
        ("http://127.0.0.1:1", "k", False, {"Authorization": "Token k"}),
        ("http://[::1]:1", "k", False, {"Authorization": "Token k"}),
        ("http://localhost.evil.example", "k", False, UsageError),
        ("http://127.0.0.1.evil.example", "k", False, UsageError),
        ("https://deepgram.com.evil.example", None, False, {}),
    ],
)
def test_authorization(base_url: str, key: str | None, allow_http: bool, outcome: object) -> None:
    """A key travels encrypted, or to this machine, or where it was allowed; the vendor's hosts need one."""
    flags = {"base_url": base_url, "api_key": key, "allow_http": allow_http}
    config = load(flags, environ={"HOME": "/nonexistent"})
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            config.authorization()
    else:
        assert config.authorization() == outcome


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("api_key = ", "is not valid TOML"),
        ("apikey = 'x'", "has an unknown setting 'apikey'"),
        ("timeout = 'long'", "The setting 'timeout' in"),
        ("retries = true", "The setting 'retries' in"),
        ("[profiles.x]\nkey = 'x'", "has an unknown setting 'key'"),
        ("profiles = 3", "The setting 'profiles' in"),
        ("timeout = 0", "--timeout takes seconds above 0, up to 86400, not 0."),
        ("retries = -1", "--retries takes 0 or more, not -1."),
        ("api_key = 'a b'", "has characters that no key has"),
        ("api_key = 'ключ'", "has characters that no key has"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    """What a config file gets wrong is named, with the file."""
    with pytest.raises(UsageError) as caught:
        load({}, profile="x" if "[profiles" in text else None, environ=written(tmp_path, text))
    if "TOML" in message:
        assert caught.value.hint == "Repair it with: dg config edit"
    assert message in caught.value.message


def test_unknown_profile(tmp_path: Path) -> None:
    """A profile that is not there is refused, with those that are."""
    with pytest.raises(UsageError) as caught:
        load({}, profile="y", environ=written(tmp_path, "[profiles.x]\n[profiles.z]\n"))
    assert caught.value.hint == "Profiles: x, z."


def test_named_file_must_exist(tmp_path: Path) -> None:
    """A config file that is named but missing is an error; one that is not named may be missing."""
    with pytest.raises(UsageError, match="There is no config file"):
        load({}, environ={"DGCLI_CONFIG": str(tmp_path / "none.toml")})


def test_secrets_are_not_shown() -> None:
    """The representation of a configuration, which logs and tracebacks show, holds no credential."""
    config = load({"api_key": "very-secret", "access_token": None}, environ={"HOME": "/nonexistent"})
    assert "very-secret" not in repr(config)


def test_config_path() -> None:
    """The file is where the environment says."""
    assert config_path({"DGCLI_CONFIG": "/x/y.toml"}) == Path("/x/y.toml")


def test_a_model_of_ones_own_may_stand_in_the_file(tmp_path: Path) -> None:
    """local_model and offline are settings too; offline takes true and false alone."""
    config = load({}, environ=written(tmp_path, 'local_model = "/models/mine"\noffline = true\n'))
    assert (config.local_model, config.offline) == (Path("/models/mine"), True)
    with pytest.raises(UsageError, match="'offline'"):
        load({}, environ=written(tmp_path, 'offline = "yes"\n'))


@pytest.mark.parametrize(
    ("flags", "streams"),
    [({"local": True}, True), ({"base_url": "http://127.0.0.1:8080"}, True), ({}, False)],
)
def test_whisper_streams_where_this_machine_is_asked(flags: dict[str, object], streams: bool) -> None:
    """With --local, and on a base URL of this machine, a stream may name a Whisper model."""
    config = load(flags, environ={"HOME": "/nonexistent"})
    with nullcontext() if streams else pytest.raises(UsageError, match="do not stream"):
        checked_params(config, {"model": "whisper-small"}, Endpoint.LIVE)
