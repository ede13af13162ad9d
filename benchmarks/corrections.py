"""How well corrected words are put on times, and how fast: dg align.

    python benchmarks/corrections.py --responses DIR --audio FILE --response FILE --spoken 8

Of each response a tenth of the words is altered, seeded: as many are misheard (another word stands there), missed (it
is gone) and invented (a word too many). The text as it was corrects it, so what every word's start has to be is known.
`--response` is that of the recording `--audio`, which the local recogniser listens to (DGCLI_MODELS; tiny.en). Errors
are those of starts, in milliseconds. A word that is missed leaves a gap in this; where a recogniser misses a word the
one before it lasts longer: the line "lasting words" is of that. `--spoken` is how many recordings the program flite
makes, with pauses and with known times.
"""

import argparse
import copy
import json
import random
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dgcli.align.align import align
from dgcli.align.units import is_marks
from dgcli.captions.text import unspaced
from dgcli.config import Config
from dgcli.tasks.align import HeardIn, listened
from dgcli.transcript.model import Transcript, Word
from dgcli.transcript.response import parse
from dgcli.ui.console import Console

SHARE = 0.1
FULL = 0.5  # seconds of the longest word that the API gives
STRANGE = "window harbour seven gently pickle orbit thunder across velvet nothing copper lantern".split()


def altered(
    words: Sequence[Mapping[str, Any]], seed: int, *, lasting: bool = False
) -> tuple[list[dict[str, Any]], set[int]]:
    """Return the words as a recogniser might have heard them, and which of the true ones it got wrong.

    With `lasting` the word before a missed one lasts until the next one, FULL seconds at most, as the API has it.
    """
    chance = random.Random(seed)
    heard: list[dict[str, Any]] = []
    wrong = set()
    for at, word in enumerate(words):
        kind = chance.choice(("misheard", "missed", "invented")) if chance.random() < SHARE else ""
        if is_marks(word["punctuated_word"]):
            kind = ""  # a dash alone is no word that anybody would miss
        if kind == "missed":
            wrong.add(at)
            continue
        if kind == "misheard":
            wrong.add(at)
            other = chance.choice(STRANGE)
            heard.append({**word, "word": other, "punctuated_word": other})
            continue
        if kind == "invented" and heard:
            end = heard[-1]["end"]
            heard.append({**word, "word": "er", "punctuated_word": "er", "start": end, "end": word["start"]})
        heard.append(dict(word))
    if lasting:
        true_ends = {word["start"]: word["end"] for word in words}
        missed = {words[at]["start"] for at in wrong} - {word["start"] for word in heard}
        for word, following in pairwise(heard):
            if word["end"] in missed and word["end"] == true_ends.get(word["start"]):
                word["end"] = max(word["end"], min(word["start"] + FULL, following["start"]))
    return heard, wrong


def response_with(response: Mapping[str, Any], words: Sequence[Mapping[str, Any]]) -> Transcript:
    """Return the response with other words on its first channel."""
    changed = copy.deepcopy(dict(response))
    changed["results"].pop("utterances", None)
    alternative = changed["results"]["channels"][0]["alternatives"][0]
    alternative["words"] = list(words)
    alternative.pop("paragraphs", None)
    return parse(changed)


def percentile(values: Iterable[float], share: float) -> float:
    """Return a percentile by the nearest rank; 0 of nothing."""
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)] if ranked else 0.0


def measured(
    response: Mapping[str, Any], seed: int, heard_in: HeardIn | None = None, *, lasting: bool = False
) -> tuple[list[float], list[float]]:
    """Return the start errors in ms of untouched words and of new ones. Fails where a word has no time."""
    words = response["results"]["channels"][0]["alternatives"][0]["words"]
    heard, wrong = altered(words, seed, lasting=lasting)
    text = " ".join(word["punctuated_word"] for word in words)
    alignment = align(response_with(response, heard), text.encode(), "talk.txt", {})
    if heard_in is not None:
        alignment = listened(alignment, heard_in, Console(quiet=True))
    found: Sequence[Word] = alignment.corrected().words
    if len(found) != len(words) or any(word.start != word.start or word.end < word.start for word in found):
        raise SystemExit("a word is lost, or has no time")
    if any(later.start < word.start for word, later in pairwise(found)):
        rising = all(b["start"] >= a["start"] for a, b in pairwise(words))
        if rising:
            raise SystemExit("times fall")
    errors = [abs(now.start - was["start"]) * 1000 for now, was in zip(found, words, strict=True)]
    return (
        [error for at, error in enumerate(errors) if at not in wrong],
        [error for at, error in enumerate(errors) if at in wrong],
    )


def show(name: str, results: Iterable[tuple[list[float], list[float]]]) -> None:
    """Print the figures of several runs."""
    pairs = list(results)
    untouched = [error for own, _ in pairs for error in own]
    new = [error for _, own in pairs for error in own]
    print(
        f"{name:34} untouched p95 {percentile(untouched, 0.95):5.1f}  new ({len(new)}) p50 {percentile(new, 0.5):5.1f}"
        f"  p90 {percentile(new, 0.9):5.1f}  p95 {percentile(new, 0.95):5.1f}"
        f"  within 80: {sum(error <= 80.5 for error in new) / max(len(new), 1):.1%}"
    )


def speed(words: Sequence[Mapping[str, Any]]) -> None:
    """Print how long it takes to align 100,000 words of which a tenth is wrong."""
    many = []
    for turn in range(100_000 // len(words) + 1):
        many += [
            {**word, "start": word["start"] + 1e4 * turn, "end": word["end"] + 1e4 * turn} for word in words
        ]
    many = many[:100_000]
    response = {
        "metadata": {},
        "results": {"channels": [{"alternatives": [{"transcript": "", "words": many}]}]},
    }
    heard, _ = altered(many, 1)
    transcript = response_with(response, heard)
    text = " ".join(word["punctuated_word"] for word in many).encode()
    began = time.perf_counter()
    alignment = align(transcript, text, "talk.txt", {})
    aligned = time.perf_counter()
    alignment.corrected()
    print(
        f"100,000 words: aligned in {aligned - began:.1f} s, rebuilt in {time.perf_counter() - aligned:.1f} s"
    )


def synthetic(count: int) -> None:
    """Print the figures of speech with known times, clean and with noise."""
    import soundfile

    from benchmarks.recordings import RATE, with_noise
    from benchmarks.spoken import response_of, spoken

    with TemporaryDirectory() as folder:
        path = Path(folder, "spoken.wav")
        for name, as_the_api, noise in (
            ("flite, its very times", False, None),
            ("flite, times as the API's", True, None),
            ("the same, noise at 10 dB", True, 10),
        ):
            results = []
            for seed in range(count):
                words, samples = spoken(seed)
                soundfile.write(path, samples if noise is None else with_noise(samples, noise), RATE)
                response = response_of(words, as_the_api=as_the_api)
                heard_in = HeardIn(path, Config())
                results += [measured(response, again, heard_in) for again in range(5 * seed, 5 * seed + 5)]
            show(name, results)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, help="folder of responses, with those below it")
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--response", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument(
        "--spoken", type=int, default=0, help="recordings made with flite, with five seeds each"
    )
    given = parser.parse_args()
    longest: Sequence[Mapping[str, Any]] = ()
    for path in sorted(given.responses.rglob("*.json")) if given.responses else ():
        response = json.loads(path.read_bytes())
        words = response["results"]["channels"][0]["alternatives"][0]["words"]
        if any(map(unspaced, " ".join(word["word"] for word in words))):
            continue  # what a word is there is not told by the text
        longest = max(longest, words, key=len)
        show(path.name, (measured(response, seed) for seed in range(given.seeds)))
    if longest:
        speed(longest)
    if given.audio and given.response:
        response = json.loads(given.response.read_bytes())
        heard_in = HeardIn(given.audio, Config())
        show("with audio", (measured(response, seed, heard_in) for seed in range(given.seeds)))
        show(
            "with audio, lasting words",
            (measured(response, seed, heard_in, lasting=True) for seed in range(given.seeds)),
        )
    synthetic(given.spoken)


if __name__ == "__main__":
    main()
