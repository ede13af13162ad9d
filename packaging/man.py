"""Write the manual pages into man/, for packages: python packaging/man.py

They are made of the commands as they are, as `--help` is, and go into the wheel as share/man/man1. dg.1 has what
holds for all commands; dgcli.1 is the same page under the other name.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from dgcli import __version__
from dgcli.app import COMMANDS, app
from dgcli.ui.help import HelpEntry, Section, sections_of

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "man"
ENVIRONMENT = (
    ("DEEPGRAM_API_KEY", "The API key; it goes before those of the config file and of dg login."),
    ("DEEPGRAM_ACCESS_TOKEN", "A temporary token in its place, as dg token prints one."),
    ("DEEPGRAM_BASE_URL", "Another host of the API."),
    ("DEEPGRAM_PROJECT_ID", "The project of dg usage, balance and requests."),
    ("DGCLI_PROFILE", "The profile of the config file."),
    ("DGCLI_CONFIG", "Another config file."),
    ("DGCLI_MODELS", "Where the speech models of this machine are kept."),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "Proxies, for uploads and for streams."),
    ("SSL_CERT_FILE", "Certificate authorities of your own."),
    ("NO_COLOR", "No colours."),
)
FILES = (
    ("~/.config/dgcli/config.toml", "Settings; dg config shows them and where they are."),
    ("~/.local/state/dgcli/history", "The answers that are kept; see dg history."),
    ("~/.local/share/dgcli/models", "Speech models; see dg models local."),
)


def escaped(text: str) -> str:
    """Text as roff takes it: no escape, and no line that is a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha")
    text = text.replace("~", "\\(ti").replace("`", "\\(ga")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def paragraphs(text: str) -> Iterator[str]:
    """A description in paragraphs; what is indented stands as it is."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(" "):
            yield f".PP\n.nf\n{escaped(paragraph)}\n.fi"
        elif paragraph:
            yield f".PP\n{escaped(' '.join(paragraph.split()))}"


def entries(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names with what they do, each below its name."""
    for name, help_text in rows:
        yield f".TP\n.B {escaped(name)}\n{escaped(' '.join(help_text.split()))}"


def page(
    name: str, summary: str, usage: str, description: str, sections: Iterable[Section], end: Iterable[str]
) -> str:
    """One manual page."""
    parts = [
        f'.TH {name.upper()} 1 "{release_date()}" "dg {__version__}" "User Commands"',
        f".SH NAME\n{escaped(name)} \\- {escaped(summary)}",
        f".SH SYNOPSIS\n.B {escaped(usage)}",
        ".SH DESCRIPTION",
        "\n".join(paragraphs(description)).removeprefix(".PP\n"),
    ]
    for section in sections:
        if section.entries:
            parts += [f'.SH "{escaped(section.title.upper())}"', *entries(section.entries)]
    return "\n".join([*parts, *end]) + "\n"


def summary_of(text: str) -> str:
    """A help text as the one line of NAME: lower case at its beginning, no full stop."""
    return text[0].lower() + text[1:].rstrip(".")


def release_date() -> str:
    """The date of the newest version in CHANGELOG.md."""
    dated = re.search(r"^## \[[\d.]+\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert dated, "CHANGELOG.md has a version with a date"
    return dated[1]


def exit_codes() -> list[tuple[str, str]]:
    """The rows of docs/exit-codes.md."""
    text = (ROOT / "docs" / "exit-codes.md").read_text("utf-8")
    return re.findall(r"^\| ([\d, ]+) \| (.*) \|$", text, re.MULTILINE)


def usage_of(command: Any, context: Any) -> str:
    """The synopsis of a command."""
    return " ".join(
        [context.command_path, *(piece.strip("{}") for piece in command.collect_usage_pieces(context))]
    )


def pages() -> dict[str, str]:
    """All pages by their file names."""
    root = typer.main.get_command(app)
    top = root.make_context("dg", [], resilient_parsing=True)
    others = ", ".join(f"dg-{row.name}(1)" for row in COMMANDS)
    made = {
        f"{name}.1": page(
            name, summary_of(root.help or ""), usage_of(root, top).replace("dg", name), root.help or "",
            [
                Section("Commands", [HelpEntry(row.name, row.help) for row in COMMANDS]),
                *sections_of(root.get_params(top), top),
                Section("Exit status", [HelpEntry(*row) for row in exit_codes()]),
                Section("Environment", [HelpEntry(*row) for row in ENVIRONMENT]),
                Section("Files", [HelpEntry(*row) for row in FILES]),
            ],
            [f'.SH "SEE ALSO"\n{escaped(others)}'],
        )
        for name in ("dg", "dgcli")
    }  # fmt: skip
    for row in COMMANDS:
        command = root.get_command(top, row.name)
        context = command.make_context(row.name, [], top, resilient_parsing=True)
        command = context.command
        made[f"dg-{row.name}.1"] = page(
            f"dg-{row.name}", summary_of(row.help), usage_of(command, context), command.help or "",
            sections_of(command.get_params(context), context),
            ['.SH "EXIT STATUS"\nSee dg(1).', '.SH "SEE ALSO"\ndg(1)'],
        )  # fmt: skip
    return made


def main() -> None:
    """Write the pages, and remove those of commands that are gone."""
    made = pages()
    for path in PAGES.glob("*.1"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (PAGES / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
