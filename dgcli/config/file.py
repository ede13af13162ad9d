"""The config file: where it is, what may stand in it, and what of it a profile sees."""

import math
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dgcli.config.hosts import DEFAULT_BASE_URL, checked_base_url
from dgcli.errors import UsageError, unreadable
from dgcli.system import HAS_MODES


def home_path(text: str) -> Path:
    """Resolve `~` in a path; where there is no such home, it is a name like any other."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the path of the config file, whether or not it exists."""
    if named := environ.get("DGCLI_CONFIG"):
        return home_path(named)
    from platformdirs import user_config_path

    return user_config_path("dgcli", appauthor=False) / "config.toml"


def check_no_pipe(path: Path) -> None:
    """Refuse a config file that is read only once, or for ever. Raises `UsageError`."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # whoever opens it says so
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        raise UsageError(
            f"The config file {path} is a pipe: it would be waited for.", hint="Name a file in DGCLI_CONFIG."
        )


def read_file(path: Path, *, named: bool) -> Mapping[str, Any]:
    """The config file; empty where there is none, unless it was named."""
    check_no_pipe(path)
    try:
        with path.open("rb") as file:
            import tomllib  # most have no such file

            return tomllib.load(file)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not named:
            return {}
        raise UsageError(unreadable(path, error, "config file")) from None
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are such
        raise UsageError(
            f"The config file {path} is not valid TOML: {error}.", hint="Repair it with: dg config edit"
        ) from None


SETTINGS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "api_key": (str,),
        "access_token": (str,),
        "base_url": (str,),
        "project": (str,),
        "allow_http": (bool,),
        "ca_cert": (str,),
        "timeout": (int, float),
        "retries": (int,),
        "params": (dict,),
        "local_model": (str,),
        "offline": (bool,),
        "history": (bool,),
        "history_days": (int, float),
        "history_size": (int, float),
    }
)


_LONGEST_TIMEOUT = 86400.0  # seconds; the system's own limits lie far beyond
KINDS: Mapping[type, str] = MappingProxyType(
    {str: "text", bool: "true or false", int: "a number", float: "a number", dict: "a table", list: "a list"}
)
_SECRETS = ("api_key", "access_token")


def exposed(data: Mapping[str, Any], path: Path) -> str | None:
    """Say how a file with a key is closed to others, if they can read it."""
    profiles = data.get("profiles")
    tables = [data, *(profiles.values() if isinstance(profiles, dict) else ())]
    if not HAS_MODES or not any(
        name in table for table in tables if isinstance(table, dict) for name in _SECRETS
    ):
        return None
    try:
        mode = path.stat().st_mode
    except OSError:  # it was there a moment ago
        return None
    if not mode & 0o077:
        return None
    import shlex  # rarely needed, and each start counts

    return f"Others can read the key in {path}: chmod 600 {shlex.quote(str(path))}"


def _correct(key: str, value: object) -> str:
    """Say how a setting of the wrong type is written; the value itself may be a secret."""
    kinds = SETTINGS[key]
    if str in kinds:
        return f'Put it in quotes: {key} = "..."'
    if dict in kinds:
        return f"Write a table: [{key}]"
    example = "true" if bool in kinds else "10"
    return f"Write it {'without quotes' if isinstance(value, str) else 'like this'}: {key} = {example}"


def _checked(table: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Check a table of the config file: known settings of the right type only."""
    for key, value in table.items():
        if key not in SETTINGS:
            raise UsageError(
                f"The config file {path} has an unknown setting {key!r}.",
                hint=f"Settings: {', '.join(SETTINGS)}, profiles. Query parameters go under [params].",
            )
        wrong = not isinstance(value, SETTINGS[key]) or (
            isinstance(value, bool) and bool not in SETTINGS[key]
        )
        if wrong:  # the value is not repeated: it may be a secret
            kinds = " or ".join(dict.fromkeys(KINDS[kind] for kind in SETTINGS[key]))
            actual = KINDS.get(type(value), "something else")
            raise UsageError(
                f"The setting {key!r} in {path} takes {kinds}, not {actual}.", hint=_correct(key, value)
            )
    return table


def settings_of(
    data: Mapping[str, Any], name: str | None, path: Path, *, has_key: bool = False
) -> Mapping[str, Any]:
    """The settings at the top of the file, with a profile's over them; one that `has_key` needs no more."""
    profiles = data.get("profiles", {})
    if not isinstance(profiles, dict):
        raise UsageError(
            f"The setting 'profiles' in {path} takes tables, not {KINDS.get(type(profiles), 'something else')}.",
            hint="Use [profiles.NAME].",
        )
    for profile, table in profiles.items():
        if not isinstance(table, dict):
            raise UsageError(
                f"The profile {profile!r} in {path} is {KINDS.get(type(table), 'something else')}, not a table.",
                hint=f"Write its settings below a line of its own: [profiles.{profile}]",
            )
    top = _checked({key: value for key, value in data.items() if key != "profiles"}, path)
    if name is None:
        return top
    if has_key and name not in profiles:
        return {key: value for key, value in top.items() if key not in ("api_key", "access_token")}
    if not isinstance(profiles.get(name), dict):
        known = ", ".join(profiles) or "none"
        raise UsageError(f"There is no profile {name!r} in {path}.", hint=f"Profiles: {known}.")
    own = _checked(profiles[name], path)
    merged = {**top, **own, "params": {**top.get("params", {}), **own.get("params", {})}}
    # A profile with credentials of its own is not to be outvoted by those at the top.
    if "access_token" not in own and ("api_key" in own or has_key):
        merged.pop("access_token", None)
    if has_key and "api_key" not in own:
        merged.pop("api_key", None)
    return merged


def check_number(name: str, value: Any, path: Path) -> None:
    """Check a number that is a setting, from wherever it comes; others pass. Raises `UsageError`."""
    if name == "timeout" and not 0 < value <= _LONGEST_TIMEOUT:
        raise UsageError(f"--timeout takes seconds above 0, up to {_LONGEST_TIMEOUT:.0f}, not {value:g}.")
    if name == "retries" and value < 0:
        raise UsageError(f"--retries takes 0 or more, not {value}.")
    if name in ("history_days", "history_size") and not 0 < value < math.inf:
        raise UsageError(
            f"The setting {name!r} in {path} takes a number above 0, not {value:g}.",
            hint="To keep no answers: history = false",
        )


def check_setting(name: str, value: Any, path: Path) -> None:
    """Check a value that is to be set, as it is used later. Raises `UsageError`, which says what is valid."""
    if isinstance(value, str) and not value.strip():
        raise UsageError(f"{name} needs a value.", hint=f"To have none: dg config unset {name}")
    check_number(name, value, path)
    if name == "base_url":
        checked_base_url(value)
    elif name == "ca_cert" and not home_path(value).exists():
        raise UsageError(f"There is no file {value}.", hint="ca_cert takes a file of certificates (PEM).")
    elif name == "local_model" and not home_path(value).is_dir():
        raise UsageError(
            f"There is no folder {value}.", hint="local_model takes a folder with the files of a model."
        )


def check_text(text: str, path: Path) -> None:
    """Check what is to be the config file `path`: TOML, with known settings of the right types. Raises `UsageError`."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"That is not valid TOML: {error}.") from None
    profiles = data.get("profiles", {})
    for name in (None, *(profiles if isinstance(profiles, dict) else ())):
        own = settings_of(data, name, path)
        checked_base_url(str(own.get("base_url", DEFAULT_BASE_URL)))
