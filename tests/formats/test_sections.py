"""The analyses, in plain text, Markdown and HTML."""

import re
import sys
from typing import Any

import pytest

from dgcli.captions.text import width
from dgcli.errors import UsageError
from dgcli.formats import SECTIONS, RenderSettings, by_name, renderer
from dgcli.formats.insights import present
from dgcli.transcript.response import parse, parse_body
from tests.formats.analyses import BODY, response

CALL = parse_body(BODY)
_ESCAPES = re.compile(r"\x1b\[\d*m")


def text_of(sections: tuple[str, ...] = ("all",), **more: Any) -> str:
    """The call as plain text with sections."""
    return renderer(by_name("text"))(CALL, RenderSettings(sections=sections, **more))


def test_plain_text_has_the_sections_that_are_asked_for() -> None:
    """Each section stands after the words, in one order whatever the order of the flags; without them, words only."""
    words = text_of(())
    assert "Summary" not in words
    whole = text_of()
    assert whole.startswith(words)
    titles = [line for line in whole.removeprefix(words).splitlines() if line and not line.startswith(" ")]
    assert titles == ["Summary", "Topics", "Intents", "Entities", "Sentiment", "Search hits", "Language"]
    assert text_of(("topics", "summary")) == text_of(("Summary", " topics"))
    assert "Entities" not in text_of(("topics",))


def test_sections_tell_times_and_how_sure_the_api_is() -> None:
    """Topics, intents and entities have every time at which they come up, hits their time, confidence and snippet."""
    text = text_of()
    assert "\n  Refund of a purchase 92% 0:00 1:20\n  Headphones 50% 1:20\n" in text
    assert "\n  Get money back 66% 0:04\n" in text
    assert "\n  NAME Maria Lopez 93% 0:03 0:10\n  PRODUCT headphones 80% 0:07\n" in text
    assert "\n  0:05 refund 93% “I would like a refund for my headphones”\n" in text
    assert "\n  invoice is not said.\n" in text
    assert "\nLanguage\n  en 97%\n" in text


def test_sentiment_is_a_line_over_time() -> None:
    """The line rises from the lowest level to the highest, as the scores of the call do, between its times."""
    average, line = text_of(("sentiment",)).split("Sentiment\n")[1].splitlines()
    assert average == "  positive +0.42 on the whole"
    match = re.fullmatch(r"  0:00 ([▁▂▃▄▅▆▇█]{60}) 5:24", line)
    assert match
    assert list(match[1]) == sorted(match[1])
    assert match[1][0] == "▁"
    assert match[1][-1] == "█"


@pytest.mark.parametrize("columns", [80, 40, 20])
@pytest.mark.parametrize("colour", [False, True])
def test_sections_fit_the_window(columns: int, colour: bool) -> None:
    """No line of a section is wider than the terminal, and no word is lost by wrapping."""
    wide, narrow = text_of(), text_of(width=columns, colour=colour)
    assert ("\x1b[" in narrow) is colour
    narrow = _ESCAPES.sub("", narrow)
    lines = narrow[narrow.index("Summary") :].splitlines()
    assert max(map(width, lines)) < max(columns, 24)
    without_curve = [re.sub(r"0:00 [▁-█·]+ 5:24", "", text) for text in (wide, narrow)]
    assert without_curve[0].replace("\n", " ").split() == without_curve[1].replace("\n", " ").split()


def test_every_section_is_known_from_the_response() -> None:
    """What a response has is told in the names of --with; one without analyses has none."""
    assert present(CALL) == SECTIONS
    assert present(parse({"results": {"channels": []}})) == ()
    with pytest.raises(UsageError, match="topicz"):
        RenderSettings(sections=["topicz"])


@pytest.mark.parametrize("hostile", [sys.maxsize, -1, None, "x", [], {}, float("nan"), 1e308, True])
def test_analyses_of_any_shape_are_no_error(hostile: object) -> None:
    """A number, a list or nothing in the place of anything else in the analyses leaves that out, at most."""

    def spoilt(value: object, depth: int) -> object:
        if depth == 0 or not isinstance(value, dict | list):
            return hostile
        if isinstance(value, dict):
            return {key: spoilt(item, depth - 1) for key, item in value.items()}
        return [spoilt(item, depth - 1) for item in value]

    for depth in range(9):
        results = spoilt(response()["results"], depth)
        if not isinstance(results, dict) or not isinstance(results.get("channels"), list):
            continue
        results["channels"].append(
            {"alternatives": [{"transcript": "Hi."}]}
        )  # or it would be no answer at all
        transcript = parse({"results": results})
        for name in ("text", "md", "html"):
            renderer(by_name(name))(transcript, RenderSettings(sections=["all"], width=40))


def test_markdown_has_every_analysis_with_links() -> None:
    """Topics, intents, entities and hits link to the moment in the recording where that is given."""
    text = renderer(by_name("md"))(CALL, RenderSettings(audio="call.mp3"))
    assert "- Language: en (97%)\n" in text
    assert "- Headphones [00:01:20](<call.mp3#t=80.50>)\n" in text
    assert (
        "## Entities\n\n- NAME: Maria Lopez [00:00:03](<call.mp3#t=3.70>) [00:00:10](<call.mp3#t=10.90>)\n"
        in text
    )
    assert "- refund [00:00:05](<call.mp3#t=5.70>) (93%): I would like a refund for my headphones\n" in text
    assert "- Headphones \\[00:01:20\\]\n" in renderer(by_name("md"))(CALL, RenderSettings())


def test_the_page_has_every_analysis_with_links() -> None:
    """Times of topics, entities and hits are links to paragraphs that are there, and tell the script where to play."""
    page = renderer(by_name("html"))(CALL, RenderSettings())
    assert "language en (97%)" in page
    assert '<span class="kind">NAME</span> Maria Lopez' in page
    assert "<q>I would like a refund for my headphones</q>" in page
    about = page[page.index("<h2>Topics") : page.index("<main")]
    links = re.findall(r'<a class="at" href="#([^"]+)" data-s="([\d.]+)">', about)
    assert len(links) == 9
    for anchor, seconds in links:
        assert f'id="{anchor}"' in page
        assert float(anchor[1:].split("-")[0]) <= max(float(seconds), 0.5)
