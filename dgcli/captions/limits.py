"""Limits of cues, as publishers of captions print them, in one table.

netflix  Netflix Partner Help Center, "Timed Text Style Guide: General Requirements" (5/6 s to 7 s, 2 lines),
         "English (USA) Timed Text Style Guide" (42 characters a line, 20 characters a second for adults) and
         "Subtitle Timing Guidelines" (2 frames between cues always, gaps of less than half a second closed to them).
bbc      BBC Subtitle Guidelines: 37 characters of a Teletext line, 2 lines, 160 to 180 words a minute (about
         17 characters a second), at least 0.3 s a word, and no gap at all unless it is a second or longer.
         They set no longest duration; 7 s is Netflix's.
youtube  YouTube Help says which files it takes and sets no limits. These are the 32 columns of a CEA-608
         row, which is what its captions have on television, and 1 s at least, without gaps.
social   No publisher prints limits for upright video. These are ours: one short line that changes often,
         wide enough for 24 characters of large type on a 9:16 picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from dgcli.errors import UsageError

PAUSE = 1.5  # seconds without a word that always end a cue, and that a cue stays at most after its last word

FRAME_RATES = (23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94)
_FRAMES = 2  # between two cues, where a preset wants a gap


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a cue. Raises `UsageError` for values that no cue could keep.

    `max_chars` characters a line (full-width ones count two), `max_lines` lines, `min_duration` and
    `max_duration` seconds on screen, `max_cps` characters a second, `min_gap` seconds between two cues;
    a gap shorter than `bridge` seconds is closed to that. With `fps` cues begin and end on frames: frame n is at
    n / fps seconds.
    The defaults are those of Netflix; where a limit and the words contradict each other, the words win.
    """

    max_chars: int = 42
    max_lines: int = 2
    min_duration: float = 5 / 6
    max_duration: float = 7.0
    max_cps: float = 20.0
    min_gap: float = 2 / 24
    bridge: float = 0.5
    fps: float | None = None

    def __post_init__(self) -> None:
        if self.max_chars < 8:
            raise UsageError(f"--max-chars must be at least 8, not {self.max_chars}.")
        if self.max_lines < 1:
            raise UsageError(f"--max-lines must be at least 1, not {self.max_lines}.")
        if not 0.1 <= self.min_duration <= self.max_duration <= 60:
            raise UsageError(
                "--min-duration and --max-duration must be 0.1 to 60 seconds, the first not above the "
                f"second; they are {self.min_duration:g} and {self.max_duration:g}."
            )
        if not 1 <= self.max_cps <= 1000:
            raise UsageError(f"--max-cps must be 1 to 1000 characters a second, not {self.max_cps:g}.")
        if not 0 <= self.min_gap <= 0.5:
            raise UsageError(f"--min-gap must be 0 to 0.5 seconds, not {self.min_gap:g}.")
        if self.fps is not None and self.fps not in FRAME_RATES:
            rates = ", ".join(f"{rate:g}" for rate in FRAME_RATES)
            raise UsageError(f"--fps must be one of {rates}, not {self.fps:g}.")


PRESETS: Mapping[str, Limits] = MappingProxyType(
    {
        "netflix": Limits(),
        "bbc": Limits(max_chars=37, min_duration=1.0, max_cps=17.0, min_gap=0.0, bridge=1.0),
        "youtube": Limits(max_chars=32, min_duration=1.0, max_cps=20.0, min_gap=0.0),
        "social": Limits(
            max_chars=24, max_lines=1, min_duration=0.5, max_duration=3.0, max_cps=25.0, min_gap=0.0
        ),
    }
)


def limits(preset: str = "netflix", **changes: float | None) -> Limits:
    """The limits of a preset, changed where `changes` says so; `None` changes nothing.

    With `fps` the gap of a preset that has one is two of those frames. Raises `UsageError` for a preset that is
    not there and for values that no cue could keep.
    """
    for name, value in changes.items():
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise UsageError(f"--{name.replace('_', '-')} takes a number, not {value!r}.")
    if not isinstance(preset, str) or preset.lower() not in PRESETS:
        raise UsageError(f"There is no preset {preset!r}.", hint=f"Presets: {', '.join(PRESETS)}.")
    values = {name: value for name, value in changes.items() if value is not None}
    fps, known = values.get("fps"), PRESETS[preset.lower()]
    if fps and known.min_gap:
        values.setdefault("min_gap", _FRAMES / fps)
    return replace(known, **values)  # type: ignore[arg-type]  # the names are Limits' own
