"""deploy/shared-host: the folder that is uploaded, and what is its own of an Apache that is somebody else's. What it
shares with every web server is test_fronts.py's."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import servers
import pytest
from apis import BOTH, Chatbot, Headless
from fronts.fcgid import SharedHost, give, write_settings
from servers import BUILD, ROOT, name, script, until

PAGE = ROOT / "deploy" / "shared-host" / "README.md"


class Beside(SharedHost):
    """The settings lie in the folder itself."""

    settings = "public_html/chat/banter.conf"


class Least(SharedHost):
    """A host that allows no more than the page asks for, and has no mod_unique_id."""

    override = "FileInfo Options"


class PassAuth(SharedHost):
    """The other way for the Authorization header."""

    def upload(self):
        super().upload()
        file = self.folder / "public_html/chat/.htaccess"
        text = file.read_text()
        line = 'SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1'
        assert line in text
        file.write_text(text.replace(line, "CGIPassAuth On"))


def workers(front):
    """The programs that Apache has started: children of its process manager."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"{front.folder}/public_html".encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


@pytest.fixture
def begin(postgres, database, standin):
    """begin(Front, **settings) -> Site"""
    with contextlib.ExitStack() as stack:
        yield lambda front=SharedHost, **settings: stack.enter_context(
            contextlib.closing(front.site(postgres, database.url(), standin, **settings)))


def make_dist(made, **options):
    subprocess.run(
        ["make", "-C", ROOT, f"B={BUILD}", f"shared={made}", "-o", BUILD / "banter.fcgi", "-o", BUILD / "banterctl",
         "dist-shared"], check=True, stdout=subprocess.DEVNULL, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What `make dist-shared` makes."""
    made = tmp_path_factory.mktemp("dist") / "banter-shared"
    make_dist(made)
    return made


def at_the_same_time(work):
    """Starts work() and gives a function that waits for what it returns."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def wait():
        thread.join(servers.PATIENCE)
        assert results, "no answer"
        return results[0]

    return wait


# The folder


def test_the_folder_needs_nothing_of_the_host_but_a_kernel(folder):
    """The loader finds every library beside the programs, though the host has its own."""
    lib = folder / "lib"
    for program in ("banter.fcgi", "banterctl"):
        found = subprocess.run(
            [lib / "ld.so", "--inhibit-cache", "--library-path", lib, "--list", lib / program],
            check=True, capture_output=True, text=True).stdout
        paths = re.findall(r"=> (\S+)", found)
        assert len(paths) > 10
        assert {os.path.dirname(path) for path in paths} == {str(lib)}, found


def test_the_folder_names_the_licence_of_everything_in_it(folder):
    named = dict(re.findall(r"^(\S+): (\S+) \(", (folder / "licences" / "README").read_text(), re.M))
    libraries = {path.name for path in (folder / "lib").iterdir()} - {"banter.fcgi", "banterctl", "ld.so"}
    assert libraries <= set(named)
    assert any(one.startswith("ld-") for one in named)
    for package in named.values():
        assert "opyright" in (folder / "licences" / package).read_text(errors="replace")
    assert (folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_folder_is_ready_to_upload(folder):
    rights = {path.name: path.stat().st_mode & 0o777 for path in [*folder.iterdir(), folder / "lib" / "ld.so"]}
    assert rights["banter.conf"] == 0o600
    assert {rights[one] for one in ("banter.fcgi", "banterctl", "ld.so")} == {0o755}
    assert len((folder / "README").read_text().splitlines()) <= 10
    listed = subprocess.run(["tar", "-tzf", f"{folder}.tar.gz"], check=True, capture_output=True, text=True).stdout
    assert {"banter-shared/.htaccess", "banter-shared/banter.fcgi"} <= set(listed.split())


def test_the_folder_has_the_widgets_files(folder):
    """Those that the program serves, of which Apache needs no compressed form."""
    web = BUILD / "obj" / "web"
    ours = [path.relative_to(web) for path in web.rglob("*") if path.is_file() and path.suffix != ".gz"]
    assert {path.name for path in ours} >= {"banter.js", "widget.js"}
    assert all((folder / path).read_bytes() == (web / path).read_bytes() for path in ours)
    assert {path.relative_to(folder) for path in folder.rglob("*") if path.suffix in (".js", ".css", ".gz")} <= set(ours)


def test_it_is_readable_for_apache_whoever_made_it(tmp_path):
    made = tmp_path / "banter-shared"
    make_dist(made, umask=0o077)
    for path in [made, *made.rglob("*")]:
        if path != made / "banter.conf":
            assert path.stat().st_mode & 0o044 == 0o044, path


def test_where_the_host_has_no_list_of_authorities_ours_is_taken(folder):
    """`start` as it stands, but for where it looks; the program wants an absolute path."""
    other = pathlib.Path(folder.parent / "without-list" / "chat")
    shutil.copytree(folder, other)
    for program in ("banter.fcgi", "banterctl"):
        start = other / program
        start.write_text(start.read_text().replace("/etc/", "/nonexistent/"))
    done = subprocess.run([other / "banterctl", "workspace", "list"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, "the database cannot be reached" in done.stderr) == (1, True), done.stderr


def test_its_settings_are_good_and_within_apaches_limits(folder):
    """As they stand: shorter than FcgidIOTimeout and FcgidBusyTimeout as mod_fcgid has them."""
    settings = dict(re.findall(r"^(\w+)=(.*)$", (folder / "banter.conf").read_text(), re.M))
    for setting, most in {"BANTER_JSON_TIME": 40, "BANTER_HEARTBEAT": 40, "BANTER_EXCHANGE_TIME": 300,
                          "BANTER_DRAIN_TIME": 1}.items():
        assert float(settings[setting].removesuffix("s")) < most
    checked = subprocess.run([BUILD / "banter.fcgi", "--config", folder / "banter.conf", "--check"],
                             capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "the settings are good\n", "")


# The database


@pytest.fixture
def empty(postgres):
    """empty() -> the URL of a new database with a role of its own, as a host's panel makes them."""
    made = []

    def make():
        one = name("one").replace("-", "_")
        made.append(one)
        postgres.run(f"create role {one} login")
        postgres.run(f"create database {one} owner {one}", database="postgres")
        return postgres.url(one, one)

    yield make
    for one in made:
        postgres.run(f"drop database {one} with (force)", database="postgres")
        postgres.run(f"drop role {one}")


def psql(url, file):
    done = subprocess.run([servers.postgres_bin() / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", file],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def dump(url, *options):
    done = subprocess.run(
        [servers.postgres_bin() / "pg_dump", *options, "-d", url], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if not line.startswith("\\")]  # \restrict and a random word


def banterctl(folder, url, *words):
    done = subprocess.run([folder / "banterctl", *words], capture_output=True, text=True, cwd="/",
                          env={"PATH": os.environ["PATH"], "BANTER_ADMIN_DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_schema_sql_does_what_migrate_does(folder, empty):
    by_hand, by_program = empty(), empty()
    for _ in range(2):
        psql(by_hand, folder / "schema.sql")
    banterctl(folder, by_program, "migrate")

    def shape(url):
        owner = url.split("//")[1].split("@")[0]
        return [line.replace(owner, "ROLE") for line in dump(url, "--schema-only")]

    assert shape(by_hand) == shape(by_program)
    banterctl(folder, by_hand, "migrate")
    assert shape(by_hand) == shape(by_program)


def test_banterctls_files_are_the_callers(folder, empty, tmp_path):
    """The folder is a web site's: nothing is written into it that was not to be."""
    url = empty()
    banterctl(folder, url, "migrate")
    before = sorted(folder.rglob("*"))
    done = subprocess.run([folder / "banterctl", "demo", "--env-file", "demo.env"], capture_output=True, text=True,
                          cwd=tmp_path, env={"PATH": os.environ["PATH"], "BANTER_ADMIN_DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo.env").exists() and sorted(folder.rglob("*")) == before


def blocks():
    """The page's commands, one block each."""
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def test_the_page_leads_to_an_answer(folder, empty, postgres, database, standin):
    """Its commands as they stand, on the host and at home: with ssh, then without it."""
    make, upload, settings, first, keys = blocks()
    assert make == "make dist-shared\n"
    with contextlib.closing(servers.Server()) as home:
        env = {"HOME": str(home.folder), "PATH": f"{servers.postgres_bin()}:{os.environ['PATH']}"}

        def run(block, cwd=home.folder):
            done = subprocess.run(["bash", "-eu", "-c", block], env=env, cwd=cwd, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return done.stdout

        (home.folder / "public_html").mkdir()
        shutil.copy(f"{folder}.tar.gz", home.folder)
        run(upload)
        run(settings)
        chat = home.folder / "public_html" / "chat"
        conf = home.folder / "banter.conf"
        assert (conf.stat().st_mode & 0o777, (chat / "banter.conf").exists()) == (0o600, False)

        def fill(url):
            text = (folder / "banter.conf").read_text()
            for line, value in {"BANTER_DATABASE_URL": url, "BANTER_MODEL_URL": standin.url}.items():
                text = re.sub(f"^{line}=.*$", lambda _: f"{line}={value}", text, flags=re.M)
            conf.write_text(text)

        fill(empty())
        printed = run(first)
        assert answers(chat, conf, demo_of(printed)) == 200

        clone = home.folder / "clone" / "build" / "run"
        clone.mkdir(parents=True)
        made = postgres.demo()
        (clone / "env").write_text(f"BANTER_ADMIN_DATABASE_URL='{postgres.url('owner')}'\n")
        (clone / "demo.env").write_text(f"BANTER_WIDGET_KEY={made.widget_key}\n")
        url = empty()
        psql(url, chat / "schema.sql")
        assert made.widget_key in run(keys, home.folder / "clone")
        psql(url, home.folder / "clone" / "first.sql")
        fill(url)
        assert answers(chat, conf, made.widget_key) == 200


def demo_of(printed):
    return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)["BANTER_WIDGET_KEY"]


def answers(chat, conf, key):
    """The status of one question to that folder, behind an Apache of its own."""

    class Uploaded(SharedHost):
        name = "uploaded"

        def site_file(self):
            shutil.copytree(chat, self.folder / "public_html" / "chat")
            shutil.copy(conf, self.folder / "banter.conf")
            give(self.folder / "banter.conf")
            self.upload()
            return self.host()

    with contextlib.closing(Uploaded("", "")) as front:
        reply = servers.session("/chat").post(
            f"{front.url}/v1/chat", json={"sessionId": "s", "message": "Hello"}, headers={"x-api-key": key}, timeout=servers.PATIENCE)
        assert reply.status_code == 200, (reply.text, front.text())
        return reply.status_code


# Under Apache


def ask_both(site):
    for Api in BOTH:
        for streams in (False, True):
            assert Api(site).answered(script("Hello", tokens=["a", "b"]), streams) == "ab"


@pytest.mark.parametrize("host", [SharedHost, Beside, Least, PassAuth], ids=lambda host: host.__name__)
def test_both_apis_answer(begin, host):
    ask_both(begin(host))


@pytest.mark.parametrize("host", [SharedHost, Beside], ids=lambda host: host.__name__)
def test_no_file_of_the_folder_is_served(begin, host):
    site = begin(host)
    chat = site.banter.folder / "public_html" / "chat"
    for extra in ("banter.conf~", ".banter.conf.swp", "banter.conf.bak"):
        (chat / extra).write_text("secret")
        give(chat / extra)
    write_settings(chat / "settings", site.banter.env)
    # banter.js is the program's to serve, as are those in banter/.
    files = [path.relative_to(chat) for path in chat.rglob("*") if path.parent in (chat, chat / "licences") and path.suffix != ".js"]
    assert {"banter.fcgi", ".htaccess", "settings"} <= {str(path) for path in files}
    more = ["", "banter", "schema", "lib/", "lib/libpq.so.5", "lib/ld.so", "banter.fcgi/x", "banter.conf/"]
    for path in [*files, *more]:
        for target in (f"/chat/{path}", f"/chat//{path}", f"/chat/./{path}", f"/chat/{path}?x"):
            status, headers, body = site.raw("GET", target)
            # Apache adds the slash that a folder's name lacks before .htaccess has a word.
            assert status in (403, 404) or (status == 301 and (chat / path).is_dir()), (target, status)
            assert len(body) < 400 and b"secret" not in body and b"BANTER" not in body, target


def test_its_own_libraries_are_what_runs(begin):
    if os.geteuid() != 0:
        pytest.skip("the program protects its memory: only root may look at its maps")
    site = begin()
    assert site.chat("Hello").status_code == 200
    (pid,) = workers(site.banter)
    mapped = set(re.findall(r" (/.+)$", pathlib.Path(f"/proc/{pid}/maps").read_text(), re.M))
    code = {path for path in mapped if re.search(r"\.so|fcgi$", path)}
    assert {os.path.dirname(path) for path in code} == {f"{site.banter.folder}/public_html/chat/lib"}, code


def test_a_long_stream_comes_whole_in_pieces(begin):
    """More than Apache gathers at a time, so that events are cut between two pieces."""
    site = begin()
    tokens = [f"word{number} " for number in range(1, 5001)]
    for Api in BOTH:
        events = Api(site).stream(script("Hello", tokens=len(tokens))).rest()
        assert [event["token"] for event in events[1:-1]] == tokens
        assert (events[0]["type"], events[-1]["message"]) == ("start", "".join(tokens))


def test_heartbeats_keep_a_silent_exchange_alive(begin):
    """Apache gives up a program that says nothing; what it holds back counts. The sleep is the silence."""
    site = begin(read_time=8, heartbeat=0.5)
    gate, both = name("gate"), []
    for Api in BOTH:
        mark, api = name(), Api(site)
        message = script(mark, tokens=["a", "b"], gates={"2": gate})
        both.append(at_the_same_time(lambda api=api, message=message: api.stream(message).rest()))
        site.model.wait(mark, tokens_sent=1)
    time.sleep(10)
    site.model.open_gate(gate)
    assert [events()[-1]["message"] for events in both] == ["ab", "ab"]


def test_an_answer_in_one_piece_ends_before_apache_gives_up(begin):
    site = begin(read_time=20, json_time=1)
    for Api in BOTH:
        assert Api(site).refuses(Api(site).json(script("Hello", silence=True)), "internal")


def test_SIGTERM_lets_the_running_exchange_end_well(begin):
    """What mod_fcgid sends to a process that it thinks too busy or too old."""
    site = begin()
    gate, mark = name("gate"), name()
    answer = at_the_same_time(lambda: Headless(site).answered(script(mark, tokens=["a", "b"], gates={"2": gate}), True))
    site.model.wait(mark, tokens_sent=1)
    (pid,) = workers(site.banter)
    os.kill(pid, signal.SIGTERM)
    site.model.open_gate(gate)
    assert answer() == "ab"
    until(lambda: pid not in workers(site.banter), "the process's end")
    ask_both(site)


def test_a_client_that_leaves_is_answered_in_full(begin):
    """Nobody tells the program: what the page says."""
    site = begin()
    gate, mark = name("gate"), name()
    with Chatbot(site).call(script(mark, tokens=["a", "b"], gates={"2": gate}), True):
        site.model.wait(mark, tokens_sent=1)
    site.model.open_gate(gate)
    site.model.wait(mark, ended="complete")
    until(lambda: [row["answer"] for row in site.exchanges()] == ["ab"], "the stored answer")


def test_a_changed_setting_is_read_when_the_program_is_a_new_file(begin):
    site = begin(path_prefix="/chat")
    ask_both(site)
    old = workers(site.banter)
    settings = {**site.banter.env, "BANTER_ALLOWED_ORIGINS": "https://new.example"}
    write_settings(site.banter.folder / "banter.conf", settings)
    chat = site.banter.folder / "public_html" / "chat"
    subprocess.run("cp -p banter.fcgi new && mv new banter.fcgi", shell=True, check=True, cwd=chat)
    reply = site.chat("Hello", headers={"Origin": "https://new.example"})
    assert reply.headers["Access-Control-Allow-Origin"] == "https://new.example"
    assert set(workers(site.banter)) - set(old)


def test_a_body_beyond_apaches_limit_is_400(begin):
    site = begin()
    for Api in BOTH:
        reply = Api(site).post(b" " * (140 << 10))
        assert Api(site).refuses(reply, "invalid")
        assert reply.headers["Cache-Control"] == "no-store" and reply.headers["X-Request-Id"]


def test_a_program_that_cannot_start_is_said_in_the_apis_form(begin):
    """Here because of a wrong setting, which the error log names."""
    site = begin(heartbeat="soon")
    for Api in BOTH:
        reply = Api(site).json("Hello")
        assert reply.status_code in (500, 503)
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.json()["error"] in ("Internal server error", "Service unavailable")
    assert "BANTER_HEARTBEAT" in site.banter.text()
