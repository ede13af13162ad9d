"""Standard streams that are closed, pipes that come as paths, and values that no server could be sent."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import BODY, Reply, Run, ScriptedServer, dg_path

SENDS = '"$0" file "$1" --base-url "$2"'


@pytest.fixture
def shell(environment: dict[str, str], audio: Path, server: ScriptedServer) -> Run:
    """Run a line of bash in which $0 is dg, $1 the audio and $2 the server."""

    def run(line: str) -> "subprocess.CompletedProcess[bytes]":
        command = ["bash", "-c", line, dg_path(), audio, server.url]
        return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)

    return run


def test_without_standard_error(shell: Run) -> None:
    """With stderr closed the transcript still comes, and messages do not come in its place."""
    assert shell(f"{SENDS} 2>&-").stdout == b"Call Maria at noon.\n"
    missing = shell('"$0" file nosuch 2>&-')
    assert (missing.stdout, missing.returncode) == (b"", 6)


@pytest.mark.parametrize(
    ("line", "message", "code"),
    [
        (f"{SENDS} >&-", b"dg: error: Standard output cannot be written: Bad file descriptor.\n", 8),
        (
            '"$0" file - --base-url "$2" <&-',
            b"dg: error: Standard input cannot be read: Bad file descriptor.\n",
            6,
        ),
        ('"$0" --version >&-', b"dg: error: Standard output cannot be written: Bad file descriptor.\n", 8),
        (
            '"$0" file --help >/dev/full',
            b"dg: error: Standard output cannot be written: No space left on device.\n",
            8,
        ),
        ('"$0" file --help | true; exit ${PIPESTATUS[0]}', b"", 141),
    ],
)
def test_streams_that_are_closed(
    shell: Run, server: ScriptedServer, line: str, message: bytes, code: int
) -> None:
    """A stream that was closed is an error with its own message, and nothing is sent."""
    result = shell(line)
    assert (result.stderr, result.returncode) == (message, code)
    assert server.seen == []


def test_pipe_as_path(shell: Run, server: ScriptedServer, audio: Path) -> None:
    """Process substitution and /dev/stdin are read like standard input."""
    assert shell('"$0" file <(cat "$1") --base-url "$2"').stdout == b"Call Maria at noon.\n"
    assert shell('cat "$1" | "$0" file /dev/stdin --base-url "$2"').stdout == b"Call Maria at noon.\n"
    assert [seen.body for seen in server.seen] == [audio.read_bytes()] * 2


@pytest.mark.parametrize(
    "flags", ["-o nowhere/x.srt", "-f bogus", "--ca-cert nosuch --base-url https://x.example"]
)
def test_a_pipe_is_not_read_in_vain(shell: Run, flags: str) -> None:
    """What is wrong with a command line is said while the pipe is still being written to."""
    # The writer ends only when dg has: if dg waited for it, both would wait until the timeout.
    result = shell(f'mkfifo f; exec 9<>f; timeout 30 "$0" file - {flags} <f; code=$?; rm f; exit $code')
    assert result.returncode in (2, 8)
    assert b"dg: error: " in result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--base-url 'http://[::1'", "The base URL 'http://[::1' cannot be used."),
        ("--base-url http://a..b", "The base URL 'http://a..b' cannot be used."),
        ("--base-url http://me:secret@x.example", "The base URL 'http://...@x.example' cannot be used."),
        ("--callback 'http://['", "--callback takes a whole URL, not 'http://['."),
        ("--timeout 1e10", "--timeout takes seconds above 0, up to 86400, not 1e+10."),
        (
            "--ca-cert '~nosuchuser/x' --base-url https://x.example --api-key k",
            "The certificates of --ca-cert",
        ),
        ("--tag $'\\xff'", "--tag has bytes that are no UTF-8"),
        ("-o loop.txt", "The output loop.txt cannot be used: "),
        ("-o $(printf 'x%.0s' {1..300}).txt", "The output xxxxxxx"),
        (
            "--callback http://x.example -o x.srt",
            "--callback delivers the transcript elsewhere: -o has nothing",
        ),
    ],
)
def test_invalid_flags(shell: Run, server: ScriptedServer, flags: str, message: str) -> None:
    """Values that no server could be sent are refused, never called a bug, and no password is shown."""
    result = shell(f'cd "$HOME"; ln -sf loop.txt loop.txt; {SENDS} {flags}')
    assert result.stderr.decode().startswith(f"dg: error: {message}")
    assert result.returncode in (2, 8)
    assert server.seen == []


@pytest.mark.parametrize("variable", ["HTTPS_PROXY=ftp://x", "HTTPS_PROXY='http://a:b c'"])
def test_proxies_that_cannot_be_used(shell: Run, variable: str) -> None:
    """A proxy that cannot be used is said to come from the environment."""
    result = shell(f'{variable} "$0" file "$1" --base-url https://x.example --retries 0')
    assert (
        result.stderr.decode().splitlines()[-1]
        == "dg: Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."
    )
    assert result.returncode == 2


def test_byte_order_mark(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """A response behind a byte order mark is a response."""
    server.script = [Reply(200, b"\xef\xbb\xbf" + BODY)]
    assert dg("file", audio, "--base-url", server.url).stdout == b"Call Maria at noon.\n"


def test_no_json(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """A success that is no JSON is kept as it came: it may have been paid for."""
    server.script = [Reply(200, b"Taken.")]
    lines = dg("file", audio, "--base-url", server.url).stderr.decode().splitlines()
    assert lines[0].startswith("dg: error: The answer is no JSON: ")
    assert Path(lines[-1].removeprefix("dg: The response is kept in ")).read_bytes() == b"Taken."


def test_hostile_request_id(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """A request id is data: no escape sequence of it reaches the terminal."""
    server.script = [Reply(200, b'{"request_id": "a\\u001b]0;x\\u0007b"}')]
    assert dg("file", audio, "--base-url", server.url).stdout == b"ab\n"
