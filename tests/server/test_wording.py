"""Words into text: pauses, replacements, search."""

from dgcli.server import wording
from dgcli.server.engines.base import HeardWord


def words(text: str, *, gap_after: int | None = None, gap: float = 1.0) -> list[HeardWord]:
    result, time = [], 0.0
    for index, word in enumerate(text.split()):
        result.append(HeardWord(word, time, time + 0.3, 0.9))
        time += 0.4 + (gap if index == gap_after else 0)
    return result


def texts(found: list[HeardWord]) -> list[str]:
    return [word.text for word in found]


def test_sentences_end_at_long_pauses() -> None:
    """A full stop stands before a long pause and a capital after it; `i` is always one."""
    found = wording.punctuate(words("so i said hello i'm here", gap_after=3))
    assert wording.text_of(found) == "So I said hello. I'm here."
    assert texts(found) == ["so", "i", "said", "hello", "i'm", "here"]


def test_parts_of_a_sentence() -> None:
    """In the middle of a sentence no capital is added, and no full stop before it ends."""
    part = words("go on")
    assert wording.text_of(wording.punctuate(part, begins=False, ends=False)) == "go on"
    assert wording.text_of(wording.punctuate(part, begins=False)) == "go on."
    assert wording.text_of(wording.punctuate(part, ends=False)) == "Go on"


def test_replacing_keeps_time() -> None:
    """A replacement takes the time of what it replaces, shared among its words."""
    found = wording.substitute(words("a b c"), [("a b", "x y z")])
    assert texts(found) == ["x", "y", "z", "c"]
    assert (found[0].start, found[2].end) == (0.0, 0.7)


def test_replacing_with_nothing_deletes() -> None:
    """No replacement removes the term, wherever it stands."""
    assert texts(wording.substitute(words("um so um"), [("um", "")])) == ["so"]


def test_finds_with_capitals_match_their_case_only() -> None:
    """A find in lower case matches any case, one with capitals its own."""
    heard = [HeardWord("Rose", 0, 1, 1.0), HeardWord("rose", 1, 2, 1.0)]
    assert texts(wording.substitute(heard, [("Rose", "Ann")])) == ["Ann", "rose"]
    assert texts(wording.substitute(heard, [("rose", "grew"), ("Rose", "Ann")])) == ["Ann", "grew"]


def test_a_replacement_is_not_replaced_again() -> None:
    """A replacement that holds its own find ends."""
    assert texts(wording.substitute(words("go"), [("go", "go go go")])) == ["go", "go", "go"]


def test_utterances_split_at_the_gap_and_at_speakers() -> None:
    """A silence of at least the gap splits, and so does another speaker."""
    assert [len(part) for part in wording.split(words("a b c d", gap_after=1), 0.8)] == [2, 2]
    talk = [HeardWord("a", 0, 1, 1.0, speaker=0), HeardWord("b", 1, 2, 1.0, speaker=1)]
    assert len(wording.split(talk, 0.8)) == 2


def test_search_finds_what_is_spelt_alike() -> None:
    """The best hit comes first, with the times of its words; hits do not overlap."""
    hits = wording.search(words("the common defence of all"), "Common Defense")
    assert hits[0].snippet == "common defence"
    assert (hits[0].start, hits[0].end) == (0.4, 1.1)
    assert hits[0].confidence > 0.9
    assert wording.search(words("nothing here"), "zebra") == []


def marked(*texts: str) -> list[HeardWord]:
    """Return words as Whisper gives them, half a second each."""
    return [
        HeardWord(text.strip(".,?!").lower(), at / 2, at / 2 + 0.5, 1.0, written=text)
        for at, text in enumerate(texts)
    ]


def test_marks_end_sentences() -> None:
    """Where words carry marks, these end sentences and pauses do not; titles and initials go on."""
    found = wording.sentences(marked("Mr.", "J.", "Smith", "came.", "Why?", "He", "left."))
    assert [wording.text_of(part) for part in found] == ["Mr. J. Smith came.", "Why?", "He left."]
    paused = marked("Ask", "not", "what.")
    paused[2] = HeardWord("what", 9.0, 9.5, 1.0, written="what.")
    assert len(wording.sentences(paused)) == 1


def test_paragraphs_do_not_grow_long() -> None:
    """A paragraph ends at a long pause, and after five sentences."""
    found = list(wording.paragraphs(marked(*["Yes."] * 12)))
    assert [len(paragraph) for paragraph in found] == [5, 5, 2]


def test_replacing_keeps_marks() -> None:
    """The marks of what is replaced stay, and so does the capital that begins a sentence."""
    heard = marked("Order", "it,", "order.")
    found = wording.substitute(heard, [("order", "parcel")])
    assert wording.text_of(found) == "Parcel it, parcel."
    assert texts(wording.substitute(marked("Rose", "rose."), [("Rose", "Ann")])) == ["Ann", "rose"]


def test_a_filler_hands_its_capital_on() -> None:
    """Without its filler a sentence begins with the next word."""
    assert wording.text_of(wording.without_fillers(marked("Um,", "so", "uh,", "yes."))) == "So yes."


def test_profanity_is_starred_out() -> None:
    """A profane word keeps its first letter and its marks; innocent words that resemble one stay."""
    found = wording.without_profanity(marked("Shit,", "the", "class", "passed", "shitty", "assessments."))
    assert wording.text_of(found) == "S***, the class passed s***** assessments."
    assert texts(found)[0] == "s***"
