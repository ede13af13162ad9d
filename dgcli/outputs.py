"""Where a finished transcript goes: standard output and files, checked before anything is paid for."""

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dgcli.errors import BrokenPipe, DgError, OutputError, UsageError
from dgcli.formats import Format, Options, by_name, by_suffix, renderer
from dgcli.transcript import Transcript
from dgcli.ui.console import forget


@dataclass(frozen=True, slots=True)
class Outputs:
    """What to write where: a format for standard output (None: nothing there), and files with theirs."""

    stdout: Format | None
    files: tuple[tuple[Path, Format], ...] = ()


def state_folder() -> Path:
    """Where responses are put aside that could not be written."""
    from platformdirs import user_state_path

    return user_state_path("dgcli", appauthor=False) / "responses"


def _temporary_folder() -> Path:
    """Raises `OSError` where there is none."""
    return Path(tempfile.gettempdir())


def keep(body: bytes, request_id: str | None) -> Path | None:
    """Put a paid response aside, readable by its owner only; where it is.

    The state folder comes first, then the one for temporary files. None: neither took it, and it went to
    standard error as the last place there is.
    """
    safe = "".join(char for char in request_id or "" if char.isalnum() or char == "-")[:64]
    for place in (state_folder, _temporary_folder):
        try:
            folder = place()
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix=f"{safe or 'response'}-", suffix=".json", dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(body)
        except OSError:
            continue  # the next one may do
        return Path(name)
    print("dg: The response can be kept nowhere; here it is:", file=sys.stderr)
    with suppress(OSError, ValueError):  # stderr is gone too: there is no place left
        sys.stderr.flush()
        sys.stderr.buffer.write(body + b"\n")
        sys.stderr.buffer.flush()
    return None


def _is_special(path: Path) -> bool:
    """Whether a path is there but no regular file: a pipe, a terminal, /dev/null."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _check_file(path: Path, source: Path | None) -> None:
    """Refuse an output that certainly cannot be written, or that would destroy the input."""
    try:
        path.resolve(strict=True)
    except FileNotFoundError:
        pass  # it will be made
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        reason = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise OutputError(f"The output {str(path)[:80]} cannot be used: {reason}.") from error
    if path.is_dir():
        raise OutputError(f"The output {path} is a directory.", hint=f"Name a file: -o {path / 'talk.txt'}")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise OutputError(
            f"There is no folder {folder} for the output.", hint=f"Create it: mkdir -p {folder}"
        )
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise OutputError(f"The output {path} is the input itself.", hint="Choose another name with -o.")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"The output {path} may not be overwritten.", hint="Choose another name with -o.")
    if _is_special(path):
        return
    try:  # only trying tells whether a file system takes a new file
        with tempfile.NamedTemporaryFile(prefix=".dg-", suffix=".part", dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"Nothing can be written to {folder}: {error.strerror}.") from error


def check(files: Sequence[Path], *, source: Path | None = None) -> None:
    """Refuse files that certainly cannot be written, are given twice, or are the input `source`.

    Raises `UsageError` and `OutputError`.
    """
    seen: set[Path] = set()
    for path in files:
        if str(path) == "-":
            raise UsageError(
                "-o takes a file, not '-'.", hint="For standard output, choose the format with -f."
            )
        _check_file(path, source)
        if path.resolve() in seen:
            raise UsageError(f"The output {path} is given twice.")
        seen.add(path.resolve())


def _check_stdout() -> None:
    """Refuse standard output that was closed: writing nothing to it tells."""
    try:
        os.write(sys.stdout.fileno(), b"")
    except ValueError:
        return  # no file at all, as inside of tests
    except OSError as error:
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def plan(
    stdout_format: str | None, files: Sequence[Path], *, source: Path | None = None, to_stdout: bool = True
) -> Outputs:
    """What `-f` and `-o` ask for, checked: nothing may fail later that can be known now.

    Without `-o`, or with an explicit `-f`, the transcript goes to standard output, as text unless `-f` says
    otherwise. Raises `UsageError` for an unknown format, `OutputError` for what cannot be written.
    """
    chosen = by_name(stdout_format) if stdout_format else None
    if chosen is None and not files and to_stdout:
        chosen = by_name("text")
    check(files, source=source)
    if chosen is not None:
        _check_stdout()
    return Outputs(chosen, tuple((path, by_suffix(path)) for path in files))


def write_file(
    path: Path, data: bytes, *, scratch: Path | None = None, durable: bool = True, private: bool = False
) -> None:
    """Write a whole file or nothing: a reader, or a crash, never sees half of one. Raises `OutputError`.

    What is unfinished lies in `scratch`, a folder on the same file system, or else beside the file. Without
    `durable`, a power cut soon afterwards may lose what was written. A `private` file is its owner's only.
    """
    try:
        if _is_special(path):
            path.write_bytes(data)
            return
        target = path.resolve() if path.is_symlink() else path  # a symbolic link stays one
        folder = target.parent if scratch is None or target is not path else scratch
        part = folder / f".dg-{os.urandom(8).hex()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        # The system takes the umask off: asking for it means setting it, for all threads at once.
        handle = os.open(part, flags, 0o600 if private else 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            with suppress(FileNotFoundError):
                part.chmod(target.stat().st_mode & 0o7777)
            part.replace(target)
        except BaseException:
            with suppress(OSError):  # the first failure is the one to tell
                part.unlink()
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


def write_stdout(data: bytes) -> None:
    """Write to standard output and flush. Raises `BrokenPipe` when nobody reads it any more."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        forget(sys.stdout)
        raise BrokenPipe from error
    except OSError as error:
        forget(sys.stdout)
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def rendered(transcript: Transcript, form: Format, options: Options) -> bytes:
    """A transcript in a format, as the bytes of a file."""
    return renderer(form)(transcript, options).encode("utf-8", "surrogateescape")


def write(transcript: Transcript, outputs: Outputs, options: Options) -> None:
    """Render and write everything; one output that fails does not stop the others.

    The first error is raised when all have been tried, with the response put aside and named in it.
    """
    failure: DgError | None = None
    jobs: list[tuple[Path | None, Format]] = [*outputs.files]
    if outputs.stdout is not None:
        jobs.append((None, outputs.stdout))  # last: files are safe before a broken pipe ends us
    for path, form in jobs:
        try:
            data = rendered(transcript, form, options.beside(path.parent if path else Path()))
            if path is None:
                write_stdout(data)
            else:
                write_file(path, data)
        except DgError as error:
            failure = failure or error
        except Exception:
            # A bug in a renderer must not cost a transcript that was paid for.
            if kept := keep(transcript.body, transcript.request_id):
                print(f"dg: The response is kept in {kept}", file=sys.stderr)
            raise
    if failure is not None:
        if transcript.body:
            failure.kept = keep(transcript.body, transcript.request_id)
        raise failure
