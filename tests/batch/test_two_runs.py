"""Several processes at one tree at once: nothing is paid for twice, and nothing is left out."""

import json
import random
import signal
import subprocess
from pathlib import Path

import pytest

from tests.batch.conftest import Corpus, expected, transcripts
from tests.batch.server import BatchServer
from tests.batch.test_faults import Environment, start
from tests.conftest import Run


def ended(process: "subprocess.Popen[bytes]") -> bytes:
    """What a run that succeeds says."""
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    return stderr


def test_two_runs_at_once(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus
) -> None:
    """Two runs of the same command share the recordings; both end well, and each recording is sent once."""
    recordings = corpus(60)
    work = tmp_path / "work"
    args = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    batch_server.held = True
    runs = [start(environment, work, *args, "--report", f"{number}.jsonl") for number in range(2)]
    for _ in range(8):  # both are at it
        assert batch_server.arrived.acquire(timeout=60)
    batch_server.released.set()
    for run in runs:
        ended(run)
    assert transcripts(work / "out") == expected(recordings)
    assert set(batch_server.posts.values()) == {1}
    assert batch_server.requests == 60
    for number in range(2):
        rows = [json.loads(line) for line in (work / f"{number}.jsonl").read_text().splitlines()]
        assert sorted(row["input"] for row in rows) == sorted(recordings)
        assert {row["status"] for row in rows} <= {"transcribed", "skipped"}


def test_what_a_killed_run_had_claimed(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus
) -> None:
    """A second run waits for what the first is at, and does it itself when the first is killed."""
    recordings = corpus(6)
    work = tmp_path / "work"
    args = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    batch_server.held = True
    first = start(environment, work, *args, "--jobs", "3")
    for _ in range(3):
        assert batch_server.arrived.acquire(timeout=60)
    second = start(environment, work, *args, "--jobs", "3")
    for _ in range(3):  # it has taken up the others
        assert batch_server.arrived.acquire(timeout=60)
    assert set(batch_server.posts.values()) == {1}
    first.send_signal(signal.SIGKILL)
    first.communicate()
    batch_server.released.set()
    ended(second)
    assert transcripts(work / "out") == expected(recordings)
    assert sorted(batch_server.posts.values()) == [1, 1, 1, 2, 2, 2]


def test_interrupted_while_it_waits(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus
) -> None:
    """A run that only waits for another one is ended by Ctrl-C at once, and the other is not disturbed."""
    recordings = corpus(2)
    work = tmp_path / "work"
    args = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    batch_server.held = True
    first = start(environment, work, *args)
    for _ in range(2):
        assert batch_server.arrived.acquire(timeout=60)
    third = start(environment, work, *args, "corpus/a/000.wav", "--dry-run")
    third.communicate(timeout=60)
    second = start(environment, work, *args, "corpus/a/000.wav")
    assert second.stderr is not None
    assert b"is named twice" in second.stderr.readline()  # it has begun
    second.send_signal(signal.SIGINT)
    _, stderr = second.communicate(timeout=60)
    assert second.returncode == 130, stderr
    batch_server.released.set()
    ended(first)
    assert transcripts(work / "out") == expected(recordings)
    assert set(batch_server.posts.values()) == {1}


@pytest.mark.parametrize("damage", ["cut", "changed", "nested"])
def test_a_damaged_answer_is_asked_again(
    dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, damage: str
) -> None:
    """A damaged answer is told with its file, put aside and asked for again; the next run has nothing to do."""
    recordings = corpus(3)
    work = tmp_path / "work"
    args = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    assert dg(*args).returncode == 0
    (ledger,) = (work / "out" / "a" / ".dg").glob("*.ledger")
    whole = ledger.read_bytes()
    at = whole.index(b'{"metadata"')
    if damage == "cut":
        ledger.write_bytes(whole[: at + 40])
    elif damage == "changed":
        ledger.write_bytes(whole[: at + 40] + b"\xff" + whole[at + 41 :])
    else:
        ledger.write_bytes(whole[:at] + b"[" * 200 + whole[at + 200 :])
    (work / "out" / "a" / "000.txt").unlink()
    result = dg(*args)
    assert result.returncode == 0, result.stderr
    assert f"out/a/.dg/{ledger.name}" in result.stderr.decode()
    assert b"asked for again" in result.stderr
    assert list((work / "out" / "a" / ".dg" / "damaged").iterdir())
    assert transcripts(work / "out") == expected(recordings)
    assert batch_server.posts[recordings["corpus/a/000.wav"]] == 2
    again = dg(*args)
    assert b"damaged" not in again.stderr
    assert batch_server.requests == 4


@pytest.mark.parametrize("seed", range(3))
def test_runs_that_are_killed_while_others_go_on(
    environment: Environment, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, dg: Run, seed: int
) -> None:
    """Of three runs at one tree one is killed again and again: what is paid twice was under way in a killed one."""
    chance = random.Random(seed)
    recordings = corpus(60)
    work = tmp_path / "work"
    args = ["file", "-r", "corpus", "--output-dir", "out", "--jobs", "2", "--base-url", batch_server.url]
    steady = [start(environment, work, *args) for _ in range(2)]
    kills = 0
    for _ in range(4):
        victim = start(environment, work, *args)
        moment = batch_server.requests + chance.randint(1, 6)

        def kill(number: int, victim: "subprocess.Popen[bytes]" = victim, moment: int = moment) -> None:
            if number == moment:
                victim.kill()

        batch_server.after = kill
        victim.communicate(timeout=120)
        kills += victim.returncode != 0
    batch_server.after = lambda number: None
    for run in steady:
        ended(run)
    assert transcripts(work / "out") == expected(recordings)
    assert sum(batch_server.posts.values()) - 60 <= 2 * kills
    checked = dg("file", "--check", "out")
    assert checked.returncode == 0, checked.stderr
    assert b"dg: 60 good answers in 3 ledgers, no damage.\n" in checked.stderr
