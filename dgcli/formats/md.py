"""Markdown (CommonMark): the analyses, and what was said, in paragraphs with their speaker and time.

A time links to that moment of the recording (`--audio`) by a media fragment (W3C, "Media Fragments URI 1.0").
"""

import math
import re

from dgcli.captions.text import clean
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import clock
from dgcli.formats.growing import TurnWriter
from dgcli.formats.insights import (
    Finding,
    average_sentiment,
    entities,
    findings,
    hits,
    languages,
    missed,
    summary,
    topics,
)
from dgcli.formats.turns import paragraphs, voice
from dgcli.transcript.model import Segment, Transcript

# What CommonMark would take for markup, within a line and at its beginning.
_MARKUP = re.compile(r"[\\`*_\[\]<>&|~]|!(?=\[)|^(?:#+|[-+=]|\d+(?=[.)]))")


def _escape(text: str) -> str:
    text = " ".join(clean(text).split())

    def escaped(match: re.Match[str]) -> str:
        mark = match.group()
        return f"{mark}\\" if mark.isdigit() else f"\\{mark}"

    return _MARKUP.sub(escaped, text)


def _facts(transcript: Transcript) -> list[str]:
    average = average_sentiment(transcript)
    spoken = [
        code if math.isnan(confidence) else f"{code} ({confidence:.0%})"
        for _, code, confidence in languages(transcript)
    ]
    facts = {
        "Recorded response": transcript.created,
        "Duration": None if transcript.duration is None else clock(transcript.duration).split(".")[0],
        "Request": transcript.request_id,
        "Language": ", ".join(dict.fromkeys(spoken)),
        "Sentiment": None if average is None else f"{average[0]} ({average[1]:.2f})",
    }
    return [f"- {name}: {_escape(fact)}\n" for name, fact in facts.items() if fact]


def _link(seconds: float, options: RenderSettings) -> str:
    """A time as a link into the recording, or as text where there is none to link to."""
    if not math.isfinite(seconds):
        return ""
    time = clock(seconds).split(".")[0]
    if options.audio is None:
        return f" \\[{time}\\]"
    address = options.audio.replace("<", "%3C").replace(">", "%3E").replace("\n", "")
    return f" [{time}](<{address}#t={seconds:.2f}>)"


def _labels(items: list[Finding], options: RenderSettings) -> str:
    """A list of labels, each with what was said and the times at which it comes up."""
    lines = []
    for item in items:
        said = item.places[0].text
        label = (
            f"{_escape(item.label)}: {_escape(said)}" if item.label and said else _escape(item.label or said)
        )
        times = "".join(_link(place.start, options) for place in item.places)
        lines.append(f"- {label}{times}\n")
    return "".join(lines)


def _hits(transcript: Transcript, options: RenderSettings) -> str:
    lines = []
    for hit in hits(transcript):
        sure = f" ({hit.score:.0%})" if math.isfinite(hit.score) else ""
        said = f": {_escape(hit.text)}" if hit.text else ""
        lines.append(f"- {_escape(hit.label)}{_link(hit.start, options)}{sure}{said}\n")
    lines += [f"- {_escape(term)} is not said.\n" for term in missed(transcript)]
    return "".join(lines)


class _Turns:
    """Writes what is said as paragraphs, each after an empty line."""

    header, footer = "# Transcript\n", ""

    def __init__(self, options: RenderSettings) -> None:
        self._options = options

    def turn(self, segment: Segment, several_channels: bool) -> str:
        """Write a paragraph, with its speaker and time."""
        name = self._options.who(voice(segment), several_channels)
        head = (f"**{_escape(name)}**" if name else "") + _link(segment.start, self._options)
        return "\n" + (f"{head.strip()}\\\n" if head else "") + f"{_escape(segment.text)}\n"


def render_turns(options: RenderSettings) -> TurnWriter:
    """Create the writer of a document that grows utterance by utterance."""
    return _Turns(options)


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A Markdown document; its heading alone if nothing was said."""
    blocks = [_Turns.header]
    if facts := _facts(transcript):
        blocks.append("".join(facts))
    if short := summary(transcript):
        blocks += ["## Summary\n", _escape(short) + "\n"]
    for title, items in (
        ("Topics", _labels(findings(topics(transcript)), options)),
        ("Intents", _labels(findings(topics(transcript, "intents")), options)),
        ("Entities", _labels(findings(entities(transcript)), options)),
        ("Search hits", _hits(transcript, options)),
    ):
        if items:
            blocks += [f"## {title}\n", items]
    several, turns = len(transcript.channels) > 1, _Turns(options)
    spoken = paragraphs(transcript, smooth_speakers=options.smooths)
    if spoken and len(blocks) > 2:
        blocks.append("## What was said\n")
    return "\n".join(blocks) + "".join(turns.turn(paragraph, several) for paragraph in spoken)
