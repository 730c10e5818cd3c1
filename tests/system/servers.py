"""The real servers a test runs against, each private and on free ports or sockets under one temporary folder:
PostgreSQL, PgBouncer, nginx, the stand-in model, and Banter itself. A server is started, stopped by its own
process id, and shows its log when a test fails."""

import base64
import contextlib
import fcntl
import hashlib
import hmac
import os
import pathlib
import random
import re
import resource
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA_VERSION = int(re.search(r"STORE_SCHEMA_VERSION (\d+)", (ROOT / "include/chat/store.h").read_text())[1])
BUILD = pathlib.Path(os.environ.get("BANTER_TEST_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests" / "model"))
import client  # noqa: E402  (the stand-in's own)
from client import script  # noqa: E402
import described  # noqa: E402
from tenants import Tenant  # noqa: E402

__all__ = ["BUILD", "ROOT", "Banter", "Model", "Nginx", "Pooler", "Postgres", "StandIn", "Tenant", "filled", "script", "until"]

PATIENCE = 120  # seconds; a guard against hanging, never a measure


class Model(client.Model):
    """The stand-in's control endpoints, with our patience."""

    def wait(self, contains=None, ended=None, tokens_sent=None, timeout=PATIENCE):
        return super().wait(contains, ended, tokens_sent, timeout)


def until(condition, what, patience=PATIENCE):
    """Waits until condition() is true (and returns what it gave)."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about within {patience} s")
        time.sleep(0.02)


def listens(where):
    """Whether somebody takes connections at this path, at this (address, port), or at this port of 127.0.0.1."""
    where = ("127.0.0.1", where) if isinstance(where, int) else where
    address = isinstance(where, tuple)
    with socket.socket(socket.AF_INET if address else socket.AF_UNIX) as probe:
        with contextlib.suppress(OSError):
            probe.connect(where if address else str(where))
            return True
    return False


def own_ports():
    """Ports that are this process's own, below those that the kernel gives to whoever asks: what is to listen on one
    later finds it free, and where nothing is to listen nobody does. A name that only one process can have keeps them."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    blocks = list(range(10000, lowest if lowest > 12000 else 32000, 50))
    random.SystemRandom().shuffle(blocks)
    kept = []
    for block in blocks:
        keeper = socket.socket(socket.AF_UNIX)
        try:
            keeper.bind(f"\0banter-test-ports-{block}")
        except OSError:
            keeper.close()
            continue
        kept.append(keeper)
        yield from range(block, block + 50)


OWN_PORTS = own_ports()


def free_port():
    for port in OWN_PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def unprivileged():
    """In front of a program that refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def folder(prefix):
    """A temporary folder that the unprivileged user owns too."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"banter-{prefix}-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")
    return path


def filled(file, values):
    """A file of deploy/ with paths and ports put in. Each of `values` is a piece of it and what takes its place."""
    text = (ROOT / "deploy" / file).read_text()
    for piece, value in values.items():
        assert piece in text, f"deploy/{file} has no {piece!r}"
        text = text.replace(piece, str(value))
    return text


class Server:
    """A child process with a log."""

    name = "server"

    def __init__(self):
        self.folder = folder(self.name)
        self.log = self.folder / "log"
        self.process = None

    def spawn(self, command, env=None, cwd=None, **options):
        base = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                base[name] = os.environ[name]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                env={**base, **(env or {})},
                cwd=cwd or self.folder,
                stdin=options.pop("stdin", subprocess.DEVNULL),
                stdout=log,
                stderr=log,
                **options,
            )

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def end(self, sig=signal.SIGTERM, patience=PATIENCE):
        """Stops the process; returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self.name} did not end:\n{self.text()[-3000:]}") from None
        code, self.process = self.process.returncode, None
        return code

    def await_start(self, condition, what):
        """As until(). What does not come up is ended here: who was to close it never gets it."""
        try:
            return until(condition, what)
        except BaseException:
            with contextlib.suppress(AssertionError):
                self.end()
            raise

    def close(self):
        try:
            self.end()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def show_logs(item, report):
    """For pytest's hook: a failed test's report gets the logs of the servers it had."""
    if report.failed:
        for value in item.funcargs.values():
            for server in getattr(value, "shown_servers", [value]):
                if isinstance(server, Server):
                    report.sections.append((f"{server.name}'s log", server.text()[-6000:]))


def postgres_bin():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1]


class Postgres(Server):
    """A cluster of its own, its schema applied by banterctl, and the rows tests need."""

    name = "postgres"
    keeps = "banter"  # the database that run() keeps its connections to: others may be dropped

    def __init__(self, max_connections=300, standby_of=None):
        super().__init__()
        self.kept = []
        self.data = self.folder / "data"
        self.port = 5432
        self.max_connections = max_connections
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(self.close)  # who was to close it never gets it
            if standby_of:
                self.follow(standby_of)
            else:
                subprocess.run(["cp", "-a", self.prepared(), self.data], check=True)
                self.start()
            unless_done.pop_all()

    def prepared(self):
        """A cluster's files with the schema in it, made once for a program and a PostgreSQL: that takes longer than most
        tests with one of their own."""
        made = hashlib.sha256(f"{postgres_bin()}\n".encode() + (BUILD / "banterctl").read_bytes()).hexdigest()
        kept = BUILD / "clusters" / f"{self.name}-{made[:16]}"
        kept.parent.mkdir(exist_ok=True)
        with open(kept.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                for older in kept.parent.glob(f"{self.name}-*/"):
                    shutil.rmtree(older)
                self.make()
                part = kept.with_suffix(".part")
                subprocess.run(["cp", "-a", self.data, part], check=True)
                part.rename(kept)
                shutil.rmtree(self.data)
        return kept

    def make(self):
        subprocess.run(
            [*unprivileged(), postgres_bin() / "initdb", "-D", self.data, "-U", "owner", "--auth=trust",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/",
        )
        self.start()
        self.run("create database banter", database="postgres")
        self.migrate("--role", "banter_app")
        self.stop()

    def start(self, *options):
        self.spawn(
            [*unprivileged(), postgres_bin() / "postgres", "-D", self.data, "-k", self.folder,
             "-c", "listen_addresses=", "-c", "fsync=off", "-c", f"max_connections={self.max_connections}",
             "-c", "unix_socket_permissions=0777", *options],
            cwd="/",
        )
        self.await_start(self.ready, "PostgreSQL's start")

    def ready(self):
        """What pg_ctl waits for: the server says it itself, and nobody has to connect to ask."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().split()
            return lines[:1] == [str(self.process.pid)] and lines[-1] in ("ready", "standby")
        return False

    def follow(self, primary):
        """What does not run becomes a hot standby of that one, whatever it was."""
        shutil.rmtree(self.data, ignore_errors=True)
        subprocess.run([*unprivileged(), postgres_bin() / "pg_basebackup", "-h", primary.folder, "-U", "owner", "-D", self.data,
                        "-R", "--checkpoint=fast", "--no-sync"], check=True, cwd="/")
        self.start()

    def promote(self):
        """The standby is a primary."""
        self.run("select pg_promote()")

    def end(self, *how):
        while self.kept:
            self.kept.pop().close()
        return super().end(*how)

    def stop(self):
        """Fast shutdown: open connections are ended."""
        self.end(signal.SIGINT)

    def url(self, user="banter_app", database="banter"):
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"

    def migrate(self, *arguments):
        subprocess.run(
            [BUILD / "banterctl", "migrate", *arguments], check=True, stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": self.url("owner")},
        )

    def connection(self, database):
        """One that an earlier call left, if it is as good as new: a session's start takes longer than most statements."""
        while database == self.keeps:
            try:
                kept = self.kept.pop()
            except IndexError:
                break
            if not select.select([kept], [], [], 0)[0]:  # else the server has said that it ends it
                return kept
            kept.close()
        connection = psycopg2.connect(self.url("owner", database))
        connection.autocommit = True
        return connection

    def run(self, sql, *values, database="banter"):
        """Runs one statement as the owner; the rows, if it has any. It may leave nothing in its session."""
        connection = self.connection(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else None
        finally:
            if database == self.keeps and not connection.closed:
                self.kept.append(connection)
            else:
                connection.close()

    def rows(self, table, where="true", *values, database="banter"):
        """A table of Banter's as text, sorted; but for leases, which are renewed while something runs."""
        columns = self.run("""select quote_ident(column_name) from information_schema.columns where table_schema = 'banter_data'
            and table_name = %s and column_name <> 'lease_until' order by ordinal_position""", table, database=database)
        named = ", ".join(column for (column,) in columns)
        return self.run(f"select row({named})::text from banter_data.{table} t where {where} order by 1", *values,
                        database=database)

    def demo(self, **chatbot):
        """A new workspace with a chatbot and a key of each kind; `chatbot` sets columns of the chatbot's row."""
        tenant = Tenant.new()
        self.run(*tenant.statements())
        for column, value in chatbot.items():
            self.run(f"update banter_data.chatbot set {column} = %s where chatbot = %s", value, tenant.chatbot)
        return tenant


def scram_secret(password):
    """What PostgreSQL and PgBouncer keep of a password."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    salt, stored, server = (
        base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(salted, b"Server Key", "sha256")))
    return f"SCRAM-SHA-256$4096:{salt}${stored}:{server}"


class Pooler(Server):
    """PgBouncer with the files of deploy/pgbouncer in front of a cluster; on a port, by password. `users` of this
    system come in by the unix socket: url(user, password=None)."""

    name = "pgbouncer"
    password = "pooled"
    secret = scram_secret(password)
    debian = "/var/run/postgresql"

    def __init__(self, postgres, users=(), **changes):
        super().__init__()
        self.port, self.leads_to = free_port(), postgres.folder
        users = [*((user, self.secret) for user in ("banter_app", "owner")), *((user, "") for user in users)]
        (self.folder / "userlist.txt").write_text("".join(f'"{name}" "{secret}"\n' for name, secret in users))
        shutil.copy(ROOT / "deploy/pgbouncer/hba.conf", self.folder)
        (self.folder / "pgbouncer.ini").write_text(filled("pgbouncer/pgbouncer.ini", {
            f"host={self.debian}": f"host={postgres.folder}",
            f"unix_socket_dir = {self.debian}": f"unix_socket_dir = {self.folder}",
            f"{self.debian}/pgbouncer.pid": self.folder / "pid",
            "/var/log/postgresql": self.folder,
            "/etc/pgbouncer": self.folder,
            "listen_addr =": "listen_addr = 127.0.0.1",
            "listen_port = 6432": f"listen_port = {self.port}",
            **changes,
        }))
        self.start()

    def start(self):
        self.spawn(["prlimit", f"--nofile={min(self.descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)[1])}",
                    *unprivileged(), "/usr/sbin/pgbouncer", self.folder / "pgbouncer.ini"])
        self.await_start(lambda: (self.folder / f".s.PGSQL.{self.port}").exists(), "PgBouncer's start")

    def lead_to(self, postgres):
        """Another cluster, by its file and a reload."""
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(settings.read_text().replace(f"host={self.leads_to}", f"host={postgres.folder}"))
        self.leads_to = postgres.folder
        self.process.send_signal(signal.SIGHUP)

    @staticmethod
    def descriptors():
        """How many the service may have open."""
        return int((ROOT / "deploy/pgbouncer/limits.conf").read_text().rpartition("LimitNOFILE=")[2])

    def url(self, user="banter_app", database="banter", password=password):
        if password is None:
            return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"


class TrustingPooler(Pooler):
    """One that lets in whoever comes by its unix socket."""

    def start(self):
        (self.folder / "hba.conf").write_text("local all all trust\n")
        super().start()


class StandIn(Server):
    """The stand-in model; `.control` steers it."""

    name = "model"
    place = "127.0.0.1"

    def __init__(self, *options, verify=True):
        super().__init__()
        self.spawn([BUILD / "banter-model", "--listen", f"{self.place}:0", *options])
        line = self.await_start(
            lambda: next((l for l in self.text().splitlines() if l.startswith("listening on ")), None),
            "the model's start",
        )
        self.address = line.split()[-1]
        self.control = Model(self.address, verify=verify)

    @property
    def url(self):
        return self.address + "/v1"


def settings_for_tests(database_url, model_url, **settings):
    """Banter's settings by their names. Keyword arguments: address_limit=3 is BANTER_ADDRESS_LIMIT=3."""
    named = {
        "BANTER_DATABASE_URL": database_url,
        "BANTER_MODEL_URL": model_url,
        "BANTER_ADDRESS_LIMIT": "0",
        # A heartbeat would push out what a flush forgot: where tokens are proven, there is none.
        "BANTER_HEARTBEAT": "1h",
        "BANTER_ADDRESS_OPEN": "0",
        "BANTER_FAILED_KEY_LIMIT": "0",
        "BANTER_VISITOR_ADDRESS_LIMIT": "0",
        "BANTER_VISITOR_NEW_LIMIT": "0",
        "BANTER_VISITOR_EXCHANGES": "0",
        # A busy machine is no reason for a 503.
        "BANTER_QUEUE_TIME": "10m",
        "BANTER_DATABASE_TIME": "30s",
        "BANTER_DATABASE_CONNECT_TIME": "30s",
    }
    for name, value in settings.items():
        named[name if name.isupper() else f"BANTER_{name.upper()}"] = str(value)
    return named


class Banter(Server):
    """The pool, on a unix socket or on `listen`, a port of 127.0.0.1 or an (address, port), which then is its .socket. Settings
    are those of settings_for_tests()."""

    name = "banter"
    program = "banter.fcgi"
    inside = ()  # what runs its command elsewhere

    def __init__(self, database_url, model_url, workers=4, options=(), listen=None, **settings):
        super().__init__()
        apart = isinstance(listen, tuple)
        self.socket = listen if apart else self.folder / "socket"
        self.port = None if apart else listen
        self.options = options
        self.env = settings_for_tests(database_url, model_url, **settings)
        self.workers = workers
        self.start()

    def start(self, *options):
        workers = [] if self.workers is None else ["--workers", self.workers]
        self.spawn(
            [*self.inside, BUILD / self.program, "--listen", self.where(), *workers, *self.options, *options],
            env=self.env,
        )
        self.await_start(self.listening, "the pool's start")
        least = int(str(self.workers or 1).split(":", maxsplit=1)[0])
        self.await_start(lambda: len(self.children()) >= least, "the workers' start")

    def where(self):
        """As BANTER_LISTEN says it."""
        if isinstance(self.socket, tuple):
            return "{}:{}".format(*self.socket)
        return f"127.0.0.1:{self.port}" if self.port else f"unix:{self.socket}"

    def listening(self):
        assert self.process.poll() is None, f"banter.fcgi ended by itself:\n{self.text()}"
        return listens(self.port or self.socket)

    def children(self, kind="worker"):
        """The process ids of its workers, or of its admission process ("admit"), its stopper, or what answers on the status listener ("status")."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        found = []
        for pid in pathlib.Path(path).read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text() == f"banter-{kind}\n":
                    found.append(int(pid))
        return found

    def close(self):
        try:
            code = self.end()
            text = self.text()
            assert code in (0, None), f"banter.fcgi ended with {code}:\n{text[-3000:]}"
            for word in ("AddressSanitizer", "LeakSanitizer", "runtime error"):
                assert word not in text, text
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Server):
    """nginx with deploy/nginx/banter.conf as it stands in front of a pool. `pages`: a folder that is served as /pages/."""

    name = "nginx"
    path = ""

    pages = """
		location /pages/ {
			alias "@PAGES@/";
			types { text/html html; text/css css; text/javascript js; }
		}
"""

    def __init__(self, banter_socket, pages=None):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = filled("nginx/banter.conf", {
            "@FOLDER@": self.folder,
            "@HERE@": ROOT / "deploy" / "nginx",
            "@PORT@": self.port,
            "@SOCKET@": banter_socket,
            "@USER@": "user root;" if os.geteuid() == 0 else "",
        })
        if pages:
            before, braces = text.rsplit("\t}\n}", 1)
            text = before + self.pages.replace("@PAGES@", str(pages)) + "\t}\n}" + braces
        (self.folder / "nginx.conf").write_text(text)
        self.spawn(["/usr/sbin/nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"])
        self.await_start(self.answers, "nginx's start")

    def answers(self):
        assert self.process.poll() is None, f"nginx ended by itself:\n{self.text()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def text(self):
        error = self.folder / "error.log"
        return super().text() + (error.read_text(errors="replace") if error.exists() else "")


def name(prefix="s"):
    """A name no other test uses."""
    return f"{prefix}-{secrets.token_hex(6)}"


def session(prefix=""):
    """An HTTP client that no proxy of the environment stands in the way of. `prefix`: the folder of a site where Banter is."""
    client = described.Session()
    client.prefix = prefix
    client.trust_env = False
    return client


def descriptors(pid):
    """How many descriptors a process has open. It protects its memory: only root may look."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        pytest.skip("only root may count the descriptors of a process that protects its memory")


def own_kib(pid):
    """The memory that a process has to itself."""
    if b"libasan" in subprocess.run(["ldd", BUILD / "banter.fcgi"], capture_output=True).stdout:
        pytest.skip("a sanitizer keeps much for itself")
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except PermissionError:
        pytest.skip("only root may look at the memory of a process that protects it")
    sizes = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
    return sizes["Private_Clean"] + sizes["Private_Dirty"]


def environment(pid):
    """What others of its user can read of a process's environment: nothing, where it protects its memory."""
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except PermissionError:
        return b""
