"""The servers that are measured, each private and on loopback: those of tests/system/servers.py as a user has them, and the
bench's own model, relay, floor and "nginx alone"."""

import hashlib
import os
import pathlib
import re
import subprocess

import psycopg2.extensions
import servers
from servers import BUILD, ROOT, until
from target import Target

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = 1400  # of PostgreSQL: a rival with a thousand children takes one for each


class Durable:
    """A PostgreSQL as a user would have it: every commit reaches the disk. The tests' own cluster does without."""

    def start(self, *options):
        super().start("-c", "fsync=on", *options)


class Postgres(Durable, servers.Postgres):
    pass


class Model(servers.Server):
    """The bench model."""

    name = "bench-model"

    def __init__(self, address="127.0.0.1"):
        super().__init__()
        self.spawn([BUILD / "bench" / "model", address])
        self.await_start(lambda: "listening on " in self.text(), "the model's start")
        self.url = self.text().split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])


class Relay(servers.Server):
    """The bare relay's pool."""

    name = "bench-relay"

    def __init__(self, model, workers):
        super().__init__()
        self.socket = self.folder / "socket"
        self.spawn([BUILD / "bench" / "relay", self.socket, model.port, workers])
        self.await_start(lambda: servers.listens(self.socket), "the relay's start")


class Floor(servers.Server):
    """The floor's pool, which calls the lean functions through its pooler with what a widget key is to them."""

    name = "bench-floor"
    BEGIN = "select * from lean.exchange_begin({key}, 'widget', null, $1::text, $1 || 'a', null, $1 || 'c', null, $2::text, 300, 20, $1)"
    END = "select lean.exchange_end({workspace}, $1::text, 'done', $2::text, 'stop', 1, 1, 1)"

    def __init__(self, model, workers, postgres, pooler, key):
        super().__init__()
        postgres.run("drop schema if exists lean cascade;" + (HERE / "lean.sql").read_text()
                     + "grant usage on schema lean to banter_app")
        digest = hashlib.sha256(key.encode()).hexdigest()
        ((workspace,),) = postgres.run("select workspace from banter_data.api_key where hash = decode(%s, 'hex')", digest)
        words = {"workspace": workspace, "key": f"{workspace}, '\\x{digest}'"}
        url = psycopg2.extensions.parse_dsn(pooler.url(password=None))
        self.socket = self.folder / "socket"
        self.spawn([BUILD / "bench" / "floor", self.socket, model.port, workers,
                    self.BEGIN.format(**words), self.END.format(**words)],
                   env={"PGDATABASE" if name == "dbname" else f"PG{name.upper()}": value for name, value in url.items()})
        self.await_start(lambda: servers.listens(self.socket), "the floor's start")


class Front(servers.Nginx):
    """deploy/nginx/banter.conf, with connections for as many streams as the bench opens."""

    def spawn(self, command, **options):
        more_connections(self.folder / "nginx.conf")
        super().spawn(command, **options)


class Proxy(servers.Nginx):
    """nginx alone, with nginx.conf of this folder; `scheme` https: with TLS, for a model that has it."""

    name = "bench-nginx"

    def __init__(self, model, tls=False):
        servers.Server.__init__(self)
        self.port = servers.free_port()
        text = (HERE / "nginx.conf").read_text()
        text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        for name, value in {
            "FOLDER": self.folder,
            "PORT": f"{self.port} ssl" if tls else self.port,
            "MODEL": f"127.0.0.1:{model.port}",
            "USER": "user root;" if os.geteuid() == 0 else "",
            "TLS": self.certificate() if tls else "",
        }.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "nginx.conf").write_text(text)
        more_connections(self.folder / "nginx.conf")
        self.spawn(["/usr/sbin/nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"])
        self.await_start(self.answers, "nginx's start")
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"

    def certificate(self):
        """Its lines for nginx; the certificate signs itself, and is its own authority."""
        self.ca = self.folder / "cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", self.folder / "key.pem", "-out", self.ca],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        return f'ssl_certificate "{self.ca}"; ssl_certificate_key "{self.folder}/key.pem";'


def more_connections(conf):
    """A stream takes two: enough for 4,000 streams, and the same for all."""
    text = conf.read_text()
    for name, number in (("worker_connections", 16000), ("worker_rlimit_nofile", 16384)):
        text, places = re.subn(rf"\b{name} \d+;", f"{name} {number};", text)
        assert places == 1, f"nginx.conf has {places} {name}"
    conf.write_text(text)


class Pooler(servers.TrustingPooler):
    """PgBouncer with the file of deploy/pgbouncer, as private as `make run`'s: its socket's folder lets in this user alone."""

    def __init__(self, postgres, workers, **changes):
        if workers > 1000:
            changes["max_client_conn = 2000"] = f"max_client_conn = {2 * workers}"
        super().__init__(postgres, **changes)

    @staticmethod
    def descriptors():
        return 20000


class Banter(servers.Banter):
    """With the settings of a user who changed none, but for the limit of an address: all clients are one. `patient`: it may
    take its time to begin, where that is not what is measured."""

    def __init__(self, database_url, model_url, workers, patient, **settings):
        self.kept = {"BANTER_DATABASE_URL", "BANTER_MODEL_URL", "BANTER_ADDRESS_LIMIT"}
        self.kept |= {f"BANTER_{name.upper()}" for name in settings}
        if patient:
            self.kept |= {"BANTER_DATABASE_TIME", "BANTER_DATABASE_CONNECT_TIME", "BANTER_QUEUE_TIME"}
        super().__init__(database_url, model_url, workers, **settings)

    def start(self, *options):
        self.env = {name: value for name, value in self.env.items() if name in self.kept}
        super().start(*options)


def banter(enter, bench, workers, pooled=False, model_url=None, **settings):
    """The whole of Banter, as a target: nginx, the pool, PostgreSQL, and PgBouncer where it is `pooled`."""
    groups = {"postgres": bench.postgres, "model": bench.model}
    url = bench.postgres.url()
    if pooled:
        groups["pgbouncer"] = enter(Pooler(bench.postgres, workers))
        url = groups["pgbouncer"].url(password=None)
    groups["workers"] = enter(Banter(url, f"{model_url or bench.model.url}/v1", workers, not pooled, **settings))
    groups["nginx"] = enter(Front(groups["workers"].socket))
    return Target("Banter", "headless", groups["nginx"].port, groups, bench.key)


def relay(enter, bench, workers):
    pool = enter(Relay(bench.model, workers))
    front = enter(Front(pool.socket))
    return Target("bare relay", "headless", front.port, {"nginx": front, "workers": pool, "model": bench.model}, "none")


def floor(enter, bench, workers):
    pooler = enter(Pooler(bench.postgres, workers))
    pool = enter(Floor(bench.model, workers, bench.postgres, pooler, bench.key))
    front = enter(Front(pool.socket))
    groups = {"nginx": front, "workers": pool, "pgbouncer": pooler, "postgres": bench.postgres, "model": bench.model}
    return Target("floor", "headless", front.port, groups, "none")


def nginx_alone(enter, bench):
    proxy = enter(Proxy(bench.model))
    return Target("nginx alone", "openai", proxy.port, {"nginx": proxy, "model": bench.model})


def model_itself(bench):
    return Target("model", "openai", bench.model.port, {"model": bench.model})


def rivals(enter, bench, children, only=None):
    """What people use today, each doing the same job: none where rivals.py is not there."""
    found = []
    for name, start in bench.rivals(children):
        if only not in (None, name):
            continue
        part = enter(start())
        groups = {"model": bench.model, "postgres": bench.postgres, **part.groups}
        found.append(Target(name, "headless", part.port, groups, part.key))
    return found
