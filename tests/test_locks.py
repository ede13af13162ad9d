"""Locks between processes: one at a time, and nobody holds what a dead process held."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dgcli.locks import claimed

_HOLD = """
import sys
from pathlib import Path
from dgcli.locks import claimed
with claimed(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_claim_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """Of eight threads that claim the same, never two are inside, all get in, and no file is left."""
    inside = most = entered = 0

    def work() -> None:
        nonlocal inside, most, entered
        for _ in range(5):
            with claimed(tmp_path / "claim", lambda: None):
                inside += 1
                most, entered = max(most, inside), entered + 1
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, entered) == (1, 40)
    assert list(tmp_path.iterdir()) == []


def test_a_claim_dies_with_its_process(tmp_path: Path) -> None:
    """What another process holds is waited for, and is free when that process is killed."""
    path = tmp_path / "claim"
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    looks = 0

    def waiting() -> None:
        nonlocal looks
        looks += 1
        process.kill()

    with claimed(path, waiting):
        assert looks >= 1
    process.wait(10)
    process.stdin.close()
    process.stdout.close()


def test_waiting_can_be_given_up(tmp_path: Path) -> None:
    """What is raised while waiting ends the wait, and the claim stays with whoever has it."""

    class GivenUpError(Exception):
        pass

    def give_up() -> None:
        raise GivenUpError

    path = tmp_path / "claim"
    with claimed(path, lambda: None):
        with pytest.raises(GivenUpError), claimed(path, give_up):
            pass
        assert path.exists()
    assert not path.exists()
