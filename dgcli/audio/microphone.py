"""The microphone as a source of live audio."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty
from typing import Any

from dgcli.audio.base import BLOCK_SECONDS, AudioFormat, Pace
from dgcli.audio.capture import Capture
from dgcli.audio.convert import Converter
from dgcli.audio.devices import Device, choose
from dgcli.audio.levels import Level, SignalWatch, measure
from dgcli.audio.portaudio import PortAudio, no_device
from dgcli.errors import AudioError
from dgcli.transcript.events import Notice, NoticeKind

_CLOSE_SECONDS = 2.0
_FIRST_SECONDS = 5.0  # for the first block: a headset may have to be woken
_STALLED_SECONDS = 2.5  # without another: where unplugging is not told (Core Audio), this tells
_TRY_SECONDS = 0.5  # between two tries to open a device again
_REPORT_SECONDS = 5.0  # between two reports of lost blocks
_ROOM_SECONDS = 20.0  # of audio between the callback and the source's thread


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSettings:
    """Capture options. `device` is an index or part of a name; rates are in Hz, times in seconds.

    `channels` None takes one, or as few as the device has, mixed to one. Without `sample_rate` the device's
    own is taken; `resample` converts to another one.
    """

    device: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    resample: int | None = None
    block: float = BLOCK_SECONDS
    reopen: float = 30.0


class Microphone:
    """Records from an input device as linear16.

    `level` is how loud the last block was. `lost` counts blocks that were dropped and overflows that PortAudio
    reported; `room` is how many seconds of audio may wait. While `muted`, nothing is said about the signal.
    With `native_stderr`, lines that libraries printed become notices.
    """

    pace = Pace.FREE
    duration: float | None = None

    def __init__(
        self,
        settings: CaptureSettings,
        *,
        portaudio: PortAudio | None = None,
        native_stderr: Callable[[], list[str]] | None = None,
        room: float = _ROOM_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = settings.device or "the microphone"
        self.level = Level()
        self.muted = False
        self._settings = settings
        self._portaudio = portaudio or PortAudio(verbose=native_stderr is not None)
        self._native_stderr = native_stderr
        self._clock = clock
        self._room = room
        self._capture = self._empty()
        self._lost_before = 0  # by the captures before
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # of the next two
        self._stream: Any = None
        self._is_taken = False  # by `blocks`, which closes the stream
        self._device: Device | None = None
        self._rate = 0  # at which the device records
        self._opened_channels = 0
        self._converter: Converter | None = None
        self._watch = SignalWatch(self.name)
        self._told_losses = 0
        self._may_tell = 0.0

    def _empty(self) -> Capture:
        return Capture(round(self._room / self._settings.block))

    @property
    def lost(self) -> int:
        """The number of times audio was lost on its way from the device."""
        return self._lost_before + self._capture.losses

    @property
    def device(self) -> Device:
        """The device, once `open` has found it."""
        assert self._device is not None, "known when it is open"
        return self._device

    def _open(self, device: Device, rate: int) -> None:
        """Open a device with as many channels as were asked for; else with the fewest that it takes."""
        settings = self._settings
        channels = settings.channels
        counts = [channels] if channels is not None else range(1, device.channels + 1)
        stream, count = self._portaudio.open(device, rate, counts, settings.block, self._capture)
        with self._lock:
            self._stream = stream
        self._device, self._rate, self._opened_channels = device, rate, count

    def open(self) -> AudioFormat:
        """Find the device and begin to record. Raises `AudioError`, and `UsageError` for a name that fits none."""
        settings = self._settings
        devices = self._portaudio.devices()
        if not devices:
            raise no_device()
        device = choose(devices, settings.device)
        self.name = device.name
        self._watch = SignalWatch(device.name)
        self._open(device, settings.sample_rate or device.sample_rate)
        sent = settings.channels or 1
        rate = settings.resample or self._rate
        self._converter = Converter(self._opened_channels, sent, self._rate, rate)
        return AudioFormat("linear16", rate, sent, ".wav")

    def _close(self, *, gently: bool = False) -> None:
        """Close the stream; `gently` lets the block that is being recorded come first."""
        with self._lock:
            stream, self._stream = self._stream, None
        if stream is None:
            return

        def close() -> None:
            (stream.stop if gently else stream.abort)()
            stream.close()

        with suppress(AudioError):  # it hangs: there is nothing more to do about it
            self._portaudio.call(close, _CLOSE_SECONDS)

    def _remarks(self, block: bytes) -> Iterator[Notice]:
        """Return the notices due after a block."""
        level = self.level = measure(block)
        seconds = len(block) / (2 * self._opened_channels * self._rate)
        warning = None if self.muted else self._watch.take(level, seconds)
        if warning:
            yield Notice(NoticeKind.SIGNAL, warning)
        yield from self._report()

    def _report(self, *, last: bool = False) -> Iterator[Notice]:
        """Yield notices of new losses and of what libraries printed."""
        losses = self.lost
        if losses > self._told_losses and (last or self._clock() >= self._may_tell):
            self._may_tell = self._clock() + _REPORT_SECONDS
            more, self._told_losses = losses - self._told_losses, losses
            message = (
                f"Audio of {self.name} was lost {more} time{'s' if more > 1 else ''}: the machine is busy."
            )
            yield Notice(NoticeKind.OVERFLOW, message)
        for line in self._native_stderr() if self._native_stderr is not None else ():
            yield Notice(NoticeKind.SOURCE, line)

    def _recorded(self) -> Iterator[bytes]:
        """Yield blocks until the stream stops by itself, gives nothing more, or is to be stopped."""
        asked = False
        timeout = _FIRST_SECONDS
        while True:
            if self._stopping.is_set() and not asked:
                asked = True
                timeout = _TRY_SECONDS
                self._close(gently=True)
            try:
                block = self._capture.take(timeout)
            except Empty:
                return
            if block is None:
                return
            if block:
                yield block
                timeout = min(timeout, _STALLED_SECONDS)

    def _vanished(self) -> Iterator[Notice]:
        """The device is gone. Raises `AudioError` if that is the end."""
        self.level = Level()
        seconds = self._settings.reopen
        if seconds <= 0:
            raise AudioError(f"{self.name} has vanished.")
        message = f"{self.name} has vanished: trying to open it again for {seconds:g} s."
        yield Notice(NoticeKind.SOURCE, message)

    def _reopened(self, until: float) -> Iterator[Notice]:
        """Open the device again, when it is back. Raises `AudioError` when it is not by then."""
        gone = self.device
        self._close()
        # The old one may still be told things, by a stream that hangs.
        self._lost_before += self._capture.losses
        self._capture = self._empty()
        while not self._stopping.wait(_TRY_SECONDS):
            if self._again(gone):
                return
            yield from self._report()
            if self._clock() >= until:
                seconds = f"{self._settings.reopen:g} s"
                raise AudioError(f"{gone.name} has vanished and did not come back in {seconds}.")

    def _again(self, gone: Device) -> bool:
        """Try once to open the device, or the default one where none was named."""
        before = self._opened_channels
        try:
            devices = self._portaudio.devices(anew=True)
            same = [entry for entry in devices if (entry.name, entry.host_api) == (gone.name, gone.host_api)]
            if self._settings.device is None:
                same += [entry for entry in devices if entry.is_default]
            if not same:
                return False
            device = same[0]
            self._open(device, self._rate)
        except AudioError:
            return False
        if self._opened_channels != before:
            assert self._converter is not None, "made when it was opened first"
            self._converter.remix(self._opened_channels)
        self.name = device.name
        self._watch = SignalWatch(device.name)
        return True

    def blocks(self) -> Iterator[bytes | Notice]:
        """Yield the recorded blocks and notices. Raises `AudioError` when the device is gone for good."""
        assert self._converter is not None, "it is open"
        with self._lock:
            self._is_taken = True
        gone: float | None = None  # since when there is no sound
        try:
            while True:
                for block in self._recorded():
                    if gone is not None:
                        gone = None
                        yield Notice(NoticeKind.SOURCE, f"Recording again from {self.name}.")
                    if sound := self._converter.convert(block):
                        yield sound
                    yield from self._remarks(block)
                if self._stopping.is_set():
                    break
                if gone is None:
                    gone = self._clock()
                    yield from self._vanished()
                yield from self._reopened(gone + self._settings.reopen)
            if rest := self._converter.finish():
                yield rest
            yield from self._report(last=True)
        finally:
            self._close()

    def stop(self) -> None:
        """End `blocks` soon, with what was captured."""
        self._stopping.set()
        self._capture.wake()
        with self._lock:
            is_taken, self._is_taken = self._is_taken, True
        if not is_taken:
            self._close()
