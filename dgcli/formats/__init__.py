"""Output formats: a registry, and one small module for each (recipe in `base`)."""

from importlib import import_module
from pathlib import Path
from typing import cast

from dgcli.errors import UsageError
from dgcli.formats.base import Format, Render, RenderSettings, option_names, render_settings

__all__ = [
    "FORMATS",
    "Format",
    "RenderSettings",
    "by_name",
    "by_suffix",
    "option_names",
    "render_settings",
    "renderer",
]

FORMATS: tuple[Format, ...] = (
    Format(
        "text", (".txt", ".text"), "The words, in paragraphs; who speaks them where that is known", "text"
    ),
    Format("json", (".json",), "The response of the API, byte for byte", "json"),
    Format("srt", (".srt",), "SubRip captions", "srt", timed=True),
    Format("vtt", (".vtt",), "WebVTT captions, with voices; --karaoke times every word", "vtt", timed=True),
    Format(
        "ass",
        (".ass",),
        "Advanced SubStation Alpha captions; --karaoke fills words in",
        "subtitles",
        "ass",
        timed=True,
    ),
    Format("ssa", (".ssa",), "SubStation Alpha captions", "subtitles", "ssa", timed=True),
    Format("ttml", (".ttml", ".dfxp"), "Timed Text Markup Language captions (IMSC 1.1)", "ttml", timed=True),
    Format("html", (".html", ".htm"), "A page to read, search and listen to (--audio)", "html"),
    Format("md", (".md", ".markdown"), "Markdown: summary, topics, paragraphs with times", "md"),
    Format(
        "csv", (".csv",), "The words, comma-separated, with times and confidence", "csv", "csv", timed=True
    ),
    Format("tsv", (".tsv",), "The words, tab-separated, with times and confidence", "csv", "tsv", timed=True),
    Format("words.jsonl", (".words.jsonl",), "The words, a JSON object a line", "words_jsonl", timed=True),
)


def by_name(name: str) -> Format:
    """The format called `name`, or with the suffix `.name`; raises `UsageError` that lists all of them."""
    for format_ in FORMATS:
        if name.lower() == format_.name or f".{name.lower()}" in format_.suffixes:
            return format_
    names = ", ".join(known.name for known in FORMATS)
    raise UsageError(f"There is no format {name!r}.", hint=f"Formats: {names}.")


def by_suffix(path: Path) -> Format:
    """The format that the suffix of `path` stands for; raises `UsageError` that lists all suffixes."""
    for format_ in FORMATS:
        if path.name.lower().endswith(format_.suffixes):
            return format_
    suffixes = ", ".join(suffix for known in FORMATS for suffix in known.suffixes)
    raise UsageError(
        f"The suffix of {str(path)!r} does not say which format to write.", hint=f"Suffixes: {suffixes}."
    )


def renderer(format_: Format) -> Render:
    """The function that writes a format; its module is imported only now."""
    return cast(Render, getattr(import_module(f"dgcli.formats.{format_.module}"), format_.function))
