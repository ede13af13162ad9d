"""Caption formats that pysubs2 writes: Advanced SubStation Alpha and its predecessor.

They show the same cues as SubRip does. MicroDVD, MPL2 and TMPlayer are left out: they count frames, tenths or
whole seconds, which the gaps between cues do not survive.
"""

from collections.abc import Iterator
from itertools import pairwise

import pysubs2

from dgcli.captions.captioner import captions
from dgcli.captions.cues import Cue, Line
from dgcli.captions.text import is_right_to_left
from dgcli.errors import OutputError
from dgcli.formats.base import RenderSettings, colour_of
from dgcli.transcript.model import Transcript

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


def _style(right_to_left: bool) -> pysubs2.SSAStyle:
    return pysubs2.SSAStyle(
        fontname="Arial",
        fontsize=60,
        secondarycolor=pysubs2.Color(160, 160, 160),  # words that are still to come, with karaoke
        outline=3,
        shadow=1,
        alignment=pysubs2.Alignment.BOTTOM_CENTER,
        marginv=60,
        # libass finds the direction of a line from its text where the encoding is -1.
        encoding=-1 if right_to_left else 1,
    )


def _file(transcript: Transcript, options: RenderSettings) -> pysubs2.SSAFile:
    several = len(transcript.channels) > 1
    file = pysubs2.SSAFile()
    file.info.update(
        {"PlayResX": "1920", "PlayResY": "1080", "WrapStyle": "2", "ScaledBorderAndShadow": "yes"}
    )
    cues = captions(
        transcript,
        options.limits,
        prefix=options.caption_prefix(several),
        smooth_speakers=options.smooths,
        language=options.language,
    )
    file.styles["Default"] = _style(any(is_right_to_left(line.body) for cue in cues for line in cue.lines))
    for cue in cues:
        text = _karaoke(cue) if options.karaoke else "\\N".join(_line(line, options) for line in cue.lines)
        name = options.who(cue.lines[0].voice, several).replace(",", ";")  # a comma ends the field
        file.append(
            pysubs2.SSAEvent(start=round(cue.start * 1000), end=round(cue.end * 1000), text=text, name=name)
        )
    return file


def _script(transcript: Transcript, options: RenderSettings, version: str) -> str:
    file = _file(transcript, options)
    if file.events and file.events[-1].end / 1000 > _LATEST:
        raise OutputError(
            "SubStation captions end at 10 hours, and this transcript does not.", hint="Use srt, vtt or ttml."
        )
    return file.to_string(version)


def ass(transcript: Transcript, options: RenderSettings) -> str:
    """An Advanced SubStation Alpha script; with `karaoke` the words fill in as they are said.

    Raises `OutputError` for more than 10 hours.
    """
    return _script(transcript, options, "ass")


def ssa(transcript: Transcript, options: RenderSettings) -> str:
    """A SubStation Alpha script, for old programs. Raises `OutputError` for more than 10 hours."""
    return _script(transcript, options, "ssa")
