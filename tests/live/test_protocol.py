"""What is sent, and what a message of the server means."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgcli.live import protocol
from dgcli.live.closing import ClosingSteps
from dgcli.live.configuration import Configuration
from dgcli.live.listen_v1 import ListenV1
from dgcli.live.listen_v2 import ListenV2
from dgcli.transcript.events import Final, Interim, Metadata, Notice, NoticeKind, SpeechStarted, UtteranceEnd
from dgcli.transcript.messages import parse_message
from dgcli.transcript.model import Word

RESULTS = {
    "type": "Results",
    "channel_index": [1, 2],
    "duration": 1.98,
    "start": 5.99,
    "is_final": True,
    "speech_final": True,
    "from_finalize": True,
    "channel": {
        "alternatives": [
            {
                "transcript": "Yes, later.",
                "confidence": 0.99,
                "words": [
                    {"word": "yes", "start": 6.07, "end": 6.3499994, "confidence": 0.9, "punctuated_word": "Yes,"},
                    {"word": "later", "start": 6.35, "end": 6.85, "confidence": 0.9, "punctuated_word": "later."},
                ],
            }
        ]
    },
    "metadata": {"request_id": "r"},
}  # fmt: skip


def test_what_is_sent_is_text_json_as_the_api_names_it() -> None:
    """KeepAlive, Finalize (of one channel or all) and CloseStream are the documented objects."""
    v1 = ListenV1()
    assert json.loads(v1.keep_alive or "") == {"type": "KeepAlive"}
    assert [json.loads(step.text) for step in v1.closing(planned=True)] == [
        {"type": "Finalize"},
        {"type": "CloseStream"},
    ]
    assert json.loads(v1.finalize()) == {"type": "Finalize"}
    assert json.loads(v1.finalize(0)) == {"type": "Finalize", "channel": 0}


def test_a_final_is_moved_by_the_offset_and_keeps_its_message() -> None:
    """All times of a final carry the offset; the raw message keeps its own."""
    event = parse_message(json.dumps(RESULTS), offset=100.0)
    assert isinstance(event, Final)
    assert (event.channel, event.channels, event.text) == (1, 2, "Yes, later.")
    assert event.start == pytest.approx(105.99)
    assert event.end == pytest.approx(107.97)
    assert [(w.text, w.channel) for w in event.words] == [("Yes,", 1), ("later.", 1)]
    assert event.words[0].start == pytest.approx(106.07)
    assert event.words[1].end == pytest.approx(106.85)
    assert event.speech_final
    assert event.from_finalize
    assert event.raw == RESULTS
    assert event.offset == 100.0


def test_an_interim_carries_the_audio_cursor() -> None:
    """What is not final is an interim, with how much audio was sent when it came."""
    event = parse_message(json.dumps({**RESULTS, "is_final": False}), offset=1.0, cursor=9.5)
    assert isinstance(event, Interim)
    assert event.audio_cursor == 9.5
    assert event.end == pytest.approx(8.97)


def test_other_messages_have_events_of_their_own() -> None:
    """UtteranceEnd, SpeechStarted and Metadata carry the offset too."""
    event = parse_message('{"type":"UtteranceEnd","channel":[1,2],"last_word_end":2.5}', 10.0)
    assert isinstance(event, UtteranceEnd)
    assert (event.channel, event.last_word_end) == (1, 12.5)
    event = parse_message('{"type":"SpeechStarted","channel":[0,1],"timestamp":1.5}', 10.0)
    assert isinstance(event, SpeechStarted)
    assert event.timestamp == 11.5
    event = parse_message('{"type":"Metadata","request_id":"r","duration":3.5,"channels":2}', 10.0)
    assert isinstance(event, Metadata)
    assert (event.request_id, event.duration, event.channels, event.offset) == ("r", 3.5, 2, 10.0)


def test_an_utterance_end_that_says_nothing_is_no_time() -> None:
    """A last_word_end of -1, an utterance that had already ended, is passed on and not moved by the offset."""
    event = parse_message('{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}', 10.0)
    assert isinstance(event, UtteranceEnd)
    assert event.last_word_end == -1
    assert event.raw["last_word_end"] == -1


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"type":"Error","variant":"SchemaError","description":"unknown variant"}', "unknown variant"),
        ('{"type":"Tomorrow","x":1}', "Tomorrow"),
        ('{"type":"ConfigureFailure","code":"LIMIT","description":"Too many"}', "LIMIT"),
        ("{}", "without a type"),
        ("[1]", "no message"),
        ("hello", "no message"),
        ('{"type":["Results"]}', "without a type"),
    ],
)
def test_errors_and_unknown_messages_are_notices(text: str, part: str) -> None:
    """An Error, a message of an unknown kind and what is no message at all are told, and end nothing."""
    event = parse_message(text)
    assert isinstance(event, Notice)
    assert event.kind is (NoticeKind.NOT_CONFIGURED if "ConfigureFailure" in text else NoticeKind.SERVER)
    assert part in event.message


def test_half_a_character_cannot_break_what_is_written() -> None:
    """A lone surrogate, which no file and no terminal takes, is replaced; a pair is the character it stands for."""
    text = r'{"type":"Results","is_final":true,"channel":{"alternatives":[{"transcript":"a \ud800 b \ud83d\ude00"}]}}'
    event = parse_message(text)
    assert isinstance(event, Final)
    assert event.text == "a ? b \U0001f600"
    json.dumps(event.raw, ensure_ascii=False).encode()


LEAF = st.sampled_from([None, True, -1, 0, 10**400, 1.5, math.nan, -math.inf, "", "x", [], {}])
JSON = LEAF | st.lists(LEAF, max_size=3) | st.fixed_dictionaries({"alternatives": st.lists(LEAF, max_size=2)})
NAMES = [*RESULTS, "last_word_end", "timestamp", "description", "request_id"]


@given(
    st.sampled_from(["Results", "UtteranceEnd", "SpeechStarted", "Metadata", "Error"]),
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_no_message_can_break_the_stream(kind: str, fields: dict[str, object]) -> None:
    """Fields of any type in any place give an event with finite times, or nothing."""
    event = parse_message(json.dumps({**fields, "type": kind}), 1.0)
    if isinstance(event, Interim | Final):
        assert math.isfinite(event.start)
        assert event.end >= event.start
        assert event.channel < event.channels


def final(*words: Word) -> Final:
    return Final(0, 1, 0.0, 3.0, "as the server wrote it", words)


def test_a_word_is_a_repeat_if_its_middle_was_covered() -> None:
    """The middle decides: rounding at the seam neither loses a word nor says one twice."""
    result = final(
        Word("old", 0.0, 1.002),
        Word("edge", 0.4, 1.58),
        Word("new", 0.998, 1.5),
        Word("?", math.nan, math.nan),
    )
    kept = protocol.without_repeats(result, 1.0)
    assert [word.text for word in kept.words] == ["new", "?"]
    assert kept.text == "new ?"
    assert kept.start == 1.0


def test_rounding_loses_no_word_whose_middle_is_the_seam() -> None:
    """A window that ends in the very middle of a word, rounded up, does not cover the word."""
    result = final(Word("10048", 4.7, 4.8))
    assert protocol.without_repeats(result, 4.750000023841858) is result


def test_without_repeats_the_text_is_the_servers() -> None:
    """A result that repeats nothing is left as it came."""
    result = final(Word("new", 1.0, 2.0))
    assert protocol.without_repeats(result, 1.0) is result


def test_closing_steps_wait_for_their_answers() -> None:
    """CloseStream follows the EndOfTurn asked for, the warning that there is no turn, or 1.5 s of neither."""
    forced, warning = (
        parse_message(json.dumps(message))
        for message in (
            {"type": "TurnInfo", "event": "EndOfTurn", "transcript": "a", "trigger": "manual"},
            {"type": "Warning", "code": "FORCE_END_TURN_NO_ACTIVE_TURN"},
        )
    )
    earlier = parse_message(json.dumps({"type": "TurnInfo", "event": "EndOfTurn", "trigger": "model"}))
    for answer, is_swallowed in ((forced, False), (warning, True), (None, False)):
        steps = ClosingSteps(ListenV2())
        steps.begin(planned=False)
        assert json.loads(steps.next(10.0) or "") == {"type": "ForceEndTurn"}
        assert not steps.take(earlier)
        assert steps.next(11.4) is None
        assert not steps.done
        if answer is not None:
            assert steps.take(answer) is is_swallowed
        assert json.loads(steps.next(11.4 if answer else 11.5) or "") == {"type": "CloseStream"}
        assert steps.done


def test_a_message_that_the_server_does_not_know_is_not_sent_again() -> None:
    """After an Error in answer to ForceEndTurn the next connection ends with CloseStream alone."""
    steps = ClosingSteps(ListenV2())
    steps.begin(planned=False)
    steps.next(0.0)
    assert steps.take(
        parse_message('{"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE", "description": "x"}')
    )
    assert steps.refused
    steps.reset()
    steps.begin(planned=False)
    assert json.loads(steps.next(1.0) or "") == {"type": "CloseStream"}


def test_each_endpoint_has_its_own_configure() -> None:
    """Numerals are a feature on /v1/listen, and stand by themselves on /v2/listen."""
    change = Configuration(keyterms=("a",), features={"numerals": True})
    assert json.loads(ListenV1().configure(change)) == {
        "type": "Configure",
        "keyterms": ["a"],
        "features": {"numerals": True},
    }
    assert json.loads(ListenV2().configure(change)) == {
        "type": "Configure",
        "keyterms": ["a"],
        "numerals": True,
    }
