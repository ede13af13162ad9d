"""TTML captions that players place: a document of the IMSC 1.1 text profile, or of EBU-TT-D.

Sources: W3C, "TTML Profiles for Internet Media Subtitles and Captions 1.1" (text profile), and "Timed Text Markup
Language 2", sections 8 and 10; EBU Tech 3380, "EBU-TT-D Subtitling Distribution Format", version 1.0.1.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue, Line
from dgcli.captions.text import is_right_to_left
from dgcli.captions.voice import Voice
from dgcli.formats.base import COLOURS, RenderSettings, colour_of
from dgcli.formats.clock import clock
from dgcli.formats.cues import captioner_for, cues_of
from dgcli.formats.growing import CueWriter
from dgcli.transcript.model import Transcript

_PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
_EBU_PROFILES = ("urn:ebu:tt:distribution:2018-04", "http://www.w3.org/ns/ttml/profile/imsc1/text")
_LANGUAGE_TAG = re.compile("[A-Za-z0-9-]*")  # RFC 5646; what a server calls a language may be none
_NOT_XML = re.compile("[\ufffe\uffff]")  # XML 1.0, production 2; other controls are gone already

# Four fifths of a cell of 1/15 of the picture's height let 42 characters stand on a line of a 16:9 picture, in a
# region that leaves a tenth of the picture free on each side and a twentieth below.
_HEAD = """\
    <styling>
      <style xml:id="Default" tts:fontFamily="proportionalSansSerif" tts:fontSize="80%" tts:lineHeight="125%" \
tts:color="#ffffff" tts:textAlign="center"/>
      <style xml:id="text" tts:backgroundColor="#000000c0"/>
    </styling>
    <layout>
      <region xml:id="bottom" tts:origin="10% 70%" tts:extent="80% 25%" tts:displayAlign="after" \
tts:textAlign="center" tts:overflow="visible"/>
    </layout>
"""


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _agents(cues: list[Cue], options: RenderSettings, several: bool) -> dict[Voice, tuple[str, str]]:
    """The id and the name of every voice that has a name."""
    voices = dict.fromkeys(line.voice for cue in cues for line in cue.lines)
    return {
        voice: (f"voice{number}", name)
        for number, voice in enumerate(voices)
        if (name := options.who(voice, several))
    }


def _spans(cue: Cue, agents: dict[Voice, tuple[str, str]], options: RenderSettings) -> Iterator[str]:
    groups = [(voice, list(lines)) for voice, lines in groupby(cue.lines, key=lambda line: line.voice)]
    for voice, lines in groups:
        attributes = ' style="text"'
        if len(groups) > 1 and voice in agents:
            attributes += f' ttm:agent="{agents[voice][0]}"'
        if options.speaker_style == "colour" and voice.speaker is not None:
            attributes += f' tts:color="{colour_of(voice)[1]}"'
        yield f"<span{attributes}>" + "<br/>".join(_text(line.text) for line in lines) + "</span>"


def _first(lines: tuple[Line, ...]) -> Voice | None:
    """The voice of a cue of one voice."""
    voices = {line.voice for line in lines}
    return voices.pop() if len(voices) == 1 else None


def _paragraph(cue: Cue, agents: dict[Voice, tuple[str, str]], options: RenderSettings) -> str:
    attributes = f'begin="{clock(cue.start)}" end="{clock(cue.end)}"'
    voice = _first(cue.lines)
    if voice in agents:
        attributes += f' ttm:agent="{agents[voice][0]}"'
    if is_right_to_left(" ".join(line.body for line in cue.lines)):
        attributes += ' tts:direction="rtl" tts:unicodeBidi="embed"'
    return f"      <p {attributes}>{'<br/>'.join(_spans(cue, agents, options))}</p>\n"


def _frame_rate(fps: float | None) -> str:
    if fps is None:
        return ""
    exact = float(fps).is_integer()
    multiplier = "" if exact else ' ttp:frameRateMultiplier="1000 1001"'
    return f' ttp:frameRate="{round(fps)}"{multiplier}'


def _document(agents: dict[Voice, tuple[str, str]], language: str, fps: float | None) -> tuple[str, str]:
    """Everything before the paragraphs, and everything after them."""
    metadata = "".join(
        f'      <ttm:agent xml:id="{identity}" type="person">'
        f'<ttm:name type="full">{_text(name)}</ttm:name></ttm:agent>\n'
        for identity, name in agents.values()
    )
    if metadata:
        metadata = f"    <metadata>\n{metadata}    </metadata>\n"
    if not _LANGUAGE_TAG.fullmatch(language):
        language = ""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
        'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
        f'xml:lang="{language}" xml:space="default" ttp:contentProfiles="{_PROFILE}" ttp:timeBase="media" '
        f'ttp:cellResolution="32 15"{_frame_rate(fps)}>\n'
        f"  <head>\n{metadata}{_HEAD}  </head>\n"
        '  <body>\n    <div region="bottom" style="Default">\n'
    )
    return head, "    </div>\n  </body>\n</tt>\n"


def _fps(options: RenderSettings) -> float | None:
    return options.limits.fps if options.limits else None


class _Cues:
    """Writes a document cue by cue, without agents: who will speak is known at the end only."""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options
        self.header, self.footer = _document({}, options.language or "", _fps(options))

    def captioner(self, channels: int) -> Captioner:
        """Create what makes cues of words."""
        return captioner_for(self._options, channels)

    def cue(self, cue: Cue, number: int, several_channels: bool) -> str:  # noqa: ARG002 - a CueWriter
        """Write a cue."""
        return _paragraph(cue, {}, self._options)

    def note(self, message: str) -> str:  # noqa: ARG002 - a CueWriter
        """Write nothing: a comment would be no part of the captions."""
        return ""


def render_cues(options: RenderSettings) -> CueWriter:
    """Create the writer of a document that grows while the words come in."""
    return _Cues(options)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A TTML document; one without paragraphs if nothing was said."""
    cues = list(cues_of(transcript, options))
    agents = _agents(cues, options, len(transcript.channels) > 1)
    head, foot = _document(agents, options.language_of(transcript) or "", _fps(options))
    return head + "".join(_paragraph(cue, agents, options) for cue in cues) + foot


# EBU-TT-D has its styles by reference alone, lengths in percent, and neither agents nor frames.
_EBU_HEAD = """\
    <metadata>
      <ebuttm:documentMetadata>
{profiles}
      </ebuttm:documentMetadata>
    </metadata>
    <styling>
      <style xml:id="block" tts:fontFamily="proportionalSansSerif" tts:fontSize="80%" tts:lineHeight="125%" \
tts:textAlign="center" ebutts:linePadding="0.5c" ebutts:multiRowAlign="center"/>
      <style xml:id="rtl" tts:direction="rtl" tts:unicodeBidi="embed"/>
{colours}
    </styling>
    <layout>
      <region xml:id="bottom" tts:origin="10% 70%" tts:extent="80% 25%" tts:displayAlign="after" \
tts:overflow="visible"/>
    </layout>
"""


def _ebu_paragraph(cue: Cue, number: int, options: RenderSettings) -> str:
    spans = []
    for line in cue.lines:
        name = colour_of(line.voice)[0]
        if options.speaker_style != "colour" or line.voice.speaker is None:
            name = "white"
        spans.append(f'<span style="{name}">{_text(line.text)}</span>')
    rtl = " rtl" if is_right_to_left(" ".join(line.body for line in cue.lines)) else ""
    return (
        f'      <p xml:id="sub{number}" style="block{rtl}" region="bottom" begin="{clock(cue.start)}" '
        f'end="{clock(cue.end)}">{"<br/>".join(spans)}</p>\n'
    )


def _ebu_document(language: str, options: RenderSettings) -> tuple[str, str]:
    """Everything before the paragraphs, and everything after them."""
    if not _LANGUAGE_TAG.fullmatch(language):
        language = ""
    profiles = "\n".join(
        f"        <ebuttm:conformsToStandard>{profile}</ebuttm:conformsToStandard>"
        for profile in _EBU_PROFILES
    )
    colours = "\n".join(
        f'      <style xml:id="{name}" tts:color="{colour}ff" tts:backgroundColor="#000000c0"/>'
        for name, colour in (COLOURS if options.speaker_style == "colour" else COLOURS[:1])
    )
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<tt xmlns="http://www.w3.org/ns/ttml" '
        'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
        'xmlns:ebuttm="urn:ebu:tt:metadata" xmlns:ebutts="urn:ebu:tt:style" '
        f'ttp:timeBase="media" ttp:cellResolution="32 15" xml:lang="{language}">\n'
        f"  <head>\n{_EBU_HEAD.format(profiles=profiles, colours=colours)}  </head>\n"
        "  <body>\n    <div>\n"
    )
    return head, "    </div>\n  </body>\n</tt>\n"


class _EbuCues(_Cues):
    """Writes a document of EBU-TT-D cue by cue."""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options
        self.header, self.footer = _ebu_document(options.language or "", options)

    def cue(self, cue: Cue, number: int, several_channels: bool) -> str:  # noqa: ARG002 - a CueWriter
        """Write a cue."""
        return _ebu_paragraph(cue, number, self._options)


def ebuttd_cues(options: RenderSettings) -> CueWriter:
    """Create the writer of a document of EBU-TT-D that grows while the words come in."""
    return _EbuCues(options)


def ebuttd(transcript: Transcript, options: RenderSettings) -> str:
    """An EBU-TT-D document; one without paragraphs if nothing was said."""
    head, foot = _ebu_document(options.language_of(transcript) or "", options)
    cues = enumerate(cues_of(transcript, options), 1)
    return head + "".join(_ebu_paragraph(cue, number, options) for number, cue in cues) + foot
