"""The Debian package's life: installed, configured, upgraded, removed, purged; and the service in its sandbox."""

import collections
import re
import subprocess

import pytest

import servers
from fastcgi import chat, chat_params, chat_body, stream, Connection, Reply, health
from page import Page
from servers import Tenant, name, script
from sandbox import ROOT, needs_root, until

MODEL = "https://api.openai.com"


def processes(box):
    """The command lines of all Banter's processes there."""
    return box.run("pgrep -a -u banter; pgrep -a 'banter.[fwds]'", check=False).stdout


def socket_of(box):
    return f"/proc/{box.init}/root/run/banter/banter.sock"


def tenant_of(box):
    values = dict(line.split("=", 1) for line in box.run("cat /root/banter-demo.env").stdout.splitlines())
    return Tenant(values["BANTER_WIDGET_KEY"], values["BANTER_WORKSPACE_KEY"], values["BANTER_CHATBOT_ID"])


def main_pid(box):
    return box.run("systemctl show -P MainPID banter.service").stdout.strip()


def open_gate(box, gate):
    box.run(f"""curl -sSf {MODEL}/_model/open -d '{{"gate":"{gate}"}}'""")


def set_lines(box, *lines):
    box.run("printf '%s\\n' " + " ".join(f"'{line}'" for line in lines) + " >>/etc/banter/banter.conf")


def test_the_package_has_the_program_s_version():
    version = re.search(r'BANTER_VERSION "(.*)"', (ROOT / "include/base/version.h").read_text())[1]
    assert (ROOT / "deploy/debian/changelog").read_text().startswith(f"banter ({version}) ")


def test_lintian_has_nothing_to_say(package):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", package],
                          capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Installed


@needs_root
def test_installing_makes_the_user_the_folder_and_the_service_and_starts_nothing(installed, machine):
    box = machine(installed)
    assert box.run("getent passwd banter").stdout.strip().endswith(":/nonexistent:/usr/sbin/nologin")
    assert box.run("stat -c '%U %G %a' /run/banter").stdout == "banter banter 755\n"
    assert box.run("stat -c '%U %G %a' /etc/banter/banter.conf").stdout == "root banter 640\n"
    assert box.run("stat -c '%U %G %a' /etc/banter/credentials").stdout == "root root 700\n"
    for unit in ("banter.service", "banter.socket"):
        assert box.run(f"systemctl is-enabled {unit}", check=False).stdout == "disabled\n"
        assert box.run(f"systemctl is-active {unit}", check=False).stdout == "inactive\n"
    assert processes(box) == ""


@needs_root
def test_a_service_without_a_database_says_so(installed, machine):
    box = machine(installed)
    box.run("systemctl start --no-block banter.service")
    until(lambda: "the database" in box.journal("banter"), "the reason in the journal")
    assert health(socket_of(box)) == 503


# Configured


@needs_root
def test_the_service_works_in_its_sandbox(served, machine):
    """The model by its name over TLS, the database by its socket, the log in the journal, the secrets out of sight."""
    box = machine(served)
    box.run("systemctl start banter.service")
    reply = stream(socket_of(box), tenant_of(box), script(name("hello"), tokens=["fi", "ne"]))
    assert reply.events()[-1]["message"] == "fine"
    until(lambda: "path=/v1/chat/stream status=200" in box.journal("banter"), "its line in the journal")
    asked = box.run(f"curl -sSf {MODEL}/_model/requests").stdout
    assert "Bearer sk-YOUR-KEY" in asked
    for path in ("/etc/banter/credentials/model-key", "/etc/banter/credentials"):
        assert box.run(f"runuser -u banter -- cat {path}", check=False).returncode != 0
    assert "sk-YOUR-KEY" not in box.journal("banter") + box.run("systemctl show banter.service").stdout
    assert box.run("stat -c '%U %G %a' /run/banter/banter.sock").stdout == "root www-data 660\n"
    assert "Overall exposure level for banter.service" in box.run("systemd-analyze security banter", check=False).stdout


@needs_root
def test_it_logs_to_syslog_and_keeps_a_status_listener_in_its_sandbox(served, machine):
    box = machine(served)
    set_lines(box, "BANTER_LOG=syslog", "BANTER_STATUS_LISTEN=unix:/run/banter/status.sock")
    box.run("systemctl start banter.service && systemctl restart banter.service")
    assert health(socket_of(box).replace("banter.sock", "status.sock")) == 200
    assert chat(socket_of(box), tenant_of(box), script(name("hello"), tokens=["fine"])).json()["message"] == "fine"
    until(lambda: "path=/v1/chat status=200" in box.journal("banter"), "its line in the journal")


@needs_root
def test_it_logs_into_a_file_that_logrotate_moves_away(served, machine):
    """As the page on operating has it, with the package's own file."""
    box = machine(served)
    box.run("mkdir -p /etc/systemd/system/banter.service.d")
    box.run("printf '[Service]\\nLogsDirectory=banter\\n' >/etc/systemd/system/banter.service.d/logs.conf")
    box.run("cp /usr/share/banter/operating/banter.logrotate /etc/logrotate.d/banter && systemctl daemon-reload")
    set_lines(box, "BANTER_LOG=/var/log/banter/banter.log")
    box.run("systemctl start banter.service && systemctl restart banter.service")
    for _ in range(2):
        assert chat(socket_of(box), tenant_of(box), script(name("hello"), tokens=["fine"])).json()["message"] == "fine"
        until(lambda: "path=/v1/chat status=200" in box.run("cat /var/log/banter/banter.log").stdout, "its line in the file")
        box.run("logrotate --force /etc/logrotate.d/banter")
        assert "path=/v1/chat status=200" in box.run("cat /var/log/banter/banter.log.1").stdout


@needs_root
def test_the_models_key_changes_by_a_reload(served, machine):
    """As the page says for it: a file that the service's user may read, in place of the credential."""
    box = machine(served)
    box.run("install -m 640 -g banter /dev/null /etc/banter/model-key && echo sk-first >/etc/banter/model-key")
    set_lines(box, "BANTER_MODEL_KEY_FILE=/etc/banter/model-key")
    box.run("systemctl restart banter.service && echo sk-second >/etc/banter/model-key && systemctl reload banter.service")
    until(lambda: chat(socket_of(box), tenant_of(box), script(name("hello"), tokens=["fine"])).status == 200
          and "Bearer sk-second" in box.run(f"curl -sSf {MODEL}/_model/requests").stdout, "a worker with the new key")
    assert "Bearer sk-YOUR-KEY" not in box.run(f"curl -sSf {MODEL}/_model/requests").stdout


@needs_root
def test_a_reload_fails_where_it_was_asked(served, machine):
    """For a wrong setting: the service goes on, and the reason is in the journal. A good one ends when its workers are up."""
    box = machine(served)

    def workers():
        return set(box.run("pgrep -x banter-worker").stdout.split())

    box.run("systemctl start banter.service")
    before = workers()
    box.run("systemctl reload banter.service")
    assert workers() - before
    until(lambda: not workers() & before, "the end of the old workers, which answer nobody any more")
    assert "systemctl reload banter" in box.run("banterctl reload", check=False).stdout  # systemd made the socket
    set_lines(box, "BANTER_HEARTBEAT=often")
    refused = box.run("systemctl reload banter.service", check=False)
    assert refused.returncode != 0, refused.stdout
    assert "banterctl: /etc/banter/banter.conf: line " in box.journal("banter")
    assert box.run("systemctl is-active banter.service").stdout == "active\n"
    assert chat(socket_of(box), tenant_of(box), script(name("hello"), tokens=["fine"])).json()["message"] == "fine"


@needs_root
def test_banterctl_takes_the_service_s_settings_unless_a_database_is_named(served, machine):
    box = machine(served)
    assert "Demo" in box.run("banterctl workspace list").stdout
    for other in ("BANTER_DATABASE_URL=postgresql:///postgres", "PGDATABASE=postgres"):
        assert "Demo" not in box.run(f"{other} banterctl workspace list", check=False).stdout
    refused = box.run("runuser -u www-data -- banterctl workspace list", check=False)
    assert (refused.returncode, "/etc/banter/banter.conf" in refused.stdout) == (2, True), refused.stdout


@needs_root
def test_the_timer_cleans_up(served, machine):
    """It is on since the first page; what it starts has all it needs in its sandbox."""
    box = machine(served)
    assert box.run("systemctl is-enabled banter-sweep.timer").stdout == "enabled\n"
    # At night it may come by itself, before there is anything to clean up: then the start below would be that one.
    box.run("systemctl stop banter-sweep.timer banter-sweep.service")
    box.run("systemctl start banter.service")
    assert chat(socket_of(box), tenant_of(box), script(name("hello"), tokens=["fine"])).status == 200
    sql = """runuser -u postgres -- psql -qAtc "%s" banter"""
    box.run(sql % "update banter_data.chatbot set retention_days = 1")
    box.run(sql % "update banter_data.conversation set last_at = now() - interval '3 days'")
    box.run("systemctl start banter-sweep.service")
    assert box.run(sql % "select count(*) from banter_data.exchange").stdout == "0\n"


@needs_root
def test_a_reload_exchanges_the_workers_and_disturbs_no_stream(served, machine):
    box = machine(served)
    box.run("systemctl start banter.service")
    gate, tenant = name("gate"), tenant_of(box)
    reply = stream(socket_of(box), tenant, script(name("long"), tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    master, workers = main_pid(box), box.run("pgrep banter-worker | sort").stdout.split()
    set_lines(box, "BANTER_WORKERS=3")
    box.run("systemctl reload banter.service")
    until(lambda: len(set(box.run("pgrep banter-worker").stdout.split()) - set(workers)) == 3, "three new workers")
    open_gate(box, gate)
    assert reply.events()[-1]["message"] == "ab"
    assert main_pid(box) == master


@needs_root
def test_a_restart_loses_no_connection(served, machine):
    """Who connects while the last stream ends waits, and is answered by the next pool."""
    box = machine(served)
    # Longer than a slow machine takes; with a drain of more than 40 s the page wants another TimeoutStopSec=.
    set_lines(box, "BANTER_QUEUE_TIME=3600s", "BANTER_DRAIN_TIME=2400s", "BANTER_ADDRESS_LIMIT=0")
    box.put("/etc/systemd/system/banter.service.d/patience.conf", b"[Service]\nTimeoutStopSec=45min\n")
    box.run("systemctl daemon-reload")
    box.run("systemctl start banter.service && systemctl restart banter.service")
    gate, tenant = name("gate"), tenant_of(box)
    last = stream(socket_of(box), tenant, script(name("last"), tokens=["a", "b"], gates={"2": gate}))
    assert [last.event()["type"] for _ in range(2)] == ["start", "token"]
    before = main_pid(box)
    box.run("systemctl restart --no-block banter.service")
    until(lambda: "draining" in box.journal("banter"), "the drain")
    until(lambda: box.run("pgrep -c banter-worker").stdout == "1\n", "the idle workers' end")
    waiting = []
    for n in range(40):
        body = chat_body(script(name("waits"), tokens=["fine"]), f"s-{n}")
        connection = Connection(socket_of(box))
        connection.begin()
        connection.params(chat_params(tenant, body))
        connection.stdin(body)
        waiting.append(Reply(connection))
    assert main_pid(box) == before
    open_gate(box, gate)
    assert last.events()[-1]["message"] == "ab"
    for reply in waiting:
        with reply.connection:
            assert reply.json()["message"] == "fine"
    assert main_pid(box) not in (before, "0")


@needs_root
def test_a_killed_service_comes_back_a_wrong_setting_does_not(served, machine):
    box = machine(served)
    box.run("systemctl start banter.service")
    before = main_pid(box)
    box.run(f"kill -KILL {before}")
    until(lambda: main_pid(box) not in (before, "0"), "a new pool")
    until(lambda: health(socket_of(box)) == 200, "its answer")
    set_lines(box, "BANTER_WORKERS=many")
    assert box.run("systemctl restart banter.service", check=False).returncode != 0
    assert box.run("systemctl show -P ActiveState banter.service").stdout == "failed\n"
    assert "BANTER_WORKERS must be" in box.journal("banter")


SITE = "curl -s --resolve chat.example.com:80:127.0.0.1 http://chat.example.com"


def behind_nginx(box):
    """As its page says; the status of a request, whose answer there is no wait for."""
    box.run("systemctl start nginx")
    Page(ROOT / "deploy" / "nginx" / "README.md").follow(box)

    def ask():
        return box.run(f"{SITE}/v1/chat -o /dev/null -w '%{{http_code}}' -H 'x-api-key: none' -d '{{}}'").stdout

    # A reload returns before those workers are gone who know of no Banter.
    until(lambda: ask() != "404", "nginx's reload")
    return ask


@needs_root
def test_G6_a_service_that_cannot_start_is_a_503_until_the_setting_is_mended(served, machine):
    """Whoever comes starts it anew, and is turned away each time; a crowd cannot break the socket for good."""
    box = machine(served)
    box.run("systemctl start banter.service")
    ask = behind_nginx(box)
    assert ask() == "401"
    set_lines(box, "BANTER_WORKERS=many")
    box.run("systemctl restart banter.service", check=False)
    assert [ask() for _ in range(3)] == ["503"] * 3
    # From as many addresses: one alone may have fewer requests open than these, before the server says 429.
    crowd = box.run(f"for n in {{1..60}}; do {SITE}/health --interface 127.0.1.$n -o /dev/null"
                    " -w '%{http_code}\n' & done; wait").stdout.split()
    assert collections.Counter(crowd) == {"503": 60}
    assert "BANTER_WORKERS must be" in box.journal("banter")
    box.run("sed -i '$d' /etc/banter/banter.conf && systemctl restart banter.service")
    assert ask() == "401"
    assert works(box)


@needs_root
def test_G6_with_a_schema_that_is_too_old_too_and_migrating_heals_it(served, machine):
    box = machine(served)
    box.run("systemctl start banter.service")
    ask = behind_nginx(box)
    box.run("runuser -u postgres -- psql -q banter", text_in="create or replace function banter.schema_version()"
            " returns integer language sql as 'select 0';")
    box.run("systemctl restart banter.service", check=False)
    assert [ask() for _ in range(2)] == ["503"] * 2
    assert "run banterctl migrate" in box.journal("banter")
    box.run("banterctl migrate --role banter")
    until(lambda: ask() == "401", "the next try")
    assert works(box)


# Upgraded


def newer_schema(tree):
    """A later version that needs a schema of its own."""
    store = tree / "include/chat/store.h"
    text = store.read_text()
    now = int(re.search(r"STORE_SCHEMA_VERSION (\d+)", text)[1])
    store.write_text(text.replace(f"STORE_SCHEMA_VERSION {now}", f"STORE_SCHEMA_VERSION {now + 1}"))
    version = tree / "sql/app/schema_version.sql"
    version.write_text(version.read_text().replace(f"select {now} ", f"select {now + 1} "))
    (tree / f"sql/migrations/{now + 1:04}_more.sql").write_text(
        "create table banter_data.more (n integer);\ncomment on table banter_data.more is 'A test.';\n")


@pytest.fixture(scope="module")
def later(newer):
    return newer("7.0.0")


@pytest.fixture(scope="module")
def much_later(newer):
    return newer("8.0.0", newer_schema)


def upgrade(box, package):
    box.put("/root/newer.deb", package)
    return box.run("apt-get install -y /root/newer.deb").stdout


def works(box):
    reply = chat(socket_of(box), tenant_of(box), script(name("hello"), tokens=["fine"]), session=name("s"))
    return reply.json()["message"] == "fine"


def long_stream(box):
    """One that stands in its midst, and its gate."""
    gate = name("gate")
    reply = stream(socket_of(box), tenant_of(box), script(name("long"), tokens=["a", "b"], gates={"2": gate}), name("s"))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    return reply, gate


@needs_root
def test_an_upgrade_takes_over_beside_the_streams_and_keeps_the_settings(served, machine, later):
    """The service never stops. A restart then lets the old program's stream end too, which is beside the main process."""
    box = machine(served)
    set_lines(box, "BANTER_DRAIN_TIME=2400s")  # longer than a slow machine takes
    box.put("/etc/systemd/system/banter.service.d/patience.conf", b"[Service]\nTimeoutStopSec=45min\n")
    box.run("systemctl daemon-reload && systemctl start banter.service && systemctl restart banter.service")
    settings, before = box.run("cat /etc/banter/banter.conf").stdout, main_pid(box)
    since = box.run("systemctl show -P ActiveEnterTimestampMonotonic banter.service").stdout
    short, gate_of_short = long_stream(box)
    long, gate_of_long = long_stream(box)
    said = upgrade(box, later)
    assert "goes on" not in said
    new = main_pid(box)
    assert new not in (before, "0")
    assert "banter 7.0.0 on the service manager's socket" in box.journal("banter")
    assert box.run("cat /etc/banter/banter.conf").stdout == settings
    assert box.run("stat -c '%U %G %a' /etc/banter/banter.conf").stdout == "root banter 640\n"
    assert box.run("ls /run/banter.service.before", check=False).returncode != 0
    assert works(box)
    open_gate(box, gate_of_short)
    assert short.events()[-1]["message"] == "ab"
    assert box.run("systemctl show -P ActiveEnterTimestampMonotonic banter.service").stdout == since
    box.run("systemctl restart --no-block banter.service")
    until(lambda: box.journal("banter").count("draining: ") == 3, "both masters' drain")
    until(lambda: box.run("pgrep -c banter-worker").stdout == "1\n", "the idle workers' end")
    open_gate(box, gate_of_long)
    assert long.events()[-1]["message"] == "ab"
    until(lambda: main_pid(box) not in (before, new, "0"), "the pool that follows")
    assert works(box)


@needs_root
def test_an_upgrade_whose_unit_is_another_one_restarts_the_service(served, machine, later):
    """What it says of the service's sandbox is for a program that starts under it."""
    box = machine(served)
    box.run("echo '# Of the version before.' >>/lib/systemd/system/banter.service && systemctl daemon-reload")
    box.run("systemctl start banter.service")
    before = box.run("systemctl show -P ActiveEnterTimestampMonotonic banter.service").stdout
    upgrade(box, later)
    assert box.run("systemctl show -P ActiveEnterTimestampMonotonic banter.service").stdout != before
    assert "draining: " in box.journal("banter") and "banter 7.0.0 on" in box.journal("banter")
    assert works(box)


PROGRAM = "/usr/lib/banter/banter.fcgi"


@needs_root
def test_a_reload_after_the_programs_file_has_changed_is_an_upgrade(served, machine):
    """systemd learns the new main process, and its watchdog watches that one; where it cannot start, the reload fails."""
    box = machine(served)
    box.put("/etc/systemd/system/banter.service.d/watchdog.conf", b"[Service]\nWatchdogSec=20s\n")
    box.run("systemctl daemon-reload && systemctl start banter.service")
    before = main_pid(box)
    reply, gate = long_stream(box)
    box.run(f"cp {PROGRAM} /root/good && printf '#!/bin/sh\\necho no such library >&2\\nexit 127\\n' >{PROGRAM}.new"
            f" && chmod 755 {PROGRAM}.new && mv {PROGRAM}.new {PROGRAM}")
    assert box.run("systemctl reload banter.service", check=False).returncode != 0
    assert "this one goes on: no such library" in box.journal("banter")
    assert (main_pid(box), box.run("systemctl is-active banter.service").stdout) == (before, "active\n")
    assert works(box)
    box.run(f"cp /root/good {PROGRAM}.new && mv {PROGRAM}.new {PROGRAM} && systemctl reload banter.service")
    new = main_pid(box)
    assert new not in (before, "0")
    assert "STATUS=" not in box.run("systemctl status banter.service").stdout
    assert works(box)
    open_gate(box, gate)
    assert reply.events()[-1]["message"] == "ab"
    until(lambda: box.run(f"ls /proc/{before}", check=False).returncode, "the old one's end")

    def alive_at():
        return box.run("systemctl show -P WatchdogTimestampMonotonic banter.service").stdout

    at = alive_at()
    until(lambda: alive_at() != at, "a sign of life")
    assert main_pid(box) == new
    box.run(f"kill -STOP {new}")
    until(lambda: main_pid(box) not in (new, "0"), "another one in its place")
    until(lambda: health(socket_of(box)) == 200, "its answer")
    assert works(box)


@needs_root
def test_an_upgrade_starts_no_service_that_does_not_run(served, machine, later):
    box = machine(served)
    box.run("systemctl stop banter.service banter.socket")
    upgrade(box, later)
    assert processes(box) == ""


@needs_root
def test_an_upgrade_does_not_migrate_unless_told_and_the_old_program_goes_on(served, machine, much_later):
    box = machine(served)
    box.run("systemctl start banter.service")
    before = main_pid(box)
    said = upgrade(box, much_later)
    assert "the program that ran before the upgrade goes on" in said
    assert main_pid(box) == before
    assert works(box)
    # What it says to do.
    box.run("""export BANTER_DATABASE_URL='postgresql:///banter?options=-crole%3Dbanter_owner'
        runuser -u postgres -- banterctl migrate --role banter && systemctl restart banter""")
    assert "banter 8.0.0 on" in box.journal("banter")
    assert works(box)


@needs_root
def test_an_upgrade_migrates_when_it_is_told_to(served, machine, much_later):
    """With the lines that /etc/default/banter offers."""
    box = machine(served)
    box.run("systemctl start banter.service")
    box.run(r"sed -i -e '/^BANTER_MIGRATE=$/d' -e 's/^#   //' /etc/default/banter")
    said = upgrade(box, much_later)
    assert "goes on" not in said
    assert "banter 8.0.0 on" in box.journal("banter")
    assert works(box)


# Removed


@needs_root
def test_removal_leaves_no_process_and_purging_no_file(served, machine):
    box = machine(served)
    box.run("systemctl start banter.service")
    assert processes(box) != ""
    box.run("apt-get remove -y banter")
    assert processes(box) == ""
    assert box.run("systemctl is-active banter.socket", check=False).stdout == "inactive\n"
    assert box.run("ls /etc/banter").stdout.split() == ["banter.conf", "credentials"]
    box.run("apt-get purge -y banter")
    left = box.run("find /etc /run /usr /var/lib /lib/ -xdev -iname '*banter*' -not -path '/usr/share/pyshared/*'"
                   " -not -path '/var/lib/banter-packages*'").stdout.split()
    assert left == []
    assert "does not exist" not in box.run("runuser -u postgres -- psql -d banter -c 'select 1'").stdout


@needs_root
def test_what_was_removed_can_be_installed_again(served, machine):
    box = machine(served)
    box.run("apt-get remove -y banter && apt-get install -y /root/banter.deb && systemctl start banter.service")
    assert works(box)


@needs_root
def test_the_sandbox_reaches_nothing_outside(machine, installed, tmp_path):
    """Or a test of it proves nothing, and harms."""
    box = machine(installed)
    (tmp_path / "outside").write_text("here")
    assert box.run(f"cat {tmp_path}/outside", check=False).returncode != 0 or not str(tmp_path).startswith("/tmp")
    box.run("touch /etc/of-the-sandbox")
    assert not servers.pathlib.Path("/etc/of-the-sandbox").exists()
    assert box.run("curl -sS --max-time 5 http://192.0.2.1", check=False).returncode != 0
    assert box.run("sysctl -w kernel.panic=77", check=False).returncode != 0
