"""Fuzz the parsers of what strangers write, guided by coverage: each target for some seconds, in a process of its own.

    python benchmarks/fuzz.py --seconds 60 [TARGET...]

It needs atheris beside what `dgcli` needs, in an environment of its own: it is no dependency of the tests. The
targets are those of `tests/fuzz/targets.py`, which the suite feeds too. An input that fails is written to
`tests/fuzz/cases/TARGET/`, where the suite finds it.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LONGEST = 4096  # bytes of an input


def _fuzz(name: str, corpus: str, seconds: int) -> None:
    """Run one target in this process; ends it."""
    sys.path.insert(0, str(ROOT))
    import atheris

    with atheris.instrument_imports(include=["dgcli", "json", "tomllib"]):
        from tests.fuzz.targets import TARGETS, seeds

        for seed in TARGETS[name].seeds:
            TARGETS[name].parse(seed)  # what is imported where it is used is instrumented too
    seeds(name, Path(corpus))
    parse = TARGETS[name].parse
    atheris.Setup(
        [
            sys.argv[0],
            corpus,
            f"-max_total_time={seconds}",
            f"-max_len={_LONGEST}",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            "-verbosity=1",
            f"-artifact_prefix={corpus}/../crash-",
        ],
        parse,
    )
    atheris.Fuzz()


def _run(name: str, seconds: int) -> bool:
    """Run one target in a process, and tell what came of it; whether nothing failed."""
    with tempfile.TemporaryDirectory(prefix="dg-fuzz-") as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        command = [sys.executable, __file__, "--child", name, str(corpus), "--seconds", str(seconds)]
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        stats = re.search(r"number_of_executed_units:\s*(\d+)", result.stderr)
        covered = re.findall(r"cov: (\d+)", result.stderr)
        failures = [path for path in Path(folder).iterdir() if path.is_file()]
        done = f"{int(stats[1]):>10,}" if stats else f"{'?':>10}"
        print(f"{name:<16} {done} executions, {covered[-1] if covered else '?':>5} edges", end="", flush=True)
        if result.returncode == 0 and not failures:
            print(flush=True)
            return True
        cases = ROOT / "tests" / "fuzz" / "cases" / name
        for path in failures:
            cases.mkdir(parents=True, exist_ok=True)
            data = path.read_bytes()
            (cases / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
        tail = [line for line in result.stderr.splitlines() if "Error" in line or 'File "' in line][-6:]
        print(f"\n  FAILED ({len(failures)} inputs)", *tail, sep="\n  ", flush=True)
        return False


def main() -> None:
    """Run the targets that are named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--child", nargs=2, metavar=("TARGET", "CORPUS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _fuzz(*options.child, options.seconds)
    sys.path.insert(0, str(ROOT))
    from tests.fuzz.targets import TARGETS

    os.nice(10)
    results = [_run(name, options.seconds) for name in options.targets or TARGETS]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
