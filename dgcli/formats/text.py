"""Plain text: the words in paragraphs, each opening with who speaks where that is known."""

from dgcli.formats.base import RenderSettings
from dgcli.formats.turns import paragraphs, voice
from dgcli.transcript.model import Transcript


def render(transcript: Transcript, options: RenderSettings) -> str:
    """Paragraphs separated by empty lines; nothing if nothing was said."""
    several = len(transcript.channels) > 1
    blocks = []
    for paragraph in paragraphs(transcript, smooth_speakers=options.smooths):
        name = options.who(voice(paragraph), several)
        blocks.append(f"{name}: {paragraph.text}\n" if name else f"{paragraph.text}\n")
    return "\n".join(blocks)
