"""A stream as a file of the shape of a prerecorded response, so that every format works on it.

While the stream runs, the utterances are a list that grows in place, one on a line, and the channels are
empty (`dgcli.transcript.parse` fills them from the utterances if it comes to that). At the end the file is
written once more, whole: what each channel said comes before the utterances then, as in a response.
Source of the shape: Deepgram reference, "Transcribe - Local file".
"""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from dgcli.errors import OutputError
from dgcli.output.growing import GrowingFile
from dgcli.transcript.events import Closed, Event, Final, Metadata, Notice, NoticeKind, Opened
from dgcli.transcript.utterances import Utterance, Utterances, utterance_object

_HEAD = '{"results":{"utterances":[\n'


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class ResponseSink:
    """Keeps a stream as a response."""

    def __init__(self, path: Path) -> None:
        self._file = GrowingFile(path)
        self._path = path
        self._utterances = Utterances()
        self._channels = 1
        self._count = 0
        self._begun = False
        self._closed = False
        self._metadata: dict[str, Any] = {
            "transaction_key": "deprecated",
            "request_id": None,
            "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration": 0.0,
            "channels": 1,
        }

    def _tail(self) -> str:
        empty = {"alternatives": [{"transcript": "", "confidence": 0.0, "words": []}]}
        return f'],"channels":{_dumps([empty] * self._channels)}}},"metadata":{_dumps(self._metadata)}}}\n'

    def _put(self, ended: list[Utterance]) -> None:
        """Add utterances to the list, and put the end of the file behind them."""
        if not ended and self._begun:
            return
        lines = []
        for utterance in ended:
            self._count += 1
            lines.append(("," if self._count > 1 else "") + _dumps(utterance_object(utterance)) + "\n")
        head = "" if self._begun else _HEAD
        self._begun = True
        self._file.append(head + "".join(lines), self._tail())

    def _note(self, event: Event) -> None:
        """Collect what the metadata is made of."""
        about = self._metadata
        match event:
            case Opened():
                about["request_id"] = about["request_id"] or event.request_id
            case Final():
                self._channels = about["channels"] = max(self._channels, event.channels)
                about["duration"] = max(about["duration"], round(event.end, 3))
                info = event.raw.get("metadata")
                if isinstance(info, Mapping) and "model_uuid" in info and "models" not in about:
                    about["models"] = [info["model_uuid"]]
                    about["model_info"] = {info["model_uuid"]: info.get("model_info")}
            case Metadata():
                for name in ("models", "model_info", "tags", "extra", "warnings"):
                    if name in event.raw:
                        about[name] = event.raw[name]
            case Notice(kind=NoticeKind.MARKER):  # an addition of ours: what reads responses leaves it alone
                about.setdefault("markers", []).append({"start": event.start, "label": event.message})
            case Closed():
                about["duration"] = max(about["duration"], round(event.audio_seconds, 3))

    def handle(self, event: Event) -> None:
        """Take the next event. Raises `OutputError`."""
        self._note(event)
        ended = self._utterances.take(event)
        if ended or isinstance(event, Opened | Closed):
            self._put(ended)

    def tick(self, now: float) -> None:
        """End what has been open for long. Raises `OutputError`."""
        self._put(self._utterances.tick(now))

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
            with part.open("w", encoding="utf-8", errors="surrogateescape") as file:
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
        file.write(f'{{"metadata":{_dumps(self._metadata)},\n"results":{{"channels":[')
        for channel in range(self._channels):
            file.write(("," if channel else "") + '{"alternatives":[{"words":[')
            total, count = 0.0, 0
            for utterance in self._stored(channel):
                for word in utterance["words"]:
                    file.write(("," if count else "") + "\n" + _dumps(word))
                    total, count = total + word.get("confidence", 0.0), count + 1
            file.write('],"transcript":"')
            for number, utterance in enumerate(self._stored(channel)):  # again: hours of it are much to hold
                file.write((" " if number else "") + _dumps(utterance["transcript"])[1:-1])
            confidence = round(total / count, 6) if count else 0.0
            file.write(f'","confidence":{confidence}}}]}}')
        file.write('],\n"utterances":[')
        for number, utterance in enumerate(self._stored()):
            file.write(("," if number else "") + "\n" + _dumps(utterance))
        file.write("]}}\n")
