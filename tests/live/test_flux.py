"""Flux: turns over /v2/listen, and no word lost there either."""

import importlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from dgcli.live.listen_v2 import ListenV2
from dgcli.transcript.events import (
    Closed,
    Connected,
    Event,
    Final,
    Interim,
    Notice,
    NoticeKind,
    Opened,
    TurnStage,
)
from dgcli.transcript.messages import parse_message
from tests.live.conftest import Blocks, Pushed, collect, stream, until
from tests.live.flux_server import FluxServer
from tests.live.server import RATE, SLOT, Fault, numbered
from tests.live.test_disconnects import ROUNDING, faults

MakeFlux = Callable[..., FluxServer]


@pytest.fixture
def flux() -> Iterator[MakeFlux]:
    """Start a Flux server that numbers audio; any number of them."""
    made: list[FluxServer] = []

    def make(*plan: Fault, **options: object) -> FluxServer:
        made.append(FluxServer(*plan, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        server.close()


def numbers(events: list[Event]) -> list[int]:
    """The numbers of the finals, whose words have a full stop as Flux punctuates them."""
    return [int(word.text.rstrip(".")) for e in events if isinstance(e, Final) for word in e.words]


def notices(events: list[Event], kind: NoticeKind) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice) and event.kind is kind]


def closed(events: list[Event]) -> Closed:
    last = events[-1]
    assert isinstance(last, Closed)
    return last


def run(source: Blocks | Pushed, server: FluxServer, **settings: object) -> list[Event]:
    return collect(
        stream(source, server.url, protocol=ListenV2(), **{"rate": 20, "max_speed": 4.0, **settings}), 100
    )


def test_what_goes_out(flux: MakeFlux) -> None:
    """Frames of 80 ms; ForceEndTurn, its EndOfTurn, then CloseStream, after which the close has no code."""
    server = flux()
    events = run(Blocks(numbered(64)), server)
    assert numbers(events) == list(range(1, 65))
    (seen,) = server.seen
    assert {size for _, size in seen.frames} == {2 * RATE * 80 // 1000}
    assert seen.texts == [{"type": "ForceEndTurn"}, {"type": "CloseStream"}]
    finals = [event for event in events if isinstance(event, Final)]
    assert all(final.turn is not None and final.turn.stage is TurnStage.END for final in finals)
    assert finals[-1].turn is not None
    assert finals[-1].turn.trigger == "manual"
    assert [event.request_id for event in events if isinstance(event, Connected)] != []
    assert closed(events).error is None
    assert not [event for event in events if isinstance(event, Notice)]


def test_a_pause_is_bridged_by_pings(flux: MakeFlux) -> None:
    """Twelve seconds without audio: no text message goes out, and the connection holds."""
    server = flux()
    source = Pushed()
    streamer = stream(source, server.url, protocol=ListenV2(), rate=20)
    with streamer:
        source.push(numbered(8))
        until(streamer, Interim)
        since = streamer._clock.now()
        while streamer._clock.now() - since < 12:
            streamer.next_event(0.05)
        assert server.seen[0].texts == []
        source.push(numbered(8, first=9))
        source.push(None)
        events = collect(streamer)
    assert numbers(events)[-1] == 16
    assert len(server.seen) == 1


@pytest.mark.slow
@pytest.mark.parametrize("timed", [True, False], ids=["timed", "untimed"])
def test_twenty_disconnects(flux: MakeFlux, *, timed: bool) -> None:
    """Over 20 disconnects of every kind in one stream: every word once, in order, on the stream's own timeline."""
    count = 600
    seed = 20 + timed
    plan = faults(20, seed)
    server = flux(*plan, seed=seed, timed=timed)
    events = run(
        Blocks(numbered(count)),
        server,
        rate=30,
        max_reconnects=60,
        first_tries=60,
        connect_timeout=20.0,
    )
    assert Counter(server.happened) == Counter(fault.kind for fault in plan)
    assert numbers(events) == list(range(1, count + 1))
    words = [word for event in events if isinstance(event, Final) for word in event.words]
    assert all(before.start <= after.start + ROUNDING for before, after in pairwise(words))
    if timed:
        for index, word in enumerate(words):
            assert abs(word.start - index * SLOT) <= 0.05 + ROUNDING
            assert abs(word.end - (index + 1) * SLOT) <= 0.05 + ROUNDING
    end = closed(events)
    assert end.error is None
    assert end.audio_seconds == pytest.approx(count * SLOT)
    assert len([event for event in events if isinstance(event, Opened)]) == end.connections >= 15
    assert not notices(events, NoticeKind.GAP)


def test_catching_up_is_no_faster_than_allowed(flux: MakeFlux) -> None:
    """After a drop what was not confirmed is sent again at most 1.25 times as fast as it was said."""
    server = flux(Fault("cut", after=3.0), turns=(60.0, 60.0))
    events = run(Blocks(numbered(100)), server, rate=10, max_speed=1.25)
    assert numbers(events) == list(range(1, 101))
    again = server.seen[1]
    took = (again.frames[-1][0] - again.frames[0][0]) * 10
    assert len(again.audio) / (2 * RATE) / took <= 1.25 * 1.1


def test_silence_is_not_sent_again(flux: MakeFlux) -> None:
    """Of a minute in which nobody spoke, two seconds are sent again after a drop: a turn need not have ended there."""
    server = flux(Fault("cut", after=60.0))
    events = run(Blocks(bytes(2 * RATE * 60) + numbered(20)), server, rate=60)
    assert numbers(events) == list(range(1, 21))
    assert (
        len(server.seen[1].audio) / (2 * RATE) <= 2.0 + 2.5 + 3.0
    )  # lag, what is not said yet, one word and rest


def test_the_last_update_stands(flux: MakeFlux) -> None:
    """A server that does not know ForceEndTurn: the last Update is the final turn, and nothing is sent twice."""
    server = flux(force=False, turns=(60.0, 60.0))
    events = run(Blocks(numbered(40)), server)
    assert numbers(events) == list(range(1, 41))
    finals = [event for event in events if isinstance(event, Final)]
    assert [final.turn.stage for final in finals if final.turn] == [TurnStage.UPDATE]
    assert closed(events).error is None
    assert len(server.seen) <= 2
    assert server.seen[-1].texts[-1]["type"] in ("CloseStream", "ForceEndTurn")


def test_what_was_heard_stands_when_everything_fails(flux: MakeFlux) -> None:
    """The connection goes and none comes again: the open turn is final as it stood, and the rest is a gap."""
    server = flux(Fault("cut", after=4.0), *[Fault("refuse", status=503)] * 9, turns=(60.0, 60.0))
    events = run(Blocks(numbered(80)), server, max_reconnects=3)
    heard = numbers(events)
    assert heard == list(range(1, len(heard) + 1))
    assert 35 <= len(heard) <= 40
    assert closed(events).error is not None
    assert len(notices(events, NoticeKind.GAP)) == 1


def test_eager_ends_are_taken_back(flux: MakeFlux) -> None:
    """EagerEndOfTurn and TurnResumed are provisional: what is final comes once, and the stages are there to see."""
    server = flux(eager=True, turns=(2.0, 3.0))
    events = run(Blocks(numbered(80)), server)
    assert numbers(events) == list(range(1, 81))
    stages = Counter(e.turn.stage for e in events if isinstance(e, Interim | Final) and e.turn)
    assert stages[TurnStage.EAGER_END] > 2
    assert stages[TurnStage.RESUMED] > 2
    assert stages[TurnStage.END] == stages[TurnStage.START]


def test_the_key_f_ends_a_turn(flux: MakeFlux) -> None:
    """`finalize` is ForceEndTurn: the turn ends at once; where nobody speaks a warning says so."""
    server = flux(turns=(60.0, 60.0))
    source = Pushed()
    streamer = stream(source, server.url, protocol=ListenV2(), rate=20)
    with streamer:
        source.push(numbered(8))
        until(streamer, Interim)
        streamer.finalize(0)
        final = until(streamer, Final)
        assert isinstance(final, Final)
        assert final.from_finalize
        notice: Event = final
        while isinstance(notice, Final):  # words that came behind the first end have begun another turn
            streamer.finalize()
            notice = until(streamer, (Final, Notice))
        assert isinstance(notice, Notice)
        assert "FORCE_END_TURN_NO_ACTIVE_TURN" in notice.message
        assert "Nobody was speaking" in notice.message
    assert [text["type"] for text in server.seen[0].texts[:2]] == ["ForceEndTurn"] * 2


def test_a_pause_ends_the_turn_that_is_open(flux: MakeFlux) -> None:
    """A pause asks for the end of a turn where there is one, and for nothing where nobody speaks: no warning comes."""
    server = flux(turns=(60.0, 60.0))
    source = Pushed()
    streamer = stream(source, server.url, protocol=ListenV2(), rate=20)
    with streamer:
        source.push(bytes(2 * RATE))
        until(streamer, Interim)
        streamer.pause()
        streamer.resume()
        source.push(numbered(8))
        while True:
            event = until(streamer, Interim)
            if isinstance(event, Interim) and event.text:
                break
        streamer.pause()
        final = until(streamer, Final)
        assert isinstance(final, Final)
        assert final.from_finalize
        source.push(None)
        events = collect(streamer)
    assert [told["type"] for told in server.seen[0].texts].count("ForceEndTurn") == 2  # this, and at the end
    assert not notices(events, NoticeKind.SERVER)


def test_a_fatal_error_is_told_and_survived(flux: MakeFlux) -> None:
    """An Error ends the connection: its text is what the drop says, and the stream goes on over another one."""
    error = {
        "type": "Error",
        "sequence_id": 1,
        "code": "INTERNAL_SERVER_ERROR",
        "description": "Something broke.",
    }
    server = flux(Fault("nocode", after=1.0), first=(error,))
    events = run(Blocks(numbered(40)), server, max_reconnects=3)
    assert numbers(events) == list(range(1, 41))
    told = [event.message for event in events if isinstance(event, Notice)]
    assert "The server sent Error (INTERNAL_SERVER_ERROR): Something broke." in told[0]
    assert notices(events, NoticeKind.DROPPED)[0].startswith("The server sent Error (INTERNAL_SERVER_ERROR)")


def turn_info(**more: object) -> str:
    message = {
        "type": "TurnInfo",
        "event": "EndOfTurn",
        "turn_index": 3,
        "audio_window_start": 1.0,
        "audio_window_end": 3.0,
        "transcript": "Call Maria.",
        "words": [{"word": "Call", "confidence": 0.98}, {"word": "Maria.", "confidence": 0.97}],
        "end_of_turn_confidence": 0.83,
        "trigger": "model",
    }
    return json.dumps({**message, **more})


def test_words_without_times_share_the_window() -> None:
    """Each word gets as much of the window as it has characters, on the timeline of the stream."""
    event = parse_message(turn_info(), 10.0)
    assert isinstance(event, Final)
    assert [(word.text, word.start, word.end) for word in event.words] == [
        ("Call", pytest.approx(11.0), pytest.approx(11.8)),
        ("Maria.", pytest.approx(11.8), pytest.approx(13.0)),
    ]


def test_languages_are_carried() -> None:
    """The one language of a turn is that of its words; of several each word says its own, or none."""
    event = parse_message(turn_info(languages=["es"]))
    assert isinstance(event, Final)
    assert event.turn is not None
    assert event.turn.languages == ("es",)
    assert {word.language for word in event.words} == {"es"}
    event = parse_message(turn_info(languages=["es", "en"]))
    assert isinstance(event, Final)
    assert {word.language for word in event.words} == {None}


def test_nothing_that_is_said_of_a_turn_breaks_the_parser() -> None:
    """A TurnInfo with any field missing or of a wrong type is still a result."""
    rng = random.Random(1)
    whole = json.loads(turn_info())
    for _ in range(300):
        odd = {name: rng.choice([value, None, "x", -1, [], {}, 1e400]) for name, value in whole.items()}
        event = parse_message(json.dumps({**odd, "type": "TurnInfo"}))
        assert isinstance(event, Interim | Final)
        assert event.start <= event.end


@pytest.mark.slow
def test_a_wall_of_turns_stays_in_flat_memory(tmp_path: Path) -> None:
    """A quarter of an hour of restated turns, with a drop in the middle: all words, and no more memory at its end."""
    benchmark = importlib.import_module("benchmarks.live_flux")
    measured = benchmark.wall(0.25, tmp_path)
    assert measured.words == 900 * benchmark.WORDS
    assert measured.connections == 2
    first, last = measured.memory[:4], measured.memory[4:]
    assert min(last) <= 1.15 * max(
        first
    )  # the whole of it, kept, would be ten times as much: see the events' file
    assert measured.files["talk.jsonl"] > 20 << 20
