"""SubRip captions: what most players and video sites take."""

import re

from dgcli.captions.captioner import Captioner, captions
from dgcli.captions.cues import Cue
from dgcli.captions.text import is_right_to_left
from dgcli.formats.base import RenderSettings, colour_of
from dgcli.formats.clock import clock
from dgcli.transcript.model import Transcript

# SubRip has no way to write these as text: a player would take them for markup.
_RIGHT_TO_LEFT_ISOLATE, _POP_ISOLATE = "\u2067", "\u2069"  # UAX #9
_TAG = re.compile(r"<(?=[A-Za-z/!])")


def _plain(text: str) -> str:
    if "<" in text or "{\\" in text or "-->" in text:
        text = _TAG.sub("‹", text).replace("{\\", "{\u2060\\").replace("-->", "→")
    return text


def _text(cue: Cue, options: RenderSettings | None) -> str:
    if options is None or not (options.isolates or options.speaker_style == "colour"):
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


def srt_cue(cue: Cue, number: int, options: RenderSettings | None = None) -> str:
    """One cue as a block of a SubRip file, with the empty line that ends it; `number` counts from 1."""
    return f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{_text(cue, options)}\n\n"


def srt_captioner(options: RenderSettings, channels: int = 1) -> Captioner:
    """Create the captioner of a SubRip file that grows while the words come in."""
    return Captioner(
        options.limits,
        prefix=options.caption_prefix(channels > 1),
        channels=channels,
        smooth_speakers=options.smooths,
        language=options.language,
    )


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A SubRip file; empty if nothing was said."""
    cues = captions(
        transcript,
        options.limits,
        prefix=options.caption_prefix(len(transcript.channels) > 1),
        smooth_speakers=options.smooths,
        language=options.language,
    )
    return "".join(srt_cue(cue, number, options) for number, cue in enumerate(cues, 1))
