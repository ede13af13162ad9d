"""`dg callbacks` as it is installed: with the local server, which sends callbacks as the API does, and strangers."""

import http.client
import json
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dgcli.api import callbacks
from dgcli.errors import OutputError
from dgcli.output.received import ReceivedBodies
from dgcli.server.callback import key_id
from dgcli.server.run import running
from dgcli.server.settings import ServerSettings
from tests.conftest import BODY, HANGS_AFTER, RESPONSE, SAMPLE, Run, dg_path, loaded

ID = str(RESPONSE["metadata"]["request_id"])
TEXT = "Call Maria at noon."


class Receiver:
    """A running `dg callbacks` in a folder of its own."""

    def __init__(self, env: dict[str, str], folder: Path, *args: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [dg_path(), "callbacks", "--port", "0", *args], env=env, cwd=folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stderr
        line = self.process.stderr.readline()
        match = re.search(r"http://\S+", line)
        assert match, line
        self.url = match.group()

    def send(
        self,
        body: bytes,
        method: str = "POST",
        path: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> int:
        """Send a request; return the status."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=HANGS_AFTER)
        try:
            connection.request(method, parts.path if path is None else path, body, headers or {})
            return connection.getresponse().status
        finally:
            connection.close()

    def await_received(self, request_id: str) -> None:
        """Wait until it says that it takes the body of a request: a signal then ends it when that is written."""
        assert self.process.stderr
        assert any(f"Received {request_id};" in line for line in iter(self.process.stderr.readline, ""))

    def end(self, number: int = signal.SIGINT) -> tuple[str, str, int]:
        """Signal it; what it wrote, and its exit code."""
        self.process.send_signal(number)
        out, messages = self.process.communicate(timeout=HANGS_AFTER)
        return out, messages, self.process.returncode


Receive = Callable[..., Receiver]


@pytest.fixture
def receive(environment: dict[str, str], tmp_path: Path) -> Iterator[Receive]:
    """Start receivers that end with the test."""
    made: list[Receiver] = []
    folder = tmp_path / "received"
    folder.mkdir()

    def start(*args: str, **env: str) -> Receiver:
        made.append(Receiver({**environment, **env}, folder, *args))
        return made[-1]

    yield start
    for receiver in made:
        if receiver.process.poll() is None:
            receiver.process.kill()
        receiver.process.communicate()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[str]:
    """The local server, which answers with a saved response, and may call this machine."""
    saved = tmp_path / "saved.json"
    saved.write_bytes(BODY)
    settings = ServerSettings(
        engine="replay", response=saved, allow_private_urls=True, callback_retry_delay=0.05
    )
    with running(settings) as url:
        yield url


@pytest.mark.parametrize("method", [None, "PUT"])
def test_a_file_arrives(dg: Run, receive: Receive, local: str, method: str | None) -> None:
    """`dg file --callback` through the local server: the body and the formats are there, named by the request's id."""
    receiver = receive("-o", "{id}.srt", "-o", "{id}.md", "-f", "text", "--speaker", "0=Anna")
    more = ["--callback-method", method] if method else []
    sent = dg("file", SAMPLE, "--base-url", local, "--callback", receiver.url, *more)
    assert sent.returncode == 0, sent.stderr
    request_id = sent.stdout.decode().strip()
    receiver.await_received(request_id)
    out, messages, code = receiver.end()
    assert code == 0
    assert out.split() == TEXT.split()
    assert "Stopped: 1 recording." in messages
    assert sorted(path.name for path in receiver.folder.iterdir()) == [
        f"{request_id}.json",
        f"{request_id}.md",
        f"{request_id}.srt",
    ]
    body = json.loads((receiver.folder / f"{request_id}.json").read_bytes())
    assert body["metadata"]["request_id"] == request_id != ID
    assert body["results"]["channels"][0]["alternatives"][0]["transcript"] == TEXT
    assert "Call Maria at noon." in (receiver.folder / f"{request_id}.srt").read_text()


def test_a_stream_arrives(dg: Run, receive: Receive, local: str) -> None:
    """`dg live --callback`: each message is a line, `dg render` reads them, and the captions are there at its end."""
    receiver = receive("-o", "{id}.srt")
    sent = dg(
        "live", SAMPLE, "--base-url", local, "--callback", receiver.url, "--duration", "3", "-f", "jsonl"
    )
    assert sent.returncode == 0, sent.stderr
    lines = [json.loads(line) for line in sent.stdout.splitlines()]
    request_id = next(line["request_id"] for line in lines if line["kind"] == "opened")
    log = receiver.folder / f"{request_id}.jsonl"
    receiver.await_received(request_id)
    _, messages, code = receiver.end()
    assert code == 0
    assert "Stopped: 1 stream." in messages
    received = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert received == [line["message"] for line in lines if line["kind"] == "message"]
    assert received[-1]["type"] == "Metadata"
    assert dg("render", log, "-f", "srt").stdout.decode() == log.with_suffix(".srt").read_text()
    assert "Maria" in log.with_suffix(".srt").read_text()


def test_what_is_answered_is_on_the_disk(receive: Receive) -> None:
    """Killed the moment after its answer, it has kept every body byte for byte, for its owner only."""
    receiver = receive()
    assert receiver.send(BODY) == 200
    receiver.process.kill()
    path = receiver.folder / f"{ID}.json"
    assert path.read_bytes() == BODY
    assert path.stat().st_mode & 0o777 == 0o600
    again = receive("-o", "{id}.srt")
    assert again.send(BODY) == 200  # the API had not heard the answer, say
    assert "1 duplicate" in again.end()[1]
    assert TEXT in (receiver.folder / f"{ID}.srt").read_text()  # which the first did not come to


def test_another_answer_under_the_same_name(receive: Receive, tmp_path: Path) -> None:
    """A file or a link of that name is left as it is; the answer that was paid for is kept and written beside it."""
    receiver = receive("-o", "{id}.srt")
    mine, elsewhere = receiver.folder / f"{ID}.json", tmp_path / "elsewhere"
    mine.write_text("{}")
    linked = BODY.replace(ID.encode(), f"a{ID[1:]}".encode())
    (receiver.folder / f"a{ID[1:]}.json").symlink_to(elsewhere)
    assert [receiver.send(body) for body in (BODY, linked, BODY, linked)] == [200] * 4
    _, messages, code = receiver.end()
    assert (code, mine.read_text(), elsewhere.exists()) == (0, "{}", False)
    assert "2 recordings, 2 duplicates" in messages
    kept = [path.read_bytes() for path in receiver.folder.glob("*-*.json") if not path.is_symlink()]
    assert BODY in kept
    assert linked in kept
    assert len(list(receiver.folder.glob("*.srt"))) == 2


def _message(start: float) -> bytes:
    return json.dumps(
        {
            "type": "Results", "channel_index": [0, 1], "start": start, "duration": 1.0, "is_final": True,
            "channel": {"alternatives": [{"transcript": "hello", "words": []}]}, "metadata": {"request_id": ID},
        }
    ).encode()  # fmt: skip


def test_half_a_line_is_no_line(tmp_path: Path) -> None:
    """What a crash or a full disk cut off is taken away: its sender had no answer, and sends it again."""
    path = tmp_path / f"{ID}.jsonl"
    first, second, third = (_message(float(n)) for n in range(3))
    path.write_bytes(first + b"\n" + second[:50])
    bodies = ReceivedBodies(tmp_path, lambda _: None)
    bodies.keep(second, {})
    assert path.read_bytes() == first + b"\n" + second + b"\n"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(OutputError):
            bodies.keep(third, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == first + b"\n" + second + b"\n"
    bodies.keep(third, {})
    assert path.read_bytes() == b"\n".join([first, second, third, b""])


def test_a_planted_link_takes_no_message(receive: Receive, tmp_path: Path) -> None:
    """A message of a stream is not added to a file that a link in the folder leads to, and is not lost by a 200."""
    receiver = receive()
    (receiver.folder / f"{ID}.jsonl").symlink_to(tmp_path / "elsewhere")
    assert receiver.send(_message(0.0)) == 503
    assert not (tmp_path / "elsewhere").exists()
    assert "cannot be written" in receiver.end()[1]


def test_the_url_has_the_secret_as_it_is_taken(receive: Receive) -> None:
    """A secret with characters that mean something in URLs is in the URL that is told, and lets it in."""
    receiver = receive("--secret", "a?b%41#c d")
    assert receiver.send(BODY) == 200
    assert receiver.send(BODY, path="/a") == 404


def test_a_request_is_kept_once(receive: Receive) -> None:
    """Of 24 deliveries of 4 answers at once, each answer is kept and written once, and all are answered 200."""
    receiver = receive("-f", "text")
    bodies = [BODY.replace(ID.encode(), f"{n}{ID[1:]}".encode()) for n in range(4)]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda body=body: statuses.append(receiver.send(body))) for body in bodies * 6
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out, messages, code = receiver.end()
    assert (statuses, code) == ([200] * 24, 0)
    assert out.count(TEXT) == 4
    assert "4 recordings, 20 duplicates" in messages
    assert len(list(receiver.folder.iterdir())) == 4


def test_messages_that_come_again(receive: Receive) -> None:
    """A message that is delivered twice is one line; a stream without an end is written when it stops."""
    receiver = receive("-f", "text")
    word = {"word": "hello", "start": 0.1, "end": 0.4, "confidence": 1.0}
    channel = {"alternatives": [{"transcript": "hello", "confidence": 1.0, "words": [word]}]}
    message = {
        "type": "Results", "channel_index": [0, 1], "start": 0.0, "duration": 1.0, "is_final": True,
        "speech_final": True, "channel": channel, "metadata": {"request_id": ID},
    }  # fmt: skip
    began = {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.1}  # which names no stream
    for told in (message, began, message, message):
        assert receiver.send(json.dumps(told, indent=1).encode()) == 200
    out, messages, code = receiver.end()
    assert (out.split(), code) == (["hello"], 0)
    assert "1 stream, 2 duplicates" in messages
    assert [json.loads(line) for line in (receiver.folder / f"{ID}.jsonl").read_bytes().splitlines()] == [
        message,
        began,
    ]


def test_who_is_not_believed(receive: Receive, local: str) -> None:
    """Another path, no dg-token, or another one: refused, nothing is kept, and the secret stands in no answer."""
    token = key_id("key")
    receiver = receive("--secret", "sesame", "--token", token)
    assert receiver.send(BODY, headers={"dg-token": token}) == 200
    for path, headers in (
        ("/", {"dg-token": token}),
        ("/sesam", {"dg-token": token}),
        ("/sesame2", {"dg-token": token}),
        ("/sesame", {}),
        ("/sesame", {"dg-token": "someone"}),
    ):
        body = BODY.replace(ID.encode(), b"another")
        assert receiver.send(body, path=path, headers=headers) in (401, 404)
    assert receiver.send(BODY, method="GET", headers={"dg-token": token}) == 200  # and keeps nothing
    assert "1 recording, 5 refused" in receiver.end()[1]
    assert [path.name for path in receiver.folder.iterdir()] == [f"{ID}.json"]


def test_a_secret_of_the_environment_is_not_in_ps(receive: Receive) -> None:
    """The secret may come from DGCLI_CALLBACK_SECRET, out of sight of `ps`; else a random one is made each time."""
    receiver = receive(DGCLI_CALLBACK_SECRET="open-sesame")
    assert urlsplit(receiver.url).path == "/open-sesame"
    command_line = Path(f"/proc/{receiver.process.pid}/cmdline")
    if command_line.exists():  # Linux
        assert "sesame" not in command_line.read_text()
    random = {urlsplit(receive().url).path for _ in range(2)}
    assert all(len(path) > 20 for path in random)
    assert len(random) == 2


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"hello", r"body-[0-9a-f]{16}\.body"),
        (b'{"metadata": {"request_id": "../../etc/passwd"}, "results": {}}', r"body-[0-9a-f]{16}\.json"),
        (b'{"err_code": "Bad Request", "err_msg": "no", "request_id": "0198-x"}', r"0198-x\.json"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, r"body-[0-9a-f]{16}\.body"),
        (b"", r"body-[0-9a-f]{16}\.body"),
    ],
)
def test_what_is_no_transcript_is_kept_too(receive: Receive, body: bytes, name: str) -> None:
    """Whatever comes with the secret is kept under a name that leads nowhere else, and told; the next one is taken."""
    receiver = receive("-o", "{id}.srt")
    assert receiver.send(body) == 200
    (kept,) = receiver.folder.iterdir()
    assert re.fullmatch(name, kept.name)
    assert kept.read_bytes() == body
    assert receiver.send(BODY) == 200
    _, messages, code = receiver.end()
    assert code in (0, 7)
    assert "1 recording" in messages or "2 recordings" in messages
    assert (receiver.folder / f"{ID}.srt").exists()


def raw(url: str, *pieces: bytes) -> bytes:
    """The answer to bytes as they are."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=HANGS_AFTER) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    return answer


def test_bodies_are_bounded_and_whole(receive: Receive) -> None:
    """Over 64 MiB: 413 before it is read. Chunks are joined; half a body, no length or both are refused."""
    receiver = receive("--secret", "s", "-q")
    head = b"POST /s HTTP/1.1\r\nHost: h\r\n"
    assert b" 413 " in raw(receiver.url, head + b"Content-Length: 67108865\r\n\r\n" + b"x" * 1000)
    assert b" 413 " in raw(receiver.url, head + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n")
    assert b" 411 " in raw(receiver.url, head + b"\r\n")
    assert b" 411 " in raw(receiver.url, head + b"Content-Length: -1\r\n\r\n")
    both = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 400 " in raw(receiver.url, head + both + b"0\r\n\r\n")
    huge = b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"
    assert b" 413 " in raw(receiver.url, head + huge)
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:])]
    assert b" 200 " in raw(receiver.url, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n")
    assert (receiver.folder / f"{ID}.json").read_bytes() == BODY
    parts = urlsplit(receiver.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=HANGS_AFTER) as half:
        half.sendall(head + b"Content-Length: 100\r\n\r\n{")
        half.shutdown(socket.SHUT_WR)
        assert b" 400 " in half.recv(65536)
    assert len(list(receiver.folder.iterdir())) == 1


def test_a_browser_is_told_what_it_is(receive: Receive) -> None:
    """GET and HEAD get a line of plain text at the URL, 404 elsewhere; other methods are refused without a page."""
    receiver = receive("--secret", "s")
    answer = raw(receiver.url, b"GET /s/ HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nContent-Type: text/plain" in answer
    assert answer.endswith(
        b"\r\n\r\ndg callbacks: transcripts are taken here by POST. This is a callback URL.\n"
    )
    head = raw(receiver.url, b"HEAD /s/ HTTP/1.1\r\nHost: h\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")
    assert b" 404 " in raw(receiver.url, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    for odd in (b"DELETE /s HTTP/1.1\r\n\r\n", b"no request\r\n\r\n"):
        assert b"<" not in raw(receiver.url, odd)
    assert "nothing came" in receiver.end()[1]


def test_idle_connections_keep_nobody_out(receive: Receive) -> None:
    """With more connections open than there may be, each stuck in its head, a callback is taken all the same."""
    receiver = receive("--secret", "s", "-q")
    parts = urlsplit(receiver.url)
    stuck = [socket.create_connection((parts.hostname, parts.port)) for _ in range(200)]
    for connection in stuck:
        connection.sendall(b"POST /s HTTP/1.1\r\n")
    assert receiver.send(BODY) == 200
    stuck[0].settimeout(HANGS_AFTER)
    assert stuck[0].recv(1) == b""  # the oldest gave way
    for connection in stuck:
        connection.close()


@pytest.mark.parametrize(
    ("limit", "said"),
    [("_HEAD", b"POST /s HTTP/1.1\r\nHost"), ("_TIMEOUT", b"POST /s HTTP/1.1\r\nContent-Length: 9\r\n\r\n1")],
)
def test_a_request_has_a_deadline(monkeypatch: pytest.MonkeyPatch, limit: str, said: bytes) -> None:
    """A head that does not end, or a body, is left after its time."""
    monkeypatch.setattr(callbacks, limit, 0.2)
    server = callbacks.CallbackServer(callbacks.CallbackSettings(port=0, secret="s"), lambda *_: 200)
    try:
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=HANGS_AFTER) as stuck:
            stuck.sendall(said)
            assert b" 200 " not in stuck.recv(65536)
            stuck.settimeout(HANGS_AFTER)
            while stuck.recv(65536):
                pass
    finally:
        server.close()


def test_it_ends_while_somebody_is_sending(receive: Receive) -> None:
    """Ctrl-C, with more connections open that say nothing than it serves at once, ends it within its deadline."""
    receiver = receive("--secret", "s")
    parts = urlsplit(receiver.url)
    idle = [socket.create_connection((parts.hostname, parts.port)) for _ in range(12)]
    begun = time.monotonic()
    assert "nothing came" in receiver.end()[1]
    assert time.monotonic() - begun < 30
    for connection in idle:
        connection.close()


def test_a_full_disk_is_not_answered_with_200(receive: Receive, tmp_path: Path) -> None:
    """What could not be kept is answered 503, so that it is sent again, and told."""
    receiver = receive("--output-dir", str(tmp_path / "received"))
    receiver.folder.rename(receiver.folder.with_name("away"))
    assert receiver.send(BODY) == 503
    receiver.folder.with_name("away").rename(receiver.folder)
    receiver.send(BODY)
    _, messages, code = receiver.end()
    assert code == 0
    assert "cannot be written" in messages


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("-o", "talk.srt"), 2, "{id}"),
        (("-o", "{id}.xyz"), 2, "suffix"),
        (("-f", "xyz"), 2, "format"),
        (("--secret", "a/b"), 2, "--secret"),
        (("--token", ""), 2, "--token"),
        (("-o", "{id}.json"), 2, "anyway"),
        (("--output-dir", "nowhere"), 8, "mkdir"),
        (("--host", "192.0.2.1"), 2, "--port"),
    ],
)
def test_mistakes(dg: Run, args: tuple[str, ...], code: int, words: str) -> None:
    """What is invalid is refused at once, with the remedy."""
    result = dg("callbacks", *args)
    assert result.returncode == code
    assert words in result.stderr.decode()


def test_it_needs_no_extra() -> None:
    """The receiver stands on the standard library: neither the local server nor what it is made of is loaded."""
    modules = loaded("import dgcli.commands.callbacks, dgcli.tasks.callbacks")
    assert not {
        name for name in modules if name.startswith(("starlette", "uvicorn", "dgcli.server", "httpx"))
    }


def test_no_reader_is_left(environment: dict[str, str], receive: Receive) -> None:
    """When standard output breaks, bodies are still taken and kept; the exit code says it at the end."""
    receiver = receive("-f", "text", "-o", "{id}.srt")
    assert receiver.process.stdout
    receiver.process.stdout.close()
    receiver.send(BODY)
    receiver.send(BODY.replace(ID.encode(), b"another"))
    receiver.await_received("another")
    receiver.process.send_signal(signal.SIGINT)
    assert receiver.process.wait(HANGS_AFTER) == 141
    receiver.process.stdout = None  # for whoever cleans up
