"""A large upload against `curl -T`, to the same server on this machine, and the memory that dg takes for it.

    python benchmarks/upload.py [--pairs 9] [--megabytes 1024]

Uploads in pairs, dg and curl in turn, after one warm-up of each. Prints the median of the ratios, and the peak
of dg's resident memory as the operating system counted it. The file is sparse: its zeros come from the page
cache, so that no disk is measured.
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


def run(command: list[str]) -> tuple[float, int]:
    """Wall time in seconds and peak memory in KiB of a command that succeeds."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - began, usage.ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--megabytes", type=int, default=1024)
    options = parser.parse_args()
    dg = str(Path(sys.executable).with_name("dg"))
    ratios, peaks, rates = [], [], []
    with tempfile.TemporaryDirectory() as folder, Sink() as sink:
        audio = Path(folder, "large.wav")
        with audio.open("wb") as file:
            file.truncate(options.megabytes << 20)
        ours = [dg, "file", str(audio), "--base-url", sink.url]
        theirs = ["curl", "-sS", "-T", str(audio), f"{sink.url}/v1/listen"]
        for number in range(options.pairs + 1):
            (mine, peak), (other, _) = run(ours), run(theirs)
            if number:  # the first pair warms up
                ratios.append(mine / other)
                rates.append((options.megabytes / mine, options.megabytes / other))
                peaks.append(peak)
        assert sink.taken == 2 * (options.pairs + 1) * (options.megabytes << 20), "an upload was not whole"
    print(
        f"dg/curl: median {statistics.median(ratios):.2f} of {', '.join(f'{r:.2f}' for r in ratios)} (at most 1.1)"
    )
    print(
        f"MB/s: dg {statistics.median(r[0] for r in rates):.0f}, curl {statistics.median(r[1] for r in rates):.0f}"
    )
    print(f"peak memory of dg: {max(peaks) / 1024:.0f} MiB (at most 80)")


if __name__ == "__main__":
    main()
