"""Changes of settings while a stream runs: what is sent, what is in force, what a new connection is told."""

import json
import random

from dgcli.live.configuration import Configuration, Reconfiguration
from dgcli.live.streamer import Streamer
from dgcli.transcript.events import Event, Notice, NoticeKind
from dgcli.transcript.messages import parse_message
from tests.live.conftest import Make, Pushed, collect, said, stream
from tests.live.server import Fault, NumberedServer, configured, numbered


def answer(change: Configuration) -> Notice:
    """What a server says to a change."""
    event = parse_message(json.dumps(configured(json.loads(change.message()))))
    assert isinstance(event, Notice)
    return event


def notice(streamer: Streamer, kind: NoticeKind) -> Notice:
    """The next notice of a kind."""
    while True:
        event = streamer.next_event(0.2)
        if isinstance(event, Notice) and event.kind is kind:
            return event


def changes(server: NumberedServer, connection: int = -1) -> list[dict[str, object]]:
    """The Configure messages of a connection."""
    return [text for text in server.seen[connection].texts if text["type"] == "Configure"]


def test_the_messages_of_both_endpoints() -> None:
    """/v1/listen has numerals among its features, /v2/listen beside the thresholds; None is left out, () is not."""
    change = Configuration(keyterms=(), features={"numerals": True})
    assert json.loads(change.message()) == {
        "type": "Configure",
        "keyterms": [],
        "features": {"numerals": True},
    }
    flux = Configuration(
        features={"numerals": False}, thresholds={"eot_threshold": 0.8}, language_hints=("de",)
    )
    assert json.loads(flux.message(flux=True)) == {
        "type": "Configure",
        "thresholds": {"eot_threshold": 0.8},
        "language_hints": ["de"],
        "numerals": False,
    }


def test_what_is_in_force_is_the_merged_whole() -> None:
    """Of any changes in any order, a new connection is told in one message what the server accepted on the old."""
    rng = random.Random(7)
    for _ in range(200):
        changing, model = Reconfiguration(10.0), Configuration()
        for step in range(rng.randint(1, 8)):
            change = Configuration(
                keyterms=rng.choice([None, (), ("a",), ("b", "c"), ("refused",)]),
                features=rng.choice([{}, {"numerals": True}, {"numerals": False, "other": True}]),
            )
            changing.ask(change)
            sent = changing.next(float(step))
            assert sent == change
            changing.take(answer(change))
            if "refused" not in (change.keyterms or ()):
                model = model.changed_by(change)
        changing.connected()
        assert changing.next(99.0) == (model or None)
        changing.take(answer(model))
        assert changing.in_force == model
        assert changing.next(99.0) is None


def test_one_change_at_a_time() -> None:
    """The API refuses a change while another is pending: the next one waits for the answer, or for the deadline."""
    changing = Reconfiguration(10.0)
    first, second = Configuration(keyterms=("a",)), Configuration(keyterms=("b",))
    changing.ask(first)
    changing.ask(second)
    assert changing.next(0.0) == first
    assert changing.next(1.0) is None
    assert not changing.expired(9.9)
    assert changing.expired(10.0)
    assert changing.next(10.0) == second
    changing.take(answer(second))
    assert changing.in_force == second


def test_many_drops_leave_one_resend() -> None:
    """However often a connection drops before it answers, the next one is told what is in force once, then the rest."""
    changing = Reconfiguration(10.0)
    first, second = Configuration(keyterms=("a",)), Configuration(keyterms=("b",))
    changing.ask(first)
    changing.connected()
    assert changing.next(0.0) == first
    changing.take(answer(first))
    for drop in range(5):
        changing.connected()
        assert changing.next(float(drop)) == first
    changing.ask(second)
    changing.connected()
    changing.connected()
    assert changing.next(6.0) == first
    changing.take(answer(first))
    assert changing.next(7.0) == second
    changing.connected()  # the answer to a wish is lost: it is sent again behind what is in force
    assert changing.next(8.0) == first
    changing.take(answer(first))
    assert changing.next(8.0) == second
    changing.take(answer(second))
    assert changing.in_force == second
    assert changing.next(9.0) is None


def test_a_server_that_knows_no_configure_holds_nothing_up() -> None:
    """A SchemaError about Configure is an answer: the next change is sent."""
    changing = Reconfiguration(10.0)
    changing.ask(Configuration(keyterms=("a",)))
    changing.ask(Configuration(keyterms=("b",)))
    sent = changing.next(0.0)
    assert sent is not None
    error = {"type": "Error", "variant": "SchemaError", "description": "unknown", "message": sent.message()}
    refusal = parse_message(json.dumps(error))
    assert isinstance(refusal, Notice)
    changing.take(refusal)
    assert changing.next(0.1) == Configuration(keyterms=("b",))
    assert changing.in_force == Configuration()


def test_a_drop_changes_nothing(make_server: Make) -> None:
    """After a drop the new connection is told the merged whole before any audio, and no word is lost or doubled."""
    server = make_server(Fault("reset", 4.0))
    source = Pushed()
    streamer = stream(source, server.url, rate=10.0, backoff=0.05)
    events: list[Event] = []
    with streamer:
        source.push(numbered(10))
        server.wait_for(lambda: bool(server.seen))
        streamer.configure(Configuration(keyterms=("one", "two")))
        streamer.configure(Configuration(keyterms=("refused",)))
        streamer.configure(Configuration(features={"numerals": True}))
        while sum(getattr(event, "kind", None) is NoticeKind.CONFIGURED for event in events) < 2:
            events += [event for event in [streamer.next_event(0.2)] if event is not None]
        source.push(numbered(40, first=11))
        source.push(None)
        events += collect(streamer)
    assert said(events) == list(range(1, 51))
    assert changes(server, 0) == [
        {"type": "Configure", "keyterms": ["one", "two"]},
        {"type": "Configure", "keyterms": ["refused"]},
        {"type": "Configure", "features": {"numerals": True}},
    ]
    whole = {"type": "Configure", "keyterms": ["one", "two"], "features": {"numerals": True}}
    assert changes(server, 1) == [whole]
    refusals = [
        event for event in events if isinstance(event, Notice) and event.kind is NoticeKind.NOT_CONFIGURED
    ]
    assert [refusal.raw["code"] for refusal in refusals] == ["CONFIGURE_KEYTERM_LIMIT_EXCEEDED"]


def test_a_change_before_there_is_a_connection(make_server: Make) -> None:
    """What is asked for before any audio came is sent when the connection is open."""
    server = make_server()
    source = Pushed()
    streamer = stream(source, server.url)
    with streamer:
        streamer.configure(Configuration(keyterms=("early",)))
        source.push(numbered(3))
        assert "early" in notice(streamer, NoticeKind.CONFIGURED).message
        source.push(None)
        collect(streamer)
    assert changes(server) == [{"type": "Configure", "keyterms": ["early"]}]


def test_no_answer_is_told(make_server: Make) -> None:
    """A server that never answers is told of once for each change, and the words come as ever."""
    server = make_server(ignores_configure=True)
    source = Pushed()
    streamer = stream(source, server.url, rate=10.0, configure_timeout=1.0)
    with streamer:
        source.push(numbered(3))
        streamer.configure(Configuration(keyterms=("a",)))
        assert "did not answer" in notice(streamer, NoticeKind.NOT_CONFIGURED).message
        source.push(None)
        assert said(collect(streamer))
