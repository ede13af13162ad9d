"""Keys: keep one, forget it, say which is used and whether it works, get a temporary token for it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dgcli.config import Config
from dgcli.credentials import DEFAULT_PROFILE, credentials_path, forget_key, keep_key, profiles_with_keys
from dgcli.errors import ApiError, AuthError, DgError, UsageError
from dgcli.tasks.reporter import Reporter
from dgcli.transcript.json_values import mapping, mappings, string

_ENVIRONMENT_KEYS = ("DEEPGRAM_ACCESS_TOKEN", "DEEPGRAM_API_KEY")
_PASTED = re.compile(
    r"\x1b\[20[01]~"
)  # what terminals put around a pasted text: "Bracketed Paste Mode", xterm
_ASSIGNED = re.compile(r"(?:export\s+|set\s+|\$env:)?DEEPGRAM_API_KEY\s*=\s*", re.IGNORECASE)
_NOT_FOUND = (404, 405)
LONGEST_TOKEN = 3600  # seconds: "Token-Based Authentication"


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """The key in use. `works` is None where the server does not say."""

    source: str
    last_four: str
    is_token: bool
    base_url: str
    works: bool | None
    projects: tuple[Mapping[str, str], ...] = ()
    error: DgError | None = None

    def fields(self) -> Mapping[str, Any]:
        """Return the status as JSON has it."""
        return {
            "source": self.source,
            "kind": "token" if self.is_token else "key",
            "last_four": self.last_four,
            "base_url": self.base_url,
            "works": self.works,
            "projects": [dict(project) for project in self.projects],
            "error": self.error and self.error.summary,
        }


def pasted_key(text: str) -> str:
    """Return the key in what was pasted: without white space, quotes, an assignment or a scheme around it.

    Raises `UsageError` for what can be no key; the text is not quoted, since it may be one all the same.
    """
    key = _PASTED.sub("", text).strip()
    key = _ASSIGNED.sub("", key, count=1) if _ASSIGNED.match(key) else key
    key = key.strip().strip("\"'").removeprefix("Token ").strip()
    if not key:
        raise UsageError("No key was given.", hint="Get one at https://console.deepgram.com")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("That has characters that no key has.", hint="Was it copied whole?")
    return key


def _projects(config: Config) -> tuple[Mapping[str, str], ...]:
    """Ask the API who the key is. Raises `AuthError` for a refused key, `ApiError` with 404 where it does not say."""
    from dgcli.api.management import Management

    with Management(config) as api:
        try:
            own = string(api.key().fields.get("project_id"))
        except ApiError as error:
            if error.status not in _NOT_FOUND:
                raise
            own = None
        try:
            listed = api.projects().fields.get("projects")
        except (ApiError, AuthError) as error:
            # The key works, and this host has no projects, or the key may not list them.
            if own is None or (isinstance(error, ApiError) and error.status not in _NOT_FOUND):
                raise
            return ({"project_id": own, "name": ""},) if own else ()
    names = ("project_id", "name")
    projects = tuple({name: string(item.get(name)) for name in names} for item in mappings(listed))
    return tuple(item for item in projects if item["project_id"] == own) or projects


def _is_silent(error: DgError) -> bool:
    """Whether a server does not say if a key works: regional hosts and self-hosted ones."""
    return isinstance(error, ApiError) and error.status in _NOT_FOUND


def log_in(config: Config, profile: str | None, pasted: str, reporter: Reporter) -> None:
    """Check a key with the API and keep it for a profile. Raises `DgError`: a key that is refused is not kept."""
    key = pasted_key(pasted)
    checking = replace(config, api_key=key, access_token=None, kept=None)
    what = ""
    try:
        projects = _projects(checking)
        what = ", ".join(project["name"] or project["project_id"] for project in projects)
    except DgError as error:
        if not _is_silent(error):
            raise
        reporter.warning(f"{config.host} does not say whether the key works.")
    kept = keep_key(credentials_path(config.path), profile or DEFAULT_PROFILE, key)
    where = f"Project: {what}. " if what else ""
    reporter.note(f"{where}The key is kept in {kept.place}.")
    if set_variable := next((name for name in _ENVIRONMENT_KEYS if os.environ.get(name)), None):
        reporter.warning(f"{set_variable} is set, and is used instead of it.")
    elif config.key_source and config.key_source.endswith(str(config.path)):
        reporter.warning(f"{config.key_source} is used instead of it.")


def log_out(config: Config, profile: str | None, reporter: Reporter) -> None:
    """Forget the key of a profile. Raises `DgError`."""
    path, name = credentials_path(config.path), profile or DEFAULT_PROFILE
    place = forget_key(path, name)
    if place is None:
        others = ", ".join(profiles_with_keys(path))
        hint = f"There are keys for: {others}." if others else None
        raise UsageError(f"dg login has kept no key for the profile {name!r}.", hint=hint)
    reporter.note(f"The key is deleted from {place}.")
    if set_variable := next((variable for variable in _ENVIRONMENT_KEYS if os.environ.get(variable)), None):
        reporter.note(f"{set_variable} is set, and goes on being used.")


def key_status(config: Config) -> KeyStatus:
    """Return which key is used, and whether it works. Raises `AuthError` without one."""
    config.authorization()
    credential = config.access_token or config.key
    if not credential:
        raise config.no_key()
    status = KeyStatus(
        config.key_origin or "", credential[-4:] if len(credential) > 8 else "",
        config.access_token is not None, config.base_url, works=True,
    )  # fmt: skip
    try:
        return replace(status, projects=_projects(config))
    except DgError as error:
        return replace(status, works=None if _is_silent(error) else False, error=error)


def temporary_token(config: Config, seconds: int) -> Mapping[str, Any]:
    """Return the API's answer with a token that counts for so many seconds. Raises `DgError`."""
    from dgcli.api.management import Management

    if not 1 <= seconds <= LONGEST_TOKEN:
        raise UsageError(f"--ttl takes seconds from 1 to {LONGEST_TOKEN}, not {seconds}.")
    if config.access_token:
        raise UsageError(
            "A temporary token gives no other.", hint="Use an API key: unset DEEPGRAM_ACCESS_TOKEN."
        )
    with Management(config) as api:
        answer = api.grant(seconds)
    fields = mapping(answer.fields)
    if not string(fields.get("access_token")):
        raise ApiError("The answer holds no token.", request_id=answer.request_id, hint="Check --base-url.")
    return fields
