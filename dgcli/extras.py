"""The command that adds an extra to this installation: in the form in which it was made, ready to be pasted.

What is read: `direct_url.json` (PyPA, "Recording the Direct URL Origin of installed distributions") for a path, an
archive or a repository; `pipx_metadata.json` of pipx and `uv-receipt.toml` of `uv tool` in the environment's folder.
Both tools make the environment anew from one requirement, so the extras that it has already are named again.
Imported only when something is missing: nothing of ours imports it at start-up.
"""

import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from dgcli.system import command_line

DISTRIBUTION = "dg-transcribe"
_SOURCES = Path(__file__).resolve().parent.parent


def _origin(distribution: Distribution | None) -> Mapping[str, Any]:
    """Where an installation came from, as `direct_url.json` says it; empty if it came from an index."""
    if distribution is None:  # not installed: run from its sources
        is_checkout = (_SOURCES / "pyproject.toml").is_file()
        return {"url": _SOURCES.as_uri(), "dir_info": {"editable": True}} if is_checkout else {}
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) and isinstance(origin.get("url"), str) else {}


def _requirement(origin: Mapping[str, Any], extras: Sequence[str]) -> list[str]:
    """The arguments that name this package with these extras, where it came from."""
    listed = f"[{','.join(extras)}]" if extras else ""
    named = f"{DISTRIBUTION}{listed}"
    url = origin.get("url", "")
    if url.startswith("file:"):
        path = Path(url2pathname(urlsplit(url).path))
        if not path.exists():  # a checkout that was deleted; the index is the only other place
            return [named]
        if "dir_info" not in origin:
            return [f"{named} @ {url}"]
        return [*(["--editable"] if origin["dir_info"].get("editable") else []), f"{path}{listed}"]
    if not url:
        return [named]
    repository = origin.get("vcs_info", {})
    if repository:
        revision = repository.get("requested_revision")
        url = f"{repository.get('vcs', 'git')}+{url}{f'@{revision}' if revision else ''}"
    folder = origin.get("subdirectory")
    return [f"{named} @ {url}{f'#subdirectory={folder}' if folder else ''}"]


def _pipx(prefix: Path) -> tuple[list[str], list[str]] | None:
    """The command of pipx and the extras that are there, if pipx made this environment."""
    try:
        package = json.loads((prefix / "pipx_metadata.json").read_text("utf-8"))["main_package"]
        extras = re.search(r"\[([^\]]*)\]", package["package_or_url"] or "")
        suffix = package.get("suffix") or ""
    except (OSError, ValueError, KeyError, TypeError):
        return None
    command = ["pipx", "install", "--force", *([f"--suffix={suffix}"] if suffix else [])]
    return command, re.findall(r"[\w.-]+", extras[1]) if extras else []


def _uv_tool(prefix: Path) -> tuple[list[str], list[str]] | None:
    """The command of `uv tool` and the extras that are there, if uv made this environment for a tool."""
    try:
        receipt = tomllib.loads((prefix / "uv-receipt.toml").read_text("utf-8"))
        ours = next(row for row in receipt["tool"]["requirements"] if row["name"] == DISTRIBUTION)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None
    return ["uv", "tool", "install", "--force"], list(ours.get("extras", []))


def _pip(distribution: Distribution | None) -> list[str]:
    """How this environment takes packages: its own pip, or uv where it has none."""
    by_uv = distribution is not None and (distribution.read_text("INSTALLER") or "").strip() == "uv"
    if by_uv or find_spec("pip") is None:
        return ["uv", "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]


def install_command(extra: str | None = None) -> str:
    """The command, for a shell, that adds `extra` to this installation; without one, what it lacks itself."""
    try:
        distribution = Distribution.from_name(DISTRIBUTION)
    except PackageNotFoundError:
        distribution = None
    prefix = Path(sys.prefix)
    command, extras = _pipx(prefix) or _uv_tool(prefix) or (_pip(distribution), [])
    wanted = [*(name for name in extras if name != extra), *([extra] if extra else [])]
    words = [*command, *_requirement(_origin(distribution), wanted)]
    return command_line(words)
