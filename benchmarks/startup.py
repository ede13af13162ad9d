"""How long `dg` takes to start, against bare Python and against a bare httpx script.

    python -m venv /tmp/bare && /tmp/bare/bin/pip install httpx
    python -m venv /tmp/installed && /tmp/installed/bin/pip install '.[local]'
    /tmp/installed/bin/python benchmarks/startup.py --bare /tmp/bare/bin/python [--runs 15]

Takes the commands in turn, so that a machine that changes its speed changes it for all, and prints medians of the
ratios within each turn, and those of processor time, which a machine that is busy with other things changes less:

- `import dgcli`, `dg --version` and `dg file --help`, against `python -c pass`;
- `dg file` of a short file, from its start to its end, against a script of httpx alone that posts the same file
  to the same server on this machine and prints the transcript, in an environment that holds httpx alone.

The Python that runs it is the one that dg is installed in, as a wheel.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from sink import Sink

SCRIPT = """
import sys
import httpx

path, url = sys.argv[1:]
with open(path, "rb") as audio:
    answer = httpx.post(
        url + "/v1/listen",
        params={"model": "nova-3", "smart_format": "true"},
        headers={"Authorization": "Token key", "Content-Type": "audio/wav"},
        content=audio.read(),
        timeout=1500,
    )
answer.raise_for_status()
print(answer.json()["results"]["channels"][0]["alternatives"][0]["transcript"])
"""


class Times(NamedTuple):
    """Seconds of a command that succeeded: by the clock, and of the processor."""

    wall: float
    cpu: float


def timed(command: list[str], environment: dict[str, str]) -> Times:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Times(wall, usage.ru_utime + usage.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--bare", help="Python of an environment that holds httpx alone")
    arguments = parser.parse_args()
    dg = str(Path(sys.executable).with_name("dg"))
    # Byte code is there for whoever installed dg; without it every start would compile.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder, Sink() as sink:
        audio = Path(folder, "talk.wav")
        audio.write_bytes(b"RIFF" + bytes(1000))
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import dgcli": [sys.executable, "-c", "import dgcli"],
            "dg --version": [dg, "--version"],
            "dg file --help": [dg, "file", "--help"],
            "dg file": [dg, "file", str(audio), "--base-url", sink.url],
        }
        if arguments.bare:
            commands["httpx script"] = [arguments.bare, "-c", SCRIPT, str(audio), sink.url]
        for command in commands.values():
            timed(command, environment)  # warm
        turns = [
            {name: timed(command, environment) for name, command in commands.items()}
            for _ in range(arguments.runs)
        ]
    compared = [("import dgcli", 1.5), ("dg --version", 5.5), ("dg file --help", 25.0)]
    rows = [(name, "python -c pass", limit) for name, limit in compared]
    if arguments.bare:
        rows.append(("dg file", "httpx script", 1.15))
    for name, base, limit in rows:
        ratios = sorted(turn[name].wall / turn[base].wall for turn in turns)
        of_processor = statistics.median(turn[name].cpu / turn[base].cpu for turn in turns)
        print(
            f"{name:15} {statistics.median(turn[name].wall for turn in turns) * 1000:7.1f} ms"
            f"  {statistics.median(ratios):5.2f}x of {base} ({ratios[0]:.2f} to {ratios[-1]:.2f};"
            f" of processor time {of_processor:.2f}x; at most {limit}x wanted)"
        )


if __name__ == "__main__":
    main()
