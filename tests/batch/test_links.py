"""Names that `dg` makes up itself: no planted link, and no server, leads them out of the output folder."""

import json
import os
import stat
from pathlib import Path

import pytest

from dgcli.batch.numbered_locks import LockFile
from dgcli.batch.segments import Appender
from tests.batch.conftest import Corpus, audio, transcripts
from tests.batch.server import BatchServer, text_of
from tests.conftest import BODY, RESPONSE, Reply, Run, ScriptedServer

MINE = "what was there before"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file of the user outside of everything that a batch is about."""
    path = tmp_path / "elsewhere" / "mine.txt"
    path.parent.mkdir()
    path.write_text(MINE)
    return path


@pytest.mark.parametrize("where", ["out", "beside"])
def test_a_planted_link_is_not_followed(
    dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, mine: Path, where: str
) -> None:
    """An output whose name is a link out of its folder is refused before it is paid for; the others are made."""
    corpus(3)
    folder = tmp_path / "work" / ("out/a" if where == "out" else "corpus/a")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "000.txt").symlink_to(mine)
    place = ("--output-dir", "out") if where == "out" else ("-f", "text")
    result = dg("file", "-r", "corpus", *place, "--base-url", batch_server.url)
    assert result.returncode == 7
    assert b"a link leads out of" in result.stderr
    assert mine.read_text() == MINE
    assert (folder / "000.txt").is_symlink()
    assert sum(batch_server.posts.values()) == 2
    assert len([name for name in transcripts(folder.parent) if "000" not in name]) == 2


@pytest.mark.parametrize("planted", ["a", "a/.dg", "a/.dg/tmp", "a/.dg/damaged"])
def test_a_planted_folder_is_not_entered(
    dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, mine: Path, planted: str
) -> None:
    """A folder below --output-dir that is a link to another place gets nothing: no output and no ledger."""
    corpus(1)
    link = tmp_path / "work" / "out" / planted
    link.parent.mkdir(parents=True)
    link.symlink_to(mine.parent)
    result = dg("file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url)
    assert result.returncode == 8, result.stderr
    assert list(mine.parent.iterdir()) == [mine]
    assert not batch_server.posts


def test_links_of_the_user_work(
    dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, mine: Path
) -> None:
    """--output-dir may be a link, since the user named it, and a link that stays inside is kept and followed."""
    corpus(1)
    (tmp_path / "work" / "out").symlink_to(mine.parent)
    (mine.parent / "a").mkdir()
    (mine.parent / "a" / "000.txt").symlink_to(mine)
    result = dg("file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url)
    assert result.returncode == 0, result.stderr
    assert mine.read_text() == text_of(audio(0)) + "\n"
    assert (mine.parent / "a" / "000.txt").is_symlink()


def test_rendering_follows_no_planted_link(dg: Run, tmp_path: Path, mine: Path) -> None:
    """`dg render --output-dir` refuses a name that is a link to elsewhere, and renders the others."""
    work = tmp_path / "work"
    (work / "out").mkdir()
    (work / "out" / "a.srt").symlink_to(mine)
    for name in ("a.json", "b.json"):
        (work / name).write_bytes(BODY)
    result = dg("render", "a.json", "b.json", "-f", "srt", "--output-dir", "out")
    assert result.returncode != 0
    assert b"a link leads out of" in result.stderr
    assert mine.read_text() == MINE
    assert "-->" in (work / "out" / "b.srt").read_text()


@pytest.mark.parametrize(
    "language", ["../../../elsewhere/evil", "en\0", "/etc/passwd", "x" * 300, "\x1b[2Jen"]
)
def test_a_detected_language_is_no_path(
    dg: Run, tmp_path: Path, server: ScriptedServer, corpus: Corpus, mine: Path, language: str
) -> None:
    """A language that a server made up names no folder: the output is called `und`."""
    corpus(1)
    response = json.loads(json.dumps(RESPONSE))
    response["results"]["channels"][0]["detected_language"] = language
    server.script = [Reply(200, json.dumps(response).encode())]
    command = ("file", "-r", "corpus", "--output-dir", "out", "--base-url", server.url, "--detect-language")
    result = dg(*command, "--name-template", "{lang}.{stem}.{ext}")
    assert result.returncode == 0, result.stderr
    assert list(transcripts(tmp_path / "work" / "out")) == ["a/und.000.txt"]
    assert list(mine.parent.iterdir()) == [mine]


def test_files_of_a_ledger_are_no_links(mine: Path, tmp_path: Path) -> None:
    """A segment or a lock file that is a link is not opened."""
    link = tmp_path / "planted"
    link.symlink_to(mine)
    for make in (Appender, LockFile):
        with pytest.raises(OSError, match="symbolic links"):
            make(link)
    assert mine.read_text() == MINE


def test_a_ledger_is_not_for_everybody(
    dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus
) -> None:
    """Whatever the umask, others than the owner and the group see nothing of what a batch notes."""
    corpus(1)
    before = os.umask(0)
    try:
        dg("file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url)
    finally:
        os.umask(before)
    folder = tmp_path / "work" / "out" / "a" / ".dg"
    paths = [folder, *folder.glob("*.ledger"), folder / "lock"]
    assert len(paths) == 3
    assert [oct(path.stat().st_mode & stat.S_IRWXO) for path in paths] == ["0o0"] * 3
