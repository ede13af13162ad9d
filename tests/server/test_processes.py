"""The server's processes, each spoken to over its pipes: what it answers, and that it ends with them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from dgcli.server.engines import decoder, live_audio, recogniser
from dgcli.server.engines.base import Audio, LiveAudio
from dgcli.server.engines.decoding import DecodeOptions
from dgcli.server.engines.messages import read_message, write_message
from dgcli.server.engines.process import Process
from dgcli.server.models import LocalModel
from tests.conftest import HANGS_AFTER, SAMPLE
from tests.server.test_recogniser import SPOKEN, speech

Message = tuple[dict[str, Any], bytes]


class Talk:
    """One process, what it is told and what it answers."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._answers: SimpleQueue[Message | None] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Take answers as they come, so that no pipe is full."""
        with suppress(OSError, ValueError):  # closed by the test
            while (message := read_message(self._process.stdout)) is not None:
                self._answers.put(message)
        self._answers.put(None)

    def say(self, header: dict[str, Any], payload: bytes = b"") -> None:
        """Tell it something."""
        write_message(self._process.stdin, header, payload)

    def ask(self, header: dict[str, Any], payload: bytes = b"") -> dict[str, Any]:
        """Tell it something and return the next answer."""
        self.say(header, payload)
        answer = self._answers.get(timeout=HANGS_AFTER)
        assert answer is not None
        return answer[0]

    def rest(self) -> list[Message]:
        """Close what it reads, and return what it still says until it has ended, well."""
        self._process.stdin.close()
        messages = []
        while (message := self._answers.get(timeout=HANGS_AFTER)) is not None:
            messages.append(message)
        assert self._process._process.wait(HANGS_AFTER) == 0
        return messages


@contextmanager
def talk(module: str, **environment: str) -> Iterator[Talk]:
    """A process of the server."""
    process = Process(module, **environment)
    try:
        yield Talk(process)
    finally:
        process.close()


def test_the_recogniser_answers_and_ends_with_its_pipe(tiny: LocalModel, tmp_path: Path) -> None:
    """It decodes and aligns with any options, tells what cannot be done and goes on, and ends when nobody speaks."""
    model = {"model": str(tiny.path)}

    def options(**fields: object) -> dict[str, Any]:
        return {**model, "op": "decode", "id": 1, "options": asdict(DecodeOptions(**fields))}  # type: ignore[arg-type]

    def text(answer: dict[str, Any]) -> set[str]:
        return {word[0] for word in answer["words"]}

    with talk(recogniser.MODULE, DG_WORKERS="1", DG_THREADS="2") as process:
        process.say({"op": "load", "model": str(tmp_path)})  # told to whoever asks for it
        missing = process.ask({**options(), "model": str(tmp_path)}, speech(1.0))
        assert "FileNotFoundError" in missing["error"]
        process.say({"op": "load", **model})
        for chosen in (
            options(beam=5),
            options(hotwords=["Union"], prompt="We the people"),
            options(word_times=False),
        ):
            assert set(SPOKEN) - text(process.ask(chosen, speech())) <= {"we", "union"}
        assert len(process.ask(options(max_new_tokens=4), speech())["words"]) <= 4
        silence = np.zeros(16000, np.float32).tobytes()
        assert len(process.ask(options(), silence)["words"]) <= 2

        words = "We the people of the United States".split()
        align = {**model, "op": "align", "id": 2, "language": "en"}
        times = process.ask({**align, "words": words}, speech())["times"]
        assert len(times) == len(words)
        assert all(start <= end <= 6.1 for start, end, _ in times)
        assert [start for start, _, _ in times] == sorted(start for start, _, _ in times)
        assert "more words" in process.ask({**align, "words": words * 80}, speech())["lookup"]
        assert process.rest() == []


def decoding(
    path: Path, max_seconds: float = 60.0, spans: Sequence[decoder.Span] | None = None
) -> list[Message]:
    """All that a process tells of a recording."""
    job = {**asdict(Audio(path)), "path": str(path), "max_seconds": max_seconds}
    with talk(decoder.MODULE) as process:
        process.say(job if spans is None else {**job, "spans": spans})
        return process.rest()


def test_a_recording_is_told_in_windows_or_spans(tmp_path: Path) -> None:
    """Windows hold the voice of a whole recording, spans what was asked for; what is none, or too long, is told."""
    told = decoding(SAMPLE)
    events = [header["event"] for header, _ in told]
    assert (events[0], events[-1]) == ("opened", "ended")
    seconds = told[-1][0]["duration"]
    heard = sum(len(samples) for header, samples in told if header["event"] == "window") / 64000
    assert 0.7 * seconds < heard < 1.2 * seconds

    *pieces, end = decoding(
        SAMPLE, spans=[(0, 1.0, 2.0), (0, 1.5, 1.75), (7, 2.0, 3.0), (0, seconds + 5, seconds + 6)]
    )
    assert {header["number"]: len(samples) for header, samples in pieces} == {0: 64000, 1: 16000, 2: 0, 3: 0}
    assert end[0] == {"event": "ended", "duration": seconds}

    (tmp_path / "text").write_text("this is no recording")
    assert [header for header, _ in decoding(tmp_path / "text")] == [{"event": "not audio"}]
    assert decoding(SAMPLE, max_seconds=1.0)[-1][0] == {"event": "too long"}


def test_a_stream_is_decoded_in_its_order() -> None:
    """What is told between blocks of audio comes back where it stood; what is no audio is told."""
    opened = {"op": "open", **asdict(LiveAudio())}
    data = SAMPLE.read_bytes()
    with talk(live_audio.MODULE) as process:
        process.say(opened)
        process.say({"op": "audio"}, data[: len(data) // 2])
        process.say({"op": "mark"})
        process.say({"op": "audio"}, data[len(data) // 2 :])
        process.say({"op": "finish"})
        told = process.rest()
    kinds = [header["op"] for header, _ in told]
    assert kinds[-1] == "ended"
    assert 0 < kinds.index("mark") < len(kinds) - 2
    assert sum(len(samples) for _, samples in told) / 64000 > 20

    with talk(live_audio.MODULE) as process:
        process.say(opened)
        process.say({"op": "audio"}, b"a text that goes on and on. " * 5000)
        assert [header for header, _ in process.rest()] == [{"op": "not audio"}]


def test_a_process_that_is_told_nothing_ends() -> None:
    """The end of the pipe before any message ends a process, without a word."""
    for module in (decoder.MODULE, live_audio.MODULE):
        with talk(module) as process:
            assert process.rest() == []
