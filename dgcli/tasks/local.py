"""`--local`: a server inside this process, for as long as a block runs.

With tasks/serve.py and tasks/models.py this is the only place where client and server meet: neither imports
the other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from dgcli.config import Config
from dgcli.params import Values
from dgcli.tasks.reporter import Reporter


def _language(values: Values) -> str | None:
    """Return the language of a request as models are chosen by it."""
    if values.get("detect_language", False) is not False:
        return "detect"
    return str(values["language"]) if "language" in values else None


def check_model(config: Config, values: Values, reporter: Reporter) -> None:
    """Make sure that there is a model for a request, before audio is opened that does not wait; fetch the default one.

    Raises `UsageError`, `NetworkError` and `OutputError`.
    """
    from dgcli.server.settings import ServerSettings
    from dgcli.tasks.models import models_for, needs_models

    if config.local_model is None and needs_models(ServerSettings().engine):
        models_for(config, reporter, model=str(values.get("model")), language=_language(values))


@contextmanager
def reached(
    config: Config,
    reporter: Reporter,
    values: Values,
    *,
    local: bool,
    on_progress: Callable[[float], None] | None = None,
) -> Iterator[Config]:
    """The configuration to ask with: as it is, or that of a server of our own while the block runs.

    `values` are those of the request, or of the first of many: a model for them is made sure of. `on_progress` is told,
    in a thread of the server, the share (0 to 1) of a recording that it has transcribed. Raises `UsageError` where the
    server cannot be started, and as `check_model`.
    """
    if not local:
        yield config
        return
    from dgcli.server.run import ServerSettings, running
    from dgcli.tasks.models import models_for, needs_models

    settings = ServerSettings(port=0, allow_private_urls=True, on_progress=on_progress)
    if needs_models(settings.engine):
        models = models_for(config, reporter, model=str(values.get("model")), language=_language(values))
        settings = replace(settings, models=models)
    with running(settings) as base_url:
        yield replace(config, base_url=base_url, api_key=None, access_token=None, kept=None)
