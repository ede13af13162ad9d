"""Caption formats that pysubs2 writes: Advanced SubStation Alpha, its predecessor, and TTML.

They show the same cues as SubRip does. MicroDVD, MPL2 and TMPlayer are left out: they count frames, tenths or
whole seconds, which the gaps between cues do not survive.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pysubs2

from dgcli.captions.captioner import captions
from dgcli.captions.cues import Cue, Line
from dgcli.errors import OutputError
from dgcli.formats.base import RenderSettings
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


def _style() -> pysubs2.SSAStyle:
    return pysubs2.SSAStyle(
        fontname="Arial",
        fontsize=60,
        secondarycolor=pysubs2.Color(160, 160, 160),  # words that are still to come, with karaoke
        outline=3,
        shadow=1,
        alignment=pysubs2.Alignment.BOTTOM_CENTER,
        marginv=60,
    )


def _file(transcript: Transcript, options: RenderSettings) -> pysubs2.SSAFile:
    several = len(transcript.channels) > 1
    file = pysubs2.SSAFile()
    file.info.update(
        {"PlayResX": "1920", "PlayResY": "1080", "WrapStyle": "2", "ScaledBorderAndShadow": "yes"}
    )
    file.styles["Default"] = _style()
    cues = captions(
        transcript,
        options.limits,
        prefix=options.prefix(several),
        smooth_speakers=options.smooth_speakers is not False,
        language=options.language,
    )
    for cue in cues:
        text = _karaoke(cue) if options.karaoke else "\\N".join(_escape(line.text) for line in cue.lines)
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


def ttml(transcript: Transcript, options: RenderSettings) -> str:
    """A TTML document (W3C, "Timed Text Markup Language 1")."""
    text = _file(transcript, replace(options, karaoke=False)).to_string("ttml")
    # TTML identifies styles by xml:id and wants a language on its root; pysubs2 writes neither.
    language = options.language_of(transcript) or ""
    return text.replace('<style id="', '<style xml:id="').replace("<tt ", f'<tt xml:lang="{language}" ', 1)
