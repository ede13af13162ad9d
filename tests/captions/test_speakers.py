"""Changes of speaker: where they move to, and where they stay."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgcli.captions.captioner import Captioner, captions
from dgcli.captions.speakers import SpeakerSmoother, smoothed
from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.model import Word
from dgcli.transcript.response import parse
from tests.captions.test_judge import JUDGE, LANGUAGES, RESPONSES, words_of
from tests.captions.test_properties import spoken_words, transcript


def said(text: str, confidence: float | None = None) -> list[Word]:
    """Words such as `0:Yes. 1:I ~ do`: a speaker holds until the next, `?:` is none, `~` a pause of 0.3 s."""
    words, at, speaker = list[Word](), 0.0, None
    for part in text.split():
        if part == "~":
            at += 0.3
            continue
        who, _, word = part.rpartition(":")
        if who:
            speaker = None if who == "?" else int(who)
        words.append(Word(word, at, at + 0.2, speaker=speaker, speaker_confidence=confidence))
        at += 0.2
    return words


def turns(words: tuple[Word, ...]) -> str:
    """The words with a number where the speaker changes."""
    parts, last = list[str](), None
    for word in words:
        parts.append(word.text if parts and word.speaker == last else f"{word.speaker}:{word.text}")
        last = word.speaker
    return " ".join(parts)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("0:we are done. And I can 1:report it's opened. Good.", "0:we are done. And I can report it's opened. 1:Good."),  # noqa: E501
        ("0:we are done. And I 1:report it's opened. Good.", "0:we are done. 1:And I report it's opened. Good."),
        ("0:it is going 1:well. Thank you for that news", "0:it is going well. 1:Thank you for that news"),
        ("0:all of us here ~ so we 1:are on our way now", "0:all of us here 1:so we are on our way now"),
        ("0:one two three four 1:five six seven eight nine", "0:one two three four 1:five six seven eight nine"),
        ("0:Is berth twelve free? 1:Yes. 0:Then we come in.", "0:Is berth twelve free? 1:Yes. 0:Then we come in."),
        ("0:we want to 4:operate 0:the arm at once then", "0:we want to operate the arm at once then"),
        ("0:well I think ~ 1:mhm ~ 0:that we should go", "0:well I think 1:mhm 0:that we should go"),
        ("0:this is ?:not 0:known to us at all", "0:this is not known to us at all"),
        ("0:That is all. ?:And 1:now we go on with it", "0:That is all. 1:And now we go on with it"),
    ],
)  # fmt: skip
def test_a_change_moves_to_where_people_change(heard: str, meant: str) -> None:
    """The nearest sentence end or pause within three words, if there is one; short answers stay."""
    assert turns(smoothed(said(heard))) == meant


def test_confidence_decides_between_two_places() -> None:
    """Words that the recogniser is sure of keep their speaker, though the other place is nearer."""
    words = said("0:we go. Yes now 1:please come. Then we are all here again")
    sure = [0.2 if word.text in ("please", "come.") else 0.9 for word in words]
    given = [
        Word(w.text, w.start, w.end, speaker=w.speaker, speaker_confidence=c)
        for w, c in zip(words, sure, strict=True)
    ]
    assert turns(smoothed(given)) == "0:we go. Yes now please come. 1:Then we are all here again"


def test_a_long_turn_goes_on_after_its_words_were_hurried_out() -> None:
    """A single word that follows words which had to come out early comes out after them, once."""
    words = [(Word(f"w{at}", at * 0.3, at * 0.3 + 0.3, speaker=0), False) for at in range(14)]
    smoother = SpeakerSmoother()
    written = smoother.take(words[:12])
    written += smoother.hurry(words[10][0].end)
    for word in words[12:]:
        written += smoother.take([word])
    assert written + smoother.finish() == words


@settings(max_examples=200, deadline=None)
@given(spoken_words(), st.data())
def test_words_of_a_stream_are_smoothed_like_the_whole(words: list[Word], data: st.DataObject) -> None:
    """However the words are divided among calls, the same comes out, and only speakers change."""
    smoother, live, at = SpeakerSmoother(), list[Word](), 0
    while at < len(words):
        many = data.draw(st.integers(1, 20))
        live += [word for word, _ in smoother.take((word, False) for word in words[at : at + many])]
        at += many
    live += [word for word, _ in smoother.finish()]
    assert tuple(live) == smoothed(words)
    assert [(word.text, word.start) for word in live] == [(word.text, word.start) for word in words]


@settings(max_examples=150, deadline=None)
@given(spoken_words(most=60), spoken_words(1, most=60), st.booleans())
def test_live_cues_with_smoothed_speakers_are_those_of_the_whole(
    first: list[Word], second: list[Word], both: bool
) -> None:
    """Finals that come one by one, of one channel or of two, give the cues of the finished transcript."""
    channels = (first, second) if both else (first,)
    captioner = Captioner(channels=len(channels), smooth_speakers=True)
    live, at, time = [], [0, 0], 0.0
    while any(at[index] < len(words) for index, words in enumerate(channels)):
        time += 2.5
        for index, words in enumerate(channels):
            begin = at[index]
            while at[index] < len(words) and (words[at[index]].start < time or time > 1000):
                at[index] += 1
            known = max([time, *(word.end for word in words[begin : at[index]])])
            following = words[at[index]].start if at[index] < len(words) else known
            live += captioner.feed(words[begin : at[index]], channel=index, until=min(known, following))
        if time > 1000:
            time = 400_000.0
    live += captioner.finish()
    assert live == captions(transcript(*channels), smooth_speakers=True)


def slips(path: Path, folder: Path) -> tuple[int, int]:
    """How many changes of speaker the SubRip captions of a response show, and how many are slips."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("caption_lint", JUDGE)
    assert spec is not None
    assert spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    written = folder / "out.srt"
    text = renderer(by_name("srt"))(parse(json.loads(path.read_bytes())), RenderSettings())
    written.write_text(text, "utf-8", newline="")
    changes, bad = judge.slips(judge.cues_of(str(written)))
    return changes, bad


@pytest.mark.skipif(not JUDGE.is_file(), reason="no judge here")
@pytest.mark.parametrize("path", [*RESPONSES, *LANGUAGES], ids=lambda path: path.stem)
def test_real_responses_have_few_slips(path: Path, tmp_path: Path) -> None:
    """At most 2 % of the changes that are shown have a sentence end within three words; of few, none."""
    changes, bad = slips(path, tmp_path)
    assert bad <= 0.02 * changes


@pytest.mark.skipif(not RESPONSES, reason="no shared responses here")
@pytest.mark.parametrize("path", [*RESPONSES, *LANGUAGES], ids=lambda path: path.stem)
def test_the_smoothed_response_is_the_same_response(path: Path) -> None:
    """json with smoothed speakers has every word with its times, and renders as the captions do."""
    response = json.loads(path.read_bytes())
    text = renderer(by_name("json"))(parse(response), RenderSettings(smooth_speakers=True))
    again = json.loads(text)
    assert [(w["word"], w["start"]) for w in words_of(again)] == [
        (w["word"], w["start"]) for w in words_of(response)
    ]
    assert [w.get("speaker") for w in again["results"]["channels"][0]["alternatives"][0]["words"]] == [
        word.speaker for word in smoothed(parse(response).channels[0].words)
    ]
    assert (
        renderer(by_name("json"))(parse(response, path.read_bytes()), RenderSettings()).encode()
        == path.read_bytes()
    )


def test_utterances_and_paragraphs_follow_their_words() -> None:
    """A word that goes to the turn before leaves the utterance and the paragraph it had begun."""
    words = [
        {
            "word": word.text,
            "punctuated_word": word.text,
            "start": word.start,
            "end": word.end,
            "speaker": word.speaker,
        }
        for word in said("0:it is going 1:well. Thank you for that")
    ]

    def part(own: list[dict[str, object]]) -> dict[str, object]:
        text = " ".join(str(word["word"]) for word in own)
        return {
            "transcript": text, "words": own, "speaker": own[0]["speaker"], "channel": 0, "id": text,
            "start": own[0]["start"], "end": own[-1]["end"],
        }  # fmt: skip

    paragraphs = [
        {"num_words": 3, "speaker": 0, "sentences": [{"text": "it is going"}]},
        {"num_words": 5, "speaker": 1, "sentences": [{"text": "well."}, {"text": "Thank you for that"}]},
    ]
    alternative = {"transcript": "", "words": words, "paragraphs": {"paragraphs": paragraphs}}
    response = {
        "results": {
            "channels": [{"alternatives": [alternative]}],
            "utterances": [part(words[:3]), part(words[3:])],
        }
    }
    again = json.loads(renderer(by_name("json"))(parse(response), RenderSettings(smooth_speakers=True)))
    assert [part["transcript"] for part in again["results"]["utterances"]] == [
        "it is going well.",
        "Thank you for that",
    ]
    assert [part["speaker"] for part in again["results"]["utterances"]] == [0, 1]
    written = again["results"]["channels"][0]["alternatives"][0]["paragraphs"]
    assert [part["num_words"] for part in written["paragraphs"]] == [4, 4]
    assert written["transcript"] == "\nSpeaker 0: it is going well.\n\nSpeaker 1: Thank you for that"
