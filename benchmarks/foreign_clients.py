"""Other programs' clients against `dg serve`: deepctl, Deepgram's SDKs for Python and JavaScript, OpenAI's client.

    python benchmarks/foreign_clients.py [--engine NAME] [--only NAME ...] [--folder DIR]

Each client is installed into an environment of its own (below --folder, so that a second run finds it; otherwise
thrown away), transcribes a recording as file, URL and stream where it can, and the words that are right are
counted. `--engine replay` answers with the true text, which tries the protocol alone. Needs network access to
the package indexes; the JavaScript SDK needs node and npm.
"""

import argparse
import functools
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path

import soundfile

HERE = Path(__file__).resolve().parent
AUDIO = HERE.parent / "tests" / "audio" / "preamble-rms.flac"
WANTED = 0.8  # share of the words that must be right
TIMEOUT = 400  # seconds for one client


def words_of(text: str) -> list[str]:
    kept = "".join(c for c in text.lower() if c.isalnum() or c.isspace())
    return kept.replace("defence", "defense").split()


def right(text: str) -> tuple[int, int]:
    truth = words_of(AUDIO.with_suffix(".txt").read_text())
    blocks = SequenceMatcher(None, truth, words_of(text), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks), len(truth)


def saved_response(path: Path) -> None:
    """A response whose words are the true text, spread over the recording."""
    texts = words_of(AUDIO.with_suffix(".txt").read_text())
    step = 25.0 / len(texts)
    words = [
        {
            "word": text,
            "start": n * step,
            "end": (n + 0.9) * step,
            "confidence": 0.99,
            "punctuated_word": text,
        }
        for n, text in enumerate(texts)
    ]
    alternative = {"transcript": " ".join(texts), "confidence": 0.99, "words": words}
    metadata = {"request_id": "r", "duration": 25.9, "channels": 1, "models": [], "model_info": {}}
    path.write_text(
        json.dumps({"metadata": metadata, "results": {"channels": [{"alternatives": [alternative]}]}})
    )


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def site() -> Iterator[str]:
    """The recording under a URL."""
    handler = functools.partial(Quiet, directory=str(AUDIO.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{AUDIO.name}"
        server.shutdown()


@contextmanager
def served(engine: str | None, folder: Path) -> Iterator[str]:
    """`dg serve` as a process; its base URL."""
    command = [sys.executable, "-m", "dgcli", "serve", "--port", "0", "--allow-private-urls"]
    if engine is not None:
        command += ["--engine", engine]
    if engine == "replay":
        saved_response(folder / "response.json")
        command += ["--response", str(folder / "response.json")]
    with (
        (folder / "serve.log").open("w") as log,
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server,
    ):
        assert server.stderr is not None
        url = ""
        for line in server.stderr:
            if "http://" in line:
                url = "http://" + line.split("http://")[1].split()[0]
                break
        threading.Thread(target=log.writelines, args=(server.stderr,), daemon=True).start()
        try:
            yield url
        finally:
            server.terminate()
            server.wait()


def environment(folder: Path, name: str, *packages: str) -> Path:
    """A virtual environment with these packages; its `bin`."""
    place = folder / name
    done = place / "installed"
    if not done.exists():
        venv.create(place, with_pip=True)
        subprocess.run(
            [place / "bin" / "pip", "install", "-q", *packages], check=True, stderr=subprocess.DEVNULL
        )
        done.touch()
    return place / "bin"


def node_modules(folder: Path) -> Path:
    place = folder / "js"
    if not (place / "node_modules" / "@deepgram" / "sdk").exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--silent", "@deepgram/sdk"], cwd=place, check=True)
    script = place / "js_sdk.mjs"  # node looks for packages beside the script
    script.write_text((HERE / "foreign" / "js_sdk.mjs").read_text())
    return script


def commands(
    name: str, folder: Path, base_url: str, url: str, raw: Path
) -> Iterator[tuple[str, Sequence[str]]]:
    """What to run for a client; the names of those whose output is one transcript."""
    arguments = [base_url, str(AUDIO), url, str(raw)]
    if name == "deepctl":
        program = str(environment(folder, name, "deepctl") / "deepctl")
        yield "file", [program, "listen", str(AUDIO)]
        yield "url", [program, "listen", url]
        yield "stream", [program, "listen", "--encoding", "linear16", "--sample-rate", "16000"]
    elif name == "js":
        yield "", ["node", str(node_modules(folder)), *arguments]
    else:
        package = {
            "sdk7": "deepgram-sdk>=7,<8",
            "sdk4": "deepgram-sdk>=4,<5",
            "openai": "openai",
            "starter-kit": "websockets",
        }[name]
        script = {"openai": "openai_sdk.py", "starter-kit": "starter_kit.py"}.get(name, f"{name}.py")
        python = environment(folder, name, package) / "python"
        yield "", [str(python), str(HERE / "foreign" / script), *arguments]


def run(command: Sequence[str], base_url: str, home: Path, raw: Path, stdin: bool) -> str:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DEEPGRAM_", "OPENAI_"))}
    variables = {"HOME": str(home), "DEEPGRAM_API_KEY": "not-needed", "DEEPGRAM_BASE_URL": base_url}
    variables["DEEPCTL_TELEMETRY_DISABLED"] = "1"
    with (raw if stdin else Path(os.devnull)).open("rb") as source:
        done = subprocess.run(
            command,
            env={**kept, **variables},
            stdin=source,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:], sep="\n")
    return done.stdout if done.returncode == 0 else ""


def main() -> int:
    names = ["deepctl", "sdk7", "sdk4", "js", "starter-kit", "openai"]
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as temporary, site() as url:
        work = Path(temporary)
        folder = (chosen.folder or work).resolve()
        raw = work / "preamble.raw"
        samples, rate = soundfile.read(AUDIO, dtype="int16")
        assert rate == 16000
        raw.write_bytes(samples.tobytes())
        with served(chosen.engine, work) as base_url:
            for name in chosen.only:
                for what, command in commands(name, folder, base_url, url, raw):
                    out = run(command, base_url, work, raw, stdin=what == "stream")
                    texts = (
                        [(what, out)] if what else [tuple(line.split(": ", 1)) for line in out.splitlines()]
                    )
                    failed += not texts
                    for kind, text in texts:
                        count, total = right(text)
                        good = count >= WANTED * total
                        failed += not good
                        print(
                            f"{name:12} {kind:7} {count} of {total} words{'' if good else '  FAILED'}",
                            flush=True,
                        )
        print((work / "serve.log").read_text())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
