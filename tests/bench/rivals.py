"""What people use today for the same job: PHP-FPM and Node, each behind an nginx of its own, with the same database cluster.

Both take the headless API's request on /v1/chat/stream and answer with Banter's bytes, so the same load fits. What they do:
the key looked up, the conversation found or made, the exchange recorded, the last messages read, the model streamed with a
flush for whatever came, the answer committed before `done`. They have no limits, credits, retries or leases.

`deploy/packages.sh bench` installs what they need; test_rivals.py proves that they do the job."""

import contextlib
import hashlib
import os
import pathlib
import pwd
import secrets
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RIVALS = HERE / "rivals"
sys.path.insert(0, str(HERE.parent / "system"))
import servers  # noqa: E402
from servers import BUILD, ROOT  # noqa: E402

INSTALL = "deploy/packages.sh bench"
MODULES = ROOT / "build" / "npm-bench" / "node_modules"
DATABASE = "rivals"
KEY = secrets.token_hex(20)
# PHP-FPM's children: not root, and let into the folder of PostgreSQL's socket.
USER = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def php_fpm():
    """Debian's program, of the newest version; None: there is none."""
    found = sorted(pathlib.Path("/usr/sbin").glob("php-fpm[0-9]*"), key=lambda path: [int(n) for n in path.name[7:].split(".")])
    return found[-1] if found else None


def available():
    """What is missing, in words for people, and the command that installs it; None when all is there."""
    missing = []
    php = php_fpm()
    modules = subprocess.run([php, "-m"], capture_output=True, text=True).stdout.split() if php else []
    missing += [] if php else ["PHP-FPM"]
    missing += [f"PHP's module {name}" for name in ("pdo_pgsql", "curl", "OPcache") if php and name not in modules]
    missing += [] if shutil.which("node") else ["Node.js"]
    lock, done = RIVALS / "node" / "package-lock.json", MODULES / ".done"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        missing.append("Node's packages")
    return f"{', '.join(missing)} missing: {INSTALL}" if missing else None


def prepare(postgres):
    """Makes the rivals' tables, in a database of their own, and their key; again: nothing."""
    if not postgres.run("select 1 from pg_database where datname = %s", DATABASE, database="postgres"):
        postgres.run(f"create database {DATABASE}", database="postgres")
        postgres.run((RIVALS / "schema.sql").read_text(), database=DATABASE)
    postgres.run("insert into api_key values (%s, 1) on conflict do nothing",
                 hashlib.sha256(KEY.encode()).hexdigest(), database=DATABASE)


def pooler(postgres):
    """PgBouncer, as whoever has more children than PostgreSQL should have backends puts it in between."""
    return servers.Pooler(postgres, **{"banter = host": "* = host", "auth_type = hba": "auth_type = trust",
                                       "query_wait_timeout = 2": "query_wait_timeout = 30"})


def put_in(template, values):
    """A file of rivals/ with @NAMES@ replaced, without the comments that name them."""
    text = "\n".join(line for line in (RIVALS / template).read_text().splitlines() if not line.startswith(("#", ";")))
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text + "\n"


class Front(servers.Nginx):
    """nginx, set up as it would be before this rival: rivals/NAME/nginx.conf."""

    def __init__(self, rival, **values):
        servers.Server.__init__(self)
        self.port = servers.free_port()
        place = self.folder / "place.conf"
        place.write_text(put_in(f"{rival}/nginx.conf", {"PORT": self.port, **values}))
        (self.folder / "nginx.conf").write_text(put_in("nginx.conf", {
            "FOLDER": self.folder, "PLACE": place, "USER": "user root;" if os.geteuid() == 0 else ""}))
        self.spawn(["/usr/sbin/nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"])
        self.await_start(self.answers, "nginx's start")


class Rival(servers.Server):
    """A program behind an nginx. `groups`: whose time and memory it takes, by name, without the model's."""

    key = KEY
    front = None

    def stand(self, rival, postgres, **values):
        """What comes once the program was spawned."""
        socket = self.folder / "socket"
        try:
            self.await_start(lambda: self.alive() and servers.listens(socket), f"{self.name}'s start")
            self.front = Front(rival, SOCKET=socket, **values)
        except BaseException:  # who was to close it never gets it
            self.close()
            raise
        self.port = self.front.port
        self.groups = {"nginx": self.front, self.name: self, "postgres": postgres}

    def alive(self):
        assert self.process.poll() is None, f"{self.name} ended by itself:\n{self.text()}"
        return True

    def text(self):
        error = self.folder / "error.log"
        return super().text() + (error.read_text(errors="replace") if error.exists() else "")

    def close(self):
        try:
            if self.front:
                self.front.close()
        finally:
            super().close()


class PhpFpm(Rival):
    """rivals/php behind PHP-FPM with `children` processes, each with a connection of its own to PostgreSQL, or to `through`,
    a pooler()."""

    name = "php-fpm"

    def __init__(self, model_url, postgres, children, through=None):
        super().__init__()
        place = through or postgres
        script = self.folder / "chat.php"
        shutil.copy(RIVALS / "php" / "chat.php", script)
        script.chmod(0o644)
        (self.folder / "php-fpm.conf").write_text(put_in("php/php-fpm.conf", {
            "FOLDER": self.folder, "USER": USER, "CHILDREN": children, "MODEL": f"{model_url}/v1",
            "DATABASE": f"pgsql:host={place.folder};port={place.port};dbname={DATABASE};user=owner"}))
        self.spawn([php_fpm(), "--nodaemonize", "--fpm-config", self.folder / "php-fpm.conf"])
        self.stand("php", postgres, SCRIPT=script)
        if through:
            self.groups["pgbouncer"] = through


class Node(Rival):
    """rivals/node: one process a core, of Node's cluster, each with a pool of connections to PostgreSQL."""

    name = "node"

    def __init__(self, model_url, postgres):
        super().__init__()
        # Packages are looked for beside the program.
        shutil.copy(RIVALS / "node" / "chat.js", self.folder)
        shutil.copy(RIVALS / "node" / "package.json", self.folder)
        (self.folder / "node_modules").symlink_to(MODULES)
        self.spawn(["node", self.folder / "chat.js"], env={
            "NODE_ENV": "production", "LISTEN": str(self.folder / "socket"), "MODEL_URL": f"{model_url}/v1",
            "DATABASE": f"postgresql://owner@/{DATABASE}?host={postgres.folder}&port={postgres.port}"})
        self.stand("node", postgres)
