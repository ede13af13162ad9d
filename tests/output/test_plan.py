"""Outputs: whole or not at all."""

import os
from pathlib import Path

import pytest

from dgcli.errors import OutputError, UsageError
from dgcli.output.files import write_file
from dgcli.output.plan import plan_outputs


def test_plan_defaults_to_text() -> None:
    """Without -o the text goes to stdout; with -o only files are written, unless -f is there too."""
    plan = plan_outputs(None, [])
    assert plan.stdout is not None
    assert plan.stdout.name == "text"
    assert plan_outputs(None, [Path("x.srt")]).stdout is None
    both = plan_outputs("vtt", [Path("x.srt")])
    assert both.stdout is not None
    assert (both.stdout.name, both.files[0][1].name) == ("vtt", "srt")


@pytest.mark.parametrize(
    ("format_", "files", "message"),
    [
        ("docx", [], "There is no format 'docx'."),
        (None, ["x.docx"], "The suffix of 'x.docx' does not say which format to write."),
        (None, ["x"], "The suffix of 'x' does not say"),
        (None, ["-"], "-o takes a file, not '-'."),
        (None, ["x.srt", "./x.srt"], "The output x.srt is given twice."),
    ],
)
def test_plan_refuses(format_: str | None, files: list[str], message: str) -> None:
    """What is invalid is a usage error."""
    with pytest.raises(UsageError) as caught:
        plan_outputs(format_, [Path(file) for file in files])
    assert caught.value.message.startswith(message)


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A write that fails half-way leaves what was there, and no half file beside it."""
    import resource

    path = tmp_path / "x.txt"
    path.write_text("old")
    pid = os.fork()
    if pid == 0:  # a process of its own, for a limit of its own
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_file(path, b"x" * 5000)
        except OutputError as error:
            os._exit(0 if "File too large" in error.message else 2)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.txt"]


def test_longest_name(tmp_path: Path) -> None:
    """A name of 255 characters, the longest there is, can be written."""
    path = tmp_path / ("x" * 251 + ".txt")
    write_file(path, b"text")
    assert path.read_bytes() == b"text"


def test_pipe_is_written_through(tmp_path: Path) -> None:
    """A named pipe is written to, not replaced."""
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_file(path, b"text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert path.is_fifo()


def test_new_files_follow_the_umask(tmp_path: Path) -> None:
    """A new file has the permissions that the user's umask gives, not those of a temporary one."""
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "x.txt", b"text")
    finally:
        os.umask(before)
    assert (tmp_path / "x.txt").stat().st_mode & 0o777 == 0o640


def test_what_replaces_a_private_file_is_private_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is written nobody else can read it, whatever the umask, and then it has the old file's mode."""
    path = tmp_path / "talk.txt"
    path.write_text("old")
    path.chmod(0o600)
    modes = []

    def synced(handle: int) -> None:
        modes.append(os.fstat(handle).st_mode & 0o777)

    monkeypatch.setattr(os, "fsync", synced)
    before = os.umask(0)
    try:
        write_file(path, b"text")
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert path.stat().st_mode & 0o777 == 0o600
