"""What `dg doctor` looks at, from Python to a transcript, in the order in which things depend on each other."""

import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from dgcli import __version__
from dgcli.config import Config
from dgcli.errors import AudioError, OutputError, UsageError
from dgcli.extras import DISTRIBUTION, install_command
from dgcli.tasks.reporter import SilentReporter
from dgcli.tasks.stages import STAGE_SECONDS, Diagnosis, Stage, StageResult, Verdict, run_stages

_SKEW = 60.0  # seconds: beyond it, tokens and certificates begin to fail
_WORST_SKEW = 300.0
_LOW_DISK, _NO_DISK = 1e9, 50e6  # bytes
_RATE = 16000  # Hz
_SILENCE = bytes(2 * _RATE)  # a second, 16-bit
_NETWORK_SECONDS = STAGE_SECONDS - 0.5  # so that the network's own error, which says more, comes first

CONFIG, KEY, PROXY, DNS, TCP, TLS = "Configuration", "API key", "Proxy", "DNS", "TCP", "TLS"


def _ok(text: str, request_id: str | None = None) -> Diagnosis:
    return Diagnosis(Verdict.OK, text, request_id=request_id)


def _python() -> Diagnosis:
    """Python itself, and the packages that dg needs."""
    missing = []
    try:
        requirements = metadata.requires(DISTRIBUTION) or ()
    except metadata.PackageNotFoundError:  # run from its sources: what is missing shows where it is used
        requirements = ()
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if "extra ==" not in requirement:
            try:
                metadata.version(name)
            except metadata.PackageNotFoundError:
                missing.append(name)
    if missing:
        raise UsageError(f"Packages are missing: {', '.join(missing)}.", hint=install_command())
    source = "" if requirements else ", not installed"
    return _ok(
        f"dg {__version__}{source}, Python {platform.python_version()}, {platform.platform()}; {sys.prefix}"
    )


def _key(config: Config) -> Diagnosis:
    config.authorization()
    origin = config.key_origin
    return _ok(f"From {origin}." if origin else f"None, and {config.host} may need none.")


def _proxy(config: Config) -> Diagnosis:
    from dgcli.api.proxies import proxy_for

    proxy = proxy_for(config.base_url)
    return _ok(f"{proxy.host}, set by {proxy.setting}." if proxy else "None.")


def _dns(config: Config) -> Diagnosis:
    from dgcli.api.probes import resolve

    host, addresses = resolve(config)
    return _ok(f"{host}: {', '.join(addresses[:4])}")


def _tcp(config: Config) -> Diagnosis:
    from dgcli.api.probes import connect

    place, seconds = connect(config, _NETWORK_SECONDS)
    return _ok(f"{place} in {seconds * 1000:.0f} ms.")


def _tls(config: Config) -> Diagnosis:
    from dgcli.api.probes import tls_version

    if config.base_url.startswith("http:"):
        return _ok("Not used: the base URL begins with http.")
    return _ok(f"{tls_version(config, _NETWORK_SECONDS)}, the certificate is trusted.")


def _clock(config: Config) -> Diagnosis:
    from dgcli.api.probes import clock_skew

    skew = clock_skew(config, _NETWORK_SECONDS)
    if skew is None:
        return _ok("The server does not tell its time.")
    text = f"This clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's."
    if abs(skew) > _WORST_SKEW:
        raise UsageError(text, hint="Set the clock, or have it set: timedatectl set-ntp true")
    if abs(skew) > _SKEW:
        return Diagnosis(Verdict.WARNING, text, "Set the clock.")
    return _ok(f"Within {max(1.0, abs(skew)):.0f} s of the server's.")


def _accepted(config: Config) -> Diagnosis:
    """Whether the key works, which costs nothing to ask."""
    from dgcli.tasks.login import key_status

    if config.key_origin is None:
        return Diagnosis(Verdict.SKIPPED, "There is no key.")
    status = key_status(replace(config, retries=0))
    if status.works is False and status.error is not None:
        raise status.error
    names = ", ".join(project["name"] or project["project_id"] for project in status.projects)
    return _ok(
        f"Works; project: {names}." if status.works else "This host does not say; see the next stages."
    )


class _Silence:
    """A second of silence as a WAV file, to be sent."""

    media_type = "audio/wav"

    def __init__(self) -> None:
        import io
        import wave

        data = io.BytesIO()
        with wave.open(data, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(_SILENCE)
        self._data = data.getvalue()

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self._data)

    def blocks(self) -> Iterator[bytes]:
        """All of it."""
        yield self._data


def _rest(config: Config) -> Diagnosis:
    from dgcli.api.client import Client
    from dgcli.transcript.response import parse_body

    asking = replace(config, retries=0, timeout=_NETWORK_SECONDS)
    began = time.monotonic()
    with Client(asking, report=lambda message: None) as client:  # noqa: ARG005 - nothing is tried again
        answer = client.transcribe_file(_Silence(), "model=nova-3", progress=lambda count: None)  # noqa: ARG005
    parse_body(answer.body)
    return _ok(f"A second of silence was transcribed in {time.monotonic() - began:.1f} s.", answer.request_id)


def _websocket(config: Config) -> Diagnosis:
    from dgcli.api import tls
    from dgcli.live.connection import Connection, ConnectionEnded

    url = config.url("/v1/listen", websocket=True)
    connection = Connection(
        f"{url}?model=nova-3&encoding=linear16&sample_rate={_RATE}",
        config.authorization(),
        ssl_context=tls.context(config.ca_cert) if url.startswith("wss:") else None,
        connect_timeout=_NETWORK_SECONDS,
    )
    try:
        connection.connect()
        connection.send_audio(_SILENCE)
        connection.send_text('{"type": "CloseStream"}')
        connection.receive()
    except ConnectionEnded as error:
        raise error.ending.error from error
    finally:
        connection.close()
    return _ok("The handshake and one result.", connection.request_id or None)


def _microphones() -> Diagnosis:
    from dgcli.audio.portaudio import devices, no_device

    try:
        microphones = devices()
        if not microphones:
            raise no_device()
    except AudioError as error:
        return Diagnosis(Verdict.WARNING, f"{error.message} Only dg mic needs it.", error.hint)
    default = next((device.name for device in microphones if device.is_default), microphones[0].name)
    return _ok(f"{len(microphones)}, the default is {default}.")


def _decoders() -> Diagnosis:
    parts = []
    for module, what in (("soundfile", "libsndfile"), ("av", "PyAV")):
        try:
            loaded = __import__(module)
            parts.append(f"{what} {getattr(loaded, '__libsndfile_version__', loaded.__version__)}")
        except (ImportError, OSError) as error:
            hint = install_command("media" if module == "av" else None)
            return Diagnosis(
                Verdict.WARNING, f"{what} cannot be loaded: {error}. Files are uploaded without it.", hint
            )
    return _ok(f"{', '.join(parts)}.")


def _local(config: Config) -> Diagnosis:
    from dgcli.tasks.models import list_models

    if find_spec("faster_whisper") is None:
        return Diagnosis(
            Verdict.WARNING,
            "faster-whisper is not installed: only --local needs it.",
            install_command("local"),
        )
    here = [row.name for row in list_models(config, SilentReporter()) if row.path is not None]
    if not here:
        return Diagnosis(
            Verdict.WARNING, "No model is here; --local fetches tiny.en.", "dg models pull small"
        )
    return _ok(f"{', '.join(here)}.")


def _state() -> Diagnosis:
    from dgcli.output.kept import state_folder

    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"dg")
    except OSError as error:
        hint = "Make it writable: what was paid for is kept there when it cannot be written elsewhere."
        raise OutputError(f"{folder} cannot be written: {error.strerror}.", hint=hint) from error
    return _ok(str(folder))


def _disk() -> Diagnosis:
    places = {Path.cwd(), Path(tempfile.gettempdir())}
    place, free = min(((place, shutil.disk_usage(place).free) for place in places), key=lambda pair: pair[1])
    text = f"{free / 1e9:,.1f} GB free in {place}."
    if free < _NO_DISK:
        raise OutputError(text, hint="Make room: outputs and uploads from a pipe need it.")
    if free < _LOW_DISK:
        return Diagnosis(Verdict.WARNING, text, "Make room: uploads from a pipe are put there first.")
    return _ok(text)


def _stages(load: Callable[[], Config], *, send: bool) -> Sequence[Stage]:
    """Return all stages. The configuration is loaded by a stage of its own; the others have it from there."""
    loaded: list[Config] = []

    def configuration() -> Diagnosis:
        loaded.append(load())
        there = "" if loaded[0].path.exists() else " (not there, which is fine)"
        return _ok(f"{loaded[0].path}{there}; {loaded[0].base_url}")

    def asking(look: Callable[[Config], Diagnosis]) -> Callable[[], Diagnosis]:
        return lambda: look(loaded[0])

    def billed(name: str, look: Callable[[Config], Diagnosis], needs: tuple[str, ...]) -> Stage:
        if send:
            return Stage(name, asking(look), needs)
        return Stage(name, lambda: Diagnosis(Verdict.SKIPPED, "--no-send: nothing is sent."))

    way = (CONFIG, KEY, TCP, TLS)
    return (
        Stage("Python", _python),
        Stage(CONFIG, configuration),
        Stage(KEY, asking(_key), (CONFIG,)),
        Stage(PROXY, asking(_proxy), (CONFIG,)),
        Stage(DNS, asking(_dns), (CONFIG, PROXY)),
        Stage(TCP, asking(_tcp), (CONFIG, DNS)),
        Stage(TLS, asking(_tls), (CONFIG, TCP)),
        Stage("Clock", asking(_clock), (CONFIG, TCP)),
        Stage("Key accepted", asking(_accepted), way),
        billed("REST", _rest, way),
        billed("WebSocket", _websocket, way),
        Stage("Microphones", _microphones),
        Stage("Decoders", _decoders),
        Stage("Local models", asking(_local), (CONFIG,)),
        Stage("State folder", _state),
        Stage("Disk", _disk),
    )


def diagnose(load: Callable[[], Config], *, send: bool) -> Iterator[StageResult]:
    """Yield every stage as it ends. With `send`, two seconds of silence are sent, which is billed."""
    return run_stages(_stages(load, send=send))


def exit_code(results: Sequence[StageResult]) -> int:
    """Return the exit code of the first failure, 0 without one."""
    return next((each.finding.exit_code for each in results if each.finding.verdict is Verdict.FAILED), 0)
