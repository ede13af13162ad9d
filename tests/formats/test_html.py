"""The page: what is in it, and what it does in a real browser."""

import re
import wave
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.formats.cues import cues_of
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import parse
from tests.formats.browser import CHROMIUM, DRIVER, MISSING, Browser, browser

NASTY = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING)


def word(text: str, start: float, speaker: int, confidence: float = 0.99) -> dict[str, Any]:
    """A word of half a second."""
    return {
        "word": text.lower(),
        "punctuated_word": text,
        "start": start,
        "end": start + 0.5,
        "confidence": confidence,
        "speaker": speaker,
    }


def transcript() -> Transcript:
    """Two speakers in 20 s, with everything that the API may understand of them."""
    said = "Good morning. Is this the harbour office? Yes, it is. How can I help you today, sir?".split()
    words = [word(text, at, int(at >= 7), 0.4 if text == "harbour" else 0.99) for at, text in enumerate(said)]
    words.append(word(NASTY, 18.0, 1))
    segment = {"text": "Good morning.", "start_word": 0, "end_word": 6}
    return parse(
        {
            "metadata": {"request_id": "0198-page", "duration": 20.0, "created": "2026-01-02T03:04:05Z"},
            "results": {
                "channels": [
                    {
                        "alternatives": [{"transcript": " ".join(said), "confidence": 1, "words": words}],
                        "search": [{"query": "harbour", "hits": [{"confidence": 0.9, "start": 5, "end": 6}]}],
                    }
                ],
                "summary": {"result": "success", "short": f"A call. {NASTY}"},
                "topics": {
                    "segments": [{**segment, "topics": [{"topic": "Harbours <b>", "confidence_score": 0.9}]}]
                },
                "sentiments": {
                    "segments": [{**segment, "sentiment": "positive", "sentiment_score": 0.6}],
                    "average": {"sentiment": "positive", "sentiment_score": 0.5},
                },
            },
        }
    )


def page(options: RenderSettings | None = None) -> str:
    """The page of that transcript."""
    return renderer(by_name("html"))(transcript(), options or RenderSettings())


class Seen(HTMLParser):
    """The tags and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.kinds: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.kinds.append(dict(attrs).get("type") or "")
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_nothing_is_loaded_from_elsewhere() -> None:
    """The page has no address but its own anchors, and its style and script name none either."""
    text = page()
    seen = Seen()
    seen.feed(text)
    assert all(link.startswith("#") for link in seen.links)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_what_was_said_is_never_markup() -> None:
    """Words, summary and topics that look like HTML come out as text; the scripts are the page's own."""
    seen = Seen()
    seen.feed(page(RenderSettings(speaker_names={0: "<u>Anna</u>"})))
    assert seen.tags.count("script") == 2  # its data, and what it does
    assert seen.kinds == ["application/json", ""]
    assert not {"img", "u", "b"} & set(seen.tags)


def test_timeline_shows_what_the_response_has() -> None:
    """Each speaker, sentiment, topics and search hits have lanes; a response without them has only speech."""
    lane = r'class="lane"><span[^>]*>([^<]+)'
    assert re.findall(lane, page()) == ["Speaker 0", "Speaker 1", "Sentiment", "Topics", "Search hits"]
    plain = parse(
        {"results": {"channels": [{"alternatives": [{"words": [{"word": "hi", "start": 0, "end": 1}]}]}]}}
    )
    assert re.findall(lane, renderer(by_name("html"))(plain, RenderSettings())) == ["Speech"]


def test_empty_transcript_is_a_page() -> None:
    """A response in which nothing is said gives a page that says so."""
    empty = parse({"results": {"channels": [{"alternatives": [{"words": []}]}]}})
    assert "Nothing was said." in renderer(by_name("html"))(empty, RenderSettings())


@pytest.mark.parametrize(
    ("options", "title"),
    [
        (RenderSettings(), "Transcript"),
        (RenderSettings().named_after("calls/berth.json"), "berth"),
        (RenderSettings().named_after("https://example.com/a%20b.mp3?x=1"), "a b"),
        (RenderSettings(audio="../my%20call.v2.mp3").named_after("x.json"), "my call.v2"),
        (RenderSettings(title="A <talk>", audio="x.mp3"), "A &lt;talk&gt;"),
    ],
)
def test_title_comes_from_the_user_or_the_file(options: RenderSettings, title: str) -> None:
    """--title, else the name of the recording, else that of the response; the date is written for people."""
    text = page(options)
    assert f"<title>{title}</title>" in text
    assert f'<h1 dir="auto">{title}</h1>' in text
    assert '<time datetime="2026-01-02T03:04:05Z">2 January 2026, 03:04 UTC</time> · 0:20' in text
    assert text.index("<details") < text.index("0198-page</dd>")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page beside 20 s of silence, to which it is linked."""
    folder = tmp_path_factory.mktemp("page")
    with wave.open(str(folder / "a call#1.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 160_000)
    options = RenderSettings(audio=str(folder / "a call#1.wav")).beside(folder)
    target = folder / "call.html"
    target.write_text(page(options), "utf-8")
    return target


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests that let JavaScript run."""
    with browser() as session:
        yield session


@pytest.fixture
def shown(chromium: Browser, saved: Path) -> Browser:
    """The browser, with the page freshly loaded, a window of the usual size and nothing remembered."""
    chromium.resize(1100, 900)
    chromium.prefer("light")
    chromium.open(saved)
    chromium.run("try { localStorage.clear() } catch {}")
    chromium.log("performance")
    chromium.log("browser")
    chromium.open(saved)
    return chromium


NOW = "return document.querySelector('.now')?.textContent"


@pytest.mark.system
@needs_browser
def test_page_asks_for_nothing_but_the_recording(shown: Browser, saved: Path) -> None:
    """Loaded from disk, the page reads itself and its recording, and the console stays empty."""
    shown.wait(lambda: shown.run("return document.querySelector('audio').readyState > 0"))
    asked = [url for url in shown.requests() if not url.startswith("data:")]  # the player's own icons
    assert {url.rsplit("/", 1)[1] for url in asked} == {"call.html", "a%20call%231.wav"}
    assert all(url.startswith("file:") for url in asked)
    assert [entry for entry in shown.log("browser") if entry["level"] == "SEVERE"] == []
    assert shown.run("return document.title") == "a call#1"


@pytest.mark.system
@needs_browser
def test_click_on_a_word_jumps_there(shown: Browser) -> None:
    """A click on a word moves the recording to it, plays on, and marks the word."""
    shown.wait(lambda: shown.run("return document.querySelector('audio').readyState > 0"))
    shown.click(".w[data-s='10.000']")
    shown.wait(lambda: shown.run("return document.querySelector('audio').currentTime") >= 10)
    assert shown.run(NOW) in ("it", "is.", "How")
    assert shown.run("return document.querySelector('audio').paused") is False


@pytest.mark.system
@needs_browser
def test_words_are_marked_as_the_recording_plays(shown: Browser) -> None:
    """While it plays, the mark moves from word to word without anybody's help."""
    shown.wait(lambda: shown.run("return document.querySelector('audio').readyState > 0"))
    shown.click(".w[data-s='3.000']")
    seen = set()
    shown.wait(lambda: seen.add(shown.run(NOW)) or len(seen - {None}) >= 3)
    assert len(shown.run("return Array.from(document.querySelectorAll('.now'))")) == 1


@pytest.mark.system
@needs_browser
def test_speakers_are_renamed_in_the_page(shown: Browser, saved: Path) -> None:
    """A name typed for a speaker stands in front of what they say, as text, and is there after reloading."""
    shown.type("#names input[data-v='0']", "Anna <i>")
    assert shown.text(".v0 .who") == "Anna <i>"
    assert shown.text(".v1 .who") == "Speaker 1"
    assert shown.text(".lane .v0") == "Anna <i>"
    shown.open(saved)
    assert shown.text(".v0 .who") == "Anna <i>"


@pytest.mark.system
@needs_browser
def test_search_marks_words_and_phrases(shown: Browser) -> None:
    """A phrase is found across words and whatever its case; Enter goes from one to the next."""
    shown.type("#search", "HARBOUR office")
    marked = "return Array.from(document.querySelectorAll('.hit')).map((one) => one.textContent)"
    assert shown.run(marked) == ["harbour", "office?"]
    assert shown.text("#hits") == "1 hit"
    shown.type("#search", "\ue007")
    assert shown.text("#hits") == "1 of 1"


@pytest.mark.system
@needs_browser
def test_transcript_is_read_and_played_from_the_keyboard(shown: Browser) -> None:
    """Arrows go from word to word, Space plays and pauses; the times of paragraphs are links to jump with."""
    shown.wait(lambda: shown.run("return document.querySelector('audio').readyState > 0"))
    at = "return document.querySelector('audio').currentTime"
    shown.type("main", "\ue014\ue014\ue014")  # right
    assert (shown.run(NOW), shown.run(at)) == ("Is", 2.0)
    shown.type("main", "\ue012")  # left
    assert (shown.run(NOW), shown.run(at)) == ("morning.", 1.0)
    shown.type("main", " ")
    shown.wait(lambda: shown.run(at) > 1)
    shown.type("main", " ")
    assert shown.run("return document.querySelector('audio').paused") is True
    shown.type("main .at[data-s='7.000']", "\ue007")
    shown.wait(lambda: shown.run(at) >= 7)
    assert shown.run("return document.activeElement.className") == "at"


@pytest.mark.system
@needs_browser
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 900)])
def test_bar_leaves_room_for_the_text(shown: Browser, saved: Path, width: int, height: int) -> None:
    """On a phone too most of the window shows text, nothing is wider than it, and a jump ends below the bar."""
    shown.resize(width, height)
    shown.open(saved)
    assert shown.run("return document.documentElement.scrollWidth <= innerWidth")
    assert shown.run("return document.querySelector('.bar').offsetHeight / innerHeight") < 0.4
    shown.run("document.querySelector('main').style.paddingBottom = '2000px'")
    shown.run("location.hash = document.querySelectorAll('main .at')[1].id")
    target = "document.querySelectorAll('main .at')[1].getBoundingClientRect().top"
    bar = "document.querySelector('.bar').getBoundingClientRect().bottom"
    shown.wait(lambda: shown.run("return scrollY > 0"))
    assert shown.run(f"return {target} >= {bar}")


@pytest.mark.system
@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(shown: Browser, saved: Path, scheme: str) -> None:
    """Names of speakers and times stand out from the page by 4.5 to 1 in both colour schemes (WCAG 2.2, 1.4.3)."""
    shown.prefer(scheme)
    shown.open(saved)
    script = r"""
        const light = (colour) => {
          const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255);
          const [r, g, b] = parts.map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const paper = light(getComputedStyle(document.body).backgroundColor);
        const probe = document.body.appendChild(document.createElement("i"));
        return ["at", "facts", ...Array(8).keys()].map((one) => {
          probe.className = typeof one === "number" ? `who v${one}` : one;
          const ink = light(getComputedStyle(probe).color);
          return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        });"""
    assert min(shown.run(script)) >= 4.5


@pytest.mark.system
@needs_browser
def test_keys_work_from_anywhere_but_a_field(shown: Browser) -> None:
    """Space plays wherever the focus is, J and L jump 5 s, < and > change the speed; in a field they are typed."""
    shown.wait(lambda: shown.run("return document.querySelector('audio').readyState > 0"))
    at, paused = (f"return document.querySelector('audio').{name}" for name in ("currentTime", "paused"))
    shown.type("body", "ll")
    assert shown.run(at) == 10
    shown.type("body", "j>")
    assert shown.run(at) == 5
    assert shown.run("return document.querySelector('audio').playbackRate") == 1.25
    shown.type("body", " ")
    assert shown.run(paused) is False
    shown.type("body", " ")
    assert shown.run(paused) is True
    shown.type("#search", "j l")
    assert (shown.run(at) >= 5, shown.run(paused)) == (True, True)
    assert shown.run("return document.querySelector('#search').value") == "j l"
    shown.run("document.querySelector('#search').blur()")
    shown.run("document.querySelector('#single').checked = false")
    before = shown.run(at)
    shown.type("body", "l")
    assert shown.run(at) == before


@pytest.mark.system
@needs_browser
def test_hits_are_counted_and_gone_through(shown: Browser) -> None:
    """Next and previous go round the hits, the count says where, and a hit of somebody filtered away is none."""
    shown.type("#search", "i")
    total = int(shown.text("#hits").split()[0])
    assert total > 2
    shown.click("#next")
    assert shown.text("#hits") == f"1 of {total}"
    shown.click("#previous")
    assert shown.text("#hits") == f"{total} of {total}"
    assert shown.run("return document.querySelectorAll('.w.here').length") == 1
    shown.run(
        "const filter = document.querySelector('#filter'); filter.value = '0/0';"
        "filter.dispatchEvent(new Event('change'))"
    )
    assert 0 < int(shown.text("#hits").split()[0]) < total


FILTERED = (
    "return Array.from(document.querySelectorAll('main .turn:not([hidden]) .who'), (one) => one.textContent)"
)


@pytest.mark.system
@needs_browser
def test_filter_and_copy_take_what_is_seen(shown: Browser) -> None:
    """Only the chosen speaker is to be seen, and copied: a line a paragraph, with its time and its speaker."""
    shown.run(
        "const filter = document.querySelector('#filter'); filter.selectedIndex = 2;"
        "filter.dispatchEvent(new Event('change'))"
    )
    assert set(shown.run(FILTERED)) == {"Speaker 1"}
    # What a copy puts on the clipboard, as a page may see it.
    shown.run(
        "document.addEventListener('copy', (event) => { window.got = event.clipboardData.getData('text/plain') })"
    )
    shown.click("#copy")
    lines = shown.run("return window.got").splitlines()
    assert lines[0].startswith("[0:07] Speaker 1: Yes, it is.")
    assert not [line for line in lines if "Good morning" in line]


@pytest.mark.system
@needs_browser
def test_sentiment_is_told_without_colour(shown: Browser) -> None:
    """A positive stretch stands above the middle of its lane, and topics are labelled in words."""
    path = shown.run("return document.querySelector('.positive').getAttribute('d')")
    assert re.match(r"M[\d.]+ 0h[\d.]+v4.5", path)
    assert shown.text(".blocks span") == "Harbours <b>"


@pytest.mark.system
@needs_browser
def test_a_video_has_the_captions_of_the_page_on_it(chromium: Browser, tmp_path: Path) -> None:
    """The cues on a video are those of caption files; a correction changes them."""
    import av

    with av.open(str(tmp_path / "talk.webm"), "w") as file:
        stream = file.add_stream("libvpx", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame(160, 90, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([128]) * plane.buffer_size)
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    options = RenderSettings(audio="talk.webm")
    (tmp_path / "talk.html").write_text(page(options), "utf-8")
    chromium.open(tmp_path / "talk.html")
    chromium.wait(lambda: chromium.run("return document.querySelector('video').readyState > 0"))
    cues = "return Array.from(document.querySelector('video').textTracks[0].cues, (cue) => cue.text)"
    shown = chromium.run(cues)
    assert [unescape(cue) for cue in shown] == [cue.text for cue in cues_of(transcript(), options)]
    assert chromium.run("return document.querySelector('video').textTracks[0].mode") == "showing"
    chromium.click("#edit")
    chromium.run(
        "const text = document.querySelector('main .turn p'); text.focus();"
        "text.textContent = text.textContent.replace('harbour', 'port'); text.blur()"
    )
    assert "port office" in " ".join(" ".join(chromium.run(cues)).split())


@pytest.mark.system
@needs_browser
def test_right_to_left_is_set_from_the_right(chromium: Browser, tmp_path: Path) -> None:
    """Hebrew is written from right to left, with its times at the right, in a page that says its language."""
    said = [word(text, at, 0) for at, text in enumerate("שלום, מה שלומך היום?".split())]
    answer = {"results": {"channels": [{"detected_language": "he", "alternatives": [{"words": said}]}]}}
    (tmp_path / "he.html").write_text(renderer(by_name("html"))(parse(answer), RenderSettings()), "utf-8")
    chromium.open(tmp_path / "he.html")
    assert chromium.run("return document.documentElement.lang") == "he"
    assert chromium.run("return getComputedStyle(document.querySelector('main p')).direction") == "rtl"
    boxes = chromium.run(
        "return Array.from(document.querySelectorAll('.w'), (one) => one.getBoundingClientRect().x)"
    )
    assert boxes == sorted(boxes, reverse=True)
    assert chromium.run("return document.querySelector('main .at').getBoundingClientRect().x") > max(boxes)


@pytest.mark.system
@needs_browser
@pytest.mark.parametrize("correcting", [False, True])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 900)])
def test_axe_finds_nothing(
    shown: Browser, saved: Path, width: int, height: int, scheme: str, correcting: bool
) -> None:
    """The rules of axe-core, all of them, find nothing in the page, read or corrected."""
    axe = files("axe_playwright_python") / "axe.min.js"
    shown.resize(width, height)
    shown.prefer(scheme)
    shown.open(saved)
    if correcting:
        shown.click("#edit")
    shown.run(axe.read_text("utf-8") + "\nwindow.axe = axe;")
    assert (
        shown.run("return axe.run().then((result) => result.violations.map((rule) => [rule.id, rule.help]))")
        == []
    )
    assert shown.run("return axe.run().then((result) => result.passes.length)") > 20


@pytest.mark.system
@needs_browser
def test_uncertain_words_are_marked(shown: Browser) -> None:
    """A word heard with little confidence is underlined and says how sure it is; others are not."""
    low = "return Array.from(document.querySelectorAll('.low')).map((one) => [one.textContent, one.title])"
    assert shown.run(low) == [["harbour", "40% sure"]]
    style = "return getComputedStyle(document.querySelector('.low')).textDecorationStyle"
    assert shown.run(style) == "dotted"


@pytest.mark.system
@needs_browser
def test_nothing_said_runs(shown: Browser) -> None:
    """What looks like a script or an event handler in the response has run nowhere."""
    assert shown.run("return document.title") == "a call#1"
    assert shown.run("return document.querySelectorAll('img, main script').length") == 0


@pytest.mark.system
@needs_browser
def test_page_is_readable_without_javascript(saved: Path) -> None:
    """With JavaScript off, all is there to read, with the player, and no control that would do nothing."""
    with browser(javascript=False) as quiet:
        quiet.open(saved)
        text = quiet.text("body")
        assert "Good morning. Is this the harbour office?" in text
        assert "Speaker 1" in text
        assert "A call." in text
        assert "Harbours <b>" in text
        assert quiet.text("main").count("0:00") == 1
        # The driver's own scripts do run: they only look.
        assert quiet.run("return document.documentElement.className") == ""
        assert (
            quiet.run("return getComputedStyle(document.querySelector('#search').closest('.row')).display")
            == "none"
        )
