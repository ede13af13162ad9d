"""Blocking network calls in threads that nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def _tell(loop: asyncio.AbstractEventLoop, *call: Any) -> None:
    try:
        loop.call_soon_threadsafe(*call)
    except RuntimeError:
        return  # the loop has ended, and with it everyone who waited


async def call(function: Callable[[threading.Event], T]) -> T:
    """Run `function(stop)` in a thread and return its result; a cancelled call sets `stop` and leaves it.

    Not `asyncio.to_thread`: its threads are joined when the loop ends, and a remote host that does not
    answer would hold up Ctrl-C for as long as its timeout.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    stop = threading.Event()

    def settle(setter: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            setter(value)

    def run() -> None:
        try:
            result = function(stop)
        except BaseException as error:
            _tell(loop, settle, future.set_exception, error)
        else:
            _tell(loop, settle, future.set_result, result)

    threading.Thread(target=run, name="network", daemon=True).start()
    try:
        return await future
    finally:
        stop.set()
