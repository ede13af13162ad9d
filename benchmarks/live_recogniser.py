"""Words, speed and cost of the local recogniser on live streams, as a client at real time meets them.

    python benchmarks/live_recogniser.py [PART ...] [--folder DIR]

Needs the extra `local`, Linux (it reads /proc) and the model tiny.en in the folder that DGCLI_MODELS names. Each
part starts a server of its own in another process and speaks to it over the WebSocket. Parts, all by default:

    words       the recordings, clean and with white noise at 10 dB: words right and extra words
    long        the first recording seven times, without its pauses: words right, runs lost or said twice
    nothing     30 s each of silence, white noise, pink noise and chords: words, and CPU of the silence
    streams     1, 4 and 8 streams at once: final after the endpoint, first words after the onset, memory, CPU
    endpoints   words right against the shortest silence that ends an utterance (why the floor is where it is)

The recordings are those in DIR that have their words beside them (NAME.txt), or those in ../shared/audio. A word is
right where the alignment of fewest edits says so; spelling variants are equal. Times are the client's, so another
program that works at the same time shows in them.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from recordings import RATE, ROOT, recordings, samples_of, sounds, with_noise
from scoring import words_of
from websockets.asyncio.client import connect

BLOCK = 1_600  # samples sent at once
SERVER = """
import sys, time
from pathlib import Path
from dgcli.server.engines import segmenter
from dgcli.server.models import LocalModel, OneModel
from dgcli.server.run import ServerSettings, running
if sys.argv[2]:
    segmenter.SHORTEST_SILENCE = float(sys.argv[2])
model = OneModel(LocalModel("tiny.en", Path(sys.argv[1]), english_only=True))
with running(ServerSettings(models=model)) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@dataclass
class Alignment:
    """An alignment: words right, extra ones, and the longest runs lost and said twice."""

    right: int
    extra: int
    lost_run: int
    extra_run: int
    wrong: list[str]


def aligned(spoken: Sequence[str], heard: Sequence[str]) -> Alignment:
    """Align what was heard with what was spoken by the fewest edits."""
    rows, columns = len(spoken) + 1, len(heard) + 1
    cost = np.zeros((rows, columns), int)
    cost[:, 0], cost[0] = np.arange(rows), np.arange(columns)
    for i in range(1, rows):
        for j in range(1, columns):
            same = cost[i - 1, j - 1] + (spoken[i - 1] != heard[j - 1])
            cost[i, j] = min(same, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    edits = []
    i, j = rows - 1, columns - 1
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (spoken[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            edits.append("=" if spoken[i] == heard[j] else f"{spoken[i]}/{heard[j]}")
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            edits.append(f"-{spoken[i]}")
        else:
            j -= 1
            edits.append(f"+{heard[j]}")

    def longest(mark: str) -> int:
        runs = "".join(mark if edit.startswith(mark) else " " for edit in edits).split()
        return max(map(len, runs), default=0)

    wrong = [edit for edit in reversed(edits) if edit != "="]
    extra = sum(edit.startswith("+") for edit in edits)
    return Alignment(edits.count("="), extra, longest("-"), longest("+"), wrong)


def without_pauses(audio: Any) -> Any:
    """Drop what is 35 dB below the loudest, longer than a tenth of a second at a time."""
    frames = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    loud = level > level.max() - 35
    near = np.convolve(loud, np.ones(5), "same") > 0
    return frames[near].reshape(-1)


@dataclass
class Server:
    """A server in a process of its own, with the processes that it started."""

    url: str
    pid: int

    def processes(self) -> list[int]:
        """Return the server's process and its descendants."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue  # it has ended meanwhile
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
        family = [self.pid]
        for pid in family:
            family += parents.get(pid, [])
        return family

    def cpu(self) -> float:
        """Return the CPU seconds that all have used."""
        ticks = 0
        for fields in self._read("stat"):
            ticks += sum(int(field) for field in fields.rpartition(")")[2].split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the MB that all hold, shared pages counted once."""
        lines = [line for text in self._read("smaps_rollup") for line in text.splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000

    def _read(self, name: str) -> Iterator[str]:
        for pid in self.processes():
            with suppress(OSError):  # one that has ended meanwhile
                yield Path(f"/proc/{pid}/{name}").read_text()


@contextmanager
def serving(silence: float | None = None) -> Iterator[Server]:
    """Run a server, warm."""
    folder = Path(os.environ["DGCLI_MODELS"]) / "tiny.en"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), str(silence or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        server = Server(process.stdout.readline().strip(), process.pid)
        asyncio.run(
            stream(server, samples_of(ROOT / "tests/audio/preamble-rms.flac")[: 3 * RATE], pace=False)
        )
        yield server
    finally:
        process.stdin.close()
        process.wait()


@dataclass
class Heard:
    """What a client saw of a stream; times of its own clock, in seconds since its first block."""

    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)  # when each block was

    def finals(self) -> list[tuple[float, dict[str, Any]]]:
        return [(at, m) for at, m in self.messages if m["type"] == "Results" and m["is_final"]]

    def words(self) -> list[str]:
        return words_of(" ".join(m["channel"]["alternatives"][0]["transcript"] for _, m in self.finals()))

    def when_sent(self, seconds: float) -> float:
        """Return when the block with a moment of the audio was sent."""
        return self.sent[min(max(int(np.ceil(seconds * RATE / BLOCK)) - 1, 0), len(self.sent) - 1)]

    def after_endpoint(self) -> list[float]:
        """Return how long after each endpoint its final came."""
        return [
            at - self.when_sent(m["start"] + m["duration"])
            for at, m in self.finals()
            if m["speech_final"] and m["channel"]["alternatives"][0]["transcript"]
        ]

    def after_onset(self) -> list[float]:
        """Return how long after each onset the first words came."""
        waits = []
        onset = None
        for at, message in self.messages:
            if message["type"] == "SpeechStarted":
                onset = onset if onset is not None else message["timestamp"]
            elif onset is not None and message["type"] == "Results":
                covers = message["start"] + message["duration"] > onset
                if covers and message["channel"]["alternatives"][0]["transcript"]:
                    waits.append(at - self.when_sent(onset))
                    onset = None
        return waits

    def interims(self) -> int:
        return sum(m["type"] == "Results" and not m["is_final"] for _, m in self.messages)


async def stream(server: Server, audio: Any, *, pace: bool = True, delay: float = 0.0) -> Heard:
    """Send audio at real time and take what comes back."""
    data = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    query = f"encoding=linear16&sample_rate={RATE}&interim_results=true&smart_format=true&vad_events=true"
    heard = Heard()
    await asyncio.sleep(delay)
    async with connect(f"{server.url.replace('http', 'ws')}/v1/listen?{query}", max_size=None) as socket:
        began = time.monotonic()

        async def receive() -> None:
            async for text in socket:
                heard.messages.append((time.monotonic() - began, json.loads(text)))

        receiving = asyncio.create_task(receive())
        for number, at in enumerate(range(0, len(data), BLOCK * 2)):
            if pace:
                due = (number + 1) * BLOCK / RATE
                await asyncio.sleep(max(began + due - time.monotonic(), 0))
            await socket.send(data[at : at + BLOCK * 2])
            heard.sent.append(time.monotonic() - began)
        await socket.send('{"type":"CloseStream"}')
        await receiving
    return heard


async def together(server: Server, audios: Sequence[Any], stagger: float = 0.0) -> list[Heard]:
    """Run a stream for each."""
    return await asyncio.gather(
        *(stream(server, audio, delay=number * stagger) for number, audio in enumerate(audios))
    )


def _words(files: dict[str, tuple[Any, list[str]]]) -> None:
    with serving() as server:
        for label, change in (("clean", lambda audio: audio), ("10 dB", lambda audio: with_noise(audio, 10))):
            before, seconds, extra = server.cpu(), 0.0, 0
            for name, (audio, spoken) in files.items():
                heard = asyncio.run(stream(server, change(audio)))
                result = aligned(spoken, heard.words())
                seconds += len(audio) / RATE
                extra += result.extra
                print(f"  {name:<12} {label:<6} {result.right:3} of {len(spoken)}  {' '.join(result.wrong)}")
            used = (server.cpu() - before) / seconds
            print(
                f"  {'all':<12} {label:<6} {extra} extra words, {used:.2f} CPU seconds per second", flush=True
            )


def _long(files: dict[str, tuple[Any, list[str]]]) -> None:
    audio, spoken = next(iter(files.values())) if "preamble" not in files else files["preamble"]
    audio = np.tile(without_pauses(audio), 7)
    with serving() as server:
        heard = asyncio.run(stream(server, audio))
        result = aligned(spoken * 7, heard.words())
        print(
            f"  {len(audio) / RATE:.0f} s: {result.right} of {len(spoken) * 7}, longest run lost"
            f" {result.lost_run}, said twice {result.extra_run}, {result.extra} extra;"
            f" {' '.join(result.wrong)}"
        )


def _nothing() -> None:
    with serving() as server:
        for name, audio in sounds().items():
            before = server.cpu()
            heard = asyncio.run(stream(server, audio))
            used = (server.cpu() - before) / 30
            print(f"  {name:<12} {len(heard.words())} words, {used:.4f} CPU seconds per second", flush=True)


def _streams(files: dict[str, tuple[Any, list[str]]], counts: Sequence[int]) -> None:
    audios = [audio for audio, _ in files.values()]
    pause = np.zeros(RATE, np.float32)
    for count in counts:
        with serving() as server:
            before = server.cpu()
            loops = [
                np.concatenate(
                    [part for n in range(3) for part in (audios[(number + n) % len(audios)], pause)]
                )
                for number in range(count)
            ]
            shortest = min(map(len, loops))
            loops = [loop[:shortest] for loop in loops]
            heard = asyncio.run(together(server, loops, stagger=0.37))
            memory = server.memory()
            used = (server.cpu() - before) / (sum(map(len, loops)) / RATE)
            finals = sorted(wait for h in heard for wait in h.after_endpoint())
            onsets = sorted(wait for h in heard for wait in h.after_onset())
            interims = sum(h.interims() for h in heard) / (sum(map(len, loops)) / RATE)
            print(
                f"  {count} streams: {len(finals)} endpoints, final after p50 {median(finals):.2f}"
                f" p95 {finals[int(len(finals) * 0.95)]:.2f} s; first words after the onset p50"
                f" {median(onsets):.2f} p95 {onsets[int(len(onsets) * 0.95)]:.2f} s;"
                f" {interims:.2f} interims a second; {used:.2f} CPU seconds per second; {memory:.0f} MB",
                flush=True,
            )


def _endpoints(files: dict[str, tuple[Any, list[str]]]) -> None:
    for silence in (0.2, 0.3, 0.4, 0.5, 0.6):
        with serving(silence) as server:
            cells = []
            for change in (lambda audio: audio, lambda audio: with_noise(audio, 10)):
                heard = asyncio.run(together(server, [change(audio) for audio, _ in files.values()]))
                for h, (name, (_, spoken)) in zip(heard, files.items(), strict=True):
                    result = aligned(spoken, h.words())
                    cells.append(f"{name} {result.right}+{result.extra}")
            print(f"  {silence} s: {'  '.join(cells)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parts = ["words", "long", "nothing", "streams", "endpoints"]
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--folder", type=Path, help="recordings with a .txt beside each")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4, 8], help="how many at once")
    options = parser.parse_args()
    files = {
        each.name: (samples_of(each.path), words_of(each.text))
        for each in recordings([options.folder] if options.folder else [])
    }
    for part in options.parts or parts:
        print(part, flush=True)
        match part:
            case "words":
                _words(files)
            case "long":
                _long(files)
            case "nothing":
                _nothing()
            case "streams":
                _streams(files, options.streams)
            case "endpoints":
                _endpoints(files)
            case _:
                parser.error(f"there is no part {part!r}")


if __name__ == "__main__":
    main()
