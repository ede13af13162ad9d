"""Captions that grow while a stream runs are those of what was saved of it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.sinks.captions import CaptionBlocks
from dgcli.sinks.response import ResponseSink
from dgcli.transcript.event_log import json_line
from dgcli.transcript.events import Event, Final, Notice, NoticeKind, Opened, UtteranceEnd
from dgcli.transcript.messages import parse_message
from dgcli.transcript.response import parse_body
from dgcli.transcript.saved import parse_saved

TEXT = """and so my fellow Americans, ask not what your country can do for you. Ask what you can do for your
country! No. Yes, well, 12 minutes of it were Anna Koch and the harbour.""".split()


def _event(message: dict[str, Any], offset: float) -> Event:
    event = parse_message(json.dumps(message), offset)
    assert event is not None
    return event


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """What a server sends: finals of some seconds that end utterances or not, of one or two channels."""
    channels = draw(st.sampled_from([1, 1, 2]))
    offset = draw(st.sampled_from([0.0, 7.25, 1 / 3]))
    at, speakers = [0.0] * channels, draw(st.sampled_from([None, 2]))
    text, stream = iter(TEXT * 40), list[Event]([Opened("r", 1, 0.0)])
    for _ in range(draw(st.integers(0, 14))):
        channel = draw(st.integers(0, channels - 1))
        start, words = at[channel], list[dict[str, Any]]()
        for _ in range(draw(st.sampled_from([0, 1, 3, 8, 12, 40]))):
            at[channel] += draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.08, 0.3, 0.7, 0.9, 1.4]))
            end = at[channel] + draw(st.sampled_from([0.1, 0.25, 0.3333333, 0.4]))
            said = next(text)
            word = {"word": said.lower(), "punctuated_word": said, "start": at[channel], "end": end}
            who = {} if speakers is None else {"speaker": int(draw(st.integers(0, 9)) == 0)}
            words.append({**word, "confidence": 0.9, **who})
            at[channel] = end
        at[channel] += draw(st.sampled_from([0.0, 0.0, 0.2, 1.0, 1.5, 3.0]))
        line = " ".join(word["punctuated_word"] for word in words)
        message = {
            "type": "Results",
            "channel_index": [channel, channels],
            "start": start,
            "duration": at[channel] - start,
            "is_final": True,
            "speech_final": draw(st.booleans()),
            "from_finalize": draw(st.integers(0, 9)) == 0,
            "channel": {"alternatives": [{"transcript": line, "confidence": 0.9, "words": words}]},
        }
        stream.append(_event(message, offset))
        after = draw(st.sampled_from([None, None, None, "end", "speakers"]))
        if after == "end" and words:
            ended = {
                "type": "UtteranceEnd",
                "channel": [channel, channels],
                "last_word_end": words[-1]["end"],
            }
            stream.append(_event(ended, offset))
        elif after == "speakers":
            stream.append(Notice(NoticeKind.SPEAKERS_RESTARTED, "Speaker numbers begin anew."))
    return stream


def live(events: Sequence[Event], format_: str) -> str:
    """The captions that grew."""
    blocks = CaptionBlocks(by_name(format_), RenderSettings())
    return "".join([blocks.take(event) for event in events if isinstance(event, Final)]) + blocks.finish()


def cues_only(text: str) -> str:
    """A WebVTT file without its header, which tells more of a response than a stream knows as it begins."""
    first = re.search(r"^\d\d:.* --> ", text, re.MULTILINE)  # the header has a time too: when it was made
    return text[first.start() :] if first else ""


def _two_channels() -> list[Event]:
    """A cue that two channels share, then a pause that is known before the words after it are.

    The captions that grew gave the next cue no room for its name.
    """
    text = iter(TEXT * 2)

    def final(channel: int, end: float, starts: Sequence[float]) -> Event:
        words = [
            {"word": said, "punctuated_word": said, "start": at, "end": round(at + 0.1, 3), "confidence": 0.9}
            for at, said in zip(starts, text, strict=False)
        ]
        message = {"type": "Results", "channel_index": [channel, 2], "start": 0.0, "duration": end, "is_final": True,
                   "channel": {"alternatives": [{"transcript": "as said", "words": words}]}}  # fmt: skip
        return _event(message, 0.0)

    def steady(start: float, many: int) -> list[float]:
        return [round(start + at / 10, 3) for at in range(many)]

    return [
        Opened("r", 1, 0.0),
        final(1, 0.8, steady(0.0, 8)),
        final(0, 2.7, steady(0.0, 12)),
        final(0, 6.9, [2.7, 2.8, 2.9, 3.0, 3.4, 4.2, 5.0, 5.8]),
        final(0, 8.8, steady(7.6, 12)),
        final(1, 2.8, []),
    ]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(streams())
@example(_two_channels())
def test_captions_of_a_stream_are_those_of_what_was_saved(events: list[Event]) -> None:
    """Rendered later from the JSON lines or from the JSON of a stream, its captions are the same."""
    lines = parse_saved("".join(map(json_line, events)).encode())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        sink = ResponseSink(path)
        for event in events:
            sink.handle(event)
        sink.close()
        response = parse_body(path.read_bytes())
    for saved in (lines, response):
        for format_ in ("srt", "vtt"):
            rendered = renderer(by_name(format_))(saved, RenderSettings())
            assert (rendered if format_ == "srt" else cues_only(rendered)) == live(events, format_)


def test_a_long_utterance_is_not_ended_by_its_length() -> None:
    """What is written after 15 s as it stands is marked so: captions do not take it for a pause."""
    words = [
        {"word": "on", "punctuated_word": "on", "start": 0.5 * at, "end": 0.5 * at + 0.5, "confidence": 1}
        for at in range(40)
    ]
    final = {"type": "Results", "channel_index": [0, 1], "start": 0, "duration": 20, "is_final": True,
             "channel": {"alternatives": [{"transcript": "on " * 40, "words": words}]}}  # fmt: skip
    ended = {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 20.0}
    for more in ([], [_event(ended, 0.0)]):
        saved = parse_saved("".join(map(json_line, [_event(final, 0.0), *more])).encode())
        assert [utterance.goes_on for utterance in saved.utterances] == [True]
    assert isinstance(more[0], UtteranceEnd)
