"""How long `dg` takes to start, as multiples of bare Python.

    python benchmarks/startup.py [--runs 20]

Takes the commands in turn, so that a machine that changes its speed changes it for all, and prints medians:
`python -c pass`, `dg --version`, `dg file --help`, and the time from starting `dg file` until the head of its
request is at a server on this machine. Run it with the Python that dg is installed in, as a wheel.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sink import Sink


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Wall time of a command that succeeds, in seconds."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    runs: int = parser.parse_args().runs
    dg = str(Path(sys.executable).with_name("dg"))
    # Byte code is there for whoever installed dg; without it every start would compile.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    found: dict[str, list[float]] = {
        "python -c pass": [],
        "dg --version": [],
        "dg file --help": [],
        "request": [],
    }
    with tempfile.TemporaryDirectory() as folder, Sink() as sink:
        audio = Path(folder, "talk.wav")
        audio.write_bytes(b"RIFF" + bytes(1000))
        send = [dg, "file", str(audio), "--base-url", sink.url]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "dg --version": [dg, "--version"],
            "dg file --help": [dg, "file", "--help"],
        }
        for command in (*commands.values(), send):
            timed(command, environment)  # warm
        for _ in range(runs):
            for name, command in commands.items():
                found[name].append(timed(command, environment))
            began = time.perf_counter()
            timed(send, environment)
            found["request"].append(sink.arrivals[-1] - began)
    bare = statistics.median(found["python -c pass"])
    for name, limit in (("python -c pass", 1), ("dg --version", 8), ("dg file --help", 25), ("request", 18)):
        median = statistics.median(found[name])
        print(f"{name:16} {median * 1000:7.1f} ms  {median / bare:5.1f}x  (at most {limit}x)")


if __name__ == "__main__":
    main()
