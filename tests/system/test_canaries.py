"""Secrets are where they belong and nowhere else: keys, prompts and messages that can be told from all others go through a whole
set of exchanges, and are looked for wherever another program, another user or an operator could find them."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import threading

import psycopg2
import pytest

import servers
from fastcgi import Connection, chat, chat_body, chat_params, stream
from servers import BUILD, name, script, until
from tenants import Tenant

MARK = "CANARY7f3a"
SANITIZED = "ASAN_OPTIONS" in os.environ and "sanitized" in str(BUILD)
ANSWER = [f"{MARK}-answer", " and more"]
# What a model's server may say with the answer, or in its place.
WAYS = [
    {}, {"split": 1}, {"status": 500, "error": {"message": f"{MARK}-error", "type": MARK}}, {"status": 400, "body": f"{MARK}-body"},
    {"status": 429, "body": f"{MARK}-body"}, {"drop": True}, {"cut_after": 1}, {"end_after": 1},
    {"error_after": 1, "error": {"message": f"{MARK}-error"}}, {"empty": True}, {"raw": [f"data: {MARK}\n\n"]}, {"finish": MARK},
    {"tokens": [f"<think>{MARK}-reasoning</think>", "said"]},
]


class Unprivileged(servers.Banter):
    """A pool whose user is not root, who may look everywhere."""

    def spawn(self, command, env=None, **options):
        super().spawn([*servers.unprivileged(), *command], env, **options)

    def everybody(self):
        """The processes of the pool, of each kind."""
        found = {kind: self.children(kind) for kind in ("worker", "admit", "status")}
        assert all(found.values()), found
        return [self.process.pid, *sum(found.values(), [])]


class Told:
    """A pool with a database of its own whose log says all it can, and what clients of each API were told."""

    # As deploy/ and doctor say; terse: PostgreSQL quotes the row that a constraint of the operator's own refuses.
    role = {"log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0", "log_error_verbosity": "terse"}
    loud = ["-c", "log_statement=all", "-c", "log_min_duration_statement=0", "-c", "log_lock_waits=on", "-c", "deadlock_timeout=50ms"]

    def __init__(self, stack, standin):
        self.standin = standin
        self.postgres = stack.enter_context(contextlib.closing(servers.Postgres()))
        for setting, value in {"log_statement": "none", "log_min_duration_statement": "-1"}.items():
            self.postgres.run(f"alter role owner set {setting} = '{value}'")
        for setting, value in self.role.items():
            self.postgres.run(f"alter role banter_app set {setting} = '{value}'")
        self.postgres.stop()
        self.postgres.start(*self.loud)
        self.tenant = self.postgres.demo(system_prompt=f"{MARK}-prompt")
        folder = servers.folder("canaries")
        stack.callback(subprocess.run, ["rm", "-rf", folder], check=True)
        (folder / "servers").write_text(f"[other]\nURL={standin.url}\nKEY={MARK}-other\nHEADERS=X-Own: {MARK}-header\n")
        (folder / "password").write_text(f"{MARK}-password\n")
        for path in folder.iterdir():
            path.chmod(0o644)
        folder.chmod(0o755)
        self.secrets = {
            "BANTER_MODEL_KEY": f"{MARK}-model", "BANTER_MODEL_HEADERS": f"X-Secret: {MARK}-headers", "PGPASSWORD": f"{MARK}-pg",
            "BANTER_DATABASE_PASSWORD_FILE": folder / "password", "BANTER_MODEL_SERVERS": folder / "servers",
            "OPENAI_API_KEY": f"{MARK}-openai", "BANTER_ADMIN_DATABASE_URL": f"postgresql://owner:{MARK}-admin@/x",
        }
        self.banter = stack.enter_context(contextlib.closing(Unprivileged(
            self.postgres.url(), standin.url, workers=2, log_level="debug", model_first_time="3s", answer_bytes=4096,
            status_listen=f"unix:{folder}/../{folder.name}-status", queue_time="10m", **self.secrets)))
        self.replies = []
        self.ask_all()

    def keep(self, reply):
        """What an error is told with; an answer is its client's own."""
        reply.body()
        if reply.status != 200 or b"error" in reply.bytes:
            self.replies.append(reply.bytes)
        reply.connection.close()

    def ask_all(self):
        socket, tenant = self.banter.socket, self.tenant
        for way in WAYS:
            for path in "/v1/chat", "/v1/chat/stream":
                text = script(f"{MARK}-question", **{"tokens": ANSWER, **way})
                self.keep(chat(socket, tenant, text, path, f"{MARK}-session", HTTP_IDEMPOTENCY_KEY=f"{MARK}-{name()}"))
        body = chat_body(script(f"{MARK}-question", tokens=ANSWER))[:-1] + b', "metadata": {"a": "%s-metadata"}}' % MARK.encode()
        own = {"HTTP_X_API_KEY": None, "HTTP_AUTHORIZATION": f"Bearer {tenant.workspace_key}"}
        for more in {}, {"HTTP_IDEMPOTENCY_KEY": f"{MARK}-twice"}, {"HTTP_IDEMPOTENCY_KEY": f"{MARK}-twice"}:
            params = chat_params(tenant, body, f"/api/v1/chatbots/{tenant.chatbot}/chat", **own, **more)
            self.keep(Connection(socket).ask(params, body))
        stranger = Tenant.new()
        for more in ({"HTTP_X_API_KEY": f"{MARK}-key"}, {"HTTP_X_API_KEY": stranger.widget_key}, {"HTTP_X_FORWARDED_FOR": MARK},
                     {"HTTP_COOKIE": MARK}, {"QUERY_STRING": MARK, "REQUEST_URI": f"/v1/chat?{MARK}"}, {"HTTP_ORIGIN": f"https://{MARK}"}):
            self.keep(chat(socket, tenant, script(f"{MARK}-question", status=500), **more))

    def check(self, where, text):
        """None of them stands there."""
        text = text if isinstance(text, bytes) else text.encode()
        for secret in (MARK, self.tenant.widget_key, self.tenant.workspace_key, self.tenant.widget_key[12:]):
            assert secret.encode() not in text, (where, text[max(0, text.find(secret.encode()) - 200) :][:400])


@pytest.fixture(scope="module")
def told(standin):
    with contextlib.ExitStack() as stack:
        yield Told(stack, standin)


def test_error_bodies(told):
    assert len(told.replies) > 20
    for reply in told.replies:
        # An answer's own tokens may precede an error; all else is ours.
        told.check("a reply", re.sub(rb'\{"type":"(?:token|done)".*\n', b"", reply))


def test_the_log(told):
    text = told.banter.text()
    assert text.count(" request=") > 30
    told.check("the log", text)


def test_proc_of_every_process_of_the_pool(told):
    """What anybody may read of a process, and what its user may."""
    for pid in told.banter.everybody():
        folder = pathlib.Path(f"/proc/{pid}")
        for file in "cmdline", "comm", "stat", "status", "environ":
            with contextlib.suppress(PermissionError):
                told.check(f"{folder}/{file}", (folder / file).read_bytes())
    told.check("ps", subprocess.run(["ps", "axeww"], capture_output=True, check=True).stdout)


def test_no_other_process_of_its_user_may_look_into_it(told):
    """Nor have it dumped: not by gcore, which asks for the same."""
    if SANITIZED:
        pytest.skip("the leak checker needs what is forbidden here")
    for pid in told.banter.everybody():
        for file in "environ", "mem", "maps":
            done = subprocess.run([*servers.unprivileged(), "head", "-c1", f"/proc/{pid}/{file}"], capture_output=True, text=True)
            assert done.returncode and "Permission denied" in done.stderr, (pid, file, done)


def test_a_worker_that_crashes_leaves_no_core(told):
    """Nor where its limit could be raised. A program that leaves one shows that this would be seen."""
    if SANITIZED or os.geteuid() != 0:
        pytest.skip("a sanitizer handles the signal itself; only root may start another user's program")

    def cores():
        return list(told.banter.folder.glob("*core*"))

    with subprocess.Popen([*servers.unprivileged(), "prlimit", "--core=unlimited", "sleep", "100"], cwd=told.banter.folder) as other:
        until(lambda: pathlib.Path(f"/proc/{other.pid}/comm").read_text() == "sleep\n", "the program")
        other.send_signal(signal.SIGSEGV)
    if not cores():
        pytest.skip("this machine's cores go elsewhere")
    for core in cores():
        core.unlink()
    victim = told.banter.children()[0]
    subprocess.run(["prlimit", f"--pid={victim}", "--core=unlimited"], stderr=subprocess.DEVNULL, check=False)  # not in a container
    os.kill(victim, signal.SIGSEGV)
    until(lambda: f"(pid {victim}) died: killed by signal 11" in told.banter.text(), "its death")
    assert cores() == []


@pytest.mark.parametrize("call", ["exchange_begin", "exchange_end"])
def test_pg_stat_activity_while_a_call_waits(told, call):
    """The statement is there, its values are not."""
    gate = name("gate")
    question = script(f"{MARK}-question", tokens=ANSWER, gates={"2": gate})
    with contextlib.closing(psycopg2.connect(told.postgres.url("owner"))) as holder, contextlib.ExitStack() as stack:
        lock = "lock table banter_data.exchange in access exclusive mode"
        if call == "exchange_begin":
            holder.cursor().execute(lock)
        asked = {}
        thread = threading.Thread(target=lambda: asked.update(reply=stream(told.banter.socket, told.tenant, question, name("s"))))
        thread.start()
        stack.callback(thread.join)
        if call == "exchange_end":
            told.standin.control.wait(question, tokens_sent=1)
            holder.cursor().execute(lock)
        stack.callback(told.standin.control.open_gate, gate)
        if call == "exchange_end":
            told.standin.control.open_gate(gate)
        seen = until(lambda: [query for (query,) in told.postgres.run("select query from pg_stat_activity where wait_event_type = 'Lock'")
                              if call in query], "a call that waits")
        for (query,) in told.postgres.run("select coalesce(query, '') || coalesce(application_name, '') from pg_stat_activity"):
            told.check("pg_stat_activity", query)
        assert seen
        holder.rollback()
    assert asked["reply"].events()[-1]["type"] == "done"


def test_the_databases_log(told):
    """It says all it can of statements, and a constraint of the operator's own refuses a row: with the settings of the
    application's role that doctor names, and `terse`, no value stands in it."""
    postgres, tenant = told.postgres, told.tenant
    postgres.run("set log_statement = none")
    postgres.run(f"alter table banter_data.exchange add constraint own check (workspace <> {tenant.workspace}"
                 " or question not like '%refuse-this%')")
    try:
        assert chat(told.banter.socket, tenant, f"{MARK} refuse-this").status == 500
    finally:
        postgres.run("alter table banter_data.exchange drop constraint own")
    text = postgres.text()
    assert 'violates check constraint "own"' in text
    assert "exchange_begin" in text and "exchange_end" in text
    told.check("PostgreSQL's log", text)


def test_the_databases_log_as_it_is_by_default(pool, postgres, standin):
    """Without any setting: what Banter asks for, and its own refusals, put nothing of a person there."""
    tenant = postgres.demo(system_prompt=f"{MARK}-prompt")
    banter = pool(workers=1, database_url=postgres.url())
    for way in WAYS[:4]:
        chat(banter.socket, tenant, script(f"{MARK}-question", **{"tokens": ANSWER, **way}), session=f"{MARK}-session").body()
    reply = chat(banter.socket, tenant, script(f"{MARK}-question", tokens=ANSWER), HTTP_IDEMPOTENCY_KEY=f"{MARK}-key")
    assert reply.json()["message"] == "".join(ANSWER)
    reply = chat(banter.socket, tenant, script(f"{MARK}-other", tokens=ANSWER), HTTP_IDEMPOTENCY_KEY=f"{MARK}-key")
    assert reply.status == 409
    postgres.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'banter_app'")
    chat(banter.socket, tenant, script(f"{MARK}-question", tokens=ANSWER)).body()
    assert MARK not in postgres.text()
