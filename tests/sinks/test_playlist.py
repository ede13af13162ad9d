"""Captions in segments with an HLS playlist, as they grow and as they are rendered."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from dgcli.errors import OutputError, UsageError
from dgcli.formats import RenderSettings, by_name, render_settings, renderer
from dgcli.output.plan import plan_outputs, write_outputs
from dgcli.sinks.files import check_files, file_sink
from dgcli.sinks.playlist import PlaylistSink
from dgcli.sinks.response import ResponseSink
from dgcli.transcript.events import Closed, Event, Final, Opened
from dgcli.transcript.response import parse_body
from tests.sinks.conftest import final, words
from tests.sinks.test_captions import streams

Cues = list[tuple[str, str, str]]


def cues(text: str) -> Cues:
    """Start, end and text of the cues of a WebVTT file."""
    return re.findall(r"^([\d:.]+) --> ([\d:.]+)\n((?:.+\n)+)", text, re.MULTILINE)


def seconds(stamp: str) -> float:
    """A time of WebVTT."""
    hours, minutes, rest = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def listed(path: Path) -> list[tuple[float, str]]:
    """The segments of a playlist, which is checked as RFC 8216 wants it: their durations and texts."""
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in lines
    target = next(int(line.split(":")[1]) for line in lines if line.startswith("#EXT-X-TARGETDURATION:"))
    found = []
    for at, line in enumerate(lines):
        if line.startswith("#EXTINF:"):
            duration = float(line[len("#EXTINF:") : -1])
            assert 0 < duration <= target
            text = (path.parent / lines[at + 1]).read_text("utf-8")
            assert text.startswith("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:")
            found.append((duration, text))
    return found


def check_segments(path: Path, wanted: Cues) -> None:
    """Every cue is in each segment that it is shown in, and in no other."""
    start = 0.0
    seen: set[tuple[str, str, str]] = set()
    segments = listed(path)
    for number, (duration, text) in enumerate(segments, 1):
        end = start + duration
        own = cues(text)
        for cue in own:
            assert seconds(cue[0]) < end + 0.001
            assert seconds(cue[1]) > start or cue not in seen
        must = [
            cue for cue in wanted
            if seconds(cue[0]) < end - 0.001 and (seconds(cue[1]) > start or number == len(segments))
        ]  # fmt: skip
        assert [cue for cue in must if seconds(cue[1]) > start and cue not in own] == []
        seen.update(own)
        start = end
    assert seen == set(wanted)


TALK: list[Event] = [
    Opened("r", 1, 0.0),
    *(final(f"This is the sentence with number {n}.", n * 4.0) for n in range(10)),
    Closed(60.0, 1),
]


def test_a_playlist_grows_and_is_valid_at_every_moment(tmp_path: Path) -> None:
    """From the first event on the list names whole segments, at least one, and loses none; ENDLIST ends it."""
    path = tmp_path / "captions.m3u8"
    sink = file_sink(path, RenderSettings())
    before: list[tuple[float, str]] = []
    grew = 0
    for event in TALK:
        sink.handle(event)
        now = listed(path)
        assert now
        assert now[: len(before)] == before
        assert "#EXT-X-ENDLIST" not in path.read_text()
        grew += len(now) > len(before)
        before = now
    sink.close()
    assert grew >= 4
    assert listed(path)[: len(before)] == before
    assert path.read_text().endswith("#EXT-X-ENDLIST\n")
    assert sum(duration for duration, _ in listed(path)) == pytest.approx(60.0)
    assert {entry.suffix for entry in tmp_path.iterdir()} == {".m3u8", ".vtt"}


@pytest.mark.slow
@given(streams())
@settings(deadline=None, max_examples=60)
def test_the_segments_hold_the_captions(events: list[Event]) -> None:
    """Whatever a stream brings, its segments hold the cues of the whole, each wherever it is on screen."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        sinks = [
            PlaylistSink(folder / "a.m3u8", RenderSettings(segment_duration=2)),
            ResponseSink(folder / "a.json"),
        ]
        whole = file_sink(folder / "a.vtt", RenderSettings())
        for sink in (*sinks, whole):
            for event in events:
                sink.handle(event)
            sink.close()
        check_segments(folder / "a.m3u8", cues((folder / "a.vtt").read_text("utf-8")))


def test_a_response_is_rendered_into_segments(tmp_path: Path) -> None:
    """-o captions.m3u8 of a saved response has the cues of its WebVTT file, on the timestamps that were asked for."""
    sink = ResponseSink(tmp_path / "a.json")
    for event in TALK:
        sink.handle(event)
    sink.close()
    transcript = parse_body((tmp_path / "a.json").read_bytes())
    path = tmp_path / "captions.m3u8"
    options = render_settings(timestamp_map=126000, segment_duration=3)
    write_outputs(transcript, plan_outputs(None, [path]), options)
    check_segments(path, cues(renderer(by_name("vtt"))(transcript, options)))
    assert all("MPEGTS:126000,LOCAL:00:00:00.000" in text for _, text in listed(path))
    assert path.read_text().endswith("#EXT-X-ENDLIST\n")
    crossing = [cue for _, text in listed(path) for cue in cues(text)]
    assert len(crossing) > len(set(crossing))


def test_silence_has_segments_too(tmp_path: Path) -> None:
    """Where nothing is said, finals without words still bring the list forward."""
    path = tmp_path / "captions.m3u8"
    sink = file_sink(path, RenderSettings())
    for at in range(10):
        sink.handle(Final(0, 1, at * 2.0, at * 2.0 + 2.0, "", ()))
    assert [duration for duration, _ in listed(path)] == [6.0, 6.0, 6.0]
    assert all(cues(text) == [] for _, text in listed(path))
    sink.close()
    assert [duration for duration, _ in listed(path)] == [6.0, 6.0, 6.0, 2.0]


def write(path: Path, events: list[Event]) -> None:
    """Write a playlist of events."""
    check_files([path])
    sink = file_sink(path, RenderSettings())
    for event in events:
        sink.handle(event)
    sink.close()


def test_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    """A shorter stream under the same name leaves no segment of the longer one, cut off as that may have been."""
    path = tmp_path / "captions.m3u8"
    sink = file_sink(path, RenderSettings())
    for event in TALK:
        sink.handle(event)  # and never closed
    count = len(list(tmp_path.glob("*.vtt")))
    shutil.copy(
        tmp_path / "captions-00001.vtt", tmp_path / f"captions-{count + 1:05d}.vtt"
    )  # not listed any more
    write(path, [*TALK[:2], Closed(3.0, 1)])
    names = sorted(entry.name for entry in tmp_path.iterdir())
    assert names == ["captions-00001.vtt", "captions-00002.vtt", "captions.m3u8"]


def plant_link(path: Path) -> None:
    """A symbolic link to somebody's file."""
    (path.parent / "precious").write_text("precious")
    path.symlink_to(path.parent / "precious")


@pytest.mark.parametrize("plant", [lambda path: path.write_text("mine"), plant_link, Path.mkdir])
def test_files_of_others_are_left_alone(tmp_path: Path, plant: object) -> None:
    """What has the name of a segment and is none of this playlist is refused before, and later left untouched."""
    assert callable(plant)
    path, stranger = tmp_path / "captions.m3u8", tmp_path / "captions-00002.vtt"
    sink = file_sink(path, RenderSettings())
    rest = iter(TALK)
    while not path.exists():
        sink.handle(next(rest))
    assert len(listed(path)) == 1
    plant(stranger)
    failures = []
    for event in rest:
        try:
            sink.handle(event)
        except OutputError as error:
            failures.append(error.message)
    assert failures == [f"{stranger} cannot be written: File exists."]
    with pytest.raises(OutputError):
        sink.close()
    assert len(listed(path)) == 1
    other = tmp_path / "other"
    other.mkdir()
    plant(other / "captions-00001.vtt")
    with pytest.raises(OutputError, match="is there already"):
        check_files([other / "captions.m3u8"])
    if (tmp_path / "precious").exists():
        assert (tmp_path / "precious").read_text() == "precious"
    if stranger.is_file() and not stranger.is_symlink():
        assert stranger.read_text() == "mine"


def test_a_linked_playlist_is_refused(tmp_path: Path) -> None:
    """The segments would not lie where the link leads."""
    (tmp_path / "captions.m3u8").symlink_to(tmp_path / "elsewhere.m3u8")
    with pytest.raises(OutputError, match="lie beside it"):
        check_files([tmp_path / "captions.m3u8"])


@pytest.mark.parametrize("options", [{"segment_duration": 0}, {"segment_duration": 61}, {"timestamp_map": -1},
                                     {"timestamp_map": 2**33}])  # fmt: skip
def test_what_a_playlist_cannot_say_is_refused(options: dict[str, int]) -> None:
    """Lengths of segments and timestamps have their bounds."""
    with pytest.raises(UsageError, match=next(iter(options)).replace("_", "-")):
        render_settings(**options)


@pytest.mark.system
@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffmpeg is not installed")
def test_ffmpeg_reads_it(tmp_path: Path) -> None:
    """ffprobe finds each cue once, at its time; the name may have a space and other characters of URLs."""
    path = tmp_path / "my captions.m3u8"
    write(path, TALK)
    write(tmp_path / "whole.vtt", TALK)
    command = ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "json", str(path)]
    result = subprocess.run(command, capture_output=True, check=True)
    assert result.stderr == b""
    times = [float(packet["pts_time"]) for packet in json.loads(result.stdout)["packets"]]
    wanted = [seconds(start) for start, _, _ in cues((tmp_path / "whole.vtt").read_text())]
    assert times == pytest.approx(wanted, abs=0.001)


def test_a_leap_of_years_fills_no_disk(tmp_path: Path) -> None:
    """A time that no audio has is told and left out; what comes before and after it is in the segments."""
    path = tmp_path / "talk.m3u8"
    sink = PlaylistSink(path, RenderSettings())
    sink.handle(final("early"))
    with pytest.raises(OutputError, match="900000000"):
        sink.handle(final("wrong", start=9e8))
    with pytest.raises(OutputError, match="900000000"):
        sink.handle(replace(final("wrong", start=7.0), words=words("wrong", 9e8)))
    sink.handle(final("late", start=8.0))
    sink.close()
    text = "".join(text for _, text in listed(path))
    assert ("early" in text, "wrong" in text, "late" in text) == (True, False, True)


def test_a_response_of_years_is_refused(tmp_path: Path) -> None:
    """A response whose times would make millions of files is refused before the first."""
    transcript = parse_body(
        json.dumps(
            {"metadata": {"duration": 9e8}, "results": {"channels": [{"alternatives": [{}]}]}}
        ).encode()
    )
    with pytest.raises(OutputError, match="150000000 segments"):
        write_outputs(transcript, plan_outputs(None, [tmp_path / "talk.m3u8"]), RenderSettings())
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """A folder that somebody removed is an output that cannot be written, and no end of the stream."""
    folder = tmp_path / "captions"
    folder.mkdir()
    sink = PlaylistSink(folder / "talk.m3u8", RenderSettings())
    folder.rmdir()
    with pytest.raises(OutputError, match="cannot be written"):
        sink.handle(final("hello", start=20.0))
    folder.mkdir()
    sink.close()
    assert "hello" in "".join(text for _, text in listed(folder / "talk.m3u8"))
