"""Measure `dg live` with its sinks: CPU in the steady state, and hours of talk in flat memory.

    python benchmarks/live_sinks.py steady --seconds 30      # the installed dg, a WAV on a pipe in real time
    python benchmarks/live_sinks.py hours --hours 8          # the events of so much talk into each sink

`steady` prints the CPU time of the whole process after start-up, `hours` the time, the memory and the size of
the files. The server of `live_steady` answers.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from live_steady import RATE, SECOND, begin

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


def resident() -> float:
    """MiB in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def hours(count: float) -> None:
    events = sum(1 for _ in talk(count * 3600))
    for suffix in ("txt", "srt", "vtt", "json", "jsonl"):
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("steady").add_argument("--seconds", type=float, default=30.0)
    commands.add_parser("hours").add_argument("--hours", type=float, default=8.0)
    given = parser.parse_args()
    if given.command == "hours":
        hours(given.hours)
        return
    steady(given.seconds)
    with tempfile.TemporaryDirectory() as folder:
        steady(given.seconds, "-o", f"{folder}/talk.srt", "-o", f"{folder}/talk.json", "-f", "text")


if __name__ == "__main__":
    main()
