"""The recipe of docs/batches.md for GNU parallel, as it stands there, with the real program."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.batch.conftest import Corpus, expected, transcripts
from tests.batch.conftest import batch_server as batch_server
from tests.batch.conftest import corpus as corpus
from tests.batch.server import BatchServer
from tests.conftest import ROOT, dg_path


def recipes(heading: str) -> list[str]:
    """The shell commands below a heading of the document."""
    text = (ROOT / "docs" / "batches.md").read_text()
    section = text.partition(f"### {heading}\n")[2].partition("\n#")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.mark.system
@pytest.mark.parametrize("number", [0, 1])
def test_gnu_parallel(
    environment: dict[str, str], tmp_path: Path, batch_server: BatchServer, corpus: Corpus, number: int
) -> None:
    """Both recipes transcribe everything once, and again nothing, spread over several processes."""
    if shutil.which("parallel") is None:
        pytest.skip("GNU parallel is not installed")
    recordings = corpus(40)
    env = {
        **environment,
        "PATH": f"{Path(dg_path()).parent}:{environment['PATH']}",
        "DEEPGRAM_BASE_URL": batch_server.url,
    }
    recipe = recipes("GNU parallel")[number]
    for _ in range(2):
        subprocess.run(
            ["sh", "-euc", recipe], env=env, cwd=tmp_path / "work", stdin=subprocess.DEVNULL, check=True,
            capture_output=True, timeout=100,
        )  # fmt: skip
        texts = transcripts(tmp_path / "work" / "out")
        assert {name.removeprefix("corpus/"): text for name, text in texts.items()} == expected(recordings)
        assert set(batch_server.posts.values()) == {1}
