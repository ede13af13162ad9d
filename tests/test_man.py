"""The manual pages are those of the commands as they are."""

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted((ROOT / "man").iterdir())


def test_pages_are_up_to_date() -> None:
    """`python packaging/man.py` writes just the pages that stand in man/."""
    made = runpy.run_path(str(ROOT / "packaging" / "man.py"))["pages"]()
    assert {path.name: path.read_text("utf-8") for path in PAGES} == made


@pytest.mark.system
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_no_fault(page: Path) -> None:
    """mandoc finds nothing wrong in a page, not even in its style."""
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed")
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert lint.stdout + lint.stderr == ""


@pytest.mark.system
def test_a_page_shows_what_help_shows() -> None:
    """What roff must not take for a request or an escape is on the page as it is in the help."""
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed")
    shown = subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=200", "man/dg-file.1"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    text = "\n".join(line.replace("\b", "") for line in shown.split("\n"))
    assert "find . -print0 | dg file --files0-from -" in text
    assert "'latest' or an id" in text
