"""SCC and EBU-TT-D, as programs of others read them: ttconv, which did not write them, and XML itself."""

import builtins
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import ttconv.imsc.reader
import ttconv.scc.reader
import ttconv.srt.writer

from dgcli.errors import UsageError
from dgcli.formats import RenderSettings, by_name, render_settings, renderer
from dgcli.transcript.response import parse
from docs.html_page import conversation
from tests.conftest import SHARED

TT = "{http://www.w3.org/ns/ttml}"
TTS = "{http://www.w3.org/ns/ttml#styling}"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
CUE = re.compile(r"(\d+):(\d+):(\d+)[,.](\d+) --> (\d+):(\d+):(\d+)[,.](\d+)\n((?:.+\n?)+)")
RESPONSES = sorted((SHARED / "responses").glob("*.json"))


def rendered(name: str, response: dict[str, Any], settings: RenderSettings | None = None) -> str:
    """A response in a format."""
    return renderer(by_name(name))(parse(response), settings or RenderSettings())


def cues(srt: str) -> list[tuple[float, float, str]]:
    """Begin, end and text of the cues of a SubRip text."""
    read = []
    for match in CUE.finditer(srt):
        numbers = [int(text) for text in match.groups()[:8]]
        begin, end = (h * 3600 + m * 60 + s + ms / 1000 for h, m, s, ms in (numbers[:4], numbers[4:]))
        read.append((begin, end, " ".join(match[9].split())))
    return read


def read_scc(text: str) -> list[tuple[float, float, str]]:
    """The cues of an SCC file, as ttconv's decoder of CEA-608 shows them."""
    return cues(ttconv.srt.writer.from_model(ttconv.scc.reader.to_model(text)))


def spoken(response: dict[str, Any], **words: Any) -> dict[str, Any]:
    """The conversation with every word replaced."""
    for word in response["results"]["channels"][0]["alternatives"][0]["words"]:
        word.update(words)
    return response


def response_of(text: str) -> dict[str, Any]:
    """A response in which this is said, half a second a word."""
    words = [
        {"word": word, "punctuated_word": word, "start": number / 2, "end": number / 2 + 0.4, "confidence": 1}
        for number, word in enumerate(text.split())
    ]
    return {"results": {"channels": [{"alternatives": [{"transcript": text, "words": words}]}]}}


def test_scc_shows_the_cues_of_srt() -> None:
    """A decoder shows the cues that SRT has with 32 characters a line, when it has; the first cannot load before 0."""
    own = render_settings(max_chars=32, fps=29.97, min_gap=0.0)
    wanted = cues(rendered("srt", conversation(), own))
    shown = read_scc(rendered("scc", conversation()))
    assert [text for _, _, text in shown] == [text for _, _, text in wanted]
    assert max(abs(a[0] - b[0]) for a, b in zip(shown[1:], wanted[1:], strict=True)) < 0.15


@pytest.mark.parametrize("path", RESPONSES, ids=lambda path: path.stem)
def test_scc_of_real_responses_keeps_the_limits(path: Path) -> None:
    """Of each real response every word is shown, on at most four rows of 32 columns, and cues are in order."""
    response = json.loads(path.read_bytes())
    shown = ttconv.srt.writer.from_model(ttconv.scc.reader.to_model(rendered("scc", response)))
    own = rendered("srt", response, render_settings(max_chars=32, fps=29.97, min_gap=0.0))
    rows = [block.strip().split("\n")[2:] for block in shown.strip().split("\n\n") if block.strip()]
    assert all(len(lines) <= 4 and all(len(line) <= 32 for line in lines) for lines in rows)
    plain = [re.sub(r"\W+", "", text) for _, _, text in cues(shown)]
    assert "".join(plain) == "".join(re.sub(r"\W+", "", text) for _, _, text in cues(own))
    begins = [begin for begin, _, _ in cues(shown)]
    assert begins == sorted(begins)


def test_scc_spells_what_it_lacks() -> None:
    """Accents of Western Europe stay, other marks are left out, and typographic signs become plain ones."""
    shown = read_scc(rendered("scc", response_of("Señor Çelik über Škoda – naïve… “quoted” №")))
    text = " ".join(text for _, _, text in shown)
    for word in ("Señor", "Çelik", "über", "Skoda", "naïve...", "-"):
        assert word in text


def test_scc_refuses_letters_that_it_has_not() -> None:
    """Hebrew cannot be said in CEA-608: that is an error which names the formats that can, and no broken file."""
    with pytest.raises(UsageError, match="SCC has no character for 'ש'") as caught:
        rendered("scc", response_of("שלום"))
    assert "ttml or ebuttd" in (caught.value.hint or "")


def test_scc_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pycaption is missing the command that adds it is named."""
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pycaption"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match="need pycaption") as caught:
        rendered("scc", conversation())
    assert "broadcast" in (caught.value.hint or "")


def test_nothing_said_is_a_valid_file() -> None:
    """Without words SCC has its header, and EBU-TT-D no paragraph."""
    assert rendered("scc", response_of("")).strip() == "Scenarist_SCC V1.0"
    assert not list(ET.fromstring(rendered("ebuttd", response_of(""))).iter(f"{TT}p"))


@pytest.mark.parametrize("style", [None, "colour", "dash"])
def test_ebuttd_shows_the_cues_of_srt(style: str | None) -> None:
    """Another program reads the cues of SRT out of EBU-TT-D, with their times."""
    settings = render_settings(speaker_style=style)
    text = rendered("ebuttd", conversation(), settings)
    model = ttconv.imsc.reader.to_model(ET.ElementTree(ET.fromstring(text)))
    shown = [
        (begin, end, re.sub("<[^>]*>", "", said))
        for begin, end, said in cues(ttconv.srt.writer.from_model(model))
    ]
    wanted = [
        (begin, end, re.sub("<[^>]*>", "", said))
        for begin, end, said in cues(rendered("srt", conversation(), settings))
    ]
    assert shown == wanted


def test_ebuttd_keeps_to_its_standard() -> None:
    """What EBU Tech 3380 demands: media time, styles by reference that exist, no attribute of tts on content."""
    root = ET.fromstring(rendered("ebuttd", conversation(), render_settings(speaker_style="colour")))
    assert root.get("{http://www.w3.org/ns/ttml#parameter}timeBase") == "media"
    known = {element.get(XML_ID) for element in root.iter() if element.get(XML_ID)}
    ids = [element.get(XML_ID) for element in root.iter() if element.get(XML_ID)]
    assert len(ids) == len(set(ids))
    for element in root.find(f"{TT}body").iter():  # type: ignore[union-attr]
        assert not [name for name in element.attrib if name.startswith(TTS)]
        assert set((element.get("style") or "").split()) <= known
        assert element.get("region") in (None, "bottom")
        assert element.tag in {TT + name for name in ("body", "div", "p", "span", "br")}
    lengths = [
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if name in (f"{TTS}fontSize", f"{TTS}lineHeight")
    ]
    assert lengths
    assert all(value.endswith("%") for value in lengths)
    assert root.find(".//{urn:ebu:tt:metadata}conformsToStandard").text == "urn:ebu:tt:distribution:2018-04"  # type: ignore[union-attr]


def test_ebuttd_says_its_direction() -> None:
    """Hebrew refers to the style that sets it from the right."""
    root = ET.fromstring(rendered("ebuttd", response_of("שלום עולם")))
    assert [element.get("style") for element in root.iter(f"{TT}p")] == ["block rtl"]
