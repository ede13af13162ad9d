"""A corrected text on the times of its response: dgcli/align/."""

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgcli.align.align import align
from dgcli.errors import AudioError, UsageError
from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import parse
from dgcli.transcript.saved import parse_saved
from tests.conftest import SHARED

TEXT = "Good morning to you. And good morning too. We will begin now, and end soon."
Json = dict[str, Any]


def response(text: str = TEXT, *, speakers: bool = True, gap: float = 0.1, channels: int = 1) -> Json:
    """A response with paragraphs and utterances: a sentence each, speakers in turn."""
    words: list[Json] = []
    utterances: list[Json] = []
    paragraphs: list[Json] = []
    begin = speaker = 0
    for at, word in enumerate(text.split(), 1):
        start = round(0.5 * at, 3)
        entry = {"word": word.lower().strip(".,"), "start": start, "end": round(start + 0.5 - gap, 3)}
        entry |= {"confidence": 0.9, "punctuated_word": word}
        words.append({**entry, "speaker": speaker, "speaker_confidence": 0.7} if speakers else entry)
        if word.endswith("."):
            own = words[begin:]
            said = " ".join(item["punctuated_word"] for item in own)
            times = {"start": own[0]["start"], "end": own[-1]["end"]}
            who = {"speaker": speaker} if speakers else {}
            utterances.append(
                {
                    **times,
                    "confidence": 0.9,
                    "channel": 0,
                    "transcript": said,
                    "words": own,
                    **who,
                    "id": f"u{at}",
                }
            )
            paragraphs.append({"sentences": [{"text": said, **times}], "num_words": len(own), **times, **who})
            begin, speaker = len(words), 1 - speaker
    alternative = {"transcript": text, "confidence": 0.9, "words": words}
    alternative["paragraphs"] = {"transcript": "\n" + text, "paragraphs": paragraphs}
    results: Json = {"channels": [{"alternatives": [alternative]}] * channels}
    if channels == 1:
        results["utterances"] = utterances
    return {"metadata": {"request_id": "r", "duration": 30.0}, "results": results}


def corrected(came: Json, text: str, name: str = "talk.txt", **more: Any) -> Transcript:
    """The response with the words of a text."""
    return align(parse(came), text.encode(), name, more.pop("names", {}), **more).corrected()


def words_of(transcript: Transcript) -> list[Json]:
    """The words in the raw response of a transcript."""
    words: list[Json] = transcript.raw["results"]["channels"][0]["alternatives"][0]["words"]
    return words


def saved() -> list[Path]:
    """The shared responses, where they are."""
    return sorted((SHARED / "responses").rglob("*.json"))


@pytest.mark.parametrize("path", saved(), ids=lambda path: path.name)
@pytest.mark.parametrize("smooth", [None, False])
@pytest.mark.parametrize("name", ["text", "srt", "vtt", "md"])
def test_a_text_that_nobody_touched_changes_nothing(path: Path, name: str, smooth: bool | None) -> None:
    """What dg wrote of a response gives that very response back, labels, tags and line breaks or not."""
    transcript = parse_saved(path.read_bytes())
    format_ = by_name(name)
    text = renderer(format_)(transcript, RenderSettings(smooth_speakers=smooth))
    assert align(transcript, text.encode(), f"x{format_.suffixes[0]}", {}).corrected() is transcript


def test_untouched_words_stay_field_for_field() -> None:
    """A replaced word has the times of the old one and a confidence of 1; every other entry is as it came."""
    came = response()
    found = words_of(corrected(came, TEXT.replace("begin", "start")))
    assert [word["punctuated_word"] for word in found][9:11] == ["will", "start"]
    assert found[10] == {
        **words_of(parse(came))[10],
        "word": "start",
        "punctuated_word": "start",
        "confidence": 1.0,
    }
    assert [word for at, word in enumerate(found) if at != 10] == [
        word for at, word in enumerate(words_of(parse(came))) if at != 10
    ]


def test_capitals_and_marks_are_no_other_words() -> None:
    """A word with another mark keeps its times, its confidence and what was heard."""
    found = words_of(corrected(response(), TEXT.replace("morning to", "Morning, to")))
    assert found[1]["punctuated_word"] == "Morning,"
    assert (found[1]["word"], found[1]["confidence"], found[1]["speaker_confidence"]) == ("morning", 0.9, 0.7)


def test_everything_that_is_made_of_words_follows() -> None:
    """Transcript, paragraphs and utterances have the corrected words; untouched ones are as they came."""
    came = response()
    raw = corrected(came, TEXT.replace("too.", "too, I say.")).raw["results"]
    alternative = raw["channels"][0]["alternatives"][0]
    assert "And good morning too, I say. We" in alternative["transcript"]
    paragraph = alternative["paragraphs"]["paragraphs"][1]
    assert (paragraph["num_words"], paragraph["sentences"][0]["text"]) == (6, "And good morning too, I say.")
    assert "Speaker 1: And good morning too, I say." in alternative["paragraphs"]["transcript"]
    assert raw["utterances"][1]["transcript"] == "And good morning too, I say."
    assert raw["utterances"][1]["end"] == raw["utterances"][1]["words"][-1]["end"]
    assert [raw["utterances"][at] for at in (0, 2)] == [came["results"]["utterances"][at] for at in (0, 2)]


def test_words_that_were_put_in_get_the_gap() -> None:
    """A word fits between its neighbours; without a gap the word before gives up its end, and no start moves."""
    found = words_of(corrected(response(gap=0.1), TEXT.replace("We will", "We surely will")))
    assert found[8]["end"] <= found[9]["start"] < found[9]["end"] <= found[10]["start"]
    found = words_of(corrected(response(gap=0.0), TEXT.replace("We will", "We surely will")))
    assert found[8]["start"] == 4.5
    assert found[8]["end"] == found[9]["start"] < found[9]["end"] == found[10]["start"] == 5.0


def test_a_cue_tells_where_its_new_words_are() -> None:
    """In a long pause words that were put in as a cue of their own have the time of that cue."""
    came = response("Good morning to you. And good morning too.")
    for word in words_of(parse(came))[4:]:
        word["start"], word["end"] = word["start"] + 20, word["end"] + 20
    cues = "1\n00:00:00,500 --> 00:00:02,400\nGood morning to you.\n\n2\n00:00:10,000 --> 00:00:12,000\n"
    cues += "Yes, indeed.\n\n3\n00:00:22,500 --> 00:00:24,400\nAnd good morning too.\n"
    found = words_of(corrected(came, cues, "talk.srt"))
    assert [10 <= word["start"] < word["end"] <= 12 for word in found[4:6]] == [True, True]


def test_speakers_are_reassigned_and_named() -> None:
    """A paragraph under another label is that speaker's; a new name goes to whom most of its words are from."""
    text = "Maria: Good morning to you.\n\nMaria: And good morning too.\n\nMaria: We will begin now, and end soon.\n"
    alignment = align(parse(response()), text.encode(), "talk.txt", {})
    assert alignment.names == {"Maria": 0}
    assert {word["speaker"] for word in words_of(alignment.corrected())} == {0}
    renamed = alignment.corrected()
    assert renamed.given_names == parse(renamed.raw).given_names == {0: "Maria"}
    again = corrected(renamed.raw, text.replace("Maria:", "Eva:"))
    assert (again.given_names, again.body) == ({0: "Eva"}, b"")
    names = {0: "Anna", 1: "Ben"}
    text = "[Anna] Good morning to you.\n[Anna] And good morning too.\n[Ben] We will begin now, and end soon."
    cues = "".join(
        f"{at}\n00:00:0{at},000 --> 00:00:0{at},900\n{line}\n\n" for at, line in enumerate(text.split("\n"))
    )
    found = words_of(corrected(response(), cues, "talk.srt", names=names))
    assert [word["speaker"] for word in found] == [0] * 8 + [1] * 7
    utterances = corrected(response(), cues, "talk.srt", names=names).raw["results"]["utterances"]
    assert [utterance["speaker"] for utterance in utterances] == [0, 0, 1]


def test_a_colon_is_a_label_only_where_there_are_voices() -> None:
    """Of a response without speakers, what stands before a colon was said."""
    text = "Note: it is late.\n\nNote: we go."
    came = response("Note: it is late. Note: we go.", speakers=False)
    transcript = parse(came)
    assert align(transcript, text.encode(), "talk.txt", {}).corrected() is transcript


def test_channels_have_to_be_told() -> None:
    """Several channels are aligned each by itself where the text names them, and are refused where it does not."""
    came = response(speakers=False, channels=2)
    text = f"Channel 0: {TEXT}\n\nChannel 1: {TEXT.replace('soon', 'late')}"
    found = corrected(came, text)
    assert [channel.words[-1].text for channel in found.channels] == ["soon.", "late."]
    with pytest.raises(UsageError, match="2 channels"):
        corrected(came, TEXT)


def test_counts_of_words_in_analyses_move_along() -> None:
    """A topic points at the same words, although others were put in before it."""
    came = response()
    came["results"]["topics"] = {"segments": [{"text": "We will", "start_word": 8, "end_word": 9}]}
    found = corrected(came, TEXT.replace("Good morning to", "A very good morning to"))
    (segment,) = found.raw["results"]["topics"]["segments"]
    at = [word["punctuated_word"] for word in words_of(found)]
    assert at[segment["start_word"] : segment["end_word"] + 1] == ["We", "will"]


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (b"", UsageError, "no words"),
        (b" \n\n", UsageError, "no words"),
        (b"RIFF\0\0\0\0WAVE", AudioError, "binary"),
        (b"Guten Morgen \xfc", AudioError, "UTF-8"),
        (b"Ganz andere Worte stehen in diesem Text hier.", UsageError, "another recording"),
    ],
)
def test_what_is_no_corrected_text_is_refused(body: bytes, error: type[Exception], said: str) -> None:
    """Nothing, binary data, other encodings and other recordings are told apart."""
    with pytest.raises(error, match=said):
        align(parse(response()), body, "talk.txt", {})


def test_force_aligns_anything() -> None:
    """With force a text of nothing but other words has times within those of the response."""
    found = corrected(response(), "Ganz andere Worte stehen in diesem Text hier.", force=True)
    assert [word.text for word in found.words] == "Ganz andere Worte stehen in diesem Text hier.".split()
    assert all(0.5 <= word.start <= word.end <= 8 for word in found.words)


@given(st.lists(st.tuples(st.integers(0, 14), st.sampled_from(["", "window", "two words", "–"])), max_size=8))
def test_every_word_has_a_time_and_times_rise(changes: list[tuple[int, str]]) -> None:
    """However words are replaced, deleted and put in, each has a time, and none begins before the one before it."""
    words = TEXT.split()
    for at, change in changes:
        words[at] = change
    text = " ".join(filter(None, words))
    if not any(character.isalnum() for character in text):
        return
    found = corrected(response(), text, force=True).words
    assert " ".join(word.text for word in found).split() == text.split()
    assert all(word.start <= word.end for word in found)
    assert all(a.start <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize("path", saved(), ids=lambda path: path.name)
def test_a_tenth_of_a_real_response_altered(path: Path) -> None:
    """Words of a real response that were not touched begin when they did (p95 0), and every word has a time."""
    came = json.loads(path.read_bytes())
    chance = random.Random(7)
    kept, text = [], []
    for at, word in enumerate(words_of(parse(came))):
        fate = chance.random()
        if fate < 0.033:
            continue
        if fate < 0.066:
            text.append("harbour")
            continue
        if fate < 0.1:
            text.append("harbour")
        kept.append(at)
        text.append(word["punctuated_word"])
    transcript = parse(came)
    alignment = align(transcript, " ".join(text).encode(), "talk.txt", {})
    by_source = {word.source: word for word in alignment.channels[0] if word.same}
    errors = sorted(
        abs(by_source[at].start - transcript.words[at].start) if at in by_source else 1.0 for at in kept
    )
    assert errors[int(0.95 * len(errors))] == 0
    assert all(word.start == word.start and word.end >= word.start for word in alignment.corrected().words)
