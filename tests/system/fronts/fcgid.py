"""Apache's mod_fcgid, which starts banter.fcgi itself: configured by the server's owner (deploy/apache/fcgid.conf), and
on a shared host (deploy/shared-host), where Apache's configuration is somebody else's and only .htaccess is ours."""

import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import servers
from fronts.base import Front
from fronts.proxy_fcgi import ANSWERS, MAIN, MODULES, ORIGINS
from servers import BUILD, ROOT, filled

# What Debian has besides where mod_fcgid is installed.
SERVER = """
LoadModule fcgid_module /usr/lib/apache2/modules/mod_fcgid.so
FcgidIPCDir {folder}/ipc
FcgidProcessTableFile {folder}/table
AddHandler fcgid-script .fcgi
<FilesMatch "^\\.ht">
	Require all denied
</FilesMatch>
"""


class Fcgid(Front):
    name = "apache-fcgid"
    owns_processes = True

    def configure(self):
        modules = "\n".join(f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so" for one in MODULES)
        (self.folder / "apache2.conf").write_text(
            MAIN.format(folder=self.folder, port=self.port, modules=modules, user=""))
        sites = self.folder / "sites-enabled"
        sites.mkdir(exist_ok=True)
        (sites / "0-fcgid.conf").write_text(SERVER.format(folder=self.folder))
        self.env.setdefault("BANTER_SHARED_FILE", self.folder / "shared")
        (sites / "banter.conf").write_text(self.site_file())
        return [*servers.unprivileged(), "/usr/sbin/apache2", "-D", "FOREGROUND", "-f", self.folder / "apache2.conf"]

    def site_file(self):
        settings = self.folder / "banter.conf"
        write_settings(settings, self.env)
        return filled("apache/fcgid.conf", {
            "*:80": f"127.0.0.1:{self.port}",
            "/usr/lib/banter/banter.fcgi": BUILD / "banter.fcgi",
            "/etc/banter/fcgid.conf": settings,
            f"# {ORIGINS}": ORIGINS,
            **ANSWERS,
            **({} if self.read_time is None else {"FcgidIOTimeout 60": f"FcgidIOTimeout {self.read_time}"}),
        })


# What a hosting company says of each customer's site.
HOST = """
<VirtualHost 127.0.0.1:{port}>
	ServerName customer.example.com
	DocumentRoot "{folder}/public_html"
	AddOutputFilterByType DEFLATE text/html application/json application/x-ndjson text/event-stream
	FcgidIOTimeout {read_time}
	<Directory "{folder}/public_html">
		Options Indexes MultiViews SymLinksIfOwnerMatch
		AllowOverride {override}
		Require all granted
	</Directory>
</VirtualHost>
"""


@functools.cache
def made():
    """What `make dist-shared` puts together, once for all that this process uploads: to ask dpkg whose each library is
    takes its time."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="banter-dist-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([ROOT / "deploy/shared-host/dist", BUILD, folder / "chat"], check=True)
    return folder / "chat"


class SharedHost(Fcgid):
    """The folder of `make dist-shared` as public_html/chat, its settings beside public_html."""

    name = "shared-host"
    says_early = takes_long_heads = False  # .htaccess is read once there is a path
    path = "/chat"
    holds_tokens_back = True
    longest_body = 131072  # mod_fcgid's own limit, which a host rarely raises
    says_too_large = False  # in chunks: mod_fcgid says 500; what announces its length gets 400
    says_origins = False
    says_not_found = False  # what .htaccess has no word in: `%2F`, and paths that leave the folder

    override = "All"
    settings = "banter.conf"

    def site_file(self):
        self.upload()
        self.env.setdefault("BANTER_BODY_BYTES", self.longest_body)
        write_settings(self.folder / self.settings, self.env)
        return self.host()

    def host(self):
        return HOST.format(
            folder=self.folder, port=self.port, override=self.override, read_time=self.read_time or 40)

    def upload(self):
        chat = self.folder / "public_html" / "chat"
        if not chat.exists():
            chat.parent.mkdir()
            shutil.copytree(made(), chat)
            (chat / "banter.conf").unlink()
        for path in [chat.parent, chat, *chat.rglob("*")]:
            give(path)


def write_settings(path, settings):
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    path.chmod(0o600)
    give(path)


def give(path):
    """To whom the server runs as."""
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")
