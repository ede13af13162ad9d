"""The cues of a transcript as the user's settings want them, all at once and as they come."""

from collections.abc import Iterator

from dgcli.captions.captioner import Captioner, each_caption
from dgcli.captions.cues import Cue
from dgcli.formats.base import RenderSettings
from dgcli.transcript.model import Transcript


def captioner_for(options: RenderSettings, channels: int, *, has_voices: bool = False) -> Captioner:
    """Create what makes cues of words that come in; `has_voices` as in `RenderSettings.caption_prefix`."""
    return Captioner(
        options.limits,
        prefix=options.caption_prefix(channels > 1, has_voices=has_voices),
        channels=channels,
        smooth_speakers=options.smooths,
        language=options.language,
        max_delay=options.max_delay,
    )


def cues_of(transcript: Transcript, options: RenderSettings, *, has_voices: bool = False) -> Iterator[Cue]:
    """Return the cues of a transcript, made as they are taken."""
    return each_caption(
        transcript,
        options.limits,
        prefix=options.caption_prefix(len(transcript.channels) > 1, has_voices=has_voices),
        smooth_speakers=options.smooths,
        language=options.language,
    )
