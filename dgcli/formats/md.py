"""Markdown (CommonMark): summary, topics, and what was said, in paragraphs with their speaker and time.

A time links to that moment of the recording (`--audio`) by a media fragment (W3C, "Media Fragments URI 1.0").
"""

import math
import re

from dgcli.captions.text import clean
from dgcli.formats.base import RenderSettings
from dgcli.formats.clock import clock
from dgcli.formats.insights import average_sentiment, distinct, summary, topics
from dgcli.formats.turns import paragraphs, voice
from dgcli.transcript.model import Transcript

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
    facts = {
        "Recorded response": transcript.created,
        "Duration": None if transcript.duration is None else clock(transcript.duration).split(".")[0],
        "Request": transcript.request_id,
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


def render(transcript: Transcript, options: RenderSettings) -> str:
    """A Markdown document; its heading alone if nothing was said."""
    blocks = ["# Transcript\n"]
    if facts := _facts(transcript):
        blocks.append("".join(facts))
    if short := summary(transcript):
        blocks += ["## Summary\n", _escape(short) + "\n"]
    for title, feature in (("Topics", "topics"), ("Intents", "intents")):
        if labels := distinct(topics(transcript, feature)):
            blocks += [f"## {title}\n", "".join(f"- {_escape(label)}\n" for label in labels)]
    several = len(transcript.channels) > 1
    spoken = paragraphs(transcript, smooth_speakers=options.smooths)
    if spoken and len(blocks) > 2:
        blocks.append("## What was said\n")
    for paragraph in spoken:
        name = options.who(voice(paragraph), several)
        head = (f"**{_escape(name)}**" if name else "") + _link(paragraph.start, options)
        blocks.append(
            f"{head.strip()}\\\n{_escape(paragraph.text)}\n" if head else _escape(paragraph.text) + "\n"
        )
    return "\n".join(blocks)
