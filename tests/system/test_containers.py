"""deploy/containers without an engine: what its files name is there, and the programs run by them, as they stand."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess

import pytest
import yaml

import servers
from apis import BOTH
from servers import BUILD, ROOT, filled, name, script, until
from site_client import Site

HERE = ROOT / "deploy" / "containers"
COMPOSE = yaml.safe_load((HERE / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
PINNED = r"docker\.io/[a-z0-9/]+:(?!latest\b)[a-z0-9.-]+"


def instructions():
    """The Containerfile's, by stage: {stage: [(instruction, text)]}; a stage's first one is its FROM."""
    stages = {}
    text = re.sub(r"^#.*\n", "", (HERE / "Containerfile").read_text(), flags=re.M).replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        what, rest = line.split(None, 1)
        if what == "FROM":
            stage = stages[rest.split(" AS ")[1]] = []
        stage.append((what, rest))
    return stages


STAGES = instructions()


def those(stage, what):
    return [text for instruction, text in STAGES[stage] if instruction == what]


def packages(stage):
    """What a stage installs from Debian."""
    steps = " ".join(those(stage, "RUN"))
    found = re.findall(r"apt-get install -y --no-install-recommends ([a-z0-9. +-]+?) *&&", steps)
    return set(" ".join(found).split())


def copies(stage):
    """(sources, target, from which stage or None) of each COPY."""
    for text in those(stage, "COPY"):
        *sources, target = text.split()
        origin = sources.pop(0).removeprefix("--from=") if sources[0].startswith("--from=") else None
        yield sources, target, origin


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


# Names


def test_every_image_is_pinned_or_built_here():
    assert set(STAGES) == {"build", "banter", "pgbouncer", "web"}
    for stage in STAGES:
        assert re.fullmatch(PINNED + f" AS {stage}", those(stage, "FROM")[0])
    for service in SERVICES.values():
        build = service.get("build")
        if not build:
            assert re.fullmatch(PINNED, service["image"])
            continue
        assert build["target"] in STAGES
        top = (HERE / build["context"]).resolve()
        assert (top / build["dockerfile"]).samefile(HERE / "Containerfile") and top == ROOT


@pytest.mark.parametrize("stage", ["banter", "pgbouncer", "web"])
def test_every_package_is_one_of_this_debians(stage):
    names = packages(stage)
    assert names
    for package in names:
        assert run("apt-cache", "show", package).stdout or run("dpkg-query", "-W", package).returncode == 0, package


def test_the_banter_image_has_the_libraries_its_programs_need_and_no_others():
    needed = set()
    for program in ("banter.fcgi", "banterctl"):
        linked = re.findall(r"NEEDED.*\[(\S+)\]", run("readelf", "-d", BUILD / program).stdout)
        paths = dict(re.findall(r"(\S+) => (\S+)", run("ldd", BUILD / program).stdout))
        for library in linked:
            real = pathlib.Path(paths[library]).resolve()
            owner = run("dpkg", "-S", f"*/{real.name}").stdout.split(":")[0]
            needed.add(owner)
    if any("asan" in one for one in needed):
        pytest.skip("the sanitizers bring libraries of their own")
    installed = {package for package in packages("banter") if "lib" in package} - {"libfcgi-bin"}
    assert installed == needed - {"libc6"}


def test_everything_copied_is_there():
    for stage in STAGES:
        for sources, _, origin in copies(stage):
            for source in sources:
                assert origin or (ROOT / source).exists(), source


def commands():
    """(stage, command) of whatever a container is told to run."""
    for stage in ("banter", "pgbouncer", "web"):
        yield stage, json.loads(those(stage, "ENTRYPOINT")[0])[0]
    for service in SERVICES.values():
        stage = service.get("build", {}).get("target", "postgres")
        if "entrypoint" in service:
            yield stage, service["entrypoint"][0]
        if "healthcheck" in service:
            kind, command, *_ = service["healthcheck"]["test"]
            assert kind == "CMD"
            yield stage, command
    for stage, file, words in (("banter", "healthcheck.sh", ["cgi-fcgi", "grep"]),
                               ("pgbouncer", "pgbouncer.sh", ["/usr/sbin/pgbouncer", "sed"])):
        for word in words:
            assert word in (HERE / file).read_text()
            yield stage, word


def files_of(stage):
    """What a stage holds: its packages' and the essential packages' files, and what is copied."""
    names = {"postgresql-client-15", "postgresql-15"} if stage == "postgres" else packages(stage)
    every = run("dpkg-query", "-W", "-f", "${Package} ${Essential}\\n").stdout.splitlines()
    names |= {line.split()[0] for line in every if line.endswith(" yes")}
    # nginx-light is the modules; the program itself comes with what it depends on.
    names |= set(re.findall(r"Depends: ([a-z0-9.+-]+)", run("apt-cache", "depends", *names).stdout))
    held = set(run("dpkg", "-L", *names).stdout.split())
    for sources, target, origin in copies(stage) if stage in STAGES else ():
        for source in sources:
            into = target + pathlib.Path(source).name if target.endswith("/") else target
            held.add(into)
            if origin:
                held |= {str(pathlib.Path(into) / "banter.fcgi")}
    return held


def test_every_command_is_in_its_image():
    held = {stage: files_of(stage) for stage in ("banter", "pgbouncer", "web", "postgres")}
    for stage, command in commands():
        places = [command] if "/" in command else [f"{where}{command}" for where in ("/bin/", "/usr/bin/")]
        if stage == "postgres":
            places.append(f"/usr/lib/postgresql/15/bin/{command}")
        assert held[stage] & set(places), f"{command} in the image {stage}"


def settings_of(service):
    """A service's environment, with the defaults of what may be given from outside."""
    given = {key: str(value) for key, value in service.get("environment", {}).items()}
    return {key: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for key, value in given.items()}


def image_settings(stage):
    return dict(pair.split("=", 1) for text in those(stage, "ENV") for pair in shlex.split(text))


def test_every_setting_is_one_of_the_programs():
    known = set(re.findall(r"^ +(BANTER_[A-Z_]+)\b", run(BUILD / "banter.fcgi", "--help").stdout, re.M))
    assert len(known) > 30
    used = set(image_settings("banter"))
    for service in ("banter", "migrate"):
        used |= set(SERVICES[service]["environment"])
    for setting in used:
        assert setting in known or setting.removesuffix("_FILE") in known, setting
    page = (HERE / "README.md").read_text()
    for setting in set(re.findall(r"BANTER_[A-Z_]+", page)) - {"BANTER_SECRETS"}:
        assert setting in known, setting


def test_what_services_refer_to_is_defined_and_all_of_it_is_used():
    for kind in ("networks", "volumes", "secrets"):
        used = set()
        for service in SERVICES.values():
            used |= {entry.split(":")[0] for entry in service.get(kind, []) if not entry.startswith(".")}
        assert used == set(COMPOSE[kind]), kind
    for label, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert condition in ("service_healthy", "service_completed_successfully")
            assert ("healthcheck" in SERVICES[other]) == (condition == "service_healthy"), (label, other)
        for volume in service.get("volumes", []):
            if volume.startswith("."):
                assert (HERE / volume.split(":")[0]).is_file()


@pytest.mark.parametrize("who, whom, text", [
    ("web", "banter", "server banter:9000;"),
    ("pgbouncer", "postgres", "host=postgres"),
    ("banter", "pgbouncer", "@pgbouncer:6432/"),
    ("migrate", "postgres", "@postgres/"),
])
def test_a_service_shares_a_network_with_whom_it_speaks(who, whom, text):
    file = {"web": "nginx.conf", "pgbouncer": "pgbouncer-container.ini"}.get(who, "compose.yaml")
    assert text in (HERE / file).read_text()
    shared = set(SERVICES[who]["networks"]) & set(SERVICES[whom]["networks"])
    assert [COMPOSE["networks"][network] for network in shared] == [{"internal": True}]


@pytest.mark.parametrize("end", ["", "\n"])
def test_pgbouncers_password_is_as_the_file_has_it(tmp_path, end):
    """But for a line feed at its end."""
    (tmp_path / "password").write_text(' a"b  c ' + end)
    shell = tmp_path / "pgbouncer.sh"
    shell.write_text(filled("containers/pgbouncer.sh", {"/tmp": tmp_path, "/usr/sbin/pgbouncer": "true"}))
    subprocess.run(["sh", shell], check=True, env={"PATH": os.environ["PATH"], "PASSWORD_FILE": str(tmp_path / "password")})
    assert (tmp_path / "userlist.txt").read_text() == '"banter" " a""b  c "\n'


def test_no_secret_is_in_an_image_or_in_the_environment():
    for stage in STAGES:
        assert not those(stage, "ARG")
    for settings in [image_settings("banter"), *(settings_of(service) for service in SERVICES.values())]:
        for setting, value in settings.items():
            if re.search("PASSWORD|KEY|SECRET", setting):
                assert setting.endswith("_FILE") and value.startswith("/run/secrets/"), setting
    for service in SERVICES.values():
        for value in settings_of(service).values():
            if value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_every_container_of_ours_is_locked_up():
    for stage in ("banter", "pgbouncer", "web"):
        assert those(stage, "USER")[0] not in ("root", "0")
    for label, service in SERVICES.items():
        if "build" in service:
            assert service["read_only"] and service["cap_drop"] == ["ALL"], label
            assert service["security_opt"] == ["no-new-privileges:true"]


# Deeds


def test_the_build_stage_builds_and_installs_what_the_images_take(tmp_path):
    """From nothing but what it copies; its own steps. What is already compiled is not compiled again."""
    for sources, target, _ in copies("build"):
        for source in sources:
            into = tmp_path / "src" / (target if target.rstrip("/") in ("app", "include", "sql", "deploy") else "")
            into.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, dirs_exist_ok=True)
            else:
                shutil.copy2(ROOT / source, into)
    shutil.copytree(ROOT / "build" / "obj", tmp_path / "src" / "build" / "obj", ignore=shutil.ignore_patterns("sql.*"))
    for step in those("build", "RUN"):
        if step == "deploy/packages.sh build":
            assert (tmp_path / "src" / "deploy" / "packages.sh").exists()
            continue
        done = run("sh", "-c", step.replace("/out", str(tmp_path / "out")), cwd=tmp_path / "src", timeout=300,
                   env={"PATH": os.environ["PATH"]})
        assert done.returncode == 0, done.stderr
    for sources, target, origin in copies("banter"):
        if origin == "build":
            for source in sources:
                assert (tmp_path / source.lstrip("/")).exists()
                assert source == f"/out{target}"
    assert b"create or replace function banter.exchange_begin(" in (tmp_path / "out/usr/bin/banterctl").read_bytes()
    assert run(tmp_path / "out/usr/lib/banter/banter.fcgi", "--version").stdout.startswith("banter ")


class Bouncer(servers.Server):
    """deploy/containers/pgbouncer.sh and its file, with other paths."""

    name = "pgbouncer"

    def __init__(self, postgres, secret):
        super().__init__()
        self.port = servers.free_port()
        (self.folder / "hba.conf").write_text((ROOT / "deploy/pgbouncer/hba.conf").read_text())
        (self.folder / "pgbouncer.ini").write_text(filled("pgbouncer/pgbouncer.ini", {
            "listen_port = 6432": f"listen_port = {self.port}"}))
        (self.folder / "pgbouncer-container.ini").write_text(filled("containers/pgbouncer-container.ini", {
            "/tmp": self.folder, "/etc/banter": self.folder, "0.0.0.0": "127.0.0.1",
            "host=postgres": f"host={postgres.folder}"}))
        shell = self.folder / "pgbouncer.sh"
        shell.write_text(filled("containers/pgbouncer.sh", {
            "/tmp": self.folder, "/etc/banter": self.folder, "/run/secrets/banter_password": secret}))
        self.spawn([*servers.unprivileged(), "sh", shell])
        self.await_start(self.listens, "PgBouncer's start")

    def listens(self):
        assert self.process.poll() is None, f"PgBouncer ended by itself:\n{self.text()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Web(servers.Server):
    """nginx with deploy/containers/nginx.conf, with other paths and ports."""

    name = "web"
    path = ""

    def __init__(self, pool_port):
        super().__init__()
        self.port, self.own_port = servers.free_port(), servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (self.folder / "nginx.conf").write_text(filled("containers/nginx.conf", {
            "/tmp": self.folder, "/etc/banter": ROOT / "deploy" / "nginx", "banter:9000": f"127.0.0.1:{pool_port}",
            "listen 8080": f"listen 127.0.0.1:{self.port}", "127.0.0.1:8081": f"127.0.0.1:{self.own_port}"}))
        # As root in a container it would be www-data; here its workers would be nobody.
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        entry = json.loads(those("web", "ENTRYPOINT")[0])
        self.spawn([self.folder / "nginx.conf" if word == "/etc/banter/nginx.conf" else word for word in entry] + user)
        self.await_start(self.healthy, "nginx's start")

    def healthy(self):
        """By the check of compose.yaml."""
        kind, *check = SERVICES["web"]["healthcheck"]["test"]
        assert kind == "CMD" and check[-1] == "http://127.0.0.1:8081/"
        return run(*check[:-1], f"http://127.0.0.1:{self.own_port}/").returncode == 0


@pytest.fixture
def secret_files(tmp_path):
    """Made by the page's own commands."""
    block = re.search(r"^```sh\n(.*?)^```$", (HERE / "README.md").read_text(), re.M | re.S)[1]
    folder = tmp_path / "containers"
    assert "/etc/banter/containers" in block
    done = run("sh", "-e", "-c", block.replace("/etc/banter/containers", str(folder)))
    assert done.returncode == 0, done.stderr
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.iterdir()} == set(COMPOSE["secrets"])
    for label, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"${{BANTER_SECRETS:-/etc/banter/containers}}/{label}"
        assert (folder / label).stat().st_mode & 0o777 == 0o444
    parts_folder = servers.folder("secrets")  # where the unprivileged user may read too
    for path in folder.iterdir():
        shutil.copy(path, parts_folder)
    yield parts_folder
    shutil.rmtree(parts_folder)


def moved(settings, changes):
    """Settings with paths and ports as they are here."""
    for piece, value in changes.items():
        assert any(piece in text for text in settings.values()), piece
        settings = {key: text.replace(piece, str(value)) for key, text in settings.items()}
    return settings


@pytest.fixture
def composed(secret_files, standin):
    """All services of compose.yaml but for their containers: (the site, PgBouncer)."""
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(contextlib.closing(servers.Postgres()))
        for statement in ("drop database banter", "create database banter"):
            postgres.run(statement, database="postgres")
        # PostgreSQL's image: the role's script, run by psql, and passwords asked for.
        role = postgres.folder / "role.sql"
        role.write_text(filled("containers/role.sql", {"/run/secrets": secret_files}))
        done = run("psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", role, postgres.url("owner"))
        assert done.returncode == 0, done.stderr
        (postgres.data / "pg_hba.conf").write_text("local all owner trust\nlocal all all scram-sha-256\n")
        postgres.run("select pg_reload_conf()")

        migrate = moved(settings_of(SERVICES["migrate"]), {"/run/secrets": secret_files, "@postgres/": "@/"})
        done = run(BUILD / "banterctl", *SERVICES["migrate"]["command"],
                   env={**migrate, "PGHOST": str(postgres.folder)})
        assert done.returncode == 0, done.stderr

        bouncer = stack.enter_context(contextlib.closing(Bouncer(postgres, secret_files / "banter_password")))
        folder = servers.folder("status")
        stack.callback(shutil.rmtree, folder)
        port = servers.free_port()
        settings = moved({**image_settings("banter"), **settings_of(SERVICES["banter"])}, {
            "/tmp": folder, "/run/secrets": secret_files, "pgbouncer:6432": f"127.0.0.1:{bouncer.port}",
            "0.0.0.0:9000": f"127.0.0.1:{port}", "https://api.openai.com/v1": standin.url})
        database_url, model_url = settings.pop("BANTER_DATABASE_URL"), settings.pop("BANTER_MODEL_URL")
        workers = settings.pop("BANTER_WORKERS")
        settings.pop("BANTER_LISTEN")
        pool = stack.enter_context(contextlib.closing(servers.Banter(
            database_url, model_url, workers=int(workers), listen=port, **settings)))
        pool.status = settings["BANTER_STATUS_LISTEN"]
        web = stack.enter_context(contextlib.closing(Web(port)))
        yield Site(postgres, standin.control, pool, web, postgres.demo()), bouncer


def test_the_services_work_together(composed, model):
    """Secrets from files, the password all the way, the model's key, tokens as they are sent."""
    site, bouncer = composed
    # The file of deploy/pgbouncer is in force, and the container's descriptors are those of a service's.
    assert "max_client_conn: 2000" in bouncer.text()
    assert SERVICES["pgbouncer"]["ulimits"] == {"nofile": servers.Pooler.descriptors()}
    for api in BOTH:
        gate, text = name("gate"), name("chat")
        events = api(site).stream(script(text, tokens=["a", "b"], gates={"2": gate}))
        assert [next(events)["type"] for _ in range(2)] == ["start", "token"]
        model.open_gate(gate)
        assert events.rest()[-1]["message"] == "ab"
        assert model.wait(text)["headers"]["authorization"] == "Bearer sk-YOUR-KEY"
    assert site.sql("select count(*) from pg_stat_activity where usename = 'banter'")[0][0] >= 1

    def health():
        return run("sh", HERE / "healthcheck.sh", env={
            "PATH": os.environ["PATH"], "BANTER_STATUS_LISTEN": site.banter.status}).returncode == 0

    assert health()
    bouncer.end()
    until(lambda: not health(), "the health check's word")
