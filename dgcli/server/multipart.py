"""A multipart/form-data body (RFC 7578): its file goes to disk as it comes, its other fields into memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from dgcli.server.receive import Received, Spool

_BLOCK = 1 << 20  # bytes that are collected before a thread parses and writes them
_MAX_FIELDS = 1 << 20  # bytes of all fields that are no file
_MAX_PARTS = 200


class MalformedError(Exception):
    """The body is no form."""


@dataclass(frozen=True, slots=True)
class FormData:
    """What a form holds: the values of each field, and the file."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    file: Received | None = None

    def text(self, name: str) -> str | None:
        """Return the last value of a field, or None."""
        values = self.fields.get(name)
        return values[-1] if values else None

    def many(self, name: str) -> Sequence[str]:
        """Return every value of a field, written as `name` or as `name[]`."""
        return [*self.fields.get(name, []), *self.fields.get(f"{name}[]", [])]


class _Reader:
    """Takes what the parser finds; every method may block."""

    def __init__(self, boundary: bytes, file_field: str, spool: Spool, most: int) -> None:
        self._file_field = file_field
        self._spool = spool
        self._most = most
        self._header = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._name: str | None = None
        self._value = bytearray()
        self._held = 0  # bytes of fields
        self._parts = 0
        self.fields: dict[str, list[str]] = {}
        self.file_came = False
        self.ended = False
        callbacks: Any = {
            "on_part_begin": self._part_begins,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def write(self, data: bytes) -> None:
        """Parse a block. Raises MalformedError, and ErrorAnswer (413) when the file is too long."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedError(str(error)) from error

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise MalformedError("It has too many parts.")
        self._headers.clear()
        self._value.clear()
        self._name = None

    def _header_ends(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        name.clear()
        value.clear()

    def _headers_end(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise MalformedError("A part has no name.")
        self._name = options[b"name"].decode("utf-8", "replace")
        if self._name == self._file_field:
            if self.file_came:
                raise MalformedError("It has more than one file.")
            self.file_came = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == self._file_field:
            self._spool.write(data[start:end])
            return
        self._held += end - start
        if self._held > self._most:
            raise MalformedError("Its fields are too long.")
        self._value += data[start:end]

    def _part_ends(self) -> None:
        if self._name is not None and self._name != self._file_field:
            self.fields.setdefault(self._name, []).append(self._value.decode("utf-8", "replace"))

    def _end(self) -> None:
        self.ended = True


async def read_form(
    content_type: str,
    chunks: AsyncIterator[bytes],
    path: Path,
    *,
    file_field: str,
    limit: int,
    most_of_fields: int = _MAX_FIELDS,
) -> FormData:
    """Read a form whose `file_field` is written to `path`; its other fields are `most_of_fields` bytes at most.

    Raises MalformedError, and ErrorAnswer (413) when the file is longer than `limit` bytes.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise MalformedError("The body must be multipart/form-data.")
    spool = Spool(path, limit)
    pending = bytearray()
    try:
        try:
            reader = _Reader(boundary, file_field, spool, most_of_fields)
        except FormParserError as error:
            raise MalformedError(str(error)) from error
        async for chunk in chunks:
            pending += chunk
            if len(pending) >= _BLOCK:
                block, pending = pending, bytearray()
                await asyncio.to_thread(reader.write, bytes(block))
        await asyncio.to_thread(reader.write, bytes(pending))
    finally:
        received = spool.close()
    if not reader.ended:
        raise MalformedError("It ends before its last boundary.")
    return FormData(reader.fields, received if reader.file_came else None)
