"""A real browser, without a window, spoken to over the Chrome DevTools Protocol."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# As root there is no sandbox; the rest keeps it from looking for its maker's servers.
OPTIONS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --remote-debugging-port=0
""".split()
PATIENCE_SECONDS = 20.0


class Tab:
    """One tab. `requests` are the addresses it asked for, `answers` their status by address."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0
        self.requests: list[str] = []
        self.answers: dict[str, int] = {}
        self.call("Network.enable")
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=PATIENCE_SECONDS))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])
            self._notice(message)

    def _notice(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if message.get("method") == "Network.responseReceived":
            response = message["params"]["response"]
            self.answers[response["url"]] = response["status"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a condition in JavaScript is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.evaluate(condition) is not True:
            assert time.monotonic() < deadline, f"{condition} never became true:\n{self.text()}\n{self.answers}"
            time.sleep(0.05)

    def picture(self) -> Image.Image:
        """Return what the whole page looks like, below the window's edge, too, a pixel for each of CSS."""
        width, height = self.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        area = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self.call("Page.captureScreenshot", format="png", clip=area, captureBeyondViewport=True)
        picture = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
        assert picture.size == (width, height)
        return picture

    def text(self) -> str:
        return str(self.evaluate("document.body.innerText"))


@contextmanager
def open_tab(profile: Path) -> Iterator[Tab]:
    """Start a browser with an empty profile and yield its only tab."""
    program = next(path for name in PROGRAMS if (path := shutil.which(name)))
    process = subprocess.Popen(
        [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_address_of_tab(profile), max_size=None, ping_interval=None) as connection:
            yield Tab(connection)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _address_of_tab(profile: Path) -> str:
    told = profile / "DevToolsActivePort"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        if told.exists() and (lines := told.read_text().splitlines()):
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list", timeout=5) as answer:
                pages = [entry for entry in json.load(answer) if entry["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
        assert time.monotonic() < deadline, "the browser did not start"
        time.sleep(0.05)
