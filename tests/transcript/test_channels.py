"""Channels that no recording has."""

import pytest

from dgcli.errors import ApiError
from dgcli.transcript.response import parse


def test_an_utterance_of_an_endless_channel_is_refused() -> None:
    """A response whose utterances count a thousand million channels is an error at once; a negative one is 0."""
    said = {"transcript": "x", "words": [{"word": "x", "start": 0, "end": 1}]}
    with pytest.raises(ApiError, match="channel 1000000000"):
        parse({"results": {"channels": [], "utterances": [{"channel": 10**9, **said}]}})
    assert len(parse({"results": {"channels": [], "utterances": [{"channel": -5, **said}]}}).channels) == 1
