"""The inputs of a batch: paths, directories, patterns, lists and URLs become one list, in a stable order.

The order is that of the command line; a directory's files are sorted by name, folder by folder. What is named
twice is sent once. Of each file only its name is held, so that hundreds of thousands fit.
"""

import enum
import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dgcli.audio import cloud
from dgcli.audio.media import SNIFF_BYTES, is_media_name, sniffed
from dgcli.audio.other_files import is_left_out
from dgcli.errors import AudioError, DgError, UsageError, unreadable
from dgcli.system import BEFORE_NEWLINE


class InputKind(enum.Enum):
    """The way the audio of an input gets to the API."""

    FILE = "file"  # it is uploaded
    URL = "url"  # the API fetches it
    CLOUD = "cloud"  # the API fetches it with a signature of ours, or it is streamed through here


@dataclass(frozen=True, slots=True)
class Input:
    """One recording: `base` in the folder `below` of `root`; of what lies elsewhere, `base` is the whole URL.

    The root is a directory that was named, or empty for the current one. The folder's name is one string for
    all that lie in it. `is_outside`: named by itself, in a directory that is neither.
    """

    kind: InputKind
    root: str
    below: str
    base: str
    is_outside: bool = False

    @property
    def name(self) -> str:
        """The name for messages and reports."""
        if self.kind is not InputKind.FILE:
            return self.root + self.base
        return os.path.join(self.folder, self.base)

    @property
    def path(self) -> str:
        """The path to open: `-` would be standard input."""
        return os.path.join(os.curdir, self.name) if self.name == "-" else self.name

    @property
    def folder(self) -> str:
        """The directory it lies in; for what lies elsewhere, the current one."""
        if self.kind is not InputKind.FILE:
            return ""
        return os.path.join(self.root, self.below) if self.below else self.root

    @property
    def file_name(self) -> str:
        """Its name without folders; for a URL, the end of it."""
        return self.base if self.kind is InputKind.FILE else _last_part(self.name)

    @property
    def share(self) -> str:
        """The key of its shard: its path relative to its root, however that is written here."""
        if self.is_outside:
            return self.name
        return f"{self.below}{os.sep}{self.base}" if self.below else self.base


@dataclass(slots=True)
class Listing:
    """All inputs asked for: valid ones, problems, and duplicates.

    `identities` has `identity` of every file in `inputs`. `missing` are arguments that name nothing, `skipped`
    directory entries that cannot be looked at, `left_out` counts what lists and directories have besides
    recordings.
    """

    inputs: list[Input] = field(default_factory=list)
    problems: list[tuple[str, DgError]] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    identities: set[int] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0


def _last_part(url: str) -> str:
    """Make a file name of a URL: the end of its path, or its host."""
    parts = urlsplit(url)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.hostname or "recording"
    safe = "".join("_" if char in '/\\\0:*?"<>|' or not char.isprintable() else char for char in name)
    return safe if safe.strip(".") else "recording"


def kind_of(name: str) -> InputKind:
    """Classify an argument: a URL, an object in a cloud, or else a path."""
    lower = name[:8].lower()
    if lower.startswith(("http://", "https://")):
        return InputKind.URL
    return InputKind.CLOUD if cloud.is_object(name) else InputKind.FILE


def identity(folder: str, base: str) -> int:
    """A number for a file of an absolute `folder`: a hundred bytes less than its name, times a million names."""
    return hash((folder, base))


def _sounds(entry: "os.DirEntry[str]", listed: Listing) -> bool:
    """Whether a file found in a directory is a recording: by its suffix, else by its first bytes."""
    known = is_media_name(entry.name)
    if known is not None:
        return known
    try:
        with Path(entry.path).open("rb") as file:
            is_recording = sniffed(file.read(SNIFF_BYTES)) is not None
    except OSError:
        return True  # it may be one: opening it again will say what is wrong
    listed.left_out += not is_recording
    return is_recording


def _children(here: str, listed: Listing) -> Iterator[tuple[str, bool]]:
    """Yield name and whether it is a folder of what is to be looked at in a directory. Raises OSError."""
    with os.scandir(here) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                # A link to a folder may lead back to where we are.
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name, True
                elif entry.is_file() and _sounds(entry, listed):
                    yield entry.name, False
            except OSError as error:  # a link that leads to itself: the others are none the worse
                listed.skipped.append((entry.path, error.strerror or str(error)))


def _walked(root: str, listed: Listing) -> Iterator[tuple[str, str]]:
    """Yield folder below `root` and name of each recording, sorted; hidden ones and links to folders are left out."""
    stack: list[tuple[str, str, bool]] = [("", "", True)]
    while stack:
        folder, name, is_folder = stack.pop()
        if not is_folder:
            yield folder, name
            continue
        below = os.path.join(folder, name)
        here = os.path.join(root, below) or os.curdir
        children = []
        try:
            children = [(below, child, is_dir) for child, is_dir in _children(here, listed)]
        except OSError as error:
            listed.problems.append((here, AudioError(f"{here} cannot be listed: {error.strerror}.")))
        children.sort(key=itemgetter(1), reverse=True)
        stack += children


def read_list(name: str, *, separator: bytes) -> list[str]:
    """The names in a file, `-` being standard input, one a line or ended by NUL; empty ones are left out.

    Names are bytes that the file system knows, whatever their encoding. Raises `AudioError`.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise AudioError(unreadable(name, error, "list")) from error
    ending = BEFORE_NEWLINE if separator == b"\n" else b""
    return [os.fsdecode(item.removesuffix(ending)) for item in data.split(separator) if item]


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that files were named in: how inputs in it are written, and its absolute path."""

    root: str
    below: str
    absolute: str
    is_outside: bool


class _Collector:
    """Collects names in order, without repetition."""

    def __init__(self, *, recursive: bool, any_file: bool) -> None:
        self.listing = Listing()
        self._recursive = recursive
        self._any_file = any_file
        self._here = os.getcwd()
        self._folders: dict[str, _Folder] = {}

    def _add(self, recording: Input, key: int) -> None:
        if key in self.listing.identities:
            self.listing.duplicates.append(recording.name)
        else:
            self.listing.identities.add(key)
            self.listing.inputs.append(recording)

    def _plain(self, path: str) -> str:
        """A path without a leading `./`, and relative where it lies in the current directory."""
        if path == self._here or path.startswith(self._here + os.sep):
            path = path[len(self._here) + 1 :]
        while path.startswith(os.curdir + os.sep):
            path = path[2:].lstrip(os.sep)
        return "" if path == os.curdir else path

    def _folder(self, path: str) -> _Folder:
        """Return the spellings of a folder, remembered by the way it was written."""
        folder = self._folders.get(path)
        if folder is None:
            plain = self._plain(path)
            parts = plain.split(os.sep)
            # Where `..` follows a link, only the file system knows what it leads to.
            absolute = os.path.realpath(plain) if os.pardir in parts else os.path.abspath(plain)
            outside = os.path.isabs(plain) or parts[0] == os.pardir
            folder = _Folder(plain if outside else "", "" if outside else plain, absolute, outside)
            self._folders[path] = folder
        return folder

    def _file(self, path: str) -> None:
        head, tail = os.path.split(path)
        folder = self._folder(head)
        recording = Input(InputKind.FILE, folder.root, folder.below, tail, folder.is_outside)
        self._add(recording, identity(folder.absolute, tail))

    def _directory(self, path: str) -> None:
        """Add every recording below a directory."""
        if not self._recursive:
            self.problem(
                path, f"{path} is a directory.", hint="Add --recursive to transcribe all that is in it."
            )
            return
        root = self._plain(path.rstrip(os.sep) or os.sep)
        start = os.path.realpath(root) if os.pardir in root.split(os.sep) else os.path.abspath(root)
        before = len(self.listing.problems)
        count = 0
        last, absolute = "", start
        for below, name in _walked(root, self.listing):
            count += 1
            if below is not last:
                last, absolute = below, os.path.join(start, below) if below else start
            self._add(Input(InputKind.FILE, root, below, name), identity(absolute, name))
        if not count and before == len(self.listing.problems):
            self.problem(path, f"There is no recording in {path}.")

    def _objects(self, name: str) -> None:
        """The recordings that a folder or a pattern in a cloud stands for."""
        if name.endswith("/") and not self._recursive:
            self.problem(
                name, f"{name} is a folder.", hint="Add --recursive to transcribe all that is in it."
            )
            return
        try:
            urls = cloud.find(name)
        except UsageError:
            raise  # the extra is missing: nothing in that cloud can be had
        except DgError as error:
            self.listing.problems.append((name, error))
            return
        root = name if name.endswith("/") else ""
        urls = [url for url in urls if not root or is_media_name(url)]
        if not urls:
            self.problem(name, f"There is no recording in {name}.")
        for url in urls:
            rel = url.removeprefix(root)
            below = "/".join(part for part in rel.split("/")[:-1] if part.strip(".")) if root else ""
            self._add(Input(InputKind.CLOUD, root, below, rel), hash(url))

    def problem(self, name: str, message: str, *, hint: str | None = None) -> None:
        """Note an input that cannot be read."""
        self.listing.problems.append((name, AudioError(message, hint=hint)))

    def _pattern(self, name: str) -> None:
        """The files that a pattern stands for which the shell left alone: Windows, or quotes."""
        matches = sorted(
            match
            for match in glob.iglob(name, recursive=True)
            if os.path.isfile(match) or (self._recursive and os.path.isdir(match))
        )
        if not matches:
            self.problem(name, f"There is no file {name}.")
            self.listing.missing.append(name)
        for match in matches:
            self._path(match)

    def _path(self, name: str) -> None:
        """A file or a directory that is named by itself."""
        try:
            mode = os.stat(name).st_mode
        except FileNotFoundError:
            self.listing.missing.append(name)
            mode = 0
        except (OSError, ValueError):
            mode = 0  # opening it will say what is wrong
        if stat.S_ISDIR(mode):
            self._directory(name)
        else:
            self._file(name)

    def _entry(self, name: str) -> None:
        """A path in a list: `find` lists folders and sockets as well, and whatever else lies about."""
        try:
            status = os.stat(name)
        except (OSError, ValueError):
            self._file(name)  # opening it will say what is wrong
            return
        if stat.S_ISDIR(status.st_mode) and self._recursive:
            self._directory(name)
        elif not stat.S_ISREG(status.st_mode) or (not self._any_file and is_left_out(name, status.st_size)):
            self.listing.left_out += 1
        else:
            self._file(name)

    def add(self, name: str, *, is_listed: bool = False) -> None:
        """Add an argument, or an item of a list: that is never a pattern, and need not be a recording."""
        kind = kind_of(name)
        if kind is InputKind.CLOUD and (name.endswith("/") or (not is_listed and glob.has_magic(name))):
            self._objects(name)
        elif kind is not InputKind.FILE:
            self._add(Input(kind, "", "", name), hash(name))
        elif is_listed:
            self._entry(name)
        elif glob.has_magic(name) and not os.path.lexists(name):
            self._pattern(name)
        else:
            self._path(name)


_SWITCH_VALUES = frozenset("true false yes no on off 1 0 v2".split())


def missing_error(missing: Sequence[str]) -> AudioError:
    """The error for arguments that name nothing: most likely they were not meant as recordings."""
    if len(missing) == 1:
        message = f"There is no file {missing[0]}."
    else:
        message = f"There are no files {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}."
    hint = None
    if any(name.lower() in _SWITCH_VALUES for name in missing):
        hint = "A switch takes no value: --diarize, --no-diarize, --summarize. Nothing was sent."
    return AudioError(message, hint=hint)


def listing(
    names: Iterable[str],
    lists: Sequence[tuple[str, bytes]] = (),
    *,
    recursive: bool = False,
    any_file: bool = False,
) -> Listing:
    """List all recordings that `names` and `lists` (file and separator) stand for.

    What lists name is left out where it is plainly no recording, unless `any_file` is given. A missing file is
    noted, and found when it is opened. Raises `UsageError` for `-`, `AudioError` for a list that cannot be read.
    """
    collector = _Collector(recursive=recursive, any_file=any_file)
    for name in names:
        if name == "-":
            raise UsageError(
                "Standard input can only be transcribed alone.", hint="For a list of files: --files-from -"
            )
        collector.add(name)
    for name, separator in lists:
        for item in read_list(name, separator=separator):
            collector.add(item, is_listed=True)
    return collector.listing
