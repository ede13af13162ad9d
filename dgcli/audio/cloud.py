"""Recordings in S3 and Google Cloud Storage, through fsspec; what no URL can be signed for is streamed.

A signed URL lets the API fetch the audio itself: it does not pass through this machine. Whoever has such a URL
has the audio until it expires, so it is neither printed nor kept.
Credentials come from where the libraries of each cloud look for them (environment, profile, instance).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, BinaryIO, cast

from dgcli.audio.media import SNIFF_BYTES, media_type
from dgcli.audio.upload import Upload, check_size
from dgcli.errors import AudioError, UsageError

_EXPIRES = 3600  # seconds; the API may queue a request, and fetches when it begins
_BACKENDS = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}


def is_object(name: str) -> bool:
    """Whether a name is that of an object in a cloud, or of a folder or a pattern there."""
    return name[:8].lower().startswith(tuple(f"{scheme}://" for scheme in _BACKENDS))


def _file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Raises `UsageError` without the extra."""
    scheme = url.partition("://")[0].lower()
    backend = _BACKENDS.get(scheme)
    missing = [name for name in ("fsspec", backend) if name and find_spec(name) is None]
    if missing:
        from dgcli.extras import install_command

        raise UsageError(
            f"{scheme}:// needs packages that are not installed: {', '.join(missing)}.",
            hint=f"Install them: {install_command('cloud')}",
        )
    import fsspec

    file_system, path = fsspec.core.url_to_fs(url)
    return file_system, path


def _failed(url: str, error: Exception) -> AudioError:
    """Map an error of a cloud's library to one of ours; each library has errors of its own."""
    if isinstance(error, FileNotFoundError):
        return AudioError(f"There is no object {url}.")
    text = " ".join(str(error).split()) or type(error).__name__
    return AudioError(
        f"{url} cannot be read: {text}.", hint="Check the credentials, the region and the name."
    )


def find(url: str) -> list[str]:
    """The objects below a folder (a URL that ends in `/`), or that match a pattern, sorted.

    Raises `UsageError`, `AudioError`.
    """
    files, path = _file_system(url)
    scheme = url.partition("://")[0]
    try:
        paths = files.find(path) if url.endswith("/") else files.glob(path)
    except Exception as error:
        raise _failed(url, error) from error
    return sorted(f"{scheme}://{name}" for name in paths)


def stamp(url: str) -> tuple[int | str, ...]:
    """Return a fingerprint of an object's content: its size, and the hash or time its cloud keeps.

    Raises `UsageError`, `AudioError`.
    """
    files, path = _file_system(url)
    try:
        facts = files.info(path, refresh=True) if url.startswith("s3:") else files.info(path)
    except Exception as error:
        raise _failed(url, error) from error
    if facts.get("type") == "directory":
        raise AudioError(
            f"{url} is a folder.", hint=f"Transcribe all that is in it: {url.rstrip('/')}/ --recursive"
        )
    keys = ("ETag", "etag", "md5Hash", "LastModified", "updated", "created")
    version = next((str(facts[key]) for key in keys if facts.get(key)), "")
    size = int(facts.get("size") or 0)
    check_size(size, url)
    return size, version


def signed(url: str) -> str | None:
    """Return a URL that anybody may fetch the object from for an hour, or None where none can be made."""
    files, path = _file_system(url)
    try:
        return str(files.sign(path, expiration=_EXPIRES))
    except Exception:
        return None  # anonymous, or with credentials that cannot sign: reading tells whether they can read


@contextmanager
def opened(url: str) -> Iterator[Upload]:
    """Open an object for upload. Raises `UsageError`, `AudioError`."""
    files, path = _file_system(url)
    try:
        file = files.open(path, "rb")
    except Exception as error:
        raise _failed(url, error) from error
    with file:
        size = int(file.size)
        check_size(size, url)
        head = file.read(SNIFF_BYTES)
        yield Upload(cast(BinaryIO, file), size, media_type(head, url))
