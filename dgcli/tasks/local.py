"""`--local`: a server inside this process, for as long as a block runs.

With tasks/serve.py and tasks/models.py this is the only place where client and server meet: neither imports
the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from dgcli.config import Config


@contextmanager
def reached(config: Config, *, local: bool) -> Iterator[Config]:
    """The configuration to ask with: as it is, or that of a server of our own while the block runs.

    Raises `UsageError` where the server cannot be started.
    """
    if not local:
        yield config
        return
    from dgcli.server.run import ServerSettings, running

    with running(ServerSettings(port=0, allow_private_urls=True)) as base_url:
        yield replace(config, base_url=base_url, api_key=None, access_token=None)
