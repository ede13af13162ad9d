"""Command lines that are not quite ours: what was wanted is done or suggested."""

import shlex
from pathlib import Path

import pytest

from dgcli.app import COMMANDS
from dgcli.corrections import reordered
from tests.conftest import Run, ScriptedServer


@pytest.mark.parametrize(
    ("line", "suggested"),
    [
        ("fil talk.wav --diarize", "dg file talk.wav --diarize"),
        ("serv", "dg serve"),
        ("transcribe talk.wav", "dg file talk.wav"),
        ("transcribe https://example.com/a.mp3", "dg url https://example.com/a.mp3"),
        ("listen", "dg mic"),
        ("listen talk.wav", "dg file talk.wav"),
        ("listen https://example.com/a.mp3", "dg url https://example.com/a.mp3"),
        ("talk.wav", "dg file talk.wav"),
        ("https://example.com/a.mp3", "dg url https://example.com/a.mp3"),
        ("logn", "dg login"),
        ("completion bash", "dg completions bash"),
        ("file talk.wav --subtitles", "-f srt"),
        ("file talk.wav --webvtt", "-f vtt"),
        ("file talk.wav --diarise", "--diarize"),
        ("live talk.wav --lang de", "--language"),
        ("--local talk.wav", "dg file talk.wav --local"),
        ("talk.mp3", "dg file talk.mp3"),
        ("--diarize talk.mp3", "dg file talk.mp3 --diarize"),
        ("--diarize https://example.com/a.mp3", "dg url https://example.com/a.mp3 --diarize"),
        ("-o a.srt --model=nova-2 a.mp3 b.mp3", "dg file a.mp3 b.mp3 -o a.srt --model=nova-2"),
        ("-f srt talk.json", "dg render talk.json -f srt"),
        ("--overlay talk.mp3", "dg live talk.mp3 --overlay"),
        ("--local file talk.wav", "dg file --local talk.wav"),
    ],
)
def test_what_was_meant_is_suggested(dg: Run, line: str, suggested: str) -> None:
    """A command or an option that there is not gets the one that was probably meant, whole."""
    result = dg(*line.split())
    assert result.returncode == 2
    assert result.stderr.decode().splitlines()[-1] == f"dg: Did you mean: {suggested}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("live talk.wav --summarize", "--summarize is only on file and url, not on live."),
        ("render x.json --diarize", "--diarize is only on file, url, live and mic, not on render."),
        ("--diarize talk", "The command comes before --diarize."),
        ("--diarize talk", "Commands with --diarize: file, url, live and mic."),
        ("--xyzzy talk.mp3", "There is no option --xyzzy."),
    ],
)
def test_an_option_of_another_command_is_told(dg: Run, line: str, message: str) -> None:
    """An option that other commands have says which."""
    assert message in dg(*line.split()).stderr.decode()


@pytest.mark.parametrize("line", ["xyzzy", "file talk.wav --xyzzy", "file --model"])
def test_what_nobody_knows_points_to_the_help(dg: Run, line: str) -> None:
    """Where nothing is near, and where a value is missing, the hint is the help of that command."""
    command = "dg file" if line.startswith("file") else "dg"
    assert dg(*line.split()).stderr.decode().splitlines()[-1] == f"dg: See: {command} --help"


def test_help_is_a_command_too(dg: Run) -> None:
    """`dg help` is `dg --help`, and `dg help file` is `dg file --help`."""
    assert dg("help").stdout == dg("--help").stdout
    assert dg("help", "file").stdout == dg("file", "--help").stdout
    assert b"dg login" in dg("help").stdout


@pytest.mark.parametrize("before", [("-v",), ("-q",), ("--verbose",), ("--profile", "x"), ("--profile=x",)])
def test_flags_before_the_command(
    dg: Run, server: ScriptedServer, audio: Path, tmp_path: Path, before: tuple[str, ...]
) -> None:
    """-v, -q, --base-url and --profile stand before the command as well as behind it."""
    config = tmp_path / "config.toml"
    config.write_text("[profiles.x.params]\nlanguage = 'fr'\n")
    args = ("--base-url", server.url, *before, "file", audio)
    result = dg(*args, env={"DGCLI_CONFIG": str(config), "DEEPGRAM_API_KEY": "key"})
    assert result.returncode == 0, result.stderr
    assert (("language", "fr") in server.seen[0].query) == ("profile" in before[0])


def test_only_what_comes_first_is_moved() -> None:
    """A command line that begins with its command, or with anything unknown, stays as it is."""
    names = [row.name for row in COMMANDS]
    for args in (
        ["file", "-v", "help"],
        ["--version"],
        ["-v"],
        ["--profile"],
        ["-v", "nothing"],
        ["-v", "--version"],
    ):
        assert reordered(args, names) == args
    assert reordered(["-v", "--base-url", "help", "file", "a"], names) == [
        "file",
        "-v",
        "--base-url",
        "help",
        "a",
    ]
    assert reordered(["-v", "help", "file"], names) == ["file", "--help"]


@pytest.mark.parametrize("command", ["file", "url", "live", "mic"])
def test_the_short_page(dg: Run, command: str) -> None:
    """-h is a page of at most 25 flags that names the formats and the whole page, which --help is."""
    short, whole = dg(command, "-h").stdout.decode(), dg(command, "--help").stdout.decode()
    flags = [line for line in short.splitlines() if line.startswith("  -")]
    assert 10 <= len(flags) <= 25
    assert "Formats: text, json, srt" in short
    assert f"dg {command} --help" in short
    assert len(whole) > 2 * len(short)
    assert set(flags) <= set(whole.splitlines())
    assert dg("render", "-h").stdout == dg("render", "--help").stdout


@pytest.mark.parametrize("command", ["file", "url", "live"])
@pytest.mark.parametrize("page", ["https://www.youtube.com/watch?v=abc&t=1", "https://youtu.be/abc"])
def test_a_page_of_a_video_site(dg: Run, command: str, page: str) -> None:
    """A page of YouTube and the like is refused with the pipe of yt-dlp, whose last program is a command of ours."""
    result = dg(command, page, env={"DEEPGRAM_API_KEY": "key"})
    assert result.returncode == 2
    target = "live" if command == "live" else "file"
    hint = result.stderr.decode().splitlines()[-1]
    assert (
        hint
        == f"dg: Let yt-dlp fetch its sound: yt-dlp -f bestaudio -o - {shlex.quote(page)} | dg {target} -"
    )


def test_a_recording_on_such_a_site_is_none(dg: Run, server: ScriptedServer) -> None:
    """What ends like a recording is sent to the API, wherever it lies."""
    own = ("--base-url", server.url)
    assert dg("url", "https://x.com/talk.mp3", *own, env={"DEEPGRAM_API_KEY": "key"}).returncode == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("file talk.wav --show-request", "--show-request needs a value: curl|python|httpie."),
        ("file talk.wav --speaker", "--speaker needs a value: N=NAME."),
        ("file talk.wav -o", "-o needs a value: FILE."),
        ("file talk.wav --audio-track deu", "--audio-track takes a whole number, not 'deu'."),
        ("file talk.wav --audio-track 0", "--audio-track takes 1 or more, not 0."),
        ("file talk.wav --utt-split soon", "--utt-split takes a number, not 'soon'."),
        ("file talk.wav -j many", "--jobs takes a whole number, not 'many'."),
        ("serve --port 70000", "--port takes 0 to 65535, not 70000."),
        ("last srt", "N takes a whole number, not 'srt'."),
    ],
)
def test_a_value_that_an_option_does_not_take(dg: Run, line: str, message: str) -> None:
    """A missing or invalid value is told in the words of the help: no type of Python, no formula."""
    result = dg(*line.split())
    assert result.returncode == 2
    assert result.stderr.decode().splitlines()[0] == f"dg: error: {message}"


@pytest.mark.parametrize("command", [row.name for row in COMMANDS])
def test_no_help_page_names_a_type_of_python(dg: Run, command: str) -> None:
    """What stands for a value is a word for people, in every command."""
    page = dg(command, "--help").stdout.decode()
    assert not [line for line in page.splitlines() if line.lstrip().startswith("-") and "<" in line]


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("diarise", b"dg: warning: diarise is sent as it is. Did you mean: --diarize\n"),
        ("smartformat", b"dg: warning: smartformat is sent as it is. Did you mean: --smart-format\n"),
        ("brand_new", b""),
    ],
)
def test_a_misspelt_parameter_is_sent_and_told(
    dg: Run, server: ScriptedServer, audio: Path, name: str, warning: bytes
) -> None:
    """--param is for what is newer than this version: nothing is refused, and what is nearly a known name is told."""
    own = ("file", audio, "--base-url", server.url, "--api-key", "key", "--no-history")
    result = dg(*own, "--param", f"{name}=true")
    assert (result.returncode, result.stderr) == (0, warning)
    assert (name, "true") in server.seen[0].query


def test_arguments_too_many_are_named(dg: Run) -> None:
    """What a command has no use for is named, and a key that was given to login is not."""
    result = dg("live", "a.wav", "b.wav", "c.wav")
    assert (result.returncode, result.stderr.splitlines()[0]) == (
        2,
        b"dg: error: Too many arguments: b.wav c.wav.",
    )
    result = dg("login", "0123456789abcdef")
    assert result.returncode == 2
    assert b"0123456789abcdef" not in result.stdout + result.stderr
    assert result.stderr.endswith(b"dg: Run dg login alone, and paste the key where it asks.\n")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("file {audio} -f m3u8", "A playlist goes to files alone.", "Name it: -o captions.m3u8"),
        ("live {audio} -f m3u8", "A playlist goes to files alone.", "Name it: -o captions.m3u8"),
        (
            "file {audio} -f jsonl",
            "jsonl has the events of a stream: ",
            "The words as JSON lines: words.jsonl",
        ),
        (
            "file {audio} -o a.jsonl",
            "jsonl has the events of a stream: ",
            "The words as JSON lines: words.jsonl",
        ),
    ],
)
def test_formats_that_are_elsewhere(dg: Run, audio: Path, line: str, message: str, hint: str) -> None:
    """A format that there is, not here, is told with where it is."""
    result = dg(*(part.format(audio=audio) for part in line.split()), env={"DEEPGRAM_API_KEY": "key"})
    assert result.returncode == 2
    first, second = result.stderr.decode().splitlines()
    assert first.startswith(f"dg: error: {message}")
    assert second == f"dg: {hint}"
