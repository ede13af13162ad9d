"""The history as a user meets it: `dg last`, `dg history`, `--cache`, and what is never kept."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pexpect
import pytest

from tests.batch.conftest import Corpus, corpus
from tests.batch.server import BatchServer, text_of
from tests.conftest import BODY, RESPONSE, SAMPLE, Reply, Run, ScriptedServer, dg_path
from tests.e2e.test_live import RAW, Running, Serve, base, numbers, pcm, serve

__all__ = ["corpus", "pcm", "serve"]  # fixtures of others

KEY = {"DEEPGRAM_API_KEY": "s3cret-key"}


@pytest.fixture
def folder(environment: Mapping[str, str]) -> Path:
    """The folder of the history."""
    return Path(environment["HOME"]) / ".local" / "state" / "dgcli" / "history"


@pytest.fixture
def batch_server() -> Iterator[BatchServer]:
    """A server that knows what is said in each recording."""
    made = BatchServer()
    yield made
    made.close()


def answer(text: str) -> Reply:
    """A response that says something."""
    response = json.loads(json.dumps(RESPONSE))
    response["results"]["channels"][0]["alternatives"] = [{"transcript": text, "confidence": 1, "words": []}]
    return Reply(200, json.dumps(response).encode())


def kept(folder: Path) -> list[Path]:
    """What is in the history, but for what it needs for itself."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


def messages(result: "subprocess.CompletedProcess[bytes]") -> list[str]:
    """The lines on standard error."""
    return result.stderr.decode().splitlines()


def test_last(dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path, folder: Path) -> None:
    """The newest answer, or the third, in any format and to any file, byte for byte as it came; nothing is sent."""
    server.script = [answer("One."), answer("Two."), Reply()]
    flags = ["--base-url", server.url]
    assert dg("file", audio, *flags).stdout == b"One.\n"
    assert dg("url", "https://example.com/calls/two.wav", *flags).stdout == b"Two.\n"
    assert dg("file", "-", *flags, stdin=audio.read_bytes()).returncode == 0
    assert dg("last").stdout == b"Call Maria at noon.\n"
    assert dg("last", "-f", "json").stdout == BODY
    assert [dg("last", number).stdout for number in "32"] == [b"One.\n", b"Two.\n"]
    saved = tmp_path / "saved.json"
    saved.write_bytes(BODY)
    rendering = ["-f", "vtt", "--karaoke", "--max-chars", "20", "--speaker", "0=Anna"]
    assert dg("last", *rendering).stdout == dg("render", saved, *rendering).stdout
    assert dg("last", "2", "-o", "a.txt", "-o", "a.md").returncode == 0
    assert dg("last", "2", "--output-dir", ".", "-f", "srt").returncode == 0
    assert {path.name for path in (tmp_path / "work").iterdir()} == {"a.txt", "a.md", "two.srt"}
    assert len(server.seen) == 3
    result = dg("last", "4")
    assert (messages(result)[0], result.returncode) == ("dg: error: The history has 3 answers, not 4.", 2)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600) or path.name == ".announced"


def test_list(dg: Run, audio: Path, server: ScriptedServer, folder: Path) -> None:
    """Date, length, name, request id and parameters, newest first, for people and programs; and where it all is."""
    flags = ["--base-url", server.url]
    assert dg("file", audio, "--diarize", "--keyterm", "Anna Lee", *flags).returncode == 0
    assert dg("url", "https://example.com/a.wav", *flags).returncode == 0
    result = dg("history")
    head, first, second = result.stdout.decode().splitlines()
    assert head.split() == ["date", "length", "recording", "request", "parameters"]
    assert first.split()[0] == "1"
    assert " 0:00:02  https://example.com/a.wav" in first
    assert RESPONSE["metadata"]["request_id"] in first
    assert second.endswith("model=nova-3 smart_format=true diarize=true keyterm=Anna Lee")
    assert str(audio) in second
    (note,) = messages(result)
    assert note.startswith("dg: 2 answers, 0.0 MB")
    assert note.endswith(f"in {folder}")
    rows = json.loads(dg("history", "--json").stdout)
    assert [row["name"] for row in rows] == ["https://example.com/a.wav", str(audio)]
    assert rows[1]["parameters"]["keyterm"] == ["Anna Lee"]
    assert (rows[1]["duration"], rows[1]["kind"], rows[1]["server"]) == (2.4, "response", "127.0.0.1")
    assert Path(rows[1]["path"]).read_bytes() == BODY


def test_clear(dg: Run, audio: Path, server: ScriptedServer, folder: Path) -> None:
    """Everything is deleted, and then there is nothing to write again."""
    dg("file", audio, "--base-url", server.url)
    assert messages(dg("history", "clear")) == ["dg: Deleted: 1 answer, 0.0 MB."]
    assert kept(folder) == []
    assert dg("history").stdout == b""
    assert json.loads(dg("history", "--json").stdout) == []
    assert messages(dg("last"))[0] == "dg: error: The history is empty."
    assert dg("history", "delete").returncode == 2


def test_it_is_told_once(dg: Run, audio: Path, server: ScriptedServer, folder: Path) -> None:
    """The first answer that is kept comes with one line: where, and how to turn it off; -q puts that off."""
    shutil.rmtree(folder)
    command = ["file", audio, "--base-url", server.url]
    assert messages(dg(*command, "-q")) == []
    (line,) = messages(dg(*command))
    assert str(folder) in line
    assert "--no-history" in line
    assert "history = false" in line
    assert messages(dg(*command)) == []


@pytest.mark.parametrize("how", ["flag", "setting"])
def test_off(
    dg: Run,
    audio: Path,
    server: ScriptedServer,
    serve: Serve,
    pcm: Path,
    folder: Path,
    tmp_path: Path,
    how: str,
) -> None:
    """With --no-history, or the setting, nothing of files, URLs, streams, batches is kept; --history overrules it."""
    shutil.rmtree(folder)
    config = tmp_path / "config.toml"
    config.write_text("history = false\n" if how == "setting" else "")
    env = {"DGCLI_CONFIG": str(config)}
    off = ["--no-history"] if how == "flag" else []
    flags = ["--base-url", server.url, *off]
    for command in (
        ["file", audio, *flags],
        ["url", "https://example.com/a.wav", *flags],
        ["file", audio, "--output-dir", "out", *flags],
        ["live", pcm, *RAW, *base(serve()), *off],
    ):
        assert dg(*command, env=env).returncode == 0
    for command in (["file", audio, *flags, "--cache"], ["file", audio, audio, *flags, "--cache"]):
        result = dg(*command, env=env)
        assert result.returncode == 2
        assert messages(result)[0] == "dg: error: --cache looks into the history, which is off."
    assert not folder.exists()
    if how == "setting":
        assert dg("file", audio, *flags, "--history", env=env).returncode == 0
        assert len(kept(folder)) >= 2


def test_limits_of_the_user(
    dg: Run, audio: Path, server: ScriptedServer, folder: Path, tmp_path: Path
) -> None:
    """The config file changes how much and how long; nonsense there is refused."""
    config = tmp_path / "config.toml"
    config.write_text(f"history_size = {3 * len(BODY) / 2**20}\n")
    env = {"DGCLI_CONFIG": str(config)}
    command = ["file", audio, "--base-url", server.url]
    for _ in range(6):
        assert dg(*command, env=env).returncode == 0
    assert 1 <= len(list(folder.glob("*.json"))) <= 2
    for path in folder.glob("2*"):
        os.utime(path, (path.stat().st_mtime - 86_400 * 2,) * 2)
    (folder / ".tally").unlink()
    config.write_text("history_days = 1.5\n")
    assert dg(*command, env=env).returncode == 0
    assert len(list(folder.glob("*.json"))) == 1
    for setting in (
        "history_days = 0",
        "history_size = -1",
        "history_days = 'x'",
        "history = 1",
        "history_size = nan",
    ):
        config.write_text(setting)
        result = dg(*command, env=env)
        assert result.returncode == 2
        assert setting.split()[0] in messages(result)[0]


def test_no_secret_is_in_any_file(
    dg: Run, audio: Path, server: ScriptedServer, environment: Mapping[str, str]
) -> None:
    """Keys, passwords, tokens and signed queries are in no file and on no list."""
    flags = ["--base-url", server.url, "--param", "access_token=s3cret-token"]
    url = "https://anna:s3cret-password@example.com/a.wav?X-Amz-Signature=s3cret-signature"
    assert dg("url", url, *flags, env=KEY).returncode == 0
    assert dg("file", audio, *flags, "--api-key", "s3cret-flag", env=KEY).returncode == 0
    other = url.replace("a.wav", "b.wav")
    dg("url", url, other, *flags, "--output-dir", ".", "--cache", env=KEY)
    home = Path(environment["HOME"])
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 6  # two answers with their facts, a batch, what the history needs for itself
    assert not [path for path in files if "s3cret" in str(path) or b"s3cret" in path.read_bytes()]
    listed = dg("history").stdout + dg("history", "--json").stdout
    assert b"https://example.com/a.wav?..." in listed
    assert b"s3cret" not in listed


def test_a_terminal_is_told_of_an_earlier_answer(
    dg: Run, server: ScriptedServer, environment: Mapping[str, str]
) -> None:
    """Before the same file is sent with the same options, how to use its answer; it is sent all the same."""
    command = ["file", str(SAMPLE), "--base-url", server.url]
    dg(*command)
    dg(*command, "--diarize")
    assert messages(dg(*command)) == []  # nobody looks
    shown = []
    for flags in ([], ["--numerals"], ["--no-history"]):
        child = pexpect.spawn(
            dg_path(), [*command, *flags], env=dict(environment), dimensions=(24, 300), timeout=20
        )
        child.expect(pexpect.EOF)
        shown.append(child.before.decode())
        child.close()
    assert "was answered for the same options on" in shown[0]
    assert "dg last writes that answer again, --cache uses it. It is sent all the same." in shown[0]
    assert "was answered" not in shown[1] + shown[2]
    assert len(server.seen) == 6


def test_cache_uses_what_any_run_kept(dg: Run, server: ScriptedServer, tmp_path: Path) -> None:
    """--cache sends nothing where the same file, or the same bytes, had the same options; and says so."""
    command = ["file", SAMPLE, "--base-url", server.url]
    first = dg(*command)
    again = dg(*command, "--cache")
    assert again.stdout == first.stdout
    assert "is used: nothing is sent." in messages(again)[0]
    assert len(server.seen) == 1
    assert dg(*command, "--cache", "--diarize").returncode == 0
    copy = tmp_path / "copy.flac"
    copy.write_bytes(SAMPLE.read_bytes())
    dg("file", copy, "--base-url", server.url, "--cache", "--diarize")
    assert len(server.seen) == 2
    copy.write_bytes(SAMPLE.read_bytes() + b"more")
    dg("file", copy, "--base-url", server.url, "--cache", "--diarize")
    assert len(server.seen) == 3


def test_two_batches_at_once_pay_once(
    dg: Run, batch_server: BatchServer, corpus: Corpus, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    """With --cache, two processes over the same 7 recordings post 7 times, not 14, and both write all of them."""
    recordings = corpus(7)
    batch_server.held = True
    command = [dg_path(), "file", "-r", "corpus", "--cache", "--base-url", batch_server.url, "--output-dir"]
    processes = [
        subprocess.Popen(
            [*command, out], env=dict(environment), cwd=tmp_path / "work", stderr=subprocess.PIPE
        )
        for out in ("one", "two")
    ]
    for _ in range(4):  # as many as one process sends at once: the other must wait for them
        assert batch_server.arrived.acquire(timeout=60)
    batch_server.released.set()
    for process in processes:
        _, stderr = process.communicate(timeout=100)
        assert process.returncode == 0, stderr
    assert batch_server.requests == 7
    for out in ("one", "two"):
        texts = {path.read_text() for path in (tmp_path / "work" / out).rglob("*.txt")}
        assert texts == {text_of(data) + "\n" for data in recordings.values()}


def test_who_waits_goes_on_when_the_other_is_killed(
    batch_server: BatchServer, environment: Mapping[str, str]
) -> None:
    """A second run of the same recording waits for the first; when that is killed, it asks itself."""
    batch_server.held = True
    command = [dg_path(), "file", str(SAMPLE), "--cache", "--base-url", batch_server.url]
    first = subprocess.Popen(command, env=dict(environment))
    assert batch_server.arrived.acquire(timeout=60)
    second = subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert second.stderr
    assert b"its answer is waited for" in second.stderr.readline()
    assert batch_server.requests == 1
    first.send_signal(signal.SIGKILL)
    first.wait(20)
    assert batch_server.arrived.acquire(timeout=60)
    batch_server.released.set()
    stdout, _ = second.communicate(timeout=60)
    assert stdout.decode() == text_of(SAMPLE.read_bytes()) + "\n"
    assert batch_server.requests == 2


def test_damage(dg: Run, audio: Path, server: ScriptedServer, folder: Path) -> None:
    """An entry that was torn is named and left out; bytes that changed are refused, and with --cache asked again."""
    server.script = [answer("One."), answer("Two."), answer("Three."), answer("Four.")]
    flags = ["--base-url", server.url, "--cache"]
    for number in "123":
        dg("file", audio, *flags, "--param", f"x={number}")
    oldest, _, newest = sorted(folder.glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:100])
    result = dg("last")
    assert result.stdout == b"Two.\n"
    (line,) = messages(result)
    assert line.startswith(f"dg: warning: {newest} is left out: it has 100 bytes, not ")
    assert len(dg("history").stdout.splitlines()) == 3
    oldest.write_bytes(oldest.read_bytes().replace(b"One", b"Six"))
    result = dg("last", "2")
    assert (result.stdout, result.returncode) == (b"", 6)
    assert "is damaged" in messages(result)[-1]
    assert dg("file", audio, *flags, "--param", "x=1").stdout == b"Four.\n"


def test_a_batch_is_a_pointer(
    dg: Run, batch_server: BatchServer, corpus: Corpus, folder: Path, tmp_path: Path
) -> None:
    """Answers of a batch lie in its ledger alone; the history has one line, which says where."""
    corpus(7)
    command = ["file", "-r", "corpus", "--output-dir", "out", "--base-url", batch_server.url]
    assert dg(*command).returncode == 0
    assert list(folder.glob("*.json")) == []
    (row,) = json.loads(dg("history", "--json").stdout)
    out = tmp_path / "work" / "out"
    assert (row["kind"], row["recordings"]) == ("batch", 7)
    assert set(row["ledgers"]) == {str(out / name / ".dg") for name in "abc"}
    assert re.search(rb"corpus/[abc]/00\d.wav and 6 more, in /", dg("history").stdout)
    result = dg("last")
    assert result.returncode == 2
    assert "That was a batch of 7: its answers lie in" in messages(result)[0]
    assert dg(*command).returncode == 0  # nothing new, so no new line
    assert len(json.loads(dg("history", "--json").stdout)) == 1


@pytest.mark.parametrize("flags", [[], ["--no-history"]])
def test_what_could_not_be_written(
    dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path, flags: list[str]
) -> None:
    """The error says where the answer is and that `dg last` writes it, which is so even with --no-history."""
    full = tmp_path / "full.srt"
    full.symlink_to("/dev/full")
    result = dg("file", audio, "-o", full, "--base-url", server.url, *flags)
    assert result.returncode == 8
    _, place, command = messages(result)
    assert Path(place.removeprefix("dg: The response is kept in ")).read_bytes() == BODY
    assert command.endswith(": dg last")
    assert dg("last").stdout == b"Call Maria at noon.\n"
    (row,) = json.loads(dg("history", "--json").stdout)
    assert row["name"] == str(audio)


def test_a_history_that_cannot_be_written_costs_nothing(
    dg: Run, audio: Path, server: ScriptedServer, folder: Path, environment: Mapping[str, str]
) -> None:
    """Without a place for it the transcript is printed all the same; a person is warned, a script with -v only."""
    shutil.rmtree(folder)
    folder.write_text("no folder")
    command = ["file", audio, "--base-url", server.url]
    for flags in ([], ["--cache"]):
        result = dg(*command, *flags)
        assert (result.stdout, result.stderr, result.returncode) == (b"Call Maria at noon.\n", b"", 0)
    assert any("Nothing can be kept in" in line for line in messages(dg(*command, "-v")))
    child = pexpect.spawn(
        dg_path(), list(map(str, command)), env=dict(environment), dimensions=(24, 300), timeout=20
    )
    child.expect("Nothing can be kept in")
    child.expect("Call Maria at noon.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_stream(dg: Run, serve: Serve, pcm: Path, folder: Path) -> None:
    """The log of a stream is kept as its events come, and is written again in any format."""
    result = dg("live", pcm, *RAW, *base(serve()))
    assert (numbers(result.stdout), result.stderr) == (list(range(1, 21)), b"")
    (log,) = folder.glob("*.jsonl")
    assert log.stat().st_mode & 0o777 == 0o600
    kinds = [json.loads(line)["kind"] for line in log.read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("opened", "closed")
    assert numbers(dg("last").stdout) == list(range(1, 21))
    assert dg("last", "-f", "srt").stdout == dg("render", log, "-f", "srt").stdout
    (row,) = json.loads(dg("history", "--json").stdout)
    assert (row["kind"], row["name"], row["duration"]) == ("events", str(pcm), 2.0)
    assert row["parameters"]["sample_rate"] == ["1000"]


def test_a_stream_that_is_killed(dg: Run, environment: Mapping[str, str], serve: Serve, folder: Path) -> None:
    """What was said a second before kill -9 is in the history, whether it was final by then or not."""
    run = Running(serve(finals=(30.0, 40.0)), dict(environment))
    run.feed(15)
    last = b'"transcript":"1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11. 12.'

    def is_kept() -> bool:
        return any(last in path.read_bytes().replace(b'": "', b'":"') for path in folder.glob("*.jsonl"))

    run.feed(5, first=16)
    run.server.wait_for(is_kept)
    run.process.kill()
    run.end()
    heard = numbers(dg("last").stdout)
    assert heard == list(range(1, len(heard) + 1))
    assert len(heard) >= 12


def test_a_stream_without_words_leaves_nothing(dg: Run, serve: Serve, folder: Path, tmp_path: Path) -> None:
    """Who opened a stream and said nothing finds what was there before with `dg last`."""
    silent = tmp_path / "silent.raw"
    silent.write_bytes(bytes(400))
    assert dg("live", silent, *RAW, *base(serve())).returncode == 0
    assert kept(folder) == []


def test_the_python_api_keeps_nothing(
    audio: Path, server: ScriptedServer, environment: Mapping[str, str]
) -> None:
    """Another program that transcribes writes into nobody's history."""
    home = Path(environment["HOME"])
    before = sorted(home.rglob("*"))
    code = "import sys, dgcli; print(dgcli.transcribe(sys.argv[1], base_url=sys.argv[2]).text)"
    command = [sys.executable, "-c", code, audio, server.url]
    result = subprocess.run(command, env=dict(environment), capture_output=True, check=True)
    assert b"Call Maria at noon." in result.stdout
    assert sorted(home.rglob("*")) == before


def test_a_name_that_is_no_utf8(dg: Run, audio: Path, server: ScriptedServer, tmp_path: Path) -> None:
    """A recording whose name has bytes that are no UTF-8 is listed, and its answer written again."""
    name = b"caf\xe9.wav"
    os.rename(audio, os.path.join(os.fsencode(tmp_path / "work"), name))  # noqa: PTH104, PTH118 - bytes
    server.script = [answer("One.")]
    assert dg("file", name, "--base-url", server.url, env=KEY).returncode == 0
    listed = dg("history")
    assert listed.returncode == 0, listed.stderr
    assert b"caf\\udce9.wav" in listed.stdout
    assert dg("history", "--json").returncode == 0
    assert dg("last").stdout == b"One.\n"
