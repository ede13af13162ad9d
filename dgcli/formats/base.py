"""What an output format is, and the recipe for a new one.

A format turns a `Transcript` into text. To add one, write a module like this and give it a row in
`FORMATS` of `dgcli.formats`:

    # formats/shout.py
    def render(transcript: Transcript, options: Options) -> str:
        return "".join(channel.text.upper() + "\\n" for channel in transcript.channels)

    # formats/__init__.py
    Format("shout", (".shout",), "The text in capitals", "dgcli.formats.shout"),

`-f shout` and `-o talk.shout` are then understood, listed and completed. A module is imported when its format
is written, so a heavy one costs nobody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from dgcli.captions import Limits, Prefix, Voice
from dgcli.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may say about how a transcript is written, whatever the format.

    `limits` are those of a cue. `karaoke` asks for a time at every word where the format has such. `audio` is
    what a page links to: a path or a URL, as it is to stand there.
    """

    speaker_names: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    limits: Limits = field(default_factory=Limits)
    karaoke: bool = False
    audio: str | None = None

    def speaker(self, number: int) -> str:
        """How a speaker is called: by the name given, or `Speaker N`."""
        return self.speaker_names.get(number, f"Speaker {number}")

    def who(self, voice: Voice, several_channels: bool) -> str:
        """How a voice is called; empty where nothing tells it from others.

        Where channels are all that is known, each is a speaker of its own and may have been given a name.
        """
        channel, speaker = voice
        if not several_channels:
            return "" if speaker is None else self.speaker(speaker)
        if speaker is None:
            return self.speaker_names.get(channel, f"Channel {channel}")
        return f"Channel {channel}, {self.speaker(speaker)}"

    def prefix(self, several_channels: bool) -> Prefix:
        """What stands before a voice in captions: its name in brackets (Netflix, SDH, "Speaker IDs")."""

        def prefix(voice: Voice) -> str:
            name = self.who(voice, several_channels)
            return f"[{name}] " if name else ""

        return prefix


class Render(Protocol):
    """The one function of a format's module."""

    def __call__(self, transcript: Transcript, options: Options) -> str:
        """The whole output, ending in a newline unless it is empty."""


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the registry: the name, the suffixes that choose it, a line of help, and its module."""

    name: str
    suffixes: tuple[str, ...]
    help: str
    module: str
