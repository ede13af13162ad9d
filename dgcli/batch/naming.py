"""Names of outputs, and the check that no two of them are the same.

Everything here is arithmetic on strings: a hundred thousand names are checked before the first is sent.
"""

import hashlib
import os
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dgcli.batch.inputs import Input, Listing, identity
from dgcli.errors import OutputError, UsageError
from dgcli.formats import Format

DEFAULT_TEMPLATE = "{stem}.{ext}"
_FIELDS = ("stem", "name", "ext", "lang", "hash")
_NAME_MAX = 255  # bytes; what the file systems in use agree on


@dataclass(frozen=True, slots=True)
class Target:
    """An output of a recording."""

    path: str
    format: Format


def _parts(template: str) -> tuple[tuple[str, str | None], ...]:
    """A template as pairs of literal text and the field after it. Raises `UsageError`."""
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"--name-template {template!r} cannot be read: {error}.") from None
    parts = []
    for literal, field, spec, conversion in pieces:
        if field is not None and (field not in _FIELDS or spec or conversion):
            raise UsageError(
                f"--name-template knows no {{{field}}}.",
                hint="Fields: " + ", ".join(f"{{{name}}}" for name in _FIELDS) + ".",
            )
        parts.append((literal, field))
    text = "".join(literal for literal, _ in parts)
    if "/" in text or os.sep in text or "\0" in text:
        raise UsageError("--name-template names a file, without folders.", hint="Folders: --output-dir DIR")
    if not any(field in ("stem", "name", "hash") for _, field in parts):
        raise UsageError(
            "--name-template gives every recording the same name.", hint="Put {stem} or {name} in it."
        )
    return tuple(parts)


class Naming:
    """Names the outputs of recordings.

    They go next to each recording, or below `output_dir` at the same place in the tree; what comes from
    elsewhere than this machine's files goes to the current directory. In the template, `{stem}` is the
    recording's name without its suffix, `{name}` the whole name, `{ext}` the suffix of the format, `{lang}` the
    language, `{hash}` eight digits that no other input has.
    """

    def __init__(
        self, formats: Sequence[Format], *, template: str | None = None, output_dir: str | None = None
    ) -> None:
        self._formats = tuple(formats)
        self._suffixes = tuple(format_.suffixes[0] for format_ in formats)
        self._parts = _parts(template or DEFAULT_TEMPLATE)
        self.output_dir = output_dir
        # Most names are made with this template: a tenth of the time for a hundred thousand of them.
        self._is_plain = (template or DEFAULT_TEMPLATE) == DEFAULT_TEMPLATE

    @property
    def needs_language(self) -> bool:
        """Whether names hold the language of a transcript."""
        return any(field == "lang" for _, field in self._parts)

    def folder(self, recording: Input) -> str:
        """The directory of a recording's outputs."""
        if self.output_dir is None:
            return recording.folder
        return os.path.join(self.output_dir, recording.below) if recording.below else self.output_dir

    def _name(self, recording: Input, name: str, stem: str, ext: str, language: str) -> str:
        pieces = []
        for literal, field in self._parts:
            pieces.append(literal)
            match field:
                case "stem":
                    pieces.append(stem)
                case "name":
                    pieces.append(name)
                case "ext":
                    pieces.append(ext)
                case "lang":
                    pieces.append(language)
                case "hash":
                    pieces.append(hashlib.sha256(os.fsencode(recording.share)).hexdigest()[:8])
        return "".join(pieces)

    def names(self, recording: Input, language: str) -> list[str]:
        """The names of a recording's outputs, one for each format."""
        name = recording.file_name
        stem, dot, _ = name.rpartition(".")
        stem = stem if dot and stem else name
        if self._is_plain:
            return [stem + suffix for suffix in self._suffixes]
        return [self._name(recording, name, stem, suffix[1:], language) for suffix in self._suffixes]

    def targets(self, recording: Input, language: str) -> tuple[Target, ...]:
        """The outputs of a recording, one for each format."""
        folder = self.folder(recording)
        pairs = zip(self.names(recording, language), self._formats, strict=True)
        return tuple(Target(os.path.join(folder, name), format_) for name, format_ in pairs)


def check_length(targets: Iterable[Target]) -> None:
    """Raises `OutputError` for a name that no file system takes."""
    for target in targets:
        size = len(os.fsencode(os.path.basename(target.path)))
        if size > _NAME_MAX:
            raise OutputError(
                f"The output's name would have {size} bytes, of which file systems take {_NAME_MAX}.",
                hint="Choose a shorter one: --name-template '{hash}.{ext}'",
            )


def _rivals(inputs: Sequence[Input], naming: Naming, language: str, path: str) -> list[Input]:
    """The recordings that would write `path`, each as often as it would."""

    def spelt(path: str) -> str:
        return os.path.normcase(os.path.abspath(path))

    spelling = spelt(path)
    return [
        recording
        for recording in inputs
        for target in naming.targets(recording, language)
        if spelt(target.path) == spelling
    ]


def _refuse(first: Input, second: Input, path: str) -> UsageError:
    """Return the error for two outputs of the same name."""
    if first is second:
        return UsageError(
            f"Two formats of {first.name} would be written to {path}.", hint="Put {ext} into --name-template."
        )
    remedies = "--name-template '{stem}-{hash}.{ext}'"
    if first.file_name != second.file_name:
        remedies = f"--name-template '{{name}}.{{ext}}' or {remedies[len('--name-template ') :]}"
    return UsageError(
        f"{first.name} and {second.name} would both be written to {path}.",
        hint=f"Keep them apart: {remedies}",
    )


def check_collisions(listing: Listing, naming: Naming, language: str) -> None:
    """Refuse, before anything is sent, outputs that would overwrite each other or an input.

    Paths are compared as they are spelt: links are not followed. A number is held for each, and the paths
    themselves are looked at only when two numbers are equal. Raises `UsageError`.
    """
    seen: set[int] = set()
    absolute: dict[str, str] = {}
    for recording in listing.inputs:
        folder = naming.folder(recording)
        prefix = absolute.get(folder)
        if prefix is None:
            prefix = absolute[folder] = os.path.normcase(os.path.abspath(folder))
        for name in naming.names(recording, language):
            code = identity(prefix, os.path.normcase(name))
            if code in listing.identities and os.path.lexists(os.path.join(folder, name)):
                raise UsageError(
                    f"The output {os.path.join(folder, name)} of {recording.name} is itself an input.",
                    hint="Leave it out, or send the outputs elsewhere: --output-dir DIR",
                )
            if code in seen:
                path = os.path.join(folder, name)
                rivals = _rivals(listing.inputs, naming, language, path)
                if len(rivals) > 1:
                    raise _refuse(rivals[0], rivals[1], path)
            seen.add(code)
