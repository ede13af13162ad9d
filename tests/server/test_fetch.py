"""Media by URL: what is fetched, and what is refused before a connection is made."""

import http.server
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dgcli.server import fetch as fetch_module
from dgcli.server.errors import ErrorAnswer
from dgcli.server.fetch import fetch
from dgcli.server.run import ServerSettings, running
from tests.http_server import answered_by, serving

Reply = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def site(replies: dict[str, Reply]) -> Iterator[str]:
    """Serve `replies` by path on a free port."""

    with serving(answered_by(lambda handler: replies[handler.path](handler))) as url:
        yield url


def sends(body: bytes, *, length: int | None = None) -> Reply:
    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def status(code: int, location: str | None = None) -> Reply:
    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        if location is not None:
            handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


def message(url: str, path: Path, *, allow_private: bool = True, limit: int = 1000) -> tuple[int, str, str]:
    with pytest.raises(ErrorAnswer) as caught:
        fetch(url, path, limit=limit, allow_private=allow_private)
    return caught.value.status, caught.value.code, caught.value.message


def test_redirects_are_followed(tmp_path: Path) -> None:
    """A relative redirect leads to the media, whose size and hash are told."""
    with site({"/a?x=1": status(302, "/b%20c"), "/b%20c": sends(b"abc")}) as url:
        received = fetch(f"{url}/a?x=1", tmp_path / "f", limit=1000, allow_private=True)
    assert (received.size, received.path.read_bytes()) == (3, b"abc")
    assert received.sha256.startswith("ba7816bf")


def test_errors_of_the_remote_server(tmp_path: Path) -> None:
    """Each failure of the other server has the API's words."""
    replies = {
        "/404": status(404),
        "/500": status(500),
        "/loop": status(301, "/loop"),
        "/lost": status(301),
        "/bad": status(301, "gopher://x"),
        "/cut": sends(b"abc", length=10),
        "/big": sends(b"x" * 2000),
    }
    with site(replies) as url:
        found = {path: message(url + path, tmp_path / "f") for path in replies}
    said = "The remote server hosting the media"
    assert {path: text for path, (_, _, text) in found.items()} == {
        "/404": f"{said} returned a client error: 404 Not Found.",
        "/500": f"{said} returned a server error: 500 Internal Server Error.",
        "/loop": f"{said} redirected too many times.",
        "/lost": f"{said} sent a bad redirect location.",
        "/bad": "Could not parse URL as a URI.",
        "/cut": f"{said} failed to return valid data.",
        "/big": "The request body is larger than 1000 bytes.",
    }
    assert found.pop("/big")[0] == 413
    assert {entry[:2] for entry in found.values()} == {(400, "REMOTE_CONTENT_ERROR")}


def test_connection_refused(tmp_path: Path) -> None:
    """A host that does not answer gave no valid data."""
    with site({}) as url:
        pass
    assert (
        message(url, tmp_path / "f")[2] == "The remote server hosting the media failed to return valid data."
    )


@pytest.mark.parametrize("url", ["nonsense", "ftp://example.com/a", "http://", "http://[", "http://a:b/"])
def test_what_is_no_url(tmp_path: Path, url: str) -> None:
    """Only http and https with a host are URLs of media."""
    assert message(url, tmp_path / "f")[2] == "Could not parse URL as a URI."


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
        "2130706433",
    ],
)
def test_private_addresses(tmp_path: Path, host: str) -> None:
    """Addresses of this machine and its network are refused, however they are written."""
    assert message(f"http://{host}/a", tmp_path / "f", allow_private=False) == (
        400,
        "REMOTE_CONTENT_ERROR",
        "URL for media download must be publicly routable.",
    )


def test_unknown_hosts(tmp_path: Path) -> None:
    """A name that does not resolve cannot be judged."""
    assert message("http://no-such-host.invalid/", tmp_path / "f")[2] == (
        "Could not determine if URL for media download is publicly routable."
    )


def test_redirects_to_private_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hop is checked, not only the first."""
    with site({"/a": status(302, "http://[::1]/secret")}) as url:
        monkeypatch.setattr(fetch_module, "_is_public", lambda address: address == "127.0.0.1")
        assert message(f"{url}/a", tmp_path / "f", allow_private=False)[2] == (
            "URL for media download must be publicly routable."
        )


def test_the_server_refuses_private_urls_unless_told(start: Callable[..., str], client: httpx.Client) -> None:
    """`dg serve` keeps out of its own network; with the setting it goes there."""
    with site({"/a.wav": sends(b"sound")}) as url:
        body = {"url": f"{url}/a.wav"}
        refused = client.post(f"{start(allow_private_urls=False)}/v1/listen", json=body)
        assert refused.json()["err_code"] == "REMOTE_CONTENT_ERROR"
        assert client.post(f"{start()}/v1/listen", json=body).status_code == 200


def test_the_url_is_recorded(start: Callable[..., str], client: httpx.Client, tmp_path: Path) -> None:
    """A recording of a {"url"} request holds the media and says where it came from."""
    with site({"/a.wav": sends(b"sound")}) as url:
        answer = client.post(f"{start(record=tmp_path)}/v1/listen", json={"url": f"{url}/a.wav"})
    facts = json.loads((tmp_path / f"{answer.headers['dg-request-id']}.json").read_text())
    assert (facts["url"], (tmp_path / facts["audio"]).read_bytes()) == (f"{url}/a.wav", b"sound")


def test_a_slow_host_does_not_hold_the_server_up(response_file: Path) -> None:
    """The server ends while a remote host still has not answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        settings = ServerSettings(engine="replay", response=response_file, allow_private_urls=True)
        with running(settings) as url:
            host, port = url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as sock:
                body = json.dumps({"url": target}).encode()
                head = "POST /v1/listen HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                accepted, _ = silent.accept()
                began = time.monotonic()
        accepted.close()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "host", ["[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b:1::7f00:1]", "[fec0::1]", "[::ffff:10.0.0.1]"]
)
def test_addresses_in_disguise_are_private(tmp_path: Path, host: str) -> None:
    """A private address is refused in every form that a network may translate it from."""
    code = message(f"http://{host}/x", tmp_path / "f", allow_private=False)[1:]
    assert code == ("REMOTE_CONTENT_ERROR", "URL for media download must be publicly routable.")
