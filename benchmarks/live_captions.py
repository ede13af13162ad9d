"""How long after their last word live captions stand in the growing file, and what that costs them.

    python benchmarks/live_captions.py --judge LINT.py RESPONSE.json...

Each response becomes a session on a simulated clock, as the API sends one: an interim for each second of audio, a
final at a pause of 0.3 s or after 5 s, each message 0.4 s after the audio that it tells of. `-o x.srt` is written by
the sink that `dg live` has. A caption counts as written when it can not change any more: the preview behind it
does not count. `--judge` is a program that takes `--quality --language XX --response JSON SRT` and prints `cut N%`.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dgcli.formats import RenderSettings, by_name
from dgcli.sinks.captions import CaptionBlocks
from dgcli.transcript.events import Final, Interim
from dgcli.transcript.messages import parse_message

LATENCY = 0.4  # seconds from the audio to the message about it
INTERIM = 1.0  # seconds between two interims
PAUSE = 0.3  # seconds of silence that end an utterance
LONGEST = 5.0  # seconds of a final
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d),(\d{3}) --> (\d+):(\d\d):(\d\d),(\d{3})")

Words = Sequence[Mapping[str, Any]]


def message(words: Words, start: float, end: float, *, final: bool, ends: bool = False) -> dict[str, Any]:
    """A message of the API about the audio from `start` to `end`."""
    text = " ".join(word.get("punctuated_word") or word["word"] for word in words)
    alternative = {"transcript": text, "confidence": 0.9, "words": list(words)}
    return {
        "type": "Results", "channel_index": [0, 1], "start": start, "duration": end - start, "is_final": final,
        "speech_final": ends, "from_finalize": False, "channel": {"alternatives": [alternative]},
    }  # fmt: skip


def session(words: Words) -> Iterator[tuple[float, Interim | Final]]:
    """Yield the events of a session, each with when it arrives (seconds)."""
    begun = told = 0.0
    at = 0
    for after, word in enumerate(words, 1):
        following = words[after]["start"] if after < len(words) else word["end"] + 2 * PAUSE
        while told + INTERIM < word["end"]:
            told += INTERIM
            known = [known for known in words[at:after] if known["end"] <= told]
            yield told + LATENCY, _event(message(known, begun, told, final=False))
        pause = following - word["end"] >= PAUSE
        if pause or following - begun > LONGEST:
            end = word["end"] + PAUSE if pause else max(word["end"], begun)
            yield end + LATENCY, _event(message(words[at:after], begun, end, final=True, ends=pause))
            begun, told, at = end, max(told, end), after


def _event(said: dict[str, Any]) -> Interim | Final:
    event = parse_message(json.dumps(said), 0.0)
    assert isinstance(event, Interim | Final)
    return event


def written(words: Words, options: RenderSettings) -> tuple[str, list[tuple[float, str]]]:
    """The finished file, and what was written for good of it, with when (seconds)."""
    blocks, pieces, last = CaptionBlocks(by_name("srt"), options), [], 0.0
    for last, event in session(words):
        text = blocks.take(event) if isinstance(event, Final) else blocks.heard(event)
        if text:
            pieces.append((last, text))
    pieces.append((last, blocks.finish()))
    return "".join(text for _, text in pieces), pieces


def _letters(text: str) -> int:
    """Count what is neither a mark nor a space: dashes and brackets tell who speaks."""
    return sum(c.isalnum() for c in text)


def delays(words: Words, pieces: Sequence[tuple[float, str]]) -> list[float]:
    """Seconds from the last word of each cue until it was written."""
    found, at = [], 0
    for when, text in pieces:
        for block in filter(None, text.split("\n\n")):
            rows = re.sub(r"\[[^\]]*\] ", "", " ".join(block.split("\n")[2:]))
            letters = _letters(rows)
            while letters > 0 and at < len(words):
                letters -= _letters(words[at].get("punctuated_word") or words[at]["word"])
                at += 1
            found.append(when - words[at - 1]["end"])
    assert at == len(words), "a cue's words were counted wrongly"
    return found


def judged(judge: Path, response: Path, text: str, language: str) -> str:
    """The share of cues that are cut, in percent; empty for a language that the judge does not know."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.srt"
        file.write_text(text)
        command = [
            sys.executable,
            str(judge),
            "--quality",
            "--language",
            language,
            "--response",
            str(response),
            str(file),
        ]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\bcut ([\d.]+)%", said)
    return f"{found[1]} %" if found else ""


def main() -> None:
    """Print a row for each response, with and without a delay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--max-delay", type=float, default=4.0)
    parser.add_argument("responses", type=Path, nargs="+")
    given = parser.parse_args()
    print(
        f"{'response':28} {'max-delay':>9} {'cues':>5} {'p50':>6} {'p90':>6} {'most':>6} {'over 7 s':>8}   cut"
    )
    everything: dict[float | None, list[float]] = {None: [], given.max_delay: []}
    for path in given.responses:
        channels = json.loads(path.read_text())["results"]["channels"]
        words = [word for word in channels[0]["alternatives"][0]["words"] if word["end"] >= word["start"]]
        language = path.stem if len(path.stem) == 2 else "en"
        for delay, known in everything.items():
            text, pieces = written(words, RenderSettings(max_delay=delay, language=language))
            waited = delays(words, pieces)
            known.extend(waited)
            cut = judged(given.judge, path, text, language) if given.judge else ""
            print(_row(path.stem, delay, waited) + cut)
    for delay, known in everything.items():
        print(_row("all", delay, known))


def _row(name: str, delay: float | None, waited: list[float]) -> str:
    tenths = statistics.quantiles(waited, n=10)
    shown = "none" if delay is None else f"{delay:g}"
    late = sum(wait > 7 for wait in waited)
    head = f"{name:28} {shown:>9} {len(waited):5} {tenths[4]:6.2f} {tenths[8]:6.2f}"
    return f"{head} {max(waited):6.2f} {late:8}   "


if __name__ == "__main__":
    main()
