"""Corrections made in the page, in a real browser: the response that is downloaded renders as corrected."""

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from dgcli.formats import RenderSettings, by_name, grower, renderer
from dgcli.formats.growing import TurnWriter
from dgcli.transcript.response import parse
from tests.formats.browser import CHROMIUM, DRIVER, MISSING, Browser, browser

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING),
]

SAID = (
    (0, "Thanks for calling the harbour office, this is Anna speaking."),
    (1, "Hi Anna. We are two hours out. Is birth twelve still free?"),
    (0, "Let me look. Twelve is taken until noon."),
    (1, "Fine, thank you."),
)


def response(said: Sequence[tuple[int, str]] = SAID, **more: Any) -> dict[str, Any]:
    """A response with utterances, paragraphs, topics and entities."""
    words: list[dict[str, Any]] = []
    utterances, paragraphs = [], []
    for speaker, text in said:
        first = len(words)
        for token in text.split():
            start = round(0.5 * len(words) + first / 10, 3)
            words.append(
                {"word": token.strip(".,?").lower(), "start": start, "end": round(start + 0.4, 3),
                 "confidence": 0.9, "punctuated_word": token, "speaker": speaker, "speaker_confidence": 0.7}
            )  # fmt: skip
        own = words[first:]
        ends = {"start": own[0]["start"], "end": own[-1]["end"], "speaker": speaker}
        utterances.append(
            {**ends, "confidence": 0.9, "channel": 0, "transcript": text, "words": own, "id": f"u{first}"}
        )
        sentence = {"text": text, "start": own[0]["start"], "end": own[-1]["end"]}
        paragraphs.append({**ends, "num_words": len(own), "sentences": [sentence]})
    alternative = {
        "transcript": " ".join(text for _, text in said),
        "confidence": 0.9,
        "words": words,
        "paragraphs": {"transcript": "", "paragraphs": paragraphs},
        "entities": [
            {"label": "NAME", "value": "Twelve", "confidence": 0.8, "start_word": 25, "end_word": 26}
        ],
    }
    return {
        "metadata": {"request_id": "corrected-1", "duration": 30.0, "created": "2026-05-04T08:21:33.123Z"},
        "results": {
            "channels": [{"alternatives": [alternative]}],
            "utterances": utterances,
            "topics": {
                "segments": [
                    {"text": SAID[2][1], "start_word": 22, "end_word": 29,
                     "topics": [{"topic": "Berths", "confidence_score": 0.9}]}
                ]
            },
            **more,
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    with browser() as session:
        yield session


def page_of(answer: dict[str, Any], options: RenderSettings) -> str:
    """The page of a response."""
    return renderer(by_name("html"))(parse(answer), options)


class Page:
    """A page that is open for correcting."""

    def __init__(self, chromium: Browser, folder: Path, text: str) -> None:
        self.chromium, self.folder = chromium, folder
        self._file = file = folder / "talk.html"
        file.write_text(text, "utf-8")
        chromium.save_downloads(folder)
        chromium.resize(1100, 900)
        chromium.open(file)
        chromium.run("localStorage.clear()")
        chromium.open(file)
        chromium.click("#edit")

    def again(self) -> None:
        """Open the page anew, for correcting."""
        self.chromium.open(self._file)
        self.chromium.click("#edit")

    def write(self, turn: int, old: str, new: str) -> None:
        """Replace a part of what a paragraph says, and leave it."""
        script = """
            const text = document.querySelectorAll("main .turn p")[arguments[0]];
            text.focus();
            text.textContent = text.textContent.replace(arguments[1], arguments[2]);
            text.blur();"""
        self.chromium.run(script, turn, old, new)

    def choose(self, turn: int, voice: str) -> None:
        """Give a paragraph to another speaker: `channel/speaker`."""
        script = """
            const select = document.querySelectorAll("main .turn select")[arguments[0]];
            select.value = arguments[1];
            select.dispatchEvent(new Event("change", { bubbles: true }));"""
        self.chromium.run(script, turn, voice)

    def texts(self) -> list[str]:
        """What the paragraphs say, each after its speaker's name."""
        return list(
            self.chromium.run(
                """return Array.from(document.querySelectorAll("main .turn"), (turn) =>
                     `${turn.querySelector(".who")?.textContent}: ${turn.querySelector("p").textContent}`)"""
            )
        )

    def downloaded(self) -> Path:
        """Press the button; returns the file."""
        before = set(self.folder.iterdir())
        self.chromium.click("#download")

        def there() -> list[Path]:
            made = set(self.folder.iterdir()) - before
            # Its name is there before what is in it.
            return [file for file in made if file.suffix == ".json" and file.read_bytes().endswith(b"}")]

        self.chromium.wait(there)
        return there()[0]


@pytest.fixture
def talk(chromium: Browser, tmp_path: Path) -> Page:
    """The page of the conversation."""
    return Page(chromium, tmp_path, page_of(response(), RenderSettings(source_name="talk")))


def rendered(file: Path, name: str) -> str:
    """What `dg render` makes of a file."""
    made = subprocess.run(
        [sys.executable, "-m", "dgcli", "render", str(file), "-f", name],
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_nothing_changed_is_the_response_as_it_came(talk: Page) -> None:
    """Downloaded without a correction, words, utterances and analyses are those of the API."""
    file = talk.downloaded()
    assert file.name == "talk.corrected.json"
    got, came = json.loads(file.read_text("utf-8")), response()
    assert got["metadata"] == came["metadata"]
    ours, theirs = (item["results"]["channels"][0]["alternatives"][0] for item in (got, came))
    assert ours["words"] == theirs["words"]
    assert ours["transcript"] == theirs["transcript"]
    assert ours["entities"] == theirs["entities"]
    assert got["results"]["topics"] == came["results"]["topics"]
    spans = [
        [(item["start"], item["end"], item["speaker"], item["transcript"]) for item in results["utterances"]]
        for results in (got["results"], came["results"])
    ]
    assert spans[0] == spans[1]
    counts = [[item["num_words"] for item in one["paragraphs"]["paragraphs"]] for one in (ours, theirs)]
    assert counts[0] == counts[1]
    for name in ("srt", "vtt", "text", "csv"):
        original = file.with_name("original.json")
        original.write_text(json.dumps(came))
        assert rendered(file, name) == rendered(original, name)


def test_corrections_render_as_captions(talk: Page) -> None:
    """A word mended, one split, two merged, one deleted, a speaker renamed, a turn given to another: all are in SRT."""
    talk.write(1, "birth", "berth")
    talk.write(0, "harbour office", "harbouroffice")
    talk.write(0, "speaking", "speak ing")
    talk.write(2, "Let me look. ", "")
    talk.choose(3, "0/0")
    talk.chromium.type("#names input[data-v='1']", "Skipper")
    file = talk.downloaded()
    captions = rendered(file, "srt")
    assert "Is berth twelve still free?" in captions
    assert "harbouroffice" in captions
    assert "speak ing." in captions
    assert "Let me look" not in captions
    assert "[Skipper] Hi Anna." in captions
    assert captions.count("[Skipper]") == 1
    assert "birth" not in captions
    old, new = response(), json.loads(file.read_text("utf-8"))
    before = {word["start"]: word for word in old["results"]["channels"][0]["alternatives"][0]["words"]}
    words = new["results"]["channels"][0]["alternatives"][0]["words"]
    by_text = {word["punctuated_word"]: word for word in words}
    assert (by_text["berth"]["start"], by_text["berth"]["word"]) == (10.0, "berth")
    merged, parts = by_text["harbouroffice,"], [by_text["speak"], by_text["ing."]]
    assert (merged["start"], merged["end"]) == (before[2.0]["start"], before[2.5]["end"])
    assert (parts[0]["start"], parts[1]["end"]) == (4.5, 4.9)
    assert parts[0]["end"] == parts[1]["start"] == pytest.approx(4.5 + 0.4 * 5 / 9, abs=0.001)
    kept = [
        word
        for word in words
        if before.get(word["start"], {}).get("punctuated_word") == word["punctuated_word"]
    ]
    assert len(kept) == len(words) - 4  # berth, harbouroffice, speak, ing.
    assert all(word["end"] == before[word["start"]]["end"] for word in kept)
    assert all(word["speaker"] == 0 for word in words[-3:])
    # The analyses count words: they are where their words are now.
    entity = new["results"]["channels"][0]["alternatives"][0]["entities"][0]
    assert [word["punctuated_word"] for word in words[entity["start_word"] : entity["end_word"]]] == [
        "Twelve"
    ]
    topic = new["results"]["topics"]["segments"][0]
    assert topic["text"] == "Twelve is taken until noon."
    assert words[topic["end_word"]]["punctuated_word"] == "noon."


def test_undo_and_redo_take_back_and_do_again(talk: Page) -> None:
    """Each correction is a step; what was undone is not in the download, and what was done again is."""
    talk.write(1, "birth", "berth")
    talk.choose(2, "0/1")
    talk.chromium.type("#names input[data-v='0']", "Anna")
    done = talk.texts()
    assert done[0].startswith("Anna: ")
    assert done[2].startswith("Speaker 1: ")
    talk.chromium.click("#undo")  # the name, all letters of it
    assert talk.texts()[0].startswith("Speaker 0: ")
    talk.chromium.click("#undo")
    assert talk.texts()[2].startswith("Speaker 0: ")
    talk.chromium.click("#undo")
    assert "Is birth twelve" in talk.texts()[1]
    assert talk.chromium.run("return document.querySelector('#undo').disabled") is True
    for _ in range(3):
        talk.chromium.click("#redo")
    assert talk.texts() == done
    talk.chromium.click("#undo")
    talk.chromium.click("#undo")
    captions = rendered(talk.downloaded(), "srt")
    assert "Is berth twelve" in captions
    assert "Anna]" not in captions
    assert "[Speaker 0] Let me look." in captions


def test_corrections_outlive_the_tab(talk: Page) -> None:
    """Opened again, the page offers what was corrected; restored it downloads the same, and undo takes it back."""
    before = talk.texts()
    talk.write(1, "birth twelve", "berth twelve or thirteen")
    talk.choose(2, "0/1")
    talk.write(3, "Fine, ", "")
    corrected, answer = talk.texts(), talk.downloaded().read_bytes()
    talk.again()
    assert talk.texts() == before
    assert "are kept in this browser" in talk.chromium.text("#kept")
    talk.write(0, "Thanks", "Thank you")  # before anything was decided: what is kept stays
    talk.again()
    talk.chromium.click("#restore")
    assert talk.texts() == corrected
    for file in talk.folder.glob("*.json"):
        file.unlink()
    assert json.loads(talk.downloaded().read_bytes()) == json.loads(answer)
    talk.chromium.click("#undo")
    assert talk.texts() == before
    talk.again()  # nothing is corrected: nothing is kept
    assert not talk.chromium.run("return localStorage.length > 1")
    talk.write(0, "Thanks", "Thank you")
    talk.again()
    talk.chromium.click("#discard")
    assert talk.chromium.run("return document.querySelector('#kept').hidden")
    talk.again()
    assert talk.chromium.run("return document.querySelector('#kept').hidden")
    assert talk.chromium.log("browser") == []


def test_corrections_are_of_one_transcript(talk: Page) -> None:
    """A page of another transcript, of the same request as well, is offered nothing; damaged ones are told."""
    talk.write(0, "Thanks", "Thank you")
    other = talk.folder / "other.html"
    other.write_text(page_of(response(SAID[:3]), RenderSettings()), "utf-8")
    talk.chromium.open(other)
    assert talk.chromium.run("return document.querySelector('#kept').hidden")
    talk.chromium.run(
        """for (const key of Object.keys(localStorage))
             localStorage.setItem(key, JSON.stringify({ saved: 1, turns: [99] }))"""
    )
    talk.again()
    talk.chromium.click("#restore")
    assert talk.chromium.text("#status") == "What was kept is not of this page."
    assert talk.texts()[0].startswith("Speaker 0: Thanks")


def test_a_page_that_may_keep_nothing_works(chromium: Browser) -> None:
    """Where the browser refuses storage, as to a data: URL, words are corrected all the same."""
    text = page_of(response(), RenderSettings()).encode()
    chromium.visit("data:text/html;base64," + base64.b64encode(text).decode())
    refused = "try { localStorage.length; return false } catch { return true }"
    assert chromium.run(refused)
    chromium.click("#edit")
    chromium.run(
        """const text = document.querySelector("main .turn p");
           text.focus(); text.textContent = "Thank you."; text.blur();"""
    )
    assert chromium.text("main .turn p") == "Thank you."
    assert chromium.run("return document.querySelector('#kept').hidden")
    assert not chromium.run("return document.querySelector('#undo').disabled")
    chromium.click("#undo")


def test_part_of_a_turn_goes_to_a_new_speaker(talk: Page) -> None:
    """Ctrl+Enter begins a paragraph at the caret, which may be given to somebody who was not heard before."""
    script = """
        const text = document.querySelectorAll("main .turn p")[2];
        text.focus();
        const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
        let node, before = 0;
        const at = text.textContent.indexOf("Twelve");
        while ((node = walker.nextNode()) && before + node.length <= at) before += node.length;
        getSelection().collapse(node, at - before);
        text.dispatchEvent(new KeyboardEvent("keydown",
             { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }));"""
    talk.chromium.run(script)
    assert [text.split(": ")[1] for text in talk.texts()[2:4]] == [
        "Let me look.",
        "Twelve is taken until noon.",
    ]
    talk.choose(3, "0/2")
    captions = rendered(talk.downloaded(), "srt")
    assert "[Speaker 2] Twelve is taken until noon." in captions


def test_corrected_speakers_are_not_smoothed_again(chromium: Browser, tmp_path: Path) -> None:
    """A word that somebody gave to a speaker in mid sentence stays there, unless --smooth-speakers asks."""
    page = Page(chromium, tmp_path, page_of(response(), RenderSettings(smooth_speakers=False)))
    page.chromium.run(
        """const text = document.querySelectorAll("main .turn p")[3];
           text.focus();
           getSelection().collapse(text.querySelectorAll(".w")[1].firstChild, 0);
           text.dispatchEvent(new KeyboardEvent("keydown",
             { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }));"""
    )
    page.choose(4, "0/0")
    file = page.downloaded()
    assert "[Speaker 0] thank you." in rendered(file, "srt")
    assert json.loads(file.read_text())["results"]["utterances"][-1]["speaker"] == 0


def test_a_page_that_grew_with_a_stream_is_corrected_too(chromium: Browser, tmp_path: Path) -> None:
    """What was written while a stream ran has no response behind it: one is made of its words."""
    writer = cast(TurnWriter, grower(by_name("html"), RenderSettings()))
    text = (
        writer.header
        + "".join(writer.turn(part, False) for part in parse(response()).utterances)
        + writer.footer
    )
    page = Page(chromium, tmp_path, text)
    page.write(1, "birth", "berth")
    captions = rendered(page.downloaded(), "srt")
    assert "[Speaker 1] Hi Anna." in captions
    assert "Is berth twelve still free?" in captions


HOSTILE = "<img src=x onerror=\"document.title='owned'\">&amp;'\\u003c</script><script>document.title='owned'</script>"


def test_what_is_typed_and_pasted_is_text(chromium: Browser, tmp_path: Path) -> None:
    """Markup in the response, in what is typed and in names stays text, and comes back from the download as it was."""
    said = [(0, f"Well then {HOSTILE.replace(' ', chr(160))} fine."), (1, "Yes.")]
    page = Page(chromium, tmp_path, page_of(response(said, topics={}), RenderSettings(source_name="a")))
    page.write(1, "Yes.", HOSTILE)
    page.chromium.type("#names input[data-v='1']", HOSTILE)
    assert page.chromium.run("return document.title") == "a"
    assert page.chromium.run("return document.querySelectorAll('main img, main script').length") == 0
    got = json.loads(page.downloaded().read_text("utf-8"))
    words = got["results"]["channels"][0]["alternatives"][0]["words"]
    assert (
        words[2]["punctuated_word"]
        == response(said)["results"]["channels"][0]["alternatives"][0]["words"][2]["punctuated_word"]
    )
    assert " ".join(word["punctuated_word"] for word in words[-3:]).endswith(HOSTILE.split(" ")[-1])
    assert got["corrections"]["speaker_names"] == {"1": HOSTILE}


def test_japanese_is_corrected_without_spaces(chromium: Browser, tmp_path: Path) -> None:
    """In a script without spaces only the words that were touched change; what is new has a time."""
    tokens = ["今日", "は", "いい", "天気", "です。"]
    came = response([(0, "x y z v w"), (1, "はい。")], topics={})
    own = came["results"]["channels"][0]["alternatives"][0]["words"]
    for word, text in zip(own, tokens, strict=False):
        word.update(word=text.strip("。"), punctuated_word=text)
    del came["results"]["channels"][0]["alternatives"][0]["paragraphs"], came["results"]["utterances"]
    page = Page(chromium, tmp_path, page_of(copy.deepcopy(came), RenderSettings(language="ja")))
    assert page.texts()[0].endswith(": 今日はいい天気です。")
    page.write(0, "天気", "お空")
    words = json.loads(page.downloaded().read_text("utf-8"))["results"]["channels"][0]["alternatives"][0][
        "words"
    ]
    assert [words[0], words[1], words[2]] == own[:3]
    assert own[4] in words
    assert "".join(word["punctuated_word"] for word in words[:-1]) == "今日はいいお空です。"
    middle = words[3:-2]
    assert (middle[0]["start"], middle[-1]["end"]) == (own[3]["start"], own[3]["end"])


def test_channels_without_speakers_have_names_and_keep_their_words(chromium: Browser, tmp_path: Path) -> None:
    """With two channels, each has its words back in its own; names are those of channels."""
    came = response(SAID[:1], topics={})
    other = copy.deepcopy(came["results"]["channels"][0])
    for at, channel in enumerate((came["results"]["channels"][0], other)):
        for word in channel["alternatives"][0]["words"]:
            del word["speaker"], word["speaker_confidence"]
            word["start"] += 10 * at
            word["end"] += 10 * at
    came["results"]["channels"].append(other)
    came["results"].pop("utterances")
    page = Page(chromium, tmp_path, page_of(came, RenderSettings()))
    page.write(1, "Anna", "Hanna")
    page.chromium.type("#names input[data-v='1']", "Office")
    file = page.downloaded()
    captions = rendered(file, "srt")
    assert "[Office] Thanks for calling" in captions
    got = [
        [word["punctuated_word"] for word in channel["alternatives"][0]["words"]]
        for channel in json.loads(file.read_text())["results"]["channels"]
    ]
    assert ("Anna" in got[0], "Hanna" in got[1], len(got[0]) == len(got[1])) == (True, True, True)
