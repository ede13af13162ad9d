"""The streamer against a real server: when it connects, what it sends, how it ends."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgcli.audio.base import AudioFormat, Pace
from dgcli.audio.capture import Capture
from dgcli.audio.devices import Device
from dgcli.audio.microphone import CaptureSettings, Microphone
from dgcli.errors import ApiError, AudioError, AuthError, NetworkError, OutputError, UsageError
from dgcli.live.state import MOVES, State, move
from dgcli.live.streamer import Clock, Streamer, StreamSettings
from dgcli.transcript.events import Closed, Event, Final, Interim, Metadata, Notice, NoticeKind, Opened
from tests.live.conftest import Blocks, Make, Pushed, collect, said, stream, until
from tests.live.server import RATE, SLOT, Fault, NumberedServer, numbered


def notices(events: list[Event], kind: NoticeKind) -> list[Notice]:
    """The notices of a kind."""
    return [event for event in events if isinstance(event, Notice) and event.kind is kind]


def closed(events: list[Event]) -> Closed:
    """How it ended."""
    assert isinstance(events[-1], Closed)
    return events[-1]


def texts(server: NumberedServer, connection: int = 0) -> list[str]:
    """The kinds of text messages that a connection brought."""
    return [message["type"] for message in server.seen[connection].texts]


def test_a_stream_from_beginning_to_end(make_server: Make) -> None:
    """Opened, finals in order, the summary and Closed; the server got the audio, and CloseStream last."""
    server = make_server()
    events = collect(stream(Blocks(numbered(40)), server.url, rate=20))
    assert isinstance(events[0], Opened)
    assert (events[0].connection, events[0].offset) == (1, 0.0)
    assert said(events) == list(range(1, 41))
    assert isinstance(events[-2], Metadata)
    assert closed(events) == Closed(pytest.approx(4.0), 1, None)
    assert bytes(server.seen[0].audio) == numbered(40)
    assert texts(server)[-1] == "CloseStream"
    assert not notices(events, NoticeKind.GAP)


def test_no_connection_without_audio(make_server: Make) -> None:
    """A source that gives nothing never connects, and ends in good order."""
    server = make_server()
    events = collect(stream(Blocks(b""), server.url))
    assert events == [Closed(0.0, 0, None)]
    assert not server.requests


def test_it_connects_when_the_first_audio_is_there(make_server: Make) -> None:
    """KeepAlive does not hold a socket that never had audio: so there is none before there is some."""
    server, source = make_server(), Pushed()
    streamer = stream(source, server.url)
    with streamer:
        assert streamer.next_event(0.2) is None
        assert not server.requests
        source.push(numbered(1))
        until(streamer, Opened)
        assert streamer.state is State.OPEN


def test_frames_are_neither_short_nor_long(make_server: Make) -> None:
    """Blocks of any size become frames of 20 to 250 ms, but for the last; none is empty."""
    server, source = make_server(), Pushed()
    data = numbered(100)
    sizes = [2, 4, 30, 38, 6, 1000, 44, 2, 2, 3000, 510, 40]
    with stream(source, server.url, rate=5) as streamer:
        at = number = 0
        while at < len(data):
            source.push(data[at : at + sizes[number % len(sizes)]])
            at += sizes[number % len(sizes)]
            number += 1
        source.push(None)
        while not streamer.closed:
            streamer.next_event(0.2)
    frames = [size for _, size in server.seen[0].frames]
    assert sum(frames) == len(data)
    assert all(40 <= size <= 500 for size in frames[:-1])
    assert server.empty_frames == 0


def test_keepalive_holds_a_pause(make_server: Make) -> None:
    """When nothing is sent for 4 s a KeepAlive text goes out, again and again; afterwards time goes on."""
    server, source = make_server(), Pushed()
    with stream(source, server.url, rate=100) as streamer:
        source.push(numbered(2))
        server.wait_for(lambda: bool(server.seen) and texts(server).count("KeepAlive") >= 5)
        source.push(numbered(3, first=3))
        source.push(None)
        events = list(streamer.events())
    assert said(events) == [1, 2, 3, 4, 5]
    assert closed(events).connections == 1


def test_a_drop_in_a_pause_is_mended_when_there_is_audio(make_server: Make) -> None:
    """After a drop with nothing left to send, no connection is made until the source speaks again."""
    server, source = make_server(finals=(99, 99)), Pushed()
    with stream(source, server.url) as streamer:
        source.push(numbered(4) + bytes(200))
        until(streamer, Opened)
        server.wait_for(lambda: bool(server.seen) and len(server.seen[0].audio) == 1000)
        streamer.finalize()
        first = until(streamer, Final)
        server.cut()
        dropped = until(streamer, Notice)
        assert isinstance(dropped, Notice)
        assert dropped.kind is NoticeKind.DROPPED
        assert streamer.next_event(0.5) is None
        assert len(server.requests) == 1
        source.push(numbered(2, first=6))
        opened = until(streamer, Opened)
        assert isinstance(opened, Opened)
        assert opened.offset == 0.5
        source.push(None)
        events = [first, *streamer.events()]
    assert said(events) == [1, 2, 3, 4, 6, 7]
    words = [word.start for event in events if isinstance(event, Final) for word in event.words]
    assert words == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.5, 0.6])


def test_finalize_on_demand(make_server: Make) -> None:
    """Finalize goes out as text, for all channels or for one, and its answer comes as a final."""
    server, source = make_server(finals=(99, 99)), Pushed()
    with stream(source, server.url) as streamer:
        source.push(numbered(5))
        until(streamer, Opened)
        server.wait_for(lambda: bool(server.seen) and len(server.seen[0].audio) == 1000)
        streamer.finalize()
        final = until(streamer, Final)
        assert isinstance(final, Final)
        assert final.from_finalize
        streamer.finalize(0)
        server.wait_for(lambda: len(server.seen[0].texts) == 2)
    assert server.seen[0].texts == [{"type": "Finalize"}, {"type": "Finalize", "channel": 0}]


def test_pause_discards_an_endless_source(make_server: Make) -> None:
    """What a microphone hears while paused is not sent; the timeline goes on without it."""
    server, source = make_server(), Pushed()
    with stream(source, server.url) as streamer:
        source.push(numbered(2))
        until(streamer, Opened)
        streamer.pause()
        notice = until(streamer, Notice)
        assert isinstance(notice, Notice)
        assert notice.kind is NoticeKind.PAUSED
        source.push(numbered(5, first=100))
        source.push(Notice(NoticeKind.SOURCE, "all pushed"))
        until(streamer, Notice)
        streamer.resume()
        until(streamer, Notice)
        source.push(numbered(2, first=3))
        source.push(None)
        list(streamer.events())
    assert bytes(server.seen[0].audio) == numbered(4)
    assert texts(server)[0] == "Finalize"


def test_pause_holds_a_file(make_server: Make) -> None:
    """A file is held while paused: nothing of it is lost."""
    server = make_server()
    streamer = stream(Blocks(numbered(60)), server.url, rate=10)
    with streamer:
        until(streamer, Opened)
        streamer.pause()
        streamer.resume()
        events = list(streamer.events())
    assert bytes(server.seen[0].audio) == numbered(60)
    assert len(notices(events, NoticeKind.PAUSED)) == len(notices(events, NoticeKind.RESUMED)) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, ApiError), (401, AuthError), (402, ApiError), (403, AuthError), (404, ApiError)],
)
def test_a_refusal_ends_it_at_once(make_server: Make, status: int, error: type[Exception]) -> None:
    """What is refused for good is asked once; the error is the last word, and nothing is said of gaps."""
    server = make_server(Fault("refuse", status=status, headers={"dg-error": "No."}))
    events = collect(stream(Blocks(numbered(20)), server.url))
    assert isinstance(closed(events).error, error)
    assert len(events) == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(make_server: Make, status: int) -> None:
    """429 and 5xx are tried again with back-off, and the stream loses nothing."""
    server = make_server(*[Fault("refuse", status=status)] * 4)
    events = collect(stream(Blocks(numbered(20)), server.url, rate=30))
    assert said(events) == list(range(1, 21))
    assert len(server.requests) == 5
    assert len(notices(events, NoticeKind.DROPPED)) == 4


def test_tries_have_an_end(make_server: Make) -> None:
    """A server that takes audio and never answers is given up after max_reconnects."""
    server = make_server(*[Fault("cut", 0.5)] * 50, finals=(99, 99))
    events = collect(stream(Blocks(numbered(100)), server.url, rate=100, max_reconnects=3))
    assert isinstance(closed(events).error, NetworkError)
    assert closed(events).connections == 4
    (gap,) = notices(events, NoticeKind.GAP)
    assert gap.start == 0.0


def test_a_new_final_begins_the_count_anew(make_server: Make) -> None:
    """Tries are counted since the last new final: a long stream may drop more often than that."""
    server = make_server(*[Fault("cut", 2.0)] * 12, finals=(0.3, 0.5))
    events = collect(stream(Blocks(numbered(400)), server.url, rate=50, max_reconnects=2, max_speed=4.0))
    assert said(events) == list(range(1, 401))
    assert closed(events).connections == 13


def test_nothing_listens_ends_soon() -> None:
    """A host that was never there is tried three times, not ten."""
    source = Blocks(numbered(20))
    events = collect(stream(source, "ws://127.0.0.1:1/", rate=30))
    assert isinstance(closed(events).error, NetworkError)
    assert len(notices(events, NoticeKind.DROPPED)) == 2


def test_without_reconnect_the_first_drop_ends_it(make_server: Make) -> None:
    """reconnect=False: the error of the drop, and the gap that it leaves."""
    server = make_server(Fault("close", 1.0, 1011, "NET-0000"))
    events = collect(stream(Blocks(numbered(40)), server.url, rate=20, reconnect=False))
    error = closed(events).error
    assert isinstance(error, ApiError)
    assert "1011 NET-0000" in error.details()
    assert len(notices(events, NoticeKind.GAP)) == 1


def test_what_is_no_audio_is_not_sent_again(make_server: Make) -> None:
    """1008 DATA-0000 ends the stream, with the remedy."""
    server = make_server(Fault("close", 0.5, 1008, "DATA-0000"))
    events = collect(stream(Blocks(numbered(40)), server.url, rate=20))
    error = closed(events).error
    assert error is not None
    assert "--encoding" in (error.hint or "")
    assert len(server.seen) == 1


def test_a_drop_after_closestream_is_mended(make_server: Make) -> None:
    """The last words are fetched on a new connection when the old one drops before it said them."""
    server = make_server(Fault("at-close", 99.0), Fault("at-close", 99.0), finals=(2.0, 2.0))
    events = collect(stream(Blocks(numbered(30)), server.url, rate=20))
    assert said(events) == list(range(1, 31))
    assert closed(events) == Closed(pytest.approx(3.0), 3, None)


def test_a_server_that_never_finishes(make_server: Make) -> None:
    """Without Metadata or a close the end is not waited for for ever."""
    server = make_server(metadata=False, hang=True)
    events = collect(stream(Blocks(numbered(30)), server.url, rate=50, close_timeout=5.0))
    assert said(events) == list(range(1, 31))
    assert closed(events).error is None


@pytest.mark.slow
def test_a_replay_is_not_faster_than_allowed(make_server: Make) -> None:
    """After an outage audio goes out at 1.25 times real time at most, from the end of the last final."""
    rate = 10.0
    server = make_server(Fault("deaf", 2.0), finals=(0.5, 0.6))
    events = collect(stream(Blocks(numbered(200)), server.url, rate=rate))
    assert said(events) == list(range(1, 201))
    seconds = 0.0
    for arrived, size in server.seen[1].frames:  # a frame may be late, but never early
        seconds += size / (2 * RATE)
        assert seconds <= (arrived - server.asked[1]) * rate * 1.25 + 0.5
    assert seconds > 15
    opened = [event for event in events if isinstance(event, Opened)]
    finals = [event for event in events[: events.index(opened[1])] if isinstance(event, Final)]
    assert opened[1].offset == pytest.approx(finals[-1].end, abs=0.06)


def test_interims_tell_the_latency(make_server: Make) -> None:
    """Each interim has the audio cursor; the statistics sum up what was counted."""
    server = make_server()
    streamer = stream(Blocks(numbered(50)), server.url, rate=10)
    events = collect(streamer)
    interims = [event for event in events if isinstance(event, Interim)]
    stats = streamer.stats
    assert stats.latency is not None
    assert stats.latency.count == len(interims) > 3
    latencies = sorted(event.audio_cursor - event.end for event in interims)
    assert stats.latency.min == pytest.approx(latencies[0])
    assert stats.latency.max == pytest.approx(latencies[-1])
    assert stats.latency.min <= stats.latency.p50 <= stats.latency.p95 <= stats.latency.max
    assert (stats.words, stats.connections, stats.gaps) == (50, 1, ())
    assert stats.audio_seconds == pytest.approx(5.0)


def test_the_tap_gets_what_was_sent_once(make_server: Make) -> None:
    """Replays are not tapped: through drops, the tap has the source's audio, on the main thread."""
    server = make_server(*[Fault("reset", 1.0)] * 5)
    got, threads = bytearray(), set()

    def tap(data: bytes) -> None:
        got.extend(data)
        threads.add(threading.current_thread())

    collect(stream(Blocks(numbered(120)), server.url, rate=50, max_speed=4.0, tap=tap))
    assert bytes(got) == numbered(120)
    assert threads == {threading.main_thread()}


def test_an_error_of_the_tap_reaches_the_caller(make_server: Make) -> None:
    """A full disk under --save-audio is raised by next_event, and the stream can still be ended."""

    def tap(data: bytes) -> None:
        raise OutputError("disk full")

    server = make_server()
    streamer = stream(Blocks(numbered(40)), server.url, rate=20, tap=tap)
    with pytest.raises(OutputError, match="disk full"):
        collect(streamer)
    assert streamer.closed


def test_an_error_of_the_source_is_the_last_word(make_server: Make) -> None:
    """What the source raised travels as a value: what it gave before is finished first."""
    server, source = make_server(), Pushed()
    source.push(numbered(10))
    source.push(AudioError("unplugged"))
    events = collect(stream(source, server.url))
    assert said(events) == list(range(1, 11))
    assert isinstance(closed(events).error, AudioError)


def test_a_bug_in_a_source_is_raised_on_the_main_thread(make_server: Make) -> None:
    """An exception nobody foresaw is not swallowed: next_event raises it, after what was finished."""
    server, source = make_server(), Pushed()
    source.push(numbered(10))
    source.push(ZeroDivisionError("bug"))
    streamer = stream(source, server.url)
    events: list[Event] = []
    with pytest.raises(ZeroDivisionError, match="bug"), streamer:
        events.extend(streamer.events())
    assert streamer.closed


def test_duration_ends_to_the_sample(make_server: Make) -> None:
    """--duration: so much audio is sent and no more, then a planned stop with Finalize and CloseStream."""
    server = make_server()
    events = collect(stream(Blocks(numbered(100)), server.url, rate=20, duration=2.55))
    assert bytes(server.seen[0].audio) == numbered(26)[: 2 * 2550]
    assert len(notices(events, NoticeKind.STOPPING)) == 1
    assert texts(server)[-2:] == ["Finalize", "CloseStream"]


def mpeg(frames: int) -> bytes:
    """So many frames of MPEG audio: 64 kbit/s at 16 kHz, 36 ms and 288 bytes each."""
    return (bytes([0xFF, 0xF3, 0x88, 0xC4]) + bytes(284)) * frames


def test_compressed_audio_is_timed_by_its_frames(make_server: Make) -> None:
    """What passes through is sent in frames of 20 to 250 ms too, and --duration counts its own time."""
    server = make_server(finals=(1e6, 1e6))
    source = Blocks(b"")
    source._format = AudioFormat(suffix=".mp3")
    source._data, source._size = mpeg(400), 4096
    source.pace = Pace.CAPPED
    streamer = stream(source, server.url, rate=10, duration=5.0)
    with streamer:
        while not streamer.closed:
            streamer.next_event(0.2)
    sizes = [size for _, size in server.seen[0].frames]
    seconds = sum(sizes) / 8000
    assert 5.0 <= seconds <= 5.8
    assert all(0.02 * 8000 <= size <= 0.25 * 8000 for size in sizes[1:-1])
    assert texts(server)[-1] == "CloseStream"


def test_it_stops_after_silence(make_server: Make) -> None:
    """--stop-after-silence: so long without a word, and it stops by itself."""
    server = make_server()
    data = numbered(10) + bytes(2 * RATE * 60)
    events = collect(stream(Blocks(data), server.url, rate=20, stop_after_silence=5.0))
    assert said(events) == list(range(1, 11))
    assert 5.0 < closed(events).audio_seconds < 12.0
    assert len(notices(events, NoticeKind.STOPPING)) == 1


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=st.floats(0.0, 4.0), seed=st.integers(0, 1000))
def test_stop_at_any_moment(make_server: Make, moment: float, seed: int) -> None:
    """Whenever it is stopped: every number that was sent is said, with all finals after CloseStream."""
    server = make_server(tail=4, seed=seed)
    streamer = stream(Blocks(numbered(1000)), server.url, rate=10)
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
    assert asked is not None
    assert time.monotonic() - asked < 5.0
    assert closed(events).error is None
    if server.seen:
        whole = len(server.seen[0].audio) // round(2 * RATE * SLOT)
        assert said(events) == list(range(1, whole + 1))
        after = [event for event in events if isinstance(event, Final) and event.speech_final]
        assert len(after) == server.seen[0].finals_after_close == 4


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=st.floats(0.001, 0.4))
def test_stop_from_a_signal_handler(make_server: Make, moment: float) -> None:
    """A signal may come between any two steps of the main thread: stop neither deadlocks nor loses a word."""
    server = make_server()
    streamer = stream(Blocks(numbered(1000)), server.url, rate=10)
    before = signal.signal(signal.SIGALRM, lambda *_: streamer.stop())
    try:
        signal.setitimer(signal.ITIMER_REAL, moment, 0.01)
        events = collect(streamer, 10)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if server.seen:
        whole = len(server.seen[0].audio) // round(2 * RATE * SLOT)
        assert said(events) == list(range(1, whole + 1))


@pytest.mark.slow
def test_a_stop_during_an_outage_waits_for_its_end(make_server: Make) -> None:
    """A server that refuses for half of the time that a stop may take still gets everything."""
    server = make_server(Fault("reset", 0.5), *[Fault("refuse")] * 5)
    source = Pushed()
    streamer = stream(source, server.url, max_reconnects=3)
    with streamer:
        source.push(numbered(10))
        server.wait_for(lambda: server.happened == ["reset"])
        streamer.stop()
        events = list(streamer.events())
    assert said(events) == list(range(1, 11))
    assert not notices(events, NoticeKind.GAP)
    assert server.happened.count("refuse") == 5


@pytest.mark.parametrize("kind", ["deaf", "mute"])
def test_stop_has_a_deadline(make_server: Make, kind: str) -> None:
    """A server that answers nothing holds a stop no longer than stop_timeout; what is missing is said."""
    server = make_server(Fault(kind, 0.5), *[Fault("mute")] * 20)
    streamer = stream(Blocks(numbered(100)), server.url, stop_timeout=0.5)
    with streamer:
        server.wait_for(lambda: server.happened == [kind])
        streamer.stop()
        asked = time.monotonic()
        events = list(streamer.events())
    assert time.monotonic() - asked < 2.5
    assert len(notices(events, NoticeKind.GAP)) == 1
    assert closed(events).error is None


@pytest.mark.parametrize("kind", ["deaf", "mute", "none"])
def test_abort_leaves_at_once(make_server: Make, kind: str) -> None:
    """A second Ctrl-C: whatever the connection does, it is over in a moment, with what is there."""
    server = make_server(*[Fault(kind, 0.5)] * (kind != "none"))
    streamer = stream(Blocks(numbered(100)), server.url)
    with streamer:
        if kind == "none":
            until(streamer, Interim)
        else:
            server.wait_for(lambda: server.happened == [kind])
        streamer.stop()
        streamer.abort()
        asked = time.monotonic()
        events = list(streamer.events())
    assert time.monotonic() - asked < 2.0
    assert closed(events).error is None


class Hanging:
    """A source whose read nothing can end, for a while."""

    name, pace, duration = "hanging", Pace.FREE, None

    def __init__(self) -> None:
        self.release = threading.Event()

    def blocks(self) -> Iterator[bytes]:
        yield numbered(3)
        self.release.wait(30)

    def stop(self) -> None: ...


@pytest.mark.slow
def test_a_stop_while_a_send_is_stuck_takes_less_than_five_seconds(make_server: Make) -> None:
    """The server reads no more and every buffer is full: the sender hangs in a send, and the stop ends it."""
    server, source = make_server(Fault("deaf", 0.5)), Pushed()
    streamer = stream(source, server.url, max_speed=1e6)
    with streamer:
        source.push(numbered(10))
        server.wait_for(lambda: server.happened == ["deaf"])
        source.push(bytes(20_000_000))
        while streamer.audio_seconds < 30:
            streamer.next_event(0.05)
        streamer.stop()
        asked = time.monotonic()
        list(streamer.events())
        assert time.monotonic() - asked < 5


def test_a_source_that_hangs_does_not_hold_a_stop(make_server: Make) -> None:
    """When the source does not end after it was told to, the stream does."""
    server, source = make_server(), Hanging()
    made = StreamSettings(url=server.url, stop_timeout=2.0)
    streamer = Streamer(source, AudioFormat("linear16", RATE), made)  # type: ignore[arg-type]
    with streamer:
        until(streamer, Opened)
        streamer.stop()
        events = list(streamer.events())
    source.release.set()
    assert said(events) == [1, 2, 3]


def test_leaving_the_block_ends_the_threads(make_server: Make) -> None:
    """A command that fails in the middle leaves nothing running."""
    server = make_server()
    streamer = stream(Blocks(numbered(100)), server.url)

    def interrupted() -> None:
        with streamer:
            until(streamer, Opened)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert streamer.closed
    assert streamer.next_event(0.1) is None


def test_an_unknown_container_is_sent_again_from_its_beginning(make_server: Make) -> None:
    """What can only be begun at its beginning is, after a drop: and what was said is not said again."""
    server = make_server(Fault("cut", 4.0), Fault("cut", 8.0))
    data = numbered(120)
    source = Pushed()
    with Streamer(
        source, AudioFormat(suffix=".mp4"), StreamSettings(url=server.url), clock=Clock(20)
    ) as streamer:
        for at in range(0, len(data), 500):
            source.push(data[at : at + 500])
        source.push(None)
        events = list(streamer.events())
    assert said(events) == list(range(1, 121))
    assert bytes(server.seen[-1].audio) == data
    assert [event.offset for event in events if isinstance(event, Opened)] == [0.0] * 3


def test_the_moves_of_a_stream() -> None:
    """Only the moves of the table are legal, and Closed is the end."""
    assert move(State.OPEN, State.DRAINING) is State.DRAINING
    assert set(MOVES) == set(State)
    assert not MOVES[State.CLOSED]
    with pytest.raises(RuntimeError, match="CLOSED to OPEN"):
        move(State.CLOSED, State.OPEN)


@pytest.mark.parametrize(
    "wrong", [{"speed": 0}, {"duration": -1.0}, {"max_reconnects": -1}, {"dead_after": float("nan")}]
)
def test_invalid_settings(wrong: dict[str, float]) -> None:
    """Impossible numbers are refused before anything is sent."""
    with pytest.raises(UsageError):
        StreamSettings(url="ws://x", **wrong)  # type: ignore[arg-type]


def test_the_key_is_not_printed() -> None:
    """Settings in a log or a traceback do not show the headers."""
    assert "secret" not in repr(StreamSettings(url="ws://x", headers={"Authorization": "Token secret"}))


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    """A CA file that cannot be read ends the stream with a usage error, not a traceback."""
    made = StreamSettings(url="wss://localhost:1/", ca_cert=tmp_path / "none.pem")
    source = Blocks(numbered(5))
    events = collect(Streamer(source, source.open(), made))
    assert isinstance(closed(events).error, UsageError)


def test_the_steady_state_is_prompt(make_server: Make) -> None:
    """A block of 20 ms handed to the source is with the server a few milliseconds later (the median)."""
    server, source = make_server(), Pushed()
    data = numbered(30)
    handed = []
    with stream(source, server.url):
        for at in range(0, len(data), 40):
            handed.append(time.monotonic())
            source.push(data[at : at + 40])
            server.wait_for(lambda at=at: bool(server.seen) and len(server.seen[0].audio) >= at + 40)
        arrived = [at for at, _ in server.seen[0].frames]
    waits = sorted(b - a for a, b in zip(handed[-len(arrived) + 20 :], arrived[20:], strict=False))
    assert len(waits) > 50
    assert waits[len(waits) // 2] < 0.01


class Card:
    """A sound card that records when the test says so, in the place of PortAudio."""

    def __init__(self) -> None:
        self.capture = Capture(0)

    def devices(self) -> tuple[Device, ...]:
        """The one device."""
        return (Device(0, "card", "test", 1, RATE, is_default=True),)

    def open(self, *stream: Any) -> tuple[object, int]:
        """Record into this capture from now on."""
        *_, self.capture = stream
        return SimpleNamespace(stop=self.capture.finished, abort=lambda: None, close=lambda: None), 1

    def call(self, act: Callable[[], None], *_: float) -> None:
        """Make a call."""
        act()


def test_no_block_waits_for_another(make_server: Make) -> None:
    """Each block of a microphone is with the server before the next is recorded."""
    server, card = make_server(), Card()
    microphone = Microphone(CaptureSettings(), portaudio=card)  # type: ignore[arg-type]  # in its place
    audio, size = numbered(10), RATE * 2 // 10
    with stream(microphone, server.url) as streamer:
        for at in range(0, len(audio), size):
            card.capture.callback(
                audio[at : at + size], size // 2, None, SimpleNamespace(input_overflow=False)
            )
            server.wait_for(lambda at=at: bool(server.seen) and len(server.seen[0].audio) >= at + size)
        streamer.stop()
    assert {length for _, length in server.seen[0].frames} == {size}
