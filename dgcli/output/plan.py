"""The outputs of a finished transcript: standard output and files, checked before anything is paid for."""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dgcli.errors import DgError, OutputError, UsageError
from dgcli.formats import (
    PLAYLIST,
    SECTIONS,
    Format,
    RenderSettings,
    by_name,
    by_suffix,
    is_playlist,
    renderer,
)
from dgcli.output.files import is_special, write_file
from dgcli.output.kept import keep_response, name_kept
from dgcli.output.stdout import write_stdout
from dgcli.terminal import colours
from dgcli.transcript.model import Transcript


class Outputs(NamedTuple):
    """The planned outputs: a format for standard output (None: nothing there), and files with theirs."""

    stdout: Format | None
    files: tuple[tuple[Path, Format], ...] = ()


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
    if is_special(path):
        return
    try:  # only trying tells whether a file system takes a new file
        with tempfile.NamedTemporaryFile(prefix=".dg-", suffix=".part", dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"Nothing can be written to {folder}: {error.strerror}.") from error


def check_paths(files: Sequence[Path], *, source: Path | None = None) -> None:
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
        if is_playlist(path):
            from dgcli.output.playlist import check_playlist

            check_playlist(path)


def _check_stdout() -> None:
    """Refuse standard output that was closed: only an attempt to write would show it."""
    try:
        os.write(sys.stdout.fileno(), b"")
    except ValueError:
        return  # no file at all, as inside of tests
    except OSError as error:
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def plan_outputs(
    stdout_format: str | None, files: Sequence[Path], *, source: Path | None = None, to_stdout: bool = True
) -> Outputs:
    """Plan the outputs of `-f` and `-o`, checked: nothing may fail later that can be known now.

    Without `-o`, or with an explicit `-f`, the transcript goes to standard output, as text unless `-f` says
    otherwise. Raises `UsageError` for an unknown format, `OutputError` for what cannot be written.
    """
    chosen = by_name(stdout_format) if stdout_format else None
    if chosen is None and not files and to_stdout:
        chosen = by_name("text")
    check_paths(files, source=source)
    if chosen is not None:
        _check_stdout()
    return Outputs(
        chosen, tuple((path, PLAYLIST if is_playlist(path) else by_suffix(path)) for path in files)
    )


def _is_screen_text(format_: Format) -> bool:
    """Whether standard output is a terminal, and what goes there is for somebody to read."""
    return format_.name == "text" and sys.stdout.isatty()


def _on_stdout(settings: RenderSettings, format_: Format) -> RenderSettings:
    """The settings for standard output: a terminal has a width and colours, and shows the analyses by itself."""
    if not _is_screen_text(format_):
        return settings
    import shutil

    return replace(
        settings,
        sections=settings.sections or SECTIONS,
        colour=colours(sys.stdout),
        width=shutil.get_terminal_size().columns,
    )


def unseen(transcript: Transcript, outputs: Outputs, settings: RenderSettings) -> tuple[str, ...]:
    """Return the names of the analyses that a response has and no output shows."""
    formats = [outputs.stdout] if outputs.stdout is not None else []
    if formats and _is_screen_text(formats[0]) and not settings.sections:
        return ()
    formats += [format_ for _, format_ in outputs.files]
    if any(format_.analyses for format_ in formats):
        return ()
    from dgcli.formats.insights import present

    has_text = any(format_.name == "text" for format_ in formats)
    return tuple(name for name in present(transcript) if not (has_text and name in settings.sections))


def rendered(transcript: Transcript, format_: Format, options: RenderSettings) -> bytes:
    """Render a transcript as the bytes of a file."""
    return renderer(format_)(transcript, options).encode("utf-8", "surrogateescape")


def _put_aside(transcript: Transcript) -> Path | None:
    return keep_response(transcript.body, transcript.request_id) if transcript.body else None


def write_outputs(
    transcript: Transcript,
    outputs: Outputs,
    options: RenderSettings,
    *,
    keep: Callable[[Transcript], Path | None] = _put_aside,
) -> None:
    """Render and write everything; one output that fails does not stop the others.

    The first error is raised when all have been tried. It names the response, which `keep` puts aside then or
    has put aside already.
    """
    failure: DgError | None = None
    jobs: list[tuple[Path | None, Format]] = [*outputs.files]
    if outputs.stdout is not None:
        jobs.append((None, outputs.stdout))  # last: files are safe before a broken pipe ends us
    for path, format_ in jobs:
        try:
            if path is None:
                write_stdout(rendered(transcript, format_, _on_stdout(options.beside(Path()), format_)))
            elif format_ is PLAYLIST:
                from dgcli.output.playlist import write_playlist

                write_playlist(path, transcript, options)
            else:
                write_file(path, rendered(transcript, format_, options.beside(path.parent)))
        except DgError as error:
            failure = failure or error
        except Exception:
            # A bug in a renderer must not cost a transcript that was paid for.
            if kept := keep(transcript):
                print(f"dg: The response is kept in {kept}", file=sys.stderr)
            raise
    if failure is not None:
        name_kept(failure, keep(transcript))
        raise failure
