"""nginx as Debian has it, with Banter's three files put where deploy/nginx/README.md says: before a pool on this
machine, and before two pools over TCP. (The private nginx of `make run`, deploy/nginx/banter.conf, is servers.Nginx.)"""

import os

import servers
from fronts.base import Front
from servers import filled

# What Debian's own nginx.conf says, as far as it could matter; and addresses for clients that are all of loopback.
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
worker_processes 2;
{user}
events {{ worker_connections 768; }}
http {{
	sendfile on;
	tcp_nopush on;
	gzip on;
	access_log {folder}/access.log;
	client_body_temp_path {folder}/body;
	fastcgi_temp_path {folder}/fastcgi;
	proxy_temp_path {folder}/proxy;
	scgi_temp_path {folder}/scgi;
	uwsgi_temp_path {folder}/uwsgi;
	set_real_ip_from 127.0.0.1;
	real_ip_header X-Test-Address;
	include {folder}/conf.d/*.conf;
	include {folder}/sites-enabled/*;
}}
"""


class Nginx(Front):
    name = "nginx"
    tells_at_once = True
    most_open = 50  # requests of an address

    def configure(self):
        for name, text in {
            "nginx.conf": MAIN.format(folder=self.folder, user="user www-data;" if os.geteuid() == 0 else ""),
            "conf.d/banter-http.conf": filled("nginx/banter-http.conf", {
                '# "https://example.com"': '"https://example.com"', '# 192.0.2.10 ""': '192.0.2.10 ""'}),
            "conf.d/banter-upstream.conf": self.upstream(),
            "snippets/banter-early.conf": filled("nginx/banter-early.conf", {}),
            "snippets/banter.conf": filled("nginx/banter-location.conf", {} if self.read_time is None else {
                "fastcgi_read_timeout 300s": f"fastcgi_read_timeout {self.read_time}s"}),
            "sites-enabled/banter": filled("nginx/banter-site.conf", {
                "listen 80": f"listen 127.0.0.1:{self.port}", "listen [::]:80;": "",
                "limit_conn banter_address 50": f"limit_conn banter_address {self.most_open}"}),
        }.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return ["/usr/sbin/nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"]

    def upstream(self):
        return filled("nginx/banter-upstream.conf", {"/run/banter/banter.sock": self.socket})


class NginxHosts(Nginx):
    name = "nginx-hosts"

    def start_pools(self, *where, **settings):
        return [servers.Banter(*where, listen=servers.free_port(), **settings) for _ in range(2)]

    def places(self):
        """Where nginx finds the two."""
        return [f"127.0.0.1:{pool.port}" for pool in self.pools]

    def upstream(self):
        first, second = self.places()
        return filled("nginx/banter-hosts.conf", {"192.0.2.1:9000": first, "192.0.2.2:9000": second})
