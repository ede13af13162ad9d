"""Answers that are put aside are whole, or are not there."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dgcli.output.kept import keep_response


def test_what_cannot_be_kept_whole_is_not_left(environment: dict[str, str], tmp_path: Path) -> None:
    """Where neither the history nor the folder for temporary files has room, no part of an answer stays in them."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    code = (
        "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from dgcli.output.kept import keep_response\n"
        "assert keep_response(b'x' * 100_000, 'r-1') is None\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, "TMPDIR": str(temporary)}, capture_output=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[:500]
    assert b"x" * 100_000 in done.stderr
    kept = [
        path
        for folder in (temporary, Path(environment["HOME"]))
        for path in folder.rglob("*")
        if path.is_file()
    ]
    assert not any(b"xxx" in path.read_bytes() for path in kept)


def test_what_is_put_into_a_folder_of_everybody_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only the folder for temporary files takes an answer, it lies there under a new name, for its owner."""
    temporary = tmp_path / "temporary"
    temporary.mkdir(mode=0o777)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = os.umask(0)
    try:
        paths = [keep_response(b"{}", "r-1") for _ in range(2)]
    finally:
        os.umask(before)
    assert sorted(temporary.iterdir()) == sorted(path for path in paths if path)
    assert len(set(paths)) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in paths if path)
