"""A stream collected for formats that are written as a whole."""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from dgcli.sinks.about import About, dumps
from dgcli.transcript.events import Event
from dgcli.transcript.utterances import Utterance, Utterances, utterance_object


class WordSpool:
    """The utterances of a stream, packed, in memory: a megabyte or so an hour, and no file that could stay behind."""

    def __init__(self) -> None:
        self._about = About()
        self._utterances = Utterances()
        self._packer = zlib.compressobj(1)
        self._packed: list[bytes] = []

    @property
    def channels(self) -> int:
        """The number of channels, as far as it is known."""
        return self._about.channels

    def _kept(self, ended: list[Utterance]) -> list[Utterance]:
        for utterance in ended:
            line = dumps(utterance_object(utterance)).encode("utf-8", "surrogatepass")
            if packed := self._packer.compress(line + b"\n"):
                self._packed.append(packed)
        return ended

    def take(self, event: Event) -> list[Utterance]:
        """Take the next event; return the utterances that ended with it."""
        self._about.take(event)
        return self._kept(self._utterances.take(event))

    def tick(self, now: float) -> list[Utterance]:
        """Act on the time (monotonic seconds); return the utterances that ended."""
        return self._kept(self._utterances.tick(now))

    def finish(self) -> list[Utterance]:
        """End everything that is open; return it."""
        return self._kept(self._utterances.finish())

    def running(self) -> list[Utterance]:
        """Return the utterances that are open, as they stand."""
        open_ones = map(self._utterances.running, self._utterances.running_channels)
        return [utterance for utterance in open_ones if utterance is not None]

    def _stored(self) -> Iterator[Mapping[str, Any]]:
        rest = self._packer.copy().flush()
        for line in zlib.decompress(b"".join([*self._packed, rest])).splitlines():
            yield json.loads(line.decode("utf-8", "surrogatepass"))
        for utterance in self.running():
            yield utterance_object(utterance)

    def response(self) -> Mapping[str, Any]:
        """The stream so far in the shape of a response; `parse` fills the channels from the utterances."""
        empty = {"alternatives": [{"transcript": "", "confidence": 0.0, "words": []}]}
        return {
            "metadata": self._about.metadata,
            "results": {"channels": [empty] * self.channels, "utterances": list(self._stored())},
        }
