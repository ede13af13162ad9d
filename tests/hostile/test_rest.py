"""What a hostile REST server can do to `dg file`: an error of ours each time, and what was paid for is kept."""

import gzip
import json
import re
import resource
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.conftest import BODY, RESPONSE, Run, dg_path
from tests.hostile.conftest import Serve
from tests.hostile.sockets import Behaviour, Peer

KEY = ("--api-key", "SECRET-KEY")


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An answer in one piece; JSON unless a header says otherwise."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    if not any(line.lower().startswith("content-type") for line in headers):
        lines.append("Content-Type: application/json")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def says(*data: bytes) -> Behaviour:
    """Read the request and say this."""

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.read_body()
        for piece in data:
            peer.send(piece)

    return behave


def then_holds(*data: bytes) -> Behaviour:
    """Read the request, say this, and keep the connection open."""

    def behave(peer: Peer) -> None:
        says(*data)(peer)
        peer.hold()

    return behave


def after_request(then: Callable[[Peer], None]) -> Behaviour:
    """Read the request, then do this."""

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.read_body()
        then(peer)

    return behave


@pytest.fixture
def ask(dg: Run, hostile: Serve, audio: Path) -> Callable[..., "subprocess.CompletedProcess[bytes]"]:
    """Run `dg file` against a server that behaves so, without second tries."""

    def run(behaviour: Behaviour, *more: str | Path) -> "subprocess.CompletedProcess[bytes]":
        server = hostile(behaviour)
        return dg("file", audio, "--base-url", server.url, *KEY, "--retries", "0", *more)

    return run


Ask = Callable[..., "subprocess.CompletedProcess[bytes]"]


def failed(result: "subprocess.CompletedProcess[bytes]", code: int, message: str) -> str:
    """What stderr says of an error of ours: this code, this message, no bug, no key, nothing on stdout."""
    stderr = result.stderr.decode()
    assert (result.returncode, result.stdout) == (code, b""), stderr
    assert "bug in dg" not in stderr
    assert "Traceback" not in stderr
    assert "SECRET" not in stderr
    assert re.search(message, " ".join(stderr.split())), stderr
    assert all(char.isprintable() or char == "\n" for char in stderr)
    return stderr


def kept(environment: dict[str, str]) -> list[bytes]:
    """The answers that were put aside."""
    folder = Path(environment["HOME"]) / ".local" / "state" / "dgcli"
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


# What is too much.


def test_gzip_that_grows(hostile: Serve, environment: dict[str, str], audio: Path) -> None:
    """3 GB of zeros in 3 MB of gzip end in an error within 2 GiB of address space, and the bytes are kept."""
    member = gzip.compress(bytes(64 << 20), 9)
    bomb = member * 48
    server = hostile(says(answer(bomb, "Content-Encoding: gzip")))
    result = subprocess.run(
        [dg_path(), "file", audio, "--base-url", server.url, *KEY, "--retries", "0"],
        env=environment, capture_output=True, timeout=100, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )  # fmt: skip
    failed(result, 4, r"The answer is larger than 256 MiB\.")
    assert any(bomb.startswith(data[:1000]) and len(data) >= len(member) for data in kept(environment))


def test_a_body_of_a_gigabyte(ask: Ask, environment: dict[str, str]) -> None:
    """A body of 1 GB is read up to the limit and not further."""
    sent = 0

    def flood(peer: Peer) -> None:
        nonlocal sent
        peer.send(answer(b"", length=1 << 30))
        for _ in range(1024):
            peer.send(b" " * (1 << 20))
            sent += 1 << 20

    failed(ask(after_request(flood)), 4, r"The answer is larger than 256 MiB\.")
    assert sent < 400 << 20
    assert any(len(data) == 256 << 20 for data in kept(environment))


def test_chunks_without_end(ask: Ask) -> None:
    """A chunked body that never ends is read up to the limit."""

    def flood(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")

    failed(ask(after_request(flood)), 4, r"The answer is larger than 256 MiB\.")


def test_a_refusal_of_a_gigabyte(ask: Ask) -> None:
    """Of the body of a refusal no more is read than can be told."""

    def flood(peer: Peer) -> None:
        peer.send(answer(b"", "dg-error: No.", status="400 Bad Request", length=1 << 30))
        while True:
            peer.send(b" " * (1 << 20))

    failed(ask(after_request(flood)), 4, r"No\. \[HTTP 400")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_json(ask: Ask, environment: dict[str, str], opening: bytes) -> None:
    """JSON as deep as 100,000 levels is no JSON for us, and is kept."""
    failed(ask(says(answer(opening * 100_000))), 4, "no JSON.*kept")
    assert any(opening * 1000 in data for data in kept(environment))


def test_short_deep_json(ask: Ask) -> None:
    """JSON that is deep and short is no answer to a callback either."""
    failed(ask(says(answer(b"[" * 990))), 4, "The answer is no JSON")


def test_a_head_of_a_megabyte(ask: Ask) -> None:
    """A head that is larger than any is refused before it fills the memory."""
    failed(
        ask(then_holds(b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20))), 5, "does not answer as a web server"
    )


def test_numbers_with_thousands_of_digits(ask: Ask) -> None:
    """A number too long to convert makes an answer no JSON."""
    failed(ask(says(answer(b'{"results": ' + b"9" * 10_000 + b"}"))), 4, "The answer is no JSON")


# What comes too late.


def test_a_dripped_body(ask: Ask) -> None:
    """A body that comes byte by byte ends by --timeout, which is for all of it."""

    def drip(peer: Peer) -> None:
        peer.send(answer(b"", length=1 << 20))
        peer.drip(lambda _: b" ")

    failed(ask(after_request(drip), "--timeout", "1"), 5, r"No answer from .* within 1 s.*--timeout")


def test_dripped_headers(ask: Ask) -> None:
    """A head that comes line by line ends by --timeout."""

    def drip(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n")
        peer.drip(lambda number: f"X-{number}: x\r\n".encode())

    failed(ask(after_request(drip), "--timeout", "1"), 5, "No answer from .* within 1 s")


def test_endless_interim_answers(ask: Ask) -> None:
    """Interim answers (1xx) without end are no answer: --timeout ends them."""
    behaviour = after_request(lambda peer: peer.drip(lambda _: b"HTTP/1.1 102 Processing\r\n\r\n"))
    failed(ask(behaviour, "--timeout", "1"), 5, "No answer from .* within 1 s")


def test_silence(ask: Ask) -> None:
    """A server that says nothing is left after --timeout."""
    failed(ask(then_holds(), "--timeout", "1"), 5, "No answer from .* within 1 s")


def test_half_a_body_and_silence(ask: Ask) -> None:
    """A server that stops in the middle of the body is left after --timeout."""
    failed(ask(then_holds(answer(BODY[:100], length=len(BODY))), "--timeout", "1"), 5, "within 1 s")


# Refusals during an upload.


def refusing_early(peer: Peer) -> None:
    """Refuse after the first bytes of the body, read no more, and keep the connection open."""
    peer.read_head()
    peer.read_body(1000)
    body = b'{"err_code": "ASR_PAYMENT_REQUIRED", "err_msg": "No credits.", "request_id": "r-402"}'
    peer.send(answer(body, status="402 Payment Required"))
    peer.hold()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An MP3, by its name and its first bytes, that no socket buffer holds."""
    path = tmp_path / "large.mp3"
    with path.open("wb") as file:
        file.write(b"ID3\x04\0\0\0\0\0\0")
        file.truncate(64 << 20)
    return path


def test_a_refusal_during_the_upload(dg: Run, hostile: Serve, large: Path) -> None:
    """A refusal is seen while the upload is under way, though the server reads no more and does not close."""
    server = hostile(refusing_early)
    result = dg("file", large, "--base-url", server.url, *KEY, "--retries", "0")
    failed(result, 4, r"No credits\. \[HTTP 402, ASR_PAYMENT_REQUIRED, request r-402\]")


def test_a_refusal_during_the_upload_over_tls(dg: Run, hostile: Serve, large: Path, tmp_path: Path) -> None:
    """The same over TLS 1.3, whose session tickets are no answer."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = hostile(refusing_early, tls=context)
    result = dg(
        "file", large, "--base-url", server.url, *KEY, "--retries", "0", "--ca-cert", tmp_path / "ca.pem"
    )
    failed(result, 4, r"No credits\. \[HTTP 402")


def test_interim_answers_during_the_upload(dg: Run, hostile: Serve, large: Path) -> None:
    """Interim answers while the audio is uploaded do not end it."""

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.read_body(1000)
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Proc")
        peer.send(b"essing\r\nX: y\r\n\r\n")
        peer.read_body()
        peer.send(answer(BODY))

    result = dg("file", large, "--base-url", hostile(behave).url, *KEY, "--retries", "0")
    assert (result.returncode, result.stdout) == (0, b"Call Maria at noon.\n"), result.stderr


def test_rubbish_during_the_upload(dg: Run, hostile: Serve, large: Path) -> None:
    """What is no HTTP at all, during the upload, is named at once."""

    def behave(peer: Peer) -> None:
        peer.read_head()
        peer.read_body(1000)
        peer.send(b"220 mail.example.com ESMTP ready\r\n")
        peer.hold()

    result = dg("file", large, "--base-url", hostile(behave).url, *KEY, "--retries", "0")
    failed(result, 5, "does not answer as a web server does")


# What is no HTTP, or only nearly.


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"220 mail.example.com ESMTP\r\n\r\n", "does not answer as a web server", id="smtp"),
        pytest.param(b"\x16\x03\x01\x02\x00", "broke off|does not answer", id="tls"),
        pytest.param(b"", "broke off", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", "broke off", id="half-a-head"),
        pytest.param(answer(BODY[:50], length=5000), "broke off", id="half-a-body"),
        pytest.param(answer(b"{}", "Content-Length: 3"), "does not answer as a web server", id="two-lengths"),
        pytest.param(answer(b"", length=-5), "does not answer as a web server", id="negative-length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "does not answer", id="bad-chunk"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\n{",
            "does not answer|broke off", id="endless-chunk",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n: x\r\n\r\n", "does not answer as a web server", id="nameless-header"),
    ],
)  # fmt: skip
def test_what_is_no_http(ask: Ask, data: bytes, message: str) -> None:
    """What is no HTTP, or breaks off, is a network error."""
    failed(ask(says(data)), 5, message)


# Answers that are none.


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "no JSON", id="empty"),
        pytest.param(b"null", "no transcript", id="null"),
        pytest.param(b"[]", "no transcript", id="list"),
        pytest.param(b'"results"', "no transcript", id="text"),
        pytest.param(b'{"results": {"channels": "none"}}', "no transcript", id="channels-text"),
        pytest.param(BODY[:-20], "no JSON", id="truncated"),
        pytest.param(b"\xff\xfe{\x00", "no JSON", id="half-utf-16"),
        pytest.param(BODY + b"{}", "no JSON", id="two-documents"),
    ],
)
def test_what_is_no_transcript(ask: Ask, environment: dict[str, str], body: bytes, message: str) -> None:
    """A success without a transcript is an API error, and its body is kept."""
    failed(ask(says(answer(body))), 4, message)
    assert not body or any(body in data for data in kept(environment))


def _channels(value: object) -> bytes:
    return json.dumps({"metadata": {"request_id": "r-1"}, "results": {"channels": value}}).encode()


def _alternatives(value: object) -> bytes:
    return _channels([{"alternatives": value}])


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(_channels([None]), r"channels\[0\]", id="null-channel"),
        pytest.param(_alternatives(None), r"channels\[0\].alternatives", id="null-alternatives"),
        pytest.param(_alternatives([5]), r"alternatives\[0\]", id="number-alternative"),
        pytest.param(_alternatives([{"words": {}}]), r"alternatives\[0\].words", id="words-object"),
        pytest.param(_alternatives([{"words": ["a", "b"]}]), r"words\[0\] and 1 more", id="words-texts"),
        pytest.param(
            _alternatives([{"words": [{"start": 1}]}]), r"words\[0\].word", id="words-without-words"
        ),
        pytest.param(_alternatives([{"transcript": ["a"], "words": []}]), "transcript", id="transcript-list"),
    ],
)
def test_a_malformed_answer_is_not_silence(
    ask: Ask, dg: Run, environment: dict[str, str], tmp_path: Path, body: bytes, place: str
) -> None:
    """Where no word can be read, that is an API error which names the place; the body is kept, and read no better."""
    stderr = failed(ask(says(answer(body))), 4, f"answer is malformed.*{place}.*request r-1")
    assert "no speech" not in stderr
    assert any(body in data for data in kept(environment))
    (tmp_path / "kept.json").write_bytes(body)
    failed(dg("render", tmp_path / "kept.json", "-f", "srt"), 4, "answer is malformed")


def test_a_malformed_answer_in_a_batch(
    dg: Run, hostile: Serve, environment: dict[str, str], audio: Path, tmp_path: Path
) -> None:
    """A recording whose answer has nothing that can be read failed: it is not taken for one without speech."""
    other = tmp_path / "other.wav"
    other.write_bytes(audio.read_bytes() + b"\0\0")
    server = hostile(*[_closing(says(answer(body))) for body in (_alternatives(None), BODY)])
    out = tmp_path / "out"
    arguments = ("-f", "text", "--output-dir", out, "--jobs", "1", "--retries", "0")
    result = dg("file", audio, other, "--base-url", server.url, *KEY, *arguments)
    assert result.returncode == 7, result.stderr
    assert b"answer is malformed" in result.stderr
    assert b"no speech" not in result.stderr
    assert len(list(out.glob("*.txt"))) == 1
    assert any(_alternatives(None) in data for data in kept(environment))


def test_damaged_gzip(ask: Ask, environment: dict[str, str]) -> None:
    """Gzip that is damaged in the middle is an error, and its bytes are kept as they came."""
    data = bytearray(gzip.compress(BODY))
    data[20:40] = bytes(20)
    failed(ask(says(answer(bytes(data), "Content-Encoding: gzip"))), 4, "cannot be decompressed.*kept")
    assert any(bytes(data) in body for body in kept(environment))


def test_truncated_gzip(ask: Ask, environment: dict[str, str]) -> None:
    """Gzip whose end is missing is an error, and its bytes are kept."""
    data = gzip.compress(BODY)[:-30]
    failed(ask(says(answer(data, "Content-Encoding: gzip"))), 4, "damaged")
    assert any(data in body for body in kept(environment))


def test_a_compression_that_nobody_asked_for(ask: Ask, environment: dict[str, str]) -> None:
    """A coding that was not offered is an error, and the bytes are kept."""
    failed(ask(says(answer(b"\x0b\x02\x80", "Content-Encoding: br"))), 4, "not asked for: 'br'")
    assert any(b"\x0b\x02\x80" in body for body in kept(environment))


def test_gzip_in_two_members(ask: Ask) -> None:
    """Gzip may consist of several members: together they are the answer."""
    data = gzip.compress(BODY[:100]) + gzip.compress(BODY[100:])
    assert ask(says(answer(data, "Content-Encoding: gzip"))).stdout == b"Call Maria at noon.\n"


@pytest.mark.parametrize("charset", ["hex", "base64", "zip", "nosuch", "utf-7", '"'])
def test_a_charset_that_is_none(ask: Ask, charset: str) -> None:
    """JSON is UTF-8, whatever the server calls it: an answer is read, and so is a refusal."""
    kind = f"Content-Type: application/json; charset={charset}"
    assert ask(says(answer(BODY, kind))).stdout == b"Call Maria at noon.\n"
    failed(ask(says(answer(b'{"err_msg": "No."}', kind, status="400 Bad Request"))), 4, r"No\.")


# Transcripts with impossible values.

_FORMATS = ("-o", "x.json", "-o", "x.srt", "-o", "x.vtt", "-o", "x.md", "-o", "x.html", "-o", "x.csv",
            "-o", "x.words.jsonl")  # fmt: skip
_WRONG: list[object] = [
    "12", "abc", None, True, [], {}, [[1]], -1, -1e300, 1e308, 10**400, float("nan"), float("inf"), "\ud800", 2**63,
]  # fmt: skip
_FIELDS = ("start", "end", "confidence", "speaker", "word", "punctuated_word", "language")


def impossible(wrong: object) -> bytes:
    """A response with this value in the place of every value there is, one after the other, in many words."""
    response = json.loads(json.dumps(RESPONSE))
    word = {"word": "a", "punctuated_word": "A.", "start": 1.0, "end": 2.0, "confidence": 0.5, "speaker": 0}
    words = [{**word, field: wrong} for field in _FIELDS] + [wrong, {}]
    channel = response["results"]["channels"][0]
    alternative = channel["alternatives"][0]
    alternative["words"] += words
    alternative["confidence"] = wrong
    alternative["paragraphs"] = {"transcript": wrong, "paragraphs": [
        {"sentences": [{"text": wrong, "start": wrong, "end": wrong}, wrong], "num_words": wrong, "speaker": wrong,
         "start": wrong, "end": wrong}, wrong]}  # fmt: skip
    alternative["summaries"] = alternative["entities"] = alternative["topics"] = wrong
    channel["search"] = [
        {"query": wrong, "hits": [{"confidence": wrong, "start": wrong, "snippet": wrong}, wrong]}
    ]
    channel["detected_language"] = wrong
    response["results"]["channels"].append(wrong)
    response["results"]["utterances"] = [
        {"start": wrong, "end": wrong, "channel": 0, "speaker": wrong, "transcript": wrong, "words": words}, wrong,
        {"start": 1.0, "end": 2.0, "channel": 0 if isinstance(wrong, int) else wrong, "transcript": "A.",
         "words": words},
    ]  # fmt: skip
    response["results"]["summary"] = {"result": wrong, "short": wrong}
    for name in ("topics", "intents", "sentiments"):
        response["results"][name] = {"segments": [
            {"text": wrong, "start_word": wrong, "end_word": wrong, name: [{"topic": wrong, "confidence_score": wrong}],
             "sentiment": wrong, "sentiment_score": wrong}, wrong], "average": wrong}  # fmt: skip
    response["metadata"] = {"request_id": wrong, "duration": wrong, "channels": wrong, "created": wrong,
                            "warnings": [wrong, {"message": wrong}], "models": wrong, "model_info": wrong}  # fmt: skip
    return json.dumps(response).encode()


@pytest.mark.parametrize(
    "wrong", _WRONG, ids=lambda value: str(value)[:8].encode("ascii", "replace").decode()
)
def test_impossible_values(ask: Ask, dg: Run, wrong: object) -> None:
    """A wrong type or number in the place of any value costs no transcript: every format is written."""
    result = ask(says(answer(impossible(wrong))), *_FORMATS)
    assert result.returncode == 0, result.stderr
    assert b"bug in dg" not in result.stderr


def test_deep_json_beside_the_words(ask: Ask) -> None:
    """What is deep and valid beside the transcript does not hinder any format."""
    deep = b"[" * 900 + b"]" * 900
    body = BODY.rstrip()[:-1] + b', "more": ' + deep + b"}"
    result = ask(says(answer(body)), *_FORMATS)
    assert result.returncode == 0 or b"no JSON" in result.stderr, result.stderr
    assert b"bug in dg" not in result.stderr


# What is said to a terminal, and to others.


def test_escape_sequences_in_a_refusal(ask: Ask) -> None:
    """What a server says is shown without control characters, wherever it says it."""
    body = json.dumps(
        {"err_code": "\x1b[31mX", "err_msg": "a\x1b]0;evil\x07b\u202ec", "request_id": "\x9b31m"}
    )
    stderr = failed(ask(says(answer(body.encode(), status="400 Bad Request"))), 4, "a.*b.*c")
    assert "\x1b" not in stderr


def test_a_redirect_gets_no_key(dg: Run, hostile: Serve, audio: Path) -> None:
    """A redirect is refused, and who it leads to sees no request."""
    other = hostile(says(answer(BODY)))
    server = hostile(says(answer(b"", f"Location: {other.url}/v1/listen", status="307 Temporary Redirect")))
    failed(dg("file", audio, "--base-url", server.url, *KEY), 4, "redirects to .*--base-url")
    assert other.heads == []


@pytest.mark.parametrize("wait", ["nan", "-5", "1e9", "99999999999999999999", "Thu, 99 Foo 2026", "\xff"])
def test_a_retry_after_that_is_none(ask: Ask, wait: str) -> None:
    """A Retry-After that says nothing usable, or a year, does not hold the run."""
    behaviour = says(answer(b"{}", f"Retry-After: {wait}", status="429 Too Many Requests"))
    failed(ask(behaviour), 4, "Too many requests")


def test_switching_protocols(ask: Ask) -> None:
    """An answer 101 that nobody asked for is no transcript."""
    behaviour = then_holds(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
    assert ask(behaviour, "--timeout", "2").returncode in (4, 5)


def test_an_unread_answer_is_not_the_next_one(dg: Run, hostile: Serve, audio: Path, tmp_path: Path) -> None:
    """A second answer that nobody asked for is not taken for that of the next recording."""
    other = tmp_path / "other.wav"
    other.write_bytes(audio.read_bytes() + b"\0\0")
    evil = BODY.replace(b"Maria", b"Eve")
    server = hostile(says(answer(BODY) + answer(evil)), says(answer(BODY)))
    result = dg(
        "file", audio, other, "--base-url", server.url, *KEY, "--jobs", "1", "-f", "text",
        "--output-dir", tmp_path / "out", "--retries", "2",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert {path.read_text() for path in (tmp_path / "out").glob("*.txt")} == {"Call Maria at noon.\n"}


# A batch goes on.


def test_a_batch_goes_on(dg: Run, hostile: Serve, audio: Path, tmp_path: Path) -> None:
    """Whatever happens to some recordings, the others of a batch are transcribed, and the batch ends."""

    def drip(peer: Peer) -> None:
        peer.send(answer(b"", length=1 << 20))
        peer.drip(lambda _: b" ")

    behaviours = [
        says(answer(gzip.compress(bytes(64 << 20)) * 5, "Content-Encoding: gzip")),
        says(answer(b"[" * 100_000)),
        after_request(drip),
        says(answer(b"not gzip", "Content-Encoding: gzip")),
        says(answer(b"{}", "Content-Encoding: br")),
        says(answer(b'{"err_msg": "No."}', "Content-Type: application/json; charset=hex", status="400 Bad")),
        says(answer(b"", length=-5)),
        says(b"\0\0\0"),
        says(answer(impossible("abc"))),
        says(answer(BODY)),
    ]
    server = hostile(*[_closing(behaviour) for behaviour in behaviours])
    names = []
    for number in range(len(behaviours)):
        names.append(tmp_path / f"talk{number}.wav")
        names[-1].write_bytes(audio.read_bytes() + bytes(2 * number))
    result = dg(
        "file", *names, "--base-url", server.url, *KEY, "--jobs", "2", "--retries", "0", "--timeout", "3",
        "-f", "text", "--output-dir", tmp_path / "out",
    )  # fmt: skip
    assert result.returncode == 7, result.stderr
    assert b"bug in dg" not in result.stderr
    assert len(list((tmp_path / "out").glob("*.txt"))) == 2


def _closing(behaviour: Behaviour) -> Behaviour:
    """Close the connection afterwards, so that each behaviour is met once."""

    def behave(peer: Peer) -> None:
        behaviour(peer)
        peer.sock.close()

    return behave
