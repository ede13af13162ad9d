"""Makes docs/images/page-*.png: the page of a transcript as Chromium shows it, wide, on a phone, dark, and corrected.

    python docs/html_page.py [RESPONSE.json]

Without a response it shows a conversation of its own; of one that is given, page.pdf is printed too. Chromium and
chromedriver must be installed.
"""

import json
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dgcli.formats import RenderSettings, by_name, renderer  # noqa: E402 - found by the line above
from dgcli.transcript.response import parse  # noqa: E402
from tests.formats.browser import browser  # noqa: E402

IMAGES = ROOT / "docs" / "images"
_SEARCH = """
    const field = document.querySelector("#search");
    field.value = "berth";
    field.dispatchEvent(new Event("input"));
    document.querySelectorAll(".w")[29].click();
    document.querySelector("audio").pause();"""
_CORRECT = """
    document.querySelector("#edit").click();
    const text = document.querySelectorAll("main .turn p")[1];
    text.focus();
    text.textContent = text.textContent.replace("twelve", "number twelve");
    text.blur();
    document.querySelectorAll("main .turn p")[3].focus();"""
# name, size, colours, what is done before the picture is taken
SCENES = (
    ("wide", (1280, 860), "light", _SEARCH),
    ("dark", (1280, 860), "dark", _SEARCH),
    ("phone", (390, 844), "light", _SEARCH),
    ("correcting", (1280, 860), "light", _CORRECT),
)
SAID = (
    (0, "Thanks for calling the harbour office, this is Anna speaking. How can I help you?", "neutral"),
    (1, "Hi Anna. We are two hours out, and the wind has turned on us. Is berth twelve still free?", "negative"),
    (0, "Let me look. Twelve is taken until noon, but there is room on the outer pier, by the crane.", "neutral"),
    (1, "That would be wonderful, thank you so much. We draw two metres forty.", "positive"),
    (0, "That is no problem. Call us on channel nine at the lighthouse, and we will take your lines.", "positive"),
)  # fmt: skip
TOPICS = ("Greeting", "Weather", "Berth", "Berth", "Arrival")


def conversation() -> dict[str, Any]:
    """A response with speakers, sentiment, topics and a summary."""
    words: list[dict[str, Any]] = []
    topics, sentiments = [], []
    at = 0.4
    for (speaker, text, sentiment), topic in zip(SAID, TOPICS, strict=True):
        first = len(words)
        for said in text.split():
            long = 0.12 + 0.05 * len(said)
            sure = 0.52 if said in ("metres", "crane.") else 0.98
            words.append(
                {"word": said.strip(".,?").lower(), "punctuated_word": said, "start": round(at, 3),
                 "end": round(at + long, 3), "confidence": sure, "speaker": speaker}
            )  # fmt: skip
            at += long + (0.35 if said[-1] in ".?" else 0.0)
        span = {"start_word": first, "end_word": len(words) - 1}
        topics.append({**span, "topics": [{"topic": topic, "confidence_score": 0.9}]})
        sentiments.append({**span, "sentiment": sentiment, "sentiment_score": 0.5})
        at += 0.6
    return {
        "metadata": {"request_id": "0198f3a2-5c1e-7b40", "created": "2026-05-04T08:21:33Z", "duration": at},
        "results": {
            "channels": [{"alternatives": [{"transcript": "", "confidence": 0.98, "words": words}]}],
            "summary": {
                "result": "success",
                "short": "A skipper asks the harbour office for a berth and is given a place on the outer pier.",
            },
            "topics": {"segments": topics},
            "sentiments": {
                "segments": sentiments,
                "average": {"sentiment": "positive", "sentiment_score": 0.35},
            },
        },
    }


def main() -> None:
    """Render; take a picture of each way to see it."""
    response = json.loads(Path(sys.argv[1]).read_bytes()) if len(sys.argv) > 1 else conversation()
    names = {0: "Anna", 1: "Skipper"} if len(sys.argv) == 1 else {}
    transcript = parse(response)
    options = RenderSettings(speaker_names=names, audio="call.wav", title="A berth for tonight")
    text = renderer(by_name("html"))(transcript, options)
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        page = Path(folder) / "page.html"
        page.write_text(text, "utf-8")
        with wave.open(str(page.with_name("call.wav")), "wb") as file:  # silence: nobody hears a picture
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(8000)
            file.writeframes(b"\x80" * int(8000 * (transcript.duration or 1)))
        for name, (width, height), scheme, action in SCENES:
            chromium.resize(width, height)
            chromium.prefer(scheme)
            chromium.open(page)
            chromium.wait(lambda: chromium.run("return document.querySelector('audio').readyState > 0"))
            chromium.run(action)
            (IMAGES / f"page-{name}.png").write_bytes(chromium.screenshot())
        if (
            len(sys.argv) > 1
        ):  # a picture of a page on paper is for whoever looks at it, not for the documents
            Path("page.pdf").write_bytes(chromium.pdf())


if __name__ == "__main__":
    main()
