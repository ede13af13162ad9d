"""What holds for captions whatever the words and their times are."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pysubs2
import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from dgcli.captions.captioner import Captioner, captions
from dgcli.captions.cues import Cue
from dgcli.captions.limits import FRAME_RATES, Limits, limits
from dgcli.captions.text import pieces, width
from dgcli.captions.voice import Prefix
from dgcli.formats import RenderSettings, srt, vtt
from dgcli.formats.clock import clock
from dgcli.transcript.model import Channel, Transcript, Word

SCRIPTS = (
    st.text("abcdefgh ABC'-.,?!12", min_size=1, max_size=12)
    | st.sampled_from("the of and to I you it Mr. Dr. 12 minutes Anna Koch, well, yes. no? ...".split())
    | st.text("今日は良い天気、。ですねーっ「」", min_size=1, max_size=30)
    | st.text("สวัสดีครับผมเไ", min_size=1, max_size=30)
    | st.text("שלוםعالمא", min_size=1, max_size=12)
    | st.sampled_from(
        ["👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "e\u0301\u0323", "👍🏽", "x" * 60, "-->", "<b>", "a\x00b", "\ud800", "&lt;"]
    )
)
ANY_TIME = (
    st.floats(0, 100)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from([0.0, 1.0, 360_000.5, math.nan, math.inf, -1.0])
)


@st.composite
def any_words(draw: st.DrawFn, channel: int = 0) -> list[Word]:
    """Words with whatever times: equal, overlapping, out of order, missing, beyond 100 hours."""
    speakers = draw(st.sampled_from([(None,), (0,), (0, 1), (None, 3)]))
    return [
        Word(text, draw(ANY_TIME), draw(ANY_TIME), speaker=draw(st.sampled_from(speakers)), channel=channel)
        for text in draw(st.lists(SCRIPTS, max_size=40))
    ]


@st.composite
def spoken_words(draw: st.DrawFn, channel: int = 0, most: int = 120) -> list[Word]:
    """Words as they are spoken: one after the other, with pauses, sometimes overlapping a little."""
    at = draw(st.sampled_from([0.0, 3.5, 359_995.0]))
    speaker, words = draw(st.sampled_from([None, 0, 1])), []
    gaps = st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.05, 0.08, 0.1, 0.3, 0.5, 0.9, 1.4, 1.6, 3.0, 20.0, -0.05])
    for text in draw(st.lists(SCRIPTS, max_size=most)):
        at = max(0.0, at + draw(gaps))
        long = draw(st.sampled_from([0.0, 0.08, 0.2, 0.3, 0.5, 1.2]))
        if speaker is not None and draw(st.integers(0, 9)) == 0:
            speaker = 1 - speaker
        words.append(Word(text, at, at + long, speaker=speaker, channel=channel))
        at += long
    return words


def transcript(*channels: Sequence[Word]) -> Transcript:
    """A transcript whose channels say these words."""
    return Transcript(tuple(Channel(index, "", tuple(words)) for index, words in enumerate(channels)))


def name(several: bool = False) -> Prefix:
    """Names of speakers and channels, as SubRip has them."""
    return RenderSettings().prefix(several)


def said(cues: Sequence[Cue], channel: int = 0) -> list[str]:
    """What the cues say of a channel, piece by piece."""
    return [
        word.text
        for cue in cues
        for line in cue.lines
        if line.voice.channel == channel
        for word in line.words
    ]


def written(words: Sequence[Word], room: int = 42) -> list[str]:
    """What the words say, piece by piece."""
    return [piece for word in words for piece in pieces(word.text, room)]


def check_shape(cues: Sequence[Cue], given: Limits) -> None:
    """Every limit that does not depend on what the words' times are."""
    before = 0.0
    for cue in cues:
        assert math.isfinite(cue.start)
        assert cue.start >= before
        assert cue.end > cue.start
        assert cue.end - cue.start <= given.max_duration + 0.0011
        assert cue.lines
        assert len(cue.lines) <= given.max_lines
        for line in cue.lines:
            assert line.words
            assert width(line.text) <= given.max_chars or len(line.words) == 1
            assert {(word.channel, word.speaker) for word in line.words} == {line.voice}
        before = cue.end


PRESET = st.sampled_from(["netflix", "bbc", "youtube", "social"])


@settings(max_examples=300, deadline=None)
@given(any_words(), PRESET)
def test_nothing_is_lost_and_no_cue_is_impossible(words: list[Word], preset: str) -> None:
    """Whatever the times: every word once, in order; no overlap, no empty cue, no line or cue too long."""
    given = limits(preset)
    cues = captions(transcript(words), given, prefix=name())
    assert said(cues) == written(words, given.max_chars)
    check_shape(cues, given)


@settings(max_examples=150, deadline=None)
@given(spoken_words(most=40), spoken_words(1, most=40), any_words(2))
def test_every_channel_is_captioned(first: list[Word], second: list[Word], third: list[Word]) -> None:
    """Channels that talk at the same time are all captioned, each in its own order, and never mixed."""
    for channels in ((first, second), (first, second, third)):
        cues = captions(transcript(*channels), prefix=name(several=True))
        for channel, words in enumerate(channels):
            assert said(cues, channel) == written(words)
        check_shape(cues, Limits())


@settings(max_examples=200, deadline=None)
@given(spoken_words(), PRESET)
def test_times_follow_the_words(words: list[Word], preset: str) -> None:
    """A cue begins with its first spoken word and lasts as long as reading takes, where there is room."""
    given = limits(preset)
    cues = captions(transcript(words), given)
    for at, cue in enumerate(cues):
        following = cues[at + 1].start if at + 1 < len(cues) else math.inf
        said = [word for line in cue.lines for word in line.words]
        first = next((word for word in said if any(map(str.isalnum, word.text))), said[0])
        assert abs(cue.start - first.start) < 0.05 + 0.13 * len(cues)
        # A word ends where the next one starts, whatever it says itself.
        last = max(said[-1].end, *(min(left.end, right.start) for left, right in pairwise(said)), 0.0)
        assert cue.end <= max(last + 1.5, cue.start + 0.05) + 0.002
        # A mark of the next cue is written after it is said: that room may stay.
        begun = min(following, cues[at + 1].lines[0].words[0].start) if at + 1 < len(cues) else math.inf
        room = min(begun - given.min_gap, last + 1.5 - given.min_gap, cue.start + given.max_duration)
        columns = sum(width(line.body) for line in cue.lines)
        assert cue.end >= min(room, cue.start + max(given.min_duration, columns / given.max_cps)) - 0.003
        assert following - cue.end > given.min_gap - 0.003
        pauses = pairwise(said)
        assert all(right.start - left.end <= 1.5 + 1e-6 for left, right in pauses)


@settings(max_examples=100, deadline=None)
@given(spoken_words(), PRESET, st.sampled_from(FRAME_RATES))
def test_times_are_on_frames(words: list[Word], preset: str, fps: float) -> None:
    """With a frame rate every time is a frame's, to the millisecond, and gaps are as long as the preset's."""
    given = limits(preset, fps=fps)
    cues = captions(transcript(words), given)
    for cue in cues:
        for time in (cue.start, cue.end):
            assert abs(round(time * fps) / fps - time) <= 0.0006
    for cue, following in pairwise(cues):
        assert following.start - cue.end >= given.min_gap - 0.0011


@settings(max_examples=300, deadline=None)
@given(st.data(), spoken_words() | any_words())
def test_what_is_out_is_never_rewritten(data: st.DataObject, words: list[Word]) -> None:
    """Appending words changes no cue that ends more than 8 s before the last known word."""
    known = data.draw(st.integers(0, len(words)))
    before, after = captions(transcript(words[:known])), captions(transcript(words))
    spoken = [word for cue in before for line in cue.lines for word in line.words]
    if not spoken:
        return
    latest = max(word.end for word in spoken)
    settled = [cue for cue in before if cue.end < latest - 8]
    assert after[: len(settled)] == settled


@settings(max_examples=150, deadline=None)
@given(st.data(), spoken_words() | any_words())
def test_live_captions_are_those_of_the_whole(data: st.DataObject, words: list[Word]) -> None:
    """However the words are divided among calls, the cues that come out are those of the whole transcript."""
    captioner, at, live = Captioner(), 0, list[Cue]()
    while at < len(words):
        many = data.draw(st.integers(1, 30))
        live += captioner.feed(words[at : at + many])
        at += many
    live += captioner.finish()
    assert live == captions(transcript(words))


@settings(max_examples=100, deadline=None)
@given(spoken_words())
def test_silence_settles_what_was_said(words: list[Word]) -> None:
    """Knowing that nothing was said for 1.5 s gives the same cues as hearing what is said next."""
    captioner, live = Captioner(), list[Cue]()
    for at, word in enumerate(words):
        following = words[at + 1].start if at + 1 < len(words) else word.end + 10
        live += captioner.feed([word], until=max(word.end, following))
    assert live + captioner.finish() == captions(transcript(words))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data(), spoken_words(most=40), spoken_words(1, most=40))
def test_live_channels_are_captioned_like_finished_ones(
    data: st.DataObject, first: list[Word], second: list[Word]
) -> None:
    """Finals of two channels, each a window behind the other, give the cues of the whole transcript."""
    channels, captioner, live = (first, second), Captioner(channels=2), list[Cue]()
    at, time = [0, 0], min((word.start for word in (*first, *second)), default=0.0)
    while at[0] < len(first) or at[1] < len(second):
        time += data.draw(st.sampled_from([0.5, 3.0, 1000.0]))
        for channel, words in enumerate(channels):
            begin = at[channel]
            while at[channel] < len(words) and words[at[channel]].start < time:
                at[channel] += 1
            live += captioner.feed(words[begin : at[channel]], channel=channel, until=time)
    assert live + captioner.finish() == captions(transcript(first, second))


def plain(text: str) -> str:
    """What two parsers agree on: the letters of a text."""
    return "".join(text.split())


@settings(max_examples=150, deadline=None)
@given(spoken_words(most=60))
def test_subrip_reads_back_equal(words: list[Word]) -> None:
    """pysubs2 reads the times and the text that were written."""
    said = [word for word in words if word.text not in ("<b>", "-->") and not word.text.isdigit()]
    said = [word for word in said if word.start < 300_000]
    cues = captions(transcript(said), prefix=name(), smooth_speakers=True)
    read = pysubs2.SSAFile.from_string(srt.render(transcript(said), RenderSettings()), format_="srt")
    if any(line.text.strip().isdigit() for cue in cues for line in cue.lines[-1:]):
        return  # pysubs2 takes a last line of digits for the number of the next cue
    assert [(event.start, event.end) for event in read] == [
        (round(cue.start * 1000), round(cue.end * 1000)) for cue in cues
    ]
    assert [plain(event.plaintext) for event in read] == [plain(cue.text) for cue in cues]


@settings(max_examples=150, deadline=None)
@given(spoken_words(most=60), st.booleans())
def test_webvtt_reads_back_equal(words: list[Word], karaoke: bool) -> None:
    """webvtt-py reads the times, the text and the voices that were written."""
    cues = captions(transcript(words), smooth_speakers=True)
    text = vtt.render(transcript(words), RenderSettings(karaoke=karaoke))
    read = list(webvtt.from_string(text))
    assert [(caption.start, caption.end) for caption in read] == [
        (clock(cue.start), clock(cue.end)) for cue in cues
    ]
    first = [cue.lines[0].voice.speaker for cue in cues]
    assert [caption.voice for caption in read] == [None if who is None else f"Speaker {who}" for who in first]
    unescaped = [
        plain(caption.text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        for caption in read
    ]
    assert unescaped == [plain(cue.text) for cue in cues]
