"""A corrected text put on the times of a saved response; the recogniser of this machine may look for new words."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dgcli.align.align import Alignment, align
from dgcli.align.refining import refined, stretches
from dgcli.config import Config
from dgcli.errors import ApiError, AudioError, DgError, UsageError, unreadable
from dgcli.formats import RenderSettings
from dgcli.output.plan import plan_outputs
from dgcli.tasks.local import reached
from dgcli.tasks.render import read_saved, write_saved
from dgcli.tasks.reporter import Reporter
from dgcli.transcript.model import Transcript


class HeardIn(NamedTuple):
    """The recording that a recogniser of this machine looks for words in, and its language where that was told."""

    audio: Path
    config: Config
    language: str | None = None


def _text(path: str) -> tuple[bytes, str]:
    """Return the bytes of a text and what it is called. Raises `AudioError`."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(), "standard input"
        return Path(path).read_bytes(), path
    except OSError as error:
        raise AudioError(unreadable(path, error)) from error


def _response(path: str, text: str) -> Transcript:
    """Read the response. Raises `UsageError` where it is the text that holds one, and what reading can."""
    try:
        return read_saved(path)
    except ApiError:
        if text == "-" or not _is_response(text):
            raise
        raise UsageError(
            f"{path} is no response, but {text} is.",
            hint=f"The response comes first: {shlex.join(['dg', 'align', text, path])}",
        ) from None


def _is_response(path: str) -> bool:
    try:
        read_saved(path)
    except DgError:
        return False
    return True


def _told(alignment: Alignment, reporter: Reporter) -> None:
    """Say what became of the words and who the speakers are."""
    new = sum(word.source is None for words in alignment.channels for word in words)
    replaced = sum(
        word.source is not None and not word.same for words in alignment.channels for word in words
    )
    gone = len(alignment.transcript.words) - alignment.kept - replaced
    reporter.note(f"Words: {alignment.kept} kept, {replaced} replaced, {new} added, {gone} deleted.")
    for name, number in alignment.names.items():
        reporter.note(f"{name} is speaker {number}; --speaker {number}=NAME gives another name.")


def listened(alignment: Alignment, heard_in: HeardIn, reporter: Reporter) -> Alignment:
    """Have the local recogniser find the words whose times are a guess. Raises every `DgError` there is."""
    asked, places = stretches(alignment.channels)
    if not asked:
        return alignment
    values: dict[str, str] = {}
    language = heard_in.language or next(
        (channel.detected_language for channel in alignment.transcript.channels if channel.detected_language),
        None,
    )
    if language:
        values["language"] = language
    with reached(heard_in.config, reporter, values, local=True) as local:
        from dgcli.api.alignment import align_words

        answers = align_words(
            local,
            heard_in.audio,
            asked,
            language=language,
            multichannel=len(alignment.transcript.channels) > 1,
        )
    return alignment.refined(refined(alignment.channels, places, answers))


def align_text(
    response: str,
    text: str,
    stdout_format: str | None,
    files: Sequence[Path],
    settings: RenderSettings,
    reporter: Reporter,
    *,
    force: bool = False,
    heard_in: HeardIn | None = None,
) -> None:
    """Write a response with the words of a corrected text; each is a path or `-`.

    `heard_in` is the recording in which the words are looked for whose times are a guess. Raises every `DgError`.
    """
    if response == "-" == text:
        raise UsageError(
            "Standard input is either the response or the text.", hint="Name a file for the other."
        )
    default = None if stdout_format or files else "json"
    for source in (response, text):
        outputs = plan_outputs(
            stdout_format or default, files, source=None if source == "-" else Path(source)
        )
    transcript = _response(response, text)
    body, name = _text(text)
    alignment = align(transcript, body, name, settings.speaker_names, force=force)
    if heard_in is not None:
        alignment = listened(alignment, heard_in, reporter)
    _told(alignment, reporter)
    write_saved(alignment.corrected(), outputs, settings, reporter)
