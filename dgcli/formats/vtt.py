"""WebVTT captions, with voices and, on request, a time at every word.

Source: W3C, "WebVTT: The Web Video Text Tracks Format", section 4.
"""

from collections.abc import Iterator
from itertools import groupby

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue, Line
from dgcli.captions.text import clean
from dgcli.formats.base import RenderSettings, colour_of
from dgcli.formats.clock import clock
from dgcli.formats.cues import captioner_for, cues_of
from dgcli.formats.growing import CueWriter
from dgcli.transcript.model import Transcript


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _one_line(text: str) -> str:
    return _escape(" ".join(clean(text).split()))


class _Stamps:
    """Timestamps inside of a cue, which must rise and lie within it (section 4.2.2)."""

    def __init__(self, cue: Cue) -> None:
        self._last, self._end = cue.start, cue.end

    def line(self, line: Line) -> str:
        parts = []
        for space, word in zip(line.spaces, line.words, strict=True):
            stamp = round(word.start, 3)
            if self._last < stamp < self._end:
                self._last = stamp
                parts.append(f"{space}<{clock(stamp)}>{_escape(word.text)}")
            else:
                parts.append(space + _escape(word.text))
        return _escape(line.prefix) + "".join(parts)


def _lines(cue: Cue, options: RenderSettings, several_channels: bool) -> Iterator[str]:
    stamps = _Stamps(cue)
    groups = [(voice, list(lines)) for voice, lines in groupby(cue.lines, key=lambda line: line.voice)]
    for voice, lines in groups:
        text = "\n".join(stamps.line(line) if options.karaoke else _escape(line.text) for line in lines)
        name = _one_line(options.who(voice, several_channels))
        if options.speaker_style == "colour" and name and (colour := colour_of(voice)[0]) != "white":
            text = f"<c.{colour}>{text}</c>"
        if name and options.speaker_style != "dash":
            # The end tag may be left out where the voice speaks the whole cue.
            text = f"<v {name}>{text}" + ("</v>" if len(groups) > 1 else "")
        yield text


def _header(transcript: Transcript) -> str:
    """Return the head of a WebVTT file, with a note of its origin as Deepgram's own packages write it."""
    metadata = transcript.raw.get("metadata")
    channels = metadata.get("channels") if isinstance(metadata, dict) else None
    facts = {
        "Request Id": transcript.request_id,
        "Created": transcript.created,
        "Duration": transcript.duration,
        "Channels": channels if isinstance(channels, int) else None,
    }
    known = "".join(f"{name}: {_one_line(str(fact))}\n" for name, fact in facts.items() if fact is not None)
    return f"WEBVTT\n\nNOTE\nTranscription provided by Deepgram\n{known}\n"


class _VttCues:
    """Writes a WebVTT file cue by cue: each is a block with the empty line that ends it."""

    header, footer = "WEBVTT\n\n", ""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options

    def captioner(self, channels: int) -> Captioner:
        """Create what makes cues of words; voices need no room on the lines."""
        return captioner_for(self._options, channels, has_voices=True)

    def cue(self, cue: Cue, number: int, several_channels: bool) -> str:  # noqa: ARG002 - a CueWriter
        """Write a cue."""
        lines = "\n".join(_lines(cue, self._options, several_channels))
        return f"{clock(cue.start)} --> {clock(cue.end)}\n{lines}\n\n"

    def note(self, message: str) -> str:
        """Write a comment block (section 4.1), which players do not show."""
        return f"NOTE\n{_one_line(message)}\n\n"


def render_cues(options: RenderSettings) -> CueWriter:
    """Create the writer of a file that grows while the words come in."""
    return _VttCues(options)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A WebVTT file; its header alone if nothing was said."""
    several = len(transcript.channels) > 1
    cues, writer = cues_of(transcript, options, has_voices=True), _VttCues(options)
    return _header(transcript) + "".join(writer.cue(cue, at, several) for at, cue in enumerate(cues, 1))
