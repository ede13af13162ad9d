"""What it costs a short `dg file` to keep its answer in the history.

    python benchmarks/history.py [--runs 40] [--entries 20000]

Runs `dg file` with and without `--no-history` in turn, against a server on this machine, and prints the medians of
the differences between neighbours: wall time and CPU time. First with an empty history, then with so many answers
in it. Then what the store itself takes, in one process: to load it, which a run without it does too, to keep an
answer of 100 kB, to find one by its key, to find the newest, to list all. Run it with the Python that dg is
installed in.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sink import Sink

from dgcli.output.history import History
from dgcli.output.history_entry import Facts

LOAD = """
import time, dgcli.api.client, dgcli.tasks.ask, dgcli.output.plan
began = time.perf_counter()
import dgcli.tasks.keeping
print((time.perf_counter() - began) * 1000)
"""
LIMIT = 5.0  # ms that keeping may cost a short run


def spent(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU time of a command that succeeds, in ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall * 1000, cpu * 1000


def compare(runs: int, command: list[str], environment: dict[str, str]) -> None:
    """Print what the history adds to a command."""
    pairs = []
    for number in range(runs):
        order = ([], ["--no-history"]) if number % 2 else (["--no-history"], [])
        times = {bool(flags): spent([*command, *flags], environment) for flags in order}
        pairs.append((times[False], times[True]))
    for name, at, limit in (("wall", 0, f"  (at most {LIMIT:g} ms)"), ("CPU", 1, "")):
        without = statistics.median(off[at] for _, off in pairs)
        more = statistics.median(on[at] - off[at] for on, off in pairs)
        print(f"  {name:5} {without:7.1f} ms without the history, {more:+6.2f} ms with it{limit}")


def each(act: Callable[[], object], times: int) -> float:
    """The median time of an action, in ms."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--entries", type=int, default=20_000)
    given = parser.parse_args()
    dg = str(Path(sys.executable).with_name("dg"))
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder, Sink() as sink:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"XDG_STATE_HOME": folder, "DGCLI_CONFIG": f"{folder}/config.toml"}
        Path(folder, "config.toml").touch()
        audio = Path(folder, "talk.wav")
        audio.write_bytes(b"RIFF" + bytes(1000))
        command = [dg, "file", str(audio), "--base-url", sink.url]
        spent(command, environment)  # warm
        print("dg file, an empty history:")
        compare(given.runs, command, environment)
        history = History(Path(folder, "dgcli", "history"))
        for number in range(given.entries):
            history.keep(Facts(name=f"{number}.wav"), b"answer", keys=[f"{number:032x}"])
        print(f"dg file, {given.entries} answers there:")
        compare(given.runs, command, environment)
        print(f"The store, {given.entries} answers there:")
        loads = [
            subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True).stdout
            for _ in range(20)
        ]
        print(f"  load  {statistics.median(map(float, loads)):7.2f} ms")
        body = os.urandom(100_000)
        print(f"  keep  {each(lambda: history.keep(Facts(name='a'), body, keys=['ab12']), 200):7.2f} ms")
        print(f"  find  {each(lambda: history.find('ab12'), 200):7.2f} ms")
        print(f"  last  {each(lambda: next(history.walk()), 5):7.2f} ms")
        print(f"  list  {each(lambda: list(history.walk()), 3):7.2f} ms")


if __name__ == "__main__":
    main()
