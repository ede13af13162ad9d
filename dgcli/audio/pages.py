"""Pages of video sites: addresses that people copy, and that hold no recording which could be fetched as it is."""

import shlex
from urllib.parse import urlsplit

from dgcli.audio.media import is_media_name
from dgcli.errors import UsageError

_SITES = frozenset(
    "youtube.com youtu.be youtube-nocookie.com vimeo.com dailymotion.com dai.ly twitch.tv tiktok.com facebook.com "
    "fb.watch instagram.com twitter.com x.com soundcloud.com bilibili.com rumble.com odysee.com ted.com".split()
)


def check_no_page(url: str, command: str = "file") -> None:
    """Raises `UsageError` for a page of a video site, with what fetches its sound for `dg COMMAND -`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if not any(host == site or host.endswith(f".{site}") for site in _SITES) or is_media_name(parts.path):
        return
    raise UsageError(
        f"{url} is a web page, not a recording.",
        hint=f"Let yt-dlp fetch its sound: yt-dlp -f bestaudio -o - {shlex.quote(url)} | dg {command} -",
    )
