"""The report of --stats."""

from dgcli.live.stats import Latency, StreamStats, report


def test_the_report_names_everything() -> None:
    """Audio, words, connections, request ids, gaps and the five figures of latency, in seconds."""
    latency = Latency(12, 0.1, 0.2, 0.2, 0.35, 0.4)
    text = "\n".join(report(StreamStats(61.5, 120, 2, ("a", "b"), ((1.0, 2.5),), latency)))
    assert text.splitlines() == [
        "Audio sent: 61.500 s",
        "Words: 120",
        "Connections: 2",
        "Request ids: a, b",
        "Gaps: 1.000 - 2.500",
        "Latency: min 0.100 s, mean 0.200 s, p50 0.200 s, p95 0.350 s, max 0.400 s (12 interims)",
    ]


def test_what_was_not_measured_is_said() -> None:
    """Without interims there is no latency; of very many connections the newest are listed."""
    ids = tuple(f"id{number}" for number in range(100))
    lines = report(StreamStats(1.0, 0, 100, ids, (), None))
    assert lines[-1] == "Latency: not measured (no interim results)"
    assert "id99 (and 80 before)" in lines[3]
    assert lines[4] == "Gaps: none"
