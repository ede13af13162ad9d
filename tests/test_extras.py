"""The command that a hint names for an extra, for every way in which the package can have been installed."""

import json
import re
import shlex
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from dgcli import extras
from tests.conftest import ROOT

Install = Callable[..., str]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Make an environment in which the package is installed; return the command for an extra there."""

    def install(
        extra: str | None = "media",
        *,
        origin: object = None,
        installer: str = "pip",
        pipx: object = None,
        receipt: str | None = None,
    ) -> str:
        info = tmp_path / "site" / "dg_transcribe-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.4\nName: dg-transcribe\nVersion: 1.0\n")
        (info / "INSTALLER").write_text(f"{installer}\n")
        if origin is not None:
            (info / "direct_url.json").write_text(json.dumps(origin))
        if pipx is not None:
            (tmp_path / "pipx_metadata.json").write_text(json.dumps({"main_package": pipx}))
        if receipt is not None:
            (tmp_path / "uv-receipt.toml").write_text(receipt)
        monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        monkeypatch.setattr(extras, "find_spec", lambda name: name)  # a pip is there
        return extras.install_command(extra)

    return install


PIP = f"{sys.executable} -m pip install"


def test_an_installation_from_an_index_names_the_distribution(installed: Install) -> None:
    """Without a direct URL the name is what an index knows; the Python is the one that runs, whatever PATH says."""
    assert installed() == f"{PIP} 'dg-transcribe[media]'"


@pytest.mark.parametrize(("editable", "flag"), [(False, ""), (True, "--editable ")])
def test_a_checkout_is_named_by_its_path(
    installed: Install, tmp_path: Path, *, editable: bool, flag: str
) -> None:
    """What came from a folder comes from there again, editable if it was; a space in its name is quoted."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    origin = {"url": folder.as_uri(), "dir_info": {"editable": editable} if editable else {}}
    command = installed(origin=origin)
    assert command == f"{PIP} {flag}'{folder}[media]'"
    assert shlex.split(command)[-1] == f"{folder}[media]"


def test_a_checkout_that_is_gone_is_not_named(installed: Install, tmp_path: Path) -> None:
    """A folder that was deleted since helps nobody: the name is left."""
    assert installed(origin={"url": (tmp_path / "gone").as_uri(), "dir_info": {}}).endswith(
        "'dg-transcribe[media]'"
    )


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        (
            {"url": "https://example.com/dg.git", "vcs_info": {"vcs": "git", "requested_revision": "v1"}},
            "git+https://example.com/dg.git@v1",
        ),
        (
            {"url": "https://example.com/dg.git", "vcs_info": {"vcs": "git"}, "subdirectory": "py"},
            "git+https://example.com/dg.git#subdirectory=py",
        ),
        ({"url": "https://example.com/dg-1.0.tar.gz", "archive_info": {}}, "https://example.com/dg-1.0.tar.gz"),
        ({"url": Path(__file__).as_uri(), "archive_info": {}}, Path(__file__).as_uri()),
    ],
)  # fmt: skip
def test_a_repository_or_an_archive_is_named_by_its_url(installed: Install, origin: object, url: str) -> None:
    """Repositories keep their revision and folder; the words are a requirement as PEP 508 has it."""
    requirement = Requirement(shlex.split(installed("local", origin=origin))[-1])
    assert (requirement.name, requirement.extras, requirement.url) == ("dg-transcribe", {"local"}, url)


def test_pipx_keeps_the_extras_that_are_there(installed: Install) -> None:
    """pipx makes an environment anew: the command names the extras of the old one, each once."""
    package = {"package_or_url": "/src/dg[local, media]", "suffix": ""}
    assert installed("cloud", pipx=package) == "pipx install --force 'dg-transcribe[local,media,cloud]'"


def test_pipx_keeps_a_suffix_and_the_origin(installed: Install) -> None:
    """A command that pipx installed under another name, from a checkout, stays both."""
    command = installed(
        "media",
        origin={"url": ROOT.as_uri(), "dir_info": {}},
        pipx={"package_or_url": str(ROOT), "suffix": "-new"},
    )
    assert shlex.split(command) == ["pipx", "install", "--force", "--suffix=-new", f"{ROOT}[media]"]


def test_uv_tool_keeps_the_extras_that_are_there(installed: Install) -> None:
    """The same for `uv tool`, from its receipt."""
    receipt = '[tool]\nrequirements = [{ name = "dg-transcribe", extras = ["media"], directory = "/src" }]\n'
    assert installed("cloud", installer="uv", receipt=receipt) == (
        "uv tool install --force 'dg-transcribe[media,cloud]'"
    )


def test_uv_installs_into_the_environment_that_it_made(installed: Install) -> None:
    """An environment of uv has no pip; uv is told which Python is meant."""
    assert installed("cloud", installer="uv") == (
        f"uv pip install --python {sys.executable} 'dg-transcribe[cloud]'"
    )


@pytest.mark.parametrize(
    ("records", "command"),
    [
        ({"pipx": {"package_or_url": None}}, "pipx install --force 'dg-transcribe[media]'"),
        ({"pipx": []}, f"{PIP} 'dg-transcribe[media]'"),
        ({"receipt": "[tool"}, f"{PIP} 'dg-transcribe[media]'"),
        ({"receipt": '[tool]\nrequirements = [{ name = "other" }]\n'}, f"{PIP} 'dg-transcribe[media]'"),
        ({"origin": [1]}, f"{PIP} 'dg-transcribe[media]'"),
    ],
)
def test_records_that_are_broken_are_left_aside(
    installed: Install, records: dict[str, object], command: str
) -> None:
    """A record of another shape is as none: there is a command still, and no traceback."""
    assert installed(**records) == command


def test_without_an_extra_the_package_itself_is_installed(installed: Install) -> None:
    """Where a package that is always needed is missing, the installation is completed."""
    assert installed(None) == f"{PIP} dg-transcribe"


def test_every_extra_that_is_named_exists() -> None:
    """Each extra that the code asks for is one of pyproject.toml, and no text names one by hand."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == extras.DISTRIBUTION
    named = set()
    for path in (ROOT / "dgcli").rglob("*.py"):
        source = path.read_text("utf-8")
        named |= set(re.findall(r"install_command\(\s*[\"'](\w+)", source))
        assert not re.search(r"pip install '?(dgcli|dg-transcribe)", source), path
    assert named
    assert named <= set(project["optional-dependencies"])


def test_extras_that_hold_others_name_this_distribution() -> None:
    """An extra that takes others in asks for ours, not for a package of another name on the index."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    held = [Requirement(text) for texts in optional.values() for text in texts]
    holders = [requirement for requirement in held if requirement.extras & set(optional)]
    assert {requirement.name for requirement in holders} == {extras.DISTRIBUTION}
    assert all(requirement.name != "dgcli" for requirement in held)
