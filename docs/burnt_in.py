"""Makes docs/images/burnt-in.png: captions in Latin, Hebrew and Japanese, burnt into a picture by ffmpeg.

    python docs/burnt_in.py

Needs ffmpeg with libass, and fonts that have the letters (Debian: fonts-dejavu-core, fonts-ipafont-gothic).
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dgcli.formats import RenderSettings, by_name, renderer  # noqa: E402 - found by the line above
from dgcli.transcript.response import parse  # noqa: E402

SAID = {
    "en": "We are two hours out, and the wind has turned on us. Is berth twelve still free?".split(),
    "he": "אנחנו במרחק שעתיים, והרוח פנתה נגדנו. האם רציף 12 עדיין פנוי?".split(),
    "ja": ["二", "時間", "ほど", "沖", "に", "い", "ます", "が", "、", "風", "が", "変わり", "ました", "。",
           "十二", "番", "の", "桟橋", "は", "まだ", "空い", "て", "い", "ます", "か", "。"],
}  # fmt: skip
WIDTH, HEIGHT = 960, 300


def response(language: str, said: Sequence[str]) -> dict[str, Any]:
    """A response in which this is said, four words a second."""
    words = [
        {
            "word": word,
            "punctuated_word": word,
            "start": number / 4,
            "end": number / 4 + 0.25,
            "confidence": 1,
        }
        for number, word in enumerate(said)
    ]
    alternative = {"transcript": " ".join(said), "words": words, "languages": [language]}
    return {"results": {"channels": [{"alternatives": [alternative], "detected_language": language}]}}


def main() -> None:
    """Draw the three frames above each other."""
    with tempfile.TemporaryDirectory() as folder:
        frames = []
        for language, said in SAID.items():
            captions = Path(folder, f"{language}.ass")
            captions.write_text(
                renderer(by_name("ass"))(parse(response(language, said)), RenderSettings()), "utf-8"
            )
            frame = Path(folder, f"{language}.png")
            subprocess.run(
                ["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                 f"gradients=s={WIDTH}x{HEIGHT}:c0=0x1c3d5a:c1=0x6b8fa8:x0=0:y0=0:x1=0:y1={HEIGHT}:d=10:speed=0.00001",
                 "-vf", f"ass={captions}", "-ss", "1.5", "-frames:v", "1", str(frame)],
                check=True,
            )  # fmt: skip
            frames.append(frame)
        inputs = [part for frame in frames for part in ("-i", str(frame))]
        target = ROOT / "docs" / "images" / "burnt-in.png"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", f"vstack={len(frames)}", str(target)],
            check=True,
        )


if __name__ == "__main__":
    main()
