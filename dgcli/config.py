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
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from dgcli.credentials import KeptKey, credentials_path, kept_key
from dgcli.errors import AuthError, UsageError
from dgcli.params import BY_NAME, PARAMS, STREAM, Endpoint, Values, check, stream_endpoint
from dgcli.system import HAS_MODES

DEFAULT_BASE_URL = "https://api.deepgram.com"
DEFAULT_TIMEOUT = 1500.0  # seconds for the answer: the API may compute for 20 minutes
DEFAULT_RETRIES = 3
DEFAULT_HISTORY_DAYS = 30.0
DEFAULT_HISTORY_SIZE = 1024.0  # MiB
_LONGEST_TIMEOUT = 86400.0  # seconds; the system's own limits lie far beyond

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


def _read(path: Path, *, named: bool) -> Mapping[str, Any]:
    """The config file; empty where there is none, unless it was named."""
    check_no_pipe(path)
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


_KINDS: Mapping[type, str] = MappingProxyType(
    {str: "text", bool: "true or false", int: "a number", float: "a number", dict: "a table", list: "a list"}
)
_SECRETS = ("api_key", "access_token")


def _exposed(data: Mapping[str, Any], path: Path) -> str | None:
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
            kinds = " or ".join(dict.fromkeys(_KINDS[kind] for kind in SETTINGS[key]))
            actual = _KINDS.get(type(value), "something else")
            raise UsageError(
                f"The setting {key!r} in {path} takes {kinds}, not {actual}.", hint=_correct(key, value)
            )
    return table


def _profile(
    data: Mapping[str, Any], name: str | None, path: Path, *, has_key: bool = False
) -> Mapping[str, Any]:
    """The settings at the top of the file, with a profile's over them; one that `has_key` needs no more."""
    profiles = data.get("profiles", {})
    if not isinstance(profiles, dict):
        raise UsageError(
            f"The setting 'profiles' in {path} takes tables, not {_KINDS.get(type(profiles), 'something else')}.",
            hint="Use [profiles.NAME].",
        )
    for profile, table in profiles.items():
        if not isinstance(table, dict):
            raise UsageError(
                f"The profile {profile!r} in {path} is {_KINDS.get(type(table), 'something else')}, not a table.",
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


def check_text(text: str, path: Path) -> None:
    """Check what is to be the config file `path`: TOML, with known settings of the right types. Raises `UsageError`."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"That is not valid TOML: {error}.") from None
    profiles = data.get("profiles", {})
    for name in (None, *(profiles if isinstance(profiles, dict) else ())):
        own = _profile(data, name, path)
        _base_url(str(own.get("base_url", DEFAULT_BASE_URL)))


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


def _limit(settings: Mapping[str, Any], name: str, default: float, path: Path) -> float:
    """A limit of the history. Raises `UsageError`."""
    limit = float(settings.get(name, default))
    if not 0 < limit < math.inf:
        raise UsageError(
            f"The setting {name!r} in {path} takes a number above 0, not {limit:g}.",
            hint="To keep no answers: history = false",
        )
    return limit


def _check_given(given: Mapping[str, object]) -> None:
    """Check the types of what a program gave; the command line gives no wrong ones. Raises `UsageError`."""
    for name, value in given.items():
        kinds = SETTINGS.get(name, (object,))
        fits = isinstance(value, kinds) or (str in kinds and isinstance(value, os.PathLike))
        if not fits or (isinstance(value, bool) and not {bool, object} & set(kinds)):
            what = " or ".join(dict.fromkeys(_KINDS[kind] for kind in kinds))
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
    data = _read(path, named=bool(environ.get("DGCLI_CONFIG")))
    given = {key: value for key, value in flags.items() if value is not None}
    _check_given(given)
    env = {key: environ[name] for key, name in _ENVIRONMENT.items() if environ.get(name)}
    profile = profile or environ.get("DGCLI_PROFILE") or None
    kept = kept_key(credentials_path(path), profile)
    # `dg login --profile NAME` makes a profile too, which may have nothing but its key.
    own = _profile(data, profile, path, has_key=kept is not None and kept.profile == profile)
    in_file = {"access_token": f"access_token in {path}", "api_key": f"api_key in {path}"}
    flags_named = {"access_token": "--access-token", "api_key": "--api-key"}
    token, key, source = _credentials(((given, flags_named), (env, _ENVIRONMENT), (own, in_file)))
    merged: dict[str, Any] = {**own, **env, **given}
    ca_cert = merged.get("ca_cert")
    if ca_cert and not os.path.exists(
        _path(str(ca_cert))
    ):  # also where no TLS is spoken, which would hide it
        named = "--ca-cert" if given.get("ca_cert") else f"ca_cert in {path}"
        raise UsageError(f"The certificates of {named} ({ca_cert}) cannot be read: there is no such file.")
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
        key_source=source,
        kept=None if source else kept,
        project=str(merged["project"]).strip() if merged.get("project") else None,
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
