"""A server that says odd things: nothing is said twice, and nothing stands still."""

import json
import random
from array import array

from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.event_log import json_line
from dgcli.transcript.events import Closed, NoticeKind
from dgcli.transcript.saved import parse_saved
from tests.live.conftest import Blocks, Make, collect, said, stream
from tests.live.server import Ear, Fault, numbered
from tests.live.test_streamer import closed, notices


def test_a_final_that_comes_twice_is_said_once(make_server: Make) -> None:
    """Every final twice, also over two connections: each word once, on the stream and in what its log renders to."""
    server = make_server(Fault("cut", after=2.0), twice=True)
    events = collect(stream(Blocks(numbered(60)), server.url, rate=20, backoff=0.01))
    assert said(events) == list(range(1, 61))
    log = "".join(map(json_line, events)).encode()
    assert [word.word for word in parse_saved(log).words] == [str(number) for number in range(1, 61)]


def test_a_log_with_doubles_is_rendered_once() -> None:
    """Messages as they came, with a final twice, as other programs and earlier versions keep them."""
    ear = Ear(0, 1, random.Random(1), (1.0, 1.0))
    ear.hear(array("h", numbered(9)))
    final = json.dumps(ear.final(900, speech_final=True))
    body = f"{final}\n{final}\n".encode()
    assert [word.word for word in parse_saved(body).words] == [str(number) for number in range(1, 10)]
    opened = json.dumps({"kind": "opened", "request_id": "r", "connection": 2, "offset": 0.9})
    again = json.dumps({"kind": "message", "offset": 0.9, "message": json.loads(final)})
    both = parse_saved(f"{final}\n{opened}\n{again}\n".encode())
    assert len(both.words) == 18, "another connection may say the same"


def huge(channel: int, channels: int) -> dict[str, object]:
    """A result for one channel of so many."""
    alternative = {"transcript": "x", "words": [{"word": "x", "start": 0.1, "end": 0.2}]}
    return {
        "type": "Results", "channel_index": [channel, channels], "start": 0, "duration": 0.2, "is_final": True,
        "channel": {"alternatives": [alternative]},
    }  # fmt: skip


def test_channels_that_there_are_not_stop_nothing(make_server: Make) -> None:
    """A result for a channel that was not sent is refused with a warning; the rest of the stream is all there."""
    server = make_server(first=(huge(0, 10**9), huge(10**9, 1), huge(1, 2)))
    events = collect(stream(Blocks(numbered(30)), server.url, rate=20, channels=1))
    assert said(events) == list(range(1, 31))
    told = [notice.message for notice in notices(events, NoticeKind.SERVER)]
    assert told[0] == (
        "The server sent a result for channel 0 of 1000000000, where there are at most 1: left out."
    )
    assert len(told) == 3
    assert closed(events) == Closed(3.0, 1, None)
    transcript = parse_saved("".join(map(json_line, events)).encode())
    assert len(transcript.channels) == 1
    assert transcript.warnings == tuple(told)


def test_a_log_of_endless_channels_is_rendered() -> None:
    """What came before and after such a result is rendered, with a warning; every format is done at once."""
    lines = [json.dumps(huge(0, 1)), json.dumps(huge(0, 10**9)), json.dumps(huge(10**9, 10**9))]
    transcript = parse_saved("\n".join(lines).encode())
    assert [word.word for word in transcript.words] == ["x"]
    assert len(transcript.warnings) == 2
    assert renderer(by_name("srt"))(transcript, RenderSettings())
