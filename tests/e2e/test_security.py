"""What the threat model (SECURITY.md) promises of the whole program, and no test nearer to the code holds."""

import ast
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dgcli.terminal import harmless
from tests.conftest import ROOT, Run, ScriptedServer

NASTY = "\x1b]0;owned\x07\x1b[2J\u202e[bold red]x[/]\x9b31m"


class _Proxy:
    """A proxy that refuses everything, and remembers what it was told."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                while b"\r\n\r\n" not in self.heard and (data := connection.recv(65536)):
                    self.heard += data
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def proxy() -> Iterator[_Proxy]:
    """A proxy that ends with the test."""
    made = _Proxy()
    yield made
    made.close()


def test_a_proxy_of_requests_learns_no_key(dg: Run, audio: Path, proxy: _Proxy) -> None:
    """On the way to https a proxy is told a host and a port: neither key, nor query, nor audio."""
    environment = {"HTTPS_PROXY": proxy.url, "DEEPGRAM_API_KEY": "secret-key-of-mine"}
    result = dg("file", audio, "--retries", "0", "--keyterm", "confidential", env=environment)
    assert result.returncode == 5
    assert proxy.heard.startswith(b"CONNECT api.deepgram.com:443 ")
    for told in (b"secret-key-of-mine", b"uthorization", b"confidential", b"RIFF"):
        assert told not in proxy.heard


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in (ROOT / "dgcli").rglob("*.py"):
        yield path, ast.parse(path.read_text("utf-8"))


def test_nothing_turns_the_check_of_certificates_off() -> None:
    """No option is about it, and no code makes a connection without it."""
    table = "".join(path.read_text("utf-8") for path in sorted((ROOT / "man").glob("*.1")))
    flags = set(re.findall(r"--[a-z][a-z-]+", table.replace("\\-", "-")))
    assert "--ca-cert" in flags
    assert [flag for flag in flags if re.search(r"insecure|verif|no-check|skip-tls|trust", flag)] == []
    for path, tree in _modules():
        for node in ast.walk(tree):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
            assert name not in ("CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context"), path
            if isinstance(node, ast.keyword) and node.arg in ("verify", "check_hostname"):
                assert not (isinstance(node.value, ast.Constant) and node.value.value is False), path
            if isinstance(node, ast.Attribute) and node.attr == "check_hostname":
                pytest.fail(f"{path} sets check_hostname")


@pytest.mark.parametrize("command", ["file", "live", "render"])
def test_names_of_files_are_data(dg: Run, command: str) -> None:
    """Neither escape sequences nor marks of direction nor markup of a name reach a terminal as such."""
    for name in (f"{NASTY}.wav", f"a\n{NASTY}.wav"):
        result = dg(command, name, env={"DEEPGRAM_API_KEY": "k"})
        text = result.stderr.decode()
        assert result.returncode != 0
        assert text.startswith("dg: error: ")
        assert harmless(text) == text
        assert "[bold red]x[/]" in text


def test_names_in_a_list_are_data(dg: Run, server: ScriptedServer, tmp_path: Path) -> None:
    """What a list of recordings names is told without control characters."""
    (tmp_path / "work" / "list.txt").write_text(f"{NASTY}.wav\nhttps://example.com/{NASTY}.wav\n")
    result = dg("file", "--files-from", "list.txt", "--base-url", server.url, "--output-dir", "out")
    text = result.stderr.decode()
    assert ".wav" in text
    assert harmless(text) == text
