"""Every command that the documents show runs, page by page, as a reader would paste it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import wave
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest
import soundfile

from dgcli.server.run import ServerSettings, running
from tests.conftest import RESPONSE, ROOT, SAMPLE, dg_path, make_home
from tests.http_server import QuietHandler, serving
from tests.mic.conftest import pulse as pulse
from tests.mic.pulse import Pulse

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A command that no test can run here, by how it begins, and why.
NOT_RUN = {
    "python3 -m venv .venv": "installs from the index: .ci/run does just this, in a clean checkout",
    "bash tests/run": "runs this very test",
    "aws batch submit-job": "asks Amazon; what it starts is a share like any other",
    "dg file -r s3://": "needs a bucket: tests/e2e/test_cloud.py has one",
    "dg models pull small": "half a gigabyte; tests/e2e/test_models.py pulls a small one",
    "dg file talk.wav --local --model whisper-small": "needs that half a gigabyte",
    "ffmpeg -i rtsp://": "needs a camera",
    "arecord": "needs a sound card: PulseAudio, which the tests have, is recorded by dg mic",
    "python benchmarks/": "measures; benchmarks/README.md says what came out",
    "dg config edit": "waits for an editor",
}
# What a command of the documents ends with, if not with 0.
ENDS_WITH = {"dg file talk.mp3 --utt-split 1.5": 2}

# `dg` as it is installed. What waits for somebody at the keyboard gets what they would do.
DG = """#!/bin/bash
case "$1 $*" in
    login*) printf 'local-key-0123456789abcdef\\n' | {dg} "$@" ;;
    mic*" -" | mic*--test*) {dg} "$@" ;;
    mic*) {dg} "$@" --duration 1 ;;
    serve*) [ -t 1 ] || exec {dg} "$@" ;;
    *) exec {dg} "$@" ;;
esac
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def record(path: Path, seconds: float, channels: int = 1) -> None:
    """Write the first seconds of the sample."""
    samples, rate = soundfile.read(SAMPLE, dtype="int16", frames=int(seconds * 16000))
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.repeat(channels).tobytes())


def furnish(desk: Path, web: str) -> None:
    """Make the files that the documents name."""
    record(desk / "talk.wav", 3)
    record(desk / "call.wav", 2, channels=2)
    for name in ("talk.mp3", "talk.flac", "call.mp3"):
        samples, rate = soundfile.read(desk / "talk.wav")
        soundfile.write(desk / name, samples, rate)
    for name in ("talk.json", "saved.json", "call.json"):
        (desk / name).write_text(json.dumps(RESPONSE))
    for number, folder in enumerate(("corpus", "corpus/week1", "data/corpus")):
        (desk / folder).mkdir(parents=True)
        record(desk / folder / f"lecture{number}.wav", 1 + number)
    (desk / "data" / "reports").mkdir()
    (desk / "corrected.txt").write_text("Call Mary at noon.\n")
    (desk / "urls.txt").write_text(f"{web}/call.wav\n")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server that has the recordings, as a radio and as a site."""

    class Handler(QuietHandler, SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            return super().translate_path("/talk.wav" if path == "/stream" else path)

    desk = tmp_path / "desk"
    desk.mkdir()
    with serving(partial(Handler, directory=str(desk))) as url:
        yield url


@pytest.fixture
def api(tmp_path: Path) -> Iterator[str]:
    """A server of ours that answers as the API does."""
    response = tmp_path / "response.json"
    response.write_text(json.dumps(RESPONSE))
    with running(ServerSettings(engine="replay", response=response, allow_private_urls=True)) as url:
        yield url


def commands(kind: str, block: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what it is shown to print ("" where nothing is shown)."""
    if kind == "console":
        parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        return [(part.split("\n", 1)[0], part.split("\n", 1)[1]) for part in parts]
    if re.search(r"^(case|for|while|if) |&$", block, re.MULTILINE) or block.startswith("#!"):
        return [(block, "")]  # a script
    joined = re.sub(r"(\\\n|(?<=&&)\n)\s*", " ", block)
    return [(line, "") for line in joined.split("\n") if line and not line.startswith("#")]


def shell(command: str) -> str:
    """The shell that a line is meant for: its comment says so."""
    named = re.search(r"# (bash|zsh|fish): ", command)
    return named[1] if named else "bash"


@pytest.mark.system
@pytest.mark.usefixtures("models_folder")  # the recogniser has weights
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_runs(page: Path, tmp_path: Path, web: str, api: str, pulse: Pulse) -> None:
    """Each command of the page ends with 0, or as the page says, and prints what the page shows."""
    desk, programs, home = tmp_path / "desk", tmp_path / "bin", tmp_path / "home"
    furnish(desk, web)
    programs.mkdir()
    (programs / "dg").write_text(DG.format(dg=f'"{dg_path()}"'))
    (programs / "dg").chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    make_home(home)
    ports = {name: str(free_port()) for name in ("8080", "8081", "9000", "overlay")}
    environment = {
        **pulse.env,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "DGCLI_MODELS": os.environ["DGCLI_MODELS"],
        "DEEPGRAM_API_KEY": "local",
        "DEEPGRAM_BASE_URL": api,
        "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "1",
        "SLURM_ARRAY_TASK_MAX": "2", "SLURM_ARRAY_TASK_STEP": "1",
    }  # fmt: skip
    for kind, block in BLOCK.findall(page.read_text("utf-8")):
        for command, shown in commands(kind, block):
            if any(command.startswith(begin) for begin in NOT_RUN):
                continue
            real = (
                command.replace("https://example.com", web)
                .replace("http://radio.example", web)
                .replace("/data/", "data/")
                .replace("0.0.0.0", "127.0.0.1")
            )
            # Other tests run at the same time: ports that nobody else has.
            real = re.sub(r"\b(8080|8081|9000)\b", lambda match: ports[match[1]], real)
            real = re.sub(r"--overlay(?! \d)", f"--overlay {ports['overlay']}", real)
            if not shutil.which(shell(command)):
                continue  # tests/test_completions.py says which shells are missing
            run = subprocess.run(
                [shell(command), "-c", _script(real, shell(command))],
                cwd=desk,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=100,
            )
            expected = next((code for begin, code in ENDS_WITH.items() if command.startswith(begin)), 0)
            assert run.returncode == expected, f"{page.name}: {command}\n{run.stdout}\n{run.stderr}"
            assert shown.strip() in run.stdout + run.stderr, (
                f"{page.name}: {command}\n{run.stdout}\n{run.stderr}"
            )


def _script(command: str, program: str) -> str:
    """A command of a page as a whole script, which leaves no server behind and waits until one is there."""
    if program == "zsh":
        return f"autoload -Uz compinit && compinit -u\n{command}"
    if program == "fish":
        return command
    served = re.search(r"^(dg serve .*--port (\d+).*) &$", command, re.MULTILINE)
    if served:
        wait = f"until (echo > /dev/tcp/127.0.0.1/{served[2]}) 2>/dev/null; do sleep 0.1; done"
        command = command.replace(served[0], f"{served[0]}\n{wait}")
    elif command.startswith("dg serve"):
        serving = (
            f"{command.split('#')[0]} 2> serve.log & until grep -q http:// serve.log; do sleep 0.1; done"
        )
        return f"{serving}; kill -TERM $!; wait $! || [ $? = 143 ]"
    return f"set -euo pipefail; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{command}"
