"""Caddy with deploy/caddy/banter.caddy as it stands, behind global options that keep it to its own folder."""

from fronts.base import Front
from servers import filled, unprivileged

# What belongs to the machine, not to the site: no admin port, no certificates, nothing outside the folder.
GLOBAL = """{{
	admin off
	auto_https off
	default_bind 127.0.0.1
	storage file_system {folder}/storage
}}
"""


class Caddy(Front):
    name = "caddy"
    says_early = False

    def configure(self):
        values = {"\n:80 {": f"\n:{self.port} {{", "/run/banter/banter.sock": self.socket,
                  "{header.Origin} in []": '{header.Origin} in ["https://example.com"]'}
        # Caddy's one time-out counts from the request's start: a heartbeat is not meant to outlive it.
        if self.read_time is not None and self.env["BANTER_HEARTBEAT"] == "1h":
            values["read_timeout 11m"] = f"read_timeout {self.read_time}s"
        file = self.folder / "Caddyfile"
        file.write_text(GLOBAL.format(folder=self.folder) + filled("caddy/banter.caddy", values))
        return [*unprivileged(), "env", f"HOME={self.folder}", "/usr/bin/caddy", "run", "--config", file,
                "--adapter", "caddyfile"]
