"""`-o NAME`: files that grow while a stream runs, by the suffix of their name."""

import math
from collections.abc import Callable
from pathlib import Path

from dgcli.errors import OutputError, UsageError
from dgcli.formats import FORMATS, Format, RenderSettings, by_suffix, is_playlist
from dgcli.output.growing import GrowingFile
from dgcli.output.plan import check_paths
from dgcli.sinks.base import Sink
from dgcli.sinks.captions import CaptionBlocks
from dgcli.sinks.jsonl import JsonlSink
from dgcli.sinks.lines import LinesSink
from dgcli.sinks.rendered import RenderedFile, TurnsFile
from dgcli.sinks.response import ResponseSink
from dgcli.sinks.words import WordsSink
from dgcli.transcript.events import Event, Final, Interim, Notice, NoticeKind, Opened, UtteranceEnd

_PREVIEW = 2.0  # seconds of the stream between looks at cues that are not settled


class _Whole:
    """A sink that writes into a growing file, and closes it with itself."""

    def __init__(self, sink: Sink, file: GrowingFile, *, tail: Callable[[], str] | None = None) -> None:
        self._sink = sink
        self._file = file
        self._tail = tail  # what is open, as it stands

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        if isinstance(event, Opened):
            self._file.append("")  # an old file of this name ends where the stream begins
        self._sink.handle(event)
        if self._tail is not None and isinstance(event, Final):
            self._file.append("", self._tail())

    def tick(self, now: float) -> None:
        """Act on the time."""
        self._sink.tick(now)

    def close(self) -> None:
        """Write the rest. Raises `OutputError`."""
        try:
            self._sink.close()
        finally:
            self._file.close()


class CaptionFile:
    """A caption file: settled cues for good, and behind them, as the tail, those that may still change."""

    def __init__(self, path: Path, format_: Format, options: RenderSettings) -> None:
        self._file = GrowingFile(path)
        self._blocks = CaptionBlocks(format_, options)
        self._begun = self._closed = False
        self._previewed = -math.inf  # seconds of the stream

    def _put(self, text: str, tail: str = "") -> None:
        if not self._begun:
            self._begun = True
            text = self._blocks.header + text
        self._file.append(text, tail + self._blocks.footer)
        self._blocks.check()

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        match event:
            case Opened() if not self._begun:
                self._put("")
            case Final():
                settled = self._blocks.take(event)
                ends = event.speech_final or event.from_finalize
                is_late = event.end - self._previewed >= _PREVIEW
                if settled or (event.text and (ends or is_late)):
                    self._previewed = event.end
                    self._put(settled, self._blocks.preview())
            case Interim():
                if settled := self._blocks.heard(event):
                    self._put(settled, self._blocks.preview())
            case UtteranceEnd(last_word_end=end) if end < 0:
                pass
            case UtteranceEnd() | Notice(kind=NoticeKind.DROPPED | NoticeKind.STOPPING):
                self._put("", self._blocks.preview())
            case Notice(kind=NoticeKind.MARKER):
                self._put(self._blocks.mark(event), self._blocks.preview())

    def tick(self, now: float) -> None:
        """Write what has waited long enough although no result comes. Raises `OutputError`."""
        if settled := self._blocks.tick(now):
            self._put(settled, self._blocks.preview())

    def close(self) -> None:
        """Write the cues that were waiting for what comes next. Raises `OutputError`."""
        if self._closed:
            return
        self._closed = True
        try:
            rest = self._blocks.finish()
            if rest or self._begun:
                text, self._begun = ("" if self._begun else self._blocks.header) + rest, True
                self._file.append(text + self._blocks.footer)
        finally:
            self._file.close()


def _is_events(path: Path) -> bool:
    """Whether a file keeps the events themselves; `.words.jsonl` is a format."""
    name = path.name.lower()
    return name.endswith(".jsonl") and not name.endswith(".words.jsonl")


def check_files(files: list[Path], source: Path | None = None) -> None:
    """Refuse what certainly cannot be written, before anything is sent. Raises `UsageError`, `OutputError`.

    `source` is a file that must not be overwritten.
    """
    known = [path for path in files if not (_is_events(path) or is_playlist(path))]
    for path in known:
        try:
            by_suffix(path)
        except UsageError as error:
            suffixes = ", ".join(suffix for format_ in FORMATS for suffix in format_.suffixes)
            raise UsageError(error.message, hint=f"Suffixes: {suffixes}, .m3u8, .jsonl.") from None
    check_paths(files, source=source)


def file_sink(path: Path, options: RenderSettings, *, timestamps: bool = False) -> Sink:
    """The sink that the suffix of `path` stands for. Raises `UsageError` for an unknown one."""
    if is_playlist(path):
        from dgcli.sinks.playlist import PlaylistSink

        return PlaylistSink(path, options)
    file = GrowingFile(path)
    if _is_events(path):
        return _Whole(JsonlSink(file.append), file)
    format_ = by_suffix(path)
    match format_.name:
        case "text":
            lines = LinesSink(file.append, options, timestamps=timestamps)
            return _Whole(lines, file, tail=lines.running)
        case "json":
            return ResponseSink(path)
    match format_.grows:
        case "cues":
            return CaptionFile(path, format_, options)
        case "words":
            return _Whole(WordsSink(file.append, format_, options), file)
        case grows:
            if path.exists() and not path.is_file():
                raise OutputError(f"{path} is no file: {format_.name} is written as a whole.")
            make = TurnsFile if grows == "turns" else RenderedFile
            return make(path, format_, options.beside(path.parent))
