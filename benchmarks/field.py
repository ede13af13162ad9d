"""`dg` beside the other ways to do the same, in one run: the table of the README.

    python -m venv /tmp/installed && /tmp/installed/bin/pip install '.[local]'
    /tmp/installed/bin/python benchmarks/field.py [--folder DIR] [--turns 7] [--only NAME ...] [--write]

The peers are deepctl, Deepgram's SDK for Python, a script of httpx alone and curl, and for captions and offline
recognition deepgram-captions and whisper-ctranslate2. Each is installed in an environment of its own (below
--folder, so that a second run finds it), the newest there is. All talk to the same servers on this machine: `dg serve
--engine replay` answers with a saved transcript, a server of a few lines takes the large uploads. The commands take
turns, so that a machine that changes its speed changes it for all, and medians are shown. `--write` puts the table
into README.md and benchmarks/README.md, between their marks.

- start-up: `--version`; of the SDK, its import.
- a short file: from the start of the process to its end, with the words printed.
- 1 GB: the same with a file of 1 GB; and the peak memory, which is not told below that of this program, some 40 MiB.
- 2,000 files: eight at once (`dg --jobs 8`; the others under xargs -P8; those that take long with 40 files, times 50).
- a stream: 20 s of samples at the pace at which they are spoken; CPU seconds, and how long after the last sample the
  process ends with the last word.
- captions: 100,000 words to SubRip, CPU seconds.
- offline: the same model (tiny.en) and recording; seconds, and how many of its 52 words are right.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import soundfile
from captions import response
from foreign_clients import AUDIO, environment, right, served
from sink import Sink

ROOT = Path(__file__).resolve().parent.parent
HTTPX = """
import os, sys, httpx
path, url = sys.argv[1:]
with open(path, "rb") as audio:
    answer = httpx.post(
        url + "/v1/listen", params={"model": "nova-3", "smart_format": "true"}, content=audio, timeout=1500,
        headers={
            "Authorization": "Token key", "Content-Type": "audio/wav", "Content-Length": str(os.path.getsize(path)),
        },
    )
answer.raise_for_status()
print(answer.json()["results"]["channels"][0]["alternatives"][0]["transcript"])
"""
SDK = """
import sys
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
path, url = sys.argv[1:]
ws = url.replace("http", "ws", 1)
where = DeepgramClientEnvironment(base=url, production=ws, agent=ws, agent_rest=url)
client = DeepgramClient(api_key="key", environment=where, timeout=1500)
with open(path, "rb") as audio:
    answer = client.listen.v1.media.transcribe_file(request=audio.read(), model="nova-3", smart_format=True)
print(answer.results.channels[0].alternatives[0].transcript)
"""
SDK_STREAM = """
import sys, threading, time
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.core.events import EventType
path, url = sys.argv[1:]
ws = url.replace("http", "ws", 1)
where = DeepgramClientEnvironment(base=url, production=ws, agent=ws, agent_rest=url)
client = DeepgramClient(api_key="key", environment=where)
def show(message):
    if getattr(message, "is_final", False):
        print(message.channel.alternatives[0].transcript, flush=True)
with client.listen.v1.connect(model="nova-3", encoding="linear16", sample_rate="16000") as connection:
    connection.on(EventType.MESSAGE, show)
    reader = threading.Thread(target=connection.start_listening)
    reader.start()
    for block in iter(lambda: sys.stdin.buffer.read(3200), b""):
        connection.send_media(block)
    connection.send_close_stream()
    reader.join()
"""
CAPTIONS = """
import json, sys, time
from deepgram_captions import DeepgramConverter, srt
data = json.load(open(sys.argv[1]))
began = time.process_time()
srt(DeepgramConverter(data))
print(time.process_time() - began)
"""
OURS = """
import json, sys, time
from dgcli.formats import RenderSettings, by_name, renderer
from dgcli.transcript.response import parse
data = json.load(open(sys.argv[1]))
began = time.process_time()
renderer(by_name("srt"))(parse(data), RenderSettings())
print(time.process_time() - began)
"""
COLUMNS = ("dg", "deepctl", "SDK", "httpx", "curl")


class Ran(NamedTuple):
    """What a command took: seconds by the clock and of the processor, its peak memory in MiB, and what it printed."""

    wall: float
    cpu: float
    memory: float
    out: str


class Row(NamedTuple):
    """A row of the table."""

    what: str
    cells: Mapping[str, str]


def run(command: Sequence[str], variables: Mapping[str, str], stdin: Path | int = subprocess.DEVNULL) -> Ran:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        source = stdin.open("rb") if isinstance(stdin, Path) else stdin
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=source, stdout=out, stderr=err, env={**kept, **variables})
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise SystemExit(f"{command}: {process.returncode}\n{err.read()[-2000:]}")
        return Ran(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read())


def medians(
    commands: Mapping[str, Sequence[str]], variables: Mapping[str, str], turns: int
) -> dict[str, Ran]:
    """Run the commands in turn; the medians of each, after one warm-up."""
    for command in commands.values():
        run(command, variables)
    seen: dict[str, list[Ran]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, command in commands.items():
            seen[name].append(run(command, variables))
    result = {}
    for name, runs in seen.items():
        wall, cpu, memory = (
            statistics.median(column) for column in zip(*(one[:3] for one in runs), strict=True)
        )
        result[name] = Ran(wall, cpu, memory, runs[-1].out)
    return result


class Field:
    """All programs, and the servers that they talk to."""

    def __init__(self, folder: Path, work: Path, url: str, turns: int) -> None:
        self.work, self.turns, self.folder, self.url = work, turns, folder, url
        self.dg = str(Path(sys.executable).with_name("dg"))
        self.deepctl = str(environment(folder, "deepctl", "deepctl") / "deepctl")
        self.sdk = str(environment(folder, "sdk7", "deepgram-sdk>=7,<8") / "python")
        self.httpx = str(environment(folder, "httpx", "httpx") / "python")
        self.variables = {
            "HOME": str(work), "DEEPGRAM_API_KEY": "key", "DEEPCTL_TELEMETRY_DISABLED": "1", "DEEPGRAM_BASE_URL": url,
        }  # fmt: skip

    def versions(self) -> str:
        found = {
            "dg": run([self.dg, "--version"], self.variables).out.split()[-1],
            "deepctl": run([self.deepctl, "--version"], self.variables).out.split()[-1],
        }
        for name, python, package in (("SDK", self.sdk, "deepgram-sdk"), ("httpx", self.httpx, "httpx")):
            code = f"from importlib.metadata import version; print(version({package!r}))"
            found[name] = run([python, "-c", code], {}).out.strip()
        found["curl"] = run(["curl", "--version"], {}).out.split()[1]
        return ", ".join(f"{name} {version}" for name, version in found.items())

    def files(self, path: Path, url: str) -> dict[str, list[str]]:
        query = "/v1/listen?model=nova-3&smart_format=true"
        return {
            "dg": [self.dg, "file", str(path), "--base-url", url],
            "deepctl": [self.deepctl, "--base-url", url, "listen", str(path)],
            "SDK": [self.sdk, "-c", SDK, str(path), url],
            "httpx": [self.httpx, "-c", HTTPX, str(path), url],
            "curl": [
                "curl",
                "-sS",
                "-f",
                "-X",
                "POST",
                "-T",
                str(path),
                "-H",
                "Content-Type: audio/wav",
                url + query,
            ],
        }

    def start(self) -> Row:
        ran = medians(
            {
                "dg": [self.dg, "--version"],
                "deepctl": [self.deepctl, "--version"],
                "SDK": [self.sdk, "-c", "from deepgram import DeepgramClient"],
                "httpx": [self.httpx, "-c", "import httpx"],
                "curl": ["curl", "--version"],
            },
            self.variables,
            self.turns,
        )
        return Row("start-up", {name: f"{1000 * one.wall:.0f} ms" for name, one in ran.items()})

    def short(self) -> Row:
        ran = medians(self.files(AUDIO, self.url), self.variables, self.turns)
        return Row("a short file", {name: f"{one.wall:.2f} s" for name, one in ran.items()})

    def large(self) -> Row:
        path = self.work / "large.wav"
        with path.open("wb") as file:
            file.truncate(1 << 30)
        with Sink() as sink:
            ran = medians(self.files(path, sink.url), self.variables, max(2, self.turns // 3))
        path.unlink()
        return Row("1 GB", {name: f"{one.wall:.1f} s, {one.memory:,.0f} MiB" for name, one in ran.items()})

    def many(self) -> Row:
        folder = self.work / "many"
        folder.mkdir()
        with wave.open(str(folder / "0.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(bytes(32000))
        data = (folder / "0.wav").read_bytes()
        for number in range(2000):
            (folder / f"{number}.wav").write_bytes(data + number.to_bytes(4, "big"))
        cells = {"dg": run([self.dg, "file", "-r", str(folder), "--output-dir", str(self.work / "out"), "-j", "8",
                            "-q", "--base-url", self.url], self.variables).wall}  # fmt: skip
        for name, count in (("deepctl", 40), ("SDK", 40), ("httpx", 40), ("curl", 2000)):
            listed = self.work / "list"
            listed.write_text("".join(f"{folder}/{number}.wav\0" for number in range(count)))
            command = self.files(Path("{}"), self.url)[name]
            ran = run(["xargs", "-0", "-P8", "-I{}", *command], self.variables, listed)
            cells[name] = ran.wall * 2000 / count
        return Row("2,000 files", {name: f"{seconds:,.0f} s" for name, seconds in cells.items()})

    def stream(self) -> Row:
        samples, rate = soundfile.read(AUDIO, dtype="int16")
        raw = self.work / "talk.raw"
        raw.write_bytes(samples[: 20 * rate].tobytes())
        pace = (
            "import sys, time\nbegan = time.monotonic()\ndata = open(sys.argv[1], 'rb').read()\n"
            "for at in range(0, len(data), 3200):\n"
            "    time.sleep(max(0, began + at / 32000 - time.monotonic()))\n"
            "    sys.stdout.buffer.write(data[at:at + 3200]); sys.stdout.flush()\n"
        )
        raw_flags = ["--encoding", "linear16", "--sample-rate", "16000"]
        programs = {
            "dg": [self.dg, "live", "-", *raw_flags, "--base-url", self.url],
            "deepctl": [self.deepctl, "--base-url", self.url, "listen", *raw_flags],
            "SDK": [self.sdk, "-c", SDK_STREAM, "-", self.url],
        }
        cells = {}
        for name, command in programs.items():
            feed = subprocess.Popen([sys.executable, "-c", pace, str(raw)], stdout=subprocess.PIPE)
            assert feed.stdout is not None
            ran = run(command, self.variables, feed.stdout.fileno())
            feed.stdout.close()
            feed.wait()
            cells[name] = f"{ran.cpu:.1f} s CPU, {max(0.0, ran.wall - 20):.1f} s behind"
        return Row("a stream of 20 s", cells)

    def captions(self) -> Row:
        path = self.work / "words.json"
        path.write_text(json.dumps(response(100_000, speakers=False)))
        python = str(environment(self.folder, "captions", "deepgram-captions") / "python")
        ran = {
            "dg": [sys.executable, "-c", OURS, str(path)],
            "deepgram-captions": [python, "-c", CAPTIONS, str(path)],
        }
        taken = {name: min(float(run(command, {}).out) for _ in range(5)) for name, command in ran.items()}
        return Row("captions of 100,000 words", {name: f"{seconds:.2f} s" for name, seconds in taken.items()})

    def offline(self) -> Row:
        models = Path(os.environ.get("DGCLI_MODELS", Path.home() / ".local/share/dgcli/models"))
        peer = environment(self.folder, "whisper", "whisper-ctranslate2") / "whisper-ctranslate2"
        command = [
            str(peer), str(AUDIO), "--model_directory", str(models / "tiny.en"), "--language", "en",
            "--device", "cpu", "--output_dir", str(self.work), "--output_format", "txt",
            "--verbose", "False", "--local_files_only", "True",
        ]  # fmt: skip
        variables = {
            **self.variables,
            "DGCLI_MODELS": str(models),
            "DEEPGRAM_BASE_URL": "",
            "HF_HUB_OFFLINE": "1",
        }
        ran = medians(
            {"dg": [self.dg, "file", str(AUDIO), "--local"], "whisper-ctranslate2": command}, variables, 3
        )
        texts = {"dg": ran["dg"].out, "whisper-ctranslate2": (self.work / f"{AUDIO.stem}.txt").read_text()}
        return Row(
            "offline, 26 s with tiny.en",
            {name: f"{one.wall:.1f} s, {right(texts[name])[0]} of 52 words" for name, one in ran.items()},
        )


def table(rows: Sequence[Row], note: str) -> str:
    """Markdown: a column for each program, those of one row alone named in their cell."""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row in rows:
        others = [f"{name}: {cell}" for name, cell in row.cells.items() if name not in COLUMNS]
        cells = [row.cells.get(name, "") for name in COLUMNS]
        if others:
            cells[1] = "; ".join(others)
        lines.append(f"| {row.what} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", note])


def write(text: str) -> None:
    """Put the table where the documents have room for it."""
    for path in (ROOT / "README.md", ROOT / "benchmarks" / "README.md"):
        before = path.read_text("utf-8")
        after = re.sub(
            r"(<!-- field -->\n).*?(<!-- /field -->)",
            lambda m: f"{m[1]}{text}\n{m[2]}",
            before,
            flags=re.DOTALL,
        )
        path.write_text(after, "utf-8")


def main() -> None:
    names = ("start", "short", "large", "many", "stream", "captions", "offline")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="Where the peers are installed; kept.")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        with served("replay", work) as url:
            field = Field((chosen.folder or work).resolve(), work, url, chosen.turns)
            versions = field.versions()
            measures: Mapping[str, Callable[[], Row]] = {name: getattr(field, name) for name in names}
            rows = []
            for name in chosen.only:
                rows.append(measures[name]())
                print(rows[-1], flush=True)
    cores = len(os.sched_getaffinity(0))
    note = (
        f"{date.today():%Y-%m-%d}; {versions}; Python {platform.python_version()}, {platform.system()}, {cores} cores, "
        "servers on the same machine."
    )
    text = table(rows, note)
    print(text)
    if chosen.write:
        write(text)


if __name__ == "__main__":
    main()
