"""`--stats`: what a stream came to, in a few lines."""

from dgcli.live.stats import StreamStats

_SHOWN = 20  # request ids and gaps; of more, the newest


def _listed(found: list[str]) -> str:
    shown = ", ".join(found[-_SHOWN:])
    return f"{shown} (and {len(found) - _SHOWN} before)" if len(found) > _SHOWN else shown


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
