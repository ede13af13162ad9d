"""A fair share of a corpus, so that several machines divide it without talking to each other.

A share is chosen by the hash of a name, never by what is in a file or by its place in a list: adding a
recording moves no other one, and every machine comes to the same answer by itself.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from dgcli.errors import UsageError


def place(name: str) -> int:
    """Map a name to a number below 2**64, the same on every machine and in every version."""
    data = os.fsencode(name.replace(os.sep, "/"))
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True)
class Shard:
    """Share `number` of `count`; numbers begin at 1."""

    number: int
    count: int

    def takes(self, name: str) -> bool:
        """Whether a name (a path relative to its input root, or a URL) belongs to this share."""
        return place(name) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def _whole(environ: Mapping[str, str], name: str) -> int:
    """A whole number from the environment. Raises `UsageError` when it is missing or none."""
    text = environ.get(name, "")
    try:
        return int(text)
    except ValueError:
        what = f"{name} is {text!r}" if text else f"{name} is not set"
        raise UsageError(
            f"--shard auto cannot tell the share: {what}.", hint="Name it: --shard K/N, K from 1 to N."
        ) from None


def _slurm(environ: Mapping[str, str]) -> Shard:
    """The share of a task of a Slurm array, whatever its indices begin with and step by (sbatch(1))."""
    task, count = _whole(environ, "SLURM_ARRAY_TASK_ID"), _whole(environ, "SLURM_ARRAY_TASK_COUNT")
    low = int(environ.get("SLURM_ARRAY_TASK_MIN") or 0)
    high = int(environ.get("SLURM_ARRAY_TASK_MAX") or low + count - 1)
    step = int(environ.get("SLURM_ARRAY_TASK_STEP") or 1)
    if step < 1 or (high - low) // step + 1 != count or (task - low) % step:
        # Part of an array that was submitted again: its share would no longer be the one it was.
        raise UsageError(
            "--shard auto cannot tell the share: the array's indices have gaps.",
            hint=f"Submit a whole range, or name the share: --shard $((SLURM_ARRAY_TASK_ID + {1 - low}))/N.",
        )
    return Shard((task - low) // step + 1, count)


def _automatic(environ: Mapping[str, str]) -> Shard:
    """The share that the engine running us has set aside.

    Sources: sbatch(1), "Output environment variables"; Kubernetes, "Indexed Job for Parallel Processing"
    (which sets no count: the job's own manifest does); AWS Batch, "Job environment variables".
    """
    if "SLURM_ARRAY_TASK_ID" in environ:
        return _slurm(environ)
    if "JOB_COMPLETION_INDEX" in environ:
        return Shard(_whole(environ, "JOB_COMPLETION_INDEX") + 1, _whole(environ, "JOB_COMPLETION_COUNT"))
    if "AWS_BATCH_JOB_ARRAY_INDEX" in environ:
        size = "AWS_BATCH_JOB_ARRAY_SIZE"
        return Shard(_whole(environ, "AWS_BATCH_JOB_ARRAY_INDEX") + 1, _whole(environ, size))
    raise UsageError(
        "--shard auto finds no array job here: neither Slurm, Kubernetes nor AWS Batch has set an index.",
        hint="Name the share: --shard K/N, K from 1 to N.",
    )


def parse(text: str, environ: Mapping[str, str]) -> Shard:
    """The share that `--shard` names: K/N, or what the environment says for `auto`. Raises `UsageError`."""
    if text.strip().lower() == "auto":
        shard = _automatic(environ)
    else:
        number, _, count = text.partition("/")
        try:
            shard = Shard(int(number), int(count))
        except ValueError:
            raise UsageError(
                f"--shard takes K/N or auto, not {text!r}.", hint="The first of four: --shard 1/4."
            ) from None
    if not 1 <= shard.number <= shard.count:
        raise UsageError(
            f"There is no share {shard}: the first is 1, the last {max(shard.count, 1)}.",
            hint=f"Did you mean: --shard {shard.number + 1}/{shard.count}" if shard.number == 0 else None,
        )
    return shard
