"""`dg mic --test`: record a little, send nothing, and say how good it is."""

import json
import math

from dgcli.audio.levels import Judgement, Level, judge, measure
from dgcli.audio.noise import caught_noise
from dgcli.audio.recorder import Microphone, Recording
from dgcli.events import Notice
from dgcli.outputs import write_stdout
from dgcli.ui.console import Console
from dgcli.ui.meter import bar, decibels, line
from dgcli.ui.table import aligned

_SECONDS = 5.0
_WARM_UP = 0.3  # seconds that are not judged: cards begin with silence or a click


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}" if count else "none"


def _table(judgement: Judgement, device: str, lost: int) -> str:
    return aligned(
        [
            ("Microphone", device),
            ("Recorded", f"{judgement.seconds:.1f} s"),
            ("Peak", decibels(judgement.peak)),
            ("RMS", decibels(judgement.rms)),
            ("Noise floor", decibels(judgement.floor)),
            ("Clipping", _times(judgement.clipped, "sample")),
            ("Lost", _times(lost, "block")),
            *(("Advice", text) for text in judgement.advice or ("None needed.",)),
        ]
    )


def _object(judgement: Judgement, microphone: Microphone) -> str:
    def level(value: float) -> float | None:
        return None if math.isinf(value) else round(value, 1)

    return json.dumps(
        {
            "device": microphone.name,
            "index": microphone.device.index,
            "seconds": round(judgement.seconds, 3),
            "peak_dbfs": level(judgement.peak),
            "rms_dbfs": level(judgement.rms),
            "noise_floor_dbfs": level(judgement.floor),
            "clipped_samples": judgement.clipped,
            "lost_blocks": microphone.lost,
            "advice": list(judgement.advice),
        },
        ensure_ascii=False,
        indent=2,
    )


def _record(microphone: Microphone, console: Console, *, blocks: int, skip: int) -> list[Level]:
    """The levels of so many blocks, after those that are skipped."""
    levels: list[Level] = []
    with line(console) as show:
        for item in microphone.blocks():
            if isinstance(item, Notice):
                console.warning(item.message)
                continue
            if skip > 0:
                skip -= 1
                continue
            level = measure(item)
            levels.append(level)
            show(f"{bar(level.rms, level.peak)}  Speak, and pause once.")
            if len(levels) >= blocks:
                break
    return levels


def trial(recording: Recording, console: Console, *, seconds: float | None, as_json: bool) -> None:
    """Record so many seconds (None: five) and write to standard output what they came to. Raises `AudioError`."""
    with caught_noise() as noise:
        microphone = Microphone(recording, noise=noise if console.verbose else None)
        try:
            form = microphone.open()
            blocks = max(round((seconds or _SECONDS) / recording.block), 1)
            levels = _record(microphone, console, blocks=blocks, skip=round(_WARM_UP / recording.block))
        finally:
            microphone.stop()
            for text in noise():
                console.detail(text)
    judgement = judge(levels, recording.block)
    if as_json:
        write_stdout(f"{_object(judgement, microphone)}\n".encode())
        return
    channels = f"{form.channels} channel{'' if form.channels == 1 else 's'}"
    device = f"{microphone.name} ({microphone.device.host_api}), {form.sample_rate} Hz, {channels}"
    write_stdout(_table(judgement, device, microphone.lost).encode())
