"""h2o with deploy/h2o/h2o.conf as it stands."""

import signal

from fronts.base import Front
from servers import filled, unprivileged


class H2o(Front):
    name = "h2o"
    says_early = False
    says_unavailable = False  # it says 503 in words of its own
    says_origins = False
    says_too_large = False  # and 413, while the client is still sending: it may see a broken connection instead
    stop_signal = signal.SIGINT  # after SIGTERM it waits ten seconds for idle connections

    def configure(self):
        values = {
            "user: debian-h2o\n": "",
            "/run/h2o.pid": self.folder / "pid",
            "\n  port: 80\n": f"\n  host: 127.0.0.1\n  port: {self.port}\n",
            "/run/banter/banter.sock": self.socket,
        }
        if self.read_time is not None:
            values["timeout.io: 120000"] = f"timeout.io: {self.read_time * 1000}"
        file = self.folder / "h2o.conf"
        file.write_text(filled("h2o/h2o.conf", values))
        return [*unprivileged(), "/usr/bin/h2o", "-m", "worker", "-c", file]
