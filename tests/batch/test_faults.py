"""Batches under everything that goes wrong: killed, refused, interrupted, out of room."""

import json
import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgcli.batch.pace import SharedPace, Stopped
from tests.batch.conftest import Corpus, audio, expected, transcripts
from tests.batch.server import BatchServer, answer_to, text_of
from tests.conftest import HANGS_AFTER, Reply, Run, ScriptedServer, dg_path

pytestmark = pytest.mark.slow

Environment = dict[str, str]


def start(environment: Environment, work: Path, *args: str, **settings: object) -> "subprocess.Popen[bytes]":
    """`dg` in its folder, to be killed or interrupted."""
    return subprocess.Popen(  # type: ignore[call-overload]  # of Popen
        [dg_path(), *args], env=environment, cwd=work, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_killed_and_run_again(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, dg: Run, seed: int
) -> None:
    """However often a run is killed, the next goes on: no half file ever, all is right at the end, and a
    recording is sent again only if its own answer was under way when the process died."""
    chance = random.Random(seed)
    recordings = corpus(40)
    work = tmp_path / "work"
    command = ["file", "-r", "corpus", "--output-dir", "out", "-f", "text", "--base-url", batch_server.url]
    right = expected(recordings)
    lost: dict[bytes, int] = dict.fromkeys(recordings.values(), 0)
    kills = 0
    while kills < 8:
        process = start(environment, work, *command)
        first = batch_server.requests
        moment = first + chance.randint(1, 8)

        def kill(number: int, process: "subprocess.Popen[bytes]" = process, moment: int = moment) -> None:
            if number == moment:
                process.kill()

        batch_server.before, batch_server.after = chance.choice(
            [(kill, lambda number: None), (lambda number: None, kill)]
        )
        process.communicate(timeout=HANGS_AFTER)
        if process.returncode == 0:
            break
        kills += 1
        assert process.returncode == -signal.SIGKILL
        batch_server.settle()  # a body that was under way may be read, and counted, after its sender died
        done = transcripts(work / "out")
        assert done.items() <= right.items()  # whole and right, or not there
        kept = b"".join(path.read_bytes() for path in (work / "out").rglob("*.ledger"))
        for body, count in batch_server.posts.items():
            lost[body] = count - (answer_to(body) in kept)
    batch_server.before = batch_server.after = lambda number: None
    result = dg(*command)
    assert result.returncode == 0, result.stderr
    assert transcripts(work / "out") == right
    assert kills > 2
    assert all(batch_server.posts[body] <= 1 + lost[body] for body in recordings.values())
    assert sum(lost.values()) <= 4 * kills  # no more than were under way
    sent = batch_server.requests
    again = dg(*command)
    assert again.returncode == 0
    assert batch_server.requests == sent


def test_busy_server(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """With 30 % of the answers 429 or 503, every recording is transcribed, and paid for once."""
    chance = random.Random(7)
    recordings = corpus(100)
    batch_server.fail = lambda body, number: (
        (chance.choice([429, 429, 503]), {"Retry-After": "0"}) if chance.random() < 0.3 else None
    )
    result = dg(
        "file", "-r", "corpus", "--output-dir", "out", "--retries", "8", "--base-url", batch_server.url
    )
    assert result.returncode == 0, result.stderr
    assert transcripts(tmp_path / "work" / "out") == expected(recordings)
    assert set(batch_server.posts.values()) == {1}
    assert batch_server.refused > 20


def test_one_corrupt_file(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """One recording that the API refuses stops no other: 99 transcripts, exit code 7, and it is named last."""
    recordings = corpus(100)
    bad = "corpus/b/004.wav"
    batch_server.fail = lambda body, number: (400, {}) if body == recordings[bad] else None
    result = dg("file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url)
    assert result.returncode == 7
    lines = result.stderr.decode().splitlines()
    assert lines[-2] == f"dg:          {bad}  Refused with 400. [HTTP 400, REFUSED]"
    assert lines[-1] == "dg: error: 1 of 100 failed: Refused with 400. [HTTP 400, REFUSED]"
    del recordings[bad]
    assert transcripts(tmp_path / "work" / "out") == expected(recordings)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB; the test is skipped where none may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_disk_fills_up(dg: Run, batch_server: BatchServer, corpus: Corpus, small_disk: Path) -> None:
    """When room runs out the run ends before it pays for what it could not keep, and goes on when there is more."""
    recordings = corpus(30)
    batch_server.padding = 1_000_000
    command = [
        "file", "-r", "corpus", "--output-dir", small_disk / "out", "-f", "json", "--jobs", "2",
        "--base-url", batch_server.url,
    ]  # fmt: skip
    result = dg(*command)
    assert result.returncode in (7, 8)
    assert b"MB are free" in result.stderr
    sent = batch_server.requests
    assert 0 < sent < 30
    subprocess.run(["mount", "-o", "remount,size=400m", small_disk], check=True)
    result = dg(*command)
    assert result.returncode == 0, result.stderr
    assert set(batch_server.posts.values()) == {1}
    assert len(batch_server.posts) == len(recordings)
    assert len(list((small_disk / "out").rglob("*.json"))) == 30


def test_disk_fills_up_at_the_worst_moment(
    dg: Run, batch_server: BatchServer, corpus: Corpus, small_disk: Path
) -> None:
    """An answer that is paid for when the disk turns out to be full is kept elsewhere, and found there."""
    recordings = corpus(1)
    batch_server.padding = 500_000

    def fill(number: int) -> None:
        with (small_disk / "ballast").open("wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError:
                return

    batch_server.before = fill
    command = [
        "file", "-r", "corpus", "--output-dir", small_disk / "out", "--base-url", batch_server.url,
    ]  # fmt: skip
    result = dg(*command)
    assert result.returncode == 8
    assert b"No space left on device" in result.stderr
    assert b"The response is kept in " in result.stderr
    (small_disk / "ballast").unlink()
    result = dg(*command)
    assert result.returncode == 0, result.stderr
    assert transcripts(small_disk / "out") == expected(recordings)
    assert set(batch_server.posts.values()) == {1}


def test_no_room_for_files(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, dg: Run
) -> None:
    """Where the system allows no file of the size of an answer, nothing is sent."""
    import resource

    corpus(5)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    args = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    process = start(environment, tmp_path / "work", *args, preexec_fn=limit)
    _, stderr = process.communicate(timeout=HANGS_AFTER)
    assert process.returncode == 8
    assert b"1.0 MB are free" in stderr
    assert batch_server.requests == 0
    assert dg(*args).returncode == 0


def test_output_that_cannot_be_written(
    dg: Run, batch_server: BatchServer, corpus: Corpus, tmp_path: Path
) -> None:
    """An output that fails when its answer is there is written by the next run, without sending again."""
    recordings = corpus(3)
    in_the_way = tmp_path / "work" / "out" / "a" / "000.txt"
    in_the_way.mkdir(parents=True)
    command = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    result = dg(*command)
    assert result.returncode == 7
    assert b"out/a/000.txt cannot be written: Is a directory." in result.stderr
    assert b"without sending again" in result.stderr
    in_the_way.rmdir()
    assert dg(*command).returncode == 0
    assert transcripts(tmp_path / "work" / "out") == expected(recordings)
    assert set(batch_server.posts.values()) == {1}


def test_read_only_output_directory(
    dg: Run, batch_server: BatchServer, corpus: Corpus, small_disk: Path
) -> None:
    """Nothing is sent for a directory that cannot be written, and the exit code is that of outputs."""
    corpus(5)
    (small_disk / "out").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    result = dg("file", "-r", "corpus", "--output-dir", small_disk / "out", "--base-url", batch_server.url)
    assert result.returncode == 8
    assert b"Read-only file system" in result.stderr
    assert batch_server.requests == 0


def test_directory_that_cannot_be_made(dg: Run, batch_server: BatchServer, corpus: Corpus) -> None:
    """An output directory that cannot be there is refused at once."""
    corpus(2)
    result = dg("file", "-r", "corpus", "--output-dir", "/proc/nowhere", "--base-url", batch_server.url)
    assert result.returncode == 8
    assert result.stderr.startswith(b"dg: error: The folder /proc/nowhere cannot be made: ")
    assert batch_server.requests == 0


ODD = [
    b"new\nline.wav", b"it's \"quoted\".wav", b"\xff\xfe\x80.wav", b"-dash.wav", b"--help", b"*.wav",
    b"x" * 251 + b".wav", b" spaces .wav", b"{stem}.wav", b"\x1b[31mred.wav", "Ünïcode 日本.wav".encode(),
    b"-",
]  # fmt: skip


def test_odd_names(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """Names with newlines, quotes, bytes that are no UTF-8, dashes in front or 255 characters are names."""
    work = bytes(tmp_path / "work")
    names = [name if name.endswith(b".wav") else name + b"" for name in ODD]
    contents = {}
    for number, name in enumerate(names):
        contents[name] = audio(number)
        with open(os.path.join(work, name), "wb") as file:  # noqa: PTH118, PTH123 - bytes
            file.write(audio(number))
    result = dg(
        "file", "--files0-from", "-", "--base-url", batch_server.url, "--report", "r.jsonl",
        stdin=b"\0".join(names) + b"\0",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert b"\x1b" not in result.stderr
    for name, data in contents.items():
        stem = name.rpartition(b".")[0] if b"." in name else name
        with open(os.path.join(work, stem + b".txt")) as file:  # noqa: PTH118, PTH123 - bytes
            assert file.read() == text_of(data) + "\n"
    assert set(batch_server.posts.values()) == {1}
    again = dg("file", "--files0-from", "-", "--base-url", batch_server.url, stdin=b"\0".join(names))
    assert again.returncode == 0
    assert set(batch_server.posts.values()) == {1}


def test_name_that_would_be_too_long(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """An output whose name no file system takes is refused before its recording is sent."""
    (tmp_path / "work" / ("x" * 253 + ".a")).write_bytes(audio(1))
    (tmp_path / "work" / "b.wav").write_bytes(audio(2))
    result = dg("file", "x" * 253 + ".a", "b.wav", "-f", "json", "--base-url", batch_server.url)
    assert result.returncode == 7
    assert b"would have 258 bytes" in result.stderr
    assert list(batch_server.posts) == [audio(2)]


def test_interrupted(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, dg: Run
) -> None:
    """Ctrl-C begins nothing more and waits for the answers that are paid for; the same command goes on."""
    recordings = corpus(10)
    batch_server.held = True
    args = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    process = start(environment, tmp_path / "work", *args)
    for _ in range(4):
        assert batch_server.arrived.acquire(timeout=HANGS_AFTER)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == (
        b"dg: Waiting for what is uploaded already; Ctrl-C again leaves at once.\n"
    )
    batch_server.released.set()
    _, stderr = process.communicate(timeout=HANGS_AFTER)
    assert process.returncode == 130
    lines = stderr.decode().splitlines()
    assert lines[-2:] == [
        "dg: error: Interrupted with 6 of 10 not begun.",
        "dg: The same command goes on from there.",
    ]
    assert len(transcripts(tmp_path / "work" / "out")) == 4
    assert batch_server.requests == 4
    assert dg(*args).returncode == 0
    assert transcripts(tmp_path / "work" / "out") == expected(recordings)
    assert set(batch_server.posts.values()) == {1}


def test_interrupted_twice(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus
) -> None:
    """A second Ctrl-C leaves at once, whatever is under way."""
    corpus(10)
    batch_server.held = True
    args = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    process = start(environment, tmp_path / "work", *args)
    for _ in range(4):
        assert batch_server.arrived.acquire(timeout=HANGS_AFTER)
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 143
    assert stderr.decode().splitlines()[-1] == "dg: error: Left at once."


def test_interrupted_in_mid_upload(
    environment: Environment, tmp_path: Path, batch_server: BatchServer
) -> None:
    """Ctrl-C breaks off uploads that are not complete: nobody waits for them, and nothing is paid for."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    for name in "abc":
        with (tmp_path / f"{name}.wav").open("wb") as file:
            file.truncate(60 << 20)
    (tmp_path / "work").mkdir(exist_ok=True)
    port = listener.getsockname()[1]
    process = start(
        environment, tmp_path / "work", "file", "../a.wav", "../b.wav", "../c.wav", "--output-dir", "out",
        "--base-url", f"http://127.0.0.1:{port}",
    )  # fmt: skip
    connections = [listener.accept()[0] for _ in range(3)]
    for connection in connections:
        connection.recv(1000)  # a little, and then no more
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    for connection in connections:
        connection.close()
    listener.close()


def _odd(transcript: object) -> bytes:
    """A response with something else where text is expected."""
    return json.dumps({"results": {"channels": [{"alternatives": [{"transcript": transcript}]}]}}).encode()


ODD_ANSWERS = {
    "a wait of 5,000 digits": Reply(503, b"{}", {"retry-after-ms": "9" * 5000}),
    "a wait that is no number": Reply(503, b"{}", {"retry-after": "nan"}),
    "a charset that is none": Reply(400, b"\xff\xfe odd", media_type="text/plain; charset=hex"),
    "brackets without end": Reply(200, b"[" * 200_000),
    "a few brackets": Reply(200, b"[" * 999),
    "a number for ever": Reply(200, b'{"metadata": {"duration": ' + b"9" * 5000 + b"}}"),
    "text for channels": Reply(200, b'{"results": {"channels": ["x", 3, null]}}'),
    "a list for text": Reply(200, _odd([[1]])),
    "no gzip": Reply(200, b"not gzip", {"content-encoding": "gzip"}),
    "half of it": Reply(200, cut=True),
    "status 299": Reply(299, b""),
}


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_odd_answers(dg: Run, tmp_path: Path, server: ScriptedServer, corpus: Corpus, odd: str) -> None:
    """Whatever one answer is, its slot goes on to the next recording, and the run ends."""
    corpus(3)
    server.script = [ODD_ANSWERS[odd], Reply()]
    result = dg(
        "file",
        "-r",
        "corpus",
        "--output-dir",
        "out",
        "--jobs",
        "1",
        "--retries",
        "0",
        "--base-url",
        server.url,
    )
    assert result.returncode in (0, 7), result.stderr
    done = transcripts(tmp_path / "work" / "out")
    assert {"b/001.txt", "c/002.txt"} <= set(done)


def test_a_slot_is_given_back_whatever_is_raised() -> None:
    """A request that ends in an error of any kind gives its place back: the next one is admitted at once."""
    pace = SharedPace(1)
    pace.admit()
    pace.abandon()
    pace.abandon()  # nothing is under way any more: nothing is given back twice
    admitted = threading.Event()

    def admit() -> None:
        pace.admit()
        admitted.set()

    threading.Thread(target=admit, daemon=True).start()
    assert admitted.wait(30)
    refused = threading.Event()

    def wait() -> None:
        with pytest.raises(Stopped):
            pace.admit()
        refused.set()

    threading.Thread(target=wait, daemon=True).start()  # one at a time still
    pace.stop()
    assert refused.wait(30)
