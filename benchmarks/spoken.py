"""Speech of the program flite, with pauses, whose word times are known from its phones."""

import random
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.recordings import RATE, samples_of

VOICES = ("slt", "rms", "awb", "kal16")
PAUSES = (0.0, 0.15, 0.3, 0.5, 0.8, 1.2)  # seconds
MARKS = ("", "", ",", ",", ".")
PHRASES = """we could not find the keys / so they went back to the house / because the door was open / in the end
he said that nothing had changed / but the water was already rising / when you arrive at the station
ask for the man in the blue coat / it takes about an hour to get there / maybe we should wait until tomorrow
the price of bread went up again / and nobody was surprised / everything depends on the weather / to be honest
she wrote a letter to her brother / who lives on the other side of the river / that is all I can tell you
please send me the report before noon / there are seven people in the room / some of them have never met
I do not know what to think / the children were playing in the garden / until it got dark
if you want my opinion / it was a very good idea / we have to be careful with the numbers
a small group of students / came to the meeting last week / for the first time in years"""

Word = tuple[str, float, float]  # text, start and end in seconds


@cache
def _phones(text: str, voice: str) -> tuple[Sequence[Word], Any]:
    """Return the phones of a text without silence around it, and its samples."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        samples = samples_of(path)
    phones, at = [], 0.0
    for item in printed.split():
        name, _, end = item.rpartition(":")
        phones.append((name, at, float(end)))
        at = float(end)
    phones = [phone for phone in phones if phone[0] != "pau"]
    first, last = phones[0][1], phones[-1][2]
    moved = [(name, start - first, end - first) for name, start, end in phones]
    return moved, samples[int(first * RATE) : int(last * RATE)]


def _phrase(text: str, voice: str) -> tuple[list[Word], Any] | None:
    """Return the words of a phrase; None where its phones are not those of the words one by one."""
    phones, samples = _phones(text, voice)
    words, at = [], 0
    for word in text.split():
        end = at + len(_phones(word, voice)[0])
        if end > len(phones):
            return None
        words.append((word, phones[at][1], phones[end - 1][2]))
        at = end
    return (words, samples) if at == len(phones) else None


def spoken(seed: int) -> tuple[list[Word], Any]:
    """Return the words and the samples of seven phrases with pauses between them, of which most have a mark."""
    chance = random.Random(seed)
    voice = chance.choice(VOICES)
    texts = [text.strip() for text in PHRASES.replace("\n", "/").split("/")]
    phrases = [phrase for text in chance.sample(texts, len(texts)) if (phrase := _phrase(text, voice))]
    words: list[Word] = []
    parts, at = [np.zeros(RATE // 2, np.float32)], 0.5
    for own, samples in phrases[:7]:
        pause = np.zeros(int(chance.choice(PAUSES) * RATE), np.float32)
        mark = chance.choice(MARKS) if len(pause) else ""
        words += [(word, at + start, at + end) for word, start, end in own]
        words[-1] = (words[-1][0] + mark, *words[-1][1:])
        parts += [0.5 * samples / np.abs(samples).max(), pause]
        at += (len(samples) + len(pause)) / RATE
    audio = np.concatenate([*parts, np.zeros(RATE // 2, np.float32)])
    return words, (audio + np.random.default_rng(seed).normal(0, 1e-3, len(audio))).astype(np.float32)


def _as_the_api(words: Sequence[Word]) -> Iterator[Word]:
    """Yield the words in steps of 80 ms, a step early, each until the next one or for 0.5 s at most."""
    starts: list[float] = []
    for _, start, _ in words:
        step = max(round((start - 0.08) / 0.08), 0)
        starts.append(max(0.08 * step, starts[-1] + 0.08 if starts else 0.0))
    for at, (text, _, end) in enumerate(words):
        following = starts[at + 1] if at + 1 < len(words) else end
        until = (
            following if at + 1 < len(words) and words[at + 1][1] - end < 0.1 else 0.08 * round(end / 0.08)
        )
        yield text, starts[at], max(min(until, following, starts[at] + 0.5), starts[at])


def response_of(words: Sequence[Word], *, as_the_api: bool) -> dict[str, Any]:
    """Return a response with the words, at their very times or as the API gives them."""
    timed = _as_the_api(words) if as_the_api else words
    items = [
        {
            "word": text.strip(".,").lower(),
            "punctuated_word": text,
            "start": round(start, 3),
            "end": round(end, 3),
            "confidence": 0.9,
        }
        for text, start, end in timed
    ]
    transcript = " ".join(text for text, _, _ in words)
    return {
        "metadata": {},
        "results": {"channels": [{"alternatives": [{"transcript": transcript, "words": items}]}]},
    }
