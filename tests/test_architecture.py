"""The rooms of the package and the arrows between them, held against the imports that are really there."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT, ScriptedServer, loaded, loaded_by

PACKAGE = ROOT / "dgcli"

# Which rooms a room may import, beside itself. docs/architecture.md has the same table for people.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    room: frozenset(rooms.split())
    for room, rooms in {
        "errors": "",
        "terminal": "",
        "extras": "system",
        "system": "",
        "locks": "system",
        "visitors": "",
        "params": "errors",
        "credentials": "errors extras locks system",
        "config": "credentials errors params system",
        "transcript": "errors",
        "captions": "transcript errors",
        "align": "captions transcript errors",
        "formats": "captions transcript errors terminal extras",
        "api": "errors config transcript locks",
        "audio": "errors transcript api params terminal extras system",
        "live": "audio api transcript errors",
        "output": "formats transcript errors terminal locks system",
        "ui": "errors terminal",
        "sinks": "output formats captions transcript ui errors terminal system visitors",
        "batch": "api audio output formats transcript config params errors system",
        "server": "errors extras system visitors",
        "tasks": "align batch live api audio sinks output formats transcript params config credentials errors "
        "terminal extras system visitors",
        "client": "tasks formats transcript config params errors",
        "options": "params config formats captions ui errors",
        "commands": "options tasks ui batch live api audio sinks output formats captions transcript params config "
        "errors terminal",
        "corrections": "",
        "app": "commands corrections ui errors terminal system",
        "__main__": "app",
        "__init__": "client transcript errors",
    }.items()
}

# The tasks that bring client and server together.
BRIDGES = frozenset({"tasks/local", "tasks/serve", "tasks/models"})

# Each heavy library and the only places that may import it; the server has its own.
ONLY = {
    "typer": ("app", "options/", "commands/"),
    "rich": ("ui/", "sinks/"),
    "httpx": ("api/", "audio/http"),
    "websocket": ("live/connection",),
    "sounddevice": ("audio/portaudio",),
    "fsspec": ("audio/cloud",),
    "pysubs2": ("formats/subtitles",),
    "pycaption": ("formats/scc",),
    "keyring": ("credentials",),
    "tomlkit": ("tasks/settings",),
    "click": (),
}
# What one operating system has and another has not, and the question which one it is.
OF_ONE_SYSTEM = re.compile(
    r"\b(sys\.platform|os\.name|platform\.system|import (fcntl|msvcrt|resource|pwd|winreg))\b"
)
# In the server, a heavy library has one place too.
ONLY_IN_SERVER = {"faster_whisper": ("server/engines/whisper",)}


def name_of(path: Path, package: Path = PACKAGE) -> str:
    """A module's place below the package, without its suffix."""
    return str(path.relative_to(package).with_suffix(""))


@cache  # a planted violation changes one module of some two hundred
def imports(source: str) -> tuple[str, ...]:
    """Every absolute name that a module imports, wherever in it."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(names)


def own_imports(source: str, modules: Iterable[str]) -> set[str]:
    """The modules of this package that a module imports, as places below it."""
    known = set(modules)
    targets = set()
    for name in imports(source):
        parts = name.split(".")
        if parts[0] != "dgcli" or parts[1:] in ([], ["__version__"]):
            continue
        place = "/".join(parts[1:])
        candidates = (
            place,
            f"{place}/__init__",
            place.rpartition("/")[0],
            f"{place.rpartition('/')[0]}/__init__",
        )
        targets.add(next((candidate for candidate in candidates if candidate in known), "__init__"))
    return targets


def room_of(module: str) -> str:
    """The room that a module stands in."""
    return module.split("/")[0]


def violations(sources: Mapping[str, str]) -> list[str]:
    """What in these modules (place below the package: source) the rules do not allow."""
    wrong = []
    graph = {}
    for module, source in sources.items():
        targets = graph[module] = own_imports(source, sources) - {module}
        room = room_of(module)
        for target in sorted(targets):
            other = room_of(target)
            if other == room:
                continue
            if room not in MAY_IMPORT:
                wrong.append(f"{module}: the room {room} has no row")
            elif (other == "server" and module not in BRIDGES) or (
                other != "server" and other not in MAY_IMPORT[room]
            ):
                wrong.append(f"{module} imports {target}")
        for name in imports(source):
            library = name.split(".")[0]
            places = ONLY_IN_SERVER.get(library) if room == "server" else ONLY.get(library)
            if places is not None and not module.startswith(places or ("nowhere",)):
                wrong.append(f"{module} imports {name}")
            if library in ONLY_IN_SERVER and room != "server":
                wrong.append(f"{module} imports {name}")
        if module != "system" and (found := OF_ONE_SYSTEM.search(source)):
            wrong.append(f"{module} has {found[0]}: that is a function of dgcli/system.py")
    wrong += [" -> ".join(circle) for circle in circles(graph)]
    return wrong


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Modules that import each other in a circle; a package's own `__init__` is no step of one."""
    cycles: list[list[str]] = []
    state: dict[str, int] = {}

    def visit(module: str, path: list[str]) -> None:
        state[module] = 1
        for target in sorted(graph.get(module, ())):
            if target.endswith("__init__") or target not in graph:
                continue
            if state.get(target) == 1:
                cycles.append([*path[path.index(target) :], target])
            elif target not in state:
                visit(target, [*path, target])
        state[module] = 2

    for module in sorted(graph):
        if module not in state and not module.endswith("__init__"):
            visit(module, [module])
    return cycles


@cache
def _package() -> Mapping[str, str]:
    return {name_of(path): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


def package() -> dict[str, str]:
    """Every module of the package and its source."""
    return dict(_package())


def test_the_package_keeps_its_rules() -> None:
    """Imports go only where the table allows, heavy libraries have one place each, and nothing goes in circles."""
    assert violations(package()) == []


def test_every_room_has_a_row() -> None:
    """There is no room without a row in the table, and no row without a room (the API's client may be missing)."""
    rooms = {room_of(name_of(path)) for path in PACKAGE.rglob("*.py")}
    assert rooms - {"client"} == set(MAY_IMPORT) - {"client"}


def documented() -> dict[frozenset[str], frozenset[str]]:
    """The table in docs/architecture.md: the rooms of each row, and what they may import."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \|([^|]*)\|$", page.partition("A change goes")[0], re.MULTILINE)
    return {
        frozenset(re.findall(r"`(\w+)(?:/|\.py)`", rooms)): frozenset(
            re.findall(r"\w+", allowed.partition(";")[0])
        )
        for rooms, allowed in rows
    }


def test_the_documented_table_is_this() -> None:
    """docs/architecture.md names the same rooms and the same arrows, and the tasks that may import the server."""
    rows = documented()
    assert frozenset().union(*rows) == set(MAY_IMPORT)
    for rooms, allowed in rows.items():
        assert allowed == frozenset().union(*(MAY_IMPORT[room] for room in rooms)) - rooms, rooms
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    bridges = page.partition("the server only from ")[2].partition(" |")[0]
    assert {f"tasks/{name}" for name in re.findall(r"`(\w+)`", bridges)} == BRIDGES


def test_a_class_name_stands_for_one_thing() -> None:
    """No two classes share a name, but private ones of a room, which are the same to modules of one kind."""
    places = defaultdict(list)
    for module, source in package().items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append((room_of(module), node.name.startswith("_")))
    twice = {name: classes for name, classes in places.items() if len(classes) > 1}
    assert {name: classes for name, classes in twice.items() if set(classes) != {(classes[0][0], True)}} == {}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("formats/text", "from dgcli.live.streamer import Streamer"),
        ("formats/text", "from dgcli.sinks.base import Sink"),
        ("formats/text", "from dgcli.api.client import Client"),
        ("sinks/lines", "from dgcli.live.stats import report"),
        ("transcript/model", "from dgcli.captions.text import clean"),
        ("captions/text", "import dgcli.formats"),
        ("live/state", "from dgcli.output import files"),
        ("tasks/stream", "from dgcli.ui.console import Console"),
        ("tasks/stream", "from dgcli.server.run import running"),
        ("tasks/stream", "def late():\n    from dgcli.options.groups import OutputOptions"),
        ("options/groups", "from dgcli.tasks.many import BatchSettings"),
        ("server/app", "from dgcli.config import load"),
        ("errors", "import dgcli.terminal"),
        ("extras", "import dgcli.errors"),
        ("live/state", "import websocket"),
        ("batch/pace", "import httpx"),
        ("tasks/many", "import typer"),
        ("commands/file", "import click"),
        ("output/plan", "from rich.text import Text"),
        ("server/app", "import faster_whisper"),
        ("transcript/model", "from dgcli.transcript.response import parse"),  # a circle inside a room
        (
            "live/state",
            "def late():\n    from dgcli.live.sender import Sender",
        ),  # a circle by way of a function
        ("output/files", "import sys\nfolder = sys.platform == 'win32'"),
        ("output/files", "def late():\n    import fcntl"),
        ("attic", "from dgcli.errors import DgError"),  # a room that nobody planned
    ],
)
def test_a_planted_violation_is_seen(module: str, line: str) -> None:
    """The rules fail where somebody breaks one, wherever in a module the import stands."""
    sources = package()
    sources[module] = f"{sources.get(module, '')}\n{line}\n"
    assert violations(sources) != []


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["file", "--help"], ["mic", "--help"]])
def test_nothing_is_loaded_that_is_not_used(args: list[str]) -> None:
    """Neither --version nor --help loads a library that talks, plays, decodes or draws."""
    heavy = {
        "httpx",
        "numpy",
        "soundfile",
        "sounddevice",
        "websocket",
        "rich.console",
        "tenacity",
        "ssl",
        "asyncio",
    }
    assert loaded_by(args) & heavy == set()


def own(modules: set[str]) -> set[str]:
    """The modules of ours among these."""
    return {name for name in modules if name.split(".")[0] == "dgcli"}


def test_the_package_itself_is_next_to_nothing() -> None:
    """`import dgcli` loads one module, and what a name of it needs comes with the name."""
    assert loaded("import dgcli") - loaded("") == {"dgcli"}
    assert "dgcli.client" in loaded("import dgcli; dgcli.transcribe")
    calling = loaded("import dgcli; dgcli.stream, dgcli.load, dgcli.Final, dgcli.DgError")
    assert (
        calling & {"httpx", "ssl", "typer", "rich", "numpy", "websocket", "dgcli.live", "dgcli.app"} == set()
    )


def test_the_version_needs_no_command() -> None:
    """`dg --version` loads none of the rooms but what shows messages."""
    assert own(loaded_by(["--version"])) == {
        "dgcli", "dgcli.__main__", "dgcli.app", "dgcli.errors", "dgcli.system", "dgcli.terminal", "dgcli.ui",
        "dgcli.ui.console",
    }  # fmt: skip


@pytest.fixture
def asking(server: ScriptedServer, audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command line that has a file transcribed as text, where there is no config file."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("DGCLI_CONFIG", "DGCLI_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return ["file", str(audio), "--base-url", server.url]


def test_a_file_loads_what_it_needs(asking: list[str]) -> None:
    """`dg file` with text loads no click and rich of httpx, no retries, rules of captions, events, streams or help."""
    modules = loaded_by(asking)
    assert {"httpx._client", "dgcli.formats.text"} <= modules
    assert (
        modules & {"rich.console", "click.core", "pygments", "tenacity", "asyncio", "tomllib", "numpy"}
        == set()
    )
    rooms = {f"dgcli.{room}" for room in ("batch", "live", "sinks", "server", "client", "api.hub")}
    parts = {"captions.cues", "captions.limits", "transcript.events", "audio.base", "ui.help", "formats.json"}
    assert modules & (rooms | {f"dgcli.{part}" for part in parts}) == set()


MADE = """
import gc, sys
from dgcli.__main__ import main
def collections():
    return sum(each["collections"] for each in gc.get_stats())
before = collections()
try:
    main()
except SystemExit as left:
    assert not left.code
after = collections()
made = {
    kind.__qualname__
    for name, module in list(sys.modules.items()) if name.startswith("dgcli")
    for kind in vars(module).values() if isinstance(kind, type) and "__dataclass_fields__" in vars(kind)
}
print(after - before, len(made), *made, file=sys.stderr)
"""


def test_a_short_run_makes_and_collects_little(asking: list[str]) -> None:
    """`dg file` never looks for garbage, and generates no more than ten dataclasses, which take half a ms each."""
    result = subprocess.run([sys.executable, "-c", MADE, *asking], capture_output=True, check=True, text=True)
    collections, made, *names = result.stderr.splitlines()[-1].split()
    assert collections == "0"
    assert 2 < int(made) <= 10, names
