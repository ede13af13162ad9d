"""Measure `dg live` with its sinks: CPU in the steady state, and hours of talk in flat memory.

    python benchmarks/live_sinks.py steady --seconds 30      # the installed dg, a WAV on a pipe in real time
    python benchmarks/live_sinks.py hours --hours 8          # the events of so much talk into each sink
    python benchmarks/live_sinks.py dense --hours 4          # the installed dg: 10 words and 10 interims a second

`dense` prints the memory of the process as the words of the audio are written, and what it is of that after 15 minutes.
`steady` prints the CPU time of the whole process after start-up, `hours` the time, the memory and the size of
the files. The server of `live_steady` answers.
"""

import argparse
import os
import re
import resource
import struct
import subprocess
import sys
import tempfile
import time
import tracemalloc
import wave
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from live_steady import DENSE, RATE, SECOND, begin

from dgcli.formats import RenderSettings
from dgcli.sinks.files import file_sink
from dgcli.transcript.events import Event, Final, Interim, Opened
from dgcli.transcript.model import Word

_STARTUP = 5.0  # seconds that are not counted


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def steady(seconds: float, *flags: str) -> None:
    pipe, server, port = begin(log=False)
    dg = [str(Path(sys.executable).with_name("dg")), "live", "-", "--encoding", "linear16"]
    dg += ["--sample-rate", str(RATE), "--base-url", f"http://127.0.0.1:{port}", *flags]
    process = subprocess.Popen(dg, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin
    begun, used, block = time.monotonic(), 0.0, bytes(SECOND // 10)
    for number in range(round((_STARTUP + seconds) * 10)):
        time.sleep(max(0.0, begun + number / 10 - time.monotonic()))
        process.stdin.write(block)
        process.stdin.flush()
        if number == _STARTUP * 10:
            used = cpu_seconds(process.pid)
    used = cpu_seconds(process.pid) - used
    process.stdin.close()
    process.wait()
    pipe.recv()
    server.join()
    print(f"dg live {' '.join(flags) or '(lines)'}: {used / seconds:.2%} of a core over {seconds:.0f} s")


def talk(seconds: float) -> Iterator[Event]:
    """A word every 0.4 s: interims each second, a final every 3 s, an utterance every 6 s."""
    yield Opened("benchmark", 1, 0.0)
    words: list[Word] = []
    for number in range(round(seconds / 0.4)):
        at = number * 0.4
        text = f"word{number % 977}" + ("." if number % 15 == 14 else "")
        words.append(Word(text, at, at + 0.3, 0.98, text.strip(".")))
        start, end, joined = words[0].start, at + 0.35, " ".join(w.text for w in words)
        raw = {"type": "Results", "channel": {"alternatives": [{"transcript": joined}]}}
        if len(words) == 7:
            ends = number % 14 > 6
            yield Final(0, 1, start, end, joined, tuple(words), speech_final=ends, raw=raw)
            words = []
        elif number % 2:
            yield Interim(0, 1, start, end, joined, tuple(words), end + 0.3, raw=raw)


def resident_of(pid: int) -> float:
    """MiB of a process in memory now; 0 when it is gone."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize() / 2**20


def resident() -> float:
    """MiB in memory now."""
    return resident_of(os.getpid())


def hours(count: float) -> None:
    events = sum(1 for _ in talk(count * 3600))
    for suffix in ("txt", "srt", "vtt", "json", "jsonl", "csv", "ass", "ttml", "md", "html"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"talk.{suffix}"
            sink = file_sink(path, RenderSettings())
            tracemalloc.start()
            half = 0
            for number, event in enumerate(talk(count * 3600)):
                sink.handle(event)
                if number == events // 16:
                    half = tracemalloc.get_traced_memory()[0]
            grown = tracemalloc.get_traced_memory()[0] - half
            tracemalloc.stop()
            sink.close()
            begun = time.process_time()
            again = file_sink(path, RenderSettings())
            for event in talk(count * 3600):
                again.handle(event)
            middle = time.process_time()
            again.close()
            print(
                f".{suffix}: {events} events of {count:g} h in {middle - begun:.1f} s of CPU "
                f"({(middle - begun) / (count * 3600):.3%} of a core in real time), close "
                f"{time.process_time() - middle:.1f} s; {path.stat().st_size / 2**20:.1f} MiB on disk; memory "
                f"grew by {grown / 1024:.0f} KiB after the first half hour; {resident():.0f} MiB resident"
            )


def written_to(captions: Path) -> float:
    """Seconds of audio up to which a growing SRT file has cues."""
    try:
        with captions.open("rb") as file:
            file.seek(max(0, captions.stat().st_size - 2000))
            ends = re.findall(rb"--> (\d+):(\d+):(\d+)", file.read())
    except FileNotFoundError:
        return 0.0
    return float(int(ends[-1][0]) * 3600 + int(ends[-1][1]) * 60 + int(ends[-1][2])) if ends else 0.0


def dense(count: float, speed: float, suffixes: list[str]) -> None:
    """Stream a file of silence at so many times real time, and look at the memory of the process."""
    pipe, server, port = begin(log=False, talk=DENSE)
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder, "silence.wav")
        with wave.open(str(audio), "wb") as file:
            file.setparams((1, 2, RATE, round(count * 3600 * RATE), "NONE", ""))
            file.writeframesraw(b"")
        with audio.open("r+b") as raw:  # a hole, that takes no room on the disk
            raw.truncate(44 + round(count * 3600) * SECOND)
            raw.seek(4)
            raw.write(struct.pack("<I", 36 + round(count * 3600) * SECOND))
            raw.seek(40)
            raw.write(struct.pack("<I", round(count * 3600) * SECOND))
        outputs = [word for suffix in suffixes for word in ("-o", f"{folder}/talk.{suffix}")]
        dg = [
            str(Path(sys.executable).with_name("dg")),
            "live",
            str(audio),
            "--speed",
            str(speed),
            "--force-speed",
        ]
        process = subprocess.Popen(
            [*dg, *outputs, "-f", "text", "--base-url", f"http://127.0.0.1:{port}"], stdout=subprocess.DEVNULL
        )
        memory: list[tuple[float, float]] = []
        mark = 0.0
        while process.poll() is None:
            at = written_to(Path(folder, "talk.srt"))
            if at and (used := resident_of(process.pid)):
                memory.append((at, used))
                if at >= mark:
                    print(
                        f"{at / 3600:5.2f} h written, {used:6.1f} MiB, {cpu_seconds(process.pid):6.1f} s of CPU",
                        flush=True,
                    )
                    mark = at + count * 450
            time.sleep(0.2)
        print({path.name: path.stat().st_size for path in sorted(Path(folder).glob("talk.*"))})
        early = max(used for at, used in memory if at <= 900)
        late = max(used for at, used in memory if at > 900)
        print(f"at most {early:.1f} MiB in 15 minutes, {late:.1f} MiB after that: {late / early:.2f}x")
    pipe.recv()
    server.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("steady").add_argument("--seconds", type=float, default=30.0)
    commands.add_parser("hours").add_argument("--hours", type=float, default=8.0)
    of_dense = commands.add_parser("dense")
    of_dense.add_argument("--hours", type=float, default=4.0)
    of_dense.add_argument("--speed", type=float, default=200.0)
    of_dense.add_argument("--files", nargs="*", default=["txt", "srt", "json"])
    given = parser.parse_args()
    if given.command == "dense":
        dense(given.hours, given.speed, given.files)
        return
    if given.command == "hours":
        hours(given.hours)
        return
    steady(given.seconds)
    with tempfile.TemporaryDirectory() as folder:
        steady(given.seconds, "-o", f"{folder}/talk.srt", "-o", f"{folder}/talk.json", "-f", "text")


if __name__ == "__main__":
    main()
