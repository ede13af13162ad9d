"""The rooms of the package and the arrows between them, held against the imports that are really there."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT, loaded, loaded_by

PACKAGE = ROOT / "dgcli"

# Rooms from the bottom up; a module may import from its own room and those below it.
LAYERS = (
    {"errors", "__init__"},
    {"captions", "transcript", "events", "params", "config", "tls", "lean"},
    {"api", "audio", "cache", "formats", "live", "sinks", "ui", "options", "outputs", "saved"},
    {"batch"},
    {"commands"},
    {"app"},
    {"__main__"},
)

# Each heavy library and the only places that may import it.
ONLY = {
    "typer": ("app", "options", "commands/"),
    "rich": ("ui/", "sinks/", "app"),
    "httpx": ("lean",),
    "websocket": ("live/connection",),
    "sounddevice": ("audio/microphone",),
    "fsspec": ("audio/cloud",),
    "pysubs2": ("formats/subtitles",),
    "click": (),
}


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """A module's place below the package, without its suffix."""
    return str(path.relative_to(PACKAGE).with_suffix(""))


def imports(path: Path) -> set[str]:
    """Every absolute name that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer(room: str) -> int:
    """How far up a room is."""
    return next(height for height, rooms in enumerate(LAYERS) if room in rooms)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_dependencies_point_one_way(path: Path) -> None:
    """A module imports only from its own layer and those below; client and server never import each other."""
    room = name_of(path).split("/")[0]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "dgcli" or len(parts) < 2 or parts[1] == "__version__":
            continue
        target = (
            parts[1]
            if (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file()
            else "__init__"
        )
        if room == "server":
            assert target in ("server", "errors"), f"the server imports {name}"
        elif target == "server":
            assert name_of(path) == "commands/serve", f"{path} imports {name}"
        else:
            assert layer(target) <= layer(room), f"{room} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_heavy_libraries_have_one_place(path: Path) -> None:
    """typer, rich, httpx, websocket-client and sounddevice are each known in one place only; click nowhere."""
    name = name_of(path)
    for imported in imports(path):
        library = imported.split(".")[0]
        if library in ONLY and not name.startswith("server/"):
            assert name.startswith(ONLY[library]), f"{name} imports {imported}"
        if imported == "dgcli.lean.httpx":
            assert name in ("api", "audio/http"), f"{name} imports {imported}"


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["file", "--help"], ["mic", "--help"]])
def test_nothing_is_loaded_that_is_not_used(args: list[str]) -> None:
    """Neither --version nor --help loads a library that talks, plays, decodes or draws."""
    found = loaded_by(args)
    heavy = {
        "httpx",
        "numpy",
        "soundfile",
        "sounddevice",
        "websocket",
        "rich.console",
        "stamina",
        "ssl",
        "asyncio",
    }
    assert found & heavy == set()


def test_httpx_comes_alone() -> None:
    """Asking the API loads neither click nor rich, which httpx would bring along for a command of its own."""
    found = loaded("import dgcli.api")
    assert "httpx._client" in found
    assert found & {"rich.console", "click.core", "pygments"} == set()
