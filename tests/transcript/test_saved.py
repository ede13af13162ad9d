"""Reading what was saved: responses, callbacks and the JSON lines of a stream."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dgcli.errors import ApiError
from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.event_log import json_line
from dgcli.transcript.events import Closed, Event, Final, Notice, NoticeKind, Opened
from dgcli.transcript.messages import parse_message
from dgcli.transcript.saved import parse_saved
from tests.conftest import BODY


def message(text: str, start: float, channel: int = 0, **more: Any) -> dict[str, Any]:
    """A message of the server: a final of words half a second apart."""
    words = [
        {"word": said.lower(), "punctuated_word": said, "start": start + 0.5 * at, "end": start + 0.5 * at + 0.4,
         "confidence": 0.9}
        for at, said in enumerate(text.split())
    ]  # fmt: skip
    return {
        "type": "Results",
        "channel_index": [channel, 2],
        "start": start,
        "duration": 0.5 * len(words),
        "is_final": True,
        "speech_final": True,
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]},
        **more,
    }


def event(payload: dict[str, Any], offset: float = 0.0) -> Event:
    """What the message means."""
    said = parse_message(json.dumps(payload), offset)
    assert said is not None
    return said


def test_stream_is_read_from_its_envelopes() -> None:
    """Finals of both channels are there once, in time; interims are not; a second connection is shifted."""
    repeated = json.loads(json_line(event(message("Hello there. Again", 0.0), 10.0)))
    repeated["repeats"] = 2
    lines = [
        json_line(Opened("0198-live", 1, 0.0)),
        json_line(event(message("Hel", 0.0, is_final=False))),
        json_line(event(message("Hello there.", 0.0))),
        json_line(event(message("Hi.", 2.0, channel=1))),
        json_line(Notice(NoticeKind.DROPPED, "The connection was lost.")),
        json.dumps(repeated) + "\n",
        json_line(Closed(11.5, 2)),
    ]
    transcript = parse_saved("".join(lines).encode())
    assert transcript.request_id == "0198-live"
    assert transcript.duration == 11.5
    assert [word.text for word in transcript.words] == ["Hello", "there.", "Again", "Hi."]
    assert transcript.channels[0].words[2].start == 11.0
    text = renderer(by_name("text"))(transcript, RenderSettings())
    assert text == "Channel 0: Hello there.\n\nChannel 1: Hi.\n\nChannel 0: Again\n"
    again = json.loads(renderer(by_name("json"))(transcript, RenderSettings()))
    assert len(again["results"]["utterances"]) == 3


def test_messages_alone_are_a_stream_too() -> None:
    """The server's messages without envelopes, as a callback gets them, one a line."""
    lines = [json.dumps(message("Hello there.", 0.0)), json.dumps(message("Bye.", 2.0))]
    transcript = parse_saved("\n".join(lines).encode())
    assert [word.text for word in transcript.words] == ["Hello", "there.", "Bye."]


def test_a_cut_off_last_line_loses_nothing_else() -> None:
    """A file of a program that was killed is read up to the line that it was writing."""
    lines = json_line(event(message("Hello.", 0.0))) + json_line(event(message("Lost.", 2.0)))[:40]
    assert [word.text for word in parse_saved(lines.encode()).words] == ["Hello."]


def test_the_last_words_of_a_killed_stream_count() -> None:
    """Words that were still provisional when the log ended are there; in a log with an end they are not."""
    opened, said = json_line(Opened("0198-live", 1, 0.0)), json_line(event(message("Hello.", 0.0)))
    provisional = json_line(event(message("How are", 2.0, is_final=False)))
    texts = {}
    for name, lines in {
        "killed": opened + said + provisional,
        "before any final": opened + provisional,
        "confirmed": opened + provisional + said,
        "ended": opened + said + provisional + json_line(Closed(3.0, 1)),
    }.items():
        texts[name] = [word.text for word in parse_saved(lines.encode()).words]
    assert texts == {
        "killed": ["Hello.", "How", "are"],
        "before any final": ["How", "are"],
        "confirmed": ["Hello."],
        "ended": ["Hello."],
    }


def test_damage_in_the_middle_is_an_error() -> None:
    """A line that is no JSON, with others after it, is named."""
    good = json_line(event(message("Hello.", 0.0)))
    with pytest.raises(ApiError, match="Line 2"):
        parse_saved((good + "{\n" + good).encode())


def test_a_response_is_a_response() -> None:
    """A saved body is kept byte for byte, indented or on one line."""
    assert parse_saved(BODY).body == BODY
    flat = json.dumps(json.loads(BODY)).encode()
    assert parse_saved(flat).body == flat


def turn(event: str, text: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    """A message of a Flux server."""
    return {
        "type": "TurnInfo",
        "event": event,
        "turn_index": 0,
        "audio_window_start": start,
        "audio_window_end": end,
        "transcript": text,
        "words": [{"word": word, "confidence": 0.9} for word in text.split()],
        "end_of_turn_confidence": 0.5,
        **more,
    }


def test_turns_are_read_from_what_was_saved() -> None:
    """Ends of turn are utterances, updates are not; what was open when the log was cut off is there as it stood."""
    said = [
        turn("Update", "Call", 0.0, 1.0),
        turn("EndOfTurn", "Call Maria.", 0.0, 2.0, languages=["en"]),
        turn("Update", "", 2.0, 2.5),
        turn("EagerEndOfTurn", "At noon.", 2.0, 4.0),
    ]
    envelopes = "".join(json_line(event(payload, 10.0)) for payload in said).encode()
    bare = "\n".join(map(json.dumps, said)).encode()
    for body, offset in ((envelopes, 10.0), (bare, 0.0)):
        transcript = parse_saved(body)
        assert [utterance.text for utterance in transcript.utterances] == ["Call Maria.", "At noon."]
        assert [utterance.end for utterance in transcript.utterances] == [2.0 + offset, 4.0 + offset]


def test_words_that_an_earlier_connection_said_stay_out_of_a_turn() -> None:
    """`repeats` counts the words of a turn too."""
    whole = event(turn("EndOfTurn", "one two three", 0.0, 3.0))
    assert isinstance(whole, Final)
    line = json_line(replace(whole, words=whole.words[1:], text="two three"))
    assert json.loads(line)["repeats"] == 1
    assert parse_saved(line.encode()).utterances[0].text == "two three"
