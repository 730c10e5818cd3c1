"""A headless Chromium of a test's own, by WebDriver: chromedriver over plain HTTP. Nothing of it leaves this machine: every name
but this machine's own leads nowhere."""

import base64
import os
import pathlib

import servers
from servers import until

# What WebDriver calls an element in JSON.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
OPTIONS = [
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--metrics-recording-only", "--no-proxy-server",
    "--window-size=900,760", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


class Browser(servers.Server):
    """One window. A visitor is a profile: clear() is somebody else."""

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
