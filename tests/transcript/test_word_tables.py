"""Tables of words, written and read back: dgcli/transcript/word_tables.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from dgcli.errors import ApiError
from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.response import parse
from dgcli.transcript.saved import parse_saved
from tests.conftest import SHARED

TABLES = ["csv", "tsv", "words.jsonl"]


def saved() -> list[Path]:
    """The shared responses, where they are."""
    return sorted((SHARED / "responses").rglob("*.json"))


def spoken(text: str, **more: Any) -> dict[str, Any]:
    """A word of a response."""
    return {"word": text, "punctuated_word": text, "start": 0.5, "end": 0.75, "confidence": 0.5, **more}


@pytest.mark.parametrize("path", saved(), ids=lambda path: path.name)
@pytest.mark.parametrize("name", TABLES)
def test_captions_of_a_table_are_those_of_its_response(path: Path, name: str) -> None:
    """json to a table to srt is json to srt, without utterances and with its language told."""
    response = json.loads(path.read_bytes())
    response["results"].pop("utterances", None)
    transcript = parse(response)
    table = renderer(by_name(name))(transcript, RenderSettings()).encode()
    settings = RenderSettings(language=transcript.channels[0].detected_language)
    srt = renderer(by_name("srt"))
    assert srt(parse_saved(table), settings) == srt(transcript, settings)


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_comes_back(name: str) -> None:
    """Formulas, quotes, channels, languages and missing numbers are read as they were."""
    words = [
        spoken("=cmd", speaker=3),
        spoken('"quoted,"', language="es"),
        {"word": "late", "punctuated_word": "'late", "start": 1.0},
    ]
    other = [spoken("-4", speaker=0)]
    came = parse({"results": {"channels": [{"alternatives": [{"words": own}]} for own in (words, other)]}})
    read = parse_saved(renderer(by_name(name))(came, RenderSettings()).encode())
    assert repr(read.words) == repr(came.words)


@pytest.mark.parametrize("name", TABLES)
def test_names_of_speakers_come_back(name: str) -> None:
    """A speaker who had a name in the table has it again."""
    words = [spoken("Hi.", speaker=0), spoken("Yes.", speaker=1)]
    came = parse({"results": {"channels": [{"alternatives": [{"words": words}]}]}})
    read = parse_saved(renderer(by_name(name))(came, RenderSettings(speaker_names={1: "Anna"})).encode())
    assert [word.speaker for word in read.words] == [0, 1]
    assert read.given_names == {1: "Anna"}


def test_a_table_that_a_spreadsheet_saved_is_read() -> None:
    """A byte order mark, quoted headers and CRLF do not matter."""
    body = b'\xef\xbb\xbf"start","end","word","punctuated_word"\r\n0.5,0.75,hi,Hi.\r\n'
    (word,) = parse_saved(body).words
    assert (word.text, word.word, word.start, word.end) == ("Hi.", "hi", 0.5, 0.75)


def test_channels_beyond_every_recording_are_refused() -> None:
    """A channel that no recording has is an error, not memory."""
    with pytest.raises(ApiError, match="channel 1000000"):
        parse_saved(b"start,end,channel,word\n0,1,1000000,hi\n")


def test_a_channel_of_many_digits() -> None:
    """A number that Python does not read is refused as the channel that it is: one that no recording has."""
    with pytest.raises(ApiError, match="no recording"):
        parse_saved(b"start,end,word,channel\n0,1,a," + b"9" * 5000 + b"\n")
