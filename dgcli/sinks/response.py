"""A stream as a file of the shape of a prerecorded response, so that every format works on it.

While the stream runs, the utterances are a list that grows in place, one on a line, the open ones last, and the
channels are empty (`dgcli.transcript.parse` fills them from the utterances if it comes to that). At the end the file is
written once more, whole: what each channel said comes before the utterances then, as in a response.
Source of the shape: Deepgram reference, "Transcribe - Local file".
"""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from dgcli.errors import OutputError
from dgcli.output.growing import GrowingFile
from dgcli.sinks.about import About, dumps
from dgcli.transcript.events import Closed, Event, Final, Opened
from dgcli.transcript.utterances import Utterance, Utterances, utterance_object

_HEAD = '{"results":{"utterances":[\n'


class ResponseSink:
    """Keeps a stream as a response."""

    def __init__(self, path: Path) -> None:
        self._file = GrowingFile(path)
        self._path = path
        self._utterances = Utterances()
        self._about = About()
        self._count = 0
        self._begun = False
        self._closed = False

    def _lines(self, utterances: list[Utterance]) -> str:
        """Utterances as lines that follow those that are in the file."""
        return "".join(
            ("," if number else "") + dumps(utterance_object(utterance)) + "\n"
            for number, utterance in enumerate(utterances, self._count)
        )

    def _tail(self) -> str:
        """What follows the utterances that have ended: those that are open, as they stand, and the end."""
        open_ones = map(self._utterances.running, self._utterances.running_channels)
        running = self._lines([utterance for utterance in open_ones if utterance is not None])
        empty = {"alternatives": [{"transcript": "", "confidence": 0.0, "words": []}]}
        channels, about = dumps([empty] * self._about.channels), dumps(self._about.metadata)
        return f'{running}],"channels":{channels}}},"metadata":{about}}}\n'

    def _put(self, ended: list[Utterance]) -> None:
        """Add utterances to the list, and put the end of the file behind them."""
        text = ("" if self._begun else _HEAD) + self._lines(ended)
        self._begun = True
        self._count += len(ended)
        self._file.append(text, self._tail())

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        self._about.take(event)
        ended = self._utterances.take(event)
        if ended or isinstance(event, Opened | Closed) or (isinstance(event, Final) and event.text):
            self._put(ended)

    def tick(self, now: float) -> None:
        """End what has been open for long. Raises `OutputError`."""
        if ended := self._utterances.tick(now):
            self._put(ended)

    def close(self) -> None:
        """Write the rest, and the file once more in its final shape. Raises `OutputError`."""
        if self._closed:
            return
        self._closed = True
        self._put(self._utterances.finish())
        self._file.close()
        if self._path.is_file():  # a pipe cannot be written twice
            self._finish()

    def _stored(self, channel: int | None = None) -> Iterator[dict[str, Any]]:
        """The utterances in the file, of one channel or of all, one at a time."""
        with self._path.open(encoding="utf-8", errors="surrogateescape") as file:
            next(file)
            for text in file:
                if text.startswith("]"):
                    return
                utterance = json.loads(text.removeprefix(","))
                if channel is None or utterance["channel"] == channel:
                    yield utterance

    def _finish(self) -> None:
        """Write the whole response beside the file and put it in its place; memory stays flat."""
        target = self._path.resolve()
        part = target.with_name(f".dg-{uuid.uuid4().hex[:8]}.part")
        try:
            with part.open("x", encoding="utf-8", errors="surrogateescape") as file:
                part.chmod(target.stat().st_mode & 0o7777)
                self._write_whole(file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise OutputError(
                f"{self._path} could not be put into its final shape: {error.strerror}.",
                hint="It is complete and can be rendered as it is.",
            ) from error

    def _write_whole(self, file: TextIO) -> None:
        file.write(f'{{"metadata":{dumps(self._about.metadata)},\n"results":{{"channels":[')
        for channel in range(self._about.channels):
            file.write(("," if channel else "") + '{"alternatives":[{"words":[')
            total, count = 0.0, 0
            for utterance in self._stored(channel):
                for word in utterance["words"]:
                    file.write(("," if count else "") + "\n" + dumps(word))
                    total, count = total + word.get("confidence", 0.0), count + 1
            file.write('],"transcript":"')
            for number, utterance in enumerate(self._stored(channel)):  # again: hours of it are much to hold
                file.write((" " if number else "") + dumps(utterance["transcript"])[1:-1])
            confidence = round(total / count, 6) if count else 0.0
            file.write(f'","confidence":{confidence}}}]}}')
        file.write('],\n"utterances":[')
        for number, utterance in enumerate(self._stored()):
            file.write(("," if number else "") + "\n" + dumps(utterance))
        file.write("]}}\n")
