"""An entry of the history: what an answer is about, and the line of JSON in which that is kept beside it."""

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from datetime import datetime

ABOUT = ".about"  # the suffix of the file of the facts


class EntryKind(enum.Enum):
    """What an entry holds."""

    RESPONSE = "response"
    EVENTS = "events"  # of a stream
    BATCH = "batch"  # nothing itself: its answers lie in the ledgers of some folders


SUFFIXES = {EntryKind.RESPONSE: ".json", EntryKind.EVENTS: ".jsonl"}


class Facts(NamedTuple):
    """What an answer is about: the recording's name, who was asked what; `duration` is seconds of audio."""

    name: str
    server: str = ""
    query: str = ""
    request_id: str | None = None
    duration: float | None = None

    def answered_by(self, model: object) -> "Facts":
        """The same with the model that answered, where that is a recogniser of this machine: never the API's."""
        if self.server != "local" or not isinstance(model, str) or not model:
            return self
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return self._replace(
            query=urlencode([(key, model if key == "model" else value) for key, value in pairs])
        )


class HistoryEntry(NamedTuple):
    """An entry. `size` and `sha256` are of the answer, None while it grows; `folders` are those of
    the ledgers of a batch, `recordings` how many answers of it they hold."""

    folder: Path
    stem: str
    kind: EntryKind
    facts: Facts
    size: int | None = None
    sha256: str | None = None
    keys: tuple[str, ...] = ()
    recordings: int = 1
    folders: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file of the answer; of a batch, that of the facts."""
        return self.folder / (self.stem + SUFFIXES.get(self.kind, ABOUT))

    @property
    def created(self) -> "datetime":
        """The time of the answer."""
        from datetime import UTC, datetime

        return datetime.strptime(self.stem.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)

    def line(self) -> bytes:
        """Return the facts as a line of JSON, as `read_entry` reads them."""
        facts = self.facts
        values: dict[str, Any] = {
            "kind": self.kind.value,
            "name": facts.name,
            "server": facts.server,
            "query": facts.query,
            "request_id": facts.request_id,
            "duration": facts.duration,
            "size": self.size,
            "sha256": self.sha256,
            "keys": self.keys,
        }
        if self.kind is EntryKind.BATCH:
            values |= {"recordings": self.recordings, "folders": self.folders}
        return json.dumps(values).encode("ascii") + b"\n"


def _typed(values: dict[str, Any], name: str, *kinds: type) -> Any:
    value = values.get(name)
    if not isinstance(value, kinds):
        raise TypeError(f"{name} is {value!r}"[:80])
    return value


def _texts(values: dict[str, Any], name: str) -> tuple[str, ...]:
    listed = values.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise TypeError(f"{name} is {listed!r}"[:80])
    return tuple(listed)


def read_entry(folder: Path, stem: str, line: bytes) -> HistoryEntry:
    """Read the facts of an entry. Raises `ValueError` and `TypeError` for what is none."""
    values = json.loads(line)
    if not isinstance(values, dict):
        raise TypeError("no object")
    none = type(None)
    return HistoryEntry(
        folder=folder,
        stem=stem,
        kind=EntryKind(values.get("kind")),
        facts=Facts(
            name=_typed(values, "name", str),
            server=_typed(values, "server", str),
            query=_typed(values, "query", str),
            request_id=_typed(values, "request_id", str, none),
            duration=_typed(values, "duration", int, float, none),
        ),
        size=_typed(values, "size", int, none),
        sha256=_typed(values, "sha256", str, none),
        keys=_texts(values, "keys"),
        recordings=_typed({"recordings": 1, **values}, "recordings", int),
        folders=_texts(values, "folders"),
    )
