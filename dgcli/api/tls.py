"""The one TLS setting, for REST and WebSocket alike."""

import os
import ssl
from pathlib import Path

from dgcli.errors import UsageError


def context(ca_cert: Path | None) -> ssl.SSLContext:
    """A context that verifies servers against `ca_cert`, SSL_CERT_FILE and SSL_CERT_DIR, or certifi.

    TLS 1.2 is the least the API speaks. Raises `UsageError` when the certificates cannot be read.
    """
    file = ca_cert or os.environ.get("SSL_CERT_FILE") or None
    folder = None if ca_cert else os.environ.get("SSL_CERT_DIR") or None
    if file is None and folder is None:
        import certifi

        file = certifi.where()
    try:
        tls = ssl.create_default_context(cafile=file, capath=folder)
    except (OSError, ssl.SSLError) as error:
        source = "--ca-cert" if ca_cert else "SSL_CERT_FILE"
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else "it holds no certificates"
        raise UsageError(f"The certificates of {source} ({file}) cannot be read: {reason}.") from None
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return tls


def unused() -> ssl.SSLContext:
    """A context that trusts nobody, for plain http: loading authorities takes longer than a local request."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
