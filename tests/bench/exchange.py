"""What an exchange costs PostgreSQL: its CPU for the two calls of the application, without the application.

pgbench makes fresh exchanges with the statements of app/chat/store.c, extended and prepared, against the schema as it
is, beside the two lean functions of lean.sql and, with --against COMMIT, the schema of that commit: databases of one
cluster, in turns. README.md says what is measured. Speed never fails it; an exchange that is not stored does.
"""

import argparse
import contextlib
import hashlib
import io
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "system"))
import parts  # noqa: E402
import processes  # noqa: E402
import servers  # noqa: E402

CLIENTS = 8
MODES = ("extended", "prepared")
PER_CONVERSATION = 4
QUESTION = "What does the weather look like this week, and should I take an umbrella along? " * 2
ANSWER = "It rains until Thursday in the north and stays dry in the south; an umbrella will not hurt. " * 4


def key_hash(key):
    return "\\x" + hashlib.sha256(key.encode()).hexdigest()


# What the parameters of the calls are, by name; "null" where they are not here. In a script of pgbench's, which sends
# what begins with a colon as a parameter.
GIVEN = {
    "p_workspace": ":workspace", "p_exchange": ":id", "p_answer_id": ":answer", "p_new_conversation": ":first",
    "p_message": ":question", "p_stream": ":stream", "p_lease_seconds": ":lease", "p_max_messages": ":messages",
    "p_max_chars": ":chars", "p_request_id": ":request", "p_max_open": ":none", "p_max_open_per_key": ":none",
    "p_lock_ms": ":lock", "p_state": ":state", "p_answer": ":text", "p_finish_reason": ":reason",
    "p_tokens_in": ":lease", "p_tokens_out": ":messages", "p_first_ms": ":lease", "p_total_ms": ":chars",
    "p_server": ":server", "p_requests": ":one",
}
WIDGET = {"p_key_hash": ":widget_hash", "p_kind": ":widget", "p_session": ":first"}
WORKSPACE = {"p_key_hash": ":workspace_hash", "p_kind": ":workspace_kind", "p_chatbot": ":chatbot"}
VALUES = {
    "stream": "true", "lease": 300, "messages": 40, "chars": 32000, "none": 0, "lock": 4900, "state": "done",
    "text": ANSWER, "reason": "stop", "server": "default", "one": 1, "question": QUESTION, "widget": "widget",
    "workspace_kind": "workspace", "workspace": 1, "chatbot": "bot", "widget_hash": key_hash("widget1"),
    "workspace_hash": key_hash("workspace1"),
}
SCRIPT = """\
\\set n :n + 1
\\set place :n % {per_conversation}
\\set id :base + :n * 1000 + :client_id * 2
\\set answer :id + 1
\\set request :id
\\set first :id - :place * 1000
\\set kind (:n / {per_conversation}) % 2
\\if :kind = 0
{widget};
\\elif :place = 0
{new};
\\else
{known};
\\endif
{close};
"""


def declared(function, text):
    """The names of what a function takes, in order."""
    return re.findall(r"p_\w+", re.search(rf"function {re.escape(function)}\(([^)]*)\)", text)[1])


def calls(tree):
    """The program's two statements, with {NAME} for each parameter. Those of older commits name them."""
    text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', (tree / "app/chat/store.c").read_text()))
    for head in "select * from banter.exchange_begin", "select banter.exchange_end":
        words = re.search(re.escape(head) + r"\(([^)]*)\)", text)[1].split(", ")
        name = head.split(".")[1]
        names = declared(f"banter.{name}", (tree / f"sql/app/{name}.sql").read_text())
        yield "{}({})".format(head, ", ".join(
            re.sub(r"(p_\w+) => .*", r"\1 => {\1}", word) if "=>" in word else "{%s}" % names[at]
            for at, word in enumerate(words)))


def given(call, **more):
    """A call as pgbench has it."""
    values = {**GIVEN, **more}
    return re.sub(r"{(p_\w+)}", lambda one: values.get(one[1], "null"), call)


def script(start, close):
    return SCRIPT.format(
        per_conversation=PER_CONVERSATION, widget=given(start, **WIDGET), new=given(start, **WORKSPACE),
        known=given(start, **WORKSPACE, p_conversation=":first"), close=given(close))


# Workspaces of these numbers, each with a chatbot and a key of both kinds.
FIRST = (1, 1)
TENANTS = """select banter.workspace_create(w, 'w', null), banter.chatbot_create(w, 'bot', 'bot', 'You are brief.'),
    banter.key_create(w, 'widget', 'widget', 'bot', sha256(('widget' || w)::bytea), 'xxxx', ''),
    banter.key_create(w, 'workspace', 'workspace', null, sha256(('workspace' || w)::bytea), 'xxxx', '')
    from generate_series(%s, %s) w"""


class Schema:
    """A database with a schema, the calls of its program, and a workspace to talk in."""

    def __init__(self, name, postgres, tree):
        self.name = name
        self.postgres = postgres
        self.start, self.close = calls(tree)
        self.base = time.time_ns() // 1_000_000_000 * 1_000_000_000
        postgres.run(f"create database {name}", database="postgres")
        self.migrate(tree / "sql")
        self.sql(TENANTS, *FIRST)

    def migrate(self, sql):
        """What `banterctl migrate` does, from a folder: it carries only its own."""
        migrations = [subprocess.run([sql / "plain", file], check=True, capture_output=True, text=True).stdout
                      for file in sorted((sql / "migrations").glob("*.sql"))]
        functions = [file.read_text() for room in ("app", "inner", "operator") for file in sorted((sql / room).glob("*.sql"))]
        self.sql("".join([*migrations, "set check_function_bodies = off;", *functions,
                          "select set_config('banter.app_role', 'banter_app', false);", (sql / "roles.sql").read_text()]))

    def sql(self, text, *values):
        return self.postgres.run(text, *values, database=self.name)

    def script(self):
        return script(self.start, self.close)

    def pgbench(self, mode, exchanges, clients=CLIENTS):
        """Makes exchanges; the nanoseconds of CPU that PostgreSQL took for all of it."""
        each = -(-exchanges // clients)
        values = {**VALUES, "n": -1, "base": self.base}
        self.base += (each + 1) * 1000
        with tempfile.NamedTemporaryFile("w", suffix=".pgbench") as file:
            file.write(self.script())
            file.flush()
            command = [servers.postgres_bin() / "pgbench", "-n", "-M", mode, "-c", clients, "-j", 1, "-t", each,
                       "-f", file.name, *(word for name, value in values.items() for word in ("-D", f"{name}={value}")),
                       self.postgres.url(database=self.name)]
            before = self.done()
            cpu = processes.cpu_ns(self.postgres.process.pid)
            run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
            cpu = processes.cpu_ns(self.postgres.process.pid) - cpu
        if run.returncode != 0:
            raise SystemExit(f"pgbench:\n{run.stderr}{run.stdout}")
        if self.done() - before != each * clients:
            raise SystemExit(f"{self.name}: {self.done() - before} exchanges are stored, not {each * clients}")
        return cpu

    def done(self):
        return self.sql("select count(*) from banter_data.exchange e where e.state = 'done'")[0][0]

    def cost(self, mode, exchanges):
        """Microseconds of CPU an exchange. What connecting and first plans cost is taken out: it is in a short run too."""
        short = exchanges // 10
        less = self.pgbench(mode, short)
        return (self.pgbench(mode, short + exchanges) - less) / exchanges / 1000


class Lean(Schema):
    """As it is, but with the functions of lean.sql."""

    def __init__(self, name, postgres, tree):
        super().__init__(name, postgres, tree)
        text = (HERE / "lean.sql").read_text()
        self.sql(text + "grant usage on schema lean to banter_app")
        self.start, self.close = (
            "{}lean.{}({})".format(head, name, ", ".join("{%s}" % word for word in declared(f"lean.{name}", text)))
            for head, name in (("select * from ", "exchange_begin"), ("select ", "exchange_end")))


def tree_of(commit, folder):
    """The files of a commit that make its schema and its calls."""
    packed = subprocess.run(["git", "-C", str(servers.ROOT), "archive", commit, "sql", "app/chat/store.c"],
                            check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(folder)
    return pathlib.Path(folder)


def spread(found):
    return f"{statistics.median(found):5.0f} ({min(found):.0f} to {max(found):.0f})"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--exchanges", type=int, default=4000, help="of a round, in each database and mode")
    options.add_argument("--against", metavar="COMMIT", help="beside the schema as it was then")
    options.add_argument("--json", metavar="FILE", help="also keep every run's figures")
    chosen = options.parse_args()
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(contextlib.closing(parts.Postgres()))
        schemas = [Schema("now", postgres, servers.ROOT), Lean("lean", postgres, servers.ROOT)]
        if chosen.against:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            schemas.append(Schema("before", postgres, tree_of(chosen.against, folder)))
        found = {(schema.name, mode): [] for schema in schemas for mode in MODES}
        for number in range(chosen.rounds):
            for mode in MODES:
                for place in range(len(schemas)):
                    schema = schemas[(place + number) % len(schemas)]
                    found[schema.name, mode].append(schema.cost(mode, chosen.exchanges))
    print(f"PostgreSQL's CPU for one exchange, µs, {CLIENTS} clients: median of {chosen.rounds} rounds (range)")
    for mode in MODES:
        for schema in schemas:
            print(f"{mode:9} {schema.name:7} {spread(found[schema.name, mode])}")
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps(
            [{"schema": name, "mode": mode, "us": us} for (name, mode), us in found.items()], indent=1))


if __name__ == "__main__":
    main()
