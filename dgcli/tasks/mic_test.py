"""`dg mic --test`: record a little, send nothing, and judge the recording."""

from dataclasses import dataclass

from dgcli.audio.base import AudioFormat
from dgcli.audio.levels import Judgement, Level, judge, measure
from dgcli.audio.microphone import CaptureSettings, Microphone
from dgcli.audio.native_stderr import captured_native_stderr
from dgcli.tasks.reporter import Reporter
from dgcli.transcript.events import Notice

_SECONDS = 5.0
_WARM_UP = 0.3  # seconds that are not judged: cards begin with silence or a click


@dataclass(frozen=True, slots=True)
class MicTest:
    """The result of a mic test; `lost` counts blocks of audio."""

    device: str
    index: int
    host_api: str
    audio_format: AudioFormat
    judgement: Judgement
    lost: int


def _record(microphone: Microphone, reporter: Reporter, *, blocks: int, skip: int) -> list[Level]:
    """The levels of so many blocks, after those that are skipped."""
    levels: list[Level] = []
    with reporter.level_line() as draw:
        for item in microphone.blocks():
            if isinstance(item, Notice):
                reporter.warning(item.message)
                continue
            if skip > 0:
                skip -= 1
                continue
            level = measure(item)
            levels.append(level)
            draw(level.rms, level.peak)
            if len(levels) >= blocks:
                break
    return levels


def test_microphone(settings: CaptureSettings, reporter: Reporter, *, seconds: float | None) -> MicTest:
    """Record so many seconds (None: five) and judge them. Raises `AudioError`."""
    with captured_native_stderr() as printed:
        microphone = Microphone(settings, native_stderr=printed if reporter.verbose else None)
        try:
            audio_format = microphone.open()
            blocks = max(round((seconds or _SECONDS) / settings.block), 1)
            levels = _record(microphone, reporter, blocks=blocks, skip=round(_WARM_UP / settings.block))
        finally:
            microphone.stop()
            for text in printed():
                reporter.detail(text)
    return MicTest(
        device=microphone.name,
        index=microphone.device.index,
        host_api=microphone.device.host_api,
        audio_format=audio_format,
        judgement=judge(levels, settings.block),
        lost=microphone.lost,
    )
