"""The limits of cues, and the presets."""

from typing import Any

import pytest

from dgcli.captions.captioner import captions
from dgcli.captions.limits import PRESETS, Limits, limits
from dgcli.errors import UsageError
from dgcli.transcript.model import Channel, Transcript, Word


def test_defaults_are_what_netflix_publishes() -> None:
    """42 characters, 2 lines, 5/6 s to 7 s, 20 characters a second, 2 frames at 24 a second."""
    defaults = limits()
    assert (defaults.max_chars, defaults.max_lines, defaults.max_cps) == (42, 2, 20)
    assert (defaults.min_duration, defaults.max_duration, defaults.min_gap) == (5 / 6, 7, 2 / 24)


def test_a_flag_changes_its_limit_of_the_preset_alone() -> None:
    """What is given replaces the preset's value; `None` is not given."""
    assert limits("BBC", max_lines=3, max_cps=None).max_lines == 3
    assert limits("bbc", max_lines=3).max_chars == PRESETS["bbc"].max_chars


def test_a_gap_is_two_frames_of_the_rate_that_is_given() -> None:
    """With --fps the netflix gap is two frames; a preset without a gap stays without, and --min-gap wins."""
    assert limits(fps=25).min_gap == 2 / 25
    assert limits("bbc", fps=25).min_gap == 0
    assert limits(fps=25, min_gap=0.2).min_gap == 0.2


@pytest.mark.parametrize(
    "changes",
    [
        {"max_chars": 7},
        {"max_lines": 0},
        {"min_duration": 8.0},
        {"max_duration": 0.0},
        {"max_duration": float("nan")},
        {"max_cps": 0.0},
        {"min_gap": -0.1},
        {"min_gap": float("inf")},
        {"fps": 26.0},
    ],
)
def test_limits_that_no_cue_could_keep_are_refused(changes: dict[str, Any]) -> None:
    """Values that contradict themselves are an error of usage that names the flag."""
    with pytest.raises(UsageError, match=r"--m|--fps"):
        limits(**changes)


def test_unknown_preset_names_those_there_are() -> None:
    """The error for a preset that is not there lists all of them."""
    with pytest.raises(UsageError) as caught:
        limits("disney")
    assert "netflix, bbc, youtube, social" in (caught.value.hint or "")


@pytest.mark.parametrize("lines", [1, 2, 3, 4])
def test_lines_are_used_up_to_their_number(lines: int) -> None:
    """A long unpunctuated speech fills as many lines as allowed, and no more."""
    words = tuple(Word("wonderful", at * 0.15, at * 0.15 + 0.15) for at in range(200))
    transcript = Transcript((Channel(0, "", words),))
    cues = captions(transcript, Limits(max_chars=30, max_lines=lines))
    assert max(len(cue.lines) for cue in cues) == lines
    assert sum(len(line.words) for cue in cues for line in cue.lines) == 200
