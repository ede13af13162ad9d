"""`-o NAME`: files that grow while a stream runs, by the suffix of their name."""

import tempfile
from pathlib import Path

from dgcli.errors import DgError, OutputError, UsageError
from dgcli.formats import FORMATS, Format, RenderSettings, by_suffix, renderer
from dgcli.output.files import write_file
from dgcli.output.growing import GrowingFile
from dgcli.output.kept import keep_response, name_kept
from dgcli.output.plan import check_paths
from dgcli.output.stdout import write_stdout
from dgcli.sinks.base import Sink
from dgcli.sinks.captions import CaptionBlocks
from dgcli.sinks.jsonl import JsonlSink
from dgcli.sinks.lines import LinesSink
from dgcli.sinks.response import ResponseSink
from dgcli.transcript.events import Event, Final, Notice, NoticeKind, Opened, UtteranceEnd


class _Whole:
    """A sink that writes into a growing file, and closes it with itself."""

    def __init__(self, sink: Sink, file: GrowingFile) -> None:
        self._sink = sink
        self._file = file

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        if isinstance(event, Opened):
            self._file.append("")  # an old file of this name ends where the stream begins
        self._sink.handle(event)

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

    def __init__(self, path: Path, format_name: str, options: RenderSettings) -> None:
        self._file = GrowingFile(path)
        self._blocks = CaptionBlocks(format_name, options)
        self._begun = False

    def _put(self, text: str, tail: str = "") -> None:
        if not self._begun:
            self._begun = True
            text = self._blocks.header + text
        self._file.append(text, tail)

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        match event:
            case Opened() if not self._begun:
                self._put("")
            case Final():
                settled = self._blocks.take(event)
                if settled or (event.text and (event.speech_final or event.from_finalize)):
                    self._put(settled, self._blocks.preview())
            case UtteranceEnd(last_word_end=end) if end < 0:
                pass
            case UtteranceEnd() | Notice(kind=NoticeKind.DROPPED | NoticeKind.STOPPING):
                self._put("", self._blocks.preview())
            case Notice(kind=NoticeKind.MARKER):
                self._put(self._blocks.mark(event), self._blocks.preview())

    def tick(self, now: float) -> None:
        """Do nothing: cues depend on the words' own time only."""

    def close(self) -> None:
        """Write the cues that were waiting for what comes next. Raises `OutputError`."""
        try:
            if text := self._blocks.finish():
                self._put(text)
        finally:
            self._file.close()


class RenderedFile:
    """A format that can only be written at the end: collected as a response until then."""

    def __init__(self, path: Path | None, format_: Format, options: RenderSettings) -> None:
        self._path = path  # None: standard output
        self._format = format_
        self._options = options
        self._folder = tempfile.TemporaryDirectory(prefix="dg-")
        self._spool = Path(self._folder.name) / "stream.json"
        self._sink = ResponseSink(self._spool)
        self._closed = False

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        self._sink.handle(event)

    def tick(self, now: float) -> None:
        """Act on the time."""
        self._sink.tick(now)

    def close(self) -> None:
        """Render and write. Raises `OutputError` and `BrokenPipe`, with the response put aside."""
        from dgcli.transcript.response import parse_body

        if self._closed:
            return
        self._closed = True
        try:
            self._sink.close()
            if not self._spool.exists():
                return
            body = self._spool.read_bytes()
            try:
                transcript = parse_body(body)
                text = renderer(self._format)(transcript, self._options)
                data = text.encode("utf-8", "surrogateescape")
                if self._path is None:
                    write_stdout(data)
                else:
                    write_file(self._path, data)
            except DgError as error:
                name_kept(error, keep_response(body, "live", name="live"))
                raise
        finally:
            self._folder.cleanup()


def _is_events(path: Path) -> bool:
    """Whether a file keeps the events themselves; `.words.jsonl` is a format."""
    name = path.name.lower()
    return name.endswith(".jsonl") and not name.endswith(".words.jsonl")


def check_files(files: list[Path], source: Path | None = None) -> None:
    """Refuse what certainly cannot be written, before anything is sent. Raises `UsageError`, `OutputError`.

    `source` is a file that must not be overwritten.
    """
    known = [path for path in files if not _is_events(path)]
    for path in known:
        try:
            by_suffix(path)
        except UsageError as error:
            suffixes = ", ".join(suffix for format_ in FORMATS for suffix in format_.suffixes)
            raise UsageError(error.message, hint=f"Suffixes: {suffixes}, .jsonl.") from None
    check_paths(files, source=source)


def file_sink(path: Path, options: RenderSettings, *, timestamps: bool = False) -> Sink:
    """The sink that the suffix of `path` stands for. Raises `UsageError` for an unknown one."""
    file = GrowingFile(path)
    if _is_events(path):
        return _Whole(JsonlSink(file.append), file)
    format_ = by_suffix(path)
    match format_.name:
        case "text":
            return _Whole(LinesSink(file.append, options, timestamps=timestamps), file)
        case "json":
            return ResponseSink(path)
        case "srt" | "vtt":
            return CaptionFile(path, format_.name, options)
        case _:
            if path.exists() and not path.is_file():
                raise OutputError(f"{path} is no file: {format_.name} is written as a whole.")
            return RenderedFile(path, format_, options.beside(path.parent))
