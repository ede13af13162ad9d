"""Hostile servers that end with the test."""

from collections.abc import Callable, Iterator

import pytest

from tests.hostile.sockets import HostileServer

Serve = Callable[..., HostileServer]


@pytest.fixture
def hostile() -> Iterator[Serve]:
    """Start servers with the behaviours that are given."""
    made: list[HostileServer] = []

    def start(*behaviours: object, **options: object) -> HostileServer:
        made.append(HostileServer(*behaviours, **options))  # type: ignore[arg-type]  # handed on
        return made[-1]

    yield start
    for server in made:
        server.close()
