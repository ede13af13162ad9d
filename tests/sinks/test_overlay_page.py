"""The overlay in a real browser."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dgcli.formats import RenderSettings
from dgcli.sinks.overlay import OverlaySink
from dgcli.sinks.overlay.server import OverlayServer
from dgcli.transcript.events import Closed, Notice, NoticeKind, Opened, Turn, TurnStage
from tests.formats.browser import CHROMIUM, DRIVER, MISSING, Browser, browser
from tests.sinks.conftest import final, interim

pytestmark = [pytest.mark.system, pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with browser() as session:
        session.resize(1280, 720)
        yield session


@pytest.fixture
def overlay() -> Iterator[OverlaySink]:
    """A sink with a server, which begin anew with each test."""
    made = begin()
    yield made
    made.close()


def begin(port: int = 0) -> OverlaySink:
    """Begin a stream with an overlay."""
    sink = OverlaySink(OverlayServer("127.0.0.1", port), RenderSettings())
    sink.handle(Opened("", 1, 0.0))
    return sink


def open_page(chromium: Browser, sink: OverlaySink, query: str = "") -> str:
    """Load the page; returns its address."""
    url: str = sink._server.url
    chromium.log("browser")
    chromium.visit(url + query)
    return url


def text_of(chromium: Browser) -> list[str]:
    """The paragraphs on the page."""
    return list(chromium.run("return [...document.querySelectorAll('p')].map(p => p.textContent)"))


def style(chromium: Browser, selector: str, name: str) -> str:
    """A computed style."""
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    return str(chromium.run(script, selector, name))


SIGN = "return !document.getElementById('sign').hidden"
DOTS = "return getComputedStyle(document.querySelector('.interim'), '::after').content"
OPACITY = "return getComputedStyle(document.getElementById('captions')).opacity"


def test_text_is_data(chromium: Browser, overlay: OverlaySink) -> None:
    """Markup in what is said is shown as it is, nothing of it runs, and the console stays empty."""
    said = "<img src=x onerror=document.title='run'> &amp; <script>document.title='run'</script>"
    open_page(chromium, overlay)
    overlay.handle(final(said))
    overlay.handle(interim("<b>bold</b>", 4.0))
    chromium.wait(lambda: text_of(chromium) == [f"{said} <b>bold</b>"])
    assert chromium.run("return document.querySelectorAll('#captions :not(p, span, bdi)').length") == 0
    assert chromium.run("return document.title") == "Live captions"
    assert chromium.log("browser") == []


def test_rows_roll_up(chromium: Browser, overlay: OverlaySink) -> None:
    """As many rows as asked for are visible; the newest words are in the last of them."""
    open_page(chromium, overlay, "?lines=3&size=40")
    for number in range(12):
        overlay.handle(final(f"This is sentence number {number} of what is said.", number * 10.0))
    chromium.wait(lambda: len(text_of(chromium)) == 12)
    top, bottom, last_bottom = chromium.run(
        "const box = captions.getBoundingClientRect();"
        "return [box.top, box.bottom, captions.lastChild.getBoundingClientRect().bottom]"
    )
    assert bottom - top == pytest.approx(3 * 40 * 1.36, abs=1)
    assert last_bottom == pytest.approx(bottom, abs=1)


def test_a_reload_and_a_drop_lose_nothing(chromium: Browser, overlay: OverlaySink) -> None:
    """A reloaded page shows the same lines; a dropped API socket leaves them and shows a sign until it is back."""
    url = open_page(chromium, overlay)
    overlay.handle(final("Before the drop."))
    chromium.wait(lambda: text_of(chromium) == ["Before the drop."])
    chromium.visit(url)
    chromium.wait(lambda: text_of(chromium) == ["Before the drop."])
    overlay.handle(Notice(NoticeKind.DROPPED, "The connection dropped."))
    chromium.wait(lambda: chromium.run(SIGN))
    assert text_of(chromium) == ["Before the drop."]
    overlay.handle(Notice(NoticeKind.RECONNECTED, "Reconnected."))
    chromium.wait(lambda: not chromium.run(SIGN))


def test_the_end_is_quiet_and_a_new_start_is_found(chromium: Browser) -> None:
    """After the end the last lines stay, without a sign; when dg runs again on the port, its lines replace them."""
    first = begin()
    url = open_page(chromium, first)
    first.handle(final("The last words."))
    chromium.wait(lambda: text_of(chromium) == ["The last words."])
    first.handle(Closed(2.0, 1))
    first.close()
    chromium.run("window.stayed = true")
    assert text_of(chromium) == ["The last words."]
    assert not chromium.run(SIGN)
    second = begin(int(url.rsplit(":", 1)[1].strip("/")))
    try:
        second.handle(final("The first words."))
        chromium.wait(lambda: text_of(chromium) == ["The first words."])
        assert chromium.run("return window.stayed")  # nobody reloaded the page
    finally:
        second.close()


def test_the_address_decides_on_the_style(chromium: Browser, overlay: OverlaySink) -> None:
    """Each parameter is applied; the page itself stays transparent unless told otherwise."""
    overlay.handle(final("Hello there.", speaker=1))
    open_page(
        chromium, overlay,
        "?font=Noto+Serif&size=5vh&weight=300&color=ff0&box=00f8&lines=4&width=50&align=center&uppercase=1"
        "&speakers=both&position=top&margin=10px",
    )  # fmt: skip
    chromium.wait(lambda: text_of(chromium) == ["Speaker 1: Hello there."])
    captions = "#captions"
    assert style(chromium, captions, "fontFamily") == '"Noto Serif", sans-serif'
    assert style(chromium, captions, "fontSize") == "36px"
    assert style(chromium, captions, "fontWeight") == "300"
    assert style(chromium, captions, "color") == "rgb(255, 255, 0)"
    assert style(chromium, captions, "textAlign") == "center"
    assert style(chromium, captions, "textTransform") == "uppercase"
    assert style(chromium, captions, "width") == "640px"
    assert chromium.run("return captions.getBoundingClientRect().top") == 10
    assert style(chromium, "#captions p > span", "backgroundColor") == "rgba(0, 0, 255, 0.533)"
    assert style(chromium, "html", "backgroundColor") == style(chromium, "body", "backgroundColor")
    assert style(chromium, "body", "backgroundColor") == "rgba(0, 0, 0, 0)"
    open_page(chromium, overlay, "?background=102030&speakers=off")
    assert style(chromium, "body", "backgroundColor") == "rgb(16, 32, 48)"
    chromium.wait(lambda: text_of(chromium) != [])
    assert style(chromium, ".who", "display") == "none"


@pytest.mark.parametrize(
    "query",
    [
        "size=0", "size=1e9", "size=40px;color:red", "size=900vw", "color=red;background:url(//evil.example)",
        "color=url(x)", "color=zzz", "font=x%22;}*{display:none}", "font=%3Cscript%3E", "lines=0", "lines=1.5",
        "align=justify", "align=constructor", "uppercase=yes", "hide=-1", "nothing=1", "__proto__=1", "width=101",
    ],
)  # fmt: skip
def test_an_invalid_parameter_changes_nothing(chromium: Browser, overlay: OverlaySink, query: str) -> None:
    """It is named in the console and has no effect: what the page is styled by stays as it was."""
    open_page(chromium, overlay, "?" + query)
    logged = chromium.log("browser")
    assert [entry["level"] for entry in logged] == ["WARNING"]
    assert "Invalid value" in logged[0]["message"] or "Unknown parameter" in logged[0]["message"]
    assert chromium.run(
        "return [document.documentElement.style.cssText, document.documentElement.className]"
    ) == ["", ""]


def test_lines_go_after_a_silence(chromium: Browser, overlay: OverlaySink) -> None:
    """With `hide`, lines fade; a reload does not bring them back, and the next words come alone."""
    overlay.handle(final("Long ago."))
    said = time.monotonic()
    url = open_page(chromium, overlay, "?hide=1")
    chromium.wait(lambda: chromium.run(OPACITY) == "0")
    assert time.monotonic() - said > 0.9
    chromium.visit(url + "?hide=1")
    chromium.wait(lambda: text_of(chromium) == ["Long ago."])
    assert chromium.run(OPACITY) == "0"
    overlay.handle(interim("now", 30.0))
    chromium.wait(lambda: text_of(chromium) == ["now"])


def test_hebrew_stands_on_the_right(chromium: Browser, overlay: OverlaySink) -> None:
    """The words decide on the direction, not the Latin label before them."""
    open_page(chromium, overlay)
    overlay.handle(final("שלום לכולם", speaker=0))
    chromium.wait(lambda: len(text_of(chromium)) == 1)
    assert style(chromium, "#captions p", "direction") == "rtl"
    sides = (
        "return ['p > span', '#captions'].map(s => document.querySelector(s).getBoundingClientRect().right)"
    )
    box, whole = chromium.run(sides)
    assert box == pytest.approx(whole, abs=1)


def test_an_open_turn_has_dots(chromium: Browser, overlay: OverlaySink) -> None:
    """A Flux turn that goes on has dots behind it; one that is probably over has none until its speaker goes on."""
    open_page(chromium, overlay)
    for stage, dots in (
        (TurnStage.UPDATE, '" …"'),
        (TurnStage.EAGER_END, "none"),
        (TurnStage.RESUMED, '" …"'),
    ):
        overlay.handle(replace(interim("call maria"), turn=Turn(0, stage)))
        chromium.wait(lambda dots=dots: chromium.run(DOTS) == dots)  # type: ignore[misc]
    overlay.handle(replace(final("Call Maria."), turn=Turn(0, TurnStage.END)))
    chromium.wait(lambda: text_of(chromium) == ["Call Maria."])
    assert chromium.run("return document.querySelector('.turn')") is None
