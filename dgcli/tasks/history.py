"""The history for its user: the last answer again, a list, an end of all."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from dgcli.errors import AudioError, DgError, OutputError, UsageError
from dgcli.formats import RenderSettings, by_name
from dgcli.output.history import Contents, Damaged, History
from dgcli.output.history_entry import EntryKind, HistoryEntry
from dgcli.output.plan import plan_outputs
from dgcli.tasks.render import write_saved
from dgcli.tasks.reporter import Reporter
from dgcli.transcript.saved import parse_saved

_EMPTY_HINT = (
    "What dg file, dg url, dg live and dg mic transcribe is kept, unless --no-history says otherwise."
)


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """A line of the list."""

    number: int
    entry: HistoryEntry

    @property
    def name(self) -> str:
        """The recording; of a batch, the first one."""
        facts, count = self.entry.facts, self.entry.recordings
        if self.entry.kind is not EntryKind.BATCH:
            return facts.name or "(not written)"
        more = f" and {count - 1} more" if count > 1 else ""
        return f"{facts.name}{more}, in {', '.join(self.entry.folders[:1])}"

    @property
    def cells(self) -> Sequence[str]:
        """The line as cells of a table."""
        facts = self.entry.facts
        return (
            str(self.number),
            f"{self.entry.created.astimezone():%Y-%m-%d %H:%M:%S}",
            _clock(facts.duration),
            self.name,
            facts.request_id or "-",
            " ".join(f"{name}={value}" for name, value in parse_qsl(facts.query, keep_blank_values=True))
            or "-",
        )


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _entries(history: History, reporter: Reporter) -> Iterator[HistoryEntry]:
    """The entries, newest first; damaged ones are left out and named."""
    for entry in history.walk():
        if isinstance(entry, Damaged):
            reporter.warning(f"{entry.path} is left out: {entry.reason}.")
        else:
            yield entry


def _stem(entry: HistoryEntry) -> str:
    """The name of a file for a recording: that of the recording without folder and suffix."""
    name = entry.facts.name
    if "://" in name:
        name = unquote(urlsplit(name).path)
    return Path(name).stem or "transcript"


def _target(entry: HistoryEntry, format_name: str | None, folder: Path) -> Path:
    if not os.path.isdir(folder):
        raise OutputError(f"There is no folder {folder}.", hint=f"Create it: mkdir -p {folder}")
    return folder / (_stem(entry) + by_name(format_name or "text").suffixes[0])


def render_last(
    number: int,
    stdout_format: str | None,
    files: Sequence[Path],
    folder: Path | None,
    settings: RenderSettings,
    reporter: Reporter,
) -> None:
    """Write the answer that is `number` in the history, from 1, the newest. Raises every `DgError` there is.

    With a `folder`, it goes to a file there that is named after the recording.
    """
    history = History()
    entry = None
    count = 0
    for count, entry in enumerate(_entries(history, reporter), 1):  # noqa: B007 - used behind the loop
        if count == number:
            break
    if entry is None:
        raise UsageError("The history is empty.", hint=_EMPTY_HINT)
    if count < number:
        raise UsageError(f"The history has {count} answers, not {number}.", hint="See: dg history")
    if entry.kind is EntryKind.BATCH:
        raise UsageError(
            f"That was a batch of {entry.recordings}: its answers lie in {', '.join(entry.folders[:3])}.",
            hint="The same command with another -f writes them in that format, without paying again.",
        )
    if folder is not None:
        plan = plan_outputs(None, [_target(entry, stdout_format, folder)])
    else:
        plan = plan_outputs(stdout_format, files)
    body = history.body(entry)
    try:
        transcript = parse_saved(body)
    except DgError as error:
        raise AudioError(f"{entry.path}: {error.message}", hint=error.hint) from error
    reporter.detail(f"{entry.facts.name}, of {entry.created.astimezone():%Y-%m-%d %H:%M:%S}, in {entry.path}")
    write_saved(transcript, plan, settings.named_after(entry.facts.name), reporter)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _size(contents: Contents) -> str:
    answers = _counted(contents.answers, "answer")
    texts = f" and {_counted(contents.texts, 'text')} that could not be written" if contents.texts else ""
    return f"{answers}{texts}, {contents.size / 1e6:.1f} MB"


def list_history(reporter: Reporter) -> Sequence[ListedEntry]:
    """List the history, newest first; report its size and its place. Raises `OutputError`."""
    history = History()
    listed = [ListedEntry(number, entry) for number, entry in enumerate(_entries(history, reporter), 1)]
    contents = history.contents()
    if not contents.size:
        reporter.note(f"The history is empty. {_EMPTY_HINT}")
    else:
        reporter.note(f"{_size(contents)}, in {history.folder}")
    return listed


def as_json(listed: Sequence[ListedEntry]) -> str:
    """The list as JSON."""
    rows = []
    for line in listed:
        entry = line.entry
        parameters: dict[str, list[str]] = {}
        for name, value in parse_qsl(entry.facts.query, keep_blank_values=True):
            parameters.setdefault(name, []).append(value)
        rows.append(
            {
                "number": line.number,
                "created": entry.created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "kind": entry.kind.value,
                "name": entry.facts.name,
                "duration": entry.facts.duration,
                "request_id": entry.facts.request_id,
                "server": entry.facts.server,
                "parameters": parameters,
                "recordings": entry.recordings,
                "ledgers": list(entry.folders),
                "path": None if entry.kind is EntryKind.BATCH else str(entry.path),
            }
        )
    return json.dumps(rows, indent=2) + "\n"


def clear_history(reporter: Reporter) -> None:
    """Delete the history. Raises `OutputError`."""
    reporter.note(f"Deleted: {_size(History().clear())}.")
