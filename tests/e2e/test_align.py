"""`dg align` as a user runs it."""

import json
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.e2e.test_render import SAVED

TEXT = "Speaker 0: Good morning to all.\n\nSpeaker 1: And a good morning too.\n"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved response with two speakers."""
    path = tmp_path / "call.json"
    path.write_bytes(SAVED)
    return path


def test_a_correction_comes_back_in_any_format(dg: Run, saved: Path) -> None:
    """The corrected response has the words on their times, and captions are made of it at once or later."""
    text = saved.with_name("call.txt")
    text.write_text(TEXT)
    new = saved.with_name("new.json")
    result = dg("align", saved, text, "-o", new, "-o", saved.with_name("new.srt"))
    assert result.returncode == 0
    assert result.stdout == b""
    words = json.loads(new.read_bytes())["results"]["channels"][0]["alternatives"][0]["words"]
    assert [
        word["punctuated_word"] for word in words
    ] == "Good morning to all. And a good morning too.".split()
    assert (words[3]["start"], words[3]["end"], words[3]["speaker"]) == (1.5, 1.9, 0)
    later = dg("render", new, "-f", "srt")
    assert later.stdout == saved.with_name("new.srt").read_bytes()
    assert dg("align", saved, "-", stdin=TEXT.encode()).stdout == new.read_bytes()


def test_names_in_the_text_are_kept(dg: Run, saved: Path) -> None:
    """Names stand in the response, every format has them, its text aligns to it, and --speaker goes before them."""
    text, new = saved.with_name("call.txt"), saved.with_name("new.json")
    text.write_text(TEXT.replace("Speaker 0", "Alice").replace("Speaker 1", "Bob O'Neil"))
    dg("align", saved, text, "-o", new)
    assert dg("render", new).stdout.decode() == text.read_text()
    assert dg("align", new, text).stdout == new.read_bytes()
    assert b"<v Alice>" in dg("render", new, "-f", "vtt", "--speaker-style", "voice").stdout
    assert dg("render", new, "--speaker", "0=Eva").stdout.startswith(b"Eva: Good morning")


def test_a_text_of_another_recording_is_refused(dg: Run, saved: Path) -> None:
    """Nothing is written for a text that does not match, unless it is forced."""
    text, new = saved.with_name("other.txt"), saved.with_name("new.json")
    text.write_text("Ganz andere Worte stehen hier.")
    result = dg("align", saved, text, "-o", new)
    assert (result.returncode, b"another recording" in result.stderr, new.exists()) == (2, True, False)
    assert dg("align", saved, text, "-o", new, "--force").returncode == 0
    assert new.exists()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("call.json", "gone.txt"), 6, b"gone.txt"),
        (("bad.json", "call.txt"), 4, b"bad.json"),
        (("call.json", "empty.txt"), 2, b"no words in"),
        (("call.json", "call.txt", "-o", "call.txt"), 8, b"is the input itself"),
        (("call.json", "call.txt", "--local"), 2, b"--audio"),
        (("-", "-"), 2, b"Standard input"),
    ],
)
def test_mistakes_are_reported(dg: Run, saved: Path, args: tuple[str, ...], code: int, said: bytes) -> None:
    """Each mistake has its exit code and a message that says what it is about."""
    for name, body in (("call.txt", TEXT), ("empty.txt", ""), ("bad.json", "{")):
        saved.with_name(name).write_text(body)
    result = dg("align", *(saved.with_name(arg) if "." in arg else arg for arg in args))
    assert (result.returncode, said in result.stderr) == (code, True)


@pytest.mark.usefixtures("models_folder")
def test_new_words_are_looked_for_in_the_recording(dg: Run, saved: Path, shared_audio: Path) -> None:
    """With --local and --audio a word that was missed is put where it is said: after the pause, not before it."""
    response = json.loads((shared_audio.parent / "responses" / "transcription.json").read_bytes())
    alternative = response["results"]["channels"][0]["alternatives"][0]
    text = saved.with_name("talk.txt")
    text.write_text(alternative["transcript"])
    missed = alternative["words"].pop(21)  # "are", after a pause
    saved.write_text(json.dumps(response))
    recording = shared_audio / "spacewalk.wav"
    result = dg("align", saved, text, "--local", "--audio", recording)
    assert result.returncode == 0
    words = json.loads(result.stdout)["results"]["channels"][0]["alternatives"][0]["words"]
    assert words[21]["punctuated_word"] == missed["punctuated_word"]
    assert abs(words[21]["start"] - missed["start"]) <= 0.08


def test_swapped_arguments_are_put_right(dg: Run, saved: Path) -> None:
    """The text before the response: the message has the command line that does it, which it does."""
    text = saved.with_name("my call.txt")
    text.write_text(TEXT)
    result = dg("align", text, saved)
    assert result.returncode == 2
    first, second = result.stderr.decode().splitlines()
    assert first == f"dg: error: {text} is no response, but {saved} is."
    assert second == f"dg: The response comes first: dg align {saved} '{text}'"
    assert dg("align", saved, text).returncode == 0


def test_what_became_of_the_words_is_counted(dg: Run, saved: Path) -> None:
    """A line on stderr counts the words that were kept, replaced, added and deleted."""
    text = saved.with_name("call.txt")
    text.write_text(TEXT)
    assert (
        dg("align", saved, text).stderr.splitlines()[0]
        == b"dg: Words: 7 kept, 1 replaced, 1 added, 0 deleted."
    )


def test_the_help_names_the_format_that_is_written(dg: Run, saved: Path) -> None:
    """Without -f and -o standard output gets the response as JSON, and the help says so."""
    text = saved.with_name("call.txt")
    text.write_text(TEXT)
    assert "results" in json.loads(dg("align", saved, text).stdout)
    assert b"Format for standard output. Default: json." in dg("align", "--help").stdout
