"""Measure the page of a long transcript in Chromium: ten hours, 100,000 words.

    python benchmarks/page.py [--words 100000] [--runs 3]

"Interactive" is when the page has painted and its main thread answers again, in seconds since it began to load. Then:
the search for a word that is said everywhere, a jump into the middle of the recording, one correction, and the
download of the corrected response. Exits 1 where the page takes longer than 1.5 s. Needs Chromium and chromedriver.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dgcli.formats import RenderSettings, by_name, renderer  # noqa: E402 - found by the line above
from dgcli.transcript.response import parse  # noqa: E402
from tests.formats.browser import Browser, browser  # noqa: E402

LIMIT = 1.5  # seconds
VOCABULARY = (
    "the of and to a in that it is was for on are with as they at be this have from or had by word but what some we "
    "can out other were all there when up use your how said an each she which their time if will way about many then"
).split()
_LOADED = """
    return new Promise((done) => {
      const now = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() / 1000)));
      if (document.readyState === "complete") now(); else addEventListener("load", now);
    })"""
_TIMED = """
    const begun = performance.now();
    %s
    return new Promise((done) =>
      requestAnimationFrame(() => setTimeout(() => done((performance.now() - begun) / 1000))))"""
ACTIONS = {
    "search": "const field = document.querySelector('#search'); field.value = 'which'; "
    "field.dispatchEvent(new Event('input'));",
    "jump": "document.querySelectorAll('main .turn')[1000].querySelector('.at').click();",
    "next": "document.querySelector('#next').click();",
    "correcting": "document.querySelector('#edit').click();",
    "a correction": "const text = document.querySelector('main .turn p'); "
    "text.focus(); text.textContent += ' indeed'; text.blur();",
    "undo": "document.querySelector('#undo').click();",
    "filter": "const filter = document.querySelector('#filter'); filter.selectedIndex = 1; "
    "filter.dispatchEvent(new Event('change'));",
    "download": "document.querySelector('#download').click();",
}


def response(count: int) -> dict[str, Any]:
    """A response of so many words at 10,000 an hour, of four speakers, with what the API understands of it."""
    chance = random.Random(10)
    words: list[dict[str, Any]] = []
    topics, sentiments, utterances = [], [], []
    speaker, at = 0, 0.5
    while len(words) < count:
        first = len(words)
        speaker = (speaker + chance.randrange(1, 4)) % 4
        for place in range(chance.randrange(8, 80)):
            text = chance.choice(VOCABULARY)
            sentence = f"{text}." if chance.random() < 0.08 else text
            end = at + chance.uniform(0.1, 0.4)
            words.append(
                {"word": text, "start": round(at, 3), "end": round(end, 3),
                 "confidence": round(chance.uniform(0.6, 1), 7), "speaker": speaker,
                 "speaker_confidence": round(chance.uniform(0.4, 1), 7),
                 "punctuated_word": sentence.capitalize() if not place else sentence}
            )  # fmt: skip
            at = end + chance.uniform(0.0, 0.22)
        own = words[first:]
        text = " ".join(word["punctuated_word"] for word in own)
        utterances.append(
            {"start": own[0]["start"], "end": own[-1]["end"], "confidence": 0.9, "channel": 0, "transcript": text,
             "words": own, "speaker": speaker, "id": str(first)}
        )  # fmt: skip
        span = {"text": text, "start_word": first, "end_word": len(words) - 1}
        topics.append({**span, "topics": [{"topic": chance.choice(VOCABULARY), "confidence_score": 0.9}]})
        sentiments.append(
            {**span, "sentiment": chance.choice(("positive", "neutral", "negative")), "sentiment_score": 0.5}
        )
        at += 0.5
    transcript = " ".join(word["punctuated_word"] for word in words)
    return {
        "metadata": {"request_id": "long", "created": "2026-05-04T08:21:33Z", "duration": at},
        "results": {
            "channels": [{"alternatives": [{"transcript": transcript, "confidence": 0.9, "words": words}]}],
            "utterances": utterances,
            "topics": {"segments": topics},
            "sentiments": {"segments": sentiments},
        },
    }


def loaded(chromium: Browser, page: Path) -> float:
    """Open a page; returns the seconds until it is interactive."""
    chromium.open(page)
    return float(chromium.run(_LOADED))


def main() -> int:
    """Render, load, act; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    transcript = parse(response(arguments.words))
    begun = time.perf_counter()
    text = renderer(by_name("html"))(transcript, RenderSettings(source_name="long"))
    print(f"{len(transcript.words):,} words, {(transcript.duration or 0) / 3600:.1f} h")
    print(f"rendering    {time.perf_counter() - begun:6.2f} s")
    print(f"the page     {len(text.encode()) / 1e6:6.1f} MB")
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        page = Path(folder) / "long.html"
        page.write_text(text, "utf-8")
        chromium.save_downloads(Path(folder))
        seconds = [loaded(chromium, page) for _ in range(arguments.runs)]
        print(
            f"interactive  {statistics.median(seconds):6.2f} s   (of {', '.join(f'{one:.2f}' for one in seconds)})"
        )
        for name, script in ACTIONS.items():
            print(f"{name:12} {chromium.run(_TIMED % script):6.2f} s")
    return int(statistics.median(seconds) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
