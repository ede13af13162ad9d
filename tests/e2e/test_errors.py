"""Everything that can go wrong with `dg file`, as the user reads it: the exact message and the exit code."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.conftest import BODY, Reply, Run, ScriptedServer, dg_path, error

KEY = {"DEEPGRAM_API_KEY": "secret-key"}

# Longer than file systems take: looking it up fails as it does in a folder that may not be searched.
_ENDLESS = "a" * 300


def messages(result: "subprocess.CompletedProcess[bytes]") -> list[str]:
    """The lines on stderr."""
    return result.stderr.decode().splitlines()


def test_no_such_file(dg: Run) -> None:
    """A file that is not there is an input error, told in one line."""
    result = dg("file", "nope.wav", env=KEY)
    assert messages(result) == ["dg: error: There is no file nope.wav."]
    assert result.returncode == 6


@pytest.mark.parametrize("command", ["file", "live", "render", "align x.txt", "file --show-request curl"])
def test_a_missing_file_is_told_in_one_way(dg: Run, command: str) -> None:
    """Every command says the same of an input that is not there."""
    name, *rest = command.split()
    result = dg(name, "nope", *rest, env=KEY)
    assert messages(result) == ["dg: error: There is no file nope."]
    assert result.returncode == 6


def test_empty_name(dg: Run) -> None:
    """A name that is empty, as an unset variable of a script leaves it, is told as such."""
    result = dg("file", "", env=KEY)
    assert messages(result) == ["dg: error: The name of the recording is empty."]
    assert result.returncode == 6


def test_a_list_with_nul_in_a_line(dg: Run, tmp_path: Path) -> None:
    """A name in a list that no file can have is a file that is not there."""
    (tmp_path / "work" / "list").write_bytes(b"a\0b.wav\n")
    result = dg("file", "--files-from", "list", "--output-dir", "out", env=KEY)
    assert "dg: error: There is no file ab.wav." in messages(result)
    assert result.returncode == 6


def test_directory(dg: Run, tmp_path: Path) -> None:
    """A directory is refused with a remedy."""
    result = dg("file", tmp_path, env=KEY)
    assert messages(result) == [
        f"dg: error: {tmp_path} is a directory.",
        f"dg: Name a file in it, or transcribe all of it: dg file -r {tmp_path}",
    ]
    assert result.returncode == 6


def test_empty_file(dg: Run, tmp_path: Path, server: ScriptedServer) -> None:
    """An empty file is refused before anything is sent."""
    (tmp_path / "empty.wav").touch()
    result = dg("file", tmp_path / "empty.wav", "--base-url", server.url)
    assert messages(result) == [f"dg: error: {tmp_path}/empty.wav is empty."]
    assert result.returncode == 6
    assert server.seen == []


def test_too_large(dg: Run, tmp_path: Path, server: ScriptedServer) -> None:
    """A file over the API's 2 GB is refused before anything is sent."""
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(3 * 1024**3)  # sparse: takes no disk
    result = dg("file", large, "--base-url", server.url)
    assert messages(result)[0] == f"dg: error: {large} has 3.22 GB; the API takes up to 2 GB."
    assert result.returncode == 6
    assert server.seen == []


def test_no_key(dg: Run, audio: Path, environment: dict[str, str]) -> None:
    """Without a key, the message says where to get one and how to give it, and names --local."""
    result = dg("file", audio)
    config = Path(environment["HOME"]) / ".config" / "dgcli" / "config.toml"
    assert messages(result) == [
        "dg: error: No API key.",
        "dg: Get one at https://console.deepgram.com, then: dg login. Also --api-key, DEEPGRAM_API_KEY, or api_key in "
        f"{config}; "
        "or transcribe on this machine with --local.",
    ]
    assert result.returncode == 3


@pytest.mark.parametrize(
    ("reply", "lines", "code"),
    [
        pytest.param(
            error(401, "INVALID_AUTH", "Invalid credentials."),
            [
                "dg: error: Invalid credentials. [HTTP 401, INVALID_AUTH, request 0198-request]",
                "dg: Check the API key (--api-key, DEEPGRAM_API_KEY or the config file): it may be mistyped, "
                "deleted or expired.",
            ],
            3,
            id="401",
        ),
        pytest.param(
            error(
                402,
                "ASR_PAYMENT_REQUIRED",
                "Project does not have enough credits for an ASR request and does not have an overage agreement.",
            ),
            [
                "dg: error: Project does not have enough credits for an ASR request and does not have an overage "
                "agreement. [HTTP 402, ASR_PAYMENT_REQUIRED, request 0198-request]",
                "dg: Add credit to the project, or use a key of another one.",
            ],
            4,
            id="402",
        ),
        pytest.param(
            error(403, "INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."),
            [
                "dg: error: Project does not have access to the requested model. "
                "[HTTP 403, INSUFFICIENT_PERMISSIONS, request 0198-request]",
                "dg: The key may not use this model or feature: check --model, or use another key.",
            ],
            3,
            id="403",
        ),
        pytest.param(
            error(413, "PAYLOAD_TOO_LARGE", "Payload too large."),
            [
                "dg: error: Payload too large. [HTTP 413, PAYLOAD_TOO_LARGE, request 0198-request]",
                "dg: The API takes up to 2 GB: compress the audio (FLAC, Opus), extract it from the video, or "
                "split it.",
            ],
            4,
            id="413",
        ),
        pytest.param(
            error(400, "Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data"),
            [
                "dg: error: Bad Request: failed to process audio: corrupt or unsupported data "
                "[HTTP 400, Bad Request, request 0198-request]",
                "dg: Check that what is sent is audio and not empty. Headerless audio needs the right --encoding "
                "and --sample-rate; a container (WAV, Ogg, MP3...) needs neither of them.",
            ],
            4,
            id="400",
        ),
        pytest.param(
            Reply(
                400,
                b'{"category": "INVALID_JSON", "message": "Invalid JSON submitted.", '
                b'"details": "Json deserialize error: missing field `url`.", "request_id": "modern"}',
            ),
            [
                "dg: error: Invalid JSON submitted. Json deserialize error: missing field `url`. "
                "[HTTP 400, INVALID_JSON, request modern]"
            ],
            4,
            id="modern form",
        ),
        pytest.param(
            Reply(404, b"Not found.", {"dg-request-id": "plain"}, media_type="text/plain"),
            [
                "dg: error: Not found. [HTTP 404, request plain]",
                "dg: Check --base-url: this server has no such path.",
            ],
            4,
            id="plain text",
        ),
        pytest.param(
            Reply(200, b"<html><head><title>Wi-Fi log-in</title></head></html>", media_type="text/html"),
            [
                "dg: error: The answer is a web page, 'Wi-Fi log-in': something between here and the API gave "
                "it. [HTTP 200]",
                "dg: Check --base-url and any proxy.",
            ],
            4,
            id="html with 200",
        ),
        pytest.param(
            Reply(302, b"", {"Location": "https://elsewhere.example/v1/listen"}),
            [
                "dg: error: The server redirects to https://elsewhere.example/v1/listen. [HTTP 302]",
                "dg: Redirects are not followed, so that the key stays where it belongs: set --base-url to that "
                "host.",
            ],
            4,
            id="redirect",
        ),
    ],
)
def test_refusals(
    dg: Run, audio: Path, server: ScriptedServer, reply: Reply, lines: list[str], code: int
) -> None:
    """Each form of refusal is one clear message with status, code and request id, and is not repeated."""
    server.script = [reply]
    result = dg("file", audio, "--base-url", server.url, env=KEY)
    assert messages(result) == lines
    assert result.returncode == code
    assert result.stdout == b""
    assert len(server.seen) == 1


def test_refusal_during_the_upload(dg: Run, tmp_path: Path, server: ScriptedServer) -> None:
    """A server that refuses before it has read the upload is understood, however large the upload is."""
    large = tmp_path / "large.wav"
    large.write_bytes(b"RIFF" + bytes(8_000_000))
    server.script = [Reply(401, b'{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}', early=True)]
    result = dg("file", large, "--base-url", server.url, env=KEY)
    assert "Invalid credentials. [HTTP 401" in messages(result)[0]
    assert result.returncode == 3


def test_429_then_success(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """429 with Retry-After is waited out and told, and the transcript then comes."""
    busy = error(
        429, "TOO_MANY_REQUESTS", "Too many requests. Please try again later", **{"Retry-After": "0"}
    )
    server.script = [busy, Reply()]
    result = dg("file", audio, "--base-url", server.url, env=KEY)
    assert result.stdout == b"Call Maria at noon.\n"
    assert messages(result) == [
        "dg: Too many requests. Please try again later [HTTP 429, TOO_MANY_REQUESTS, request 0198-request] "
        "Trying again (1 of 3)."
    ]
    assert result.returncode == 0
    assert [len(seen.body) for seen in server.seen] == [audio.stat().st_size] * 2


def test_503_three_times_then_success(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """Three 503 in a row are survived by the default number of retries."""
    busy = Reply(503, b'{"error_code":"BUSY","message":"Please try again later"}', {"Retry-After": "0"})
    server.script = [busy, busy, busy, Reply()]
    result = dg("file", audio, "--base-url", server.url, env=KEY)
    assert result.stdout == b"Call Maria at noon.\n"
    assert len(server.seen) == 4
    assert [line.rpartition(" (")[2] for line in messages(result)] == ["1 of 3).", "2 of 3).", "3 of 3)."]


def test_504_until_the_end(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """A 504 that does not go away is reported with the number of tries."""
    server.script = [Reply(504, b"", {"Retry-After": "0"})]
    result = dg("file", audio, "--base-url", server.url, "--retries", "1", env=KEY)
    assert messages(result)[-2:] == [
        "dg: error: The server took too long. (Tried 2 times.) [HTTP 504]",
        "dg: Try a smaller file or a faster model.",
    ]
    assert result.returncode == 4


def test_connection_refused(dg: Run, audio: Path) -> None:
    """A port where nobody listens is a network error that names the host."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    result = dg("file", audio, "--base-url", f"http://127.0.0.1:{port}", "--retries", "0", env=KEY)
    assert messages(result) == [
        f"dg: error: 127.0.0.1:{port} refused the connection: nothing listens there.",
        "dg: Does the server run, and is this its port? Check --base-url.",
    ]
    assert result.returncode == 5


def test_unknown_host(dg: Run, audio: Path) -> None:
    """A name that nobody knows is a network error that names it."""
    result = dg("file", audio, "--base-url", "https://no-such-host.invalid", "--retries", "0", env=KEY)
    first, hint = messages(result)
    assert first.startswith("dg: error: no-such-host.invalid cannot be found: ")
    assert hint == "dg: Check the network, and --base-url if you gave one."
    assert result.returncode == 5


@pytest.fixture
def tls_port() -> Iterator[tuple[int, trustme.CA]]:
    """A TLS server with a certificate of an authority that nobody trusts, and that authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            try:
                with context.wrap_socket(raw, server_side=True) as connection:
                    data = b""
                    while b"\r\n\r\n" not in data:
                        data += connection.recv(65536)
                    head, _, rest = data.partition(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                    while len(rest) < length:
                        rest += connection.recv(65536)
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(BODY)
                        + BODY
                    )
            except OSError:
                continue  # the client did not trust us: that is what is tested

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], authority
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_tls_failure(dg: Run, audio: Path, tls_port: tuple[int, trustme.CA]) -> None:
    """A certificate that cannot be trusted is said to be one, with the way to trust it, and is not retried."""
    port, _ = tls_port
    result = dg("file", audio, "--base-url", f"https://127.0.0.1:{port}", env=KEY)
    first, hint = messages(result)
    assert first.startswith(f"dg: error: The certificate of 127.0.0.1:{port} is not trusted: ")
    assert hint == "dg: For a self-signed or company certificate, name its authority with --ca-cert FILE."
    assert result.returncode == 5


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_tls_authority(
    dg: Run, audio: Path, tmp_path: Path, tls_port: tuple[int, trustme.CA], way: str
) -> None:
    """--ca-cert and SSL_CERT_FILE each make a private authority trusted."""
    port, authority = tls_port
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    flags = ["--ca-cert", file] if way == "flag" else []
    env = KEY if way == "flag" else {**KEY, "SSL_CERT_FILE": str(file)}
    result = dg("file", audio, "--base-url", f"https://127.0.0.1:{port}", *flags, env=env)
    assert (result.stdout, result.stderr) == (b"Call Maria at noon.\n", b"")


def test_answer_cut_off(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """An answer that breaks off in the middle is a network error, never half a transcript."""
    server.script = [Reply(cut=True)]
    result = dg("file", audio, "--base-url", server.url, "--retries", "0", env=KEY)
    host = server.url.removeprefix("http://")
    assert messages(result) == [
        f"dg: error: The connection to {host} broke off before the answer was complete.",
        "dg: Check the network, and try again.",
    ]
    assert result.stdout == b""
    assert result.returncode == 5


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("nowhere/talk.srt", "There is no folder "),
        ("/proc/talk.srt", "Nothing can be written to /proc: "),
        (".", "The output . is a directory."),
    ],
)
def test_unwritable_output(dg: Run, audio: Path, server: ScriptedServer, output: str, message: str) -> None:
    """An output that cannot be written is refused before anything is sent."""
    result = dg("file", audio, "-o", output, "--base-url", server.url, env=KEY)
    assert messages(result)[0].startswith(f"dg: error: {message}")
    assert result.returncode == 8
    assert server.seen == []


def test_output_is_the_input(dg: Run, tmp_path: Path, audio: Path, server: ScriptedServer) -> None:
    """An output that is the input, under another name too, is refused before anything is sent."""
    link = tmp_path / "talk.srt"
    link.symlink_to(audio)
    before = audio.read_bytes()
    result = dg("file", audio, "-o", link, "--base-url", server.url, env=KEY)
    assert messages(result)[0] == f"dg: error: The output {link} is the input itself."
    assert result.returncode == 8
    assert server.seen == []
    assert audio.read_bytes() == before


def test_full_device(audio: Path, server: ScriptedServer, environment: dict[str, str]) -> None:
    """Standard output that takes nothing is found out before anything is sent."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [dg_path(), "file", audio, "--base-url", server.url],
            env={**environment, **KEY},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert messages(result) == ["dg: error: Standard output cannot be written: No space left on device."]
    assert result.returncode == 8
    assert server.seen == []


def run_to_closed_pipe(
    audio: Path, server: ScriptedServer, environment: dict[str, str]
) -> "subprocess.CompletedProcess[bytes]":
    """`dg file` into a pipe whose reader has gone."""
    read, write = os.pipe()
    os.close(read)
    try:
        return subprocess.run(
            [dg_path(), "file", audio, "--base-url", server.url],
            env={**environment, **KEY},
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)


def test_kept_without_a_home(
    audio: Path, server: ScriptedServer, environment: dict[str, str], tmp_path: Path
) -> None:
    """Where the state folder cannot be written, a paid response is kept in the temporary folder."""
    environment |= {"HOME": "/proc/nobody", "TMPDIR": str(tmp_path)}
    result = run_to_closed_pipe(audio, server, environment)
    kept, command = messages(result)[-2:]
    where = Path(kept.removeprefix("dg: The response is kept in "))
    assert where.parent == tmp_path
    assert command.endswith(f": dg render {where}")
    assert where.read_bytes() == BODY
    assert where.stat().st_mode & 0o777 == 0o600


def test_kept_nowhere(
    audio: Path, server: ScriptedServer, environment: dict[str, str], tmp_path: Path
) -> None:
    """Where no file at all can grow, a paid response goes to standard error as the last place there is."""
    limited = f"ulimit -f 0; exec {dg_path()} file {audio} --base-url {server.url} > {tmp_path}/out.txt"
    result = subprocess.run(
        ["bash", "-c", limited], env={**environment, **KEY}, capture_output=True, check=False
    )
    assert BODY in result.stderr
    assert "dg: error: Standard output cannot be written: File too large." in messages(result)
    assert result.returncode == 8


def test_not_a_transcript(dg: Run, audio: Path, server: ScriptedServer) -> None:
    """JSON that is no transcript is kept too, and the error says where."""
    server.script = [Reply(200, b'{"metadata": {"request_id": "odd"}, "results": {"channels": null}}')]
    result = dg("file", audio, "--base-url", server.url, env=KEY)
    first, kept = messages(result)
    assert first == "dg: error: The answer is JSON, but no transcript. [request odd]"
    assert Path(kept.removeprefix("dg: The response is kept in ")).read_bytes() == server.script[0].body
    assert result.returncode == 4


def test_broken_pipe(audio: Path, server: ScriptedServer, environment: dict[str, str]) -> None:
    """When the reader of the pipe has gone, dg leaves with 141, and says where the response is kept."""
    result = run_to_closed_pipe(audio, server, environment)
    assert result.returncode == 141
    assert len(messages(result)) == 3
    assert messages(result)[2].endswith(": dg last")
    assert Path(messages(result)[1].removeprefix("dg: The response is kept in ")).read_bytes() == BODY


def test_head(audio: Path, server: ScriptedServer, environment: dict[str, str]) -> None:
    """`dg file x | head -1` prints the first line; of a short transcript nothing is lost, so nothing is said."""
    command = ["bash", "-c", '"$0" file "$1" --base-url "$2" | head -1', dg_path(), audio, server.url]
    result = subprocess.run(command, env={**environment, **KEY}, capture_output=True, check=False)
    assert (result.stdout, result.stderr) == (b"Call Maria at noon.\n", b"")


def test_head_of_a_long_transcript(audio: Path, server: ScriptedServer, environment: dict[str, str]) -> None:
    """What `head` does not read of a long transcript is kept, without a traceback, and the exit code is 141."""
    long = json.loads(BODY)
    long["results"]["channels"][0]["alternatives"] = [{"transcript": "word " * 100_000, "words": []}]
    server.script = [Reply(200, json.dumps(long).encode())]
    pipeline = '"$0" file "$1" --base-url "$2" | head -c 10; exit ${PIPESTATUS[0]}'
    command = ["bash", "-c", pipeline, dg_path(), audio, server.url]
    result = subprocess.run(command, env={**environment, **KEY}, capture_output=True, check=False)
    assert result.stdout == b"word word "
    assert result.returncode == 141
    assert (
        Path(messages(result)[-2].removeprefix("dg: The response is kept in ")).read_bytes()
        == server.script[0].body
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signal_in_mid_upload(
    tmp_path: Path, server: ScriptedServer, environment: dict[str, str], number: signal.Signals, code: int
) -> None:
    """Ctrl-C, SIGTERM and SIGHUP in the middle of an upload leave at once, with one line and the usual code."""
    large = tmp_path / "large.wav"
    large.write_bytes(b"RIFF" + bytes(30_000_000))
    server.script = [Reply(read=1000)]  # takes a little, then stalls: the upload is certainly unfinished
    process = subprocess.Popen(
        [dg_path(), "file", large, "--base-url", server.url],
        env={**environment, **KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.arrived.wait(30)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert err.decode().splitlines() == ["dg: error: Interrupted."]
    assert out == b""
    assert process.returncode == code


@pytest.mark.parametrize(
    "args",
    [
        ["file", _ENDLESS],
        [_ENDLESS],
        ["url", _ENDLESS],
        ["live", _ENDLESS],
        ["render", _ENDLESS],
        ["render", "saved.json", "--output-dir", _ENDLESS],
        ["last", "--output-dir", _ENDLESS],
        ["file", "--check", _ENDLESS],
        ["file", "talk.wav", "--local", "--local-model", _ENDLESS],
    ],
)
def test_a_name_that_cannot_be_looked_up(dg: Run, args: list[str]) -> None:
    """A path that the system refuses to look at is an error of the command line, and none of dg."""
    result = dg(*args, env=KEY)
    assert result.returncode in {2, 6, 8}
    assert messages(result)[0].startswith("dg: error: ")


def test_interrupted_while_a_response_is_read(environment: dict[str, str]) -> None:
    """Ctrl-C before standard input has ended is told as what it is, without the name of an input."""
    process = subprocess.Popen(
        [dg_path(), "render", "-"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(bytes(300_000))  # more than a pipe holds: it is certainly being read
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert err.decode().splitlines() == ["dg: error: Interrupted."]
    assert process.returncode == 130
