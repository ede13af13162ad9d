"""Answers that are put aside are whole, or are not there."""

import resource
import subprocess
import sys
from pathlib import Path


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
