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

import math
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from dgcli.errors import AuthError, UsageError
from dgcli.params import BY_NAME, PARAMS, Endpoint, Values, check

DEFAULT_BASE_URL = "https://api.deepgram.com"
DEFAULT_TIMEOUT = 1500.0  # seconds for the answer: the API may compute for 20 minutes
DEFAULT_RETRIES = 3
DEFAULT_HISTORY_DAYS = 30.0
DEFAULT_HISTORY_SIZE = 1024.0  # MiB
_LONGEST_TIMEOUT = 86400.0  # seconds; the system's own limits lie far beyond

_NO_KEY = "No API key."
_NO_KEY_HINT = (
    "Give one with --api-key, with DEEPGRAM_API_KEY, or as api_key in {path}; "
    "or transcribe on this machine with --local."
)


@dataclass(frozen=True, slots=True)
class Config:
    """The endpoints, credentials and defaults that requests are sent with.

    `timeout` is in seconds. `params` are wire names of query parameters with the values of the profile. `local`:
    a server inside this process is asked; it recognises with the model in the folder `local_model`, or with one that
    is found or, unless `offline`, fetched. `history`: answers are kept on this machine, for at most `history_days`,
    and at most `history_size` MiB of them.
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

    def authorization(self) -> Mapping[str, str]:
        """The header that says who asks; empty where no key is needed.

        Raises `AuthError` without a key for Deepgram's own hosts, and `UsageError` rather than sending one in
        clear text to another machine. Source: Deepgram reference, "Authenticating".
        """
        host = urlsplit(self.base_url).hostname or ""
        if self.access_token:
            header = f"Bearer {self.access_token}"
        elif self.api_key:
            header = f"Token {self.api_key}"
        elif host == "deepgram.com" or host.endswith(".deepgram.com"):
            raise AuthError(_NO_KEY, hint=_NO_KEY_HINT.format(path=self.path))
        else:
            return {}
        if urlsplit(self.base_url).scheme == "http" and not self.is_loopback and not self.allow_http:
            raise UsageError(
                f"The key would travel in clear text to {host}.",
                hint="Use an https:// base URL, or --allow-http for a self-hosted server you trust.",
            )
        return {"Authorization": header}


def is_this_machine(host: str) -> bool:
    """Whether a name or an address means the machine that we run on."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _base_url(text: str) -> str:
    """Complete and check a base URL; a bare host is https, unless it is this machine."""
    text = text.strip()
    try:
        if "://" not in text:
            host = urlsplit(f"//{text}").hostname or ""
            text = f"{'http' if is_this_machine(host) else 'https'}://{text}"
        scheme, place, path, _, _ = urlsplit(text)
        scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        host = (urlsplit(text).hostname or "").encode("idna").decode()
        usable = scheme in ("http", "https") and bool(host) and urlsplit(text).port != 0 and "@" not in place
    except ValueError:  # a port that is no number, a host that is no name (UnicodeError is one)
        usable = False
    if not usable:
        redacted = re.sub(r"//[^/]*@", "//...@", text)  # it may hold a password
        raise UsageError(
            f"The base URL {redacted!r} cannot be used.",
            hint=f"It looks like {DEFAULT_BASE_URL}, without a path.",
        )
    # The endpoint's own path is ours to add, and people paste it.
    for tail in ("/v1/listen", "/v2/listen", "/v1", "/v2"):
        path = path.rstrip("/").removesuffix(tail)
    return urlunsplit((scheme, place, path.rstrip("/"), "", ""))


def _path(text: str) -> Path:
    """Resolve `~` in a path; where there is no such home, it is a name like any other."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the path of the config file, whether or not it exists."""
    if named := environ.get("DGCLI_CONFIG"):
        return _path(named)
    from platformdirs import user_config_path

    return user_config_path("dgcli", appauthor=False) / "config.toml"


def _read(path: Path, *, named: bool) -> Mapping[str, Any]:
    """The config file; empty where there is none, unless it was named."""
    try:
        with path.open("rb") as file:
            import tomllib  # most have no such file

            return tomllib.load(file)
    except FileNotFoundError:
        if named:
            raise UsageError(f"The config file {path} does not exist.") from None
        return {}
    except OSError as error:
        raise UsageError(f"The config file {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are such
        raise UsageError(f"The config file {path} is not valid TOML: {error}.") from None


_SETTINGS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "api_key": (str,),
        "access_token": (str,),
        "base_url": (str,),
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


_KINDS: Mapping[type, str] = MappingProxyType(
    {str: "text", bool: "true or false", int: "a number", float: "a number", dict: "a table", list: "a list"}
)
_SECRETS = ("api_key", "access_token")


def _exposed(data: Mapping[str, Any], path: Path) -> str | None:
    """Say how a file with a key is closed to others, if they can read it."""
    profiles = data.get("profiles")
    tables = [data, *(profiles.values() if isinstance(profiles, dict) else ())]
    if os.name != "posix" or not any(
        name in table for table in tables if isinstance(table, dict) for name in _SECRETS
    ):
        return None
    try:
        mode = path.stat().st_mode
    except OSError:  # it was there a moment ago
        return None
    if not mode & 0o077:
        return None
    return f"Others can read the key in {path}: chmod 600 {shlex.quote(str(path))}"


def _checked(table: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Check a table of the config file: known settings of the right type only."""
    for key, value in table.items():
        if key not in _SETTINGS:
            raise UsageError(
                f"The config file {path} has an unknown setting {key!r}.",
                hint=f"Settings: {', '.join(_SETTINGS)}, profiles. Query parameters go under [params].",
            )
        wrong = not isinstance(value, _SETTINGS[key]) or (
            isinstance(value, bool) and bool not in _SETTINGS[key]
        )
        if wrong:  # the value is not repeated: it may be a secret
            kinds = " or ".join(dict.fromkeys(_KINDS[kind] for kind in _SETTINGS[key]))
            actual = _KINDS.get(type(value), "something else")
            raise UsageError(f"The setting {key!r} in {path} takes {kinds}, not {actual}.")
    return table


def _profile(data: Mapping[str, Any], name: str | None, path: Path) -> Mapping[str, Any]:
    """The settings at the top of the file, with those of one profile over them."""
    profiles = data.get("profiles", {})
    if not isinstance(profiles, dict):
        raise UsageError(
            f"The setting 'profiles' in {path} takes tables, not {_KINDS.get(type(profiles), 'something else')}.",
            hint="Use [profiles.NAME].",
        )
    top = _checked({key: value for key, value in data.items() if key != "profiles"}, path)
    if name is None:
        return top
    if not isinstance(profiles.get(name), dict):
        known = ", ".join(profiles) or "none"
        raise UsageError(f"There is no profile {name!r} in {path}.", hint=f"Profiles: {known}.")
    own = _checked(profiles[name], path)
    merged = {**top, **own, "params": {**top.get("params", {}), **own.get("params", {})}}
    # A profile with credentials of its own is not to be outvoted by those at the top.
    if "api_key" in own and "access_token" not in own:
        merged.pop("access_token", None)
    return merged


_ENVIRONMENT = MappingProxyType(
    {
        "api_key": "DEEPGRAM_API_KEY",
        "access_token": "DEEPGRAM_ACCESS_TOKEN",
        "base_url": "DEEPGRAM_BASE_URL",
    }
)


def _credentials(levels: tuple[Mapping[str, Any], ...]) -> tuple[str | None, str | None]:
    """Access token and key of the first level that has either; within one level the token wins."""
    for level in levels:
        token, key = level.get("access_token"), level.get("api_key")
        if token or key:
            return (str(token), None) if token else (None, str(key))
    return None, None


def _header_safe(text: str | None, name: str) -> str | None:
    """Strip white space off a credential; refuse what no header could carry."""
    if text is None:
        return None
    text = text.strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"The {name} has characters that no key has.", hint="Was it copied whole?")
    return text


def _limit(settings: Mapping[str, Any], name: str, default: float, path: Path) -> float:
    """A limit of the history. Raises `UsageError`."""
    limit = float(settings.get(name, default))
    if not 0 < limit < math.inf:
        raise UsageError(
            f"The setting {name!r} in {path} takes a number above 0, not {limit:g}.",
            hint="To keep no answers: history = false",
        )
    return limit


def load(
    flags: Mapping[str, object], *, profile: str | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """The configuration for one run.

    `flags` holds what the command line said (None: nothing), under the names of Config's fields. Raises
    `UsageError` when the file, the profile or a value cannot be used.
    """
    environ = os.environ if environ is None else environ
    path = config_path(environ)
    data = _read(path, named=bool(environ.get("DGCLI_CONFIG")))
    given = {key: value for key, value in flags.items() if value is not None}
    env = {key: environ[name] for key, name in _ENVIRONMENT.items() if environ.get(name)}
    own = _profile(data, profile or environ.get("DGCLI_PROFILE") or None, path)
    token, key = _credentials((given, env, own))
    merged: dict[str, Any] = {**own, **env, **given}
    ca_cert = merged.get("ca_cert")
    timeout, retries = (
        float(merged.get("timeout", DEFAULT_TIMEOUT)),
        int(merged.get("retries", DEFAULT_RETRIES)),
    )
    if not 0 < timeout <= _LONGEST_TIMEOUT:
        raise UsageError(f"--timeout takes seconds above 0, up to {_LONGEST_TIMEOUT:.0f}, not {timeout:g}.")
    if retries < 0:
        raise UsageError(f"--retries takes 0 or more, not {retries}.")
    return Config(
        base_url=_base_url(str(merged.get("base_url", DEFAULT_BASE_URL))),
        api_key=_header_safe(key, "API key"),
        access_token=_header_safe(token, "access token"),
        allow_http=bool(merged.get("allow_http", False)),
        ca_cert=_path(str(ca_cert)) if ca_cert else None,
        timeout=timeout,
        retries=retries,
        params=MappingProxyType(dict(own.get("params", {}))),
        path=path,
        local=bool(merged.get("local", False)),
        local_model=_path(str(merged["local_model"])) if merged.get("local_model") else None,
        offline=bool(merged.get("offline", False)),
        warning=_exposed(data, path),
        history=bool(merged.get("history", True)),
        history_days=_limit(merged, "history_days", DEFAULT_HISTORY_DAYS, path),
        history_size=_limit(merged, "history_size", DEFAULT_HISTORY_SIZE, path),
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
    commands. Raises `UsageError`.
    """
    ours = {**own, **given}
    local = config.local or config.is_loopback
    try:
        return check({**_profile_params(config, endpoint, given), **ours}, endpoint, local=local)
    except UsageError as error:
        if config.params and _is_valid(ours, endpoint, local=local):
            error.message += f" It comes from [params] in {config.path}."
        raise
