"""Makes docs/images/overlay.png: the page of `--overlay` as Chromium shows it, in three styles, over a plain picture.

    python docs/overlay.py

The page keeps its transparency, as in OBS; ffmpeg lays it over a picture that it makes. Chromium, chromedriver and
ffmpeg must be installed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dgcli.formats import RenderSettings  # noqa: E402 - found by the line above
from dgcli.sinks.overlay import OverlaySink  # noqa: E402
from dgcli.sinks.overlay.server import OverlayServer  # noqa: E402
from dgcli.transcript.events import Final, Interim, Opened  # noqa: E402
from dgcli.transcript.model import Word  # noqa: E402
from tests.formats.browser import browser  # noqa: E402

SIZE = (1280, 400)
SAID = (
    (0, "Good evening from the harbour.", ""),
    (1, "The wind has turned, but everybody is safe", " behind the outer pier"),
)
HEBREW = (
    (0, "ערב טוב מהנמל, הסירות הראשונות כבר הגיעו.", ""),
    (1, "הרוח השתנתה, אבל כולם", " בטוחים מאחורי המזח"),
)
PICTURES = (
    (SAID, {"lines": 3}, ("0x1f4e5f", "0xd9a05b")),
    (
        SAID,
        {"box": "transparent", "outline": "000", "align": "center", "uppercase": 1, "speakers": "colour",
         "weight": 800, "lines": 4},
        ("0x5b7f95", "0xcfd8dc"),
    ),
    (HEBREW, {"lines": 3, "size": "40", "box": "102a43e6", "color": "f0f4f8"}, ("0x243b2f", "0x7aa874")),
)  # fmt: skip


def spoken(text: str, start: float, speaker: int) -> tuple[Word, ...]:
    """Words of one speaker."""
    return tuple(
        Word(word, start + at * 0.3, start + at * 0.3 + 0.25, 0.98, word, speaker)
        for at, word in enumerate(text.split())
    )


def main() -> None:
    """Show each style, take its picture, lay it over another, and put them one below the other."""
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        chromium.resize(*SIZE)
        chromium.devtools(
            "Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0}
        )
        inputs: list[str] = []
        for number, (said, style, colours) in enumerate(PICTURES):
            names = {0: "דנה", 1: "יואב"} if said is HEBREW else {0: "Anna", 1: "Skipper"}
            render = RenderSettings(speaker_names=names)
            server = OverlayServer("127.0.0.1", 0)
            sink = OverlaySink(server, render)
            sink.handle(Opened("", 1, 0.0))
            for turn, (speaker, text, interim) in enumerate(said):
                words = spoken(text, turn * 9, speaker)
                more = spoken(interim, words[-1].end, speaker)
                sink.handle(Final(0, 1, 0, 0, text, words))
                if interim:
                    sink.handle(Interim(0, 1, 0, 0, interim, more, 0))
            chromium.visit(f"{server.url}?{urlencode(style)}")
            chromium.wait(lambda: chromium.run("return document.querySelectorAll('p').length") == 2)
            page = Path(folder) / f"{number}.png"
            page.write_bytes(chromium.screenshot())
            sink.close()
            first, second = colours
            size = f"{SIZE[0]}x{SIZE[1]}"
            points = f"x0=0:y0=0:x1={SIZE[0]}:y1={SIZE[1]}"
            picture = f"gradients=s={size}:c0={first}:c1={second}:{points}:d=1:speed=0.00001:seed=1"
            inputs += ["-f", "lavfi", "-i", picture, "-i", str(page)]
        rows = "".join(f"[{2 * at}][{2 * at + 1}]overlay[row{at}];" for at in range(len(PICTURES)))
        stack = (
            "".join(f"[row{at}]" for at in range(len(PICTURES)))
            + f"vstack=inputs={len(PICTURES)},scale=960:-1"
        )
        out = ROOT / "docs" / "images" / "overlay.png"
        subprocess.run(
            [
                "ffmpeg",
                "-v",
                "error",
                "-y",
                *inputs,
                "-filter_complex",
                rows + stack,
                "-frames:v",
                "1",
                str(out),
            ],
            check=True,
        )


if __name__ == "__main__":
    main()
