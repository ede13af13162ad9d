"""The pages of `--help`: sections of flags, readable at 80 columns and without a terminal.

Typer's own tables cut long flags off where the window is narrow, and load rich to do it; this wraps instead.
"""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dgcli.terminal import colours

_COLUMN = 28  # where help texts begin; a longer flag has a line of its own
_WIDEST = 100  # characters; longer lines are hard to read
_MANY = 30  # flags, above which -h shows only those that most people use
# The names of these, as Typer has them.
_EVERYDAY = frozenset(
    "model language detect_language diarize keyterm smart_format numerals redact multichannel utterances format output "
    "output_dir recursive jobs speaker preset timestamps interim save_audio device duration local profile base_url "
    "quiet verbose help".split()
)
_NARROW = 60  # below this, help texts begin below their flag


class HelpEntry(NamedTuple):
    """A flag, an argument or a command, as it is typed, and what it does."""

    name: str
    help: str


class Section(NamedTuple):
    """Entries under a heading."""

    title: str
    entries: Sequence[HelpEntry]


def _paragraphs(text: str, width: int) -> Iterable[str]:
    """Text re-wrapped by paragraph; what is indented (examples) stays as it is."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(" "):
            yield paragraph
        else:
            yield textwrap.fill(" ".join(paragraph.split()), width)


def _entry(entry: HelpEntry, width: int) -> str:
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
    """Lay out a page of help, `width` characters wide at most (100 where that is more), headings bold if wanted."""
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


def _typed(param: Any, ctx: Any) -> HelpEntry:
    """Spell an option or argument as it is typed: `-m, --model NAME`, `--[no-]diarize`."""
    if param.param_type_name == "argument":
        return HelpEntry(param.make_metavar(ctx), param.help or "")
    short = [flag for flag in param.opts if not flag.startswith("--")]
    names = [flag for flag in param.opts if flag.startswith("--")]
    if param.secondary_opts:
        names = [f"--[no-]{names[0].removeprefix('--')}", *names[1:]]
    name = ", ".join([*short, *names])
    if not (param.is_flag or param.count):
        name += f" {param.metavar or param.make_metavar(ctx)}"
    return HelpEntry(name, param.help or "")


def sections_of(params: Sequence[Any], ctx: Any) -> list[Section]:
    """Return arguments, then options by their panels, in the order in which these first appear."""
    sections: dict[str, list[HelpEntry]] = {}
    for param in params:
        if getattr(param, "hidden", False):
            continue
        title = "Arguments" if param.param_type_name == "argument" else None
        sections.setdefault(title or getattr(param, "rich_help_panel", None) or "Options", []).append(
            _typed(param, ctx)
        )
    general = sections.pop("Options", [])  # Typer puts --help into this one: last is where it is looked for
    sections.setdefault("General", []).extend(general)
    return [Section(title, entries) for title, entries in sections.items()]


def _is_everyday(param: Any) -> bool:
    return param.param_type_name == "argument" or param.name in _EVERYDAY


def _formats(params: Sequence[Any], ctx: Any) -> str:
    """Name the formats of -f, where a command has it."""
    names = [
        item.value for param in params if param.name == "format" for item in param.shell_complete(ctx, "")
    ]
    return f"Formats: {', '.join(names)}." if names else ""


def format_help(
    self: Any, ctx: Any, formatter: Any, more: Sequence[Section] = (), *, short: bool = False
) -> None:
    """Write the help of a Typer command or group; sections in `more` come first.

    A `short` page has what most people use, of a command that has many flags.
    """
    # Typer puts arguments in braces, which other programs keep for alternatives.
    usage = " ".join([ctx.command_path, *(piece.strip("{}") for piece in self.collect_usage_pieces(ctx))])
    params, epilog = self.get_params(ctx), self.epilog or ""
    description = self.help or ""
    visible = [param for param in params if not getattr(param, "hidden", False)]
    if short and len(visible) > _MANY:
        formats = _formats(params, ctx)
        params = [param for param in params if _is_everyday(param)]
        description = description.partition("\n\n")[0]
        epilog = "\n\n".join(filter(None, (formats, f"All {len(visible)} flags: {ctx.command_path} --help")))
    formatter.write(
        page(
            usage,
            description,
            [*more, *sections_of(params, ctx)],
            epilog,
            width=shutil.get_terminal_size().columns,
            bold=colours(sys.stdout),
        )
    )
