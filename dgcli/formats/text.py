"""Plain text: the words in paragraphs, each opening with who speaks where that is known; then sections.

A paragraph is a line, but on a terminal, where it is wrapped at words.
"""

from dgcli.captions.text import wrapped
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
        text = f"{name}: {paragraph.text}" if name else paragraph.text
        if options.width is not None:
            text = "\n".join(wrapped(text, max(options.width - 1, 1)))
        if name and options.colour and text.startswith(f"{name}:"):
            text = _NAME.format(name) + text[len(name) + 1 :]
        blocks.append(f"{text}\n")
    if options.sections:
        from dgcli.formats.sections import sections

        blocks += sections(transcript, options)
    return "\n".join(blocks)
