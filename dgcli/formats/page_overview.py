"""What stands around a transcript in the page: its facts, its timeline, and what the API understood of it."""

import math
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from itertools import groupby

from dgcli.formats.clock import short_clock
from dgcli.formats.insights import (
    Span,
    average_sentiment,
    entities,
    findings,
    hits,
    languages,
    missed,
    sentiments,
    summary,
    topics,
)
from dgcli.formats.page_turns import Voices, anchor, one_line
from dgcli.formats.turns import voice
from dgcli.transcript.json_values import mapping, mappings
from dgcli.transcript.model import Segment, Transcript

# A stretch of a lane: start and end in seconds, class, title, and place and height in tenths of the lane's.
_Drawn = tuple[float, float, str, str, tuple[float, float]]
_MANY = 300  # stretches that a lane draws as one shape, and blocks that have room for no label
_LANES = 10  # voices that have a lane of their own; more share one
# A sentiment is told by its place in the lane, not by its colour alone: above the middle, below it, or on it.
_HEIGHTS = {"positive": (0.0, 4.5), "neutral": (4.0, 2.0), "negative": (5.5, 4.5)}
_WHOLE = (1.0, 8.0)
_MONTHS = "January February March April May June July August September October November December".split()


def _date(created: str) -> str:
    """The moment of a response as people write it; as it is where it is none."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return f"<span>{one_line(created)}</span>"
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    zone = " UTC" if moment.tzinfo is not None else ""
    said = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M}{zone}"
    return f'<time datetime="{one_line(created)}">{said}</time>'


def _models(transcript: Transcript) -> str:
    info = mapping(mapping(transcript.raw.get("metadata")).get("model_info"))
    names = [str(item.get("name") or "") for item in mappings(list(info.values()))]
    return ", ".join(filter(None, names))


def facts(transcript: Transcript, voices: Voices) -> str:
    """Write a line for people, and the rest folded away."""
    spoken = ", ".join(
        dict.fromkeys(
            escape(code) if math.isnan(confidence) else f"{escape(code)} ({confidence:.0%})"
            for _, code, confidence in languages(transcript)
        )
    )
    average = average_sentiment(transcript)
    named = sum(1 for speaker in voices if voices.name(speaker))
    line = [
        transcript.created and _date(transcript.created),
        transcript.duration and short_clock(transcript.duration),
        named > 1 and f"{named} speakers",
        spoken and f"language {spoken}",
        average and f"sentiment {one_line(average[0])} ({average[1]:.2f})",
    ]
    details = {
        "Request": transcript.request_id,
        "Answered": transcript.created,
        "Model": _models(transcript),
        "Channels": len(transcript.channels) if len(transcript.channels) > 1 else None,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{one_line(fact)}</dd>" for name, fact in details.items() if fact)
    text = f'<p class="facts">{" · ".join(part for part in line if part)}</p>\n' if any(line) else ""
    if rows:
        text += f'<details class="facts"><summary>Details</summary><dl>{rows}</dl></details>\n'
    return text


def _lane(title: str, drawing: str, label: str = "") -> str:
    return f'<div class="lane"><span{label}>{title}</span>{drawing}</div>\n' if drawing else ""


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:g}h{width:.1f}v{height:g}h-{width:.1f}z"


def _drawn(spans: Iterable[_Drawn], length: float, title: str) -> str:
    """Draw stretches of `length` seconds, each with its title; very many as one shape for each kind."""
    rectangles = [
        (kind, label, start, 1000 * start / length, y, max(1.0, 1000 * (end - start) / length), height)
        for start, end, kind, label, (y, height) in spans
        if 0 <= start <= end < math.inf
    ]
    if not rectangles:
        return ""
    if len(rectangles) > _MANY:
        kinds: dict[str, list[str]] = {}
        for kind, _, _, *place in rectangles:
            kinds.setdefault(kind, []).append(_rectangle(*place))
        shapes = [f'<path class="{kind}" d="{"".join(parts)}"/>' for kind, parts in kinds.items()]
    else:
        shapes = [
            f'<path class="{kind}" d="{_rectangle(*place)}">'
            f"<title>{short_clock(start)} {one_line(label)}</title></path>"
            for kind, label, start, *place in rectangles
        ]
    return (
        f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{title}">'
        f"{''.join(shapes)}</svg>"
    )


def _labelled(spans: list[Span], length: float, title: str) -> str:
    """Draw findings as blocks that say what they are; those of one stretch share a block."""
    if len(spans) > _MANY:
        return _drawn(((span.start, span.end, "block", span.label, _WHOLE) for span in spans), length, title)
    blocks = []
    ordered = sorted(
        (span for span in spans if 0 <= span.start <= span.end < math.inf), key=lambda span: span[:2]
    )
    for (start, end), group in groupby(ordered, key=lambda span: span[:2]):
        label = one_line(", ".join(dict.fromkeys(span.label for span in group)))
        left, share = 100 * start / length, max(0.2, 100 * (end - start) / length)
        blocks.append(
            f'<span style="left:{left:.2f}%;width:{share:.2f}%" title="{short_clock(start)} {label}">{label}</span>'
        )
    return f'<div class="blocks" dir="ltr">{"".join(blocks)}</div>' if blocks else ""


def timeline(transcript: Transcript, spoken: list[Segment], voices: Voices) -> str:
    """Draw the lanes that the response has something for; empty where nothing has a time."""
    ends = [word.end for segment in spoken for word in segment.words if math.isfinite(word.end)]
    length = max([transcript.duration or 0.0, *ends])
    if length <= 0:
        return ""
    turns = [
        (voice(item), (item.start, item.end, voices.colour(voice(item)), voices.name(voice(item)), _WHOLE))
        for item in spoken
    ]
    heard = [speaker for speaker in voices if voices.name(speaker)]
    lanes = []
    if 1 < len(heard) <= _LANES:
        for speaker in heard:
            name = one_line(voices.name(speaker))
            drawing = _drawn((drawn for by, drawn in turns if by == speaker), length, name)
            number = "" if speaker.speaker is None else speaker.speaker
            label = f' class="name {voices.colour(speaker)}" data-voice="{speaker.channel}/{number}"'
            lanes.append(_lane(name, drawing, label))
    else:
        title = "Speakers" if heard else "Speech"
        lanes.append(_lane(title, _drawn((drawn for _, drawn in turns), length, title)))
    felt = [
        (item.start, item.end, kind, f"{item.label} {item.score:.2f}", _HEIGHTS[kind])
        for item in sentiments(transcript)
        for kind in [item.label if item.label in _HEIGHTS else "neutral"]
    ]
    lanes += [
        _lane("Sentiment", _drawn(felt, length, "Sentiment: positive above the middle, negative below")),
        _lane("Topics", _labelled(topics(transcript), length, "Topics")),
        _lane("Intents", _labelled(topics(transcript, "intents"), length, "Intents")),
        _lane(
            "Search hits",
            _drawn(
                ((item.start, item.end, "tick", item.label, _WHOLE) for item in hits(transcript)),
                length,
                "Search hits",
            ),
        ),
    ]
    if not any(lanes):
        return ""
    return (
        f'<section class="lanes" aria-label="Timeline" data-duration="{length:.3f}">\n{"".join(lanes)}'
        '<div class="playhead"><i></i></div></section>\n'
    )


class _Places:
    """Links from a time to the paragraph in which it lies; the page's script plays the recording from there."""

    def __init__(self, spoken: list[Segment], voices: Voices) -> None:
        timed = sorted((part for part in spoken if math.isfinite(part.start)), key=lambda part: part.start)
        self._starts = [part.start for part in timed]
        self._anchors = [anchor(part, voices) for part in timed]

    def link(self, span: Span) -> str:
        """A time as a link, after a space; nothing where there is none."""
        if not math.isfinite(span.start) or span.start < 0:
            return ""
        time = f'data-s="{span.start:.3f}">{short_clock(span.start)}'
        if not self._starts:
            return f' <span class="at" {time}</span>'
        place = self._anchors[max(0, bisect_right(self._starts, span.start) - 1)]
        return f' <a class="at" href="#{place}" {time}</a>'


def _section(title: str, rows: list[str]) -> str:
    if not rows:
        return ""
    return (
        f'<details open><summary><h2>{title}</h2> <span class="count">{len(rows)}</span></summary>\n'
        f'<ul class="labels">{"".join(rows)}</ul></details>\n'
    )


def _labels(title: str, spans: list[Span], places: _Places) -> str:
    """A list of labels, each with what was said and the times at which it comes up."""
    rows = []
    for item in findings(spans):
        said = item.places[0].text
        kind = f'<span class="kind">{escape(item.label)}</span> ' if said and item.label else ""
        times = "".join(map(places.link, item.places))
        rows.append(f"<li>{kind}{escape(said or item.label)}{times}</li>")
    return _section(title, rows)


def _hits(transcript: Transcript, places: _Places) -> str:
    rows = []
    for hit in hits(transcript):
        sure = f" {hit.score:.0%}" if math.isfinite(hit.score) else ""
        said = f" <q>{escape(hit.text)}</q>" if hit.text else ""
        rows.append(f"<li>{escape(hit.label)}{places.link(hit)}{sure}{said}</li>")
    rows += [f"<li>{escape(term)} is not said.</li>" for term in missed(transcript)]
    return _section("Search hits", rows)


def analyses(transcript: Transcript, spoken: list[Segment], voices: Voices) -> str:
    """Write the summary, and the lists of topics, intents, entities and search hits."""
    places = _Places(spoken, voices)
    parts = []
    if short := summary(transcript):
        parts.append(f'<h2>Summary</h2>\n<p class="summary" dir="auto">{escape(short)}</p>\n')
    parts.append(_labels("Topics", topics(transcript), places))
    parts.append(_labels("Intents", topics(transcript, "intents"), places))
    parts.append(_labels("Entities", entities(transcript), places))
    parts.append(_hits(transcript, places))
    return "".join(parts)
