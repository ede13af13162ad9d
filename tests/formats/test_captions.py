"""What caption formats say beside the text: who speaks, in which direction, and where it stands."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

import pysubs2
import pytest
import webvtt

from dgcli.errors import UsageError
from dgcli.formats import RenderSettings, by_name, render_settings, renderer
from dgcli.transcript.response import parse

HEBREW = "לפני כן, תנו לי לכסות."
XML = "{http://www.w3.org/XML/1998/namespace}"
TT = "{http://www.w3.org/ns/ttml}"
TTP, TTS, TTM = (f"{{http://www.w3.org/ns/ttml#{name}}}" for name in ("parameter", "styling", "metadata"))


def said(*turns: tuple[int, float, str], language: str | None = None) -> dict[str, Any]:
    """A response in which speakers say words from a time on, a third of a second each."""
    words = [
        {
            "word": text,
            "punctuated_word": text,
            "start": start + at / 3,
            "end": start + (at + 1) / 3,
            "speaker": who,
        }
        for who, start, said in turns
        for at, text in enumerate(said.split())
    ]
    channel: dict[str, Any] = {"alternatives": [{"transcript": "", "words": words}]}
    if language:
        channel["detected_language"] = language
    return {"results": {"channels": [channel]}}


CONVERSATION = (
    (0, 0.0, "Good morning, this is Anna."),
    (1, 1.7, "Yes."),
    (0, 2.1, "Right."),
    (1, 8.0, "So."),
)


def written(name: str, turns: Sequence[tuple[int, float, str]] = CONVERSATION, **options: Any) -> str:
    """The text of a format."""
    language = options.pop("detected", None)
    return renderer(by_name(name))(parse(said(*turns, language=language)), render_settings(**options))


def test_labels_are_shown_in_webvtt_too() -> None:
    """--speaker-style label puts names into the text, where players that show no voices need them."""
    assert "<v Speaker 0>[Speaker 0] Good morning," in written("vtt", speaker_style="label")
    assert "[Speaker" not in written("vtt")


def test_dashes_tell_of_a_change_of_speaker() -> None:
    """--speaker-style dash has no names: a dash stands where the voice changes, in cues of one voice and of two."""
    lines = [line for line in written("srt", speaker_style="dash").split("\n") if re.search("[a-z]", line)]
    assert lines == ["- Good morning, this is Anna.", "- Yes.", "- Right.", "- So."]
    assert "<v " not in written("vtt", speaker_style="dash")


def test_crosstalk_has_a_dash_for_each_voice() -> None:
    """Two voices that share a cue have a dash each, in SubRip as in WebVTT, before the name."""
    assert "- [Speaker 1] Yes.\n- [Speaker 0] Right.\n" in written("srt")
    assert [caption.text for caption in webvtt.from_string(written("vtt")) if "Yes" in caption.text] == [
        "- Yes.\n- Right."
    ]


@pytest.mark.parametrize(
    ("name", "coloured"),
    [
        ("srt", '<font color="#ffff00">So.</font>'),
        ("vtt", "<v Speaker 1><c.yellow>So.</c>"),
        ("ass", "{\\c&H00ffff&}So.{\\c}"),
        ("ttml", 'tts:color="#ffff00">So.<'),
    ],
)
def test_colours_tell_speakers_apart(name: str, coloured: str) -> None:
    """--speaker-style colour writes the second speaker in yellow, and no names."""
    text = written(name, speaker_style="colour")
    assert coloured in text
    assert "[Speaker" not in text


def test_an_unknown_style_is_refused() -> None:
    """The error names the styles."""
    with pytest.raises(UsageError, match="label, dash, voice, colour"):
        RenderSettings(speaker_style="bold")


def test_substation_finds_the_direction_of_hebrew() -> None:
    """The style has the encoding with which libass finds the direction of each line from its text."""
    hebrew = pysubs2.SSAFile.from_string(written("ass", [(0, 0.0, HEBREW)]))
    assert hebrew.styles["Default"].encoding == -1
    assert hebrew[0].text == f"[Speaker 0] {HEBREW}"


def test_isolates_are_written_where_asked_for() -> None:
    """--isolates puts every line from right to left between RLI and PDI, and no other line."""
    text = written("srt", [(0, 0.0, HEBREW), (0, 8.0, "So.")], isolates=True, speaker_style="colour")
    assert f"\u2067{HEBREW}\u2069" in text
    assert "\u2067So" not in text
    assert "\u2067" not in written("srt", [(0, 0.0, HEBREW)])


def test_ttml_says_its_direction() -> None:
    """A paragraph from right to left says so."""
    root = ET.fromstring(written("ttml", [(0, 0.0, HEBREW), (0, 8.0, "So.")], speaker_style="voice"))
    assert [p.get(f"{TTS}direction") for p in root.iter(f"{TT}p")][-1] is None
    root = ET.fromstring(written("ttml", [(0, 0.0, HEBREW)], speaker_style="colour"))
    assert [p.get(f"{TTS}direction") for p in root.iter(f"{TT}p")] == ["rtl"]


def test_ttml_is_placed_at_the_bottom() -> None:
    """The document names the IMSC 1.1 text profile, a region at the bottom centre, and its frame rate."""
    root = ET.fromstring(written("ttml", fps=23.976))
    assert root.get(f"{TTP}contentProfiles") == "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
    assert (root.get(f"{TTP}frameRate"), root.get(f"{TTP}frameRateMultiplier")) == ("24", "1000 1001")
    (region,) = root.iter(f"{TT}region")
    left, top = (float(part.rstrip("%")) for part in str(region.get(f"{TTS}origin")).split())
    width, height = (float(part.rstrip("%")) for part in str(region.get(f"{TTS}extent")).split())
    assert left + width / 2 == 50
    assert 90 <= top + height <= 100
    assert (region.get(f"{TTS}displayAlign"), region.get(f"{TTS}textAlign")) == ("after", "center")
    (div,) = root.iter(f"{TT}div")
    assert div.get("region") == region.get(f"{XML}id")
    assert all(span.get("style") == "text" for span in root.iter(f"{TT}span"))


def test_ttml_has_an_agent_for_each_speaker() -> None:
    """Every voice is an agent with its name, and every paragraph or span says which one speaks."""
    root = ET.fromstring(written("ttml", speaker_names={0: "Anna & <Co>"}))
    names = {agent.get(f"{XML}id"): "".join(agent.itertext()) for agent in root.iter(f"{TTM}agent")}
    assert sorted(names.values()) == ["Anna & <Co>", "Speaker 1"]
    for p in root.iter(f"{TT}p"):
        spans = list(p.iter(f"{TT}span"))
        agents = [p.get(f"{TTM}agent")] if len(spans) == 1 else [span.get(f"{TTM}agent") for span in spans]
        assert all(agent in names for agent in agents)


def test_the_language_asked_for_reaches_the_outputs() -> None:
    """A response that names no language has the one asked for; a detected one wins; several are none."""
    for name, attribute in (("ttml", 'xml:lang="es"'), ("html", 'lang="es"')):
        assert attribute in written(name, language="es")
        assert attribute in written(name, language="de", detected="es")
    assert RenderSettings().spoken_in("multi").language is None
    assert RenderSettings().spoken_in("es").language == "es"
    assert RenderSettings(language="de").spoken_in("es").language == "de"
    words = "Y la lección de esta mañana para todos los que están aquí es la de la casa y de la vida de ayer"
    cues = written("srt", [(0, 0.0, words)], language="es")
    assert not re.search(r"\b(la|de|los|que|es|y|para)$", cues, re.MULTILINE)


@pytest.mark.parametrize("name", ["text", "md", "html", "srt", "vtt", "ass", "ttml"])
def test_formats_that_people_read_have_their_speakers_smoothed(name: str) -> None:
    """A word that was given to the next speaker comes back, unless that is switched off."""
    turns = [(0, 0.0, "Now we are all"), (1, 4 / 3, "done. Thank you for that and good night.")]
    plain = re.sub(r"(<[^>]+>|\\N|\s)+", " ", written(name, turns))
    rough = re.sub(r"(<[^>]+>|\\N|\s)+", " ", written(name, turns, smooth_speakers=False))
    assert "all done." in plain
    assert "all done." not in rough


@pytest.mark.parametrize("name", ["csv", "tsv", "words.jsonl", "json"])
def test_formats_for_programs_are_smoothed_where_asked_for(name: str) -> None:
    """Data has the speakers of the response, and with --smooth-speakers those that captions show."""
    turns = [(0, 0.0, "Now we are all"), (1, 4 / 3, "done. Thank you for that.")]
    assert written(name, turns) == written(name, turns, smooth_speakers=False)
    assert written(name, turns) != written(name, turns, smooth_speakers=True)
