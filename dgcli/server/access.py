"""What a log may hold of a request: whoever asks must not write on the operator's terminal."""


def shown(path: str) -> str:
    """A path with control characters and all that is not ASCII spelt out."""
    return path.encode("unicode_escape").decode("ascii")
