"""The response of the API as it came, byte for byte."""

import json

from dgcli.formats.base import RenderSettings
from dgcli.formats.smoothing import smoothed_transcript
from dgcli.transcript.model import Transcript


def render(transcript: Transcript, options: RenderSettings) -> str:
    """The body of the response; where there was none (a stream), its content as indented JSON.

    With `smooth_speakers` it is the response as captions show it.
    """
    if options.smooth_speakers:
        transcript = smoothed_transcript(transcript, response=True)
    if transcript.body:
        return transcript.body.decode("utf-8", "surrogateescape")
    text = json.dumps(transcript.raw, ensure_ascii=False, indent=2)
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = json.dumps(transcript.raw, indent=2)
    return text + "\n"
