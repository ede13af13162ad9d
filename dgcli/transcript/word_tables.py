"""Words in a table: the csv, tsv and words.jsonl that this program writes, read back as a response.

A speaker who has a name there gets a number, in the order in which names come; the transcript knows the names.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dgcli.errors import ApiError
from dgcli.transcript.json_values import seconds, string, whole
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import MOST_CHANNELS, parse

_NEEDED = frozenset(["start", "end", "word"])
# A cell that a spreadsheet would run has an apostrophe before it.
_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")

Json = Mapping[str, Any]


def _delimiter(header: bytes) -> str:
    return "\t" if b"\t" in header else ","


def is_table(first: bytes) -> bool:
    """Return whether a first line is the header of a table of words."""
    names = first.removeprefix(b"\xef\xbb\xbf").decode("ascii", "replace").strip()
    return {name.strip('"') for name in names.split(_delimiter(first))} >= _NEEDED


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


class _Speakers:
    """Numbers of speakers; those that have names come after the ones that have numbers."""

    def __init__(self, cells: Iterable[object]) -> None:
        seen = dict.fromkeys(cells)
        numbers = [number for cell in seen if (number := self._number(cell)) is not None]
        names = [cell for cell in seen if isinstance(cell, str) and cell and self._number(cell) is None]
        free = (number for number in range(len(seen) + len(numbers) + 1) if number not in numbers)
        self._named = dict(zip(names, free, strict=False))
        self.names = {number: name for name, number in self._named.items()}

    @staticmethod
    def _number(cell: object) -> int | None:
        if isinstance(cell, str):
            return int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 9 else None
        return whole(cell)

    def number(self, cell: object) -> int | None:
        """Return the number of a speaker; `None` where there is none."""
        known = self._number(cell)
        return self._named.get(cell) if known is None and isinstance(cell, str) else known


def _channel(cell: object) -> int:
    if isinstance(cell, str) and cell.isdecimal():
        return (
            int(cell) if len(cell) < 10 else MOST_CHANNELS
        )  # more digits than Python may be willing to read
    return whole(cell) or 0


def _word(row: Json, speakers: _Speakers) -> Json:
    fields: dict[str, Any] = {"word": string(row.get("word"))}
    for name in ("start", "end", "confidence"):
        value = seconds(row.get(name))
        if value == value:
            fields[name] = value
    for name in ("punctuated_word", "language"):
        if text := string(row.get(name)):
            fields[name] = text
    if (speaker := speakers.number(row.get("speaker"))) is not None:
        fields["speaker"] = speaker
    return fields


def parse_objects(rows: Iterable[Json]) -> Transcript:
    """Return the transcript of words, an object each. Raises `ApiError` for channels that no recording has."""
    kept = list(rows)
    speakers = _Speakers(row.get("speaker") for row in kept)
    channels: dict[int, list[Json]] = {}
    for row in kept:
        channel = _channel(row.get("channel"))
        if not 0 <= channel < MOST_CHANNELS:
            raise ApiError(f"A word is of channel {channel}, which no recording has.")
        channels.setdefault(channel, []).append(_word(row, speakers))
    response = {
        "metadata": {},
        "results": {
            "channels": [
                {
                    "alternatives": [
                        {
                            "transcript": " ".join(
                                word.get("punctuated_word") or word["word"]
                                for word in channels.get(number, [])
                            ),
                            "words": channels.get(number, []),
                        }
                    ]
                }
                for number in range(max(channels, default=0) + 1)
            ]
        },
    }
    return replace(parse(response), given_names=speakers.names or None)


def _rows(body: bytes) -> Iterator[Json]:
    try:
        text = body.decode("utf-8-sig", "surrogateescape")
        first = body.lstrip().partition(b"\n")[0]
        table = (
            csv.DictReader(text.lstrip().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
            if _delimiter(first) == "\t"
            else csv.DictReader(text.lstrip().split("\n"))
        )
        for row in table:
            yield {
                name: _plain(cell) if isinstance(cell, str) else cell for name, cell in row.items() if name
            }
    except csv.Error as error:
        raise ApiError(f"The table cannot be read: {error}.") from None


def parse_table(body: bytes) -> Transcript:
    """Return the transcript of words in comma-separated or tab-separated values, under a header. Raises `ApiError`."""
    return parse_objects(_rows(body))
