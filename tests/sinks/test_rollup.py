"""The text that runs through the lines of the overlay and of --last-lines."""

from pathlib import Path

from dgcli.captions.text import wrapped
from dgcli.formats import RenderSettings
from dgcli.sinks.last_lines import SILENCE, LastLinesSink
from dgcli.sinks.rollup import RollUp
from dgcli.transcript.events import Closed, Event, Notice, NoticeKind
from tests.sinks.conftest import final, interim, words


def after(*events: Event) -> list[tuple[int, str, str]]:
    """Number, certain and provisional text of each paragraph."""
    roll_up = RollUp()
    for event in events:
        roll_up.take(event)
    return [(each.number, each.text, each.interim) for each in roll_up.paragraphs]


def test_an_interim_gives_way_to_its_final() -> None:
    """Provisional text is replaced by the next interim and by the final, in the same paragraph."""
    first, second = interim("we the"), interim("we the people")
    assert after(first) == [(1, "", "we the")]
    assert after(first, second) == [(1, "", "we the people")]
    assert after(first, second, final("We, the people.")) == [(1, "We, the people.", "")]


def test_a_voice_goes_on_in_its_paragraph_until_it_pauses() -> None:
    """What follows closely is added; after two seconds, or by another voice, a new paragraph begins."""
    begun = final("Yes, it is.", 0.0)
    assert after(begun, interim("and more", 2.0)) == [(1, "Yes, it is.", "and more")]
    assert after(begun, final("And more.", 4.0)) == [(1, "Yes, it is.", ""), (2, "And more.", "")]
    other = after(begun, final("No.", 1.5, speaker=1))
    assert [text for _, text, _ in other] == ["Yes, it is.", "No."]


def test_two_speakers_of_a_final_are_two_paragraphs() -> None:
    """A final of two voices is divided where the voice changes."""
    both = words("Is it?", 0.0, speaker=0) + words("It is.", 1.0, speaker=1)
    assert [text for _, text, _ in after(final("", said=both))] == ["Is it?", "It is."]


def test_channels_do_not_mix() -> None:
    """The final of one channel leaves the provisional text of another alone."""
    one, two = interim("left", channels=2), interim("right", channel=1, channels=2)
    lines = after(one, two, final("Left.", channels=2))
    assert sorted((text, provisional) for _, text, provisional in lines) == [("", "right"), ("Left.", "")]


def test_what_was_never_confirmed_goes_at_the_end() -> None:
    """When the stream is over, provisional text that had no final is taken away."""
    assert after(final("Said."), interim("perhaps", 1.0), Closed(3.0, 1)) == [(1, "Said.", "")]


def test_speaker_numbers_that_begin_anew_end_a_paragraph() -> None:
    """After a notice of it, the same number may be somebody else: nothing goes on."""
    restarted = Notice(NoticeKind.SPEAKERS_RESTARTED, "Speaker numbers begin anew.")
    lines = after(final("One.", speaker=0), restarted, final("Two.", 0.5, speaker=0))
    assert [text for _, text, _ in lines] == ["One.", "Two."]


def test_scripts_without_spaces_have_none_between_finals() -> None:
    """Japanese goes on without a space, English with one, and controls are taken out."""
    assert after(final("今日は"), final("元気です", 0.5)) == [(1, "今日は元気です", "")]
    assert after(final("it\x1b[31m is\u202e"), final("so", 1.0)) == [(1, "it is so", "")]


def test_memory_is_bounded() -> None:
    """After thousands of utterances some sixty paragraphs are kept, the newest."""
    kept = after(*(final(f"Number {n}.", n * 5.0) for n in range(3000)))
    assert len(kept) == 60
    assert kept[-1] == (3000, "Number 2999.", "")


def test_lines_are_filled_from_the_left() -> None:
    """More words never change the lines before the last: each prefix wraps to a prefix."""
    text = "the quick brown fox jumps over the lazy dog".split()
    for count in range(1, len(text)):
        fewer, more = wrapped(" ".join(text[:count]), 12), wrapped(" ".join(text[: count + 1]), 12)
        assert more[: len(fewer) - 1] == fewer[:-1]
        assert all(len(line) <= 12 for line in more)


class Time:
    """A clock that is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_file_holds_the_last_lines(tmp_path: Path) -> None:
    """Interims included, two lines of 42 columns by default, at most ten writes a second."""
    clock, path = Time(), tmp_path / "lines.txt"
    sink = LastLinesSink(path, RenderSettings(), clock=clock)
    said = "we the people of the united states in order to form a more perfect union establish justice"
    sink.handle(interim(said))
    assert path.read_text().splitlines() == [
        "order to form a more perfect union",
        "establish justice",
    ]
    sink.handle(interim(said + " and"))
    assert path.read_text().endswith("justice\n")  # too soon
    clock.now += 0.1
    sink.tick(clock.now)
    assert path.read_text().endswith("justice and\n")
    sink.close()
    assert path.read_text() == ""
    assert [entry.name for entry in tmp_path.iterdir()] == ["lines.txt"]


def test_a_silence_empties_the_file(tmp_path: Path) -> None:
    """After eight seconds without a new word it is empty; what was said before does not come back."""
    clock, path = Time(), tmp_path / "lines.txt"
    sink = LastLinesSink(path, RenderSettings(), clock=clock)
    sink.handle(final("Before it.", speaker=0))
    clock.now += SILENCE - 0.1
    sink.tick(clock.now)
    assert path.read_text() == "Speaker 0: Before it.\n"
    clock.now += 0.1
    sink.tick(clock.now)
    assert path.read_text() == ""
    clock.now += 1
    sink.handle(final("After it.", 20.0, speaker=0))
    assert path.read_text() == "Speaker 0: After it.\n"
