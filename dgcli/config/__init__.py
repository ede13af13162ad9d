"""One frozen Config: flag, then environment, then the profile in the config file, then default.

The config file is TOML, in the user's config folder (`~/.config/dgcli/config.toml` on Linux) or where
DGCLI_CONFIG says. What stands at its top holds for every profile; `[profiles.NAME]` adds to it:

    api_key = "..."
    history_days = 90             # how long answers are kept; see `dg history --help`

    [params]                      # any query parameter, see `dg file --help`
    model = "nova-3-medical"

    [profiles.work]
    base_url = "https://api.eu.deepgram.com"
    params = { language = "de" }
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from dgcli.config.file import (
    KINDS,
    SETTINGS,
    check_number,
    config_path,
    exposed,
    home_path,
    read_file,
    settings_of,
)
from dgcli.config.hosts import DEFAULT_BASE_URL, checked_base_url, is_this_machine
from dgcli.credentials import KeptKey, credentials_path, kept_key
from dgcli.errors import AuthError, UsageError
from dgcli.params import BY_NAME, PARAMS, STREAM, Endpoint, Values, check, stream_endpoint

DEFAULT_TIMEOUT = 1500.0  # seconds for the answer: the API may compute for 20 minutes
DEFAULT_RETRIES = 3
DEFAULT_HISTORY_DAYS = 30.0
DEFAULT_HISTORY_SIZE = 1024.0  # MiB

_NO_KEY = "No API key."
_NO_KEY_HINT = (
    "Get one at https://console.deepgram.com, then: dg login. Also --api-key, DEEPGRAM_API_KEY, or api_key in {path}; "
    "or transcribe on this machine with --local."
)


@dataclass(frozen=True, slots=True)
class Config:
    """The endpoints, credentials and defaults that requests are sent with.

    `timeout` is in seconds. `params` are wire names of query parameters with the values of the profile. `local`:
    a server inside this process is asked; it recognises with the model in the folder `local_model`, or with one that
    is found or, unless `offline`, fetched. `key_source` says where the key or token is from: a flag, a variable, a
    file. Without either, `kept` is the key that `dg login` has kept. `project` is the one whose usage is asked for.
    `history`: answers are kept on this machine, for at most `history_days`, and at most `history_size` MiB of them.
    """

    base_url: str = DEFAULT_BASE_URL
    api_key: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    allow_http: bool = False
    ca_cert: Path | None = None
    timeout: float = DEFAULT_TIMEOUT
    retries: int = DEFAULT_RETRIES
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    path: Path = Path()
    local: bool = False
    local_model: Path | None = None
    offline: bool = False
    warning: str | None = None  # what the user should know of the config file
    key_source: str | None = None
    kept: KeptKey | None = None
    project: str | None = None
    history: bool = True
    history_days: float = DEFAULT_HISTORY_DAYS
    history_size: float = DEFAULT_HISTORY_SIZE

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        return is_this_machine(urlsplit(self.base_url).hostname or "")

    @property
    def host(self) -> str:
        """The name of the server, without a port."""
        return urlsplit(self.base_url).hostname or ""

    def url(self, path: str, *, websocket: bool = False) -> str:
        """The address of an endpoint such as `/v1/listen`, below any path prefix of the base URL."""
        scheme, host, prefix, _, _ = urlsplit(self.base_url)
        if websocket:
            scheme = {"http": "ws", "https": "wss"}[scheme]
        return urlunsplit((scheme, host, prefix.rstrip("/") + path, "", ""))

    @property
    def key(self) -> str | None:
        """The API key, or that of `dg login`; None where there is none. Raises `UsageError` for a closed keyring."""
        if self.api_key or self.access_token or self.kept is None:
            return self.api_key
        return _header_safe(self.kept.read(), "API key")

    @property
    def key_origin(self) -> str | None:
        """Where the key or the token is from; None where there is none."""
        if self.key_source or self.kept is None:
            return self.key_source
        return f"dg login, in {self.kept.place}"

    def no_key(self) -> AuthError:
        """Return the error for a key that is needed and missing."""
        return AuthError(_NO_KEY, hint=_NO_KEY_HINT.format(path=self.path))

    def authorization(self) -> Mapping[str, str]:
        """The header that says who asks; empty where no key is needed.

        Raises `AuthError` without a key for Deepgram's own hosts, and `UsageError` rather than sending one in
        clear text to another machine. Source: Deepgram reference, "Authenticating".
        """
        host = urlsplit(self.base_url).hostname or ""
        key = self.key
        if self.access_token:
            header = f"Bearer {self.access_token}"
        elif key:
            header = f"Token {key}"
        elif host == "deepgram.com" or host.endswith(".deepgram.com"):
            raise self.no_key()
        else:
            return {}
        if urlsplit(self.base_url).scheme == "http" and not self.is_loopback and not self.allow_http:
            raise UsageError(
                f"The key would travel in clear text to {host}.",
                hint="Use an https:// base URL, or --allow-http for a self-hosted server you trust.",
            )
        return {"Authorization": header}


_ENVIRONMENT = MappingProxyType(
    {
        "api_key": "DEEPGRAM_API_KEY",
        "access_token": "DEEPGRAM_ACCESS_TOKEN",
        "base_url": "DEEPGRAM_BASE_URL",
        "project": "DEEPGRAM_PROJECT_ID",
    }
)


class _Credentials(NamedTuple):
    """A token or a key, and where it is from."""

    token: str | None = None
    key: str | None = None
    source: str | None = None


def _credentials(levels: Sequence[tuple[Mapping[str, Any], Mapping[str, str]]]) -> _Credentials:
    """Return token or key of the first level that has either; within one level the token wins.

    Each level is its values, and what each of them is called where it is given.
    """
    for level, names in levels:
        for name in ("access_token", "api_key"):
            if value := level.get(name):
                source = names[name]
                is_token = name == "access_token"
                return _Credentials(
                    str(value) if is_token else None, None if is_token else str(value), source
                )
    return _Credentials()


def _header_safe(text: str | None, name: str) -> str | None:
    """Strip white space off a credential; refuse what no header could carry."""
    if text is None:
        return None
    text = text.strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"The {name} has characters that no key has.", hint="Was it copied whole?")
    return text


def _check_given(given: Mapping[str, object]) -> None:
    """Check the types of what a program gave; the command line gives no wrong ones. Raises `UsageError`."""
    for name, value in given.items():
        kinds = SETTINGS.get(name, (object,))
        fits = isinstance(value, kinds) or (str in kinds and isinstance(value, os.PathLike))
        if not fits or (isinstance(value, bool) and not {bool, object} & set(kinds)):
            what = " or ".join(dict.fromkeys(KINDS[kind] for kind in kinds))
            raise UsageError(f"{name} takes {what}, not {type(value).__name__}.")


def load(
    flags: Mapping[str, object], *, profile: str | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """The configuration for one run.

    `flags` holds what the command line said (None: nothing), under the names of Config's fields. Raises
    `UsageError` when the file, the profile or a value cannot be used.
    """
    environ = os.environ if environ is None else environ
    path = config_path(environ)
    data = read_file(path, named=bool(environ.get("DGCLI_CONFIG")))
    given = {key: value for key, value in flags.items() if value is not None}
    _check_given(given)
    env = {key: environ[name] for key, name in _ENVIRONMENT.items() if environ.get(name)}
    profile = profile or environ.get("DGCLI_PROFILE") or None
    kept = kept_key(credentials_path(path), profile)
    # `dg login --profile NAME` makes a profile too, which may have nothing but its key.
    own = settings_of(data, profile, path, has_key=kept is not None and kept.profile == profile)
    in_file = {"access_token": f"access_token in {path}", "api_key": f"api_key in {path}"}
    flags_named = {"access_token": "--access-token", "api_key": "--api-key"}
    token, key, source = _credentials(((given, flags_named), (env, _ENVIRONMENT), (own, in_file)))
    merged: dict[str, Any] = {**own, **env, **given}
    ca_cert = merged.get("ca_cert")
    if ca_cert and not os.path.exists(
        home_path(str(ca_cert))
    ):  # also where no TLS is spoken, which would hide it
        named = "--ca-cert" if given.get("ca_cert") else f"ca_cert in {path}"
        raise UsageError(f"The certificates of {named} ({ca_cert}) cannot be read: there is no such file.")
    for name, value in merged.items():
        check_number(name, value, path)
    return Config(
        base_url=checked_base_url(str(merged.get("base_url", DEFAULT_BASE_URL))),
        api_key=_header_safe(key, "API key"),
        access_token=_header_safe(token, "access token"),
        allow_http=bool(merged.get("allow_http", False)),
        ca_cert=home_path(str(ca_cert)) if ca_cert else None,
        timeout=float(merged.get("timeout", DEFAULT_TIMEOUT)),
        retries=int(merged.get("retries", DEFAULT_RETRIES)),
        params=MappingProxyType(dict(own.get("params", {}))),
        path=path,
        local=bool(merged.get("local", False)),
        local_model=home_path(str(merged["local_model"])) if merged.get("local_model") else None,
        offline=bool(merged.get("offline", False)),
        warning=exposed(data, path),
        key_source=source,
        kept=None if source else kept,
        project=str(merged["project"]).strip() if merged.get("project") else None,
        history=bool(merged.get("history", True)),
        history_days=float(merged.get("history_days", DEFAULT_HISTORY_DAYS)),
        history_size=float(merged.get("history_size", DEFAULT_HISTORY_SIZE)),
    )


def _is_valid(values: Mapping[str, object], endpoint: Endpoint, *, local: bool) -> bool:
    try:
        check(values, endpoint, local=local)
    except UsageError:
        return False
    return True


def _profile_params(config: Config, endpoint: Endpoint, given: Mapping[str, object]) -> Mapping[str, object]:
    """Return the profile's parameters that the endpoint takes and `given` does not contradict."""
    excluded = {other for param in PARAMS if param.name in given for other in param.excludes}
    return {
        name: value
        for name, value in config.params.items()
        if name not in excluded and (name not in BY_NAME or endpoint in BY_NAME[name].endpoints)
    }


def checked_params(config: Config, given: Mapping[str, object], endpoint: Endpoint, **own: object) -> Values:
    """Return all query parameters of a request: the profile's, `own` defaults over them, and `given` over both.

    Parameters of the profile that this endpoint does not take are left out, since a profile serves all
    commands. `STREAM` stands for the one of both on which the model streams. Raises `UsageError`.
    """
    ours = {**own, **given}
    if endpoint == STREAM:
        endpoint = stream_endpoint(ours.get("model") or config.params.get("model"))
    local = config.local or config.is_loopback
    try:
        return check({**_profile_params(config, endpoint, given), **ours}, endpoint, local=local)
    except UsageError as error:
        if config.params and _is_valid(ours, endpoint, local=local):
            error.message += f" It comes from [params] in {config.path}."
        raise
