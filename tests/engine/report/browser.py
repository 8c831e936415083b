"""A headless Chromium driven over its debugging protocol: what a reader's browser does with a page.

Here: starting it, opening a file, emulating screens, evaluating, pictures, what it logged and requested.
Not here: any claim about a page (test_browser.py, test_portfolio.py).
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import websocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
START_SECONDS = 40
SERIOUS = {"serious", "critical"}
CALL_SECONDS = 180

# Takes table rows out that look like an earlier row of their table: same elements, attributes, colours and font, text
# in the same cells. A long table has a thousand of them; axe takes seconds for each thousand and finds the same in all.
ONE_ROW_OF_EACH_LOOK = """(() => {
  const look = (element) => {
    const style = getComputedStyle(element);
    const attributes = [...element.attributes].filter(({name}) => name !== 'data-value');
    return [element.tagName, attributes.map(({name, value}) => name + '=' + value), style.color,
            style.backgroundColor, style.opacity, style.fontSize, style.fontWeight, style.visibility,
            [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()),
            [...element.children].map(look)];
  };
  for (const body of document.querySelectorAll('tbody')) {
    const looks = new Set();
    for (const row of [...body.rows]) {
      const key = JSON.stringify(look(row));
      if (looks.has(key)) row.remove(); else looks.add(key);
    }
  }
})()"""


@dataclass
class Page:
    """One open tab.

    Attributes:
        problems: Console errors and warnings, uncaught exceptions, security policy violations.
        requests: Address of everything the page asked for, the page itself first.
        open_seconds: How long it took until the load event of the page ended.
    """

    socket: websocket.WebSocket
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    open_seconds: float = 0.0
    _number: int = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command, take in events until its answer comes."""
        self._number += 1
        number = self._number
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        deadline = time.monotonic() + CALL_SECONDS
        while time.monotonic() < deadline:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return dict(message["result"])
            self._take_in(message)
        raise TimeoutError(method)

    def open(self, path: Path, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        """Open a file at a screen size, until its load event ends."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 700)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        started = time.monotonic()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("document.readyState === 'complete'")
        self.open_seconds = time.monotonic() - started

    def wait_for(self, condition: str, seconds: float = 60) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.evaluate(condition):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{condition} did not come true in {seconds} s; problems: {self.problems}")

    def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression[:200]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, *, pressed: bool = False) -> None:
        """One event of the left mouse button or of the pointer."""
        button = {"button": "left", "buttons": 1, "clickCount": 1} if pressed else {"button": "none"}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move in steps, release."""
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, pressed=True)
        for part in (0.25, 0.5, 0.75, 1.0):
            x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
            self.mouse("mouseMoved", x, y, pressed=True)
        self.mouse("mouseReleased", *end, pressed=True)

    def picture(self, path: Path, *, full: bool = True) -> Path:
        """Save a PNG of the page, all of it unless told otherwise."""
        shot = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=full, **self._clip(full)
        )
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def accessibility_faults(self) -> list[str]:
        """What axe-core finds serious or critical: rule, what it wants, the first elements that break it.

        Of table rows that look alike one is left on the page.
        """
        self.evaluate(ONE_ROW_OF_EACH_LOOK)
        source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        self.evaluate(source + "; true")
        violations = self.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(result => result.violations.map("
            "rule => [rule.impact, rule.id, rule.help, rule.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]))"
        )
        return [f"{rule}: {wish}: {nodes}" for impact, rule, wish, nodes in violations if impact in SERIOUS]

    def pdf(self, path: Path, sheets: str = "") -> Path:
        """Print the page, or only some sheets of it ("1-2")."""
        printed = self.call(
            "Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.69, pageRanges=sheets
        )
        path.write_bytes(base64.b64decode(printed["data"]))
        return path

    def _clip(self, full: bool) -> dict[str, Any]:
        if not full:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def _take_in(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "warning", "assert"}:
                self.problems.append(f"console {params['type']}: {params['args']}")
            case "Runtime.exceptionThrown":
                self.problems.append(f"exception: {params['exceptionDetails']}")
            case "Log.entryAdded" if params["entry"]["level"] in {"error", "warning"}:
                self.problems.append(f"log: {params['entry']['text']}")
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])


@dataclass
class Browser:
    """A running Chromium, which opens tabs that know nothing of each other."""

    address: str
    socket: websocket.WebSocket

    @contextmanager
    def tab(self) -> Iterator[Page]:
        """A tab with storage of its own, closed afterwards."""
        root = Page(self.socket)
        context = root.call("Target.createBrowserContext")["browserContextId"]
        target = root.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        socket = websocket.create_connection(f"{self.address}/devtools/page/{target}", timeout=CALL_SECONDS)
        try:
            yield Page(socket)
        finally:
            socket.close()
            root.call("Target.disposeBrowserContext", browserContextId=context)


@contextmanager
def new_browser() -> Iterator[Browser]:
    """A fresh Chromium with its own profile, which is gone afterwards."""
    if CHROMIUM is None:
        raise RuntimeError("chromium is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            address, path = _listening(process)
            socket = websocket.create_connection(address + path, timeout=CALL_SECONDS)
            try:
                yield Browser(address, socket)
            finally:
                socket.close()
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listening(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Address and path of the debugging socket, from what Chromium writes at its start."""
    assert process.stderr is not None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        line = process.stderr.readline()
        found = re.search(r"DevTools listening on (ws://[^/\s]+)(/\S+)", line)
        if found:
            return found[1], found[2]
        if not line and process.poll() is not None:
            break
    raise RuntimeError("chromium did not start")
