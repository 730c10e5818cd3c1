"""Apache with mod_proxy_fcgi, as Debian has it: deploy/apache/proxy-fcgi.conf as a site of it."""

import os

from fronts.base import Front
from parts import filled

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
        (self.folder / "sites-enabled" / "banter.conf").write_text(filled("apache/proxy-fcgi.conf", {
            "<VirtualHost *:80>": f"<VirtualHost 127.0.0.1:{self.port}>",
            "/run/banter/banter.sock": self.socket,
            " timeout=300": f" timeout={self.read_time or 300}",
        }))
        return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", self.folder / "apache2.conf"]
