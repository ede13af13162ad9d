"""PortAudio: its microphones, and streams that record from them. Nothing else imports sounddevice.

All calls of PortAudio are made on one thread, as some of its back ends want, and with a deadline: a sound
server that hangs must not take Ctrl-C with it.
Source of the error codes: portaudio.h, `PaErrorCode`.
"""

import atexit
import errno
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, TypeVar

from dgcli.audio.capture import Capture
from dgcli.audio.devices import Device
from dgcli.audio.worker import CallThread, Stuck
from dgcli.errors import AudioError
from dgcli.system import no_microphone_hint

T = TypeVar("T")

_INVALID_CHANNELS, _INVALID_RATE, _FORMAT_NOT_SUPPORTED = -9998, -9997, -9994
_DEVICE_UNAVAILABLE = -9985

_THREAD = "dgcli-portaudio"
_ANSWER_SECONDS = 15.0  # for PortAudio to find devices and open one

_INSTALL = (
    "Debian and Ubuntu: sudo apt install libportaudio2   Fedora: sudo dnf install portaudio   "
    "macOS: brew install portaudio"
)


def _loaded() -> ModuleType:
    """Import sounddevice, which loads and initialises PortAudio. Raises `AudioError`."""
    try:
        import sounddevice
    except OSError as error:  # no library to load
        raise AudioError("PortAudio, which reads microphones, is not installed.", hint=_INSTALL) from error
    except ImportError as error:
        from dgcli.extras import install_command

        raise AudioError(
            f"The package sounddevice cannot be loaded: {error}.", hint=f"Install it: {install_command()}"
        ) from error
    except Exception as error:
        if type(error).__name__ != "PortAudioError":  # the module that has it is not there
            raise
        raise AudioError(f"PortAudio does not start: {error}.") from error
    library: ModuleType = sounddevice
    # When Python ends sounddevice would close PortAudio, and wait for ever where the sound system hangs; the
    # system takes everything back from a process that ends, without asking it.
    atexit.unregister(library._exit_handler)
    return library


def _begin(*, loudly: bool) -> None:
    """Initialise PortAudio. sounddevice hides what is printed meanwhile, unless somebody wants to read it."""
    library = _loaded()
    if loudly:
        library._lib.Pa_Initialize()
    try:
        library._initialize()
    except library.PortAudioError as error:
        raise AudioError(f"PortAudio does not start: {error}.") from error
    finally:
        if loudly:
            library._lib.Pa_Terminate()  # one of the two


def _devices() -> tuple[Device, ...]:
    """All input devices, as PortAudio found them when it was initialised."""
    library = _loaded()
    apis = library.query_hostapis()
    default = library.default.device[0]
    return tuple(
        Device(
            index=entry["index"],
            name=entry["name"],
            host_api=apis[entry["hostapi"]]["name"],
            channels=entry["max_input_channels"],
            sample_rate=round(entry["default_samplerate"]),
            is_default=entry["index"] == default,
        )
        for entry in library.query_devices()
        if entry["max_input_channels"] > 0
    )


def no_device() -> AudioError:
    """Return the error for a machine without input devices."""
    return AudioError("There is no microphone on this machine.", hint=no_microphone_hint())


def _code(error: Exception) -> object:
    return error.args[1] if len(error.args) > 1 else None


def explain(error: Exception, device: Device, rate: int, channels: int) -> AudioError:
    """Map PortAudio's refusal of a device to an `AudioError`."""
    code = _code(error)
    host = error.args[2] if len(error.args) > 2 else (None, None, "")
    if code == _DEVICE_UNAVAILABLE or host[1] == -errno.EBUSY:
        return AudioError(
            f"{device.name} is busy, or was just unplugged.",
            hint="Close the program that records from it, or choose another one: dg devices",
        )
    if code == _INVALID_RATE:
        return AudioError(
            f"{device.name} does not record at {rate} Hz.",
            hint=f"Its own rate is {device.sample_rate} Hz; --resample {rate} converts from that.",
        )
    if code in (_INVALID_CHANNELS, _FORMAT_NOT_SUPPORTED):
        return AudioError(
            f"{device.name} does not record {channels} channel{'s' if channels > 1 else ''}.",
            hint=f"It has {device.channels}: --channels",
        )
    text = str(host[2] or error.args[0]).rstrip(".")
    return AudioError(f"{device.name} cannot be opened: {text}.", hint="Others: dg devices")


class PortAudio:
    """PortAudio on its own thread. `verbose` lets it print. Every method raises `AudioError`.

    A call that hangs is left behind with its thread: libpulse, for one, may deadlock when its server is killed.
    PortAudio cannot be closed any more then; but it can still open streams on the devices that it knows.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._worker = CallThread(_THREAD)
        self._verbose = verbose
        self._running = False
        self._hung = False
        self._known: tuple[Device, ...] = ()

    def call(self, act: Callable[[], T], seconds: float = _ANSWER_SECONDS) -> T:
        """Make a call on PortAudio's thread."""
        try:
            return self._worker.call(act, seconds)
        except Stuck:
            raise AudioError(
                "The sound system of this machine does not answer.",
                hint="Restart it; on most Linux desktops: systemctl --user restart pipewire pulseaudio",
            ) from None
        finally:
            if self._worker.stuck:
                self._worker = CallThread(_THREAD)
                self._hung = True

    def _start(self, *, anew: bool) -> None:
        if not self._running:
            _loaded()  # which initialises it as well
            self._running = True
            anew = self._verbose
        if anew:
            self._running = False
            _loaded()._terminate()
            _begin(loudly=self._verbose)
            self._running = True

    def devices(self, *, anew: bool = False) -> tuple[Device, ...]:
        """The input devices there are.

        They are looked for once; with `anew` once more. All streams must be closed then, and devices may get
        other numbers.
        """

        def look() -> tuple[Device, ...]:
            self._start(anew=anew)
            return _devices()

        if not self._hung:
            self._known = self.call(look)
        return self._known

    def open(
        self, device: Device, rate: int, channels: Sequence[int], block: float, capture: Capture
    ) -> tuple[Any, int]:
        """Open and start a recording stream with the first of these numbers of channels that the device takes.

        Blocks of so many seconds of linear16 go to `capture`.
        """

        def start(count: int) -> Any:
            library = _loaded()
            stream = library.RawInputStream(
                device=device.index,
                samplerate=rate,
                channels=count,
                dtype="int16",
                blocksize=round(rate * block),
                latency="high",  # what is heard may wait; what is lost does not come back
                callback=capture.callback,
                finished_callback=capture.finished,
            )
            try:
                stream.start()
            except library.PortAudioError:
                stream.close()
                raise
            return stream

        def try_each() -> tuple[Any, int]:
            refusal: AudioError | None = None
            for count in channels:
                try:
                    return start(count), count
                except _loaded().PortAudioError as error:
                    refusal = refusal or explain(error, device, rate, count)
                    if _code(error) not in (_INVALID_CHANNELS, _FORMAT_NOT_SUPPORTED):
                        raise refusal from error
            raise refusal or no_device()

        return self.call(try_each)


def devices(*, verbose: bool = False) -> tuple[Device, ...]:
    """The input devices of this machine. Raises `AudioError`."""
    return PortAudio(verbose=verbose).devices()
