"""Files of formats that are written as a whole: valid while the stream runs, and complete when it ends."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from dgcli.errors import DgError
from dgcli.formats import Format, RenderSettings, grower, renderer
from dgcli.formats.growing import TurnWriter
from dgcli.output.files import write_file
from dgcli.output.growing import GrowingFile
from dgcli.output.kept import keep_response, name_kept
from dgcli.output.stdout import write_stdout
from dgcli.sinks.about import dumps
from dgcli.sinks.spool import WordSpool
from dgcli.transcript.events import Event, Final, Opened
from dgcli.transcript.model import Segment
from dgcli.transcript.response import parse
from dgcli.transcript.utterances import Utterance, as_saved

_SHORTEST = 2.0  # seconds between two renderings of a stream that goes on
_SHARE = 20  # times what a rendering took: so it costs 5 % of the time, however long the stream is


class RenderedFile:
    """A format that does not grow: written anew while the stream runs, at growing intervals, and at its end.

    `path`: None is standard output, which is written at the end only.
    """

    def __init__(
        self,
        path: Path | None,
        format_: Format,
        options: RenderSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._format = format_
        self._options = options
        self._clock = clock
        self._spool = WordSpool()
        self._begun = self._closed = self._changed = False
        self._next = -math.inf  # when it may be written again

    def _rendered(self) -> bytes:
        transcript = parse(self._spool.response())
        return renderer(self._format)(transcript, self._options).encode("utf-8", "surrogateescape")

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        self._begun = True
        self._spool.take(event)
        self._changed = self._changed or isinstance(event, Opened | Final)

    def tick(self, now: float) -> None:
        """Write what is there, when it is time for it. Raises `OutputError`."""
        self._spool.tick(now)
        if self._path is None or not self._changed or now < self._next:
            return
        self._changed = False
        began = self._clock()
        write_file(self._path, self._rendered(), durable=False)
        self._next = now + max(_SHORTEST, _SHARE * (self._clock() - began))

    def close(self) -> None:
        """Render and write. Raises `OutputError` and `BrokenPipe`, with the response put aside."""
        if self._closed:
            return
        self._closed = True
        self._spool.finish()
        if not self._begun:
            return
        try:
            data = self._rendered()
            if self._path is None:
                write_stdout(data)
            else:
                write_file(self._path, data)
        except DgError as error:
            body = dumps(self._spool.response()).encode("utf-8", "surrogatepass")
            name_kept(error, keep_response(body, "live", name="live"))
            raise


class TurnsFile(RenderedFile):
    """A page or document that grows utterance by utterance, and at the end has what only the whole tells."""

    def __init__(self, path: Path, format_: Format, options: RenderSettings) -> None:
        super().__init__(path, format_, options)
        self._writer = cast(TurnWriter, grower(format_, options))
        self._file = GrowingFile(path)

    def _text(self, utterances: list[Utterance]) -> str:
        return "".join(
            self._writer.turn(
                Segment(item.text, tuple(map(as_saved, item.words)), item.channel, item.speaker),
                self._spool.channels > 1,
            )
            for item in utterances
        )

    def _put(self, ended: list[Utterance]) -> None:
        """Add utterances for good, and behind them those that are open, as they stand."""
        head = "" if self._begun else self._writer.header
        self._begun = True
        self._file.append(head + self._text(ended), self._text(self._spool.running()) + self._writer.footer)

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        ended = self._spool.take(event)
        if ended or isinstance(event, Opened | Final):
            self._put(ended)

    def tick(self, now: float) -> None:
        """End what has been open for long. Raises `OutputError`."""
        if ended := self._spool.tick(now):
            self._put(ended)

    def close(self) -> None:
        """Write the whole in place of what grew. Raises `OutputError`, with the response put aside."""
        try:
            self._file.close()
        finally:
            super().close()
