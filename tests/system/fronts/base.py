"""A web server in front of Banter, started with its file of deploy/ as it stands.

A module of this package holds one server, as subclasses of Front; those with a `name` of their own are fronts.FRONTS,
and test_fronts.py runs every test on each of them. A subclass

- sets the facts below that are not so for its server; tests branch on nothing else;
- defines configure(): it writes the server's files into self.folder and returns the command that runs the server
  in the foreground. It takes the files of deploy/ through servers.filled(), which puts in paths and ports and fails
  where a piece is not in the file. It uses self.port (the server listens on 127.0.0.1 there), self.socket (the
  pool's) or, where the server starts the program itself, self.env (Banter's settings by name), and self.read_time:
  None, or the seconds after which the server itself gives up a silent program, in place of what the file says.

    class Lighttpd(Front):
        name = "lighttpd"

        def configure(self):
            text = filled("lighttpd/banter.conf", {"/run/banter/banter.sock": self.socket})
            (self.folder / "lighttpd.conf").write_text(text)
            return [*unprivileged(), "/usr/sbin/lighttpd", "-D", "-f", self.folder / "lighttpd.conf"]

Run as root a server may step down to whatever user it likes: the pool's socket lets everybody in, and every folder can
be read; self.folder belongs to the user of servers.unprivileged(). A Front is what site_client.Site calls its `nginx`: it
has .url and .port, and Front.site() makes the whole Site, whose .banter is the pool (or the Front, where it owns the
processes)."""

import signal
import socket

import servers
from site_client import Site


class Front(servers.Server):
    name = "front"

    # Facts.
    path = ""  # the folder of the web site under which the API lies: BANTER_PATH_PREFIX
    owns_processes = False  # it starts banter.fcgi itself: there is no pool
    tells_at_once = False  # that a client has left is told while the model is silent, not with the next write
    holds_tokens_back = False  # its buffer cannot be switched off: a stream is right, but comes in large pieces
    # What it says itself is the contract's, in the form of the API that was asked; where not, it is its own words.
    says_unavailable = True  # 503 for a pool that is away, or hangs, or whose worker died
    hang_status = 503  # for one that hangs: 503, or 504 in the same form
    longest_body = 1 << 20  # that reaches the program, on the paths that take the longest: as its own default
    says_too_large = True  # 400 for a body that the server refuses
    says_not_found = True  # 404 for an odd path that it does not pass on
    says_early = True  # 400 in that form (or 414, its own) for a head that is too long or none, before a path is known
    takes_long_heads = True  # of 20 KB
    says_origins = True  # to pages of the origin that its file names, https://example.com here

    stop_signal = signal.SIGTERM

    def __init__(self, database_url, model_url, workers=4, read_time=None, **settings):
        super().__init__()
        self.port = servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}{self.path}"
        self.read_time = read_time
        settings.setdefault("socket_mode", "0666")
        if self.path:
            settings.setdefault("path_prefix", self.path)
        self.env = servers.settings_for_tests(database_url, model_url, **settings)
        self.pools = []
        try:
            if not self.owns_processes:
                self.pools = self.start_pools(database_url, model_url, workers=workers, **settings)
            for part in (self, *self.pools):
                part.folder.chmod(0o755)
            self.start()
        except BaseException:
            self.close()
            raise

    @classmethod
    def site(cls, postgres, database_url, standin, **settings):
        front = cls(database_url, standin.url, **settings)
        return Site(postgres, standin.control, front.pools[0] if front.pools else front, front, postgres.demo())

    def start_pools(self, *where, **settings):
        return [servers.Banter(*where, **settings)]

    @property
    def socket(self):
        return self.pools[0].socket

    def configure(self):
        raise NotImplementedError

    def start(self):
        self.spawn(self.configure())
        self.await_start(self.answers, f"{self.name}'s start")

    def answers(self):
        assert self.process.poll() is None, f"{self.name} ended by itself:\n{self.text()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def text(self):
        """Its output, and whatever it logged into *.log of its folder."""
        logs = sorted(self.folder.glob("*.log"))
        return super().text() + "".join(log.read_text(errors="replace") for log in logs)

    def close(self):
        try:
            self.end(self.stop_signal)
        finally:
            try:
                for pool in self.pools:
                    pool.close()
            finally:
                super().close()
