"""Captions of speech as it is really said: fast and slow, in many languages, one over the other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgcli.captions.captioner import captions
from dgcli.captions.cues import Cue
from dgcli.captions.text import width
from dgcli.formats import RenderSettings
from dgcli.transcript.response import parse
from tests.captions import speech
from tests.captions.test_judge import JUDGE, judged

TEXTS = {name: getattr(speech, name) for name in ("SPEECH", "NEWS", "LECTURE", "HURRIED", "ENTITIES")}
LANGUAGES = {
    "de": speech.GERMAN, "fr": speech.FRENCH, "es": speech.SPANISH, "ja": speech.JAPANESE,
    "th": speech.THAI, "ar": speech.ARABIC,
}  # fmt: skip
TALKS = {"call": speech.CALL, "meeting": speech.MEETING, "short": speech.SHORT}
PACES = (110, 170, 250)
OPEN_END = re.compile(r"[\w'\"]$")

needs_judge = pytest.mark.skipif(not JUDGE.is_file(), reason="no judge here")


@pytest.mark.slow
@needs_judge
@pytest.mark.parametrize("wpm", PACES)
def test_monologues_break_no_rule(wpm: int, tmp_path: Path) -> None:
    """One speaker, slow or fast, with and without utterances, keeps every rule; on the whole lines read well."""
    figures = []
    for text in TEXTS.values():
        for seed in range(3):
            figures += judged(speech.monologue(text, wpm, seed, split=(None, 0.8, 0.4)[seed]), tmp_path)
    dangling, _, uneven = (sum(column) / len(figures) for column in zip(*figures, strict=True))
    assert dangling <= 6
    assert uneven <= 25


@needs_judge
@pytest.mark.parametrize("language", LANGUAGES)
def test_other_languages_break_no_rule(language: str, tmp_path: Path) -> None:
    """Languages with long words, without spaces and from right to left keep every rule."""
    for seed, wpm in enumerate(PACES):
        judged(speech.monologue(LANGUAGES[language], wpm, seed, language=language), tmp_path)


@needs_judge
@pytest.mark.parametrize("wpm", PACES)
@pytest.mark.parametrize("talk", TALKS)
def test_dialogues_break_no_rule(talk: str, wpm: int, tmp_path: Path) -> None:
    """Speakers of one channel, however short their turns are, keep every rule."""
    for seed in range(3):
        judged(speech.dialogue(TALKS[talk], wpm, seed, split=0.8), tmp_path)


@needs_judge
@pytest.mark.parametrize("many", [2, 3, 4])
@pytest.mark.parametrize("talk", ["call", "meeting"])
def test_channels_that_interrupt_each_other_break_no_rule(talk: str, many: int, tmp_path: Path) -> None:
    """Calls recorded with a channel for each speaker keep every rule where they talk at the same time."""
    for seed, wpm in enumerate((130, 180, 250)):
        judged(speech.channels(TALKS[talk], wpm, seed, many), tmp_path)


def cues_of(said: dict[str, Any]) -> list[Cue]:
    """The cues of a response, with names as SubRip has them."""
    return captions(parse(said), prefix=RenderSettings().prefix(len(said["results"]["channels"]) > 1))


def least(words: list[dict[str, Any]]) -> int:
    """How many cues must end without punctuation, when only two lines of 42 and 7 s count and no more."""
    best: list[int | None] = [0, *([None] * len(words))]

    def fits(texts: list[str]) -> bool:
        splits = range(1, len(texts) + 1)
        return any(max(len(" ".join(texts[:at])), len(" ".join(texts[at:]))) <= 42 for at in splits)

    for after in range(1, len(words) + 1):
        for first in range(after - 1, max(-1, after - 30), -1):
            own, before = words[first:after], best[first]
            if before is None or (
                len(own) > 2
                and (
                    own[-1]["end"] - own[0]["start"] > 7
                    or not fits([item["punctuated_word"] for item in own])
                )
            ):
                continue
            open_end = after < len(words) and OPEN_END.search(own[-1]["punctuated_word"])
            points = before + bool(open_end and words[after]["start"] - own[-1]["end"] < 1)
            now = best[after]
            best[after] = points if now is None else min(now, points)
    return best[-1] or 0


def test_few_more_cues_end_in_mid_sentence_than_must() -> None:
    """Over all texts and paces, cuts without punctuation are at most 1.3 times what the limits force on anybody."""
    must, ours = 0, 0
    for name in ("SPEECH", "NEWS", "LECTURE", "HURRIED"):
        for seed, wpm in enumerate(PACES):
            said = speech.monologue(TEXTS[name], wpm, seed)
            must += least(said["results"]["channels"][0]["alternatives"][0]["words"])
            ours += sum(bool(OPEN_END.search(cue.lines[-1].body)) for cue in cues_of(said))
    assert ours <= 1.3 * must


def test_combining_marks_take_time_to_read() -> None:
    """A line of Devanagari, whose viramas take no column, is shown as long as its letters take at 20 a second."""
    text = "स्वतंत्रता की दृष्टि से महत्त्वपूर्ण निर्णयों की स्वीकृति"
    said: speech.Said = [
        {"word": word, "punctuated_word": word, "start": 0.2 * at, "end": 0.2 * at + 0.2}
        for at, word in enumerate(text.split())
    ]
    (cue,) = cues_of(speech.response(said))
    assert width(text) < len(text)
    assert cue.end - cue.start >= len(text) / 20


def test_a_lone_opening_word_ends_no_cue() -> None:
    """ "Traditionally," goes with the sentence that it opens, though a comma follows it."""
    before = "You believe it or you never will."
    opened = "Traditionally, the product of two vectors is shown to students early in a course on algebra."
    words = f"{before} {opened}".split()
    said: speech.Said = [
        {"word": word, "punctuated_word": word, "start": 0.3 * at, "end": 0.3 * at + 0.3}
        for at, word in enumerate(words)
    ]
    ends = [cue.lines[-1].words[-1].text for cue in cues_of(speech.response(said))]
    assert "will." in ends
    assert "Traditionally," not in ends


def lines_of(cues: list[Cue]) -> Iterator[str]:
    for cue in cues:
        yield from (line.text for line in cue.lines)


def test_who_begins_first_is_on_top() -> None:
    """Where channels share a cue, the lines stand in the order in which they begin to be said."""
    for seed in range(12):
        for cue in cues_of(speech.channels(speech.MEETING, 200, seed, 3)):
            voices = [line.voice for line in cue.lines]
            begun = [
                line.words[0].start for at, line in enumerate(cue.lines) if voices.index(line.voice) == at
            ]
            assert begun == sorted(begun)


def test_who_pauses_yields() -> None:
    """A short answer comes before a word that another channel says later, after a pause of its own."""
    agent: speech.Said = [
        {"word": "2291.", "punctuated_word": "2291.", "start": 1.9, "end": 2.75},
        {"word": "mhm", "punctuated_word": "Mhm.", "start": 3.12, "end": 3.3},
    ]
    caller: speech.Said = [{"word": "yes", "punctuated_word": "Yes.", "start": 2.82, "end": 3.05}]
    said = [line.body for cue in cues_of(speech.response(agent, caller)) for line in cue.lines]
    assert said == ["2291.", "Yes.", "Mhm."]


def test_names_take_room_only_where_they_stand() -> None:
    """A channel that goes on speaking has the whole line, as a speaker does."""
    said: speech.Said = []
    for at, word in enumerate("Yes. May I have your account number please?".split()):
        start = 0.3 * at + (at > 0)
        said.append({"word": word, "punctuated_word": word, "start": start, "end": start + 0.3})
    bodies = list(lines_of(cues_of(speech.response(said, []))))
    assert bodies == ["[Channel 0] Yes.", "May I have your account number please?"]
