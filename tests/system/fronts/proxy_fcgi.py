"""Apache with mod_proxy_fcgi, as Debian has it: deploy/apache/proxy-fcgi.conf as a site of it."""

import os

from fronts.base import Front
from servers import ROOT, filled

# What Debian's own configuration says, as far as it could matter.
MAIN = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
LogLevel info
ServerName localhost
Listen 127.0.0.1:{port}
{user}
Timeout 300
KeepAlive On
TypesConfig /etc/mime.types
{modules}
<Directory />
	AllowOverride None
	Require all denied
</Directory>
AddOutputFilterByType DEFLATE text/html text/plain application/json
RequestReadTimeout header=20-40,minrate=500
RequestReadTimeout body=10,minrate=500
IncludeOptional {folder}/sites-enabled/*.conf
"""
# What all files of deploy/apache share.
ANSWERS = {"/usr/share/banter/apache": ROOT / "deploy" / "apache"}
# An optional line of the sites.
ORIGINS = r'SetEnvIf Origin "^https://example\.com$" BANTER_ORIGIN=$0'
# Debian's own, and those the file names.
MODULES = ("mpm_event authz_core authz_host reqtimeout filter deflate mime dir alias env setenvif status autoindex "
           "negotiation proxy proxy_fcgi headers rewrite unique_id").split()


class ProxyFcgi(Front):
    name = "apache-proxy-fcgi"
    hang_status = 504  # ErrorDocument's text cannot change it

    def configure(self):
        modules = "\n".join(f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so" for one in MODULES)
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        (self.folder / "apache2.conf").write_text(
            MAIN.format(folder=self.folder, port=self.port, modules=modules, user=user))
        (self.folder / "sites-enabled").mkdir()
        (self.folder / "sites-enabled" / "banter.conf").write_text(self.site_file())
        return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", self.folder / "apache2.conf"]

    def site_file(self):
        return filled("apache/proxy-fcgi.conf", {
            "<VirtualHost *:80>": f"<VirtualHost 127.0.0.1:{self.port}>", f"# {ORIGINS}": ORIGINS, **self.pool()})

    def pool(self):
        return {"/run/banter/banter.sock": self.socket, " timeout=300": f" timeout={self.read_time or 300}", **ANSWERS}


# A site that was there before Banter, with ways of its own.
BEFORE = """
<VirtualHost 127.0.0.1:{port}>
	ServerName www.example.com
	DocumentRoot "{folder}/www"
	ErrorDocument 404 /lost.html
	<Directory "{folder}/www">
		Require all granted
	</Directory>
{banter}
</VirtualHost>
"""


class ProxyFcgiFolder(ProxyFcgi):
    name = "apache-folder"
    says_early = takes_long_heads = False  # they are the site's
    path = "/chat"
    says_not_found = False  # paths that leave the folder are the site's

    def site_file(self):
        (self.folder / "www").mkdir()
        (self.folder / "www" / "lost.html").write_text("<p>Lost.")
        banter = ORIGINS + "\n" + filled("apache/folder.conf", self.pool())
        return BEFORE.format(folder=self.folder, port=self.port, banter=banter)
