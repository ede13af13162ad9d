"""The REST caller against a real server: back-off, waits that servers ask for, and uploads."""

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dgcli.api.client import Client
from dgcli.audio.upload import Upload
from dgcli.config import Config
from dgcli.errors import ApiError, AudioError, NetworkError
from tests.conftest import BODY, Reply, ScriptedServer, error


def upload(data: bytes = b"RIFF-audio", size: int | None = None) -> Upload:
    """An upload from memory."""
    return Upload(io.BytesIO(data), len(data) if size is None else size, "audio/wav")


def client(server: ScriptedServer, told: list[str] | None = None, **settings: object) -> Client:
    """A client of the scripted server that backs off for milliseconds."""
    config = Config(base_url=server.url, **settings)  # type: ignore[arg-type]  # whatever a test wants
    return Client(config, report=(told if told is not None else []).append, wait_initial=0.001)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_retried(server: ScriptedServer, status: int) -> None:
    """Each status that may pass is tried again, with the whole upload, and told."""
    server.script = [Reply(status, b""), Reply(status, b""), Reply()]
    told: list[str] = []
    with client(server, told) as caller:
        answer = caller.transcribe_file(upload(), "model=nova-3", progress=lambda _: None)
    assert (answer.body, answer.attempts) == (BODY, 3)
    assert [seen.body for seen in server.seen] == [b"RIFF-audio"] * 3
    assert len(told) == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 411, 413, 414, 415, 501])
def test_lasting_failures_are_not(server: ScriptedServer, status: int) -> None:
    """Each status that will not pass is final at once."""
    server.script = [error(status, "CODE", "No.")]
    with client(server) as caller, pytest.raises(ApiError if status not in (401, 403) else Exception):
        caller.transcribe_url("https://example.com/a.wav", "")
    assert len(server.seen) == 1


def test_422_is_repeated_once(server: ScriptedServer) -> None:
    """An upload that the server could not read whole is sent a second time, and not a third."""
    cut = error(422, "ASR_UNPROCESSABLE_ENTITY", "Unable to read the entire client request.")
    server.script = [cut, Reply()]
    with client(server) as caller:
        assert caller.transcribe_file(upload(), "", progress=lambda _: None).attempts == 2
    server.script = [cut]
    told: list[str] = []
    with client(server, told) as caller, pytest.raises(ApiError) as caught:
        caller.transcribe_file(upload(), "", progress=lambda _: None)
    assert caught.value.message == "Unable to read the entire client request. (Tried 2 times.)"
    assert (len(server.seen), len(told)) == (4, 1)


def test_a_wait_without_end_costs_no_answer(server: ScriptedServer) -> None:
    """A number beyond every clock, in a success or a refusal, is read without harm."""
    endless = {"retry-after-ms": "1" + "0" * 400}
    server.script = [Reply(200, BODY, endless)]
    with client(server) as caller:
        assert caller.transcribe_file(upload(), "", progress=lambda _: None).body == BODY
    server.script = [error(503, "BUSY", "Later.", **endless)]
    with client(server) as caller, pytest.raises(ApiError, match=r"Later\."):
        caller.transcribe_url("https://example.com/a.wav", "")
    assert len(server.seen) == 2


def test_connection_lost_is_retried(server: ScriptedServer) -> None:
    """An answer that breaks off is asked for again."""
    server.script = [Reply(cut=True), Reply()]
    with client(server) as caller:
        assert caller.transcribe_file(upload(), "", progress=lambda _: None).attempts == 2


def test_no_answer_is_not_retried(server: ScriptedServer) -> None:
    """A server that takes longer than the timeout is given up: what it computes was already paid for."""
    server.script = [Reply(read=1)]
    with client(server, timeout=0.2) as caller, pytest.raises(NetworkError, match=r"within 0\.2 s"):
        caller.transcribe_file(upload(), "", progress=lambda _: None)


@pytest.mark.parametrize("way", ["seconds", "date", "milliseconds", "rate limit"])
def test_a_wait_that_is_too_long(server: ScriptedServer, way: str) -> None:
    """A server that asks for ten minutes, in whichever way, is not waited for."""
    header = {
        "seconds": {"Retry-After": "600"},
        "date": {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(minutes=10))},
        "milliseconds": {"retry-after-ms": "600000"},
        "rate limit": {"X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp()) + 600)},
    }[way]
    server.script = [error(429, "TOO_MANY_REQUESTS", "Slow down.", **header)]
    with client(server) as caller, pytest.raises(ApiError, match="Slow down"):
        caller.transcribe_url("https://example.com/a.wav", "")
    assert len(server.seen) == 1


@pytest.mark.parametrize("header", [{"Retry-After": "soon"}, {"Retry-After": "-5"}, {"retry-after-ms": "x"}])
def test_a_wait_that_makes_no_sense(server: ScriptedServer, header: dict[str, str]) -> None:
    """A wait that is neither a number nor a date is as if it were not there."""
    server.script = [error(429, "TOO_MANY_REQUESTS", "Slow down.", **header), Reply()]
    with client(server) as caller:
        assert caller.transcribe_url("https://example.com/a.wav", "").attempts == 2


def test_progress(server: ScriptedServer) -> None:
    """Progress counts bytes up to the size, and from 0 again at another try."""
    server.script = [Reply(503, b""), Reply()]
    told: list[int] = []
    with client(server) as caller:
        caller.transcribe_file(upload(b"x" * (3 << 20)), "", progress=told.append)
    once = [0, 1 << 20, 2 << 20, 3 << 20]
    assert told == once * 2


def test_file_that_shrinks(server: ScriptedServer) -> None:
    """A file that becomes shorter while it is sent is an input error, never a silent half."""
    with client(server) as caller, pytest.raises(AudioError, match="became shorter"):
        caller.transcribe_file(upload(b"x" * 100, size=200), "", progress=lambda _: None)


def test_compressed_answer(server: ScriptedServer) -> None:
    """A compressed answer is given back as the server wrote it before compressing."""
    import gzip

    server.script = [Reply(200, gzip.compress(BODY), {"Content-Encoding": "gzip"})]
    with client(server) as caller:
        assert caller.transcribe_url("https://example.com/a.wav", "").body == BODY


def test_damaged_compression(server: ScriptedServer) -> None:
    """An answer that cannot be decompressed is an error that holds its bytes, not a traceback."""
    server.script = [Reply(200, b"not gzip", {"Content-Encoding": "gzip"})]
    with client(server) as caller, pytest.raises(ApiError, match="cannot be decompressed") as caught:
        caller.transcribe_url("https://example.com/a.wav", "")
    assert caught.value.body == b"not gzip"
