"""Which hosts, origins and keys are served."""

import json
import socket
from collections.abc import Callable

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dgcli.visitors import Visitors

Start = Callable[..., str]
RAW = "encoding=linear16&sample_rate=16000"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LOCALHOST.",
        "dg.localhost:1",
        "127.0.0.1:8080",
        "[::1]:80",
        "192.168.1.5",
        None,
    ],
)
def test_hosts_that_nobody_else_can_claim(host: str | None) -> None:
    """Loopback names and addresses are served, and a request that names no host."""
    assert Visitors("127.0.0.1").host_allowed(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::1"]
)
def test_hosts_of_strangers(host: str) -> None:
    """Any other name may have been made to resolve to this machine."""
    assert not Visitors("127.0.0.1").host_allowed(host)


def test_hosts_that_are_allowed() -> None:
    """The bound name, those of --allow-host, patterns, and on all interfaces the machine's own name."""
    assert Visitors("speech.lan").host_allowed("speech.lan:8080")
    assert Visitors("127.0.0.1", ["Speech.Lan"]).host_allowed("speech.lan")
    assert Visitors("127.0.0.1", ["*.lan"]).host_allowed("speech.lan")
    assert not Visitors("127.0.0.1", ["*.lan"]).host_allowed("evil-lan")
    assert Visitors("127.0.0.1", ["*"]).host_allowed("anything")
    assert Visitors("0.0.0.0").host_allowed(f"{socket.gethostname()}:8080")


@pytest.mark.parametrize(
    ("origin", "host", "served"),
    [
        (None, "localhost", True),
        ("http://localhost:3000", "127.0.0.1:8080", True),
        ("http://192.168.1.5:8080", "192.168.1.5:8080", True),
        ("https://app.example", "localhost", True),
        ("https://evil.example", "localhost", False),
        ("https://localhost.evil.example", "localhost", False),
        ("null", "localhost", False),
        ("file://", "localhost", False),
        ("http://192.168.1.5:3000", "192.168.1.5:8080", False),
        ("http://[::1", "localhost", False),
    ],
)
def test_origins(origin: str | None, host: str, served: bool) -> None:
    """Pages of this machine, of the server itself and of --allow-origin are served; others are not."""
    assert Visitors("127.0.0.1", (), ["https://app.example/"]).origin_allowed(origin, host) == served


def test_a_strange_host_is_refused(start: Start, client: httpx.Client) -> None:
    """REST and WebSocket answer 403 to a name that this server does not go by."""
    url = start()
    refused = client.post(f"{url}/v1/listen", content=b"x", headers={"host": "evil.example"})
    assert (refused.status_code, refused.json()["err_code"]) == (403, "FORBIDDEN")
    assert refused.json()["request_id"] == refused.headers["dg-request-id"]
    host, port = url.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port))) as sock,
        pytest.raises(InvalidStatus) as caught,
        connect(f"ws://evil.example/v1/listen?{RAW}", sock=sock),
    ):
        pass
    assert caught.value.response.status_code == 403
    allowed = start(allow_hosts=["evil.example"])
    answer = client.post(f"{allowed}/v1/listen", content=b"x", headers={"host": "evil.example"})
    assert answer.status_code == 200


def test_a_strange_origin_is_refused(start: Start, client: httpx.Client) -> None:
    """A page from elsewhere gets 403 from both, and is served when it is allowed."""
    url, origin = start(), "https://evil.example"
    refused = client.post(f"{url}/v1/listen", content=b"x", headers={"origin": origin})
    assert (refused.status_code, refused.json()["err_code"]) == (403, "FORBIDDEN")
    target = f"{url.replace('http', 'ws')}/v1/listen?{RAW}"
    with pytest.raises(InvalidStatus) as caught, connect(target, origin=origin):  # type: ignore[arg-type]
        pass
    assert json.loads(caught.value.response.body or b"")["err_code"] == "FORBIDDEN"
    with connect(target, origin="http://localhost:3000"):  # type: ignore[arg-type]
        pass


def test_a_page_may_read_what_it_may_ask(start: Start, client: httpx.Client) -> None:
    """An origin that is served passes the browser's preflight, and its answers may be read."""
    url, origin = start(), "http://localhost:3000"
    asked = {"origin": origin, "access-control-request-method": "POST"}
    asked["access-control-request-headers"] = "authorization,content-type"
    preflight = client.options(f"{url}/v1/listen", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type"
    answer = client.post(f"{url}/v1/listen", content=b"x", headers={"origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in client.post(f"{url}/v1/listen", content=b"x").headers
