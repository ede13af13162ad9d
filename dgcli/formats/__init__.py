"""Output formats: a registry, and one small module for each (recipe in `base`)."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dgcli.errors import UsageError
from dgcli.formats.base import SECTIONS, Format, Render, RenderSettings, option_names, render_settings
from dgcli.transcript.model import Transcript

if TYPE_CHECKING:
    from dgcli.formats.growing import Growing

__all__ = [
    "FORMATS",
    "PLAYLIST",
    "SECTIONS",
    "Format",
    "RenderSettings",
    "by_name",
    "by_suffix",
    "grower",
    "is_playlist",
    "option_names",
    "render_settings",
    "renderer",
]

FORMATS: tuple[Format, ...] = (
    Format(
        "text", (".txt", ".text"), "The words, in paragraphs; who speaks them where that is known", "text"
    ),
    Format("json", (".json",), "The response of the API, byte for byte", "json", analyses=True),
    Format("srt", (".srt",), "SubRip captions", "srt", timed=True, grows="cues"),
    Format(
        "vtt",
        (".vtt",),
        "WebVTT captions, with voices; --karaoke times every word",
        "vtt",
        timed=True,
        grows="cues",
    ),
    Format(
        "ass",
        (".ass",),
        "Advanced SubStation Alpha captions; --karaoke fills words in",
        "subtitles",
        "ass",
        timed=True,
        grows="cues",
    ),
    Format("ssa", (".ssa",), "SubStation Alpha captions", "subtitles", "ssa", timed=True, grows="cues"),
    Format(
        "ttml",
        (".ttml", ".dfxp"),
        "Timed Text Markup Language captions (IMSC 1.1)",
        "ttml",
        timed=True,
        grows="cues",
    ),
    Format(
        "ebuttd",
        (".ebuttd", ".ebuttd.xml"),
        "EBU-TT-D captions, for European broadcasters' players",
        "ttml",
        "ebuttd",
        timed=True,
        grows="cues",
    ),
    Format(
        "scc", (".scc",), "Scenarist closed captions (CEA-608), for American broadcasters", "scc", timed=True
    ),
    Format(
        "html",
        (".html", ".htm"),
        "A page to read, hear (--audio), search and correct",
        "html",
        analyses=True,
        grows="turns",
    ),
    Format(
        "md",
        (".md", ".markdown"),
        "Markdown: analyses, and paragraphs with times",
        "md",
        analyses=True,
        grows="turns",
    ),
    Format(
        "csv",
        (".csv",),
        "The words, comma-separated, with times and confidence",
        "csv",
        "csv",
        timed=True,
        grows="words",
    ),
    Format(
        "tsv",
        (".tsv",),
        "The words, tab-separated, with times and confidence",
        "csv",
        "tsv",
        timed=True,
        grows="words",
    ),
    Format(
        "words.jsonl",
        (".words.jsonl",),
        "The words, a JSON object a line",
        "words_jsonl",
        timed=True,
        grows="words",
    ),
)


# No row of the registry: it is several files (`hls`), which only `-o` can name.
PLAYLIST = Format(
    "m3u8", (".m3u8",), "WebVTT captions in segments, with their HLS playlist", "hls", timed=True
)


def is_playlist(path: Path) -> bool:
    """Whether a file is to be a playlist, by its suffix."""
    return path.name.lower().endswith(PLAYLIST.suffixes)


def _only_of_streams() -> UsageError:
    return UsageError(
        "jsonl has the events of a stream: it is a format of dg live and dg mic.",
        hint="The words as JSON lines: words.jsonl",
    )


def by_name(name: str) -> Format:
    """The format called `name`, or with the suffix `.name`; raises `UsageError` that lists all of them."""
    if not isinstance(name, str):  # from Python
        raise UsageError(
            f"A format is named by text, not by {type(name).__name__}.", hint='For example: "srt"'
        )
    for format_ in FORMATS:
        if name.lower() == format_.name or f".{name.lower()}" in format_.suffixes:
            return format_
    if name.lower() == "m3u8":
        raise UsageError("A playlist goes to files alone.", hint="Name it: -o captions.m3u8")
    if name.lower() == "jsonl":
        raise _only_of_streams()
    names = ", ".join(known.name for known in FORMATS)
    raise UsageError(f"There is no format {name!r}.", hint=f"Formats: {names}.")


def by_suffix(path: Path) -> Format:
    """The format that the suffix of `path` stands for; raises `UsageError` that lists all suffixes."""
    for format_ in FORMATS:
        if path.name.lower().endswith(format_.suffixes):
            return format_
    if path.suffix.lower() == ".jsonl":
        raise _only_of_streams()
    suffixes = ", ".join(suffix for known in FORMATS for suffix in known.suffixes)
    raise UsageError(
        f"The suffix of {str(path)!r} does not say which format to write.",
        hint=f"Suffixes: {suffixes}, .m3u8.",
    )


def renderer(format_: Format) -> Render:
    """The function that writes a format; its module is imported only now."""
    function = cast(Render, getattr(import_module(f"dgcli.formats.{format_.module}"), format_.function))

    def render(transcript: Transcript, options: RenderSettings) -> str:
        return function(transcript, options.of(transcript))

    return render


def grower(format_: Format, settings: RenderSettings) -> "Growing":
    """Create what writes a format that grows, piece by piece."""
    make = getattr(import_module(f"dgcli.formats.{format_.module}"), f"{format_.function}_{format_.grows}")
    return cast("Growing", make(settings))
