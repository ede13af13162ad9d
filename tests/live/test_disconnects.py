"""No word is lost, whatever happens to the connections."""

import itertools
import random
import ssl
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgcli.transcript.events import Closed, Event, Final, Interim, Notice, NoticeKind, Opened
from tests.live.conftest import Blocks, Make, collect, said, stream
from tests.live.server import RATE, SLOT, Fault, numbered

pytestmark = pytest.mark.slow

ROUNDING = 1e-5  # seconds: the server's times are 32-bit floats
KINDS = (
    Fault("reset"),
    Fault("close", code=1011, reason="See https://dpgr.am/net0001"),
    Fault("close", code=1011, reason="NET-0000"),
    Fault("cut"),
    Fault("nocode"),
    Fault("mute"),
    Fault("refuse", status=503, headers={"dg-error": "Please try again later"}),
    Fault("deaf"),
    Fault("close", code=1001, reason="going away"),
    Fault("close", code=1000),
)


def faults(count: int, seed: int) -> list[Fault]:
    """So many disconnects: every kind equally often, in any order, after any time."""
    rng = random.Random(seed)
    kinds = itertools.islice(itertools.cycle(KINDS), count)
    made = [replace(kind, after=rng.uniform(0.05, 4.0)) for kind in kinds]
    rng.shuffle(made)
    return made


def assert_every_word(events: list[Event], count: int, channel: int = 0) -> None:
    """Every number once, in order, where it was said."""
    first = 10000 * channel + 1
    assert said(events, channel) == list(range(first, first + count))
    words = [w for e in events if isinstance(e, Final) and e.channel == channel for w in e.words]
    for index, word in enumerate(words):
        assert abs(word.start - index * SLOT) <= 0.05 + ROUNDING
        assert abs(word.end - (index + 1) * SLOT) <= 0.05 + ROUNDING


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
def test_fifty_disconnects(
    make_server: Make, server_tls: ssl.SSLContext, ca_cert: Path, *, secure: bool, channels: int
) -> None:
    """Over 50 disconnects of every kind in one stream: every word once, in order, within 50 ms."""
    count = 1500
    seed = 2 * channels + secure
    plan = faults(50, seed)
    server = make_server(*plan, channels=channels, tls=server_tls if secure else None, seed=seed)
    source = Blocks(numbered(count, channels), channels=channels)
    streamer = stream(
        source,
        server.url,
        rate=30,
        ca_cert=ca_cert,
        max_speed=4.0,
        max_reconnects=60,
        first_tries=60,
        connect_timeout=20.0,
        diarized=True,
    )
    events = collect(streamer, 100)
    assert Counter(server.happened) == Counter(fault.kind for fault in plan)
    for channel in range(channels):
        assert_every_word(events, count, channel)
    closed = events[-1]
    assert isinstance(closed, Closed)
    assert closed.error is None
    assert closed.audio_seconds == pytest.approx(count * SLOT)
    opened = [event for event in events if isinstance(event, Opened)]
    assert [event.connection for event in opened] == list(range(1, closed.connections + 1))
    kinds = Counter(event.kind for event in events if isinstance(event, Notice))
    assert kinds[NoticeKind.DROPPED] >= 50
    assert kinds[NoticeKind.RECONNECTED] == kinds[NoticeKind.SPEAKERS_RESTARTED] == len(opened) - 1
    assert not kinds[NoticeKind.GAP]
    assert server.empty_frames == 0
    assert all(event.end <= count * SLOT + 0.05 for event in events if isinstance(event, Interim | Final))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moment=st.floats(0.0, 8.0), seed=st.integers(0, 10**6), rest=st.sampled_from(["mute", "reset", "none"])
)
def test_stop_in_the_middle_of_trouble(make_server: Make, moment: float, seed: int, rest: str) -> None:
    """Stopped while connections come and go: each word that was taken is said once, or lies in a gap."""
    plan = faults(6, seed) + ([] if rest == "none" else [Fault(rest, 0.3)] * 50)
    server = make_server(*plan, seed=seed)
    streamer = stream(
        Blocks(numbered(2000)),
        server.url,
        rate=40,
        max_speed=4.0,
        max_reconnects=100,
        first_tries=100,
        stop_timeout=20.0,
    )
    events: list[Event] = []
    asked = None
    with streamer:
        while not streamer.closed:
            if asked is None and streamer.audio_seconds >= moment:
                streamer.stop()
                asked = time.monotonic()
            event = streamer.next_event(0.005)
            if event is not None:
                events.append(event)
    assert asked is None or time.monotonic() - asked < 2.5
    numbers = said(events)
    assert numbers == sorted(set(numbers))
    gaps = [(e.start, e.end) for e in events if isinstance(e, Notice) and e.kind is NoticeKind.GAP]
    assert len(gaps) <= 1
    assert numbers == list(range(1, len(numbers) + 1))
    if gaps:
        assert gaps[0][0] == pytest.approx(len(numbers) * SLOT, abs=0.15)
    else:
        taken = max((len(seen.audio) / (2 * RATE) for seen in server.seen), default=0.0)
        assert len(numbers) * SLOT >= taken - SLOT
