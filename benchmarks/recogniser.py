"""Words right against options and speed, of the embedded recogniser: how its settings were chosen.

    python benchmarks/recogniser.py [--quick]

Needs the extra `local` and, for the real recording, ../shared/audio beside the checkout. Every row is the
number of the 52 words of the Preamble that were right (real reader / flite's rms voice) and the seconds of
one core per second of audio. The figures below are from a machine with 2 cores.

    whole files, beams (log10 of beam, wbeam)        real  rms  speed
      -48, -28 (the default)                           44   52   0.14
      -54, -34                                         44   52   0.17
      -60, -40                                         47   52   0.23   chosen
      -64, -40                                         47   52   0.21
      -80, -60                                         47   52   0.42

    pieces (chosen beams), each cut in the quietest 0.3 s near an even split
      1                                                47   52   0.22
      2 (9.5 s and 13 s each)                          47   52   0.21   chosen: about 15 s
      3                                                46   51   0.21
      4                                                46   52   0.22
      6                                                46   50   0.20

    live, shortest silence that ends an utterance (s)
      0.2                                              43   52   0.22
      0.3                                              47   52   0.22   chosen
      0.4                                              46   52   0.31
      0.5                                              47   52   0.37
"""

import argparse
import time
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dgcli.server.decode import cuts, decode
from dgcli.server.engines import listener as listener_module
from dgcli.server.engines.base import RATE, Audio
from dgcli.server.engines.listener import Listener
from dgcli.server.engines.sphinx import Recogniser

ROOT = Path(__file__).resolve().parents[1]
FILES = {
    "real": ROOT.parent / "shared" / "audio" / "preamble.wav",
    "rms": ROOT / "tests" / "audio" / "preamble-rms.flac",
}
SPOKEN = "".join(
    c for c in (ROOT / "tests/audio/preamble-rms.txt").read_text().lower() if c.isalpha() or c in " \n"
).split()


def pcm_of(path: Path) -> bytes:
    with TemporaryDirectory() as folder:
        return decode(Audio(path), Path(folder)).tracks[0].path.read_bytes()


def right(heard: list[str]) -> int:
    # "insure" and "ensure" are one word to the ear.
    heard = ["insure" if word == "ensure" else word for word in heard]
    matcher = SequenceMatcher(None, SPOKEN, heard, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


def row(name: str, audio: dict[str, bytes], hear: Callable[[bytes], list[str]]) -> None:
    cells = []
    used = seconds = 0.0
    for label, pcm in audio.items():
        began = time.process_time()
        cells.append(f"{label} {right(hear(pcm)):3}")
        used += time.process_time() - began
        seconds += len(pcm) / 2 / RATE
    print(f"  {name:<44} {'  '.join(cells)}  {used / seconds:.2f}", flush=True)


def in_pieces(pcm: bytes, pieces: int) -> Iterator[bytes]:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    frame = RATE // 100
    loudness = (samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1)
    edges = [0, *(cut * frame * 2 for cut in cuts(loudness, pieces)), len(pcm)]
    for start, end in pairwise(edges):
        yield pcm[start:end]


def live(pcm: bytes, endpointing: float | None) -> list[str]:
    words: list[str] = []

    def emit(event: dict[str, Any]) -> None:
        if event.get("is_final"):
            words.extend(word[0] for word in event["words"])

    listener = Listener(0, endpointing, (), emit)
    for at in range(0, len(pcm), 3200):
        listener.accept(pcm[at : at + 3200])
    listener.finish()
    return words


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="the chosen settings only")
    quick = parser.parse_args().quick
    audio = {label: pcm_of(path) for label, path in FILES.items() if path.exists()}

    print("whole files, beams (log10 of beam, wbeam)")
    for beam, word_beam in (
        [(-60, -40)] if quick else [(-48, -28), (-54, -34), (-60, -40), (-64, -40), (-80, -60)]
    ):
        options = {"beam": 10.0**beam, "wbeam": 10.0**word_beam, "pbeam": 10.0**beam}
        recogniser = Recogniser(**options)
        row(f"{beam}, {word_beam}", audio, lambda pcm: [w[0] for w in recogniser.words(pcm)[0]])  # noqa: B023

    print("pieces")
    recogniser = Recogniser()
    for pieces in [2] if quick else [1, 2, 3, 4, 6]:
        row(
            str(pieces),
            audio,
            lambda pcm: [w[0] for part in in_pieces(pcm, pieces) for w in recogniser.words(part)[0]],  # noqa: B023
        )

    print("live, shortest silence that ends an utterance (s)")
    for silence in [0.3] if quick else [0.2, 0.3, 0.4, 0.5]:
        listener_module._SHORTEST_SILENCE = silence
        row(str(silence), audio, lambda pcm: live(pcm, 0.01))


if __name__ == "__main__":
    main()
