"""The pages of `--help`: sections of flags, readable at 80 columns and without a terminal.

Typer's own tables cut long flags off where the window is narrow, and load rich to do it; this wraps instead.
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_COLUMN = 28  # where help texts begin; a longer flag has a line of its own
_WIDEST = 100  # characters; longer lines are hard to read
_NARROW = 60  # below this, help texts begin below their flag


@dataclass(frozen=True, slots=True)
class Entry:
    """A flag, an argument or a command, as it is typed, and what it does."""

    name: str
    help: str


@dataclass(frozen=True, slots=True)
class Section:
    """Entries under a heading."""

    title: str
    entries: Sequence[Entry]


def _paragraphs(text: str, width: int) -> Iterable[str]:
    """Text re-wrapped by paragraph; what is indented (examples) stays as it is."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(" "):
            yield paragraph
        else:
            yield textwrap.fill(" ".join(paragraph.split()), width)


def _entry(entry: Entry, width: int) -> str:
    column = _COLUMN if width >= _NARROW else 4
    indent = " " * (column + 2)
    # A flag is never broken in two: "--no-" and "smart-format" would be two flags.
    body = textwrap.wrap(entry.help, max(width - len(indent), 20), break_on_hyphens=False)
    if len(entry.name) > column - 2:
        return "\n".join([f"  {entry.name}", *(indent + line for line in body)])
    first, *rest = body or [""]
    return "\n".join([f"  {entry.name:<{column}}{first}".rstrip(), *(indent + line for line in rest)])


def page(
    usage: str, description: str, sections: Sequence[Section], epilog: str, *, width: int, bold: bool
) -> str:
    """A page of help, `width` characters wide at most (100 where that is more), headings bold if wanted."""
    width = min(width, _WIDEST)

    def heading(text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if bold else text

    parts = [f"{heading('Usage:')} {usage}", *_paragraphs(description, width)]
    for section in sections:
        if section.entries:
            lines = "\n".join(_entry(entry, width) for entry in section.entries)
            parts.append(f"{heading(section.title + ':')}\n{lines}")
    parts += _paragraphs(epilog, width) if epilog else []
    return "\n\n".join(parts) + "\n"
