"""Scenarist closed captions, which American broadcasters take: CEA-608 captions, written by pycaption.

CEA-608 has 15 rows of 32 columns, four of which a caption may fill, and two bytes a frame of 29.97 to load them; a
caption is loaded before it is shown. Times are drop-frame, so that they follow the clock. Its characters are those of
Western Europe's languages. Source: ANSI/CTA-608-E, by way of pycaption's tables.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from dgcli.captions.cues import Cue
from dgcli.captions.limits import Limits
from dgcli.errors import UsageError
from dgcli.formats.base import RenderSettings
from dgcli.formats.cues import cues_of
from dgcli.transcript.model import Transcript

if TYPE_CHECKING:  # an extra
    from pycaption import SCCWriter

_COLUMNS, _ROWS, _FPS = 32, 4, 29.97
_OVERHEAD = 8  # pairs of bytes around a caption and around each of its rows
_LIKE = str.maketrans(
    {
        "‘": "'",
        "‚": "'",
        "„": '"',
        "‟": '"',
        "–": "-",
        "‑": "-",
        "‐": "-",
        "…": "...",
        "\u2009": " ",
        "\u202f": " ",
    }
)


def _limits(wanted: Limits | None) -> Limits:
    """The limits asked for, within those of CEA-608."""
    limits = wanted or Limits()
    return replace(
        limits,
        max_chars=min(limits.max_chars, _COLUMNS),
        max_lines=min(limits.max_lines, _ROWS),
        min_gap=0.0,
        fps=_FPS,
    )


def _shown(cues: Sequence[Cue]) -> Iterator[tuple[Cue, float]]:
    """Each cue with its end: the beginning of the next one, where clearing the screen would hold that one's load up."""
    for cue, following in pairwise(cues):
        words = sum(len(line.text) for line in following.lines) / 2 + _OVERHEAD * (1 + len(following.lines))
        yield cue, following.start if following.start - cue.end < words / _FPS else cue.end
    if cues:
        yield cues[-1], cues[-1].end


def _plain(char: str, known: frozenset[str]) -> str:
    """A character that CEA-608 lacks in those that it has. Raises `UsageError` for a letter of another script."""
    if char.isspace():
        return " "
    plain = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    if plain and all(part in known for part in plain):
        return plain
    if char.isalnum():
        raise UsageError(
            f"SCC has no character for {char!r}: CEA-608 knows those of Western Europe.",
            hint="Write ttml or ebuttd, which know all of them.",
        )
    return ""


def _spelt(text: str, known: frozenset[str]) -> str:
    """Text in the characters of CEA-608; a letter with a mark that it lacks loses the mark."""
    return "".join(char if char in known else _plain(char, known) for char in text.translate(_LIKE))


def _writer() -> "SCCWriter":
    """Create the writer. Raises ImportError without pycaption."""
    from pycaption import SCCWriter
    from pycaption.scc.constants import EXTENDED_CHARS, SUBSTITUTE_CHARACTERS

    extended = frozenset(EXTENDED_CHARS.values())

    class Writer(SCCWriter):  # type: ignore[misc]  # the library has no types
        """Writes what a decoder of few characters shows before each extended one, which takes its place.

        A decoder goes back by one column before it shows an extended character (CTA-608-E, 6.4.2); pycaption
        writes that alone, and so it would take the place of the character before it.
        """

        def _print_character(self, code: str, char: str) -> str:
            if char in extended:
                instead = (SUBSTITUTE_CHARACTERS.get(char) or [" "])[0]
                code = self._maybe_space(super()._print_character(code, instead))
            written: str = super()._print_character(code, char)
            return written

    return Writer(drop_frame=True)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """Scenarist closed captions; only the header if nothing was said.

    Raises `UsageError` without pycaption and for text in letters that CEA-608 does not have.
    """
    try:
        from pycaption import Caption, CaptionList, CaptionNode, CaptionSet
        from pycaption.geometry import Alignment, HorizontalAlignmentEnum, Layout, VerticalAlignmentEnum
        from pycaption.scc.constants import CHARACTER_TO_CODE, SPECIAL_OR_EXTENDED_CHAR_TO_CODE

        writer = _writer()
    except ImportError as error:
        from dgcli.extras import install_command

        raise UsageError(
            "SCC captions need pycaption.", hint=f"Install it with: {install_command('broadcast')}"
        ) from error
    known = frozenset([*CHARACTER_TO_CODE, *SPECIAL_OR_EXTENDED_CHAR_TO_CODE])
    centred = Layout(alignment=Alignment(HorizontalAlignmentEnum.CENTER, VerticalAlignmentEnum.BOTTOM))

    def caption(cue: Cue, end: float) -> object:
        nodes: list[object] = []
        for line in cue.lines:
            if nodes:
                nodes.append(CaptionNode.create_break(layout_info=centred))
            nodes.append(CaptionNode.create_text(_spelt(line.text, known), layout_info=centred))
        return Caption(round(cue.start * 1e6), round(end * 1e6), nodes, layout_info=centred)

    cues = list(cues_of(transcript, replace(options, limits=_limits(options.limits))))
    captions = CaptionList([caption(cue, end) for cue, end in _shown(cues)], layout_info=centred)
    language = options.language_of(transcript) or "en"
    text: str = writer.write(CaptionSet({language: captions}))
    return text.rstrip("\n") + "\n"
