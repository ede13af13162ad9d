"""Let hls.js play captions.m3u8 against a video, in Chromium, and compare the cues that appear with those rendered.

    npm pack hls.js && tar xf hls.js-*.tgz
    python benchmarks/hls_player.py package/dist/hls.min.js [RESPONSE.json]

ffmpeg makes the video in MPEG-2 segments, whose first timestamp is read back and given to --timestamp-map. Printed are
the cues, those that cross a boundary of segments, and the largest difference of a time from what the media have.
Chromium, chromedriver and ffmpeg must be installed.
"""

import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.html_page import conversation  # noqa: E402 - found by the line above
from tests.formats.browser import browser  # noqa: E402

PAGE = """<!doctype html><title>captions</title><video id="video" muted></video>
<script src="hls.js"></script><script>
const hls = new Hls();
const faults = [];
hls.on(Hls.Events.ERROR, (_, data) => faults.push(data.details));
hls.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, () => { hls.subtitleTrack = 0; hls.subtitleDisplay = true });
hls.loadSource("main.m3u8");
hls.attachMedia(document.getElementById("video"));
</script>"""
MAIN = """#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="captions.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=400000,SUBTITLES="captions"
video.m3u8
"""
CUES = """const cues = [];
for (const track of video.textTracks)
  for (const cue of track.cues || []) cues.push([cue.startTime, cue.endTime, cue.text]);
return cues"""


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


def clock_seconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def rendered_cues(vtt: str) -> list[tuple[float, float]]:
    times = re.findall(r"^([\d:.]+) --> ([\d:.]+)$", vtt, re.MULTILINE)
    return [(clock_seconds(start), clock_seconds(end)) for start, end in times]


def make_video(folder: Path, seconds: float) -> int:
    """A video of so many seconds; returns its first MPEG-2 timestamp."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=size=320x180:rate=10:duration={seconds}",
         "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-pix_fmt", "yuv420p", "-f", "hls", "-hls_time", "6",
         "-hls_playlist_type", "vod", str(folder / "video.m3u8")],
        check=True,
    )  # fmt: skip
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "packet=pts", "-of", "csv=p=0", str(folder / "video0.ts")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return min(int(line.rstrip(",")) for line in probe.stdout.split())


def main() -> None:
    library = Path(sys.argv[1])
    response: dict[str, Any] = (
        json.loads(Path(sys.argv[2]).read_bytes()) if len(sys.argv) > 2 else conversation()
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        saved = folder / "saved.json"
        saved.write_text(json.dumps(response), "utf-8")
        first = make_video(folder, float(response["metadata"]["duration"]))
        dg = [str(Path(sys.executable).with_name("dg")), "render", str(saved)]
        subprocess.run([*dg, "-o", str(folder / "captions.m3u8"), "--timestamp-map", str(first)], check=True)
        subprocess.run([*dg, "-o", str(folder / "all.vtt")], check=True)
        shutil.copy(library, folder / "hls.js")
        (folder / "main.m3u8").write_text(MAIN, "utf-8")
        (folder / "page.html").write_text(PAGE, "utf-8")
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Files, directory=folder)
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        wanted = rendered_cues((folder / "all.vtt").read_text("utf-8"))
        segments = sorted(folder.glob("captions-*.vtt"))
        repeated = sum(len(rendered_cues(path.read_text("utf-8"))) for path in segments) - len(wanted)
        with browser() as chromium:
            chromium.visit(f"http://127.0.0.1:{server.server_port}/page.html")
            chromium.wait(lambda: len(chromium.run(CUES)) >= len(wanted))
            played = chromium.run(CUES)
            faults = chromium.run("return faults")
        server.shutdown()
    worst = max(
        max(abs(start - cue[0]), abs(end - cue[1])) for (start, end), cue in zip(wanted, played, strict=True)
    )
    print(f"first timestamp of the video: {first}; {len(segments)} segments, {repeated} cues in two of them")
    print(f"hls.js: {len(played)} cues of {len(wanted)}; largest difference of a time {worst * 1000:.1f} ms")
    print(f"errors of hls.js: {', '.join(faults) or 'none'}")


if __name__ == "__main__":
    main()
