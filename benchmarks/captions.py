"""Speed and memory of captions: against deepgram-captions, which counts to eight, and for growing transcripts.

    pip install deepgram-captions
    python benchmarks/captions.py

Collections of garbage are included. The figures against the peer are processor time, medians of nine turns in this
process in which each runs once; those of growth are the best of several runs. `cues` goes from parsed words to
SubRip, `whole` from the decoded response, as deepgram-captions does.
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.response import parse

LIMIT = 4.0  # times deepgram-captions, for 100,000 words
TURNS = 9
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SENTENCES = (
    "So the first thing I would like to show you is how the pieces fit together, and why they do.",
    "We had about 300 people there, which was a lot more than anybody had expected.",
    "Right.",
    "If you look at the numbers from last year, you will see that they went up by 12 percent in March.",
    "I don't know, maybe we should ask Anna Koch before we go on with this.",
    "That is what I thought it was going to be when we talked about it on the phone with the other office",
    "Okay, well, thank you very much.",
)


def response(count: int, *, speakers: bool) -> dict[str, Any]:
    """A response of `count` words, spoken at about 170 a minute with pauses."""
    chance, words, at, speaker = random.Random(count), list[dict[str, Any]](), 0.0, 0
    while len(words) < count:
        for text in chance.choice(SENTENCES).split():
            long = 0.1 + 0.045 * len(text)
            word = {
                "word": text.lower().strip(".,"),
                "punctuated_word": text,
                "start": round(at, 3),
                "end": round(at + long, 3),
                "confidence": 0.98,
            }
            words.append({**word, "speaker": speaker} if speakers else word)
            at += long
        at += chance.choice((0.0, 0.2, 0.5, 0.9, 2.0))
        speaker = chance.choice((speaker, speaker, 1 - speaker))
    alternative = {"transcript": "and so on", "confidence": 1.0, "words": words[:count]}
    return {"metadata": {"duration": at}, "results": {"channels": [{"alternatives": [alternative]}]}}


def best(run: Callable[[], object], times: int) -> float:
    """Seconds of the fastest of several runs."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        run()
        found.append(time.perf_counter() - begun)
    return min(found)


def used(run: Callable[[], object]) -> float:
    """Seconds of processor time that a run takes."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


def against_peer() -> float:
    """The larger ratio of our time to that of deepgram-captions for 100,000 words."""
    from deepgram_captions import DeepgramConverter, srt

    render, worst = renderer(by_name("srt")), 0.0
    print("100,000 words to SubRip     peer      cues     ratio     whole     ratio")
    for speakers in (True, False):
        said = response(100_000, speakers=speakers)
        turns = []
        for _ in range(TURNS):
            peer = used(lambda said=said: srt(DeepgramConverter(said)))
            whole = used(lambda said=said: render(parse(said), RenderSettings()))
            transcript = parse(said)
            cues = used(lambda transcript=transcript: render(transcript, RenderSettings()))
            del transcript  # it would have the collector look at twice as many words in the next turn
            turns.append((peer, cues, cues / peer, whole, whole / peer))
        peer, cues, of_cues, whole, of_whole = (median(column) for column in zip(*turns, strict=True))
        name = "with speakers" if speakers else "without speakers"
        print(f"{name:20} {peer:9.3f} s {cues:7.3f} s {of_cues:7.1f} {whole:9.3f} s {of_whole:7.1f}")
        worst = max(worst, of_whole)
    return worst


def growth() -> None:
    """Time and memory of rendering for each size, and both per word."""
    render = renderer(by_name("srt"))
    print("\n    words       time    a word     memory    a word   (what rendering adds at its peak)")
    for count in SIZES:
        transcript = parse(response(count, speakers=True))
        took = best(
            lambda transcript=transcript: render(transcript, RenderSettings()), 3 if count < 1_000_000 else 1
        )
        tracemalloc.start()
        render(transcript, RenderSettings())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(
            f"{count:9,} {took:8.3f} s {1e6 * took / count:6.2f} us {peak / 1e6:8.1f} MB {peak / count:7.0f} B"
        )


def main() -> int:
    """Print the figures; 1 if we are slower than `LIMIT` allows."""
    worst = against_peer()
    growth()
    print(f"\nAt most {worst:.1f} times deepgram-captions (limit: {LIMIT:g}).")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
