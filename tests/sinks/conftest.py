"""Events to feed sinks with."""

from collections.abc import Sequence
from typing import Any

from dgcli.transcript.events import Final, Interim
from dgcli.transcript.model import Word


def words(text: str, start: float, *, speaker: int | None = None, channel: int = 0) -> tuple[Word, ...]:
    """Words of 0.4 s each, every half second from `start`."""
    return tuple(
        Word(
            text=word,
            start=round(start + number * 0.5, 3),
            end=round(start + number * 0.5 + 0.4, 3),
            confidence=0.9,
            word=word.strip(".,?!").lower(),
            speaker=speaker,
            channel=channel,
        )
        for number, word in enumerate(text.split())
    )


def raw_of(spoken: Sequence[Word], start: float, end: float, channel: int, **more: Any) -> dict[str, Any]:
    """A Results message with these words."""
    items = [{"word": w.word, "punctuated_word": w.text, "start": w.start, "end": w.end} for w in spoken]
    text = " ".join(w.text for w in spoken)
    return {
        "type": "Results",
        "channel_index": [channel, 1],
        "start": start,
        "duration": end - start,
        "channel": {"alternatives": [{"transcript": text, "words": items}]},
        **more,
    }


def final(
    text: str,
    start: float = 0.0,
    *,
    ends: bool = True,
    speaker: int | None = None,
    channel: int = 0,
    channels: int = 1,
    said: tuple[Word, ...] | None = None,
    **more: Any,
) -> Final:
    """A final result that holds `text`, or the words `said`."""
    spoken = words(text, start, speaker=speaker, channel=channel) if said is None else said
    end = spoken[-1].end if spoken else start + 1.0
    raw = raw_of(spoken, start, end, channel, is_final=True, speech_final=ends)
    text = " ".join(word.text for word in spoken) or text
    return Final(channel, channels, start, end, text, spoken, speech_final=ends, raw=raw, **more)


def interim(text: str, start: float = 0.0, *, channel: int = 0, channels: int = 1) -> Interim:
    """A provisional result that holds `text`."""
    spoken = words(text, start, channel=channel)
    end = spoken[-1].end if spoken else start + 1.0
    return Interim(
        channel, channels, start, end, text, spoken, end + 0.3, raw=raw_of(spoken, start, end, channel)
    )
