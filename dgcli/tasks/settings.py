"""The settings of the config file: shown, read, changed with comments and order kept, edited."""

import os
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dgcli.config.file import SETTINGS, check_no_pipe, check_setting, check_text, config_path
from dgcli.errors import OutputError, UsageError, unreadable
from dgcli.output.files import write_file
from dgcli.params import BY_NAME, check_value
from dgcli.system import EDITOR

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_SECRETS = frozenset({"api_key", "access_token"})
_HIDDEN = 8  # characters; of longer secrets the last four are told
_PARAMS, _PROFILES = "params", "profiles"
_EMPTY_FILE = """\
# Settings of dg; what stands at the top holds for every profile.

# [params]                     # any query parameter, see: dg file --help
# model = "nova-3-medical"

# [profiles.work]
# base_url = "https://api.eu.deepgram.com"
"""

Name = tuple[str, ...]


def _masked(name: str, value: object) -> object:
    """Return a value as it may be read by whoever stands behind one."""
    if name not in _SECRETS:
        return value
    text = str(value)
    return f"...{text[-4:]}" if len(text) > _HIDDEN else "..."


def _text(value: object) -> str:
    """Return a value as TOML has it."""
    import json

    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | list) else str(value)


def _suggested(name: str, candidates: Sequence[str], lead: str) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(name.lower().replace("-", "_"), candidates, n=1)
    return f"Did you mean: {lead}{close[0]}" if close else None


def _all_names() -> list[str]:
    return [name for name in SETTINGS if name != _PARAMS]


def setting_names() -> list[str]:
    """Return what may be set, as it is typed."""
    return [*_all_names(), *(f"{_PARAMS}.{name}" for name in BY_NAME)]


def _parsed(text: str, profile: str | None) -> Name:
    """Convert a setting as it is typed to its place in the file. Raises `UsageError` for what is none."""
    parts = tuple(text.strip().split("."))
    if parts[0] == _PROFILES and len(parts) > 2:
        if profile is not None:
            raise UsageError("The profile is named twice.", hint="Leave --profile out.")
        profile, parts = parts[1], parts[2:]
    parts = tuple(part.replace("-", "_") for part in parts)
    if len(parts) == 1 and parts[0] not in _all_names():
        known = parts[0] in BY_NAME
        hint = f"Did you mean: {_PARAMS}.{parts[0]}" if known else _suggested(parts[0], _all_names(), "")
        hint = hint or _suggested(parts[0], list(BY_NAME), f"{_PARAMS}.")
        raise UsageError(
            f"There is no setting {text!r}.", hint=hint or f"Settings: {', '.join(_all_names())}."
        )
    if len(parts) == 2 and parts[0] == _PARAMS:
        hint = None if parts[1] in BY_NAME else _suggested(parts[1], list(BY_NAME), f"{_PARAMS}.")
        if hint:
            raise UsageError(f"There is no parameter {parts[1]!r}.", hint=hint)
    elif len(parts) != 1:
        raise UsageError(
            f"There is no setting {text!r}.", hint=f"Settings: {', '.join(_all_names())}, {_PARAMS}.NAME."
        )
    return (_PROFILES, profile, *parts) if profile else parts


def _value(name: Name, text: str) -> object:
    """Convert a value as it is typed to what the file holds. Raises `UsageError`."""
    types: tuple[type, ...] = SETTINGS.get(name[-1], ()) if name[-2:-1] != (_PARAMS,) else ()
    if types == (str,):
        return text
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        value = {"on": True, "yes": True, "off": False, "no": False}.get(text.lower(), text)
    if types and not isinstance(value, types):
        what = "true or false" if types == (bool,) else "a number"
        raise UsageError(f"{name[-1]} takes {what}, not {text!r}.")
    return value


def _check(name: Name, value: object, path: Path) -> None:
    """Check a value for its place. Raises `UsageError`."""
    if name[-2:-1] == (_PARAMS,):
        check_value(name[-1], value)
    else:
        check_setting(name[-1], value, path)


def _flattened(table: Mapping[str, Any], above: Name = ()) -> list[tuple[Name, object]]:
    """Return every setting below a table with its place."""
    rows: list[tuple[Name, object]] = []
    for key, value in table.items():
        name = (*above, str(key))
        rows += _flattened(value, name) if isinstance(value, dict) else [(name, value)]
    return rows


class Settings:
    """The config file of this user."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.path = config_path(environ)

    def _source(self) -> str:
        check_no_pipe(self.path)
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise UsageError(unreadable(self.path, error, "config file")) from None
        except UnicodeDecodeError as error:
            raise UsageError(f"The config file {self.path} is not valid TOML: {error}.") from None

    def _data(self) -> Mapping[str, Any]:
        try:
            return tomllib.loads(self._source())
        except tomllib.TOMLDecodeError as error:
            raise UsageError(
                f"The config file {self.path} is not valid TOML: {error}.",
                hint="Repair it with: dg config edit",
            ) from None

    def rows(self) -> Sequence[tuple[str, str]]:
        """Return every setting of the file and its value; of secrets the last four characters."""
        return [(".".join(name), _text(_masked(name[-1], value))) for name, value in _flattened(self._data())]

    def values(self) -> Mapping[str, object]:
        """Return the same by name, as values."""
        return {".".join(name): _masked(name[-1], value) for name, value in _flattened(self._data())}

    def profiles(self) -> Sequence[str]:
        """Return the names of the profiles."""
        profiles = self._data().get(_PROFILES, {})
        return list(profiles) if isinstance(profiles, dict) else []

    def get(self, text: str, profile: str | None) -> str:
        """Return one value as text. Raises `UsageError` where it is not set."""
        name = _parsed(text, profile)
        value: Any = self._data()
        for part in name:
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            raise UsageError(f"{'.'.join(name)} is not set in {self.path}.")
        shown = _masked(name[-1], value)
        return shown if isinstance(shown, str) else _text(shown)

    def set(self, text: str, value: str, profile: str | None) -> str:
        """Set a value; return what was set. Raises `UsageError`, `OutputError`."""
        name = _parsed(text, profile)
        if name[-1] in _SECRETS and name[-2:-1] != (_PARAMS,):
            raise UsageError(
                "A key on the command line would stay in the history of the shell.", hint="Use: dg login"
            )
        converted = _value(name, value)
        _check(name, converted, self.path)

        def change(document: "TOMLDocument") -> None:
            import tomlkit

            table: Any = document
            for part in name[:-1]:
                if part not in table:
                    table[part] = tomlkit.table(is_super_table=part == _PROFILES)
                table = table[part]
            table[name[-1]] = converted

        self._change(change)
        return f"{'.'.join(name)} = {_text(converted)}"

    def unset(self, text: str, profile: str | None) -> None:
        """Remove a setting. Raises `UsageError` where it is not set, `OutputError`."""
        name = _parsed(text, profile)
        self.get(text, profile)

        def change(document: "TOMLDocument") -> None:
            tables: list[Any] = [document]
            for part in name[:-1]:
                tables.append(tables[-1][part])
            del tables[-1][name[-1]]
            for number in range(len(name) - 1, 0, -1):  # tables of nothing go too
                if not tables[number] and name[number - 1] != _PROFILES:
                    del tables[number - 1][name[number - 1]]

        self._change(change)

    def _change(self, change: Callable[["TOMLDocument"], None]) -> None:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            document = tomlkit.parse(self._source())
            change(document)
        except (
            TOMLKitError,
            TypeError,
            AttributeError,
        ) as error:  # a value where a table should stand is the latter
            raise UsageError(
                f"The config file {self.path} cannot be changed: {error}.",
                hint="Repair it with: dg config edit",
            ) from None
        text = tomlkit.dumps(document)
        check_text(text, self.path)
        self._write(text)

    def _write(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path.parent} cannot be made: {error.strerror}.") from error
        write_file(self.path, text.encode(), private=True)

    def edit(self) -> bool:
        """Open the file in the user's editor; return whether it was changed. An invalid text is not taken over.

        Raises `UsageError` without an editor or for an invalid text, which is kept and named, and `OutputError`.
        """
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or EDITOR
        before = self._source() or _EMPTY_FILE
        with TemporaryDirectory(prefix="dg-config-") as folder:
            draft = Path(folder, "config.toml")
            write_file(draft, before.encode(), private=True)
            try:
                code = subprocess.run([*shlex.split(editor), str(draft)], check=False).returncode
                after = draft.read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                raise UsageError(
                    f"The editor {editor!r} cannot be used: {error}.", hint="Set EDITOR."
                ) from None
        if code:
            raise UsageError(f"The editor {editor!r} ended with code {code}: nothing was changed.")
        if after == before:
            return False
        try:
            check_text(after, self.path)
            for name, value in _flattened(tomllib.loads(after)):
                _check(name, value, self.path)
            self._write(after)
        except UsageError as error:
            rejected = self.path.with_suffix(".rejected.toml")
            write_file(rejected, after.encode(), private=True)
            error.hint = f"Nothing was changed; your text is in {rejected}"
            raise
        return True


def settings() -> Settings:
    """Return the config file of this user's environment."""
    return Settings(os.environ)
