"""`dg doctor` with things broken one at a time: each is found and named, within its time."""

import datetime
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import trustme

from dgcli.server.run import running
from dgcli.server.settings import ServerSettings
from tests.conftest import BODY, Run, ScriptedServer, dg_path, error
from tests.http_server import QuietHandler, answered_by, serving

KEY = "0123456789abcdef0123456789abcdef0f1e2d3c"
NETWORK = ("DNS", "TCP", "TLS", "Clock", "Key accepted", "REST", "WebSocket")


def stages(result: "subprocess.CompletedProcess[bytes]") -> dict[str, Mapping[str, Any]]:
    """The stages of a report by name, which holds no key and no traceback."""
    assert KEY.encode() not in result.stdout + result.stderr
    assert b"Traceback" not in result.stderr
    report = json.loads(result.stdout)
    assert report["exit_code"] == result.returncode
    assert [stage["number"] for stage in report["stages"]] == list(range(1, len(report["stages"]) + 1))
    assert all(stage["seconds"] <= 5.0 for stage in report["stages"])
    return {stage["stage"]: stage for stage in report["stages"]}


@contextmanager
def https(certificate: trustme.LeafCert) -> Iterator[str]:
    """An HTTPS server with this certificate that answers everything alike."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with serving(answered_by(answer), tls=context) as url:
        yield url


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    """A local server that serves KEY alone."""
    with running(ServerSettings(engine="count", require_key=KEY)) as url:
        yield url


@pytest.fixture
def report(dg: Run, tmp_path: Path) -> Callable[..., dict[str, Mapping[str, Any]]]:
    """Run `dg doctor --json` and return its stages."""

    def run(url: str, *args: str, **env: str) -> dict[str, Mapping[str, Any]]:
        base = {"DEEPGRAM_BASE_URL": url, "DEEPGRAM_API_KEY": KEY, "DGCLI_MODELS": str(tmp_path / "models")}
        return stages(dg("doctor", "--json", *args, env={**base, **env}))

    return run


Report = Callable[..., dict[str, Mapping[str, Any]]]


def failures(report: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The stages that failed."""
    return [name for name, stage in report.items() if stage["verdict"] == "failed"]


def test_all_is_well(report: Report, local: str) -> None:
    """Against a server that works nothing fails, and REST and WebSocket have request ids for support."""
    found = report(local)
    assert failures(found) == []
    assert all(found[name]["verdict"] == "ok" for name in NETWORK)
    assert found["REST"]["request_id"]
    assert found["WebSocket"]["request_id"]


def test_nothing_is_sent_when_told_so(report: Report, server: ScriptedServer) -> None:
    """--no-send skips what is billed: no request for a transcript is made."""
    found = report(server.url, "--no-send")
    assert found["REST"]["verdict"] == found["WebSocket"]["verdict"] == "skipped"
    assert all("listen" not in seen.path for seen in server.seen)


def test_a_broken_config_file(report: Report, local: str, tmp_path: Path) -> None:
    """1: a config file that is no TOML; what needs it is skipped, what does not is looked at."""
    path = tmp_path / "broken.toml"
    path.write_text("timeout = [")
    found = report(local, DGCLI_CONFIG=str(path))
    assert failures(found) == ["Configuration"]
    assert "TOML" in found["Configuration"]["text"]
    assert found["REST"]["verdict"] == "skipped"
    assert found["Disk"]["verdict"] in ("ok", "warning")


def test_no_key(dg: Run) -> None:
    """2: no key for the API; the exit code is that of a missing key."""
    result = dg("doctor", "--json", "--no-send", env={"HTTPS_PROXY": "http://127.0.0.1:9"})
    assert result.returncode == 3
    assert "dg login" in stages(result)["API key"]["remedy"]


def test_a_refused_key(report: Report, local: str) -> None:
    """3: a key that the API refuses, with the request's id."""
    found = report(local, DEEPGRAM_API_KEY="wrong-key")
    assert failures(found)[0] == "Key accepted"
    assert "401" in found["Key accepted"]["text"]
    assert found["Key accepted"]["request_id"]


def test_no_such_host(report: Report) -> None:
    """4: a host that no name server knows."""
    found = report("https://nowhere.invalid")
    assert failures(found) == ["DNS"]
    assert "nowhere.invalid" in found["DNS"]["text"]
    assert found["DNS"]["exit_code"] == 5


def test_nothing_listens(report: Report) -> None:
    """5: a port at which nothing listens."""
    found = report("http://127.0.0.1:9")
    assert failures(found) == ["TCP"]
    assert "nothing listens" in found["TCP"]["text"]


def test_a_proxy_that_refuses(report: Report, server: ScriptedServer) -> None:
    """6: a proxy that lets nothing through is named, with the variable that sets it."""
    server.script = [error(403, "Forbidden", "Not this host.")]

    class Refusing(QuietHandler, BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_error(403)

    with serving(Refusing) as proxy:
        found = report("https://api.deepgram.com", HTTPS_PROXY=proxy)
    assert found["Proxy"]["text"].endswith("set by HTTPS_PROXY.")
    assert failures(found)[0] == "TLS"
    assert "proxy" in found["TLS"]["text"].lower()
    assert "403" in found["TLS"]["text"]


def test_an_expired_certificate(report: Report, tmp_path: Path) -> None:
    """7: a certificate that has expired; the clock is looked at all the same, and is right."""
    authority = trustme.CA()
    ca_cert = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_cert))
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    with https(authority.issue_cert("127.0.0.1", not_after=past)) as url:
        found = report(url, SSL_CERT_FILE=str(ca_cert))
    assert failures(found) == ["TLS"]
    assert "expired" in found["TLS"]["text"]
    assert "clock" in found["TLS"]["remedy"]
    assert found["Clock"]["verdict"] == "ok"


def test_an_unknown_authority(report: Report) -> None:
    """8: a certificate of an authority that this machine does not know."""
    with https(trustme.CA().issue_cert("127.0.0.1")) as url:
        found = report(url)
    assert failures(found) == ["TLS"]
    assert "--ca-cert" in found["TLS"]["remedy"]


def test_a_wrong_clock(report: Report) -> None:
    """9: a clock that is an hour behind the server's."""

    class Ahead(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        do_POST = do_GET

        def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the base's
            moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
            return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")

    with serving(Ahead) as url:
        found = report(url, "--no-send")
    assert failures(found) == ["Clock"]
    assert "behind" in found["Clock"]["text"]


def test_no_portaudio(report: Report, local: str, tmp_path: Path) -> None:
    """10: no PortAudio; it is named with its remedy, and is no failure, since only dg mic needs it."""
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    found = report(local, PYTHONPATH=str(shadow))
    assert found["Microphones"]["verdict"] == "warning"
    assert "PortAudio" in found["Microphones"]["text"]
    assert "libportaudio2" in found["Microphones"]["remedy"]
    assert failures(found) == []


def test_no_credits(report: Report, server: ScriptedServer) -> None:
    """11: a project without credits: REST fails with 402 and the request's id."""
    server.script = [error(402, "ASR_PAYMENT_REQUIRED", "Not enough credits.")]
    found = report(server.url)
    assert "REST" in failures(found)
    assert "402" in found["REST"]["text"]
    assert found["REST"]["request_id"] == "0198-request"


def test_no_websocket(report: Report, server: ScriptedServer) -> None:
    """12: something on the way that lets requests through and no WebSocket."""
    found = report(server.url)
    assert failures(found) == ["WebSocket"]
    assert found["REST"]["verdict"] == "ok"


def test_no_place_for_state(report: Report, local: str, tmp_path: Path) -> None:
    """13: a state folder that cannot be written."""
    (tmp_path / "file").write_text("")
    found = report(local, XDG_STATE_HOME=str(tmp_path / "file"))
    assert failures(found) == ["State folder"]
    assert found["State folder"]["exit_code"] == 8


def test_no_decoder(report: Report, local: str, tmp_path: Path) -> None:
    """14: a decoder that cannot be loaded."""
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "av.py").write_text("raise ImportError('libavcodec.so.61: cannot open shared object file')\n")
    found = report(local, PYTHONPATH=str(shadow))
    assert found["Decoders"]["verdict"] == "warning"
    assert "libavcodec" in found["Decoders"]["text"]


def test_a_server_that_hangs(report: Report) -> None:
    """15: a server that takes the connection and says nothing: no stage takes longer than 5 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = report(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert found["TCP"]["verdict"] == "ok"
    assert {"REST", "WebSocket"} <= set(failures(found))


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect.spawn needs a pseudo-terminal")
def test_a_terminal_gets_numbered_lines(environment: Mapping[str, str], local: str) -> None:
    """At a terminal each stage is a numbered line, the bill is told of first, and the key is nowhere."""
    import pexpect

    env = {**environment, "DEEPGRAM_BASE_URL": local, "DEEPGRAM_API_KEY": KEY}
    child = pexpect.spawn(dg_path(), ["doctor"], env=env, timeout=90, encoding="utf-8", dimensions=(40, 200))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    assert "billed" in child.before
    assert "16. " in child.before
    assert KEY not in child.before
