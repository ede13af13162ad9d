"""The only authority on the values of parameters: what they are on the wire, and what is certainly wrong.

Flags, the config file and `--param KEY=VALUE` all come through here, so that they behave alike.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode, urlsplit

from dgcli.errors import UsageError
from dgcli.params.table import (
    BY_NAME,
    ENDPOINT_NAMES,
    MODELS_FLUX,
    PARAMS,
    RATES_FLUX,
    STREAM,
    Endpoint,
    Param,
    ParamKind,
    Value,
    Values,
    family,
)

_NAMES = frozenset({"language", "model"})  # text that no number can be, as a config file may have it
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def _switch(param: Param, raw: object) -> bool:
    """The value of a flag, from a bool or from what a config file or `--param` says."""
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in (*_TRUE, param.true_value):
        return True
    if text in _FALSE:
        return False
    raise UsageError(
        f"{param.flag} is on or off, not {str(raw)!r}.",
        hint=f"Use {param.flag} or --no-{param.name.replace('_', '-')}.",
    )


def _number(param: Param, raw: object) -> int | float:
    """The value of a number, checked against its range."""
    whole = param.kind is not ParamKind.NUMBER
    kind = "a whole number" if whole else "a number"
    try:
        value = int(str(raw)) if whole else float(str(raw))  # a bool is no number: "True" fails too
    except ValueError:
        raise UsageError(f"{param.flag} takes {kind}, not {str(raw)!r}.") from None
    low, high = param.minimum, param.maximum
    fits = (
        (low is None or value >= low)
        and (high is None or value <= high)
        and (param.above is None or value > param.above)
        and value == value  # NaN is no number that could be meant
        and abs(value) != float("inf")
    )
    if not fits:
        if low is not None and high is not None:
            span = f"from {low:g} to {high:g}"
        elif low is not None:
            span = f"of {low:g} or more"
        else:
            span = f"above {param.above:g}" if param.above is not None else "that is finite"
        raise UsageError(f"{param.flag} takes {kind} {span}, not {raw}.")
    return value


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # surrogates: bytes of the command line that are no UTF-8
        return False
    return True


def _text(param: Param, raw: object) -> str:
    """Check one text value for emptiness, length and shape."""
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if not text.strip():
        raise UsageError(f"{param.flag} needs a value.", hint="Leave it out to send nothing.")
    if not _is_encodable(text):
        raise UsageError(f"{param.flag} has bytes that are no UTF-8: {text!r}.")
    if isinstance(raw, dict | list | tuple) or (param.name in _NAMES and not isinstance(raw, str)):
        raise UsageError(f"{param.flag} takes text, not {raw!r}.")
    if param.longest is not None and len(text) > param.longest:
        raise UsageError(f"{param.flag} takes at most {param.longest} characters, not {len(text)}.")
    key, colon, _ = text.partition(":")
    if param.kind is ParamKind.PAIRS and not (colon and key.strip()):
        raise UsageError(f"{param.flag} takes KEY:VALUE, not {text!r}.")
    return text


def _choice(param: Param, raw: object, endpoint: Endpoint) -> str:
    """Check a value of a closed list, whatever its case."""
    allowed = param.values_on(endpoint)
    for value in allowed:
        if value.lower() == str(raw).strip().lower():
            return value
    raise UsageError(f"{param.flag} takes {_either(allowed)} on {_where(endpoint)}, not {str(raw)!r}.")


def _many(param: Param, raw: object) -> tuple[str, ...]:
    """The values of a repeated parameter, from one value or several."""
    several = list(raw) if isinstance(raw, list | tuple) else [raw]
    if param.most is not None and len(several) > param.most:
        raise UsageError(f"{param.flag} may be given {param.most} times at most, not {len(several)}.")
    return tuple(_text(param, item) for item in several)


def _parse(param: Param, raw: object, endpoint: Endpoint) -> Value:
    """Parse a value by its row, whether it comes from a flag, a config file or `--param`."""
    if isinstance(raw, list | tuple) and not param.repeats and param.kind is not ParamKind.FLAG_OR_LIST:
        raise UsageError(f"{param.flag} takes one value, not {len(raw)}.")
    match param.kind:
        case ParamKind.FLAG:
            return _switch(param, raw)
        case ParamKind.FLAG_OR_LIST:
            if isinstance(raw, bool) or str(raw).strip().lower() in ("true", "false"):
                return _switch(param, raw)
            return _many(param, raw)
        case ParamKind.INTEGER_OR_FALSE:
            if isinstance(raw, bool) or str(raw).strip().lower() in ("true", "false"):
                return _switch(param, raw)
            return _number(param, raw)
        case ParamKind.INTEGER | ParamKind.NUMBER:
            return _number(param, raw)
        case ParamKind.CHOICE:
            return _choice(param, raw, endpoint)
        case ParamKind.LIST | ParamKind.PAIRS:
            return _many(param, raw)
        case ParamKind.TEXT:
            return _text(param, raw)


def _either(options: Iterable[str]) -> str:
    *most, last = options
    return f"{', '.join(most)} or {last}" if most else last


def _where(endpoint: Endpoint) -> str:
    return ENDPOINT_NAMES[endpoint]


def _on(values: Values, name: str) -> bool:
    """Whether a parameter is switched on, or has a value."""
    return values.get(name, False) is not False


def _check_taken(param: Param, endpoint: Endpoint) -> None:
    if endpoint not in param.endpoints:
        if endpoint is Endpoint.FLUX and param.on_flux:
            raise UsageError(f"{param.flag} is not taken by {_where(endpoint)}.", hint=param.on_flux)
        takers = [name for where, name in ENDPOINT_NAMES.items() if where in param.endpoints]
        raise UsageError(
            f"{param.flag} is not taken by {_where(endpoint)}.", hint=f"It is for {_either(takers)}."
        )


def _check_relations(param: Param, values: Values, endpoint: Endpoint, *, local: bool) -> None:
    """Check what a parameter that is on needs beside it, and what it excludes."""
    for need in param.needs:
        if endpoint not in need.on or any(_on(values, name) for name in need.any_of):
            continue
        flags = _either(BY_NAME[name].flag for name in need.any_of)
        raise UsageError(f"{param.flag} needs {flags}.", hint=f"Add {flags}, or leave {param.flag} out.")
    for name in param.excludes:
        if _on(values, name):
            other = BY_NAME[name].flag
            raise UsageError(
                f"{param.flag} cannot be used together with {other}.",
                hint=f"Leave {other} out: {param.flag} stands for it.",
            )
    kin = family(str(values.get("model", "")))
    if local and kin == "whisper":
        return  # the API's limits of these models are not those of a recogniser of ours
    if param.families and kin is not None and kin not in param.families:
        instead = {"keyterm": "keywords", "keywords": "keyterm"}.get(param.name)
        raise UsageError(
            f"{param.flag} is not taken by the model {values['model']}.",
            hint=f"Use {BY_NAME[instead].flag}, or another --model." if instead else "Use another --model.",
        )


def _check_model(values: Values, endpoint: Endpoint, *, local: bool) -> None:
    """Refuse a model that the endpoint certainly does not have."""
    model = str(values.get("model", ""))
    kin = family(model)
    if endpoint is Endpoint.FLUX:
        if not model:
            raise UsageError("A Flux stream needs --model.", hint=f"Use --model {_either(MODELS_FLUX)}.")
        if kin not in ("flux", None):
            raise UsageError(f"The model {model} is no Flux model.", hint=f"Use {_either(MODELS_FLUX)}.")
        if "language_hint" in values and kin == "flux" and model.lower() != "flux-general-multi":
            raise UsageError(
                f"--language-hint is not taken by {model}.", hint="Use --model flux-general-multi."
            )
    elif kin == "flux":
        raise UsageError(
            f"The model {model} is for Flux streams only (/v2/listen).",
            hint="Use dg live or dg mic, or --model nova-3.",
        )
    if endpoint in STREAM and kin == "whisper" and not local:
        raise UsageError("Whisper models do not stream.", hint="Use --model nova-3, `dg file`, or --local.")


def _check_redact(values: Values, endpoint: Endpoint) -> None:
    """Flux hides digits, and nothing else."""
    allowed = BY_NAME["redact"].values_on(endpoint)
    asked = values.get("redact", ())
    wrong = [what for what in asked if what not in allowed] if isinstance(asked, tuple) else []
    if endpoint is Endpoint.FLUX and wrong:
        raise UsageError(f"--redact takes {_either(allowed)} on {_where(endpoint)}, not {wrong[0]!r}.")


def _check_numbers(values: Values, endpoint: Endpoint) -> None:
    """Check the rules between two numbers, or a number and a name."""
    rate = {"amr-nb": 8000, "amr-wb": 16000}.get(str(values.get("encoding")))
    if rate is not None and values.get("sample_rate", rate) != rate:
        raise UsageError(f"--encoding {values['encoding']} has a --sample-rate of {rate}.")
    hertz = values.get("sample_rate")
    if endpoint is Endpoint.FLUX and hertz is not None and hertz not in RATES_FLUX:
        rates = _either(map(str, RATES_FLUX))
        raise UsageError(f"Flux takes a --sample-rate of {rates} Hz, not {hertz}.", hint="16000 is advised.")
    eager, sure = values.get("eager_eot_threshold"), values.get("eot_threshold", 0.7)
    if isinstance(eager, int | float) and isinstance(sure, int | float) and eager > sure:
        raise UsageError(f"eager_eot_threshold ({eager:g}) must not be above eot_threshold ({sure:g}).")


def _check_callback(values: Values, endpoint: Endpoint) -> None:
    callback = values.get("callback")
    if callback is None:
        return
    schemes = ("http", "https", "ws", "wss") if endpoint is Endpoint.LIVE else ("http", "https")
    try:
        parts = urlsplit(str(callback))
        whole = parts.scheme.lower() in schemes and bool(parts.netloc)
    except ValueError:  # brackets that are no IPv6 address
        whole = False
    if not whole:
        raise UsageError(
            f"--callback takes a whole URL, not {callback!r}.", hint=f"It begins with {_either(schemes)}://."
        )


def check_value(name: str, raw: object) -> None:
    """Check the value of a parameter by itself: some endpoint must take it. Raises `UsageError`."""
    param = BY_NAME.get(name)
    if param is None:
        return
    failure: UsageError | None = None
    for endpoint in param.endpoints:
        try:
            _check_callback({name: _parse(param, raw, endpoint)}, endpoint)
        except UsageError as error:
            failure = failure or error
        else:
            return
    if failure is not None:
        raise failure


def split_assignment(text: str, *, flag: str) -> tuple[str, str]:
    """The two halves of KEY=VALUE as given to `flag`."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"{flag} takes KEY=VALUE, not {text!r}.")
    return key.strip(), value


def merge(given: Mapping[str, object], assignments: Iterable[str]) -> dict[str, object]:
    """Merge flags and `--param KEY=VALUE`; what repeats is added, what contradicts is refused."""
    merged = dict(given)
    for text in assignments:
        key, value = split_assignment(text, flag="--param")
        param = BY_NAME.get(key)
        name = param.name if param else key
        before = merged.get(name)
        if before is None:
            merged[name] = value
        elif param is None or param.repeats or isinstance(before, list | tuple):
            # An unknown parameter may be a repeatable one: all its values are sent.
            merged[name] = [*(before if isinstance(before, list | tuple) else [before]), value]
        elif str(before).lower() != value.lower():
            raise UsageError(f"{param.flag} {before} and --param {text} contradict each other.")
    return merged


def check(given: Mapping[str, object], endpoint: Endpoint, *, local: bool = False) -> Values:
    """Return every parameter to send to `endpoint`, our defaults included, in the table's order.

    `given` maps wire names to what a flag, the config file or `--param` said; None means "not sent". Names
    that the table does not know are passed on as they are. `local`: a server of this machine is asked, whose
    Whisper models stream. Raises `UsageError`, which names the flag and the
    remedy, for what is certainly wrong.
    """
    known: dict[str, Value] = {}
    unknown: dict[str, Value] = {}
    for key, raw in given.items():
        if raw is None or raw in ([], ()):
            continue
        param = BY_NAME.get(key)
        if param is None:
            unknown[key] = tuple(map(str, raw)) if isinstance(raw, list | tuple) else _plain(raw)
            continue
        value = _parse(param, raw, endpoint)
        if endpoint not in param.endpoints and (value is False or (param.name, value) == ("channels", 1)):
            continue  # off, or one channel, is what an endpoint without it has anyway
        _check_taken(param, endpoint)
        known[param.name] = value
    values: dict[str, Value] = {}
    for param in PARAMS:
        value_or_none = known.get(param.name, param.default_for(endpoint))
        if value_or_none is not None:
            values[param.name] = value_or_none
    # Off beside what excludes it says nothing more, and the API refuses the two together.
    excluded = {other for name in values if _on(values, name) for other in BY_NAME[name].excludes}
    values = {name: value for name, value in values.items() if not (value is False and name in excluded)}
    for name in values:
        if _on(values, name):
            _check_relations(BY_NAME[name], values, endpoint, local=local)
    _check_model(values, endpoint, local=local)
    _check_numbers(values, endpoint)
    _check_redact(values, endpoint)
    _check_callback(values, endpoint)
    return {**values, **unknown}


def _plain(raw: object) -> Value:
    return raw if isinstance(raw, bool | int | float | str) else str(raw)


def _wire(name: str, value: Value) -> tuple[str, ...]:
    """Spell a value for the query string; several for what repeats."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, bool):
        if not value:
            return ("false",)
        return (BY_NAME[name].true_value if name in BY_NAME else "true",)
    return (str(value),)


def encode(values: Values) -> str:
    """Encode checked values as a query string: true/false, repeated keys, in the order they come in."""
    return urlencode([(name, text) for name, value in values.items() for text in _wire(name, value)])
