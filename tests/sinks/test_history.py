"""The log of a stream in the history: where it ends, and what becomes of a stream whose log cannot be written."""

from dataclasses import replace
from pathlib import Path

from dgcli.errors import OutputError
from dgcli.output.history import History
from dgcli.output.history_entry import Facts, HistoryEntry
from dgcli.sinks.history import HistorySink
from dgcli.transcript.events import Final, Interim
from dgcli.transcript.model import Word


def spoken(text: str, start: float = 0.0) -> Final:
    """A result that does not change any more."""
    words = tuple(Word(word, start, start + 0.4, 0.9) for word in text.split())
    return Final(0, 1, start, start + 1.0, text, words, raw={"transcript": text})


def provisional(text: str) -> Interim:
    """A result that may change."""
    return Interim(0, 1, 0.0, 1.0, text, spoken(text).words, 1.2, raw={"transcript": text})


class Kept:
    """A sink into a folder, and what it complains about."""

    def __init__(self, folder: Path, limit: float = 1e6) -> None:
        self.told: list[str] = []
        self.history = History(folder)
        self.sink = HistorySink(self.history, Facts("talk"), limit=limit, failed=self._note)

    def _note(self, error: OutputError) -> None:
        self.told.append(error.message)

    def logs(self) -> list[str]:
        """The logs in the folder."""
        return [path.read_text() for path in self.history.folder.glob("*.jsonl")]


def test_a_log_ends_at_its_limit_and_says_so_once(tmp_path: Path) -> None:
    """What the history has no room for is not written; that is told once, and what was written stays."""
    kept = Kept(tmp_path / "history", limit=600)
    for number in range(20):
        kept.sink.handle(spoken(f"word{number}", float(number)))
    kept.sink.close()
    kept.sink.close()
    (log,) = kept.logs()
    assert "word0" in log
    assert len(log) <= 600
    assert len(kept.told) == 1
    assert "as large as the history may be" in kept.told[0]
    assert not kept.sink.has_entry


def test_the_model_that_answered_is_kept(tmp_path: Path) -> None:
    """Of a recogniser of this machine the parameters name its own model; of the API what was asked, without secrets."""
    for server, model in (("local", "whisper-tiny.en"), ("api.deepgram.com", "nova-3")):
        history = History(tmp_path / server)
        asked = Facts(
            "talk", server=server, query="model=nova-3&callback=https%3A%2F%2Fu%3Asecret%40h%2Fdone"
        )
        sink = HistorySink(history, asked, limit=1e6, failed=lambda error: None)
        info = {"metadata": {"model_info": {"name": "whisper-tiny.en"}}}
        sink.handle(replace(spoken("so"), raw=info))
        sink.handle(replace(spoken("it goes"), raw=info))
        sink.close()
        (entry,) = history.walk()
        assert isinstance(entry, HistoryEntry)
        assert f"model={model}&" in entry.facts.query
        assert "secret" not in entry.facts.query


def test_a_stream_goes_on_without_its_log(tmp_path: Path) -> None:
    """A folder that cannot be made is told once; no event and no end raises."""
    (tmp_path / "file").touch()
    kept = Kept(tmp_path / "file" / "history")
    for text in ("so", "it goes"):
        kept.sink.handle(spoken(text))
    kept.sink.close()
    assert len(kept.told) == 1
    assert not kept.sink.has_entry


def test_what_is_provisional_is_replaced(tmp_path: Path) -> None:
    """Of interims the last stands at the end of the log, until a shorter final takes its place."""
    kept = Kept(tmp_path / "history")
    kept.sink.handle(provisional("so it goes on and on"))
    kept.sink.tick(1.0)
    assert "on and on" in kept.logs()[0]
    kept.sink.handle(spoken("so"))
    assert "on and on" not in kept.logs()[0]
    kept.sink.close()
    assert kept.told == []
    assert kept.sink.has_entry
