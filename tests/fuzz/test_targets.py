"""Whatever bytes come, parsers refuse them or read them: nothing else is raised, and nothing else is promised."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CASES, TARGETS, cases

pytestmark = pytest.mark.slow  # together they take half a minute


def _mutations(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Bytes that lie near a seed: parts of it left out, repeated, moved, or with other bytes between."""

    def near(seed: bytes) -> st.SearchStrategy[bytes]:
        cut = st.integers(0, len(seed))
        part = st.tuples(cut, cut).map(lambda ends: seed[min(ends) : max(ends)])
        start = cut.map(lambda end: seed[:end])
        end = cut.map(lambda at: seed[at:])
        middle = st.lists(st.one_of(st.binary(max_size=12), part, _TOKENS), max_size=4).map(b"".join)
        return st.tuples(start, middle, end).map(b"".join)

    return st.one_of(st.binary(max_size=400), st.sampled_from(seeds).flatmap(near))


# What JSON, numbers and formats are broken with.
_TOKENS = st.sampled_from(
    [
        b"null",
        b"-1",
        b"1e999",
        b"NaN",
        b"9" * 400,
        b"[]",
        b"{}",
        b'""',
        b"true",
        b'"\\ud800"',
        b"\xff",
        b"\0",
        b"\n",
    ]
)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_parsed(name: str) -> None:
    """What fuzzing begins with is no failure itself."""
    for seed in TARGETS[name].seeds:
        TARGETS[name].parse(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_anything_is_read_or_refused(name: str) -> None:
    """No input makes a parser fail in another way than it says, and its promises hold for each."""

    @settings(max_examples=60, deadline=None)
    @given(_mutations(TARGETS[name].seeds))
    def check(data: bytes) -> None:
        TARGETS[name].parse(data)

    check()


@pytest.mark.parametrize(("name", "case"), [(name, path.name) for name in TARGETS for path in cases(name)])
def test_what_once_failed(name: str, case: str) -> None:
    """Each input that once broke a parser is read or refused now."""
    TARGETS[name].parse((CASES / name / case).read_bytes())


def test_cases_belong_to_targets() -> None:
    """No case is left behind by a target that was renamed."""
    assert {path.name for path in CASES.iterdir()} <= set(TARGETS)
