"""Delivery of a result to the URL that the request named (page "Callback")."""

import asyncio
import logging
import uuid
from collections.abc import Mapping

from dgcli.server.background import call
from dgcli.server.fetch import deliver
from dgcli.server.query import Callback

_RETRIES = 10
_log = logging.getLogger("dgcli.server")


def key_id(key: str | None) -> str:
    """Return what the API's `dg-token` header holds: an id of the key, which does not reveal it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:dgcli:key:{key or ''}"))


async def deliver_once(
    callback: Callback, body: bytes, headers: Mapping[str, str], *, allow_private: bool
) -> int | None:
    """Send `body` and return the status, or None when there was no answer."""
    return await call(
        lambda _: deliver(callback.method, callback.url, body, headers, allow_private=allow_private)
    )


async def send(
    callback: Callback, body: bytes, *, token: str, request_id: str, retry_delay: float, allow_private: bool
) -> bool:
    """Deliver `body`; any status outside 2xx is tried again, 10 times, `retry_delay` seconds apart."""
    headers = {"Content-Type": "application/json", "dg-token": token, "dg-request-id": request_id}
    for attempt in range(_RETRIES + 1):
        if attempt:
            await asyncio.sleep(retry_delay)
        status = await deliver_once(callback, body, headers, allow_private=allow_private)
        if status is not None and 200 <= status < 300:
            return True
        _log.warning("callback of %s: %s", request_id, f"HTTP {status}" if status else "no answer")
    return False
