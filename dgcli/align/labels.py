"""Who speaks, in the words of a corrected text: labels, and the channels and speakers they stand for."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dgcli.align.passages import Passage
from dgcli.errors import UsageError
from dgcli.transcript.model import Transcript

_LABEL = re.compile(r"^(?:Channel (\d{1,3}))?(?:(?:^|, )(.+))?$")
_SPEAKER = re.compile(r"^Speaker (\d{1,3})$")


class Voiced(NamedTuple):
    """What a label stands for: a channel and a speaker, as far as it tells. A name that nobody was given stays one."""

    channel: int | None = None
    speaker: int | str | None = None


class Labels:
    """Reads the labels of texts that were made of one response; `names` are those that speakers were given."""

    def __init__(self, transcript: Transcript, names: Mapping[int, str]) -> None:
        self._several = len(transcript.channels) > 1
        self._has_speakers = transcript.has_speakers
        self._numbers = {name: number for number, name in names.items()}

    @property
    def tell(self) -> bool:
        """Whether texts of this response are labelled at all."""
        return self._several or self._has_speakers

    def is_known(self, label: str) -> bool:
        """Return whether a label stands for somebody without a doubt."""
        voice = self.read(label)
        return voice.channel is not None or isinstance(voice.speaker, int)

    def read(self, label: str) -> Voiced:
        """Return what a label stands for."""
        match = _LABEL.match(label)
        channel = int(match[1]) if match and match[1] else None
        name = match[2] if match else label
        if name is None:
            return Voiced(channel)
        number = self._numbers.get(name)
        if number is not None and self._several and not self._has_speakers and channel is None:
            return Voiced(number)  # each channel is a speaker of its own
        if number is None and (numbered := _SPEAKER.match(name)):
            number = int(numbered[1])
        return Voiced(channel, name if number is None else number)

    def by_channel(self, passages: Sequence[Passage], channels: int) -> list[list[int]]:
        """Return the numbers of the passages of each channel. Raises `UsageError` where the text does not tell."""
        if channels == 1:
            return [list(range(len(passages)))]
        result: list[list[int]] = [[] for _ in range(channels)]
        for number, passage in enumerate(passages):
            channel = self.read(passage.label).channel if passage.label else None
            if channel is None or channel >= channels:
                raise UsageError(
                    f"The response has {channels} channels, and the text does not tell of which one this is: "
                    f"{passage.text[:40]!r}.",
                    hint='Begin each paragraph with its channel, as dg render writes it: "Channel 0: ..."',
                )
            result[channel].append(number)
        return result


def numbered(
    heard: Iterable[tuple[str, int | None]], taken: Iterable[int], everybody: Iterable[int]
) -> Mapping[str, int]:
    """Return the number of each name: the speaker that most of its words were given to, else a new number.

    `heard` are pairs of a name and the speaker of a word that stands under it; `taken` are numbers that labels of
    the same text have already, `everybody` all numbers there are.
    """
    votes = Counter(heard)
    names: dict[str, int] = {}
    used = {*taken}
    for (name, speaker), _ in votes.most_common():
        if name not in names and speaker is not None and speaker not in used:
            names[name] = speaker
            used.add(speaker)
    following = max((*used, *everybody), default=-1) + 1
    for name in dict.fromkeys(name for name, _ in votes):
        if name not in names:
            names[name] = following
            following += 1
    return names
