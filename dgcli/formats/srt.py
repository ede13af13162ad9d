"""SubRip captions: what most players and video sites take."""

import re

from dgcli.captions.captioner import Captioner, captions
from dgcli.captions.cues import Cue
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import clock
from dgcli.transcript.model import Transcript

# SubRip has no way to write these as text: a player would take them for markup.
_TAG = re.compile(r"<(?=[A-Za-z/!])")


def _text(cue: Cue) -> str:
    text = cue.text
    if "<" in text or "{\\" in text or "-->" in text:
        text = _TAG.sub("‹", text).replace("{\\", "{\u2060\\").replace("-->", "→")
    return text


def srt_cue(cue: Cue, number: int) -> str:
    """One cue as a block of a SubRip file, with the empty line that ends it; `number` counts from 1."""
    return f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{_text(cue)}\n\n"


def srt_captioner(options: RenderSettings, channels: int = 1) -> Captioner:
    """Create the captioner of a SubRip file that grows while the words come in."""
    return Captioner(
        options.limits,
        prefix=options.prefix(channels > 1),
        channels=channels,
        smooth_speakers=options.smooth_speakers is not False,
        language=options.language,
    )


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A SubRip file; empty if nothing was said."""
    cues = captions(
        transcript,
        options.limits,
        prefix=options.prefix(len(transcript.channels) > 1),
        smooth_speakers=options.smooth_speakers is not False,
        language=options.language,
    )
    return "".join(srt_cue(cue, number) for number, cue in enumerate(cues, 1))
