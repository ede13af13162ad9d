"""A source as Flux takes it: one channel, one of a few sample rates, or one of a few containers.

Source: Deepgram reference, "Turn-based Audio (Flux)".
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dgcli.audio.base import AudioFormat, Source
from dgcli.audio.convert import Converter
from dgcli.errors import AudioError
from dgcli.params import RATES_FLUX

if TYPE_CHECKING:
    from dgcli.transcript.events import Notice

_CONTAINERS = (".wav", ".ogg", ".oga", ".opus", ".webm")
_ADVISED = 16000  # Hz
_PIPE = "ffmpeg -i FILE -f wav -ac 1 -ar 16000 - | dg live - --model flux-general-en"


class FluxSource:
    """Wraps a source: linear16 is mixed to one channel, and resampled to 16 kHz where Flux does not take its rate."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._converter: Converter | None = None
        self.name = source.name
        self.pace = source.pace
        self.duration = source.duration

    def open(self) -> AudioFormat:
        """Open the source. Raises `AudioError` for audio that can be neither sent nor converted."""
        audio = self._source.open()
        self.name, self.duration = self._source.name, self._source.duration  # known only now, of some
        if audio.encoding is None:
            if audio.suffix.lower() not in _CONTAINERS:
                raise AudioError(
                    f"Flux takes WAV, Ogg Opus and WebM, not {audio.suffix}.", hint=f"Convert it: {_PIPE}"
                )
            return audio
        rate = audio.sample_rate or _ADVISED
        target = rate if rate in RATES_FLUX else _ADVISED
        if audio.channels == 1 and target == rate:
            return audio
        if audio.encoding != "linear16":
            what = f"{audio.channels} channels" if audio.channels > 1 else f"{rate} Hz"
            raise AudioError(
                f"Flux takes one channel at {', '.join(map(str, RATES_FLUX))} Hz, not {audio.encoding} of {what}.",
                hint=f"Convert it: {_PIPE}",
            )
        self._converter = Converter(audio.channels, 1, rate, target)
        return replace(audio, channels=1, sample_rate=target)

    def blocks(self) -> "Iterator[bytes | Notice]":
        """The audio, in order."""
        converter = self._converter
        if converter is None:
            yield from self._source.blocks()
            return
        for block in self._source.blocks():
            if not isinstance(block, bytes):
                yield block
            elif converted := converter.convert(block):
                yield converted
        if rest := converter.finish():
            yield rest

    def stop(self) -> None:
        """End `blocks` soon."""
        self._source.stop()
