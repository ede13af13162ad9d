"""A video of 1 GB whose audio track has 30 MB: bytes on the wire and seconds, whole and the track alone.

    python benchmarks/video.py [--turns 5] [--megabytes 1000] [--folder FOLDER]

Uploads in turn with and without --whole-file to a server on this machine that throws everything away. The video has
sound that was encoded once and is repeated, and random bytes for pictures, which nobody decodes. Prints the bytes
that the server took, medians of wall time, and what the bytes take on a line of 100 Mbit/s.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from sink import Sink

_FRAMES, _RATE = 25, 48000  # pictures and samples a second
_SOUND = 30_000_000  # bytes


def _sound() -> Any:
    """A minute of AAC as packets, and its encoder."""
    encoder: Any = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = _RATE, "stereo", "fltp", 128_000
    encoder.open()
    random = np.random.default_rng(1)
    packets = []
    for at in range(0, _RATE * 60, 1024):
        noise = random.normal(0, 0.1, (2, 1024)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = _RATE, at
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def make(path: Path, size: int) -> None:
    """Write the video."""
    packets = _sound()
    count = _SOUND // statistics.mean(map(len, packets))
    seconds = count * 1024 / _RATE
    picture = int((size - _SOUND) / (seconds * _FRAMES))
    random = os.urandom(picture)
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=_FRAMES)
        video.width, video.height = 1280, 720
        audio: Any = container.add_stream("aac", rate=_RATE)
        audio.layout = "stereo"
        container.start_encoding()
        shown = 0
        for number in range(int(count)):
            while shown * _RATE <= number * 1024 * _FRAMES:
                packet = av.Packet(random)
                packet.stream, packet.time_base = video, video.time_base
                packet.pts = packet.dts = round(shown / _FRAMES / video.time_base)
                packet.is_keyframe = shown % 50 == 0
                container.mux(packet)
                shown += 1
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.time_base = audio, audio.time_base
            packet.pts = packet.dts = round(number * 1024 / _RATE / audio.time_base)
            container.mux(packet)


def run(command: list[str]) -> float:
    """Wall time in seconds of a command that succeeds."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--folder", help="where the video and the copies lie")
    options = parser.parse_args()
    dg = str(Path(sys.executable).with_name("dg"))
    os.environ.setdefault("DEEPGRAM_API_KEY", "none")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, Sink() as sink:
        os.environ["TMPDIR"] = folder
        for suffix in ("mp4", "mkv"):
            path = Path(folder, f"film.{suffix}")
            make(path, options.megabytes * 1_000_000)
            for name, more in (("whole", ["--whole-file"]), ("alone", [])):
                before = sink.taken
                command = [dg, "file", str(path), "--no-history", "--base-url", sink.url, *more]
                times = [run(command) for _ in range(options.turns)]
                sent = (sink.taken - before) / options.turns
                print(
                    f"{suffix} {name}: {sent / 1e6:.1f} of {path.stat().st_size / 1e6:.0f} MB on the wire, "
                    f"{statistics.median(times):.2f} s here (median of {options.turns}); "
                    f"the bytes alone at 100 Mbit/s: {sent * 8 / 100e6:.1f} s"
                )
            path.unlink()


if __name__ == "__main__":
    main()
