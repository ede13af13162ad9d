"""Conversion of recorded audio for sending: channels mixed, and resampled where asked for."""

from array import array
from operator import add
from typing import Any

from dgcli.audio.decode import install_hint
from dgcli.errors import UsageError


def mix(block: bytes, channels: int) -> bytes:
    """Interleaved linear16 of several channels as one: their mean."""
    if channels == 1:
        return block
    samples = array("h", block)
    total: Any = samples[0::channels]
    for channel in range(1, channels):
        total = list(map(add, total, samples[channel::channels]))
    return array("h", [value // channels for value in total]).tobytes()


class Converter:
    """Turns blocks of linear16 of `recorded` channels into `sent` (one, or as many) at another rate (Hz).

    Raises `UsageError` if another rate is wanted and soxr is not installed.
    """

    def __init__(self, recorded: int, sent: int, rate: int, target_rate: int) -> None:
        self._sent = sent
        self._recorded = recorded
        self._resampler: Any = None
        if target_rate != rate:
            try:
                import soxr
            except ImportError as error:
                raise UsageError(
                    "Another sample rate needs soxr, which is not installed.", hint=install_hint()
                ) from error
            self._resampler = soxr.ResampleStream(rate, target_rate, sent, dtype="int16")

    def remix(self, recorded: int) -> None:
        """Change the number of recorded channels."""
        self._recorded = recorded

    def _resampled(self, block: bytes, *, last: bool = False) -> bytes:
        import numpy

        samples = numpy.frombuffer(block, dtype=numpy.int16)
        if self._sent > 1:
            samples = samples.reshape(-1, self._sent)
        resampled: bytes = self._resampler.resample_chunk(samples, last=last).tobytes()
        return resampled

    def convert(self, block: bytes) -> bytes:
        """Convert a block; the result may be empty and come with a later block."""
        if self._recorded != self._sent:
            block = mix(block, self._recorded)
        return block if self._resampler is None else self._resampled(block)

    def finish(self) -> bytes:
        """Return what was still held back."""
        return b"" if self._resampler is None else self._resampled(b"", last=True)
