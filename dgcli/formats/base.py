"""The interface of an output format, and the recipe for a new one.

A format turns a `Transcript` into text. To add one, write a module like this and give it a row in
`FORMATS` of `dgcli.formats`:

    # formats/shout.py
    def render(transcript: Transcript, options: RenderSettings) -> str:
        return "".join(channel.text.upper() + "\\n" for channel in transcript.channels)

    # formats/__init__.py
    Format("shout", (".shout",), "The text in capitals", "shout"),

`-f shout` and `-o talk.shout` are then understood, listed and completed. A module is imported when its format
is written, so a heavy one costs nobody else.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote, unquote, urlsplit

from dgcli.captions.text import clean
from dgcli.captions.voice import Prefix, Voice
from dgcli.errors import UsageError
from dgcli.transcript.model import Transcript

if TYPE_CHECKING:
    from dgcli.captions.limits import Limits

SPEAKER_STYLES = ("label", "dash", "voice", "colour")
COLOURS = (("white", "#ffffff"), ("yellow", "#ffff00"), ("cyan", "#00ffff"), ("lime", "#00ff00"))


def _no_prefix(voice: Voice) -> str:  # noqa: ARG001 - a Prefix
    return ""


# The analyses that plain text can be followed by, in the order in which they are written.
SECTIONS = ("summary", "topics", "intents", "entities", "sentiment", "search", "language")
_ALL = "all"
_LONGEST_DELAY = 60.0  # seconds


def _sections(names: Iterable[str]) -> tuple[str, ...]:
    """Return sections in their order. Raises `UsageError` for a name that is none."""
    given = {name.strip().lower() for name in names} - {""}
    if unknown := sorted(given - {*SECTIONS, _ALL}):
        raise UsageError(
            f"There is no section {unknown[0]!r}.", hint=f"Sections: {', '.join(SECTIONS)}, or {_ALL}."
        )
    return tuple(name for name in SECTIONS if name in given or _ALL in given)


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """The user's choices about how a transcript is written, whatever the format.

    `limits` are those of a cue (None: Netflix's). `karaoke` asks for a time at every word where the format has
    such. `smooth_speakers` puts changes of speaker at ends of sentences and pauses (None: where people read the
    format). `language` is the one that was asked for, for a transcript that names none (BCP 47).
    `speaker_style` is how captions tell who speaks (None: as is usual in the format). `isolates` puts lines from
    right to left into directional isolates in SubRip, which has no direction. `max_delay` is how many seconds after
    its last word a cue is written while a stream runs (None: when what follows is known). `audio` is the recording
    that a page links to: a path or a URL, until `beside` makes a link of it. `title` is that of a page; where there
    is none, the recording of `audio` names it, or else `source_name`, what the transcript was made of.
    `segment_duration` (whole seconds) and `timestamp_map` (the MPEG-2 timestamp of the media at caption time 0) are
    those of captions in HLS.
    `sections` are the analyses that follow the words in plain text ("all": each that there is). `colour` and
    `width` (columns) are those of a terminal that plain text goes to.
    """

    speaker_names: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    limits: "Limits | None" = None
    karaoke: bool = False
    audio: str | None = None
    title: str | None = None
    smooth_speakers: bool | None = None
    language: str | None = None
    speaker_style: str | None = None
    isolates: bool = False
    max_delay: float | None = None
    sections: Sequence[str] = ()
    segment_duration: int = 6  # as Apple's "HLS Authoring Specification" recommends
    timestamp_map: int = 0
    # It follows from the input: no other output becomes of it.
    source_name: str | None = field(default=None, repr=False)
    # What a transcript looks like on one terminal is no part of what is asked for.
    colour: bool = field(default=False, repr=False)
    width: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.speaker_style not in (None, *SPEAKER_STYLES):
            styles = ", ".join(SPEAKER_STYLES)
            raise UsageError(f"--speaker-style must be one of {styles}, not {self.speaker_style!r}.")
        if self.max_delay is not None and not 1 <= self.max_delay <= _LONGEST_DELAY:
            raise UsageError(
                f"--max-delay must be 1 to {_LONGEST_DELAY:g} seconds, or 0 for none; not {self.max_delay:g}."
            )
        if not 1 <= self.segment_duration <= 60:
            raise UsageError(f"--segment-duration must be 1 to 60 seconds, not {self.segment_duration}.")
        if not 0 <= self.timestamp_map < 2**33:  # the bits of an MPEG-2 timestamp
            raise UsageError(f"--timestamp-map must be 0 to {2**33 - 1}, not {self.timestamp_map}.")
        names = {number: " ".join(clean(name).split()) for number, name in self.speaker_names.items()}
        object.__setattr__(self, "speaker_names", MappingProxyType(names))
        object.__setattr__(self, "sections", _sections(self.sections))

    def beside(self, folder: Path) -> "RenderSettings":
        """The same, with `audio` as a link from a page in `folder`: a URL stays, a path becomes a relative one."""
        if self.audio is None or "://" in self.audio:
            return self
        try:
            path = os.path.relpath(self.audio, folder)
        except ValueError:  # another drive
            return replace(self, audio=Path(self.audio).resolve().as_uri())
        return replace(self, audio=quote(path.replace(os.sep, "/")))

    def spoken_in(self, language: object) -> "RenderSettings":
        """The same with the language that was asked for, unless that is several or was given already."""
        if self.language or not isinstance(language, str) or language in ("", "multi"):
            return self
        return replace(self, language=language)

    def named_after(self, source: str | None) -> "RenderSettings":
        """The same for a transcript of `source`, a path or a URL, whose last part names it."""
        name = PurePath(unquote(urlsplit(source).path) if "://" in source else source).stem if source else ""
        return replace(self, source_name=name) if name and name != "-" else self

    def of(self, transcript: Transcript) -> "RenderSettings":
        """The same for a transcript that somebody may have corrected: with the names that were given there.

        Speakers that were corrected in the page are smoothed only where that is asked for.
        """
        if transcript.given_names is None:
            return self
        names = {**transcript.given_names, **self.speaker_names}
        smooths = self.smooth_speakers is True if transcript.has_corrected_speakers else self.smooth_speakers
        return replace(self, speaker_names=names, smooth_speakers=smooths)

    def language_of(self, transcript: Transcript) -> str | None:
        """Return the language of a transcript: the first that was detected, else the one asked for."""
        detected = (channel.detected_language for channel in transcript.channels)
        return next(filter(None, detected), self.language)

    def speaker(self, number: int) -> str:
        """Return a speaker's name: the one given, or `Speaker N`."""
        return self.speaker_names.get(number, f"Speaker {number}")

    def who(self, voice: Voice, several_channels: bool) -> str:
        """Return a voice's name; empty where nothing tells it from others.

        Where channels are all that is known, each is a speaker of its own and may have been given a name.
        """
        channel, speaker = voice
        if not several_channels:
            return "" if speaker is None else self.speaker(speaker)
        if speaker is None:
            return self.speaker_names.get(channel, f"Channel {channel}")
        return f"Channel {channel}, {self.speaker(speaker)}"

    def prefix(self, several_channels: bool) -> Prefix:
        """Return a voice's prefix in captions: its name in brackets (Netflix, SDH, "Speaker IDs")."""

        def prefix(voice: Voice) -> str:
            name = self.who(voice, several_channels)
            return f"[{name}] " if name else ""

        return prefix

    def caption_prefix(self, several_channels: bool, *, has_voices: bool = False) -> Prefix:
        """Return a voice's prefix in captions of the style that was chosen.

        `has_voices` says that the format names who speaks beside the text.
        """
        style = self.speaker_style or ("voice" if has_voices else "label")
        if style == "label" or (style == "voice" and not has_voices):
            return self.prefix(several_channels)
        if style == "dash":
            return lambda voice: "- " if self.who(voice, several_channels) else ""
        return _no_prefix

    @property
    def smooths(self) -> bool:
        """Whether formats that people read have their speakers smoothed."""
        return self.smooth_speakers is not False


def colour_of(voice: Voice) -> tuple[str, str]:
    """Return the colour of a voice: its WebVTT class and its hexadecimal value.

    They are those that the BBC's Subtitle Guidelines allow, in their order; they repeat.
    """
    number = voice.channel if voice.speaker is None else voice.speaker
    return COLOURS[number % len(COLOURS)]


def _own_names() -> list[str]:
    return [field.name for field in fields(RenderSettings) if field.name not in ("limits", "source_name")]


def option_names() -> tuple[str, ...]:
    """Return the names that `render_settings` takes."""
    from dgcli.captions.limits import Limits

    return (*_own_names(), "preset", *(field.name for field in fields(Limits)))


def render_settings(**options: Any) -> RenderSettings:
    """Build settings from the fields of `RenderSettings`, a preset of limits, and changes to that.

    None changes nothing. Raises `UsageError` for values that are invalid.
    """
    own_names = _own_names()
    given = {name: value for name, value in options.items() if value is not None}
    own = {name: value for name, value in given.items() if name in own_names}
    of_cues = {name: value for name, value in given.items() if name not in own_names}
    names = given.get("speaker_names", {})
    if not isinstance(names, Mapping) or not all(isinstance(name, str) for name in names.values()):
        raise UsageError("speaker_names takes names by number.", hint='For example: {0: "Anna"}')
    sections = given.get("sections", ())
    if isinstance(sections, str) or not isinstance(sections, Iterable):
        raise UsageError("sections takes a list of names.", hint='For example: ["summary", "topics"]')
    if not of_cues:  # captions need not be loaded for text
        return RenderSettings(**own)
    from dgcli.captions.limits import limits

    return RenderSettings(limits=limits(**of_cues), **own)


class Render(Protocol):
    """The function that writes a format."""

    def __call__(self, transcript: Transcript, options: RenderSettings) -> str:
        """The whole output, ending in a newline unless it is empty."""


class Format(NamedTuple):
    """A row of the registry: the name, the suffixes that choose it, a line of help, its module and function.

    `timed` says that it is made of words with times, and is empty for a response that has text only; `analyses`
    that it has the analyses that there are. `grows`: of what it is made while a stream runs, cues, words or turns
    (`dgcli.formats.growing`); a format that does not grow is written anew from time to time.
    """

    name: str
    suffixes: tuple[str, ...]
    help: str
    module: str
    function: str = "render"
    timed: bool = False
    analyses: bool = False
    grows: str = ""
