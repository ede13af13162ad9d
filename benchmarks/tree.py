"""The shape of the package, before and after: lines by room, arrows up, circles, seconds of the tests.

    python -m benchmarks.tree                                 # since 80d4864, before there were rooms
    python -m benchmarks.tree --before v0.1.0                 # since another commit
    python -m benchmarks.tree --suite 610 --suite 250 --fast  # --suite: seconds measured elsewhere; --fast runs here

Imports are counted by the functions of tests/test_architecture.py, wherever in a module they stand. Before there were
rooms, a module of the package's own folder counts to the room that took it in.
"""

import argparse
import io
import subprocess
import tarfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.conftest import ROOT
from tests.test_architecture import BRIDGES, MAY_IMPORT, circles, own_imports, package, room_of

BEFORE = "80d4864"
MOVED = {
    "cache": "output",
    "events": "transcript",
    "lean": "api",
    "outputs": "output",
    "saved": "transcript",
    "tls": "api",
}  # before there were rooms: now
Sources = Mapping[str, str]  # place below the package: source


def sources_of(commit: str) -> Sources:
    """The modules of the package at a commit."""
    archive = subprocess.run(
        ["git", "archive", commit, "dgcli"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if path.suffix == ".py" and (file := tar.extractfile(member)):
                found[str(path.relative_to("dgcli").with_suffix(""))] = file.read().decode()
    return found


def refused(graph: Mapping[str, set[str]]) -> int:
    """How many imports the table of rooms refuses: arrows that point up."""
    count = 0
    for module, targets in graph.items():
        room = MOVED.get(room_of(module), room_of(module))
        for target in targets:
            other = MOVED.get(room_of(target), room_of(target))
            is_bridge = other == "server" and module in BRIDGES
            is_command = room == "app" and other == "commands"
            if room != other and not is_bridge and not is_command:
                count += other == "server" or other not in MAY_IMPORT.get(room, frozenset())
    return count


@dataclass(frozen=True)
class Shape:
    """What is told of a tree."""

    lines: Mapping[str, int]  # by room
    modules: int
    refused: int
    circles: int


def shape(sources: Sources) -> Shape:
    """Measure a tree."""
    lines: Counter[str] = Counter()
    for module, source in sources.items():
        lines[room_of(module)] += source.count("\n")
    graph = {module: own_imports(source, sources) - {module} for module, source in sources.items()}
    return Shape(lines, len(sources), refused(graph), len(circles(graph)))


def fast() -> str:
    """Run the fast tests; the seconds they took."""
    began = time.monotonic()
    subprocess.run(["bash", "tests/run", "--fast", "-q"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return f"{time.monotonic() - began:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="The shape of the package, before and after.")
    parser.add_argument("--before", default=BEFORE, help="commit to compare with")
    parser.add_argument(
        "--suite", action="append", default=[], help="seconds of the whole suite: before, then after"
    )
    parser.add_argument("--fast", action="store_true", help="run the fast tests and tell their seconds")
    args = parser.parse_args()
    before, after = shape(sources_of(args.before)), shape(package())
    suite = [*args.suite, "", ""]
    print(f"| | {args.before} | now |\n|---|---:|---:|")
    for room in sorted({*before.lines, *after.lines}):
        print(f"| lines of {room} | {before.lines.get(room, '')} | {after.lines.get(room, '')} |")
    for name, old, new in (
        ("lines in all", sum(before.lines.values()), sum(after.lines.values())),
        ("rooms", len(before.lines), len(after.lines)),
        ("modules", before.modules, after.modules),
        (
            "lines a module",
            sum(before.lines.values()) // before.modules,
            sum(after.lines.values()) // after.modules,
        ),
        ("arrows up: imports that the table of rooms refuses", before.refused, after.refused),
        ("circles between modules", before.circles, after.circles),
        ("seconds of the whole suite", suite[0], suite[1]),
        ("seconds of `tests/run --fast`", "", fast() if args.fast else ""),
    ):
        print(f"| {name} | {old} | {new} |")


if __name__ == "__main__":
    main()
