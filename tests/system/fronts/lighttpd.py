"""lighttpd with deploy/lighttpd/50-banter.conf included in a configuration that says what Debian's says."""

from fronts.base import Front
from servers import ROOT, filled, unprivileged

# Debian's own /etc/lighttpd/lighttpd.conf, without its paths and ports: the strict parsing is what matters here.
MAIN = """
server.modules = ( "mod_indexfile", "mod_access", "mod_alias", "mod_redirect" )
server.document-root = "{folder}"
server.upload-dirs = ( "{folder}" )
server.errorlog = "{folder}/error.log"
server.pid-file = "{folder}/pid"
server.bind = "127.0.0.1"
server.port = {port}
server.feature-flags += ( "server.h2proto" => "enable", "server.h2c" => "enable" )
server.feature-flags += ( "server.graceful-shutdown-timeout" => 5 )
server.http-parseopts = (
	"header-strict" => "enable", "host-strict" => "enable", "host-normalize" => "enable",
	"url-normalize-unreserved" => "enable", "url-normalize-required" => "enable", "url-ctrls-reject" => "enable",
	"url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable",
)
index-file.names = ( "index.php", "index.html" )
url.access-deny = ( "~", ".inc" )
mimetype.assign = ( ".html" => "text/html", "" => "application/octet-stream" )
include "{folder}/50-banter.conf"
server.modules += ( "mod_dirlisting", "mod_staticfile" )
"""


class Lighttpd(Front):
    name = "lighttpd"
    says_early = False
    says_unavailable = False  # the body is the contract's, but there is no request id, and 504 for a pool that hangs
    says_too_large = False  # the body is the contract's, the status 413

    def configure(self):
        values = {
            "/run/banter/banter.sock": self.socket,
            "/usr/share/banter/lighttpd": ROOT / "deploy" / "lighttpd",
        }
        # Its optional lines.
        for line in ('$REQUEST_HEADER["Origin"]', '\t"Access-Control-Allow-Origin"', '\t"Access-Control-Expose'):
            values[f"# {line}"] = line
        if self.read_time is not None:
            values['"read-timeout" => 120'] = f'"read-timeout" => {self.read_time}'
        (self.folder / "50-banter.conf").write_text(filled("lighttpd/50-banter.conf", values))
        (self.folder / "lighttpd.conf").write_text(MAIN.format(folder=self.folder, port=self.port))
        return [*unprivileged(), "/usr/sbin/lighttpd", "-D", "-f", self.folder / "lighttpd.conf"]
