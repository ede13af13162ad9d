"""A keyring for tests: it keeps secrets in a file that KEYRING_FILE names, and can be locked."""

import json
import os
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FileKeyring(KeyringBackend):
    """As good as a system's, says its rating."""

    priority: Any = 5

    def _all(self) -> dict[str, str]:
        if os.environ.get("KEYRING_LOCKED"):
            raise KeyringLocked("the collection is locked")
        path = Path(os.environ["KEYRING_FILE"])
        return json.loads(path.read_text()) if path.exists() else {}

    def _write(self, secrets: dict[str, str]) -> None:
        Path(os.environ["KEYRING_FILE"]).write_text(json.dumps(secrets))

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._all(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        secrets = self._all()
        if secrets.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not found")
        self._write(secrets)
