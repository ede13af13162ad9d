"""What is written to standard output: lines, cues and JSON lines."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dgcli.formats import RenderSettings, by_name
from dgcli.sinks.captions import CaptionSink
from dgcli.sinks.jsonl import JsonlSink
from dgcli.sinks.lines import LinesSink
from dgcli.transcript.event_log import envelope, json_line
from dgcli.transcript.events import (
    Closed,
    Metadata,
    Notice,
    NoticeKind,
    Opened,
    SpeechStarted,
    Turn,
    TurnStage,
)
from tests.conftest import ROOT
from tests.sinks.conftest import final, interim, words


class Paper:
    """Somewhere to write that can be read back."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        """Add text."""
        self.text += text


def test_one_line_per_utterance() -> None:
    """Finals are joined until the utterance ends; interims do not appear."""
    paper = Paper()
    sink = LinesSink(paper.write, RenderSettings())
    for event in (interim("we"), final("We the", ends=False), interim("people"), final("people.", 1.0)):
        sink.handle(event)
    assert paper.text == "We the people.\n"


def test_timestamps_are_those_of_the_starter_kit() -> None:
    """`text [2.5 - 4.26]`: seconds, rounded to hundredths."""
    paper = Paper()
    sink = LinesSink(paper.write, RenderSettings(), timestamps=True)
    said = words("In order to form", 2.5)
    sink.handle(final("", said=(*said[:-1], said[-1].__class__("union,", 4.0, 4.2599998))))
    assert paper.text == "In order to union, [2.5 - 4.26]\n"


def test_speakers_and_channels_are_labelled() -> None:
    """A label names who speaks, where more than one could."""
    paper = Paper()
    sink = LinesSink(paper.write, RenderSettings())
    sink.handle(final("Hi.", speaker=1))
    sink.handle(final("Left.", channel=0, channels=2))
    sink.handle(final("Both.", channel=1, channels=2, speaker=0))
    assert paper.text == "Speaker 1: Hi.\nChannel 0: Left.\nChannel 1, Speaker 0: Both.\n"


@pytest.mark.parametrize("timestamps", [False, True])
def test_a_speaker_is_named_where_the_speaker_changes(timestamps: bool) -> None:
    """Two utterances of one speaker have one label, with times too; after a new connection the label comes again."""
    paper = Paper()
    sink = LinesSink(paper.write, RenderSettings(), timestamps=timestamps)
    said = [("One.", 0), ("Two.", 0), ("Three.", 1), ("Four.", 0), ("Five.", 0)]
    for number, (text, speaker) in enumerate(said):
        sink.handle(final(text, number * 1.0, speaker=speaker))
    sink.handle(Notice(NoticeKind.SPEAKERS_RESTARTED, "Speaker numbers begin anew."))
    sink.handle(final("Six.", 9.0, speaker=0))
    lines = [line.partition(" [")[0] for line in paper.text.splitlines()]
    assert lines == [
        "Speaker 0: One.",
        "Two.",
        "Speaker 1: Three.",
        "Speaker 0: Four.",
        "Five.",
        "Speaker 0: Six.",
    ]
    assert ("[0.0 - 0.4]" in paper.text) is timestamps


def test_text_of_the_server_is_data() -> None:
    """Escape sequences, control characters and line feeds do not reach a terminal."""
    paper = Paper()
    said = words("a", 0.0)
    evil = said[0].__class__("\x1b[2J\x1b]0;title\x07red\r\nface\x9b1m[bold]", 0.0, 0.4)
    LinesSink(paper.write, RenderSettings()).handle(final("", said=(evil,)))
    assert paper.text.rstrip("\n").isprintable()
    assert paper.text.startswith("red face")
    assert paper.text.endswith("[bold]\n")
    assert paper.text.count("\n") == 1


def test_interims_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """--interim shows what is understood so far without touching standard output."""
    paper = Paper()
    sink = LinesSink(paper.write, RenderSettings(), interims=True)
    for event in (interim("we"), interim("we"), interim("we the"), final("We the.")):
        sink.handle(event)
    captured = capsys.readouterr()
    assert captured.err == "... we\n... we the\n"
    assert paper.text == "We the.\n"


def test_close_writes_what_is_open() -> None:
    """The last words are written although nothing ended them, and only once."""
    paper = Paper()
    sink = LinesSink(paper.write, RenderSettings())
    sink.handle(final("Last words", ends=False))
    sink.close()
    sink.close()
    assert paper.text == "Last words\n"


@pytest.mark.parametrize("format_", ["srt", "vtt"])
def test_cues_come_while_words_come(format_: str) -> None:
    """A cue that came out is never changed, and close brings the last ones."""
    paper = Paper()
    sink = CaptionSink(paper.write, by_name(format_), RenderSettings())
    seen = ""
    for number in range(12):
        sink.handle(final(f"This is sentence number {number}.", number * 4.0))
        assert paper.text.startswith(seen)
        seen = paper.text
    assert seen.count(" --> ") > 5
    sink.close()
    sink.close()
    assert "number 11." in paper.text
    assert paper.text.startswith("WEBVTT\n\n" if format_ == "vtt" else "1\n00:00:00,000 --> ")


def test_json_lines_carry_everything() -> None:
    """Every message as it came, with the offset of its connection and our own notices."""
    paper = Paper()
    sink = JsonlSink(paper.write)
    repeated = final("we the people", 0.0)
    known = final("", said=repeated.words[1:], offset=60.0)
    object.__setattr__(known, "raw", repeated.raw)
    for event in (
        Opened("id-1", 1, 0.0),
        interim("we"),
        known,
        SpeechStarted(0, 1.0, raw={"type": "SpeechStarted"}),
        Notice(NoticeKind.GAP, "lost", start=1.0, end=2.0),
        Metadata("id-1", 3.0, 1, raw={"type": "Metadata"}),
        Closed(3.0, 1),
    ):
        sink.handle(event)
    lines = [json.loads(line) for line in paper.text.splitlines()]
    assert lines[0] == {"kind": "opened", "request_id": "id-1", "connection": 1, "offset": 0.0}
    assert lines[2] == {"kind": "message", "offset": 60.0, "repeats": 1, "message": repeated.raw}
    assert lines[4] == {"kind": "notice", "notice": "gap", "message": "lost", "start": 1.0, "end": 2.0}
    assert lines[6] == {"kind": "closed", "audio_seconds": 3.0, "connections": 1, "error": None}
    assert "repeats" not in envelope(repeated)


def test_a_json_line_is_one_line_to_everybody() -> None:
    """What other programs take for the end of a line, or a terminal for a command, is escaped."""
    line = json_line(Notice(NoticeKind.SOURCE, "a\u2028b\x85c\x9b31m\x7f"))
    assert line.splitlines() == [line.rstrip("\n")]
    assert json.loads(line)["message"] == "a\u2028b\x85c\x9b31m\x7f"
    assert "\x9b" not in line


def test_a_broken_pipe_loses_nothing(tmp_path: Path) -> None:
    """When the reader has gone, what is left goes to stderr and to a file, and the first write tells."""
    script = (
        "import sys\n"
        "from dgcli.errors import BrokenPipe\n"
        "from dgcli.output.stdout import Stdout\n"
        "out = Stdout()\n"
        "out.write('one\\n')\n"
        "sys.stdin.readline()\n"
        "try:\n    out.write('two\\n')\n"
        "except BrokenPipe as error:\n    sys.stderr.write(f'told {error.kept == out.kept}\\n')\n"
        "out.write('three\\n')\n"
        "sys.stderr.write(str(out.kept))\nsys.stderr.flush()\n"
        "import os\nos._exit(0)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == b"one\n"
    process.stdout.close()
    process.stdin.write(b"go\n")
    process.stdin.close()
    lines = process.stderr.read().decode().splitlines()
    process.stderr.close()
    process.wait()
    assert lines[:3] == ["two", "told True", "three"]
    assert Path(lines[3]).read_text() == "two\nthree\n"


def test_tables_and_scripts_come_while_words_come(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """-f csv and -f ass print on a stream as it goes, and what is there at the end is the whole file."""
    from dgcli.sinks.fanout import DisplaySettings, FanOut
    from dgcli.ui.console import Console

    for name, header in (("csv", b"start,end,channel"), ("words.jsonl", b""), ("ass", b"[Script Info]")):
        sinks = FanOut(
            DisplaySettings(name), RenderSettings(), Console(quiet=True), audio_seconds=lambda: 0.0
        )
        sinks.handle(Opened("id", 1, 0.0))
        sinks.handle(final("One two.", 0.0))
        sinks.handle(final("Three.", 60.0))
        early = capfdbinary.readouterr().out
        assert early.startswith(header)
        assert b"wo." in early
        sinks.close()
        late = capfdbinary.readouterr().out
        assert (b"Three." in late) is (name == "ass"), name


def test_an_eager_end_of_turn_is_told_from_an_update(capsys: pytest.CaptureFixture[str]) -> None:
    """With interims shown, a Flux turn that is probably over is asked about, and taken back when it goes on."""
    paper = Paper()
    sink = LinesSink(paper.write, RenderSettings(), interims=True)
    stages = (TurnStage.UPDATE, TurnStage.EAGER_END, TurnStage.RESUMED)
    for stage in stages:
        sink.handle(replace(interim("call maria"), turn=Turn(0, stage)))
    assert capsys.readouterr().err.splitlines() == [
        "... call maria",
        "... call maria [end of turn?]",
        "... call maria",
    ]
    assert paper.text == ""
