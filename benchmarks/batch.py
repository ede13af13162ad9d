"""Many small files against `xargs -P8 curl`, in one paired run; memory; and how soon a huge list starts.

    python benchmarks/batch.py [--files 2000] [--pairs 3] [--names 100000] [--again 20000] [--folder DIR] [--sync MS]

Both upload the same files to the same server on this machine, which answers at once and keeps connections open;
both write each answer to a file of the same disk: that of DIR, which is named with the time it takes to make a
small file durable. dg also hashes, keeps a ledger, and has each answer on the disk before it counts, and curl does
not. `--sync` lets each sync of dg take so many milliseconds more, one after the other, as on a disk that spins. The
ratio is that of the medians; peak memory is counted by the operating system. Then dg is given a directory of
`--names` recordings (links to one file), and the time until the first upload is at the server is taken; and one
of `--again` recordings that are done, and the time and the CPU seconds of that run. 0 leaves a part out.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVER = r"""
import selectors, socket, sys, time
answer = open(sys.argv[1], "rb").read()
reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
listener = socket.create_server(("127.0.0.1", 0), backlog=256)
listener.setblocking(False)
print(listener.getsockname()[1], flush=True)
ready = selectors.DefaultSelector()
ready.register(listener, selectors.EVENT_READ)
states, first = {}, True
while True:
    for key, _ in ready.select():
        if key.fileobj is listener:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            states[connection] = [b"", None]
            ready.register(connection, selectors.EVENT_READ)
            continue
        connection = key.fileobj
        state = states[connection]
        try:
            data = connection.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            ready.unregister(connection)
            connection.close()
            del states[connection]
            continue
        if state[1] is None:
            state[0] += data
            end = state[0].find(b"\r\n\r\n")
            if end < 0:
                continue
            if first:
                print(time.monotonic(), flush=True)
                first = False
            head = state[0][:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            state[1] = length - (len(state[0]) - end - 4)
            state[0] = b""
        else:
            state[1] -= len(data)
        if state[1] <= 0:
            state[1] = None
            try:
                connection.sendall(reply)
            except OSError:
                pass  # gone: the next read says so
"""
ANSWER = (
    b'{"metadata":{"request_id":"r","duration":1.0,"channels":1},"results":{"channels":[{"alternatives":'
    b'[{"transcript":"Taken.","confidence":1,"words":[{"word":"taken","punctuated_word":"Taken.","start":0.1,'
    b'"end":0.6,"confidence":1}]}]}]}}'
)


SLOW_DISK = """
import os, sys, threading, time
pause, turn = float(sys.argv.pop(1)) / 1000, threading.Lock()
def slow(sync):
    def synced(handle):
        with turn:
            time.sleep(pause)
        sync(handle)
    return synced
os.fsync, os.fdatasync = slow(os.fsync), slow(os.fdatasync)
from dgcli.__main__ import main
sys.exit(main())
"""


def disk(folder: str) -> str:
    """The file system below a folder, and what it takes to make a small file durable there."""
    took = []
    for number in range(50):
        began = time.perf_counter()
        handle = os.open(Path(folder, f"probe-{number}"), os.O_CREAT | os.O_WRONLY)
        os.write(handle, bytes(2000))
        os.fsync(handle)
        os.close(handle)
        took.append(time.perf_counter() - began)
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    below = [row for row in mounts if os.path.realpath(folder).startswith(row[1])]
    kind = max(below, key=lambda row: len(row[1]))[2]
    return f"{kind}, {statistics.median(took) * 1000:.2f} ms (at most {max(took) * 1000:.0f}) to make a file durable"


def started(folder: str) -> tuple["subprocess.Popen[bytes]", str]:
    """A server of its own process, and its base URL."""
    answer = Path(folder, "answer")
    answer.write_bytes(ANSWER)
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(answer)], stdout=subprocess.PIPE)
    assert process.stdout
    return process, f"http://127.0.0.1:{int(process.stdout.readline())}"


def run(command: list[str], **settings: object) -> tuple[float, int]:
    """Wall time in seconds and peak memory in KiB of a command that succeeds."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **settings)  # type: ignore[call-overload]  # of Popen
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - began, usage.ru_maxrss


def paired(dg: list[str], files: int, pairs: int, place: str | None) -> None:
    """The same uploads by dg and by xargs and curl, in turn."""
    ours, theirs, peaks = [], [], []
    with tempfile.TemporaryDirectory(dir=place) as folder:
        print(f"disk: {disk(folder)}")
        server, url = started(folder)
        try:
            corpus = Path(folder, "corpus")
            corpus.mkdir()
            for number in range(files):
                Path(corpus, f"{number:05d}.wav").write_bytes(b"RIFF____WAVE" + os.urandom(16_000))
            listed = "\n".join(str(path) for path in sorted(corpus.iterdir())).encode()
            names = Path(folder, "names")
            names.write_bytes(listed)
            curl = [
                "xargs", "-a", str(names), "-P8", "-I{}", "curl", "-sSf", "-o", "{}.json", "--data-binary", "@{}",
                "-H", "Content-Type: audio/wav", f"{url}/v1/listen?model=nova-3&smart_format=true",
            ]  # fmt: skip
            for number in range(pairs + 1):
                out = Path(folder, f"out{number}")
                mine, peak = run(
                    [*dg, "file", "-r", str(corpus), "-f", "json", "--output-dir", str(out), "--jobs", "8",
                     "--base-url", url]
                )  # fmt: skip
                made = [path for path in out.iterdir() if path.suffix == ".json"]
                assert len(made) == files
                other, _ = run(curl)
                assert len(list(corpus.glob("*.wav.json"))) == files
                if number:  # the first pair warms up
                    ours.append(mine)
                    theirs.append(other)
                    peaks.append(peak)
        finally:
            server.kill()
            server.wait()
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(
        f"{files} files: dg {statistics.median(ours):.2f} s, xargs -P8 curl {statistics.median(theirs):.2f} s"
    )
    print(
        f"ratio {ratio:.2f} (at most 0.6); each: {', '.join(f'{a / b:.2f}' for a, b in zip(ours, theirs, strict=True))}"
    )
    print(f"peak memory of dg: {max(peaks) / 1024:.0f} MiB (at most 120)")


def listing(dg: str, names: int) -> None:
    """The time from the start of dg to the head of its first request."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        source = Path(folder, "source.wav")
        source.write_bytes(b"RIFF____WAVE" + os.urandom(16_000))
        for number in range(names):
            below = Path(corpus, f"{number // 1000:03d}")
            if number % 1000 == 0:
                below.mkdir(parents=True)
            Path(below, f"recording-{number:06d}.wav").symlink_to(source)
        listed = Path(folder, "names")
        listed.write_text("\n".join(str(path) for path in sorted(corpus.rglob("*.wav"))))
        ways = {"a directory": ["-r", str(corpus)], "a list of paths": ["--files-from", str(listed)]}
        for what, flags in ways.items():
            found, peaks = [], []
            for number in range(3):
                server, url = started(folder)
                assert server.stdout
                out = Path(folder, f"out-{number}")
                began = time.monotonic()
                process = subprocess.Popen(
                    [dg, "file", *flags, "--output-dir", str(out),
                     "--base-url", url],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                found.append(float(server.stdout.readline()) - began)
                process.kill()
                _, _, usage = os.wait4(process.pid, 0)
                process.returncode = -9
                peaks.append(usage.ru_maxrss)
                server.kill()
                server.wait()
            print(
                f"{names} names from {what}: first upload after {statistics.median(found):.2f} s (at most 2), "
                f"{max(peaks) / 1024:.0f} MiB"
            )


def again(dg: list[str], files: int, place: str | None) -> None:
    """A run over recordings that are done."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        server, url = started(folder)
        try:
            corpus = Path(folder, "corpus")
            corpus.mkdir()
            for number in range(files):
                Path(corpus, f"{number:05d}.wav").write_bytes(b"RIFF____WAVE" + os.urandom(2_000))
            time.sleep(2)  # times of change that are younger prove nothing: dg would hash
            command = [*dg, "file", "-r", str(corpus), "-f", "json", "--output-dir", str(Path(folder, "out")),
                       "--jobs", "8", "--base-url", url]  # fmt: skip
            run(command)
            took, spent = [], []
            for _ in range(3):
                before = os.times()
                seconds, peak = run(command)
                after = os.times()
                took.append(seconds)
                spent.append(
                    after.children_user
                    + after.children_system
                    - before.children_user
                    - before.children_system
                )
            files_kept = sum(1 for path in Path(folder, "out", ".dg").rglob("*") if path.is_file())
        finally:
            server.kill()
            server.wait()
    print(
        f"{files} that are done: {min(took):.2f} to {max(took):.2f} s (at most 2), {statistics.median(spent):.2f} s of "
        f"CPU, {peak / 1024:.0f} MiB; {files_kept} files in the ledger"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--again", type=int, default=20_000)
    parser.add_argument("--folder")
    parser.add_argument("--sync", type=float, default=0.0, metavar="MS")
    options = parser.parse_args()
    dg = str(Path(sys.executable).with_name("dg"))
    command = [sys.executable, "-c", SLOW_DISK, str(options.sync)] if options.sync else [dg]
    if options.files:
        paired(command, options.files, options.pairs, options.folder)
    if options.names:
        listing(dg, options.names)
    if options.again:
        again([dg], options.again, options.folder)


if __name__ == "__main__":
    main()
