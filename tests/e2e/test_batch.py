"""`dg file` and `dg url` with many recordings, as a user runs them."""

import json
import os
import threading
import time
from pathlib import Path

import pexpect
import pytest

from tests.batch.conftest import Corpus, audio, expected, transcripts
from tests.batch.conftest import batch_server as batch_server
from tests.batch.conftest import corpus as corpus
from tests.batch.server import BatchServer, text_of
from tests.conftest import HANGS_AFTER, Run, ScriptedServer, dg_path, loaded_by

TREE = ["file", "-r", "corpus", "--output-dir", "out"]


def lines(text: bytes) -> list[str]:
    """The lines of an output."""
    return text.decode().splitlines()


def test_a_tree(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """Every recording of a tree is transcribed into a tree; nothing is on stdout, a line for each on stderr."""
    recordings = corpus(7)
    result = dg(*TREE, "--base-url", batch_server.url)
    assert (result.stdout, result.returncode) == (b"", 0)
    assert transcripts(tmp_path / "work" / "out") == expected(recordings)
    messages = lines(result.stderr)
    assert len([line for line in messages if "/7] corpus/" in line]) == 7
    assert messages[7:9] == ["dg:       7  transcribed", "dg:  10.5 s  of audio"]
    assert set(batch_server.queries) == {"model=nova-3&smart_format=true"}


def test_beside_each(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """Without --output-dir, outputs lie beside their recordings, one for each format."""
    recordings = corpus(3)
    result = dg("file", *recordings, "-f", "srt", "-f", "json", "--base-url", batch_server.url)
    assert result.returncode == 0, result.stderr
    for name, data in recordings.items():
        stem = (tmp_path / "work" / name).with_suffix("")
        assert text_of(data)[:20] in stem.with_suffix(".srt").read_text().replace("\n", " ")
        assert json.loads(stem.with_suffix(".json").read_bytes())["metadata"]["duration"] == 1.5
    assert sum(batch_server.posts.values()) == 3


def test_one_file_with_a_directory_for_outputs(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """One file with --output-dir is a batch of one: a file is written, and its error is its own."""
    (tmp_path / "work" / "a.wav").write_bytes(audio(1))
    assert dg("file", "a.wav", "--output-dir", "out", "--base-url", batch_server.url).returncode == 0
    assert (tmp_path / "work" / "out" / "a.txt").read_text() == text_of(audio(1)) + "\n"
    result = dg("file", "b.wav", "--output-dir", "out", "--base-url", batch_server.url)
    assert lines(result.stderr) == ["dg: error: There is no file b.wav."]
    assert result.returncode == 6


def test_again(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """The same command again sends nothing; what is missing is made of the answers that are there."""
    recordings = corpus(6)
    out = tmp_path / "work" / "out"
    flags = ["--base-url", batch_server.url]
    dg(*TREE, *flags)
    again = dg(*TREE, *flags)
    assert "dg:       6  skipped: they are there already" in lines(again.stderr)
    (out / "a" / "000.txt").unlink()
    (out / "a" / "003.txt").write_text("corrected by hand")
    more = dg(*TREE, "-f", "text", "-f", "srt", *flags)
    assert more.returncode == 0
    assert len(list(out.rglob("*.srt"))) == 6
    assert (out / "a" / "000.txt").read_text() == expected(recordings)["a/000.txt"]
    assert (out / "a" / "003.txt").read_text() == "corrected by hand"
    assert set(batch_server.posts.values()) == {1}


def test_what_has_changed(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """A recording with other bytes is sent again, even of the same size; one that was only touched is not."""
    recordings = corpus(3)
    flags = ["--base-url", batch_server.url]
    dg(*TREE, *flags)
    work = tmp_path / "work"
    changed, touched = work / "corpus/a/000.wav", work / "corpus/b/001.wav"
    before = changed.stat()
    changed.write_bytes(recordings["corpus/a/000.wav"].replace(b"0", b"9"))
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(touched, (1, 1))
    assert dg(*TREE, *flags).returncode == 0
    assert sum(batch_server.posts.values()) == 4
    assert (work / "out/a/000.txt").read_text() == text_of(changed.read_bytes()) + "\n"


def test_other_options(dg: Run, batch_server: BatchServer, corpus: Corpus, tmp_path: Path) -> None:
    """With other options it is sent again and its outputs are redone; going back costs nothing."""
    corpus(2)
    flags = ["--base-url", batch_server.url]
    dg(*TREE, *flags)
    text = tmp_path / "work" / "out" / "a" / "000.txt"
    first = text.stat().st_mtime_ns
    dg(*TREE, "--diarize", *flags)
    assert sum(batch_server.posts.values()) == 4
    assert text.stat().st_mtime_ns > first
    back = dg(*TREE, *flags)
    assert "dg:       2  written from responses that were there, free of charge" in lines(back.stderr)
    assert sum(batch_server.posts.values()) == 4


def test_overwrite_and_skip_any(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """--overwrite sends again; --skip-existing any keeps what is there, whatever it is; else it is redone."""
    corpus(2)
    out = tmp_path / "work" / "out"
    (out / "a").mkdir(parents=True)
    (out / "a" / "000.txt").write_text("of another program")
    flags = ["--base-url", batch_server.url]
    dg(*TREE, "--skip-existing", "any", *flags)
    assert (out / "a" / "000.txt").read_text() == "of another program"
    assert sum(batch_server.posts.values()) == 1
    dg(*TREE, *flags)
    assert (out / "a" / "000.txt").read_text() == text_of(audio(0)) + "\n"
    dg(*TREE, "--overwrite", *flags)
    assert sum(batch_server.posts.values()) == 4
    assert dg(*TREE, "--overwrite", "--skip-existing", "any", *flags).returncode == 2


def test_report(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """The report has a line for each recording: what was made, or why not, and what it took."""
    recordings = corpus(3)
    busy = iter([True])
    batch_server.fail = lambda body, number: (
        (400, {"dg-request-id": "bad"}) if body == recordings["corpus/b/001.wav"]
        else (429, {"Retry-After": "0"}) if body == recordings["corpus/a/000.wav"] and next(busy, False) else None
    )  # fmt: skip
    result = dg(
        *TREE,
        "--files-from",
        "-",
        "--report",
        "run.jsonl",
        "--base-url",
        batch_server.url,
        stdin=b"missing.wav\n",
    )
    assert result.returncode == 7
    rows = [json.loads(line) for line in (tmp_path / "work" / "run.jsonl").read_text().splitlines()]
    by_input = {row["input"]: row for row in rows}
    assert len(by_input) == len(rows) == 4
    good, bad, missing = (by_input[name] for name in ("corpus/a/000.wav", "corpus/b/001.wav", "missing.wav"))
    assert (good["status"], good["outputs"], good["attempts"]) == ("transcribed", ["out/a/000.txt"], 2)
    assert (good["duration"], good["error"], good["exit_code"]) == (1.5, None, 0)
    assert good["request_id"].startswith("r-")
    assert 0 <= good["seconds"] < 60
    assert (bad["status"], bad["request_id"], bad["exit_code"]) == ("failed", "bad", 4)
    assert bad["error_details"] == ["HTTP 400", "REFUSED", "request bad"]
    assert (missing["error"], missing["exit_code"], missing["attempts"]) == (
        "There is no file missing.wav.",
        6,
        0,
    )


@pytest.mark.parametrize(
    ("status", "code", "requests"), [(400, 4, 5), (403, 3, 1), (401, 3, 1), (402, 4, 1), (404, 4, 5)]
)
def test_all_failed(
    dg: Run, batch_server: BatchServer, corpus: Corpus, status: int, code: int, requests: int
) -> None:
    """When all failed for one reason the exit code is its own; a refused key or no money ends the run at once."""
    corpus(5)
    batch_server.fail = lambda body, number: (status, {})
    result = dg(*TREE, "--jobs", "1", "--base-url", batch_server.url)
    assert result.returncode == code
    assert batch_server.requests == requests


def test_no_key(dg: Run, corpus: Corpus) -> None:
    """Without a key nothing is begun, and the message is that of one file."""
    corpus(3)
    result = dg(*TREE)
    assert lines(result.stderr)[0] == "dg: error: No API key."
    assert result.returncode == 3


def test_fail_fast(dg: Run, batch_server: BatchServer, corpus: Corpus) -> None:
    """--fail-fast begins nothing after the first failure, and says how much was left."""
    corpus(10)
    batch_server.fail = lambda body, number: (400, {}) if number == 3 else None
    result = dg(*TREE, "--jobs", "1", "--fail-fast", "--base-url", batch_server.url)
    assert result.returncode == 7
    assert batch_server.requests == 3
    assert "dg:       7  not begun" in lines(result.stderr)
    assert "1 of 10 failed, and 7 were not begun" in lines(result.stderr)[-1]


def test_quiet(dg: Run, batch_server: BatchServer, corpus: Corpus) -> None:
    """-q says nothing but errors, each with its recording."""
    corpus(3)
    batch_server.fail = lambda body, number: (400, {}) if body == audio(1) else None
    result = dg(*TREE, "-q", "--base-url", batch_server.url)
    assert lines(result.stderr) == [
        "dg: error: corpus/b/001.wav: Refused with 400. [HTTP 400, REFUSED]",
        "dg: error: 1 of 3 failed: Refused with 400. [HTTP 400, REFUSED]",
    ]


def test_jobs(dg: Run, batch_server: BatchServer, corpus: Corpus) -> None:
    """--jobs is how many are under way at once, no more."""
    corpus(30)
    together = threading.Barrier(3)  # nobody is answered before three have come

    def wait(number: int) -> None:
        together.wait(30)

    batch_server.before = wait
    assert dg(*TREE, "--jobs", "3", "--base-url", batch_server.url).returncode == 0
    assert batch_server.most_at_once == 3


def test_max_rps(dg: Run, batch_server: BatchServer, corpus: Corpus) -> None:
    """--max-rps spreads the requests out."""
    corpus(6)
    began = time.monotonic()
    assert dg(*TREE, "--max-rps", "10", "--base-url", batch_server.url).returncode == 0
    assert time.monotonic() - began >= 0.5


def test_dry_run(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """--dry-run tells where what would be sent and written, with the hours of audio and the problems."""
    import numpy
    import soundfile

    work = tmp_path / "work"
    soundfile.write(work / "a.wav", numpy.zeros(16000 * 90, dtype="int16"), 16000)
    (work / "b.mp3").write_bytes(b"ID3" + bytes(100))
    (work / "c.wav").write_bytes(audio(3))
    (work / "d.wav").write_bytes(b"")
    dg("file", "c.wav", "--output-dir", "out", "--base-url", batch_server.url)
    result = dg("file", "a.wav", "b.mp3", "c.wav", "d.wav", "--output-dir", "out", "-f", "text", "-f", "srt",
                "--dry-run", "--base-url", batch_server.url)  # fmt: skip
    assert lines(result.stdout) == [
        "send\ta.wav\tout/a.txt out/a.srt\t2880044 bytes, audio/wav",
        "send\tb.mp3\tout/b.txt out/b.srt\t103 bytes, audio/mpeg",
        "make\tc.wav\tout/c.srt\tnothing: the response is there",
        "fail\td.wav\td.wav is empty.",
    ]
    assert lines(result.stderr) == [
        f"dg: POST {batch_server.url}/v1/listen?model=nova-3&smart_format=true",
        "dg: 2 of 4 would be sent: 1.5 min of audio, and 1 of unknown length.",
        "dg: error: 1 of 4 would fail: d.wav is empty.",
    ]
    assert result.returncode == 7
    assert batch_server.requests == 1


@pytest.mark.parametrize(
    ("args", "outputs"),
    [
        ((), "standard output (text)"),
        (("-f", "srt"), "standard output (srt)"),
        (("-o", "a.srt", "-o", "b.json"), "a.srt b.json"),
        (("-o", "a.srt", "-f", "json"), "a.srt standard output (json)"),
        (("--output-dir", "out"), "out/a.txt"),
    ],
)
def test_dry_run_of_one(
    dg: Run, tmp_path: Path, batch_server: BatchServer, args: tuple[str, ...], outputs: str
) -> None:
    """For one recording --dry-run tells the very outputs of a real run, and the parameters."""
    work = tmp_path / "work"
    (work / "a.wav").write_bytes(audio(1))
    result = dg("file", "a.wav", *args, "--diarize", "--dry-run", "--base-url", batch_server.url)
    (row,) = lines(result.stdout)
    assert row.split("\t")[:3] == ["send", "a.wav", outputs]
    assert lines(result.stderr)[0].endswith("/v1/listen?model=nova-3&smart_format=true&diarize=true")
    assert [path.name for path in work.iterdir()] == ["a.wav"]
    dg("file", "a.wav", *args, "--base-url", batch_server.url)
    made = {str(path.relative_to(work)) for path in work.rglob("*.*") if ".dg" not in path.parts}
    assert made == {"a.wav", *(name for name in outputs.split(" ") if "." in name)}


def test_dry_run_fails_as_a_run_would(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """What cannot be sent or written ends a dry run of one recording with the code of its error; -q is quiet."""
    assert dg("file", "none.wav", "--dry-run", "--base-url", batch_server.url).returncode == 6
    (tmp_path / "work" / "a.wav").write_bytes(audio(1))
    missing = dg("file", "a.wav", "none.wav", "--dry-run", "--base-url", batch_server.url)
    assert (
        missing.returncode == dg("file", "a.wav", "none.wav", "--base-url", batch_server.url).returncode == 6
    )
    assert [line for line in lines(missing.stdout) if line.startswith("fail")] == [
        "fail\tnone.wav\tThere is no file none.wav."
    ]
    refused = dg("file", "a.wav", "-o", "no/a.srt", "--dry-run", "--base-url", batch_server.url)
    assert (refused.returncode, refused.stdout) == (8, b"")
    url = dg("url", "https://example.com/a.wav", "--dry-run", "-q", "--base-url", batch_server.url)
    assert (
        url.stdout
        == b"send\thttps://example.com/a.wav\tstandard output (text)\tthe URL, which the API fetches\n"
    )
    assert url.stderr == b""


def test_a_batch_says_where_its_outputs_go(
    dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus, environment: dict[str, str]
) -> None:
    """Outputs beside the recordings are told before the first; at the end a terminal is told how many went where."""
    recordings = corpus(3)
    result = dg("file", *recordings, "-f", "srt", "-f", "json", "--base-url", batch_server.url)
    told = "dg: The transcripts go beside the recordings, as .srt, .json. Elsewhere: --output-dir DIR"
    assert lines(result.stderr)[0] == told
    child = pexpect.spawn(
        dg_path(), ["file", *recordings, "--output-dir", "out/", "--base-url", batch_server.url],
        env=environment, cwd=tmp_path / "work", encoding="utf-8", timeout=60,
    )  # fmt: skip
    child.expect("dg: 3 recordings in out/[.]")
    child.expect(pexpect.EOF)
    assert "beside" not in str(child.before)


def test_named_twice(dg: Run, batch_server: BatchServer, corpus: Corpus) -> None:
    """What is named twice is told, and sent once."""
    corpus(2)
    result = dg(*TREE, "corpus/a/000.wav", "--base-url", batch_server.url)
    assert lines(result.stderr)[0] == "dg: corpus/a/000.wav is named twice: it is transcribed once."
    assert batch_server.requests == 2


def test_shards(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """Shares of a corpus, each run by itself, come to the whole, and nothing is sent twice."""
    recordings = corpus(30)
    flags = ["--base-url", batch_server.url]
    assert dg(*TREE, "--shard", "1/2", *flags).returncode == 0
    part = batch_server.requests
    assert 5 < part < 25
    env = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "0"}
    result = dg(*TREE, "--shard", "auto", *flags, env=env)
    assert lines(result.stderr)[0] == f"dg: Share 2/2: {30 - part} of 30 recordings."
    assert transcripts(tmp_path / "work" / "out") == expected(recordings)
    assert set(batch_server.posts.values()) == {1}


def test_urls(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """`dg url` takes many, and `dg file` takes them among files; each is fetched by the API."""
    (tmp_path / "work" / "a.wav").write_bytes(audio(1))
    urls = [f"https://example.com/{name}.mp3" for name in "xyz"]
    assert dg("url", *urls, "--base-url", batch_server.url).returncode == 0
    assert dg("file", "a.wav", "https://example.com/w.mp3", "--base-url", batch_server.url).returncode == 0
    sent = [json.loads(body)["url"] for body in batch_server.posts if body.startswith(b"{")]
    assert sorted(sent) == sorted([*urls, "https://example.com/w.mp3"])
    assert sorted(path.name for path in (tmp_path / "work").glob("*.txt")) == [
        "a.txt", "w.txt", "x.txt", "y.txt", "z.txt",
    ]  # fmt: skip
    before = batch_server.requests
    assert dg("url", *urls, "--base-url", batch_server.url).returncode == 0
    assert batch_server.requests == before
    refused = dg("url", urls[0], "./a.wav", "--base-url", batch_server.url)
    assert lines(refused.stderr)[-1] == "dg: Did you mean: dg file ./a.wav"


def test_callback(dg: Run, server: ScriptedServer, corpus: Corpus) -> None:
    """With --callback there is nothing to write: accepted once, and not again by the same command."""
    from tests.conftest import Reply

    corpus(2)
    server.script = [Reply(200, b'{"request_id": "0198-accepted"}')]
    command = [*TREE, "--callback", "https://example.com/done", "--base-url", server.url]
    result = dg(*command)
    assert "dg:       2  accepted: the transcripts go to the callback" in lines(result.stderr)
    assert dg(*command).returncode == 0
    assert len(server.seen) == 2


def test_cache(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """--cache pays once for the same audio, in one run and the next, whatever its name; and can be cleared."""
    work = tmp_path / "work"
    for name in ("a.wav", "b.wav", "c.wav"):
        (work / name).write_bytes(audio(1))
    flags = ["--cache", "--base-url", batch_server.url]
    assert dg("file", "a.wav", "b.wav", "c.wav", *flags).returncode == 0
    assert batch_server.requests == 1
    assert dg("file", "a.wav", *flags).stdout.decode() == text_of(audio(1)) + "\n"
    assert batch_server.requests == 1
    assert dg("file", "a.wav", "--diarize", *flags).returncode == 0
    assert batch_server.requests == 2
    assert dg("history", "clear").returncode == 0
    assert dg("file", "a.wav", *flags).returncode == 0
    assert batch_server.requests == 3


def test_language_in_names(dg: Run, tmp_path: Path, server: ScriptedServer, corpus: Corpus) -> None:
    """{lang} is the language that was asked for, or the one that was detected."""
    from tests.conftest import RESPONSE, Reply

    corpus(1)
    response = json.loads(json.dumps(RESPONSE))
    response["results"]["channels"][0]["detected_language"] = "es"
    server.script = [Reply(200, json.dumps(response).encode())]
    command = [*TREE, "--name-template", "{stem}.{lang}.{ext}", "--base-url", server.url]
    dg(*command, "--language", "de-CH")
    dg(*command, "--detect-language")
    names = sorted(path.name for path in (tmp_path / "work" / "out" / "a").glob("*.txt"))
    assert names == ["000.de-CH.txt", "000.es.txt"]
    dg(*command, "--detect-language")
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a.wav", "b.wav", "-o", "x.txt"], "-o names the output of one recording."),
        (["a.wav", "-"], "Standard input can only be transcribed alone."),
        ([], "Missing argument 'PATH'."),
        (["a.wav", "b.wav", "-f", "docx"], "There is no format 'docx'."),
        (["a.wav", "a.mp3"], "a.wav and a.mp3 would both be written to a.txt."),
        (["a.wav", "b.wav", "--skip-existing", "some"], "--skip-existing takes same or any, not 'some'."),
        (["a.wav", "--shard", "3/2"], "There is no share 3/2: the first is 1, the last 2."),
    ],
)
def test_refused(dg: Run, args: list[str], message: str) -> None:
    """What is invalid is refused before anything is sent, as a usage error."""
    result = dg("file", *args, env={"DEEPGRAM_API_KEY": "k"})
    assert lines(result.stderr)[0] == f"dg: error: {message}"
    assert result.returncode == 2


def test_nothing_to_do(dg: Run, tmp_path: Path) -> None:
    """An empty list is no failure, but is told."""
    (tmp_path / "work" / "list").touch()
    result = dg("file", "--files-from", "list", env={"DEEPGRAM_API_KEY": "k"})
    assert lines(result.stderr)[0] == "dg: There is nothing to transcribe."
    assert result.returncode == 0


@pytest.mark.parametrize("size", [(24, 100), (10, 40)])
def test_on_a_terminal(
    environment: dict[str, str],
    tmp_path: Path,
    batch_server: BatchServer,
    corpus: Corpus,
    size: tuple[int, int],
) -> None:
    """A terminal shows a bar, counts and a line for each upload; at the end only the table is left."""
    import pyte

    corpus(6)
    batch_server.held = True
    screen = pyte.Screen(size[1], size[0])
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(
        dg_path(), [*TREE, "--base-url", batch_server.url],
        env=environment, cwd=str(tmp_path / "work"), timeout=HANGS_AFTER, dimensions=size,
    )  # fmt: skip
    seen = b""
    while seen.count(b"transcribing") < 4:
        seen += child.read_nonblocking(4096, timeout=HANGS_AFTER)
    stream.feed(seen)
    shown = "\n".join(screen.display)
    assert "0 of 6 · 6 to do" in shown
    assert "corpus/a/000.wav" in shown
    batch_server.released.set()
    child.expect(pexpect.EOF)
    stream.feed(child.before)
    child.close()
    assert child.exitstatus == 0
    left = [line.rstrip() for line in screen.display if line.strip()]
    assert left[:2] == ["dg:       6  transcribed", "dg:   9.0 s  of audio"]
    assert left[3:] == ["dg: 6 recordings in out/."]


def test_one_file_loads_nothing_of_it(audio: Path, server: ScriptedServer) -> None:
    """One file pays nothing for what many need: neither batches nor clouds are loaded."""
    modules = loaded_by(["file", str(audio), "--base-url", server.url])
    assert not [name for name in modules if name.startswith(("dgcli.batch", "fsspec"))]


@pytest.mark.usefixtures("models_folder")
def test_local(dg: Run, tmp_path: Path) -> None:
    """--local transcribes many with one server of its own."""
    from tests.conftest import SAMPLE

    for name in ("a", "b"):
        (tmp_path / "work" / f"{name}.flac").write_bytes(SAMPLE.read_bytes())
    result = dg("file", "a.flac", "b.flac", "--local", "--cache")
    assert result.returncode == 0, result.stderr
    for name in ("a", "b"):
        assert "We the people".lower() in (tmp_path / "work" / f"{name}.txt").read_text().lower()


def test_arguments_that_name_nothing(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """An argument that names nothing stops everything before anything is paid, and says what may be meant."""
    (tmp_path / "work" / "a.wav").write_bytes(audio(1))
    for switch, value in (("--diarize", "true"), ("--summarize", "v2")):
        result = dg("file", "a.wav", switch, value, "--base-url", batch_server.url)
        assert result.returncode == 6
        assert lines(result.stderr) == [
            f"dg: error: There is no file {value}.",
            "dg: A switch takes no value: --diarize, --no-diarize, --summarize. Nothing was sent.",
        ]
    result = dg("file", "a.wav", "b.wav", "*.ogg", "--base-url", batch_server.url)
    assert lines(result.stderr) == ["dg: error: There are no files b.wav, *.ogg."]
    assert batch_server.requests == 0


def test_what_find_finds(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """`find . -print0 | dg file --files0-from -` sends recordings and nothing else; the rest is counted."""
    import subprocess

    work = tmp_path / "work"
    (work / ".git" / "objects").mkdir(parents=True)
    (work / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (work / ".env").write_text("DEEPGRAM_API_KEY=secret\n")
    (work / "empty").touch()
    (work / "calls").mkdir()
    (work / "calls" / "a.wav").write_bytes(audio(1))
    (work / "calls" / "b").write_bytes(audio(2))
    os.mkfifo(work / "pipe")
    for others in (8, 10):  # with folders, and the second time with the outputs of the first
        listed = subprocess.run(["find", ".", "-print0", "-name", ".dg", "-prune"], cwd=work, capture_output=True,
                                check=True).stdout  # fmt: skip
        names = [name for name in listed.split(b"\0") if b".dg" not in name]
        result = dg("file", "--files0-from", "-", "--base-url", batch_server.url, stdin=b"\0".join(names))
        assert result.returncode == 0, result.stderr
        assert lines(result.stderr)[0] == (
            f"dg: {others} skipped that are no recordings; --any-file sends what lists name."
        )
    assert batch_server.posts == {audio(1): 1, audio(2): 1}
    everything = dg(
        "file", "--files-from", "-", "--any-file", "--base-url", batch_server.url, stdin=b".env\n"
    )
    assert everything.returncode == 0
    assert batch_server.posts[b"DEEPGRAM_API_KEY=secret\n"] == 1


def test_what_is_named_and_no_recording(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """A file that is named and plainly no recording is refused (6), alone and among others, and not sent."""
    work = tmp_path / "work"
    (work / "a.wav").write_bytes(audio(1))
    (work / "b.mp3").write_text("404 not found")
    (work / "saved.json").write_text(json.dumps({"metadata": {}, "results": {}}))
    flags = ["--base-url", batch_server.url]
    alone = dg("file", "/etc/passwd", *flags)
    assert alone.returncode == 6
    assert lines(alone.stderr) == [
        "dg: error: /etc/passwd is text, not a recording.",
        "dg: To send it all the same: --any-file",
    ]
    saved = dg("file", "saved.json", *flags)
    assert lines(saved.stderr)[-1] == "dg: Did you mean: dg render saved.json"
    many = dg("file", "a.wav", "/etc/passwd", "--output-dir", "out", *flags)
    assert many.returncode == 7
    assert "/etc/passwd is text, not a recording." in many.stderr.decode()
    damaged = dg("file", "-r", ".", "--output-dir", "out", *flags)  # named like a recording: a failure
    assert damaged.returncode == 7
    assert "b.mp3 is text, not a recording." in damaged.stderr.decode()
    assert list(batch_server.posts) == [audio(1)]
    assert dg("file", "b.mp3", "--any-file", *flags).returncode == 0
    assert dg("file", "b.mp3", "--encoding", "linear16", "--sample-rate", "8000", *flags).returncode == 0
    assert batch_server.posts[b"404 not found"] == 2


def test_a_link_that_loops(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """A directory entry that cannot be looked at is skipped and named; the others of its folder are sent."""
    recordings = corpus(6)
    (tmp_path / "work" / "corpus" / "a" / "001-loop.wav").symlink_to("001-loop.wav")
    result = dg(*TREE, "--base-url", batch_server.url)
    assert result.returncode == 0, result.stderr
    assert lines(result.stderr)[0].startswith("dg: warning: corpus/a/001-loop.wav is skipped: ")
    assert transcripts(tmp_path / "work" / "out") == expected(recordings)


def test_check(dg: Run, tmp_path: Path, batch_server: BatchServer, corpus: Corpus) -> None:
    """--check reads every answer of a tree: all good, or what is damaged by file and exit code 7; once asked
    again, all is good."""
    corpus(6)
    flags = ["--base-url", batch_server.url]
    assert dg(*TREE, *flags).returncode == 0
    good = dg("file", "--check", "out")
    assert (good.returncode, lines(good.stderr)) == (0, ["dg: 6 good answers in 3 ledgers, no damage."])
    (ledger,) = (tmp_path / "work" / "out" / "a" / ".dg").glob("*.ledger")
    whole = ledger.read_bytes()
    at = whole.index(b'{"metadata"') + 50
    ledger.write_bytes(whole[:at] + b"~" + whole[at + 1 :])
    bad = dg("file", "--check", "out")
    assert bad.returncode == 7
    said = lines(bad.stderr)
    assert f"out/a/.dg/{ledger.name} is damaged at byte " in said[0]
    assert said[1] == "dg: error: 1 damaged, 5 good answers in 3 ledgers."
    for text in (tmp_path / "work" / "out").rglob("*.txt"):
        text.unlink()
    assert dg(*TREE, *flags).returncode == 0
    assert batch_server.requests == 7
    assert dg("file", "--check", "out").returncode == 0
    assert dg("file", "--check", "corpus").returncode == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "Missing argument 'URL'."),
        (("example.com/talk.mp3",), "Did you mean: dg url https://example.com/talk.mp3"),
        (("talk.wav",), "is a path, not a URL."),
        (("ftp://example.com/talk.mp3",), "The API cannot fetch 'ftp://example.com/talk.mp3'."),
        (("https://[::1/talk.mp3",), "The API cannot fetch"),
    ],
)
def test_what_is_no_url_is_refused(
    dg: Run, batch_server: BatchServer, args: tuple[str, ...], said: str
) -> None:
    """`dg url` without a URL, or with what the API cannot fetch, asks for nothing and says what to do."""
    result = dg("url", *args, "--base-url", batch_server.url)
    assert result.returncode == 2
    assert said in result.stderr.decode()
    assert batch_server.requests == 0


def test_the_ledger_of_urls_is_checked(dg: Run, batch_server: BatchServer) -> None:
    """`dg url --check` checks what a batch of URLs has left, as `dg file --check` does."""
    urls = ("https://example.com/a.wav", "https://example.com/b.wav")
    assert dg("url", *urls, "--output-dir", "out", "--base-url", batch_server.url).returncode == 0
    assert dg("url", "--check", "--output-dir", "out").returncode == 0
    assert dg("url", "--check", "nowhere").returncode == 2


def test_a_dry_run_tells_what_it_cannot_look_at(dg: Run, tmp_path: Path, batch_server: BatchServer) -> None:
    """What is done is skipped, a pipe is left alone, a list that is missing and a missing key are told."""
    work = tmp_path / "work"
    for name in ("a.wav", "b.wav"):
        (work / name).write_bytes(audio(1))
    base = ("--base-url", batch_server.url)
    dg("file", "a.wav", "b.wav", "--output-dir", "out", *base)
    again = dg("file", "a.wav", "b.wav", "--output-dir", "out", "--dry-run", *base)
    assert [line.split("\t")[0] for line in lines(again.stdout)] == ["skip", "skip"]
    urls = dg("url", "https://example.com/a.wav", "https://example.com/b.wav", "--dry-run", *base)
    assert lines(urls.stdout)[0].endswith("\tthe URL, which the API fetches")
    without_key = dg("file", "a.wav", "--dry-run", env={"DEEPGRAM_BASE_URL": "https://api.deepgram.com"})
    assert (without_key.returncode, b"No API key." in without_key.stderr) == (0, True)
    called = dg("file", "a.wav", "--callback", "https://example.com/hook", "--dry-run", *base)
    assert b"\thttps://example.com/hook\t" in called.stdout
    os.mkfifo(work / "pipe.wav")
    piped = dg("file", "pipe.wav", "--dry-run", *base)
    assert b"what comes from it, all of it" in piped.stdout
