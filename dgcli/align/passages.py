"""A corrected text as passages: plain text, SubRip, WebVTT or Markdown, as this program writes them.

A passage is what one voice says, with its label where it has one and the times of its cue where it is one.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dgcli.captions.text import clean
from dgcli.errors import AudioError, UsageError

IsLabel = Callable[[str], bool]

_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES = re.compile(rf"^\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_VOICE = re.compile(r"<v(?:\.[^ \t>]*)?[ \t]+([^>]*)>")
_TAG = re.compile(r"</?[A-Za-z][^>]*>|<[\d:.]+>|\{\\[^}]*\}")
_BRACKETED = re.compile(r"^\[([^\]\n]+)\][ \t]+")
_DASH = re.compile(r"^[-–—][ \t]+")
_NAMED = re.compile(r"^([^\s:][^:\n]{0,60}):[ \t]+(?=\S)")
_HEAD = re.compile(r"^(?:\*\*(.+?)\*\*)?[ \t]*(?:\\?\[[\d:]+\\?\](?:\(<?[^)\n]*>?\))?)?\\?$")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_SPOKEN = "## What was said"


@dataclass(frozen=True, slots=True)
class Passage:
    """Text of one voice. `label` is the name it stands under; `start` and `end` are those of a cue, in seconds."""

    text: str
    label: str | None = None
    start: float | None = None
    end: float | None = None


def _seconds(groups: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = groups
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction}")


def _cue_lines(text: str) -> Iterator[tuple[float, float, list[str]]]:
    """Yield the times and the lines of each cue; what belongs to none (headers, notes, numbers) is left out."""
    times: tuple[float, float] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        match = _TIMES.match(line)
        if match:
            if times is not None:
                if lines and lines[-1].strip().isdecimal():  # the number of this cue, after no empty line
                    lines.pop()
                yield *times, lines
            times, lines = (_seconds(match.groups()[:4]), _seconds(match.groups()[4:])), []
        elif not line.strip():
            if times is not None:
                yield *times, lines
            times, lines = None, []
        elif times is not None:
            lines.append(line)
    if times is not None:
        yield *times, lines


def _voices(text: str, label: str | None) -> Iterator[tuple[str | None, str]]:
    """Yield what each voice tag of WebVTT holds."""
    parts = _VOICE.split(text)
    if parts[0].strip():
        yield label, parts[0]
    for name, said in zip(parts[1::2], parts[2::2], strict=True):
        yield html.unescape(name).strip(), said


def _captions(text: str, is_label: IsLabel) -> Iterator[Passage]:
    """Yield a passage for each voice of each cue. A label in brackets holds for the cues after it too."""
    holds: str | None = None
    for start, end, lines in _cue_lines(text):
        for voice, said in _voices("\n".join(lines), None):
            label = voice
            for line in said.split("\n"):
                plain = html.unescape(_TAG.sub("", line)).strip()
                plain = _DASH.sub("", plain)
                bracketed = _BRACKETED.match(plain)
                if bracketed and is_label(bracketed[1]):
                    holds = bracketed[1]
                    plain = _DASH.sub("", plain[bracketed.end() :])
                if plain:
                    yield Passage(plain, label or holds, start, end)


def _paragraphs(text: str, is_label: IsLabel) -> Iterator[Passage]:
    """Yield the lines of a plain text; a label holds to the end of its paragraph."""
    label: str | None = None
    for line in text.split("\n"):
        plain = line.strip()
        if not plain:
            label = None
            continue
        named = _NAMED.match(plain)
        if named and is_label(named[1]):
            label = named[1]
            plain = plain[named.end() :]
        yield Passage(plain, label)


def _markdown(text: str) -> Iterator[Passage]:
    """Yield the paragraphs of a Markdown document without its headings, facts and analyses."""
    _, spoken, rest = text.partition(f"\n{_SPOKEN}")
    blocks = re.split(r"\n[ \t]*\n", rest if spoken else text)
    heads = any(_HEAD.match(block.strip().split("\n")[0]) for block in blocks if block.strip())
    begun = False
    for block in blocks:
        lines = [line.strip() for line in block.strip().split("\n") if not line.lstrip().startswith("#")]
        if not lines or not lines[0]:
            continue
        head = _HEAD.match(lines[0])
        begun = begun or head is not None
        if heads and not begun and lines[0].startswith("- "):
            continue
        label = _ESCAPED.sub(r"\1", head[1]) if head and head[1] else None
        said = " ".join(lines[1:] if head else lines)
        if said:
            yield Passage(_ESCAPED.sub(r"\1", said), label)


def _decoded(body: bytes, name: str) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in body[:4096]:
        raise AudioError(f"{name} is no text: it holds binary data.", hint="Give a txt, srt, vtt or md file.")
    else:
        encoding = "utf-8-sig"
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        raise AudioError(
            f"{name} is no text in UTF-8.", hint="Save it as UTF-8 in your editor, and try again."
        ) from None


def _recurring(passages: list[str], known: IsLabel) -> frozenset[str]:
    """Return what stands like a name before lines: again and again, or before every paragraph."""
    named = [match[1] for text in passages if (match := _NAMED.match(text))]
    every = len(named) == len(passages)
    return frozenset(name for name in named if every or known(name) or named.count(name) > 1)


def read_passages(body: bytes, name: str, is_known: IsLabel, *, has_voices: bool) -> list[Passage]:
    """Return the passages of a corrected text. Raises `AudioError` for what is no text, `UsageError` for none.

    `is_known` tells labels from words. With `has_voices` (the response tells voices apart) a name that stands
    before several lines of a plain text, or before each paragraph, is a label too.
    """
    text = clean(_decoded(body, name))
    if any(_TIMES.match(line) for line in text.split("\n")):
        passages = list(_captions(text, is_known))
    elif name.lower().endswith((".md", ".markdown")):
        passages = list(_markdown(text))
    else:
        names: frozenset[str] = frozenset()
        if has_voices:
            blocks = [block.strip() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
            names = _recurring(blocks, is_known)
        passages = list(_paragraphs(text, lambda label: label in names or is_known(label)))
    passages = [replace(passage, text=" ".join(passage.text.split())) for passage in passages]
    passages = [passage for passage in passages if passage.text]
    if not passages:
        raise UsageError(f"There are no words in {name}.", hint="Give the corrected text of the response.")
    return passages
