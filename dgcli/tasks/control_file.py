"""`--control`: lines of JSON, from a named pipe or a file that grows, that act on a running stream.

    {"type": "configure", "keyterms": ["Deepgram", "Nova"], "numerals": true}
    {"type": "finalize"}          {"type": "finalize", "channel": 1}
    {"type": "marker", "label": "Question 2"}
    {"type": "pause"}             {"type": "resume"}             {"type": "stop"}

There is no thread for this: a named pipe is opened so that reading never waits, and whoever drives the stream looks
into it ten times a second. A pipe stays open here, so any number of writers may come and go.
"""

import json
import os
import select
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dgcli.errors import UsageError
from dgcli.tasks.actions import Actions

_LONGEST = 1 << 16  # bytes of a line
_BLOCK = 1 << 16  # bytes read at once, as many as a pipe holds
_SKIPPING = 0.05  # seconds in which the rest of a line that is too long is read on


class ControlFile:
    """The lines of a named pipe or of a growing file. Raises `UsageError` for what is neither."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(
                path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            )
        except FileNotFoundError:
            raise UsageError(
                f"There is no {path} for --control.",
                hint=f"Make a named pipe, or an empty file: mkfifo {path}",
            ) from None
        except OSError as error:
            raise UsageError(f"--control {path} cannot be read: {error.strerror}.") from error
        mode = os.fstat(self._descriptor).st_mode
        self._is_pipe = stat.S_ISFIFO(mode)
        if not (self._is_pipe or stat.S_ISREG(mode)):
            os.close(self._descriptor)
            raise UsageError(f"--control takes a named pipe or a file, and {path} is neither.")
        self._rest = b""  # of a line whose end has not come
        self._number = 1  # of the line that comes next
        self._skips = False  # the rest of a line that is too long

    def _read(self) -> bytes | None:
        """Read what there is; None: nothing now, empty: every writer has gone, or the end of the file."""
        try:
            if not self._is_pipe and os.fstat(self._descriptor).st_size < os.lseek(
                self._descriptor, 0, os.SEEK_CUR
            ):
                os.lseek(self._descriptor, 0, os.SEEK_SET)  # it was emptied: it begins anew
                self._rest, self._number, self._skips = b"", 1, False
            return os.read(self._descriptor, _BLOCK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _lines(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            number, self._number = self._number, self._number + 1
            if self._skips:
                self._skips = False
            else:
                yield number, line
        if len(self._rest) > _LONGEST:
            if not self._skips:
                yield self._number, self._rest
            self._rest, self._skips = b"", True

    def _ended(self) -> Iterator[tuple[int, bytes]]:
        """The last line without its end: of a pipe whose writers have gone, or an object that is whole."""
        rest = self._rest.strip()
        if self._skips:
            if self._is_pipe:  # what a next writer says is a line of its own
                self._number, self._rest, self._skips = self._number + 1, b"", False
            return
        if not rest:
            return
        if self._is_pipe or (rest.endswith(b"}") and _is_json(rest)):
            yield self._number, rest
            # The end of this line is still to come in a file, and begins the next one in a pipe.
            self._number += self._is_pipe
            self._rest = b""

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines that have come since the last call, with their numbers.

        Never waits, but for the rest of a line that is too long, and for that no longer than `_SKIPPING`: a pipe gives
        it in small portions, and what follows would have to wait for each of them.
        """
        until = time.monotonic() + _SKIPPING
        while True:
            data = self._read()
            if data:
                yield from self._lines(data)
            elif data == b"":
                yield from self._ended()
                return
            left = until - time.monotonic()
            if not self._skips or left <= 0 or not (data or self._has_more(left)):
                return

    def _has_more(self, seconds: float) -> bool:
        return bool(select.select([self._descriptor], [], [], seconds)[0])

    def close(self) -> None:
        """Leave the pipe or file."""
        os.close(self._descriptor)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _objects(line: bytes) -> Iterator[Mapping[str, Any]]:
    """The objects of a line: several where a writer left out the end of its line. Raises `UsageError`."""
    if len(line) > _LONGEST:
        raise UsageError(f"it is longer than {_LONGEST} bytes.")
    try:
        text, at = line.decode().strip(), 0
        while at < len(text):
            message, at = json.JSONDecoder().raw_decode(text, at)
            if not isinstance(message, dict):
                break
            yield message
            at += len(text[at:]) - len(text[at:].lstrip())
        else:
            return
    except (ValueError, RecursionError):
        pass
    raise UsageError('it is no JSON object such as {"type": "pause"}.')


def _finalize(actions: Actions, channel: object = None) -> None:
    if channel is not None and (not isinstance(channel, int) or isinstance(channel, bool) or channel < 0):
        raise UsageError(f"channel takes a number from 0 on, not {channel!r}.")
    actions.finalize(channel)


def _mark(actions: Actions, label: object = "") -> None:
    if not isinstance(label, str):
        raise UsageError(f"label takes text, not {label!r}.")
    actions.mark(label)


# Each type with its fields, and what it does.
_TYPES: Mapping[str, tuple[tuple[str, ...], Callable[..., None]]] = {
    "configure": (("keyterms", "numerals", "features", "thresholds", "language_hints"), Actions.configure),
    "finalize": (("channel",), _finalize),
    "marker": (("label",), _mark),
    "pause": ((), Actions.pause),
    "resume": ((), Actions.resume),
    "stop": ((), Actions.stop),
}


def _obey(message: Mapping[str, Any], actions: Actions) -> None:
    """Do what an object says. Raises `UsageError`."""
    kind = message.get("type")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise UsageError(f"type must be {', '.join(list(_TYPES)[:-1])} or stop, not {kind!r}.")
    fields, act = _TYPES[kind.lower()]
    given = {name: value for name, value in message.items() if name != "type"}
    for name in given:
        if name not in fields:
            known = f"its fields are {', '.join(fields)}" if fields else "it has no fields"
            raise UsageError(f"{kind.lower()} has no {name!r}: {known}.")
    act(actions, **given)


def obey(file: ControlFile, actions: Actions) -> None:
    """Do what has been written to a control file since the last time; what is invalid is told with its line."""
    for number, line in file.lines():
        if not line.strip():
            continue
        try:
            for message in _objects(line):
                _obey(message, actions)
        except UsageError as error:
            actions.complain(f"{file.path}, line {number}: {error.message}")
