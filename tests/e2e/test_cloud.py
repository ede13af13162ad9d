"""Recordings in S3: signed for the API where that can be, streamed where it cannot; against moto's server."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.batch.conftest import audio
from tests.batch.conftest import batch_server as batch_server
from tests.batch.server import BatchServer, text_of
from tests.conftest import Run

pytest.importorskip("s3fs")
boto3 = pytest.importorskip("boto3")

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server of S3's protocol on a free port, with a bucket of three recordings and a text; its URL."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="testing", aws_secret_access_key="testing",
        region_name="us-east-1",
    )  # fmt: skip
    client.create_bucket(Bucket="calls")
    for number, key in enumerate(("day1/a.wav", "day1/b.wav", "day2/a.wav")):
        client.put_object(Bucket="calls", Key=key, Body=audio(number))
    client.put_object(Bucket="calls", Key="day1/notes.txt", Body=b"text")
    yield url
    server.stop()


@pytest.fixture
def cloud(s3: str) -> dict[str, str]:
    """The environment that points at the server."""
    return {**KEYS, "AWS_ENDPOINT_URL": s3}


def test_signed(dg: Run, batch_server: BatchServer, cloud: dict[str, str], s3: str) -> None:
    """The API is given a signed URL, which fetches the audio; no audio passes through, and no signature is told."""
    result = dg("url", "s3://calls/day1/a.wav", "--base-url", batch_server.url, "-v", env=cloud)
    assert result.returncode == 0, result.stderr
    (body,) = batch_server.posts
    sent = json.loads(body)["url"]
    assert urlsplit(sent).query
    with urlopen(sent) as answer:
        assert answer.read() == audio(0)
    assert result.stdout.decode() == text_of(body) + "\n"
    assert b"Signature" not in result.stderr


def test_a_folder(dg: Run, tmp_path: Path, batch_server: BatchServer, cloud: dict[str, str]) -> None:
    """A folder gives its recordings, mirrored below --output-dir; a second run sends nothing."""
    command = ["file", "-r", "s3://calls/", "--output-dir", "out", "--base-url", batch_server.url]
    result = dg(*command, env=cloud)
    assert result.returncode == 0, result.stderr
    out = tmp_path / "work" / "out"
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.txt")) == [
        "day1/a.txt", "day1/b.txt", "day2/a.txt",
    ]  # fmt: skip
    assert batch_server.requests == 3
    kept = b"".join(path.read_bytes() for path in out.rglob("*.response"))
    assert b"Signature" not in kept
    again = dg(*command, env=cloud)
    assert b"3  skipped" in again.stderr
    assert batch_server.requests == 3


def test_changed_object(dg: Run, batch_server: BatchServer, cloud: dict[str, str], s3: str) -> None:
    """An object with other content is sent again; patterns name objects."""
    client = boto3.client("s3", endpoint_url=s3, aws_access_key_id="testing", aws_secret_access_key="testing",
                          region_name="us-east-1")  # fmt: skip
    client.put_object(Bucket="calls", Key="more/x.wav", Body=audio(7))
    command = [
        "url",
        "s3://calls/more/*.wav",
        "-f",
        "srt",
        "--output-dir",
        "out",
        "--base-url",
        batch_server.url,
    ]
    for _ in range(2):
        assert dg(*command, env=cloud).returncode == 0
    assert batch_server.requests == 1
    client.put_object(Bucket="calls", Key="more/x.wav", Body=audio(8))
    assert dg(*command, env=cloud).returncode == 0
    assert batch_server.requests == 2


def test_missing_object(dg: Run, batch_server: BatchServer, cloud: dict[str, str]) -> None:
    """An object that is not there is an input error, told before anything is sent."""
    result = dg("url", "s3://calls/nothing.wav", "--base-url", batch_server.url, env=cloud)
    assert result.stderr == b"dg: error: There is no object s3://calls/nothing.wav.\n"
    assert result.returncode == 6
    assert batch_server.requests == 0


def test_streamed(monkeypatch: pytest.MonkeyPatch, s3: str, batch_server: BatchServer) -> None:
    """What cannot be signed is streamed: an upload that can be sent again, with its size and type."""
    from dgcli.api.client import Client
    from dgcli.audio import cloud
    from dgcli.config import Config

    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3}.items():
        monkeypatch.setitem(os.environ, name, value)
    with cloud.opened("s3://calls/day1/b.wav") as upload:
        assert (upload.size, upload.media_type) == (len(audio(1)), "audio/wav")
        assert b"".join(upload.blocks()) == b"".join(upload.blocks()) == audio(1)
        with Client(Config(base_url=batch_server.url), report=print) as client:
            client.transcribe_file(upload, "", progress=lambda sent: None)
    assert list(batch_server.posts) == [audio(1)]


def test_anonymous_is_streamed(dg: Run, batch_server: BatchServer, s3: str) -> None:
    """Without credentials nothing can be signed: a public object is read here and uploaded."""
    client = boto3.client("s3", endpoint_url=s3, aws_access_key_id="testing", aws_secret_access_key="testing",
                          region_name="us-east-1")  # fmt: skip
    client.put_object(Bucket="calls", Key="public.wav", Body=audio(9), ACL="public-read")
    env = {"AWS_ENDPOINT_URL": s3, "FSSPEC_S3_ANON": "true", "AWS_DEFAULT_REGION": "us-east-1"}
    result = dg("url", "s3://calls/public.wav", "--base-url", batch_server.url, env=env)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode() == text_of(next(iter(batch_server.posts))) + "\n"
