"""A headless Chromium of a test's own, by WebDriver: chromedriver over plain HTTP. Nothing of it leaves this machine: every name
but this machine's own leads nowhere."""

import base64
import contextlib
import os
import pathlib

import servers
from servers import until

# What WebDriver calls an element in JSON.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# Its keys that are no letters.
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Escape": "\ue00c", "Home": "\ue011"}
OPTIONS = [
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--metrics-recording-only", "--no-proxy-server",
    "--window-size=900,760", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


class Browser(servers.Server):
    """One window, with tabs. A visitor is a profile: clear() is somebody else."""

    name = "browser"

    def __init__(self):
        super().__init__()
        self.http = servers.session()
        self.port = servers.free_port()
        self.session = None
        self.spawn(["chromedriver", f"--port={self.port}", "--allowed-ips=127.0.0.1"], env={"HOME": self.folder, "TMPDIR": self.folder})
        self.await_start(lambda: servers.listens(self.port), "chromedriver's start")
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        wanted = {"goog:chromeOptions": {"args": [*OPTIONS, *root, f"--user-data-dir={self.folder / 'profile'}"]},
                  "goog:loggingPrefs": {"browser": "ALL"}}
        try:
            self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        except BaseException:
            self.close()
            raise

    def call(self, method, path, body=None):
        where = f"/session/{self.session}" if self.session else ""
        reply = self.http.request(method, f"http://127.0.0.1:{self.port}{where}{path}", json=body if method == "POST" else None,
                                  timeout=servers.PATIENCE)
        value = reply.json()["value"]
        assert reply.status_code == 200, value
        return value

    def close(self):
        try:
            if self.session:
                self.call("DELETE", "")
                self.session = None
        finally:
            super().close()

    def open(self, address):
        self.call("POST", "/url", {"url": address})

    def reload(self):
        self.call("POST", "/refresh", {})

    def run(self, script, *values):
        """What a function of that body returns, in the page."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(values)})

    def clear(self):
        """Nothing is kept of the site of the open page."""
        self.run("localStorage.clear(); sessionStorage.clear()")

    def said(self):
        """What the page wrote to its console since it was asked, such as what it could not load."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def find(self, script):
        """The element that a function of that body returns, once there is one."""
        return until(lambda: self.run(script), f"an element: {script}")[ELEMENT]

    def type(self, element, text):
        """Keys; a line feed is the key that sends."""
        self.call("POST", f"/element/{element}/value", {"text": text.replace("\n", "\ue007")})

    def click(self, element):
        self.call("POST", f"/element/{element}/click", {})

    def press(self, *keys):
        """Keys by their names, or letters, held down together, to whatever has the focus."""
        keys = [KEYS.get(key, key) for key in keys]
        moves = [{"type": "keyDown", "value": key} for key in keys] + [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": moves}]})

    def devtools(self, command, **values):
        """A command of Chromium's own protocol, to the tab that is in front."""
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": values})

    @contextlib.contextmanager
    def screen(self, width, height, phone=False, scale=1):
        """The page has so many CSS pixels; a phone is touched."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone)
        self.devtools("Emulation.setTouchEmulationEnabled", enabled=phone)
        try:
            yield
        finally:
            self.devtools("Emulation.setTouchEmulationEnabled", enabled=False)
            self.devtools("Emulation.clearDeviceMetricsOverride")

    @contextlib.contextmanager
    def prefers(self, **features):
        """What the visitor prefers, in the words of CSS: color_scheme="dark", reduced_motion="reduce"."""
        named = [{"name": "forced-colors" if name == "forced_colors" else f"prefers-{name.replace('_', '-')}", "value": value}
                 for name, value in features.items()]
        self.devtools("Emulation.setEmulatedMedia", features=named)
        try:
            yield
        finally:
            self.devtools("Emulation.setEmulatedMedia", features=[])

    @contextlib.contextmanager
    def offline(self):
        """There is no network: what runs is cut, and nothing begins."""
        limits = {"latency": 0, "download_throughput": -1, "upload_throughput": -1}
        self.call("POST", "/chromium/network_conditions", {"network_conditions": {"offline": True, **limits}})
        try:
            yield
        finally:
            self.call("POST", "/chromium/network_conditions", {"network_conditions": {"offline": False, **limits}})

    @contextlib.contextmanager
    def before_pages(self, script):
        """Each page that is loaded meanwhile runs this script before its own."""
        one = self.devtools("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
        try:
            yield
        finally:
            self.devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=one)

    @contextlib.contextmanager
    def another_tab(self, address):
        """Opens it in a tab of its own, which is in front; gives a function that brings the first tab, or this one, to the front."""
        first, second = self.call("GET", "/window"), self.call("POST", "/window/new", {"type": "tab"})["handle"]

        def show(which):
            self.call("POST", "/window", {"handle": (first, second)[which]})
            self.devtools("Page.bringToFront")

        show(1)
        try:
            self.open(address)
            yield show
        finally:
            show(1)
            self.call("DELETE", "/window")
            self.call("POST", "/window", {"handle": first})

    def enter_frame(self, element):
        self.call("POST", "/frame", {"id": {ELEMENT: element}})

    def leave_frame(self):
        self.call("POST", "/frame", {"id": None})
