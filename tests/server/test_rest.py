"""POST /v1/listen and its neighbours over real sockets, with the replay engine."""

import asyncio
import gzip
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Start = Callable[..., str]


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()
    assert body["request_id"] == response.headers["dg-request-id"]
    assert response.headers["dg-error"] == body["err_msg"]
    return response.status_code, body["err_code"], body["err_msg"]


def test_replay_answers_with_the_saved_bytes(start: Start, client: httpx.Client, response_file: Path) -> None:
    """The saved response comes back byte for byte, with the API's headers."""
    answer = client.post(f"{start()}/v1/listen", content=b"anything")
    assert answer.content == response_file.read_bytes()
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        answer.headers["dg-request-id"],
    )
    assert answer.headers["dg-project-id"]


def test_compressed_when_asked(start: Start, response_file: Path) -> None:
    """gzip is used for a client that accepts it, and only then."""
    url = start()
    with httpx.Client(headers={"accept-encoding": "identity"}) as client:
        assert "content-encoding" not in client.post(f"{url}/v1/listen", content=b"x").headers
        with client.stream(
            "POST", f"{url}/v1/listen", content=b"x", headers={"accept-encoding": "gzip"}
        ) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            assert gzip.decompress(b"".join(answer.iter_raw())) == response_file.read_bytes()


def test_an_empty_body_is_no_audio(start: Start, client: httpx.Client) -> None:
    """Nothing at all is refused like anything else that is no audio."""
    assert error_of(client.post(f"{start()}/v1/listen")) == (
        400,
        "Bad Request",
        "Bad Request: failed to process audio: corrupt or unsupported data",
    )


@pytest.mark.parametrize("header", [None, "Token wrong", "Basic secret", "secret", "Token"])
def test_a_key_is_required(start: Start, client: httpx.Client, header: str | None) -> None:
    """With require_key, a missing or other key is 401 INVALID_AUTH."""
    headers = {"authorization": header} if header else {}
    answer = client.post(f"{start(require_key='secret')}/v1/listen", content=b"x", headers=headers)
    assert error_of(answer) == (401, "INVALID_AUTH", "Invalid credentials.")


@pytest.mark.parametrize("header", ["Token secret", "token secret", "Bearer secret"])
def test_the_right_key_is_served(start: Start, client: httpx.Client, header: str) -> None:
    """Token (in any case) and Bearer both carry the key."""
    answer = client.post(
        f"{start(require_key='secret')}/v1/listen", content=b"x", headers={"authorization": header}
    )
    assert answer.status_code == 200


def test_bad_query_is_refused(start: Start, client: httpx.Client) -> None:
    """A refusal of the query reaches the client with its code and header."""
    status, code, message = error_of(client.post(f"{start()}/v1/listen?punctuate=yes", content=b"x"))
    assert (status, code) == (400, "INVALID_QUERY_PARAMETER")
    assert "punctuate" in message


def test_other_methods_and_paths(start: Start, client: httpx.Client) -> None:
    """GET is 405 and an unknown path 404, both with a request id."""
    url = start()
    assert error_of(client.get(f"{url}/v1/listen"))[0] == 405
    assert error_of(client.post(f"{url}/v1/nowhere", content=b"x"))[0] == 404


def test_models(start: Start, client: httpx.Client) -> None:
    """The model that runs is listed, and found by its id and name."""
    url = start()
    listed = client.get(f"{url}/v1/models").json()
    assert listed["tts"] == []
    assert listed["stt"][0]["name"] == "general-nova-3"
    assert client.get(f"{url}/v1/models/u-1").json().items() >= listed["stt"][0].items()
    assert client.get(f"{url}/v1/models/none").status_code == 404


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"url": 5}', b"\xff"])
def test_json_must_name_a_url(start: Start, client: httpx.Client, body: bytes) -> None:
    """A JSON body that is not {"url": ...} has the API's message."""
    answer = client.post(
        f"{start()}/v1/listen", content=body, headers={"content-type": "application/json; charset=utf-8"}
    )
    assert error_of(answer) == (
        400,
        "Bad Request",
        "Content-type was application/json, but we could not process the JSON payload.",
    )


def test_chunked_upload(start: Start, client: httpx.Client, tmp_path: Path) -> None:
    """A body without Content-Length arrives whole."""
    folder = tmp_path / "kept"
    blocks = [bytes([n]) * 70_000 for n in range(40)]
    answer = client.post(f"{start(record=folder)}/v1/listen", content=iter(blocks))
    assert answer.status_code == 200
    kept = folder / f"{answer.headers['dg-request-id']}.audio"
    assert kept.read_bytes() == b"".join(blocks)


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large(start: Start, client: httpx.Client, chunked: bool) -> None:
    """More than the limit is 413, and the client that is still sending can read it."""
    body = b"x" * 3_000_000
    content: Any = (body[n : n + 65536] for n in range(0, len(body), 65536)) if chunked else body
    answer = client.post(f"{start(max_bytes=1_000_000)}/v1/listen", content=content)
    assert error_of(answer)[:2] == (413, "PAYLOAD_TOO_LARGE")


def test_a_refusal_comes_before_the_upload_ends(start: Start) -> None:
    """A client that listens while it sends gets the answer at once, not after its gigabytes."""
    host, port = start(require_key="secret").removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as sock:
        sock.sendall(b"POST /v1/listen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nabc")
        assert sock.recv(100).startswith(b"HTTP/1.1 401")


def test_expecting_clients_are_not_told_to_go_on(start: Start) -> None:
    """A refused client that waits for 100 Continue gets the refusal instead."""
    host, port = start(require_key="secret").removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as sock:
        sock.sendall(
            b"POST /v1/listen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n"
        )
        received = b""
        while block := sock.recv(4096):
            received += block
    assert received.startswith(b"HTTP/1.1 401")


def test_recording(start: Start, client: httpx.Client, tmp_path: Path) -> None:
    """Audio, query and headers are kept, readable by their owner alone and without the key."""
    folder = tmp_path / "deep" / "kept"
    url = start(record=folder, require_key="hunter2")
    answer = client.post(
        f"{url}/v1/listen?tag=a&tag=b",
        content=b"the audio",
        headers={"authorization": "Token hunter2", "x-mine": "yes"},
    )
    files = sorted(folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    facts = json.loads((folder / f"{answer.headers['dg-request-id']}.json").read_text())
    assert (folder / facts["audio"]).read_bytes() == b"the audio"
    assert (facts["query"], facts["bytes"], facts["headers"]["x-mine"]) == ("tag=a&tag=b", 9, "yes")
    assert not any(b"hunter2" in path.read_bytes() for path in files)


def test_callback_answers_at_once_and_delivers_with_retries(start: Start, client: httpx.Client) -> None:
    """The request id comes first; the result follows with dg-token, again after an answer that is not 2xx."""

    async def receive(
        url_of: Callable[[int], str],
    ) -> tuple[httpx.Response, list[tuple[str, dict[str, str], bytes]]]:
        seen: list[tuple[str, dict[str, str], bytes]] = []
        done = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
            seen.append((first, headers, await reader.readexactly(int(headers["content-length"]))))
            status = b"500 No" if len(seen) < 3 else b"204 Fine"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()
            if len(seen) == 3:
                done.set()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            response = await asyncio.to_thread(client.post, url_of(port), content=b"x")
            async with asyncio.timeout(20):
                await done.wait()
        return response, seen

    url = start(callback_retry_delay=0.01)
    response, seen = asyncio.run(
        receive(
            lambda port: (
                f"{url}/v1/listen?callback=http://u:p@127.0.0.1:{port}/done%3Fa%3Db&callback_method=put"
            )
        )
    )
    assert response.json() == {"request_id": response.headers["dg-request-id"]}
    assert [first for first, _, _ in seen] == ["PUT /done?a=b HTTP/1.1"] * 3
    assert seen[2][1]["dg-token"]
    assert seen[2][1]["authorization"] == "Basic dTpw"
    assert json.loads(seen[2][2])["metadata"]["duration"] == 3.2
