"""Statistics of a stream: counted from its events, in memory that does not grow with its length."""

import math
from array import array
from dataclasses import dataclass

from dgcli.transcript.events import Event, Final, Interim, Notice, NoticeKind, Opened

_BIN = 0.01  # seconds
_BINS = 6000  # up to a minute; longer ones count as that, but for `max`
_KEPT = 1000  # request ids and gaps that are remembered, the newest


@dataclass(frozen=True, slots=True)
class Latency:
    """Audio cursor minus transcript cursor of each interim, in seconds; p50 and p95 to 10 ms.

    Source of the measure: Deepgram reference, "Measuring Streaming Latency".
    """

    count: int
    min: float
    mean: float
    p50: float
    p95: float
    max: float


@dataclass(frozen=True, slots=True)
class StreamStats:
    """Counts of what was sent and received."""

    audio_seconds: float
    words: int
    connections: int
    request_ids: tuple[str, ...]
    gaps: tuple[tuple[float, float], ...]
    latency: Latency | None


class _Histogram:
    def __init__(self) -> None:
        self._bins = array("Q", bytes(8 * (_BINS + 1)))
        self._count = 0
        self._sum = 0.0
        self._min = math.inf
        self._max = -math.inf

    def add(self, seconds: float) -> None:
        self._bins[min(_BINS, max(0, round(seconds / _BIN)))] += 1
        self._count += 1
        self._sum += seconds
        self._min = min(self._min, seconds)
        self._max = max(self._max, seconds)

    def _quantile(self, share: float) -> float:
        rank, seen = math.ceil(share * self._count), 0
        for index, count in enumerate(self._bins):
            seen += count
            if seen >= rank:
                return min(max(index * _BIN, self._min), self._max)
        return self._max

    def summary(self) -> Latency | None:
        if not self._count:
            return None
        mean = self._sum / self._count
        return Latency(self._count, self._min, mean, self._quantile(0.5), self._quantile(0.95), self._max)


class Counter:
    """Counts the events of a stream as they pass."""

    def __init__(self) -> None:
        self._words = 0
        self.connections = 0
        self._request_ids: list[str] = []
        self._gaps: list[tuple[float, float]] = []
        self._latency = _Histogram()

    def count(self, event: Event) -> None:
        """Count an event."""
        match event:
            case Interim():
                self._latency.add(event.audio_cursor - event.end)
            case Final():
                self._words += len(event.words)
            case Opened():
                self.connections = event.connection
                self._request_ids = [*self._request_ids[1 - _KEPT :], event.request_id]
            case Notice(kind=NoticeKind.GAP, start=float(start), end=float(end)):
                self._gaps = [*self._gaps[1 - _KEPT :], (start, end)]

    def stats(self, audio_seconds: float) -> StreamStats:
        """Return the counts so far."""
        return StreamStats(
            audio_seconds=audio_seconds,
            words=self._words,
            connections=self.connections,
            request_ids=tuple(filter(None, self._request_ids)),
            gaps=tuple(self._gaps),
            latency=self._latency.summary(),
        )


_SHOWN = 20  # request ids and gaps; of more, the newest


def _listed(entries: list[str]) -> str:
    text = ", ".join(entries[-_SHOWN:])
    return f"{text} (and {len(entries) - _SHOWN} before)" if len(entries) > _SHOWN else text


def report(stats: StreamStats) -> list[str]:
    """Lines for stderr. Latency is measured as the reference does: audio cursor minus transcript cursor."""
    lines = [
        f"Audio sent: {stats.audio_seconds:.3f} s",
        f"Words: {stats.words}",
        f"Connections: {stats.connections}",
        f"Request ids: {_listed(list(stats.request_ids)) or 'none'}",
        f"Gaps: {_listed([f'{start:.3f} - {end:.3f}' for start, end in stats.gaps]) or 'none'}",
    ]
    latency = stats.latency
    if latency is None:
        return [*lines, "Latency: not measured (no interim results)"]
    figures = [("min", latency.min), ("mean", latency.mean), ("p50", latency.p50), ("p95", latency.p95)]
    figures.append(("max", latency.max))
    text = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in figures)
    return [*lines, f"Latency: {text} ({latency.count} interims)"]
