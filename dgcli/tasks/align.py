"""A corrected text put on the times of a saved response: nothing is sent anywhere."""

import sys
from collections.abc import Sequence
from pathlib import Path

from dgcli.align.align import Alignment, align
from dgcli.errors import AudioError, UsageError
from dgcli.formats import RenderSettings
from dgcli.output.plan import plan_outputs
from dgcli.tasks.render import read_saved, write_saved
from dgcli.tasks.reporter import Reporter


def _text(path: str) -> tuple[bytes, str]:
    """Return the bytes of a text and what it is called. Raises `AudioError`."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(), "standard input"
        return Path(path).read_bytes(), path
    except OSError as error:
        raise AudioError(f"{path}: It cannot be read: {error.strerror}.") from error


def _told(alignment: Alignment, reporter: Reporter) -> None:
    """Say what became of the words and who the speakers are."""
    new = sum(word.source is None for words in alignment.channels for word in words)
    replaced = sum(word.source is not None and not word.same for words in alignment.channels for word in words)
    gone = len(alignment.transcript.words) - alignment.kept - replaced
    reporter.note(
        f"{alignment.kept} words stay, {replaced} are replaced, {new} are put in, {gone} of the response are gone."
    )
    for name, number in alignment.names.items():
        reporter.note(f"{name} is speaker {number}. To have the name in captions: --speaker {number}={name!r}")


def align_text(
    response: str,
    text: str,
    stdout_format: str | None,
    files: Sequence[Path],
    settings: RenderSettings,
    reporter: Reporter,
    *,
    force: bool = False,
) -> None:
    """Write a response with the words of a corrected text; each is a path or `-`. Raises every `DgError` there is."""
    if response == "-" == text:
        raise UsageError("Standard input is either the response or the text.", hint="Name a file for the other.")
    default = None if stdout_format or files else "json"
    for source in (response, text):
        outputs = plan_outputs(
            stdout_format or default, files, source=None if source == "-" else Path(source)
        )
    transcript = read_saved(response)
    body, name = _text(text)
    alignment = align(transcript, body, name, settings.speaker_names, force=force)
    _told(alignment, reporter)
    names = {number: name for name, number in alignment.names.items()}
    write_saved(alignment.corrected(), outputs, settings.naming(names), reporter)
