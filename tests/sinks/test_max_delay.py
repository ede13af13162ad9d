"""Live captions do not wait longer than they were told to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgcli.captions.captioner import Captioner
from dgcli.captions.cues import Cue
from dgcli.captions.speakers import SpeakerSmoother
from dgcli.errors import UsageError
from dgcli.formats import RenderSettings, by_name
from dgcli.sinks.captions import CaptionBlocks, CaptionSink
from dgcli.sinks.files import file_sink
from dgcli.transcript.events import Final, Interim
from dgcli.transcript.messages import parse_message
from dgcli.transcript.model import Word
from tests.captions.test_properties import any_words, spoken_words, written

TEXT = """and so my fellow Americans ask not what your country can do for you but ask what you can do for your
country as they went on to say when the harbour of the town was opened to the ships of all the world""".split()

GRACE = 1.5  # seconds that a word may stay beyond the delay
Message = tuple[int, list[Word], float, bool, float]
"""Channel, words, up to where the audio is known, whether it is a final, and how long nothing follows."""


def _words(seed: list[tuple[float, int]]) -> list[Word]:
    """Words that follow one another with these pauses and speakers."""
    words, at = list[Word](), 0.0
    for number, (pause, speaker) in enumerate(seed):
        text = TEXT[number % len(TEXT)]
        at += pause
        words.append(Word(text, round(at, 3), round(at + 0.3, 3), 0.9, text, speaker))
        at += 0.3
    return words


def _event(words: list[Word], start: float, end: float, *, final: bool) -> Final | Interim:
    said: list[dict[str, Any]] = [
        {"word": word.word, "start": word.start, "end": word.end, "confidence": 0.9, "speaker": word.speaker}
        for word in words
    ]
    alternative = {"transcript": " ".join(word.text for word in words), "words": said}
    message = {"type": "Results", "channel_index": [0, 1], "start": start, "duration": end - start,
               "is_final": final, "channel": {"alternatives": [alternative]}}  # fmt: skip
    event = parse_message(json.dumps(message), 0.0)
    assert isinstance(event, Final | Interim)
    return event


def _session(words: list[Word]) -> Iterator[Final | Interim]:
    """A final for every 4 s, and an interim for every second, which restates what the last final lacks."""
    done = 0
    for second in range(1, int(words[-1].end) + 8):
        known = [word for word in words[done:] if word.end <= second]
        begun = words[done].start if done < len(words) else float(second - 1)
        yield _event(known, min(begun, second), second, final=second % 4 == 0)
        if second % 4 == 0:
            done += len(known)


def _written(words: list[Word], max_delay: float | None) -> tuple[list[tuple[float, float]], str]:
    """The end of each cue's last word with when it was settled, and the text of all of them."""
    captioner = Captioner(smooth_speakers=True, max_delay=max_delay)
    settled, texts = list[tuple[float, float]](), list[str]()
    for event in _session(words):
        if isinstance(event, Final):
            cues = captioner.feed(event.words, until=event.end)
        else:
            cues = captioner.heard(event.end, likely=event.words)
        for cue in cues:
            last = max(word.end for line in cue.lines for word in line.words)
            settled.append((last, event.end))
            texts.extend(word.text for line in cue.lines for word in line.words)
    texts.extend(word.text for cue in captioner.finish() for line in cue.lines for word in line.words)
    return settled, " ".join(texts)


seeds = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 0.0, 0.05, 0.2, 0.7]), st.sampled_from([0, 0, 0, 0, 0, 1])),
    min_size=30,
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_no_caption_waits_longer_than_it_may(seed: list[tuple[float, int]]) -> None:
    """With --max-delay 4 a caption is settled within 4 s and a final's length of its last word; no word is lost."""
    words = _words(seed)
    settled, text = _written(words, 4.0)
    assert text == " ".join(word.text for word in words)
    assert settled
    assert max(when - last for last, when in settled) <= 8.0


def test_without_a_delay_captions_wait_for_what_follows() -> None:
    """The rule is what makes them early: without it captions of speech without a pause wait for 7 s of words."""
    words = _words([(0.0, 0)] * 200)
    early, _ = _written(words, 4.0)
    late, _ = _written(words, None)
    assert max(when - last for last, when in early) <= 6.0
    assert min(when - last for last, when in late[:-2]) >= 7.0


def test_an_interim_settles_what_has_waited() -> None:
    """A cue comes with the interim that tells of three seconds after it: the next may be a second later."""
    words = _words([(0.0, 0)] * 40)
    blocks = CaptionBlocks(by_name("srt"), RenderSettings(max_delay=4.0))
    assert blocks.take(_event(words[:13], 0.0, 3.9, final=True)) == ""  # type: ignore[arg-type]
    assert blocks.heard(_event(words[13:14], 3.9, 4.2, final=False)) == ""  # type: ignore[arg-type]
    assert blocks.heard(_event(words[13:23], 3.9, 6.9, final=False)).startswith("1\n00:00:00,000 --> ")  # type: ignore[arg-type]


def test_silence_settles_what_has_waited() -> None:
    """Interims without words tell of a pause: the last words are settled though no final follows."""
    words = _words([(0.0, 0)] * 12)
    blocks = CaptionBlocks(by_name("srt"), RenderSettings(max_delay=4.0))
    early = blocks.take(_event(words, 0.0, 3.6, final=True))  # type: ignore[arg-type]
    late = blocks.heard(_event([], 3.6, 8.0, final=False))  # type: ignore[arg-type]
    assert words[-1].text in late
    assert blocks.finish() == ""
    assert early == ""


def test_a_delay_that_no_caption_could_keep_is_refused() -> None:
    """Below a second, which messages take themselves, and beyond a minute, a delay is invalid."""
    for delay in (0.5, 61.0, float("nan")):
        with pytest.raises(UsageError, match="--max-delay"):
            RenderSettings(max_delay=delay)


@pytest.mark.parametrize("start", [float("nan"), float("inf"), -1.0])
def test_a_time_that_is_none_of_a_likely_word_settles_as_silence_does(start: float) -> None:
    """A provisional word without a usable time tells only up to where the audio is known."""
    captioners = [Captioner(max_delay=4.0), Captioner(max_delay=4.0)]
    for captioner in captioners:
        assert captioner.feed(_words([(0.0, 0)] * 3), until=1.0) == []
    likely = [Word("and", start, start, 0.9, "and", 0)], [Word("and", 7.0, 7.2, 0.9, "and", 0)]
    spoilt, whole = (c.heard(7.0, likely=words) for c, words in zip(captioners, likely, strict=True))
    assert spoilt == whole
    assert [word.text for cue in spoilt for line in cue.lines for word in line.words] == TEXT[:3]


@st.composite
def _sessions(draw: st.DrawFn) -> tuple[int, list[Message]]:
    """Results of one or two channels as servers send them: late, empty, out of step, with silence between them."""
    channels = draw(st.sampled_from([1, 1, 2]))
    left = [draw(st.one_of(spoken_words(channel), any_words(channel))) for channel in range(channels)]
    messages, now = list[Message](), 0.0
    for _ in range(draw(st.integers(1, 40))):
        channel = draw(st.integers(0, channels - 1))
        now += draw(st.sampled_from([0.0, 0.3, 1.0, 1.0, 5.0]))
        many = draw(st.sampled_from([0, 1, 1, 3, 12, 40]))
        known = left[channel][:many]
        is_final = draw(st.booleans())
        if is_final:
            del left[channel][:many]
        quiet = draw(st.sampled_from([0.0, 0.0, 0.1, 3.0, 6.0]))
        messages.append((channel, known, now, is_final, quiet))
    return channels, messages


@settings(max_examples=100, deadline=None)
@given(_sessions(), st.sampled_from([1.0, 2.0, 4.0, 6.0, 10.0]), st.booleans())
def test_no_word_stays_longer_than_it_may(
    session: tuple[int, list[Message]], max_delay: float, smooth: bool
) -> None:
    """Whatever the words, their times and the pace of results: a word is out 1.5 s after the delay, none is lost."""
    channels, messages = session
    captioner = Captioner(channels=channels, smooth_speakers=smooth, max_delay=max_delay)
    said = {channel: list[str]() for channel in range(channels)}
    wanted = {channel: list[str]() for channel in said}
    fed = list[tuple[float, int, int]]()  # when a channel had how many pieces
    ended = 0.0

    def take(cues: list[Cue], now: float) -> None:
        nonlocal ended
        for cue in cues:
            assert cue.end > cue.start >= ended
            ended = cue.end
            for line in cue.lines:
                said[line.voice.channel] += [word.text for word in line.words]
        late = [(channel, many) for when, channel, many in fed if now >= when + max_delay + GRACE]
        assert all(len(said[channel]) >= many for channel, many in late)

    now = 0.0
    for channel, words, now, is_final, quiet in messages:
        if is_final:
            wanted[channel] += written(words)
            fed.append((now, channel, len(wanted[channel])))
            take(captioner.feed(words, channel=channel, until=now), now)
        else:
            take(captioner.heard(now, channel=channel, likely=words), now)
        take(captioner.quiet(quiet), now + quiet)
    take(captioner.finish(), now)
    assert said == wanted


def test_the_last_words_do_not_wait_for_the_next(tmp_path: Path) -> None:
    """When no result comes any more, the clock alone has the last caption written: to a file and to a pipe."""
    options, spoken = RenderSettings(max_delay=4.0, segment_duration=2), list[str]()
    files = [file_sink(tmp_path / name, options) for name in ("a.srt", "a.vtt", "a.m3u8")]
    sinks = [*files, CaptionSink(spoken.append, by_name("srt"), options)]
    for sink in sinks:
        sink.handle(_event(_words([(0.0, 0)] * 12), 0.0, 3.9, final=True))
        sink.handle(_event([], 3.9, 4.0, final=False))
        sink.tick(100.0)
        sink.tick(103.8)
    assert spoken == []
    for sink in sinks:
        sink.tick(104.0)
    settled = "".join(spoken)
    assert "\n1\n00:00:00,000 --> " in f"\n{settled}"
    assert TEXT[11] in settled
    for sink in sinks:
        sink.close()
    assert "".join(spoken) == settled
    assert (tmp_path / "a.srt").read_text() == settled


def test_few_held_words_are_smoothed_like_many() -> None:
    """Words that leave the smoother in a hurry do not confuse those that are held: slow speech of one voice."""
    smoother = SpeakerSmoother()
    out, words = list[Word](), _words([(0.1, 0)] * 40)
    for word in words:
        out += [passed for passed, _ in smoother.take([(word, False)])]
        out += [passed for passed, _ in smoother.hurry(word.end - 0.5)]
    out += [passed for passed, _ in smoother.finish()]
    assert out == words
