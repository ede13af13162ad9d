"""`dg mic` and `dg devices` as they are installed, on a real sound system."""

import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pexpect
import pytest
import soundfile

from tests.conftest import HANGS_AFTER, SAMPLE, Run, dg_path
from tests.e2e.test_local import PREAMBLE, heard, words
from tests.mic.listener import Listener
from tests.mic.pulse import SINK, Pulse

pytestmark = pytest.mark.usefixtures("models_folder")  # the recogniser of --local has weights

Spawn = Callable[..., "pexpect.spawn[bytes]"]


@pytest.fixture
def environment(environment: dict[str, str], pulse: Pulse) -> dict[str, str]:
    """A clean environment with the test's sound system."""
    return {**environment, **pulse.env}


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server that notes what it gets."""
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def spawn(environment: dict[str, str], tmp_path: Path) -> Iterator[Spawn]:
    """Runs `dg mic` in a pseudo-terminal of 100 columns."""
    made: list[pexpect.spawn[bytes]] = []

    def start(*args: str | Path, program: str = "") -> "pexpect.spawn[bytes]":
        rest = [*map(str, args)] if program else ["mic", *map(str, args)]
        command = program or dg_path()
        child = pexpect.spawn(
            command, rest, env=environment, cwd=str(tmp_path), dimensions=(24, 100), timeout=HANGS_AFTER  # type: ignore[arg-type]  # as documented
        )  # fmt: skip
        made.append(child)
        return child

    yield start
    for child in made:
        child.close(force=True)


def ended(child: "pexpect.spawn[bytes]") -> int | None:
    """The exit code of what ran in a terminal, or minus the signal that ended it."""
    child.expect(pexpect.EOF)
    child.wait()
    return child.exitstatus if child.signalstatus is None else -child.signalstatus


def modes(child: "pexpect.spawn[bytes]") -> int:
    """The local modes of a terminal: echo, lines..."""
    return int(termios.tcgetattr(child.child_fd)[3])


def correlation(played: Path, kept: Path) -> float:
    """How like what was played is what was kept, at the best shift: 1 for the same."""
    sound, rate = soundfile.read(played)
    recorded, kept_rate = soundfile.read(kept)
    times = numpy.arange(int(len(sound) * kept_rate / rate)) * rate / kept_rate
    reference = numpy.interp(times, numpy.arange(len(sound)), sound)
    size = 1 << (len(reference) + len(recorded)).bit_length()
    product = numpy.fft.rfft(recorded, size) * numpy.conj(numpy.fft.rfft(reference, size))
    shift = int(numpy.fft.irfft(product, size).argmax())
    overlap = recorded[shift : shift + len(reference)]
    assert len(overlap) >= 0.99 * len(reference), "all of it is there"
    return float(numpy.corrcoef(overlap, reference[: len(overlap)])[0, 1])


def test_what_is_said_is_transcribed_and_saved(spawn: Spawn, pulse: Pulse, tmp_path: Path) -> None:
    """Of a recording played into the microphone 90 % of the words come out; the saved audio is what was played."""
    text, audio = tmp_path / "notes.txt", tmp_path / "take.wav"
    child = spawn("--local", "--duration", "33", "-o", text, "--save-audio", audio)
    child.expect("Recording from default: linear16, 44100 Hz, mono")
    child.expect("listening")
    pulse.play(SAMPLE)
    child.expect("The duration asked for is over")
    assert ended(child) == 0
    reference = words(PREAMBLE.read_text())
    assert heard(reference, words(text.read_text())) >= 0.9 * len(reference)
    with wave.open(str(audio)) as kept:
        assert kept.getnframes() / kept.getframerate() == pytest.approx(33.0, abs=0.01)
    assert correlation(SAMPLE, audio) > 0.95


def test_words_are_drawn_on_the_terminal(spawn: Spawn, pulse: Pulse, listener: Listener) -> None:
    """Finals scroll up, and the status line has a meter that moves with the sound."""
    child = spawn(*listener.flags, "--api-key", "k", "--allow-http")
    child.expect("listening.* ▕ +▏ +-∞ dB".encode())
    pulse.play(SAMPLE)
    child.expect("▕█+.{0,40} -[0-9]+ dB".encode())
    child.expect("word1")
    child.send("q")
    assert ended(child) == 0
    assert listener.query["encoding"] == ["linear16"]
    assert listener.query["sample_rate"] == ["44100"]
    assert listener.query["channels"] == ["1"]
    assert listener.query["interim_results"] == ["true"]


def test_the_keys(spawn: Spawn, listener: Listener, tmp_path: Path) -> None:
    """Space pauses and resumes while KeepAlive holds the connection, f finalizes, m marks, q stops; nothing echoes."""
    out = {suffix: tmp_path / f"notes.{suffix}" for suffix in ("txt", "jsonl", "vtt", "json", "srt")}
    flags = [flag for path in out.values() for flag in ("-o", path)]
    child = spawn(*listener.flags, "--api-key", "k", "--allow-http", *flags)
    child.expect("Keys: space pauses, f finalizes, k sets key terms, m marks, q stops")
    before = modes(child)
    listener.wait_for(lambda: listener.seconds > 1.2)
    assert not modes(child) & (termios.ECHO | termios.ICANON)
    child.send("f")
    listener.wait_for(lambda: listener.kinds() == ["Finalize"])
    child.send("m")
    child.expect("Marker 1 at 00:00:0")
    child.send(" ")
    child.expect("paused.*▕   paused   ▏".encode())
    frames = len(listener.frames)
    listener.wait_for(lambda: listener.kinds().count("KeepAlive") == 2)
    assert len(listener.frames) - frames <= 2
    paused_at = listener.seconds
    child.send(" ")
    listener.wait_for(lambda: listener.seconds > paused_at + 0.5)
    child.send("M")
    child.expect("Marker 2 at")
    child.send("q")
    assert ended(child) == 0
    assert listener.kinds()[-1] == "CloseStream"
    assert before & (termios.ECHO | termios.ICANON)
    assert "[Marker 1 at 00:00:0" in out["txt"].read_text()
    assert "NOTE\nMarker 2 at 00:00:0" in out["vtt"].read_text()
    assert "Marker" not in out["srt"].read_text()
    marks = json.loads(out["json"].read_text())["metadata"]["markers"]
    assert [mark["label"].split(" at ")[0] for mark in marks] == ["Marker 1", "Marker 2"]
    assert 0 < marks[0]["start"] < marks[1]["start"] < 10
    notices = [json.loads(line) for line in out["jsonl"].read_text().splitlines()]
    kinds = [line["notice"] for line in notices if line["kind"] == "notice"]
    assert kinds == ["marker", "paused", "resumed", "marker", "stopping"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, None])
def test_the_terminal_is_restored(
    spawn: Spawn, listener: Listener, number: signal.Signals | None, pulse: Pulse
) -> None:
    """However it ends, by a signal or by a device that is gone, the terminal echoes again and shows its cursor."""
    shell = spawn(program="sh")
    before = modes(shell)
    flags = " ".join([*listener.flags, "--api-key k --allow-http --reopen 0"])
    shell.sendline(f"{dg_path()} mic {flags}; echo code=$?")
    shell.expect("listening")
    listener.wait_for(lambda: listener.seconds > 0.3)
    assert modes(shell) != before
    if number is signal.SIGINT:
        shell.sendintr()
    elif number is not None:
        pid = subprocess.run(
            ["pgrep", "-P", str(shell.pid)], capture_output=True, text=True, check=True
        ).stdout
        os.kill(int(pid), number)
    else:
        pulse.control("unload-module", "module-null-sink")
    shell.expect("code=([0-9]+)")
    assert shell.match is not None
    expected = {signal.SIGINT: 0, None: 6}  # Ctrl-C is how one ends a microphone
    assert int(shell.match[1]) == (expected[number] if number in expected else 128 + number)
    assert modes(shell) == before


def test_the_terminal_is_given_back_while_it_is_stopped(spawn: Spawn, listener: Listener) -> None:
    """After Ctrl-Z the terminal is the shell's as it was; after fg the keys work again."""
    shell = spawn("--norc", "-i", program="bash")
    flags = " ".join([*listener.flags, "--api-key k --allow-http"])
    shell.sendline(f"PS1='READY> '; stty -a > before.txt; {dg_path()} mic {flags}; stty -a > after.txt")
    listener.wait_for(lambda: listener.seconds > 0.5)
    assert not modes(shell) & termios.ECHO
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.expect("READY> ")
    shell.sendline("stty -a > stopped.txt; echo 'wrote' it")
    shell.expect("wrote it")
    shell.sendline("fg")
    before = listener.seconds
    listener.wait_for(lambda: listener.seconds > before + 0.5)
    shell.send("q")
    listener.wait_for(lambda: "CloseStream" in listener.kinds())
    shell.expect("READY> ")
    shell.sendline("stty -a > after.txt; echo 'wrote' it")
    shell.expect("wrote it")
    folder = Path(str(shell.cwd))
    texts = {name: (folder / f"{name}.txt").read_text() for name in ("before", "stopped", "after")}
    assert all(" echo " in text and " icanon " in text for text in texts.values())


def test_without_a_terminal_there_are_no_keys(
    environment: dict[str, str], pulse: Pulse, listener: Listener
) -> None:
    """With standard input from elsewhere nothing is read from it, nothing is drawn, and nothing fails."""
    child = subprocess.run(
        [dg_path(), "mic", *listener.flags, "--api-key", "k", "--allow-http", "--duration", "2.2"],
        env=environment, input=b"qqq m f", capture_output=True, timeout=HANGS_AFTER, check=False,
        start_new_session=True,
    )  # fmt: skip
    assert child.returncode == 0
    assert words(child.stdout.decode().replace("1", "").replace("2", "")) == ["word", "word"]
    assert child.stderr.decode().splitlines() == [
        "dg: Recording from default: linear16, 44100 Hz, mono.",
        "dg: The duration asked for is over.",
    ]
    assert "Finalize" in listener.kinds()


def test_tee_gets_finals_line_by_line(spawn: Spawn, listener: Listener, tmp_path: Path) -> None:
    """`dg mic | tee -i` writes each final on its line at once, survives Ctrl-C, and ends with the last words."""
    flags = " ".join([*listener.flags, "--api-key k --allow-http"])
    child = spawn(program="sh")
    child.sendline(f"{dg_path()} mic {flags} | tee -i notes.txt; echo done")
    notes = tmp_path / "notes.txt"
    listener.wait_for(lambda: listener.seconds > 2.3)
    child.expect("word2\r\n")
    assert notes.read_text().splitlines()[:2] == ["word1", "word2"]
    child.sendintr()
    child.expect(r"done\r\n")
    count = int(listener.seconds)
    assert notes.read_text().splitlines() == [f"word{number}" for number in range(1, count + 1)]


def test_a_tee_that_dies_loses_nothing(
    spawn: Spawn, listener: Listener, tmp_path: Path, environment: dict[str, str]
) -> None:
    """With plain `tee` Ctrl-C ends tee too: what comes after is on stderr and in the state folder."""
    flags = " ".join([*listener.flags, "--api-key k --allow-http"])
    child = spawn(program="sh")
    child.sendline(f"{dg_path()} mic {flags} 2> errors.txt | tee notes.txt; echo done")
    listener.wait_for(lambda: listener.seconds > 1.95)
    child.sendintr()
    child.expect(r"done\r\n")
    listener.wait_for(lambda: "CloseStream" in listener.kinds())
    count = int(listener.seconds)
    noted = (tmp_path / "notes.txt").read_text().split()
    # One line may have been in the pipe when tee died: the pipe had taken it, so nobody knows of it.
    rest = [f"word{number}" for number in range(len(noted) + 2, count + 1)]
    pause = time.monotonic() + 10
    while time.monotonic() < pause and not all(
        word in (tmp_path / "errors.txt").read_text() for word in rest
    ):
        child.expect(pexpect.TIMEOUT, timeout=0.1)
    errors = (tmp_path / "errors.txt").read_text()
    assert all(word in errors for word in rest)
    kept = [path.read_text() for path in Path(environment["HOME"]).rglob("*-live.txt")]
    assert not rest or any(all(word in text for word in rest) for text in kept)


def test_the_stop_phrase_ends_it(environment: dict[str, str]) -> None:
    """When the phrase is said, wherever finals cut it, the stream ends in good order; the phrase is printed too."""
    listener = Listener({2: "Good", 3: "bye,"})
    try:
        child = subprocess.run(
            [dg_path(), "mic", *listener.flags, "--api-key", "k", "--allow-http", "--stop-phrase", "good, BYE!"],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANGS_AFTER, check=False,
        )  # fmt: skip
    finally:
        listener.close()
    assert child.returncode == 0
    assert child.stdout.decode().splitlines()[:3] == ["word1", "Good", "bye,"]
    assert "'good, BYE!' was said." in child.stderr.decode()
    assert listener.seconds < 5


@pytest.mark.parametrize("how", ["killed", "unplugged"])
def test_a_device_that_vanishes(spawn: Spawn, pulse: Pulse, listener: Listener, how: str) -> None:
    """It is said, the socket is held with KeepAlive, and the stream goes on when the device is back."""
    child = spawn(*listener.flags, "--api-key", "k", "--allow-http", "--reopen", "40")
    listener.wait_for(lambda: listener.seconds > 1)
    if how == "killed":
        pulse.send(signal.SIGKILL)
    else:
        pulse.control("unload-module", "module-null-sink")
    child.expect("default has vanished: trying to open it again for 40 s")
    listener.wait_for(lambda: "KeepAlive" in listener.kinds())
    before = listener.seconds
    if how == "killed":
        pulse.start(SINK)
    else:
        pulse.control("load-module", *SINK.split())
    child.expect("Recording again from default")
    listener.wait_for(lambda: listener.seconds > before + 1)
    child.send("q")
    assert ended(child) == 0
    assert len(listener.query) > 1
    assert listener.kinds().count("CloseStream") == 1


def test_a_frozen_sound_system_does_not_hold_us(spawn: Spawn, pulse: Pulse, listener: Listener) -> None:
    """When the server hangs, Ctrl-C still ends the stream with its words, and the process."""
    child = spawn(*listener.flags, "--api-key", "k", "--allow-http")
    listener.wait_for(lambda: listener.seconds > 1)
    pulse.send(signal.SIGSTOP)
    began = time.monotonic()
    child.sendintr()
    assert ended(child) == 0
    assert time.monotonic() - began < 8
    assert listener.kinds()[-1] == "CloseStream"


def test_nothing_of_the_libraries_is_printed(dg: Run, pulse: Pulse) -> None:
    """What ALSA, JACK and PortAudio print is caught, and shown with -v, each line once."""
    silent = dg("devices", "--json")
    assert silent.stderr == b""
    assert {device["name"] for device in json.loads(silent.stdout)} >= {"pulse", "default"}
    loud = dg("devices", "--json", "-v").stderr.decode().splitlines()
    assert any("ALSA lib" in line for line in loud)
    assert len(loud) == len(set(loud))
    pulse.control("unload-module", "module-null-sink")
    failed = dg("mic", "-d", "pulse", "--local").stderr.decode().splitlines()
    assert failed == [
        "dg: error: pulse cannot be opened: Input/output error.",
        "dg: Others: dg devices",
    ]


def test_devices_are_listed(dg: Run, pulse: Pulse) -> None:
    """A table with index, name, host API, channels, rate and the default; the same from dg mic --list-devices."""
    table = dg("devices", "-q").stdout.decode().splitlines()
    assert table[0].split() == ["Index", "Name", "System", "Channels", "Rate"]
    assert any(re.fullmatch(r"\*? +\d+ +pulse +ALSA +32 +44100 Hz", line) for line in table)
    assert sum(line.startswith("*") for line in table) == 1
    assert dg("mic", "--list-devices", "-q").stdout.decode().splitlines() == table
    devices = json.loads(dg("mic", "--list-devices", "--json").stdout)
    assert {"index", "name", "host_api", "channels", "sample_rate", "default"} == set(devices[0])
    names = dg("devices", "--names").stdout.decode().splitlines()
    assert [line.split("\t")[0] for line in names] == [device["name"] for device in devices]


def test_without_a_device_it_is_said(dg: Run, pulse: Pulse) -> None:
    """A machine without a microphone is one message with exit code 6; a shell that completes hears nothing."""
    pulse.send(signal.SIGTERM)
    for args in (("devices",), ("mic", "--local"), ("mic", "--test")):
        result = dg(*args)
        assert (result.returncode, result.stdout) == (6, b"")
        assert b"There is no microphone on this machine." in result.stderr
    assert json.loads(dg("devices", "--json").stdout) == []
    assert dg("devices", "--names").stdout == b""


def test_without_portaudio_the_command_to_install_it_is_said(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Where the library cannot be loaded, one message names the command for three systems; exit code 6."""
    hidden = (
        "import ctypes.util\n"
        "ctypes.util.find_library = lambda name: None\n"
        "from dgcli.__main__ import main\n"
        "import sys\n"
        "sys.argv = ['dg', 'mic', '--local']\n"
        "main()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", hidden], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 6
    error, hint = result.stderr.splitlines()
    assert error == "dg: error: PortAudio, which reads microphones, is not installed."
    for part in ("apt install libportaudio2", "dnf install portaudio", "brew install portaudio"):
        assert part in hint


def test_a_test_judges_the_microphone(dg: Run, pulse: Pulse) -> None:
    """--test records five seconds, sends nothing, and tells peak, RMS, noise floor, clipping, losses and advice."""
    silent = dg("mic", "--test", "--duration", "1")
    assert (silent.returncode, silent.stderr) == (0, b"")
    assert b"There is no signal" in silent.stdout
    pulse.play(SAMPLE)
    began = time.monotonic()
    judgement = json.loads(dg("mic", "--test", "--json", "--device", "puls").stdout)
    assert time.monotonic() - began > 5
    assert (judgement["device"], judgement["seconds"], judgement["lost_blocks"]) == ("pulse", 5.0, 0)
    assert -15 < judgement["peak_dbfs"] <= 0
    assert -35 < judgement["rms_dbfs"] < -10
    assert judgement["noise_floor_dbfs"] < judgement["rms_dbfs"] - 10
    assert judgement["clipped_samples"] == 0
    loud = dg("mic", "--test", "--duration", "1").stdout.decode()
    for part in ("Peak  ", "RMS  ", "Noise floor  ", "Clipping     none", "Lost         none", "Advice  "):
        assert part in loud


def test_rates_and_channels_reach_the_query(dg: Run, listener: Listener) -> None:
    """--resample, --channels with --multichannel and --block are what is sent, and what is kept."""
    result = dg(
        "mic", *listener.flags, "--api-key", "k", "--allow-http", "--duration", "1", "--resample", "16000",
        "--channels", "2", "--multichannel", "--block", "50", "--save-audio", "take.wav",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (listener.query["sample_rate"], listener.query["channels"]) == (["16000"], ["2"])
    assert listener.query["multichannel"] == ["true"]
    assert listener.seconds == pytest.approx(1.0)
    sizes = [size for _, size in listener.frames]
    assert max(sizes) <= 0.25 * 64000
    assert min(sizes[:-1]) >= 0.02 * 64000


def test_standard_input_is_assumed_to_be_speech(dg: Run, listener: Listener) -> None:
    """`dg mic -` takes linear16 at 16 kHz, mono, says so on stderr, and believes a WAV header."""
    flags = (*listener.flags, "--api-key", "k", "--allow-http")
    result = dg("mic", "-", *flags, stdin=bytes(64000))
    assert result.stdout.decode().split() == ["word1", "word2"]
    assert "taken for linear16, 16000 Hz, mono" in result.stderr.decode()
    assert bytes(listener.audio) == bytes(64000)
    assert (listener.query["sample_rate"], listener.query["channels"]) == (["16000"], ["1"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("talk.wav",), "takes no SOURCE but -"),
        (("-", "--device", "x"), "With - there is no microphone"),
        (("--json",), "--json goes with"),
        (("--block", "10"), "--block takes 20 to 250"),
        (("--resample", "5"), "--resample takes a sample rate"),
        (("--reopen", "-1"), "--reopen takes 0 or more"),
        (("--stop-phrase", "..."), "at least one word"),
        (("--encoding", "flac", "--sample-rate", "16000"), "sent as linear16"),
        (("--multichannel",), "How many channels?"),
        (("--device", "u"), "fits several microphones"),
        (("--device", "nothing"), "There is no microphone 'nothing'"),
    ],
)
def test_invalid_flags_are_refused(dg: Run, args: tuple[str, ...], message: str) -> None:
    """Values and combinations without a meaning end with exit code 2 and a sentence."""
    result = dg("mic", "--local", *args)
    assert (result.returncode, result.stdout) == (2, b"")
    assert message in result.stderr.decode()


def test_blocks_go_out_as_they_come(dg: Run, listener: Listener) -> None:
    """Frames are whole blocks of 100 ms, most of them one: tests/live/test_streamer.py has that none waits."""
    dg("mic", *listener.flags, "--api-key", "k", "--allow-http", "--duration", "2")
    sizes = [size for _, size in listener.frames]
    assert {size % 8820 for size in sizes} == {0}
    # A machine that is busy may give the sender two blocks at once now and then; who waits for two gives half as many.
    assert len(sizes) > sum(sizes) / 8820 / 2
