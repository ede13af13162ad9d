"""How soon `dg serve --engine replay` answers on a kept connection, and how soon Metadata follows CloseStream.

    python benchmarks/served.py [--requests 300] [--streams 50] [--rounds 5]

The server is a process of its own, the client the standard library and `websockets`. The figures of all rounds are
shown, and those of the best: other programs on the machine only ever make it slower.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from websockets.sync.client import connect

WORDS = [{"word": f"word{n}", "start": n * 0.4, "end": n * 0.4 + 0.3, "confidence": 0.9} for n in range(200)]
QUERY = "encoding=linear16&sample_rate=16000&interim_results=true"
RESPONSE = {
    "metadata": {"duration": 80.0, "model_info": {}},
    "results": {"channels": [{"alternatives": [{"transcript": "", "confidence": 0.9, "words": WORDS}]}]},
}


def milliseconds(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[round((len(ordered) - 1) * 0.95)]
    return f"median {statistics.median(ordered) * 1000:.2f} ms, p95 {p95 * 1000:.2f} ms, n {len(ordered)}"


def show(what: str, rounds: list[list[float]]) -> None:
    print(f"{what}: {milliseconds([took for each in rounds for took in each])}")
    print(f"    best round: {milliseconds(min(rounds, key=statistics.median))}")


def requests(host: str, port: int, count: int) -> list[float]:
    connection = http.client.HTTPConnection(host, port)
    took = []
    for _ in range(count):
        began = time.perf_counter()
        connection.request("POST", "/v1/listen?model=nova-3", b"audio" * 1000, {"Content-Type": "audio/wav"})
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - began)
        assert answer.status == 200
    connection.close()
    return took


def closings(host: str, port: int, count: int) -> list[float]:
    took = []
    for _ in range(count):
        with connect(f"ws://{host}:{port}/v1/listen?{QUERY}") as socket:
            socket.send(bytes(32000))
            socket.recv()
            began = time.perf_counter()
            socket.send('{"type":"CloseStream"}')
            while json.loads(socket.recv())["type"] != "Metadata":
                pass
            took.append(time.perf_counter() - began)
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        response = Path(folder, "response.json")
        response.write_text(json.dumps(RESPONSE))
        command = [sys.executable, "-m", "dgcli", "serve", "--engine", "replay", "--response", str(response)]
        with subprocess.Popen([*command, "--port", "0"], stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            try:
                line = next(line for line in server.stderr if "http://" in line)
                # A server whose log nobody reads stops when the pipe is full.
                threading.Thread(target=server.stderr.read, daemon=True).start()
                host, port = line.split("http://")[1].split()[0].split(":")
                requests(host, int(port), 20)
                answers = [requests(host, int(port), arguments.requests) for _ in range(arguments.rounds)]
                show("answer on a kept connection", answers)
                show(
                    "Metadata after CloseStream",
                    [closings(host, int(port), arguments.streams) for _ in range(arguments.rounds)],
                )
            finally:
                server.terminate()
                server.wait()


if __name__ == "__main__":
    main()
