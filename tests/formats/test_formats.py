"""What each format writes."""

import csv
import json
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path
from typing import Any

import pysubs2
import pytest

from dgcli.errors import ApiError, OutputError, UsageError
from dgcli.formats import FORMATS, RenderSettings, by_name, by_suffix, renderer
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import parse, parse_body
from tests.formats.test_broadcast import read_scc

NAMED = RenderSettings(speaker_names={0: "Anna", 1: "Ben"})


def response(
    *channels: str, speakers: bool = False, gap: float = 0.4, language: str | None = None
) -> dict[str, Any]:
    """A response whose channels say these words, one every `gap` seconds; `|` changes the speaker."""
    answers = []
    for index, text in enumerate(channels):
        words: list[dict[str, Any]] = []
        speaker, at = 0, index * 0.1
        for said in text.split():
            if said == "|":
                speaker = 1 - speaker
                continue
            word = {
                "word": said.lower(),
                "punctuated_word": said,
                "start": at,
                "end": at + 0.3,
                "confidence": 0.9,
            }
            words.append({**word, "speaker": speaker} if speakers else word)
            at = round(at + gap, 3)
        alternative = {"transcript": " ".join(word["punctuated_word"] for word in words), "words": words}
        answers.append(
            {"alternatives": [alternative], **({"detected_language": language} if language else {})}
        )
    return {"metadata": {"request_id": "0198-r", "duration": 3.5, "channels": len(channels)},
            "results": {"channels": answers}}  # fmt: skip


def written(name: str, transcript: Transcript | dict[str, Any], options: RenderSettings | None = None) -> str:
    """A transcript in a format."""
    parsed = transcript if isinstance(transcript, Transcript) else parse(transcript)
    return renderer(by_name(name))(parsed, options or RenderSettings())


EMPTY = response("")
DIALOGUE = response("Hello there. | Hi. How are you? | Fine.", speakers=True)


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_every_format_takes_an_empty_transcript(format_: Any) -> None:
    """Silence, a response without channels and one without words all give a file, not an error."""
    for nothing in (EMPTY, {"results": {"channels": []}}, {"results": {"channels": [{"alternatives": []}]}}):
        text = renderer(format_)(parse(nothing), RenderSettings())
        assert text == "" or text.endswith("\n")


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_every_format_takes_hostile_text(format_: Any) -> None:
    """Controls, markup, lone surrogates and times that are none come out encodable, without a control character."""
    said = response("a\x00b\x1b[31m <b>&amp;</b> --> \ud800 {\\an8}x | `*_[", speakers=True)
    said["results"]["channels"][0]["alternatives"][0]["words"][0]["start"] = None
    said["results"]["channels"][0]["alternatives"][0]["words"][1]["end"] = 10**400
    text = renderer(format_)(parse(said), RenderSettings(speaker_names={0: "<i>A\x07</i>\n-->"}))
    text.encode("utf-8", "surrogateescape")
    if format_.name != "json":
        assert not {c for c in text if ord(c) < 32 or 0x7F <= ord(c) < 0xA0} - set("\n\t")


def readable(format_: Any, rendered: str) -> str:
    """What a format shows: of SCC, which is a code, what a decoder makes of it."""
    return " ".join(text for _, _, text in read_scc(rendered)) if format_.name == "scc" else rendered


@pytest.mark.parametrize(
    "format_", [format_ for format_ in FORMATS if format_.name != "json"], ids=lambda format_: format_.name
)
def test_every_format_names_speakers(format_: Any) -> None:
    """A name given for a speaker stands in every format but the raw one; the other keeps its number."""
    text = readable(format_, renderer(format_)(parse(DIALOGUE), RenderSettings(speaker_names={1: "Anna"})))
    assert "Anna" in text
    assert "Speaker 1" not in text


def test_formats_are_found_by_name_and_suffix() -> None:
    """`txt` and `TXT` mean text; the longest suffix counts; what is unknown lists what there is."""
    assert by_name("txt").name == by_name("TEXT").name == "text"
    assert by_suffix(Path("a.words.jsonl")).name == "words.jsonl"
    assert by_suffix(Path("a/B.HTM")).name == "html"
    with pytest.raises(UsageError) as caught:
        by_name("doc")
    assert "words.jsonl" in (caught.value.hint or "")
    with pytest.raises(UsageError):
        by_suffix(Path("talk.doc"))


def test_text_is_paragraphs() -> None:
    """Without speakers, the text; with them, a paragraph for each turn, opened by the name."""
    assert written("text", response("Hello there.")) == "Hello there.\n"
    assert written("text", DIALOGUE, NAMED) == "Anna: Hello there.\n\nBen: Hi. How are you?\n\nAnna: Fine.\n"
    assert written("text", EMPTY) == ""


def test_text_uses_the_paragraphs_of_the_api() -> None:
    """Where the API made paragraphs of all the words, these are the paragraphs."""
    said = response("One. Two. Three.")
    sentences = [{"text": "One."}, {"text": "Two."}]
    said["results"]["channels"][0]["alternatives"][0]["paragraphs"] = {
        "paragraphs": [
            {"sentences": sentences, "num_words": 2},
            {"sentences": [{"text": "Three."}], "num_words": 1},
        ]
    }
    assert written("text", said) == "One. Two.\n\nThree.\n"


def test_channels_take_turns_in_time() -> None:
    """Several channels are put in the order in which they speak, each with its name."""
    said = response("Hello. How may I help?", "x")
    words = said["results"]["channels"][1]["alternatives"][0]
    words["words"] = [
        {"word": "lost", "punctuated_word": "Lost!", "start": 9.0, "end": 9.5, "confidence": 1},
    ]
    assert written("text", said) == "Channel 0: Hello. How may I help?\n\nChannel 1: Lost!\n"
    assert "[Channel 1] Lost!" in written("srt", said)
    assert "<v Channel 1>Lost!" in written("vtt", said)
    assert "Anna: Hello." in written("text", said, NAMED)


def test_json_is_byte_for_byte() -> None:
    """The body comes back as it came, whatever its spaces, order and bytes."""
    body = b'{"results" :{"channels":[{"alternatives":[{"transcript":"\\u00e9\\ud800"}]}]},\r\n "x":1e400}\n'
    assert written("json", parse_body(body)).encode("utf-8", "surrogateescape") == body
    assert json.loads(written("json", DIALOGUE)) == DIALOGUE


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"{}", b'{"results": 1}', b"[" * 100_000])
def test_what_is_no_transcript_is_an_error(body: bytes) -> None:
    """No JSON, JSON of another kind, and JSON too deep are each an error that says so."""
    with pytest.raises(ApiError):
        parse_body(body)


def test_subrip_names_a_speaker_at_every_change() -> None:
    """A name stands in brackets where the speaker changes, and nowhere else."""
    text = written("srt", response("Well. | Yes. | No, I do not think so.", speakers=True, gap=1.2), NAMED)
    assert text.count("[Anna]") == 2
    assert text.count("[Ben]") == 1


def test_arrows_and_tags_cannot_break_captions() -> None:
    """An arrow in the text ends up in no caption file; what looks like a tag is text in each of them."""
    said = response("A --> B <b>bold</b> & 1<2 {\\an8}")
    srt, vtt = written("srt", said), written("vtt", said)
    assert srt.count("-->") == vtt.count("-->") == srt.count(",000 -->") + srt.count(",833 -->") == 1
    assert "‹b>bold‹/b>" in srt
    assert "&lt;b&gt;bold&lt;/b&gt;" in vtt
    assert "&amp; 1&lt;2" in vtt


def test_times_beyond_100_hours_are_written_in_full() -> None:
    """Hours take as many digits as they need in SRT and WebVTT."""
    said = response("Late.")
    said["results"]["channels"][0]["alternatives"][0]["words"][0].update(start=360_001.5, end=360_002.0)
    assert "100:00:01,500 --> 100:00:02,334" in written("srt", said)
    assert "100:00:01.500 --> 100:00:02.334" in written("vtt", said)


def test_webvtt_header_is_that_of_the_api_s_own_packages() -> None:
    """The note says where the transcript comes from; facts that are missing are left out."""
    assert written("vtt", response("Hi.")).startswith(
        "WEBVTT\n\nNOTE\nTranscription provided by Deepgram\nRequest Id: 0198-r\nDuration: 3.5\nChannels: 1\n\n"
    )
    bare = written("vtt", {"results": {"channels": []}})
    assert bare == "WEBVTT\n\nNOTE\nTranscription provided by Deepgram\n\n"


def test_karaoke_stamps_rise_within_the_cue() -> None:
    """Every word but the first has the time at which it begins."""
    text = written("vtt", response("One two three."), RenderSettings(karaoke=True))
    assert text.endswith("One <00:00:00.400>two <00:00:00.800>three.\n\n")


def test_shared_cues_tell_voices_apart() -> None:
    """Two who share a cue have a line and a voice each; a dash shows it."""
    said = response("Yes. | No. | Yes, of course I will do that for you.", speakers=True, gap=0.3)
    text = written("vtt", said)
    assert "<v Speaker 0>- Yes.</v>\n<v Speaker 1>- No.</v>" in text
    assert "- [Speaker 0] Yes.\n- [Speaker 1] No." in written("srt", said)


@pytest.mark.parametrize("name", ["ass", "ssa", "ttml"])
def test_pysubs2_formats_show_the_cues_of_subrip(name: str) -> None:
    """Times (to their precision) and lines are those of the SubRip file."""
    read = pysubs2.SSAFile.from_string(written(name, DIALOGUE), format_=name)
    expected = pysubs2.SSAFile.from_string(written("srt", DIALOGUE), format_="srt")
    assert [event.plaintext for event in read] == [event.plaintext for event in expected]
    for event, other in zip(read, expected, strict=True):
        assert abs(event.start - other.start) <= 5
        assert abs(event.end - other.end) <= 5


def test_ttml_is_well_formed_and_names_its_language() -> None:
    """The document parses, has the required language and identifies its style as TTML wants it."""
    root = ET.fromstring(written("ttml", response("Bonjour & <b>", language="fr")))
    assert root.tag == "{http://www.w3.org/ns/ttml}tt"
    namespace = "{http://www.w3.org/XML/1998/namespace}"
    assert root.get(f"{namespace}lang") == "fr"
    style = root.find(".//{http://www.w3.org/ns/ttml}style")
    assert style is not None
    assert style.get(f"{namespace}id") == "Default"


def test_substation_has_no_hour_ten() -> None:
    """A transcript that SubStation cannot hold is refused with another format, not cut off."""
    said = response("Late.")
    said["results"]["channels"][0]["alternatives"][0]["words"][0].update(start=36_000.0, end=36_001.0)
    with pytest.raises(OutputError) as caught:
        written("ass", said)
    assert "srt" in (caught.value.hint or "")


def test_substation_karaoke_adds_up() -> None:
    """The words' turns fill the cue; text that looks like an override is text."""
    (event,) = pysubs2.SSAFile.from_string(
        written("ass", response("One {\\b1}two."), RenderSettings(karaoke=True))
    )
    assert event.text == "{\\k40}One {\\k43}｛\\\u2060b1｝two."


def test_tables_hold_every_word() -> None:
    """CSV, TSV and JSON Lines have the same words, times and speakers, and a cell for what is missing."""
    said = response('He said "hi", | twice.', speakers=True)
    words = said["results"]["channels"][0]["alternatives"][0]["words"]
    del words[0]["start"]
    rows = list(csv.DictReader(StringIO(written("csv", said))))
    assert [row["punctuated_word"] for row in rows] == ["He", "said", '"hi",', "twice."]
    assert [row["speaker"] for row in rows] == ["0", "0", "0", "1"]
    assert rows[0]["start"] == ""
    lines = [line.split("\t") for line in written("tsv", said, NAMED).splitlines()]
    assert lines[0][:4] == ["start", "end", "channel", "speaker"]
    assert [line[3] for line in lines[1:]] == ["Anna", "Anna", "Anna", "Ben"]
    objects = [json.loads(line) for line in written("words.jsonl", said).splitlines()]
    assert "start" not in objects[0]
    assert objects[3] == {
        "start": 1.2, "end": 1.5, "channel": 0, "speaker": 1, "word": "twice.", "punctuated_word": "twice.",
        "confidence": 0.9,
    }  # fmt: skip


def test_markdown_escapes_and_links() -> None:
    """Paragraphs have speaker and time; text is no markup; a recording is linked at the moment."""
    said = response("# *Hello* [there](x). 1. | Hi.", speakers=True)
    said["results"]["summary"] = {"result": "success", "short": "They *greet*."}
    said["results"]["topics"] = {
        "segments": [{"start_word": 0, "end_word": 2, "topics": [{"topic": "Talk", "confidence_score": 1}]}]
    }
    text = written("md", said, RenderSettings(audio="a%20b.mp3"))
    assert "**Speaker 0** [00:00:00](<a%20b.mp3#t=0.00>)\\\n\\# \\*Hello\\* \\[there\\](x). 1.\n" in text
    assert "## Summary\n\nThey \\*greet\\*.\n" in text
    assert "## Topics\n\n- Talk [00:00:00](<a%20b.mp3#t=0.00>)\n" in text
    assert "**Ben** \\[00:00:01\\]" in written("md", said, NAMED)


def test_recordings_are_linked_from_where_the_page_is(tmp_path: Path) -> None:
    """A path becomes relative to the page and safe in an address; a URL stays."""
    folder = tmp_path / "pages"
    given = RenderSettings(audio=str(tmp_path / "a call#1.mp3"))
    assert given.beside(folder).audio == "../a%20call%231.mp3"
    assert (
        RenderSettings(audio="https://example.com/a?b#c").beside(folder).audio == "https://example.com/a?b#c"
    )
    assert RenderSettings().beside(folder).audio is None


def test_intelligence_is_read_in_both_published_shapes() -> None:
    """Topics nested once more, as the OpenAPI document has them, are found as well."""
    said = response("Hello there.")
    segment = {"start_word": 0, "end_word": 1, "topics": [{"topic": "Greeting", "confidence_score": 1}]}
    said["results"]["topics"] = {"results": {"topics": {"segments": [segment]}}}
    assert "- Greeting" in written("md", said)


@pytest.mark.parametrize("name", ["csv", "tsv"])
@pytest.mark.parametrize("mark", list("=+-@") + list("＝＋－＠"))
def test_tables_hold_nothing_that_a_spreadsheet_runs(name: str, mark: str) -> None:
    """Text that begins like a formula has an apostrophe before it, in every column; numbers stay numbers."""
    said = response(f"{mark}cmd|' /C calc'!A0 {mark} fine", speakers=True, language="en")
    words = said["results"]["channels"][0]["alternatives"][0]["words"]
    words[0].update(start=-0.5, language=f"{mark}1+1")
    table = written(name, said, RenderSettings(speaker_names={0: f"{mark}Anna"}))
    rows = list(csv.reader(StringIO(table), delimiter="\t" if name == "tsv" else ","))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith((*"=+@\t\r＝＋－＠", "-")) and cell != "-0.5"]
    assert rows[1][0] == "-0.5"
    assert rows[1][3] == f"'{mark}Anna"
    assert [row[5] for row in rows[1:]][-1] == "fine"
    assert f'"{mark}cmd' in written("words.jsonl", said)


_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_no_format_lets_text_change_its_direction(format_: Any) -> None:
    """No control of direction (Unicode's Bidi_Control) is left in any text but the response itself, byte for byte."""
    said = response(f"invoice{_BIDI}gpj.exe | {_BIDI}", speakers=True, language=f"e{_BIDI}n")
    results = said["results"]
    results["summary"] = {"result": "success", "short": f"A{_BIDI}B"}
    results["channels"][0]["search"] = [
        {"query": f"a{_BIDI}", "hits": [{"start": 0, "end": 1, "confidence": 1, "snippet": f"b{_BIDI}"}]}
    ]
    results["channels"][0]["alternatives"][0]["entities"] = [
        {"label": f"A{_BIDI}", "value": f"v{_BIDI}", "confidence": 1, "start_word": 0, "end_word": 1}
    ]
    body = json.dumps(said, ensure_ascii=False).encode()
    names = RenderSettings(speaker_names={0: f"An{_BIDI}na"}, sections=["all"])
    text = readable(format_, renderer(format_)(parse_body(body), names))
    if format_.name == "json":
        assert text.encode() == body
    else:
        assert "invoicegpj.exe" in text
        assert not set(text) & set(_BIDI)


def test_a_language_cannot_break_a_caption_file() -> None:
    """What stands where a language should is no markup of a TTML document."""
    text = written("ttml", response("Hello.", language='en"><evil a="'))
    assert ET.fromstring(text).get("{http://www.w3.org/XML/1998/namespace}lang") == ""


def test_a_corrected_response_has_its_names_and_keeps_its_speakers() -> None:
    """Names of `corrections` are in every format, --speaker goes before them, and speakers are not smoothed unasked."""
    said = "we can open it. yes do that now".split()
    words = [
        {"word": text, "start": float(at), "end": at + 1.0, "confidence": 1.0, "speaker": int(at >= 2)}
        for at, text in enumerate(said)
    ]
    came: dict[str, Any] = {"results": {"channels": [{"alternatives": [{"words": words}]}]}}
    names = {"0": "Anna", "1": "Ben", "x": "y", "2": 3, "-1": "no", "9" * 20: "no"}
    corrected = {**came, "corrections": {"speaker_names": names}}
    text = renderer(by_name("text"))
    smoothed = text(parse_body(json.dumps(came).encode()), RenderSettings())
    kept = text(parse_body(json.dumps(corrected).encode()), RenderSettings())
    assert kept == "Anna: we can\n\nBen: open it. yes do that now\n"
    assert smoothed.startswith("Speaker 0: we can open it.")
    asked = RenderSettings(smooth_speakers=True, speaker_names={1: "Bea"})
    assert "Bea: yes do that now" in text(parse_body(json.dumps(corrected).encode()), asked)
    half = {**came, "corrections": {"speaker_names": {"0": "\ud800 Anna"}}}  # JSON can name half a character
    assert text(parse_body(json.dumps(half).encode()), RenderSettings()).encode().startswith(b"? Anna: we")
    for broken in (None, 1, [], {}, {"speaker_names": 5}, {"speaker_names": {"0": ["a"]}}):
        spoilt = parse_body(json.dumps({**came, "corrections": broken}).encode())
        assert "Speaker 0: we can" in text(spoilt, RenderSettings())
