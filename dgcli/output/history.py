"""The history: answers that were paid for, kept in the state folder, since the API keeps none.

Each has files of its own, readable by their owner only and written whole or not at all; so any number of
processes keep answers at once without locks. A name begins with the time, in UTC:

    20261124T224200123456Z-ID.json     the API's answer, byte for byte
    20261124T224200123456Z-ID.jsonl    the event log of a stream, which grows while that runs
    20261124T224200123456Z-ID.about    a line of JSON: what was asked, and the digest of the answer (`HistoryEntry`)
    20261124T224200123456Z-ID.txt      text that neither standard output nor a file took
    keys/2f...                         the name of the entry that is kept under a key
    claims/2f...                       held by a process that asks for the answer of a key now (dgcli.locks)
    .announced, .tally                 whether the user was told; how much is here since it was last counted

An ordinary file costs a twentieth of a millisecond, SQLite ten (to load, open, commit and close), and what is
kept is what `dg render` reads. It is not forced to the disk but where it could not be written elsewhere:
that would cost four. What a power cut tears its digest shows.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dgcli.errors import AudioError, OutputError
from dgcli.locks import claimed
from dgcli.output.files import write_file
from dgcli.output.history_entry import ABOUT, SUFFIXES, EntryKind, Facts, HistoryEntry, read_entry
from dgcli.output.redaction import redacted_query, redacted_text
from dgcli.output.stamps import Stamp
from dgcli.system import BYTES, HAS_MODES, make_private

if TYPE_CHECKING:
    pass

DAYS, SIZE = 30.0, 1024.0  # kept so long and, in MiB, so much, unless the user wants it otherwise

_DAY = 86_400.0  # seconds; as often everything is counted, and what is abandoned goes
_LONG_TALLY = 4096  # bytes
_STEM = re.compile(r"\d{8}T\d{12}Z-[A-Za-z0-9-]{1,64}", re.ASCII)
_TEXT = ".txt"


class Damaged(NamedTuple):
    """A file of the history that cannot be used, and why."""

    path: Path
    reason: str


class Contents(NamedTuple):
    """The numbers of answers and of texts, and the size of all files in bytes."""

    answers: int = 0
    texts: int = 0
    size: int = 0


def _digest(*parts: object) -> str:
    text = "\0".join(map(str, parts))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def stamp_key(path: str, stamp: Stamp, server: str, query: str) -> str:
    """Return the key of the answer for a file of this path, size and times."""
    return _digest("file", Path(path).absolute(), *stamp, server, query)


def content_key(sha256: str, server: str, query: str) -> str:
    """Return the key of the answer for audio of this hash."""
    return _digest("audio", sha256, server, query)


def history_folder() -> Path:
    """Return the folder of the history."""
    from platformdirs import user_state_path

    return user_state_path("dgcli", appauthor=False) / "history"


class History:
    """The answers in a folder: at most `size` MiB of them, none older than `days`. What cannot be written raises."""

    def __init__(self, folder: Path | None = None, *, days: float = DAYS, size: float = SIZE) -> None:
        self.folder = folder or history_folder()
        self.days = days
        self.size = size

    def _new_stem(self, request_id: str | None) -> str:
        whole, fraction = divmod(time.time_ns() // 1000, 1_000_000)
        safe = "".join(
            char for char in request_id or "" if char.isascii() and (char.isalnum() or char == "-")
        )
        at = time.strftime("%Y%m%dT%H%M%S", time.gmtime(whole))
        return f"{at}{fraction:06d}Z-{safe[:48] or os.urandom(8).hex()}"

    def _prepare(self) -> None:
        make_private(self.folder)
        if self.folder.stat().st_mode & 0o077 and HAS_MODES:
            self.folder.chmod(0o700)

    def _key_path(self, key: str) -> Path:
        return self.folder / "keys" / key

    def _put_key(self, key: str, stem: str) -> None:
        """Let a key lead to an entry. What is torn leads nowhere, so that the file need not be replaced at once."""
        path = self._key_path(key)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)  # to write over it would wait for the disk, as ext4 has it
        with suppress(FileExistsError):  # another answer of the same key, at the same time
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(handle, stem.encode("ascii"))
            os.close(handle)

    def _put(self, entry: HistoryEntry, body: bytes | None, *, durable: bool = False) -> HistoryEntry:
        """Write an entry's answer, then its facts, then the keys by which it is found. Raises `OutputError`."""
        try:
            self._prepare()
            if body is not None:
                write_file(entry.path, body, private=True, durable=durable)
            about = entry.line()
            write_file(self.folder / (entry.stem + ABOUT), about, private=True, durable=durable)
            for key in entry.keys:
                self._put_key(key, entry.stem)
            self._count(len(about) + (len(body) if body is not None else entry.size or 0))
        except OSError as error:
            raise OutputError(f"Nothing can be kept in {self.folder}: {error.strerror}.") from error
        return entry

    def _new(self, kind: EntryKind, facts: Facts, **more: Any) -> HistoryEntry:
        """Make an entry whose facts are without secrets."""
        safe = facts._replace(name=redacted_text(facts.name), query=redacted_query(facts.query))
        stem = self._new_stem(facts.request_id)
        return HistoryEntry(folder=self.folder, stem=stem, kind=kind, facts=safe, **more)

    def keep(
        self, facts: Facts, body: bytes, *, keys: Sequence[str] = (), durable: bool = False
    ) -> HistoryEntry:
        """Keep an answer, which `find` then finds by its keys. Raises `OutputError`."""
        sha256 = hashlib.sha256(body).hexdigest()
        more = {"size": len(body), "sha256": sha256, "keys": tuple(keys)}
        return self._put(self._new(EntryKind.RESPONSE, facts, **more), body, durable=durable)

    def begin(self, facts: Facts) -> HistoryEntry:
        """Begin an event log, which whoever has the entry writes. Raises `OutputError`."""
        return self._put(self._new(EntryKind.EVENTS, facts), b"")

    def refer(
        self, facts: Facts, folders: Sequence[str], recordings: int, entry: HistoryEntry | None = None
    ) -> HistoryEntry:
        """Note a batch, or more of the batch of an entry. Raises `OutputError`."""
        fresh = entry or self._new(EntryKind.BATCH, facts)
        return self.note(fresh._replace(folders=tuple(folders), recordings=recordings))

    def note(self, entry: HistoryEntry) -> HistoryEntry:
        """Write the facts of an entry anew. Raises `OutputError`."""
        return self._put(entry, None)

    def keep_text(self, text: bytes, name: str) -> Path:
        """Keep text that could not be written elsewhere, by itself. Raises `OutputError`."""
        path = self.folder / (self._new_stem(name) + _TEXT)
        try:
            self._prepare()
            write_file(path, text, private=True)
            self._count(len(text))
        except OSError as error:
            raise OutputError(f"Nothing can be kept in {self.folder}: {error.strerror}.") from error
        return path

    def announce(self) -> bool:
        """Whether the user has still to be told that answers are kept; True once."""
        try:
            self._prepare()
            os.close(os.open(self.folder / ".announced", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            return False  # it is there, or could not be made: then nothing was kept either
        return True

    def _read(self, stem: str) -> HistoryEntry | Damaged:
        about = self.folder / (stem + ABOUT)
        try:
            entry = read_entry(self.folder, stem, about.read_bytes())
            if entry.kind is not EntryKind.BATCH:
                length = entry.path.stat().st_size
                if entry.size is not None and length != entry.size:
                    return Damaged(entry.path, f"it has {length} bytes, not {entry.size}")
        except FileNotFoundError as error:
            if Path(str(error.filename)) != about:
                return Damaged(Path(str(error.filename)), "it is not there")
            kept = [about.with_suffix(suffix) for suffix in SUFFIXES.values()]
            answer = next((path for path in kept if path.exists()), about)
            return Damaged(answer, "what it is about is not there; dg render reads it")
        except OSError as error:
            return Damaged(Path(str(error.filename or about)), str(error.strerror))
        except (ValueError, TypeError, RecursionError) as error:
            return Damaged(about, f"it cannot be read ({error})")
        return entry

    def _stems(self) -> list[str]:
        """The entries' names, newest first."""
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"The history {self.folder} cannot be read: {error.strerror}.") from error
        stems = {name.removesuffix(ABOUT) for name in names if name.endswith(ABOUT)}
        # An answer without facts: whoever kept it was killed between the two.
        stems |= {name.partition(".")[0] for name in names if name.endswith((".json", ".jsonl"))}
        return sorted(filter(_STEM.fullmatch, stems), reverse=True)

    def walk(self) -> Iterator[HistoryEntry | Damaged]:
        """Read the entries, newest first, as they are asked for. Raises `OutputError`."""
        return map(self._read, self._stems())

    def number(self, entry: HistoryEntry) -> int:
        """The place of an entry among all, from 1, the newest. Raises `OutputError`."""
        return sum(stem >= entry.stem for stem in self._stems())

    def find(self, key: str) -> HistoryEntry | None:
        """Return the entry that is kept under a key, if there is one that is whole."""
        try:
            stem = self._key_path(key).read_text("ascii").strip()
        except (OSError, ValueError):
            return None
        entry = self._read(stem) if _STEM.fullmatch(stem) else None
        return entry if isinstance(entry, HistoryEntry) else None

    def body(self, entry: HistoryEntry) -> bytes:
        """The answer itself. Raises `AudioError` where it cannot be read or is damaged."""
        try:
            body = entry.path.read_bytes()
        except OSError as error:
            raise AudioError(f"{entry.path} cannot be read: {error.strerror}.") from error
        if entry.sha256 is not None and hashlib.sha256(body).hexdigest() != entry.sha256:
            raise AudioError(f"{entry.path} is damaged: these are not the bytes that the API sent.")
        return body

    def claim(self, key: str, waiting: Callable[[], None]) -> AbstractContextManager[None]:
        """Hold a key while the block runs; others who want it wait. Raises `OutputError`.

        `waiting` is called at each look while another holds it, and may raise.
        """
        try:
            self._prepare()
            claims = self.folder / "claims"
            claims.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise OutputError(f"Nothing can be kept in {self.folder}: {error.strerror}.") from error
        return claimed(claims / key, waiting)

    def _count(self, added: int) -> None:
        """Add to the tally, and count everything where that is due: once a day, or when it may be too much."""
        tally = self.folder / ".tally"
        handle = os.open(tally, os.O_RDWR | os.O_CREAT | os.O_APPEND | BYTES, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            file.write(b"%d\n" % added)
            file.seek(0)
            text = file.read()
        try:
            counted, *sizes = map(int, text.split())
        except ValueError:
            counted, sizes = 0, []
        if not 0 <= time.time() - counted < _DAY or sum(sizes) > self.size * 2**20:
            counted, sizes = int(time.time()), [self.tidy()]
        elif len(text) < _LONG_TALLY:
            return
        write_file(tally, b"%d\n%d\n" % (counted, sum(sizes)), private=True, durable=False)

    def _groups(self) -> list[tuple[float, int, str, list[str]]]:
        """The files by entry: when the last was changed, their size, the stem and their names; oldest first."""
        groups: dict[str, tuple[float, int, list[str]]] = {}
        with os.scandir(self.folder) as entries:
            for item in entries:
                stem = item.name.partition(".")[0]
                try:
                    status = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # another process has just given it its name, or removed it
                if not _STEM.fullmatch(stem):
                    if item.name.endswith(".part") and status.st_mtime < time.time() - _DAY:
                        Path(item.path).unlink(missing_ok=True)  # what a killed process left half-written
                    continue
                changed, size, names = groups.get(stem, (0.0, 0, []))
                groups[stem] = max(changed, status.st_mtime), size + status.st_size, [*names, item.name]
        return sorted((changed, size, stem, names) for stem, (changed, size, names) in groups.items())

    def _remove(self, stem: str, names: Sequence[str]) -> None:
        entry = self._read(stem)
        for key in entry.keys if isinstance(entry, HistoryEntry) else ():
            self._key_path(key).unlink(missing_ok=True)
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def tidy(self) -> int:
        """Remove what is too old or too much, but not the newest; return the size of the rest in bytes.

        Where it is too much, a tenth more goes, so that the next answers cost no count. Raises `OSError`.
        """
        groups = self._groups()
        total = sum(size for _, size, _, _ in groups)
        oldest = time.time() - self.days * _DAY
        most = self.size * 2**20 * (1.0 if total <= self.size * 2**20 else 0.9)
        for changed, size, stem, names in groups[:-1]:
            if changed >= oldest and total <= most:
                break
            self._remove(stem, names)
            total -= size
        return total

    def contents(self) -> Contents:
        """Count what is kept. Raises `OutputError`."""
        try:
            groups = self._groups()
        except FileNotFoundError:
            return Contents()
        except OSError as error:
            raise OutputError(f"The history {self.folder} cannot be read: {error.strerror}.") from error
        texts = sum(all(name.endswith(_TEXT) for name in names) for *_, names in groups)
        return Contents(len(groups) - texts, texts, sum(size for _, size, _, _ in groups))

    def clear(self) -> Contents:
        """Delete everything; return what was there. Raises `OutputError`."""
        before = self.contents()
        try:
            if before.size:
                for _, _, stem, names in self._groups():
                    self._remove(stem, names)
            for path in self.folder.glob("keys/*"):  # of entries that were damaged
                path.unlink(missing_ok=True)
            (self.folder / ".tally").unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"The history {self.folder} cannot be cleared: {error.strerror}.") from error
        return before
