"""How long a recording lasts, where that can be had without reading all of it."""

_SLOW_TO_COUNT = (".mp3", ".mp2", ".mpga")  # no header says it: their frames would have to be counted


def seconds(path: str) -> float | None:
    """The length of a file in seconds; None where its header does not say."""
    if path.lower().endswith(_SLOW_TO_COUNT):
        return None
    import soundfile

    try:
        found = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError, UnicodeError):
        return None  # video, or no audio at all: the API may know more
    return float(found.frames) / found.samplerate if found.samplerate else None
