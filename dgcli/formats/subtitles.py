"""Caption formats that pysubs2 writes: Advanced SubStation Alpha and its predecessor.

They show the same cues as SubRip does. MicroDVD, MPL2 and TMPlayer are left out: they count frames, tenths or
whole seconds, which the gaps between cues do not survive.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pysubs2

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue, Line
from dgcli.errors import OutputError
from dgcli.formats.base import RenderSettings, colour_of
from dgcli.formats.cues import captioner_for, cues_of
from dgcli.formats.growing import CueWriter
from dgcli.transcript.model import Transcript

_ANY_DIRECTION = -1  # the encoding with which libass finds the direction of each line from its text
_LATEST = 36_000 - 0.02  # seconds: SubStation has one digit for the hours


def _escape(text: str) -> str:
    r"""Text in which SubStation finds no override block and no `\N`; it has no way to write these as text."""
    return text.replace("{", "｛").replace("}", "｝").replace("\\", "\\\u2060")


def _karaoke(cue: Cue) -> str:
    r"""The text with a `\k` before each word: for how many hundredths of a second it is the word's turn."""
    words = [word for line in cue.lines for word in line.words]
    turns = [cue.start, *(word.start for word in words[1:]), cue.end]
    left = iter([max(0, round(100 * (b - a))) for a, b in pairwise(turns)])

    def line_text(line: Line) -> Iterator[str]:
        yield _escape(line.prefix)
        for space, word in zip(line.spaces, line.words, strict=True):
            yield f"{space}{{\\k{next(left)}}}{_escape(word.text)}"

    return "\\N".join("".join(line_text(line)) for line in cue.lines)


def _line(line: Line, options: RenderSettings) -> str:
    name, colour = colour_of(line.voice)
    if options.speaker_style != "colour" or name == "white":
        return _escape(line.text)
    red, green, blue = colour[1:3], colour[3:5], colour[5:7]
    return f"{{\\c&H{blue}{green}{red}&}}{_escape(line.text)}{{\\c}}"


def _style() -> pysubs2.SSAStyle:
    return pysubs2.SSAStyle(
        fontname="Arial",
        fontsize=60,
        secondarycolor=pysubs2.Color(160, 160, 160),  # words that are still to come, with karaoke
        outline=3,
        shadow=1,
        alignment=pysubs2.Alignment.BOTTOM_CENTER,
        marginv=60,
        encoding=_ANY_DIRECTION,
    )


def _event(cue: Cue, options: RenderSettings, several_channels: bool) -> pysubs2.SSAEvent:
    text = _karaoke(cue) if options.karaoke else "\\N".join(_line(line, options) for line in cue.lines)
    name = options.who(cue.lines[0].voice, several_channels).replace(",", ";")  # a comma ends the field
    return pysubs2.SSAEvent(start=round(cue.start * 1000), end=round(cue.end * 1000), text=text, name=name)


def _file(events: Iterable[pysubs2.SSAEvent]) -> pysubs2.SSAFile:
    file = pysubs2.SSAFile()
    file.info.update(
        {"PlayResX": "1920", "PlayResY": "1080", "WrapStyle": "2", "ScaledBorderAndShadow": "yes"}
    )
    file.styles["Default"] = _style()
    file.extend(events)
    return file


def _captions(transcript: Transcript, options: RenderSettings) -> pysubs2.SSAFile:
    several = len(transcript.channels) > 1
    cues = cues_of(transcript, options)
    return _file(_event(cue, options, several) for cue in cues)


def _too_long() -> OutputError:
    return OutputError(
        "SubStation captions end at 10 hours, and this transcript does not.", hint="Use srt, vtt or ttml."
    )


def _script(transcript: Transcript, options: RenderSettings, version: str) -> str:
    file = _captions(transcript, options)
    if file.events and file.events[-1].end / 1000 > _LATEST:
        raise _too_long()
    return file.to_string(version)


class _SubtitleCues:
    """Writes a file cue by cue, each as pysubs2 writes it between the head and the end of a file."""

    def __init__(self, options: RenderSettings, version: str) -> None:
        self._options = options
        self._version = version
        self._is_full = False
        self.header, _, self.footer = self._parts(pysubs2.SSAEvent(text="x"))

    def _parts(self, event: pysubs2.SSAEvent) -> tuple[str, str, str]:
        """A file with one cue: what stands before that, the cue, and what stands after it."""
        head, opening, cue = _file([event]).to_string(self._version).rpartition("\nDialogue: ")
        return head + "\n", opening[1:] + cue, ""

    def captioner(self, channels: int) -> Captioner:
        """Create what makes cues of words."""
        return captioner_for(self._options, channels)

    def cue(self, cue: Cue, number: int, several_channels: bool) -> str:  # noqa: ARG002 - a CueWriter
        """Write a cue. Raises `OutputError`, once, where SubStation has no time for it."""
        if cue.end > _LATEST:
            if self._is_full:
                return ""
            self._is_full = True
            raise _too_long()
        return self._parts(_event(cue, self._options, several_channels))[1]

    def note(self, message: str) -> str:  # noqa: ARG002 - a CueWriter
        """Write nothing: a comment would need a time."""
        return ""


def ass_cues(options: RenderSettings) -> CueWriter:
    """Create the writer of an Advanced SubStation Alpha script that grows while the words come in."""
    return _SubtitleCues(options, "ass")


def ssa_cues(options: RenderSettings) -> CueWriter:
    """Create the writer of a SubStation Alpha script that grows while the words come in."""
    return _SubtitleCues(options, "ssa")


def ass(transcript: Transcript, options: RenderSettings) -> str:
    """An Advanced SubStation Alpha script; with `karaoke` the words fill in as they are said.

    Raises `OutputError` for more than 10 hours.
    """
    return _script(transcript, options, "ass")


def ssa(transcript: Transcript, options: RenderSettings) -> str:
    """A SubStation Alpha script, for old programs. Raises `OutputError` for more than 10 hours."""
    return _script(transcript, options, "ssa")
