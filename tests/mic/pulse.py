"""A real sound system for tests: PulseAudio as a process of our own, with a sink whose monitor is the microphone."""

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

from tests.conftest import HANGS_AFTER

# No rewinding: otherwise a sink that was idle gives its monitor the first sound two seconds late.
SINK = "module-null-sink sink_name=mic rate=16000 channels=1 norewinds=1"
NEEDED = ("pulseaudio", "paplay", "pactl")


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


class Pulse:
    """PulseAudio under a folder of its own. `env` is what programs need to talk to it."""

    def __init__(self, folder: Path) -> None:
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700, parents=True)
        (folder / "home").mkdir()
        client = folder / "client.conf"
        client.write_text("autospawn = no\n")  # what we end stays ended
        self.env = {
            "XDG_RUNTIME_DIR": str(runtime),
            "HOME": str(folder / "home"),
            "PULSE_CLIENTCONFIG": str(client),
        }
        self._log = folder / "pulse.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.env}

    def control(self, *args: str) -> str:
        """What `pactl` says; raises if it cannot do it."""
        return subprocess.run(
            ["pactl", *args],
            env=self._environment(),
            capture_output=True,
            check=True,
            text=True,
            timeout=HANGS_AFTER,
        ).stdout

    def start(self, *modules: str) -> None:
        """Start it, with a microphone; it answers when this returns."""
        loads = [part for module in ("module-native-protocol-unix", *modules) for part in ("-L", module)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *loads],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        pause = threading.Event()
        for _ in range(200):
            try:
                self.control("info")
            except subprocess.CalledProcessError:
                assert self._process.poll() is None, self._log.read_text()
                pause.wait(0.05)
            else:
                return
        raise TimeoutError(self._log.read_text())

    def send(self, number: signal.Signals) -> None:
        """A signal for PulseAudio: SIGSTOP freezes it, SIGKILL takes all microphones away."""
        assert self._process is not None, "started"
        self._process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._process.wait(10)
            self._process = None

    def play(self, audio: Path, *options: str) -> "subprocess.Popen[bytes]":
        """Begin to play a file into the microphone."""
        player = subprocess.Popen(["paplay", *options, str(audio)], env=self._environment())
        self._players.append(player)
        return player

    def stop(self) -> None:
        """End it and what plays."""
        for player in self._players:
            if player.poll() is None:
                player.kill()
            player.wait(10)
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self.send(signal.SIGTERM)
