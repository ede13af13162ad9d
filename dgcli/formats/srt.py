"""SubRip captions: what most players and video sites take."""

import re

from dgcli.captions.captioner import Captioner, captions
from dgcli.captions.cues import Cue
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import clock
from dgcli.formats.growing import CueWriter
from dgcli.transcript.model import Transcript

# SubRip has no way to write these as text: a player would take them for markup.
_TAG = re.compile(r"<(?=[A-Za-z/!])")


def _text(cue: Cue) -> str:
    text = cue.text
    if "<" in text or "{\\" in text or "-->" in text:
        text = _TAG.sub("‹", text).replace("{\\", "{\u2060\\").replace("-->", "→")
    return text


class _SrtCues:
    """Writes a SubRip file cue by cue: each is a block with the empty line that ends it."""

    header = footer = ""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options

    def captioner(self, channels: int) -> Captioner:
        """Create what makes cues of words."""
        return Captioner(self._options.limits, prefix=self._options.prefix(channels > 1), channels=channels)

    def cue(self, cue: Cue, number: int, several_channels: bool) -> str:  # noqa: ARG002 - a CueWriter
        """Write a cue."""
        return f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{_text(cue)}\n\n"

    def note(self, message: str) -> str:  # noqa: ARG002 - a CueWriter
        """Write nothing: SubRip has no notes."""
        return ""


def render_cues(options: RenderSettings) -> CueWriter:
    """Create the writer of a file that grows while the words come in."""
    return _SrtCues(options)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A SubRip file; empty if nothing was said."""
    several = len(transcript.channels) > 1
    cues, writer = captions(transcript, options.limits, prefix=options.prefix(several)), _SrtCues(options)
    return "".join(writer.cue(cue, number, several) for number, cue in enumerate(cues, 1))
