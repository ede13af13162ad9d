"""What the documents show is what the program does."""

import re
import runpy

from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.response import parse
from tests.conftest import ROOT


def test_captions_in_the_documents_are_those_that_are_made() -> None:
    """The 20 s of docs/captions.md, after, stand like that in the captions of the conversation."""
    conversation = runpy.run_path(str(ROOT / "docs" / "html_page.py"))["conversation"]
    text = renderer(by_name("srt"))(parse(conversation()), RenderSettings())
    shown = (ROOT / "docs" / "captions.md").read_text("utf-8").split("as `dg` makes them:\n\n")[1]
    example = "\n".join(line.strip() for line in shown.split("\nThe conversation")[0].split("\n")).strip()
    made = re.sub(r"(?m)^\d+\n(?=\d\d:)", "", text)
    assert len(example) > 400
    assert example in made
