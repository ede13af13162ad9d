"""Reading what an earlier run, or a callback, has saved."""

from dgcli.transcript import Transcript, parse_body


def parse_saved(body: bytes) -> Transcript:
    """The transcript in a saved response. Raises `ApiError` for what is none."""
    return parse_body(body)
