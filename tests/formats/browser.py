"""A real headless Chromium, driven by chromedriver over the WebDriver protocol (W3C, "WebDriver")."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import HANGS_AFTER

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
MISSING = "Chromium and chromedriver are not installed"
# Nothing of the browser's own business goes over the network while a test runs.
_QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name the protocol gives to references


class Browser:
    """One session of a browser."""

    def __init__(self, base: str, *, javascript: bool) -> None:
        arguments = ["--headless=new", "--no-sandbox", "--mute-audio", "--window-size=1100,900", *_QUIET]
        options: dict[str, Any] = {"binary": CHROMIUM, "args": arguments}
        if not javascript:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
        }
        self._base = base
        self._session = base + "/session"
        started = self._call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self._session += "/" + started["sessionId"]

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._session + path, data, method=method)
        with urllib.request.urlopen(request, timeout=HANGS_AFTER) as answer:
            return json.load(answer)["value"]

    def open(self, page: Path) -> None:
        """Load a page from disk."""
        self.visit(page.resolve().as_uri())

    def visit(self, url: str) -> None:
        """Load a page."""
        self._call("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": arguments})

    def _find(self, selector: str) -> str:
        element = self._call("POST", "/element", {"using": "css selector", "value": selector})
        return str(element[_ELEMENT])

    def click(self, selector: str) -> None:
        """Click the first element that matches."""
        self._call("POST", f"/element/{self._find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into the first element that matches; \\ue007 is Enter."""
        self._call("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def text(self, selector: str) -> str:
        """What is to be read in the first element that matches."""
        return str(self._call("GET", f"/element/{self._find(selector)}/text"))

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What the browser noted since the last call: `performance` or `browser`."""
        return list(self._call("POST", "/se/log", {"type": kind}))

    def screenshot(self) -> bytes:
        """The window as a PNG."""
        import base64

        return base64.b64decode(self._call("GET", "/screenshot"))

    def devtools(self, command: str, **given: object) -> None:
        """Send a command of the DevTools protocol."""
        self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": given})

    def resize(self, width: int, height: int) -> None:
        """Give the page a window of so many CSS pixels; a narrow one is a phone's."""
        phone = width < 600
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def prefer(self, scheme: str) -> None:
        """Let the reader prefer `light` or `dark` pages."""
        self.devtools(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def save_downloads(self, folder: Path) -> None:
        """Let what a page gives the reader as a file be saved in a folder, without asking."""
        self.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        import base64

        return base64.b64decode(self._call("POST", "/print", {"background": False}))

    def requests(self) -> list[str]:
        """The URLs that were asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        sent = [message for message in messages if message["method"] == "Network.requestWillBeSent"]
        return [message["params"]["request"]["url"] for message in sent]

    def wait(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        """Until something is true of the page; fails after `seconds`."""
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, "the page never got there"

    def quit(self) -> None:
        """End the session and the browser."""
        self._call("DELETE", "")


@contextmanager
def browser(*, javascript: bool = True) -> Iterator[Browser]:
    """A browser for as long as the block runs."""
    assert DRIVER, MISSING
    process = subprocess.Popen(
        [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        port = ""
        for line in process.stdout:
            if "started successfully on port" in line:
                port = line.rsplit(" ", 1)[1].strip(".\n")
                break
        session = Browser(f"http://127.0.0.1:{port}", javascript=javascript)
        try:
            yield session
        finally:
            session.quit()
    finally:
        process.terminate()
        process.communicate(timeout=20)
