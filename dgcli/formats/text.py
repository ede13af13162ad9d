"""Plain text: the words in paragraphs, each opening with who speaks where that is known; then sections."""

from dgcli.formats.base import RenderSettings
from dgcli.formats.turns import paragraphs, voice
from dgcli.transcript.model import Transcript

_NAME = "\x1b[1m{}:\x1b[0m"  # bold


def render(transcript: Transcript, options: RenderSettings) -> str:
    """Paragraphs and sections separated by empty lines; nothing if nothing was said and nothing is asked for."""
    several = len(transcript.channels) > 1
    blocks = []
    for paragraph in paragraphs(transcript, smooth_speakers=options.smooths):
        name = options.who(voice(paragraph), several)
        label = _NAME.format(name) if options.colour else f"{name}:"
        blocks.append(f"{label} {paragraph.text}\n" if name else f"{paragraph.text}\n")
    if options.sections:
        from dgcli.formats.sections import sections

        blocks += sections(transcript, options)
    return "\n".join(blocks)
