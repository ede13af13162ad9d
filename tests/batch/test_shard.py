"""Shares of a corpus: together all of it, apart from each other, even, and the same wherever they are taken."""

import math
import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgcli.batch.shard import Shard, parse, place
from dgcli.errors import UsageError


@given(st.lists(st.binary(min_size=1)), st.integers(1, 50))
def test_shares_divide_everything(names: list[bytes], count: int) -> None:
    """Every name, whatever its bytes, belongs to exactly one share."""
    shares = [Shard(number, count) for number in range(1, count + 1)]
    for name in names:
        assert sum(share.takes(os.fsdecode(name)) for share in shares) == 1


@given(st.text("abcdefghij/-_ 0123456789", max_size=20), st.integers(2, 64), st.integers(0, 10**9))
@settings(
    max_examples=30, deadline=None, derandomize=True
)  # of 30 draws, chance alone would fail one in ten runs
def test_shares_are_even(prefix: str, count: int, first: int) -> None:
    """Of 10,000 names, as they are numbered in corpora, each share gets its part, within four deviations."""
    names = [f"{prefix}{first + number:06d}.wav" for number in range(10_000)]
    sizes = Counter(place(name) % count for name in names)
    deviation = math.sqrt(10_000 * (1 / count) * (1 - 1 / count))
    assert all(abs(sizes[number] - 10_000 / count) <= 4 * deviation for number in range(count))


def test_shares_never_change() -> None:
    """A name's share is the same in every version: a corpus may be half done when dg is updated."""
    names = ["a.wav", "day1/call 7.mp3", "ünïcode.flac", "https://example.com/x.wav"]
    assert [number for name in names for number in range(1, 8) if Shard(number, 7).takes(name)] == [
        7,
        6,
        1,
        7,
    ]


SLURM = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1",
         "SLURM_ARRAY_TASK_MAX": "7", "SLURM_ARRAY_TASK_STEP": "2"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "environ", "share"),
    [
        ("1/4", {}, "1/4"),
        ("4/4", {}, "4/4"),
        ("auto", {"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "8"}, "1/8"),
        (
            "auto",
            {"SLURM_ARRAY_TASK_ID": "8", "SLURM_ARRAY_TASK_COUNT": "8", "SLURM_ARRAY_TASK_MIN": "1"},
            "8/8",
        ),
        ("auto", SLURM, "4/4"),
        ("auto", {"JOB_COMPLETION_INDEX": "2", "JOB_COMPLETION_COUNT": "5"}, "3/5"),
        ("AUTO", {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "2"}, "1/2"),
    ],
)
def test_which_share(text: str, environ: dict[str, str], share: str) -> None:
    """K/N is taken as it is; `auto` reads what Slurm, Kubernetes and AWS Batch set."""
    assert str(parse(text, environ)) == share


@pytest.mark.parametrize(
    ("text", "environ", "message"),
    [
        ("0/4", {}, "There is no share 0/4: the first is 1, the last 4."),
        ("5/4", {}, "There is no share 5/4: the first is 1, the last 4."),
        ("1", {}, "--shard takes K/N or auto, not '1'."),
        ("auto", {}, "--shard auto finds no array job here"),
        (
            "auto",
            {"JOB_COMPLETION_INDEX": "2"},
            "--shard auto cannot tell the share: JOB_COMPLETION_COUNT is not set.",
        ),
        (
            "auto",
            {**SLURM, "SLURM_ARRAY_TASK_COUNT": "2"},
            "--shard auto cannot tell the share: the array's indices",
        ),
    ],
)
def test_no_such_share(text: str, environ: dict[str, str], message: str) -> None:
    """What is no share is refused: a part of an array, submitted again, would take another share than it was."""
    with pytest.raises(UsageError) as caught:
        parse(text, environ)
    assert caught.value.message.startswith(message)
