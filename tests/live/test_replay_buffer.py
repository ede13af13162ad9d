"""The audio of a stream: what is kept, what is covered, where it is taken up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.audio.base import AudioFormat
from dgcli.live.messages import Block
from dgcli.live.replay_buffer import Cut, ReplayBuffer
from dgcli.live.seek_points import SeekPoint
from dgcli.transcript.events import Final
from dgcli.transcript.model import Word

PCM = AudioFormat("linear16", 16000, 1)
SECOND = 32000


def final(end: float, channel: int = 0, channels: int = 1, *words: Word) -> Final:
    return Final(channel, channels, 0.0, end, "", words)


def replay_buffer(seconds: float, audio: AudioFormat = PCM) -> ReplayBuffer:
    made = ReplayBuffer(audio, 600.0)
    made.append(Block(bytes(int(seconds * SECOND))), 0)
    return made


def test_it_is_taken_up_where_the_finals_end() -> None:
    """A new connection begins at the end of the last final, to the sample."""
    held = replay_buffer(10.0)
    assert held.confirm(final(6.3499994), 10 * SECOND)
    assert held.cut() == Cut(round(6.35 * SECOND), 6.35)
    assert held.uncovered == pytest.approx(3.65)
    held.close()


def test_the_channel_that_is_furthest_behind_decides() -> None:
    """With several channels everything from the smallest end is kept; each has its own floor."""
    held = replay_buffer(10.0)
    held.heard(2, 0, 0.0)
    held.confirm(final(6.0, 1, 2), 10 * SECOND)
    assert held.cut().time == 0.0
    held.confirm(final(2.0, 0, 2), 10 * SECOND)
    assert held.cut().time == 2.0
    assert held.floors() == {0: 2.0, 1: 6.0}
    held.close()


def test_nothing_that_was_not_sent_is_covered() -> None:
    """A server that claims more than it was sent is not believed; old news is no progress."""
    held = replay_buffer(10.0)
    assert held.confirm(final(1e9), 3 * SECOND)
    assert held.covered == 3.0
    assert not held.confirm(final(2.0), 10 * SECOND)
    assert not held.confirm(final(3.0), 10 * SECOND)
    held.close()


def test_a_word_that_reaches_out_of_its_window_is_covered() -> None:
    """The rest of a word that is in a final is not sent again."""
    held = replay_buffer(10.0)
    held.confirm(final(4.0, 0, 1, Word("long", 3.9, 4.1)), 10 * SECOND)
    assert held.cut().time == pytest.approx(4.1)
    held.close()


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 12)), max_size=30))
def test_coverage_never_goes_back(finals: list[tuple[int, float]]) -> None:
    """Whatever finals come: what is covered only grows, and what is not can always be read."""
    held = replay_buffer(10.0)
    held.heard(2, 0, 0.0)
    before = 0.0
    for channel, end in finals:
        held.confirm(final(end, channel, 2), 10 * SECOND)
        assert before <= held.covered <= 10.0
        before = held.covered
        cut = held.cut()
        assert cut.missing_from is None
        assert len(held.read(cut.position, 10 * SECOND)) == 10 * SECOND - cut.position
    held.close()


@given(st.integers(0, 100_000), st.booleans())
def test_frames_are_within_bounds(waiting: int, last: bool) -> None:
    """A frame is 20 to 250 ms, whole samples; less only at the end, and 0 is no frame."""
    held = ReplayBuffer(PCM, 600.0)
    held.append(Block(bytes(waiting)), 0)
    size = held.frame_size(0, last=last)
    if waiting < 640:
        assert size == (waiting if last else 0)
    else:
        assert 640 <= size <= 8000
        assert waiting - size == 0 or waiting - size >= 640
    held.close()


def test_a_framed_container_is_taken_up_at_a_frame() -> None:
    """An MP3 begins anew a little before the end of the finals, at a frame."""
    held = ReplayBuffer(AudioFormat(suffix=".mp3"), 600.0)
    held.append(Block(bytes(10_000), tuple(SeekPoint(n * 100, n * 0.1) for n in range(100))), 0)
    held.confirm(final(5.05), 10_000)
    assert held.cut() == Cut(4900, pytest.approx(4.9))
    held.close()


def test_a_long_container_of_unknown_framing_has_a_gap() -> None:
    """What can only be begun at its beginning is kept up to 64 MiB; after that a drop leaves a gap."""
    held = ReplayBuffer(AudioFormat(suffix=".mp4"), 600.0)
    block = bytes(1 << 20)
    for number in range(64):
        held.append(Block(block), number << 20)
    held.heard(1, 64 << 20, 640.0)
    held.confirm(final(630.0), 64 << 20)
    assert held.cut() == Cut(0, 0.0)
    held.append(Block(block), 64 << 20)
    assert held.cut() == Cut(64 << 20, pytest.approx(640.0), pytest.approx(630.0))
    held.close()


def test_an_estimate_does_not_outvote_the_server() -> None:
    """The end of a final is believed where the time of the bytes is only estimated."""
    held = ReplayBuffer(AudioFormat(suffix=".mp4"), 600.0)
    held.append(Block(bytes(1000)), 0)
    held.confirm(final(0.5, 0, 1, Word("first", 0.4, 0.6)), 1000)
    assert held.covered == 0.6
    held.close()


def test_nobody_knows_whether_an_unknown_container_is_settled() -> None:
    """While nothing says how long its bytes are, there may be words in them."""
    held = ReplayBuffer(AudioFormat(suffix=".mp4"), 600.0)
    assert held.settled
    held.append(Block(b"x"), 0)
    assert not held.settled
    held.close()
