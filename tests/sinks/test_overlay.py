"""The server of the overlay: what it sends, and to whom."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from dgcli.errors import OutputError
from dgcli.formats import RenderSettings
from dgcli.sinks.overlay import OverlaySink, server
from dgcli.sinks.overlay.server import OverlayServer
from dgcli.transcript.events import Closed, Notice, NoticeKind, Opened
from tests.conftest import HANGS_AFTER
from tests.sinks.conftest import final, interim


class Overlay:
    """A page's server with its sink, and requests to it."""

    def __init__(self) -> None:
        self.server = OverlayServer("127.0.0.1", 0, language="en")
        self.sink = OverlaySink(self.server, RenderSettings(speaker_names={0: "Anna"}))
        self.port = int(self.server.url.rsplit(":", 1)[1].strip("/"))

    def get(self, path: str, **headers: str) -> HTTPResponse:
        """Ask for something."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANGS_AFTER)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()


@pytest.fixture
def overlay() -> Iterator[Overlay]:
    """An overlay that ends with the test."""
    made = Overlay()
    yield made
    made.sink.close()


def message(events: HTTPResponse) -> dict[str, Any]:
    """The next message of an event stream."""
    while True:
        line = events.readline()
        assert line, "the stream ended"
        if line.startswith(b"data: "):
            return dict(json.loads(line[6:]))


def test_a_page_is_told_everything_and_then_what_changes(overlay: Overlay) -> None:
    """The first message has all lines, the next only the one that changed; a page that is reloaded begins anew."""
    overlay.sink.handle(Opened("", 1, 0.0))
    overlay.sink.handle(final("First.", speaker=0))
    overlay.sink.handle(final("Second.", 10.0, speaker=1))
    events = overlay.get("/events")
    everything = message(events)
    assert [(line["who"], line["text"]) for line in everything["set"]] == [
        ("Anna", "First."),
        ("Speaker 1", "Second."),
    ]
    assert (everything["stage"], everything["language"]) == ("live", "en")
    overlay.sink.handle(interim("third", 20.0))
    change = message(events)
    assert (change["order"], [line["interim"] for line in change["set"]]) == ([1, 2, 3], ["third"])
    again = message(overlay.get("/events"))
    assert [line["number"] for line in again["set"]] == [1, 2, 3]
    assert again["run"] == everything["run"]


def test_a_drop_and_the_end_are_told(overlay: Overlay) -> None:
    """The lines stay while the API's socket is gone; the last message says that this was the end."""
    overlay.sink.handle(Opened("", 1, 0.0))
    overlay.sink.handle(final("First."))
    events = overlay.get("/events")
    message(events)
    overlay.sink.handle(Notice(NoticeKind.DROPPED, "The connection dropped."))
    dropped = message(events)
    assert (dropped["stage"], dropped["order"]) == ("reconnecting", [1])
    overlay.sink.handle(Notice(NoticeKind.RECONNECTED, "Reconnected."))
    assert message(events)["stage"] == "live"
    overlay.sink.handle(Closed(1.0, 2))
    assert message(events)["stage"] == "ended"
    assert events.read().strip() == b""
    overlay.sink.close()
    overlay.sink.close()
    with pytest.raises(ConnectionRefusedError):
        overlay.get("/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8722"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_strangers_are_refused(overlay: Overlay, headers: dict[str, str]) -> None:
    """A name that resolves to this machine (DNS rebinding), and a page from elsewhere, get nothing of what is said."""
    overlay.sink.handle(final("A secret."))
    for path in ("/", "/events"):
        answer = overlay.get(path, **headers)
        assert answer.status == 403
        assert b"secret" not in answer.read()


def test_only_what_the_page_needs_is_there(overlay: Overlay) -> None:
    """Four paths, each with a policy that allows nothing from elsewhere; no others, and no other method."""
    for path in ("/?size=20", "/overlay.css", "/overlay.js"):
        answer = overlay.get(path)
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert overlay.get("/page.html").status == overlay.get("/../server.py").status == 404
    connection = HTTPConnection("127.0.0.1", overlay.port, timeout=HANGS_AFTER)
    connection.request("POST", "/<b>")
    answer = connection.getresponse()
    assert answer.status == 501
    assert b"<b>" not in answer.read()


def test_connections_are_bounded(overlay: Overlay) -> None:
    """Sixty-four pages are served and the next is turned away, which those before it do not notice."""
    pages = [overlay.get("/events") for _ in range(64)]
    for page in pages:
        message(page)
    with pytest.raises((ConnectionError, OSError)):
        overlay.get("/events")
    overlay.sink.handle(final("Still there."))
    assert all(message(page)["set"] for page in pages)


def test_a_request_that_drips_is_ended(overlay: Overlay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that comes byte by byte has an end, and so gives its place back; a page that is shown stays."""
    monkeypatch.setattr(server, "_IDLE", 0.3)
    page = overlay.get("/events")
    message(page)
    with socket.create_connection(("127.0.0.1", overlay.port), timeout=HANGS_AFTER) as dripping:
        dripping.settimeout(0.02)
        ended = False
        while not ended:
            try:
                dripping.sendall(b"G")
                ended = not dripping.recv(1)
            except TimeoutError:
                continue
            except OSError:
                ended = True
    overlay.sink.handle(final("Still there."))
    assert message(page)["set"]


def test_a_port_in_use_is_said() -> None:
    """The error names the port and a way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutputError) as caught:
            OverlayServer("127.0.0.1", port)
    assert f"port {port}: the port is in use" in caught.value.message
    assert (caught.value.hint or "").startswith("Choose another port: --overlay ")


def test_an_address_that_is_not_ours_is_said() -> None:
    """An address of another machine, and a name that is none, end in an error of ours."""
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(OutputError, match="cannot be served"):
            OverlayServer(host, 0)
