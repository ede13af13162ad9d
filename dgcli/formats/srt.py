"""SubRip captions: what most players and video sites take."""

import re

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue
from dgcli.captions.text import is_right_to_left
from dgcli.formats.base import RenderSettings, colour_of
from dgcli.formats.clock import clock
from dgcli.formats.cues import captioner_for, cues_of
from dgcli.formats.growing import CueWriter
from dgcli.transcript.model import Transcript

# SubRip has no way to write these as text: a player would take them for markup.
_RIGHT_TO_LEFT_ISOLATE, _POP_ISOLATE = "\u2067", "\u2069"  # UAX #9
_TAG = re.compile(r"<(?=[A-Za-z/!])")


def _plain(text: str) -> str:
    if "<" in text or "{\\" in text or "-->" in text:
        text = _TAG.sub("‹", text).replace("{\\", "{\u2060\\").replace("-->", "→")
    return text


def _text(cue: Cue, options: RenderSettings) -> str:
    if not (options.isolates or options.speaker_style == "colour"):
        return _plain(cue.text)
    lines = []
    for line in cue.lines:
        text = _plain(line.text)
        if options.isolates and is_right_to_left(text):
            text = f"{_RIGHT_TO_LEFT_ISOLATE}{text}{_POP_ISOLATE}"
        name, colour = colour_of(line.voice)
        if options.speaker_style == "colour" and name != "white" and line.voice.speaker is not None:
            text = f'<font color="{colour}">{text}</font>'
        lines.append(text)
    return "\n".join(lines)


class _SrtCues:
    """Writes a SubRip file cue by cue: each is a block with the empty line that ends it."""

    header = footer = ""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options

    def captioner(self, channels: int) -> Captioner:
        """Create what makes cues of words."""
        return captioner_for(self._options, channels)

    def cue(self, cue: Cue, number: int, several_channels: bool) -> str:  # noqa: ARG002 - a CueWriter
        """Write a cue."""
        return f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{_text(cue, self._options)}\n\n"

    def note(self, message: str) -> str:  # noqa: ARG002 - a CueWriter
        """Write nothing: SubRip has no notes."""
        return ""


def render_cues(options: RenderSettings) -> CueWriter:
    """Create the writer of a file that grows while the words come in."""
    return _SrtCues(options)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A SubRip file; empty if nothing was said."""
    several = len(transcript.channels) > 1
    cues, writer = cues_of(transcript, options), _SrtCues(options)
    return "".join(writer.cue(cue, number, several) for number, cue in enumerate(cues, 1))
