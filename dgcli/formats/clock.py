"""Times as captions and readers have them."""


def clock(seconds: float, point: str = ".") -> str:
    """`HH:MM:SS.mmm`, with as many digits for the hours as they need; `point` separates the milliseconds."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    # Captions have two times a cue; format specifiers take longer.
    return "%02d:%02d:%02d%s%03d" % (hours, minute, second, point, milliseconds)  # noqa: UP031


def short_clock(seconds: float) -> str:
    """`0:03`, or `1:00:03` from an hour on."""
    hours, minutes, rest = clock(seconds).split(".")[0].split(":")
    return f"{int(hours)}:{minutes}:{rest}" if int(hours) else f"{int(minutes)}:{rest}"
