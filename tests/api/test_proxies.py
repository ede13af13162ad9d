"""Which proxy a connection goes through: the rules of the environment, alike for requests and streams."""

import pytest

from dgcli.api.proxies import Proxy, proxy_for
from dgcli.errors import UsageError

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests counts."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("settings", "url", "proxy"),
    [
        ({}, "https://api.example/v1", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://api.example/v1", Proxy("http://p:1", "HTTPS_PROXY")),
        ({"HTTPS_PROXY": "http://p:1"}, "wss://api.example/v1", Proxy("http://p:1", "HTTPS_PROXY")),
        ({"https_proxy": "p:1"}, "https://api.example/v1", Proxy("http://p:1", "https_proxy")),
        ({"HTTPS_PROXY": "http://p:1"}, "http://api.example/v1", None),
        ({"HTTP_PROXY": "http://p:1"}, "ws://api.example/v1", Proxy("http://p:1", "HTTP_PROXY")),
        ({"ALL_PROXY": "http://p:1"}, "wss://api.example/v1", Proxy("http://p:1", "ALL_PROXY")),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.org,api.example"}, "wss://api.example/v1", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "wss://api.example/v1", None),
        ({"ALL_PROXY": "http://p:1"}, "wss://localhost:9/v1", None),
        ({"ALL_PROXY": "http://p:1"}, "http://127.0.0.1:9/v1", None),
        ({"ALL_PROXY": "http://p:1"}, "http://[::1]:9/v1", None),
    ],
)
def test_the_environment_decides(
    settings: dict[str, str], url: str, proxy: Proxy | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable of the scheme comes first, NO_PROXY over all, and this machine is never asked through one."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


def test_a_login_is_no_part_of_the_name() -> None:
    """Name and password are kept apart from what may be shown."""
    proxy = Proxy("http://me:a%40b@proxy.example:3128", "HTTPS_PROXY")
    assert (proxy.host, proxy.address) == ("proxy.example:3128", ("proxy.example", 3128))
    assert proxy.login == ("me", "a@b")
    assert Proxy("https://proxy.example", "HTTPS_PROXY").address == ("proxy.example", 443)


@pytest.mark.parametrize("value", ["http://p:port", "http://", "http://[p"])
def test_what_is_no_proxy_is_said(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that no connection can go through is a usage error that names the variables."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(UsageError, match="proxy of the environment cannot be used") as caught:
        proxy_for("https://api.example/")
    assert "HTTPS_PROXY" in (caught.value.hint or "")
