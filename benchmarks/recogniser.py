"""What the local recogniser hears in recordings, and what that costs: words, CPU, memory, times, key terms.

    python benchmarks/recogniser.py [--model DIR] [--only words,noise,...] [FOLDER ...]

Needs the extra `local`; for word times and key terms the program flite. Recordings are all audio files in the
folders that have a .txt of the same name beside them; without a folder, those in ../shared/audio whose text is
known. `--model` is the folder of the weights (else tiny.en in the folder that DGCLI_MODELS names).

    words    words right, as it was recorded
    noise    the same with white noise at 10 dB below the speech
    nothing  words in 30 s each of silence, white noise, pink noise and chords
    cpu      CPU seconds per second of audio, all processes, of 10 minutes of speech and of each recording alone
    times    word starts and ends against the known ones of machine speech with gaps
    terms    rare names with and without `keyterm`, and what key terms cost where nobody says them
    command  seconds of `dg file --local` from start to text
    memory   memory of all processes for 10 hours of audio, sparse, in one request
"""

import argparse
import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from recordings import Recording, recordings, samples_of, sounds, with_noise
from scoring import Score, score, words_of

from dgcli.server import wording
from dgcli.server.engines.base import RATE, Audio, HeardWord, Recognition, Wishes
from dgcli.server.engines.local import WhisperEngine
from dgcli.server.models import LocalModel, OneModel

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["Wojciechowski", "Tchoupitoulas", "Quetzalcoatl", "Ozymandias"]
SENTENCE = "Yesterday I had a long talk with {} about the plans for next week."
VOICES = ["kal16", "rms", "slt"]
GAPPED = "seven|garden|yellow|mountain|window|paper|silver|doctor|never|table|orange|music".split("|")
GAP = 0.6  # seconds


class Bench:
    """Recognises, each time with processes of its own, so that their cost can be told."""

    def __init__(self, model: LocalModel, folder: Path) -> None:
        self._model = model
        self.folder = folder

    def hear(
        self,
        paths: Sequence[Path],
        terms: Sequence[str] = (),
        progress: Callable[[float], None] = lambda _: None,
    ) -> list[Recognition]:
        async def all_of_them() -> list[Recognition]:
            engine = WhisperEngine(OneModel(self._model), os.cpu_count() or 1, max_seconds=24 * 3600)
            engine.start()
            try:
                wishes = Wishes(vocabulary=terms)
                return [await engine.recognise(Audio(path), wishes, progress) for path in paths]
            finally:
                engine.close()

        return asyncio.run(all_of_them())

    def write(self, name: str, samples: Any) -> Path:
        path = self.folder / f"{name}.wav"
        soundfile.write(path, samples, RATE)
        return path

    def say(self, name: str, voice: str, text: str) -> Path:
        path = self.folder / f"{name}.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True)
        return path


def words_in(recognition: Recognition) -> Sequence[HeardWord]:
    return [word for heard in recognition.channels for word in heard.words]


def text_of(recognition: Recognition) -> str:
    return wording.text_of(wording.without_fillers(words_in(recognition)))


def cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def words(bench: Bench, corpus: Sequence[Recording]) -> None:
    total = Score(0, 0, 0)
    for recording, heard in zip(corpus, bench.hear([each.path for each in corpus]), strict=True):
        result = score(text_of(heard), recording.text)
        total += result
        print(f"  {recording.name:<24} {result}", flush=True)
    print(f"  {'all':<24} {total}")


def noise(bench: Bench, corpus: Sequence[Recording]) -> None:
    noisy = [
        Recording(
            each.name, bench.write(f"{each.name}-noise", with_noise(samples_of(each.path), 10)), each.text
        )
        for each in corpus
    ]
    words(bench, noisy)


def nothing(bench: Bench, _: Sequence[Recording]) -> None:
    for name, samples in sounds().items():
        (heard,) = bench.hear([bench.write(name.replace(" ", "-"), samples.astype(np.float32))])
        print(f"  {name:<24} {len(words_in(heard))} words {text_of(heard)}", flush=True)


def cpu(bench: Bench, corpus: Sequence[Recording]) -> None:
    pause = np.zeros(RATE // 2, np.float32)
    speech = np.concatenate([part for each in corpus for part in (samples_of(each.path), pause)])
    long = np.tile(speech, -(-600 * RATE // len(speech)))[: 600 * RATE]
    for name, paths in [("10 minutes", [bench.write("long", long)]), *((e.name, [e.path]) for e in corpus)]:
        began, clock = cpu_seconds(), time.monotonic()
        (heard,) = bench.hear(paths)
        used, wall = cpu_seconds() - began, time.monotonic() - clock
        print(
            f"  {name:<24} {used / heard.duration:.3f}, {used:.1f} s; {wall:.1f} s by the clock", flush=True
        )


def times(bench: Bench, _: Sequence[Recording]) -> None:
    starts, ends, missing = [], [], 0
    for voice in VOICES:
        parts, known, at = [np.zeros(RATE, np.float32)], [], 1.0
        for word in GAPPED:
            samples = samples_of(bench.say("word", voice, word))
            loud = np.nonzero(np.abs(samples) > 0.02)[0]
            known.append((word, at + loud[0] / RATE, at + loud[-1] / RATE))
            parts += [samples, np.zeros(round(GAP * RATE), np.float32)]
            at += len(samples) / RATE + round(GAP * RATE) / RATE
        (heard,) = bench.hear([bench.write("gapped", np.concatenate(parts))])
        for word, start, end in known:
            same = [w for w in words_in(heard) if w.text == word or words_of(w.text) == words_of(word)]
            if same:
                nearest = min(same, key=lambda w: abs(w.start - start))
                starts.append(abs(nearest.start - start))
                ends.append(abs(nearest.end - end))
            else:
                missing += 1
    for name, errors in (("starts", starts), ("ends", ends)):
        p95 = statistics.quantiles(errors, n=20)[-1]
        print(f"  {name:<24} median {statistics.median(errors):.2f} s, p95 {p95:.2f} s", flush=True)
    print(f"  {'words':<24} {len(starts)}, {missing} were not recognised")


def terms(bench: Bench, corpus: Sequence[Recording]) -> None:
    spoken = [
        (name, bench.say(f"{name}-{voice}", voice, SENTENCE.format(name)))
        for name in NAMES
        for voice in VOICES
    ]
    for title, given in (("without key terms", ()), ("with key terms", NAMES)):
        heard = bench.hear([path for _, path in spoken], given)
        right = sum(
            name.lower() in text_of(each).lower() for (name, _), each in zip(spoken, heard, strict=True)
        )
        print(f"  {title:<24} {right} of {len(spoken)} names", flush=True)
        total = Score(0, 0, 0)
        for recording, each in zip(corpus, bench.hear([r.path for r in corpus], given), strict=True):
            total += score(text_of(each), recording.text)
        print(f"  {'  the recordings':<24} {total}", flush=True)


def command(_: Bench, corpus: Sequence[Recording]) -> None:
    dg = Path(sys.executable).with_name("dg")
    for recording in corpus:
        began = time.monotonic()
        subprocess.run([dg, "file", recording.path, "--local"], check=True, capture_output=True)
        seconds = soundfile.info(recording.path).duration
        print(
            f"  {recording.name:<24} {time.monotonic() - began:.1f} s for {seconds:.0f} s of audio",
            flush=True,
        )


def descendants(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from descendants(int(child))


def resident() -> float:
    """Return the megabytes of this process and its children, shared pages counted once."""
    total = 0
    for pid in descendants(os.getpid()):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1000


@contextmanager
def watched(every: float) -> Iterator[list[float]]:
    """Note the memory from time to time."""
    seen: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(every):
            try:
                seen.append(resident())
            except OSError:
                continue  # a process ended while it was looked at

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def memory(bench: Bench, corpus: Sequence[Recording]) -> None:
    speech = np.concatenate([samples_of(each.path) for each in corpus])[: 60 * RATE]
    path = bench.folder / "hours.flac"
    with soundfile.SoundFile(path, "w", RATE, 1, format="FLAC") as file:
        for _ in range(60):  # ten minutes each, with a minute of speech
            file.write(speech)
            for _ in range(9):
                file.write(np.zeros(60 * RATE, np.float32))
    marks: list[tuple[float, int]] = []
    before = resident()
    with watched(1.0) as seen:
        (heard,) = bench.hear([path], progress=lambda share: marks.append((share, len(seen))))
    first_hour = next(number for share, number in marks if share >= 0.1)
    print(f"  {'before':<24} {before:.0f} MB")
    print(f"  {'first hour':<24} {max(seen[: first_hour + 1]):.0f} MB")
    print(f"  {'all ten':<24} {max(seen):.0f} MB, {len(words_in(heard))} words")


SECTIONS: dict[str, Callable[[Bench, Sequence[Recording]], None]] = {
    "words": words,
    "noise": noise,
    "nothing": nothing,
    "cpu": cpu,
    "times": times,
    "terms": terms,
    "command": command,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--model", type=Path, default=Path(os.environ.get("DGCLI_MODELS", ".")) / "tiny.en")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, separated by commas")
    arguments = parser.parse_args()
    name = arguments.model.name
    model = LocalModel(name, arguments.model, english_only=name.endswith(".en"))
    corpus = list(recordings(arguments.folders))
    with tempfile.TemporaryDirectory() as folder:
        for section in arguments.only.split(","):
            if section in ("times", "terms") and shutil.which("flite") is None:
                print(f"{section}: left out, flite is not installed")
                continue
            print(section)
            SECTIONS[section](Bench(model, Path(folder)), corpus)


if __name__ == "__main__":
    main()
