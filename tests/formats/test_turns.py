"""Paragraphs of responses that have none."""

import re

import pytest

from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.formats.turns import paragraphs
from dgcli.transcript.response import parse
from tests.formats.test_formats import response

_PUNCTUATED = "This is a sentence of some words. And here is one more, a little longer than that! " * 500
_BARE = "so this is what a recogniser without punctuation says " * 900


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("said", [_PUNCTUATED, _BARE, "你好。这是一个很长的句子！" * 4000])
def test_long_turns_are_split(said: str, timed: bool) -> None:
    """50,000 characters in one piece become paragraphs of at most 1,100, with every word in its place."""
    made = response(said) if timed else {"results": {"channels": [{"alternatives": [{"transcript": said}]}]}}
    if timed and " " not in said:
        return  # one word, of which nobody can tell when its parts are said
    parts = paragraphs(parse(made))
    assert len(said) >= 40_000
    assert len(parts) > 30
    assert max(len(part.text) for part in parts) < 1100
    assert min(len(part.text) for part in parts[:-1]) > 150
    assert "".join("".join(part.text.split()) for part in parts) == "".join(said.split())
    if said is _PUNCTUATED:
        assert all(re.search(r"[.!]$", part.text) for part in parts)


def test_speakers_and_channels_are_split_as_well() -> None:
    """A long turn of one speaker, and of one channel of several, has paragraphs that keep the voice."""
    turns = paragraphs(parse(response(f"Hello. | {_PUNCTUATED}", speakers=True)))
    assert len(turns) > 50
    assert {part.speaker for part in turns[1:]} == {1}
    channels = paragraphs(parse(response(_PUNCTUATED, "", gap=0.4)))
    assert len(channels) > 50
    assert {part.channel for part in channels} == {0}


def test_a_paragraph_ends_at_the_longest_pause_where_no_sentence_does() -> None:
    """Without punctuation the longest pause in reach divides, not the number of characters."""
    made = response(_BARE)
    words = made["results"]["channels"][0]["alternatives"][0]["words"]
    late = 120
    for word in words[late:]:
        word["start"] += 0.7
        word["end"] += 0.7
    first, second, *_ = paragraphs(parse(made))
    assert (len(first.words), second.words[0].start) == (late, words[late]["start"])


def test_what_can_be_read_at_once_stays_whole() -> None:
    """A text of a few sentences is one paragraph, and the API's own paragraphs stay as they are."""
    assert len(paragraphs(parse(response("One. Two. Three. " * 20)))) == 1
    made = response("Word. " * 1000)
    sentences = [{"text": "Word. " * 1000}]
    made["results"]["channels"][0]["alternatives"][0]["paragraphs"] = {
        "paragraphs": [{"sentences": sentences, "num_words": 1000}]
    }
    assert len(paragraphs(parse(made))) == 1


@pytest.mark.parametrize("name", ["text", "md", "html"])
def test_text_markdown_and_pages_have_paragraphs(name: str) -> None:
    """No line of a long monologue is longer than a paragraph is, in each format for readers."""
    text = renderer(by_name(name))(parse(response(_PUNCTUATED)), RenderSettings())
    plain = re.sub(
        r"<style>.*?</style>|<script>.*?</script>|<svg.*?</svg>|<[^>]*>", "", text, flags=re.DOTALL
    )
    assert max(map(len, plain.splitlines())) < 1100
