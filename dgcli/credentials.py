"""The keys that `dg login` keeps: in the system's keyring where one works, else in a file for its owner alone.

The file, `credentials.toml` beside the config file, says for each profile where its key is: `keyring = true`, or the
key itself. The keyring, whose library takes a tenth of a second to load, is asked only where the file points to it and
no other key was given.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dgcli.errors import OutputError, UsageError
from dgcli.locks import claimed
from dgcli.system import make_private

_SERVICE = "dgcli"
DEFAULT_PROFILE = "default"
_MISSING = "The key is no longer in the system keyring."


@dataclass(frozen=True, slots=True)
class KeptKey:
    """Where the key of a profile is kept; it is read when it is asked for."""

    profile: str
    path: Path
    _key: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """The place, in words."""
        return str(self.path) if self._key else "the system keyring"

    def read(self) -> str:
        """Return the key. Raises `UsageError` where the keyring does not give it."""
        if self._key:
            return self._key
        keyring = _usable_keyring()
        try:
            key = keyring.get_password(_SERVICE, self.profile) if keyring else None
        except Exception as error:  # each system's keyring has errors of its own
            raise UsageError(f"The system keyring cannot be read: {error}", hint="Unlock it.") from error
        if keyring is None:
            from dgcli.extras import install_command

            raise UsageError(
                "The key is in the system keyring, which cannot be used now.",
                hint=f"Unlock it, or install what reads it with: {install_command('keyring')}",
            )
        if not key:
            raise UsageError(_MISSING, hint="Log in again with: dg login")
        return str(key)


def _usable_keyring() -> Any:
    """Return the keyring of this system, or None without one that keeps secrets."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        # Those that refuse everything, and those that keep plain text, are rated below 1.
        works = backend.priority >= 1
    except Exception:  # a backend that cannot say how good it is does not work
        return None
    return backend if works else None


def _read(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the entries of the file by profile. Raises `UsageError` for what is no such file."""
    try:
        with path.open("rb") as file:
            import tomllib

            data = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:  # its text may hold a key: it is not quoted
        raise UsageError(f"{path} is not valid TOML.", hint="Delete it, and use: dg login") from None
    return {name: entry for name, entry in data.items() if isinstance(entry, dict)}


def _write(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the file whole, readable by its owner alone; without an entry there is none."""
    import json  # whose strings are TOML's too

    lines = [
        f"[{json.dumps(name)}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
        for name, entry in entries.items()
    ]
    part = path.with_name(f".{path.name}-{os.urandom(8).hex()}")
    try:
        if not entries:
            path.unlink(missing_ok=True)
            return
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("# Written by dg login.\n" + "\n".join(lines))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file meanwhile. Raises `OutputError`."""
    claim = path.with_name(f".{path.name}.lock")
    try:
        make_private(path.parent)
        with claimed(claim, lambda: None):
            yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


def credentials_path(config_path: Path) -> Path:
    """Return the path of the file, whether or not it exists."""
    return config_path.with_name("credentials.toml")


def kept_key(path: Path, profile: str | None) -> KeptKey | None:
    """Return where the key of a profile is, or None: a profile without one has that of the default profile."""
    entries = _read(path)
    for name in dict.fromkeys((profile or DEFAULT_PROFILE, DEFAULT_PROFILE)):
        entry = entries.get(name, {})
        key = entry.get("api_key")
        if isinstance(key, str) and key:
            return KeptKey(name, path, key)
        if entry.get("keyring") is True:
            return KeptKey(name, path)
    return None


def profiles_with_keys(path: Path) -> tuple[str, ...]:
    """Return the profiles that have a key of their own."""
    return tuple(_read(path))


def keep_key(path: Path, profile: str, key: str) -> KeptKey:
    """Keep the key of a profile; return where. Raises `OutputError`, `UsageError`."""
    with _claimed(path):
        entries = {**_read(path), profile: {"api_key": key}}
        if keyring := _usable_keyring():
            try:
                keyring.set_password(_SERVICE, profile, key)
                if keyring.get_password(_SERVICE, profile) == key:
                    entries[profile] = {"keyring": True}
            except Exception:  # each has errors of its own, and all mean the same: the file must do
                entries[profile] = {"api_key": key}
        _write(path, entries)
        kept = kept_key(path, profile)
    assert kept is not None, "it was just written"
    return kept


def forget_key(path: Path, profile: str) -> str | None:
    """Delete the key of a profile; return where it was, None for nowhere. Raises `OutputError`, `UsageError`."""
    if profile not in _read(path):
        return None
    with _claimed(path):
        entries = dict(_read(path))
        entry = entries.pop(profile, None)
        if entry is None:
            return None
        place = str(path)
        if entry.get("keyring") is True:
            place = "the system keyring"
            keyring = _usable_keyring()
            if keyring is None:
                raise UsageError("The system keyring, which has the key, cannot be used now.")
            try:
                if keyring.get_password(_SERVICE, profile) is not None:
                    keyring.delete_password(_SERVICE, profile)
            except Exception as error:  # each system's keyring has errors of its own
                raise OutputError(f"The system keyring does not delete the key: {error}") from error
        _write(path, entries)
        return place
