"""Files that grow while a stream runs."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import tracemalloc
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import pysubs2
import pytest

from dgcli.errors import OutputError, UsageError
from dgcli.formats import FORMATS, RenderSettings, by_name, renderer
from dgcli.output.growing import GrowingFile
from dgcli.sinks.files import CaptionFile, check_files, file_sink
from dgcli.sinks.rendered import RenderedFile
from dgcli.sinks.response import ResponseSink
from dgcli.transcript.events import Closed, Event, Final, Metadata, Opened
from dgcli.transcript.response import parse_body
from tests.conftest import ROOT
from tests.sinks.conftest import final, interim, words

TALK: list[Event] = [
    Opened("id-1", 1, 0.0),
    interim("this is"),
    *[
        final(f"This is sentence number {number}.", number * 4.0, ends=bool(number % 3))
        for number in range(9)
    ],
]


def said(events: list[Event]) -> list[str]:
    """All words of the finals."""
    return [word.text for event in events if isinstance(event, Final) for word in event.words]


def test_a_growing_file_is_whole_after_every_write(tmp_path: Path) -> None:
    """The part that stays and the newest tail are all that a reader ever sees."""
    path = tmp_path / "a"
    path.write_text("what was there before, and longer than what comes")
    file = GrowingFile(path)
    assert path.read_text().startswith("what was")
    stays = ""
    for number in range(9):
        stays += f"item {number}\n"
        tail = "tail" * (number % 4)
        file.append(f"item {number}\n", tail)
        assert path.read_text() == stays + tail
    file.append("", "")
    assert path.read_text() == stays
    file.close()
    assert path.read_text() == stays


def test_a_failed_write_is_tried_again(tmp_path: Path) -> None:
    """A full disk is told once; when there is room again nothing is missing."""
    path = tmp_path / "a"
    file = GrowingFile(path)
    file.append("one\n")
    real, file._file = file._file, Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - closed below
    with pytest.raises(OutputError, match="No space left"):
        file.append("two\n")
    file.append("three\n")
    file._file.close()
    file._file = real
    file.append("four\n", "tail")
    file.close()
    assert path.read_text() == "one\ntwo\nthree\nfour\ntail"


def test_what_never_fits_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a file on a full disk is in the state folder at the end."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = GrowingFile(Path("/dev/full"))
    with pytest.raises(OutputError):
        file.append("lost?\n")
    with pytest.raises(OutputError) as caught:
        file.close()
    assert caught.value.kept
    assert caught.value.kept.read_text() == "lost?\n"


def test_lines_grow(tmp_path: Path) -> None:
    """A .txt has every utterance that ended, at once."""
    path = tmp_path / "a.txt"
    sink = file_sink(path, RenderSettings())
    for event in TALK:
        sink.handle(event)
        if isinstance(event, Final) and event.speech_final:
            assert path.read_text().endswith(event.text + "\n")
    sink.close()
    assert path.read_text().split() == said(TALK)


def test_json_is_a_response_at_every_moment(tmp_path: Path) -> None:
    """After every event the file parses, and holds every word of the utterances that ended."""
    path = tmp_path / "a.json"
    sink = ResponseSink(path)
    for number, event in enumerate(TALK):
        sink.handle(event)
        transcript = parse_body(path.read_bytes())
        if isinstance(event, Final) and event.speech_final:
            assert [word.text for word in transcript.words] == said(TALK[: number + 1])
    sink.handle(Metadata("id-1", 36.0, 1, raw={"type": "Metadata", "models": ["m"], "extra": {"a": "b"}}))
    sink.handle(Closed(36.5, 1))
    sink.close()
    sink.close()
    response = json.loads(path.read_bytes())
    assert response["metadata"]["request_id"] == "id-1"
    assert response["metadata"]["duration"] == 36.5
    assert response["metadata"]["extra"] == {"a": "b"}
    assert "".join(response["results"]["channels"][0]["alternatives"][0]["transcript"].split()) == "".join(
        said(TALK)
    )
    transcript = parse_body(path.read_bytes())
    assert [word.text for word in transcript.channels[0].words] == said(TALK)
    assert [word.text for u in transcript.utterances for word in u.words] == said(TALK)
    for name in ("text", "srt", "vtt"):
        assert "number 8." in renderer(by_name(name))(transcript, RenderSettings())
    assert list(tmp_path.iterdir()) == [path]


def test_json_keeps_channels_and_speakers_apart(tmp_path: Path) -> None:
    """Two channels have their own words, speakers and transcripts."""
    path = tmp_path / "a.json"
    sink = ResponseSink(path)
    sink.handle(Opened("id", 1, 0.0))
    sink.handle(final("left one", 0.0, channel=0, channels=2, speaker=0))
    sink.handle(final("right one", 0.2, channel=1, channels=2, speaker=3))
    sink.handle(final("left two", 2.0, channel=0, channels=2, speaker=0))
    before = parse_body(path.read_bytes())
    sink.close()
    after = parse_body(path.read_bytes())
    for transcript in (before, after):
        assert [channel.text for channel in transcript.channels] == ["left one left two", "right one"]
        assert [word.speaker for word in transcript.channels[1].words] == [3, 3]
    assert after.utterances == before.utterances


@pytest.mark.parametrize("format_", ["srt", "vtt"])
def test_captions_hold_every_ended_utterance(tmp_path: Path, format_: str) -> None:
    """After every final that ends an utterance, all of its words are in a valid file."""
    path = tmp_path / f"a.{format_}"
    sink = CaptionFile(path, by_name(format_), RenderSettings())
    for number, event in enumerate(TALK):
        sink.handle(event)
        text = path.read_text()
        if isinstance(event, Final) and event.speech_final:
            shown = [w for line in text.splitlines() if "-->" not in line for w in line.split()]
            if format_ == "srt":
                shown = [w for w in shown if not (w.isdigit())]
            assert [w for w in shown if w != "WEBVTT"] == said(TALK[: number + 1])
        assert text.endswith("\n\n") or not text
    sink.close()
    whole = path.read_text()
    assert whole.count("number") == 9


class Clock:
    """A clock that a test moves; every look at it takes so many seconds."""

    def __init__(self, took: float) -> None:
        self.now, self.took = 0.0, took

    def __call__(self) -> float:
        self.now += self.took
        return self.now


def test_a_format_that_does_not_grow_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there soon, is written again at intervals that grow with what that takes, and is whole at the end."""
    from dgcli.formats import Format
    from dgcli.sinks import files

    extra = (*FORMATS, Format("shout", (".shout",), "", "text"))
    monkeypatch.setattr("dgcli.formats.FORMATS", extra)
    monkeypatch.setattr(files, "FORMATS", extra)
    path = tmp_path / "a.shout"
    sink = file_sink(path, RenderSettings())
    assert isinstance(sink, RenderedFile)
    sink._clock = Clock(0.5)
    written = []
    for second, event in enumerate(TALK):
        sink.handle(event)
        before = path.stat().st_ino if path.exists() else 0
        sink.tick(float(second))
        assert path.exists()
        if path.stat().st_ino != before:
            written.append(second)
            assert path.read_text().split() == said(TALK[: second + 1])
    assert written == [0, 10], "each takes half a second: the next comes ten seconds later"
    sink.close()
    sink.close()
    assert path.read_text().split() == said(TALK)
    assert list(tmp_path.iterdir()) == [path]


# Formats that grow. SCC does not, since the next caption decides when one is cleared: it is written anew at times.
SUFFIXES = [suffix for format_ in FORMATS for suffix in format_.suffixes[:1] if format_.name != "scc"]


def words_in(path: Path, rendered: bytes | None = None) -> list[str]:
    """The words of TALK that a file of any format holds; raises if the file is not valid."""
    data = path.read_bytes() if rendered is None else rendered
    text, suffix = data.decode(), "".join(path.suffixes)
    match suffix:
        case ".json":
            return [word.text for word in parse_body(data).words]
        case ".csv" | ".tsv":
            rows = list(csv.DictReader(StringIO(text), delimiter="\t" if suffix == ".tsv" else ","))
            assert text.endswith("\n")
            return [row["punctuated_word"] for row in rows]
        case ".words.jsonl":
            return [json.loads(line)["punctuated_word"] for line in text.splitlines()]
        case ".srt" | ".vtt" | ".ass" | ".ssa" | ".ttml" | ".ebuttd":
            if suffix in (".ttml", ".ebuttd"):
                ET.fromstring(text)
                suffix = ".ttml"
            events = pysubs2.SSAFile.from_string(text, format_=suffix[1:])
            return [word for event in events for word in event.plaintext.split()]
        case ".html":
            assert text.endswith("</html>\n")
            (main,) = re.findall("<main.*?>(.*)</main>", text, re.DOTALL)
            return re.sub("<a.*?</a>|<[^>]*>", "", main).split()
        case ".md":
            assert text.startswith("# Transcript\n")
            return re.sub(r"\\\[[0-9:]*\\\]|\\|^[#-].*$", "", text, flags=re.MULTILINE).split()
        case _:
            assert not text or text.endswith("\n")
            return text.split()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_is_valid_after_every_event(tmp_path: Path, suffix: str) -> None:
    """From the moment the connection opens the file is there and valid, and no final is missing for 2 s of audio."""
    path = tmp_path / f"a{suffix}"
    sink = file_sink(path, RenderSettings())
    for number, event in enumerate(TALK):
        sink.handle(event)
        sink.tick(0.0)
        whole = said(TALK[: number + 1])
        assert words_in(path) == whole, f"after {event}"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name], "nothing lies beside it"
    sink.handle(Closed(40.0, 1))
    sink.close()
    sink.close()
    assert words_in(path) == said(TALK)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix not in (".json", ".txt", ".vtt")])
def test_what_grew_is_what_is_rendered(tmp_path: Path, suffix: str) -> None:
    """At the end the file is, but for what only the end tells, the stream's response in that format."""
    events = [
        *TALK,
        final("Fine, & <good>.", 40.0, speaker=1, said=words("Fine, & <good>.", 40.0, speaker=1)),
        Closed(50.0, 1),
    ]
    sinks = [file_sink(tmp_path / name, RenderSettings()) for name in ("a.json", f"b{suffix}")]
    for event in events:
        for sink in sinks:
            sink.handle(event)
    for sink in sinks:
        sink.close()
    transcript = parse_body((tmp_path / "a.json").read_bytes())
    grown = (tmp_path / f"b{suffix}").read_text()
    rendered = renderer(by_name(suffix[1:]))(transcript, RenderSettings())
    # A stream does not know before its end who will speak: its TTML names no agents.
    later = r'20\d\d-\d\d-\d\dT[\d:.]+Z|    <metadata>(?s:.*?)</metadata>\n| ttm:agent="[^"]*"'
    assert re.sub(later, "", grown) == re.sub(later, "", rendered)


def test_a_substation_file_ends_at_ten_hours_with_one_error(tmp_path: Path) -> None:
    """What SubStation has no time for is told once; what came before stays, and the stream goes on."""
    path = tmp_path / "a.ass"
    sink = file_sink(path, RenderSettings())
    sink.handle(Opened("id", 1, 0.0))
    sink.handle(final("Early.", 1.0))
    with pytest.raises(OutputError, match="10 hours"):
        sink.handle(final("Late.", 36_001.0))
    sink.handle(final("Later.", 36_011.0))
    sink.close()
    assert words_in(path) == ["Early."]


def test_outputs_are_checked_before_anything_is_sent(tmp_path: Path) -> None:
    """Unknown suffixes, missing folders, the input itself and doubles are refused."""
    source = tmp_path / "a.txt"
    source.write_text("x")
    for files in ([tmp_path / "a.xyz"], [tmp_path / "b.srt", tmp_path / "b.srt"]):
        with pytest.raises(UsageError):
            check_files(files)
    for files in ([tmp_path / "no" / "a.srt"], [source]):
        with pytest.raises(OutputError):
            check_files(files, source)
    check_files([tmp_path / "b.jsonl", tmp_path / "b.srt", tmp_path / "b.json"], source)


def test_a_pipe_takes_no_tails(tmp_path: Path) -> None:
    """What is no file gets the settled text only, in order."""
    read, write = os.pipe()
    file = GrowingFile(Path(f"/dev/fd/{write}"))
    file.append("one\n", "tail")
    file.append("two\n", "tail")
    file.close()
    os.close(write)
    with os.fdopen(read, "rb") as reader:
        assert reader.read() == b"one\ntwo\n"


def killed_words(path: Path) -> list[str]:
    """What a killed process left in a file of this kind, as its words; raises if it is not valid."""
    if path.suffixes != [".jsonl"]:
        return words_in(path)
    # The system may end a write between two pages: the last line has its end, or it does not count.
    whole = path.read_bytes().rpartition(b"\n")[0]
    messages = [json.loads(line)["message"] for line in whole.splitlines()[1:]]
    return [
        word["punctuated_word"] for said in messages for word in said["channel"]["alternatives"][0]["words"]
    ]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".jsonl"])
def test_kill_9_leaves_a_valid_file(tmp_path: Path, suffix: str) -> None:
    """A process that is killed in the middle of writing leaves every utterance it told of, and no other file."""
    path = tmp_path / "files" / f"a{suffix}"
    path.parent.mkdir()
    (tmp_path / "tmp").mkdir()
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from dgcli.transcript.events import Opened\n"
        "from dgcli.formats import RenderSettings\n"
        "from dgcli.sinks.files import file_sink\n"
        "from tests.sinks.conftest import final\n"
        "sink = file_sink(Path(sys.argv[1]), RenderSettings())\n"
        "sink.handle(Opened('id', 1, 0.0))\n"
        "for number in range(100000):\n"
        "    sink.handle(final(f'This is the sentence n{number}.', number * 3.0))\n"
        "    print(number, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    assert process.stdout
    for _ in range(40):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    written = int(rest.splitlines()[-1]) if rest else 39
    numbers = [int(word[1:-1]) for word in killed_words(path) if word.startswith("n") and word.endswith(".")]
    assert [entry.name for entry in tmp_path.rglob("*") if not entry.is_dir()] == [path.name]
    assert numbers[: written + 1] == list(range(written + 1))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_words(tmp_path: Path) -> None:
    """Text, SRT and JSON of a stream of ever new words soon hold all that they ever will, to a megabyte."""
    sinks = [file_sink(tmp_path / f"a{suffix}", RenderSettings()) for suffix in (".txt", ".srt", ".json")]
    peaks = []
    tracemalloc.start()
    for number in range(400):
        said_now = " ".join(f"w{number * 30 + word}x" for word in range(30))
        for sink in sinks:
            sink.handle(final(said_now, number * 15.0, ends=number % 2 == 0))
        if number in (99, 399):
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
    tracemalloc.stop()
    for sink in sinks:
        sink.close()
    assert peaks[1] - peaks[0] < 2**20


@pytest.mark.slow
def test_the_end_of_a_stream_is_written_in_little_memory(tmp_path: Path) -> None:
    """The final shape of a JSON file is made without holding what was said."""
    sink = ResponseSink(tmp_path / "a.json")
    sink.handle(Opened("id", 1, 0.0))
    for number in range(2000):
        sink.handle(final("word " * 20, number * 10.0))
    tracemalloc.start()
    sink.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(parse_body((tmp_path / "a.json").read_bytes()).words) == 40_000
    assert peak < 150_000, "the words alone are 200,000 bytes"


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let an open file be removed")
def test_a_file_that_is_removed_while_it_grows_is_there_at_the_end(tmp_path: Path) -> None:
    """Captions, text, words and the response are whole again when the stream ends; a moved file goes on as it is."""
    names = ("a.srt", "a.vtt", "a.ttml", "a.txt", "a.csv", "a.json", "a.jsonl")
    sinks = [file_sink(tmp_path / name, RenderSettings()) for name in names]
    moved = file_sink(tmp_path / "moved.srt", RenderSettings())
    for sink in (*sinks, moved):
        sink.handle(Opened("id", 1, 0.0))
        sink.handle(final("Before it went.", 0.0))
    for name in names:
        (tmp_path / name).unlink()
    (tmp_path / "moved.srt").rename(tmp_path / "elsewhere.srt")
    for sink in (*sinks, moved):
        sink.handle(final("After that.", 10.0))
        sink.close()
    for path in (*(tmp_path / name for name in names), tmp_path / "elsewhere.srt"):
        text = path.read_text()
        assert re.search("Before.*went.*After", text, re.DOTALL), path.name
    assert not (tmp_path / "moved.srt").exists()
