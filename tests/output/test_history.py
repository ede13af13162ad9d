"""The store of the history: whole, private, bounded, and robust against what happens to files."""

import json
import os
import threading
from pathlib import Path

import pytest

from dgcli.errors import AudioError, OutputError
from dgcli.output.history import Contents, Damaged, History
from dgcli.output.history_entry import EntryKind, Facts, HistoryEntry

BODY = b'{"results": {"channels": []}}\n'


@pytest.fixture
def history(tmp_path: Path) -> History:
    """An empty history."""
    return History(tmp_path / "history")


def names(history: History) -> list[str]:
    """The names of the entries that can be used, newest first."""
    return [entry.facts.name for entry in history.walk() if isinstance(entry, HistoryEntry)]


def damaged(history: History) -> list[Damaged]:
    """The files that cannot."""
    return [entry for entry in history.walk() if isinstance(entry, Damaged)]


def test_what_is_kept_comes_back(history: History) -> None:
    """An answer is given back byte for byte, with its facts, by its keys and by its place."""
    facts = Facts(name="a\udcff.wav", server="h", query="model=x", request_id="r-1", duration=1.5)
    kept = history.keep(facts, BODY, keys=["ab12", "cd34"])
    history.keep(Facts(name="b.wav"), b"other")
    assert names(history) == ["b.wav", "a\udcff.wav"]
    for key in ("ab12", "cd34"):
        found = history.find(key)
        assert found == kept
        assert found is not None
        assert history.body(found) == BODY
    assert history.find("ef56") is None
    assert history.number(kept) == 2
    assert kept.facts == facts


def test_everything_is_private(history: History) -> None:
    """Folders are 0700 and files 0600, whatever the umask, and a folder that was opened wide is closed."""
    before = os.umask(0)
    try:
        history.keep(Facts(name="a"), BODY, keys=["ab12"])
        history.folder.chmod(0o755)
        history.keep_text(b"text", "live")
        with history.claim("ab12", lambda: None):
            pass
    finally:
        os.umask(before)
    for path in (history.folder, *history.folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_secrets_are_taken_out_by_the_store_itself(history: History) -> None:
    """Whoever keeps an answer cannot forget it: neither the file of facts nor a key holds a secret."""
    facts = Facts(
        name="https://u:s3cret@h.example/a?sig=s3cret", query="callback=https://h/s3cret&token=s3cret"
    )
    history.keep(facts, BODY, keys=["ab12"])
    history.begin(facts)
    history.refer(facts, ["/out"], 3)
    files = [path for path in history.folder.rglob("*") if path.is_file()]
    assert len(files) >= 6
    assert not [path for path in files if b"s3cret" in path.read_bytes() or "s3cret" in path.name]


def test_old_answers_go(history: History) -> None:
    """What is older than the days allowed is deleted with its keys when something is kept, at most a day late."""
    old = history.keep(Facts(name="old"), BODY, keys=["ab12"])
    history.keep(Facts(name="new"), BODY, keys=["cd34"])
    for path in history.folder.glob(f"{old.stem}.*"):
        os.utime(path, (1_000_000, 1_000_000))
    (history.folder / ".tally").write_bytes(b"1000000\n0\n")  # counted last long ago
    history.keep(Facts(name="newest"), BODY)
    assert names(history) == ["newest", "new"]
    assert history.find("ab12") is None
    assert not (history.folder / "keys" / "ab12").exists()


def test_the_size_is_bounded(tmp_path: Path) -> None:
    """Beyond the size allowed the oldest go at once; the newest stays, however large it is."""
    history = History(tmp_path / "history", size=0.01)
    for number in range(20):
        history.keep(Facts(name=str(number)), bytes(2000))
        assert history.contents().size <= 10_500
    assert names(history) == ["19", "18", "17", "16"]
    history.keep(Facts(name="large"), bytes(50_000))
    assert names(history) == ["large"]


def test_a_tally_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    """Bounds hold although the file that counts is nonsense."""
    history = History(tmp_path / "history", size=0.01)
    for number in range(10):
        (history.folder / ".tally").parent.mkdir(exist_ok=True)
        (history.folder / ".tally").write_bytes(b"what?\n\xff")
        history.keep(Facts(name=str(number)), bytes(4000))
    assert history.contents().size <= 10_500


@pytest.mark.parametrize(
    ("suffix", "content", "reason"),
    [
        (".about", b"", "it cannot be read"),
        (".about", b"[]", "it cannot be read"),
        (".about", b'{"kind": "response"}', "it cannot be read"),
        (".about", b'{"kind": "response", "name": 3}', "it cannot be read"),
        (".about", b"[" * 100_000, "it cannot be read"),
        (".json", b"{}", "it has 2 bytes, not 30"),
    ],
)
def test_damage_is_named(history: History, suffix: str, content: bytes, reason: str) -> None:
    """An entry that was torn is left out and named with its file; the others are there, and it is not found by key."""
    history.keep(Facts(name="a"), BODY)
    torn = history.keep(Facts(name="torn"), BODY, keys=["ab12"])
    history.keep(Facts(name="b"), BODY)
    path = history.folder / (torn.stem + suffix)
    path.write_bytes(content)
    (problem,) = damaged(history)
    assert problem.path == path
    assert problem.reason.startswith(reason)
    assert names(history) == ["b", "a"]
    assert history.find("ab12") is None
    assert history.clear().answers == 3
    assert history.contents() == Contents()


def test_other_bytes_of_the_same_length_are_no_answer(history: History) -> None:
    """The digest tells what the size does not."""
    entry = history.keep(Facts(name="a"), BODY)
    entry.path.write_bytes(BODY.upper())
    with pytest.raises(AudioError, match="damaged"):
        history.body(entry)


def test_half_of_an_entry_is_named(history: History) -> None:
    """Of two files one may be missing, for whoever wrote them was killed, or somebody deleted it."""
    first = history.keep(Facts(name="a"), BODY)
    second = history.keep(Facts(name="b"), BODY)
    (history.folder / f"{first.stem}.about").unlink()
    second.path.unlink()
    assert damaged(history) == [
        Damaged(second.path, "it is not there"),
        Damaged(first.path, "what it is about is not there; dg render reads it"),
    ]


def test_a_key_leads_nowhere_else(history: History) -> None:
    """A file of a key that names another path is not followed."""
    history.keep(Facts(name="a"), BODY, keys=["ab12"])
    (history.folder / "keys" / "ab12").write_text("../../etc/passwd")
    assert history.find("ab12") is None


def test_many_at_once(history: History) -> None:
    """Eight threads keep a hundred answers each, and none is lost or mixed up with another."""

    def work(number: int) -> None:
        for at in range(100):
            history.keep(Facts(name=f"{number}-{at}", request_id="same"), b"%d-%d" % (number, at))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = [entry for entry in history.walk() if isinstance(entry, HistoryEntry)]
    assert len(entries) == 800
    assert all(history.body(entry).decode() == entry.facts.name for entry in entries)


def test_it_is_announced_once(history: History) -> None:
    """The first who asks has to tell the user, nobody else, also after everything was deleted."""
    assert history.announce()
    assert not history.announce()
    history.keep(Facts(name="a"), BODY)
    history.clear()
    assert not history.announce()


def test_a_batch_is_a_reference(history: History) -> None:
    """A batch is one entry without an answer of its own; more of it changes that entry."""
    entry = history.refer(Facts(name="a.wav"), ["/out/.dg"], 1)
    history.refer(entry.facts, ["/out/.dg", "/out/b/.dg"], 7, entry)
    (read,) = history.walk()
    assert isinstance(read, HistoryEntry)
    assert (read.kind, read.recordings, read.folders) == (EntryKind.BATCH, 7, ("/out/.dg", "/out/b/.dg"))
    assert json.loads(read.path.read_bytes())["sha256"] is None


def test_what_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    """Where the folder cannot be made, each way of keeping raises `OutputError`, which names it."""
    (tmp_path / "file").touch()
    history = History(tmp_path / "file" / "history")
    for keep in (
        lambda: history.keep(Facts(name="a"), BODY),
        lambda: history.begin(Facts(name="a")),
        lambda: history.keep_text(b"a", "a"),
        lambda: history.claim("ab12", lambda: None),
    ):
        with pytest.raises(OutputError, match="file/history"):
            keep()
    assert not history.announce()
    assert list(History(tmp_path / "none").walk()) == []
