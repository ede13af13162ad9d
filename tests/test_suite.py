"""What may be relied on by whoever runs the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HANGS_AFTER, ROOT


def run_tests(*args: str, hidden: Path) -> "subprocess.CompletedProcess[str]":
    """Run pytest where the modules of a folder stand before the real ones."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(hidden)},
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER,
        check=False,
    )


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    """A folder of modules that fail as the real ones do where their library is not installed."""
    for module, message in (
        ("sounddevice", "PortAudio library not found"),
        ("soundfile", "sndfile library not found"),
    ):
        (tmp_path / f"{module}.py").write_text(f"raise OSError({message!r})\n")
    return tmp_path


@pytest.mark.slow
def test_a_library_that_is_missing_stops_no_collection(hidden: Path) -> None:
    """Without PortAudio and libsndfile all tests are collected but those that need them."""
    listed = run_tests("--collect-only", hidden=hidden)
    assert listed.returncode == 0, listed.stdout[-2000:]
    assert "error" not in listed.stdout.splitlines()[-1]
    assert "tests/mic/test_levels.py" in listed.stdout
    assert "tests/mic/test_microphone.py" not in listed.stdout


@pytest.mark.slow
def test_a_library_that_is_missing_is_the_reason_of_a_skip(hidden: Path) -> None:
    """What needs PortAudio or libsndfile is skipped, and the summary names which."""
    result = run_tests("tests/mic/test_microphone.py", "tests/sources/test_save.py", hidden=hidden)
    assert "PortAudio library not found" in result.stdout
    assert "sndfile library not found" in result.stdout
    assert "2 skipped" in result.stdout.splitlines()[-1]
