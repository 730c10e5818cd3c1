"""The figures that no noise touches: what a token and an exchange cost, counted and not timed.

    cost.py             compares them with cost.json; what is more than 5 % off fails
    cost.py --renew     writes cost.json anew: a commit of its own, which says why

Instructions are those of our own object code, counted by callgrind in one worker without a pool; libraries are shown and not
judged, since they are Debian's. Client and model are one thread, so that each token comes when the last one has arrived:
alone, however busy the machine. A token in any other dialect may cost 10 % more than in the headless API's. What runs for each token is to be HOT (include/base/hot.h), so that it lies together: functions
that lie apart are counted, and named. How many lines and pages all of it takes is shown. Statements and blocks are
PostgreSQL's own count of an exchange.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import json
import pathlib
import re
import socket
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
import fastcgi  # noqa: E402
import servers  # noqa: E402

BASELINE = HERE / "cost.json"
OFF = 0.05
WARM, FEW, MANY = 4, 10, 60  # exchanges that are not counted; tokens of an exchange
EXCHANGES = (4, 12)  # of two runs: the difference has no start in it
TOKENS = EXCHANGES[0] * (MANY - FEW)  # of such a difference
OTHERS = 0.10
OURS = "banter.fcgi"
# Where each dialect is asked, and how; what names the chatbot has a workspace key. The first is what the others are held against.
DIALECTS = {
    "headless": ("/v1/chat/stream", lambda session, question: {"sessionId": session, "message": question}),
    "chatbot": ("/api/v1/chatbots/CHATBOT/chat", lambda session, question: {"message": question, "stream": True}),
    "openai": ("/v1/chat/completions", lambda session, question: {
        "model": "CHATBOT", "stream": True, "messages": [{"role": "user", "content": question}]}),
    "ui": ("/v1/ui", lambda session, question: {"id": session, "messages": [{"role": "user", "content": question}]}),
    "ag-ui": ("/v1/ag-ui", lambda session, question: {"threadId": session, "runId": "r", "messages": [{"role": "user", "content": question}]}),
    "deep-chat": ("/v1/deep-chat", lambda session, question: {"conversationId": session, "messages": [{"role": "user", "text": question}]}),
    "n8n": ("/v1/n8n", lambda session, question: {"action": "sendMessage", "sessionId": session, "chatInput": question}),
}
PAGE, LINE = 4096, 64  # bytes
EVENT = (
    'data: {"id":"chatcmpl-cost","object":"chat.completion.chunk","created":1750000000,"model":"bench",'
    '"service_tier":"default","system_fingerprint":"fp_bench00000","choices":%s,"usage":%s}\n\n'
)
CHOICE = '[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]'
USAGE = '{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}'


class Model:
    """A model that says what it is told to, when it is told to."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.talk = None

    def hear(self):
        """The next request, read whole; the answer's head and first chunk."""
        text = b""
        while not (found := re.search(rb"(?i)content-length: (\d+)\r\n(?:.*\r\n)*?\r\n", text)) or (
                len(text) < found.end() + int(found[1])):
            more = self.talk.recv(65536) if self.talk else b""
            if not more:  # the worker's first request, or on a new connection
                self.talk, text = self.listener.accept()[0], b""
                self.talk.settimeout(servers.PATIENCE)
            text += more
        self.talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.say(CHOICE % ('{"role":"assistant","content":"","refusal":null}', "null"))

    def say(self, choices, usage="null"):
        self.put(EVENT % (choices, usage))

    def put(self, event):
        self.talk.sendall(f"{len(event):x}\r\n{event}\r\n".encode())

    def token(self, number):
        self.say(CHOICE % (f'{{"content":"token{number} "}}', "null"))

    def end(self):
        event = EVENT % (CHOICE % ("{}", '"stop"'), "null") + EVENT % ("[]", USAGE) + "data: [DONE]\n\n"
        self.talk.sendall(f"{len(event):x}\r\n{event}\r\n0\r\n\r\n".encode())


class Worker(servers.Server):
    """One worker without a pool, whose instructions are counted. It ends by SIGTERM, and then tells them."""

    name = "cost"

    def __init__(self, database_url, model_url):
        super().__init__()
        self.socket = self.folder / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.socket))
            listener.listen(64)
            self.spawn(
                ["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no",
                 f"--callgrind-out-file={self.folder}/counted", servers.BUILD / OURS],
                stdin=listener,
                env=servers.settings_for_tests(database_url, model_url, shared_file=self.folder / "shared",
                                               model_idle_time="600"),
            )

    def instructions(self):
        """Of its whole life: see counted()."""
        code = self.end()
        assert code == 0, f"the worker ended with {code}:\n{self.text()}"
        return counted((self.folder / "counted").read_text())


def counted(text):
    """What each object executed itself, and how often each place of ours was, a function's name and an address; of callgrind's
    file: a call's own line is what it cost in there, and is left out."""
    objects, places, called = collections.Counter(), collections.Counter(), False
    names, now = {"ob": {}, "fn": {}}, {}
    for line in text.splitlines():
        kind, _, named = line.partition("=")
        if kind in ("ob", "cob", "fn", "cfn"):
            number, _, name = named.partition(" ")
            name = names[kind[-2:]].setdefault(number, name.rpartition("/")[2])
            now[kind] = name
        elif kind == "calls":
            called = True
        elif line.startswith("0x"):
            address, _, cost = line.split()
            if not called:
                objects[now["ob"]] += int(cost)
                if now["ob"] == OURS:
                    places[now["fn"], int(address, 16)] += int(cost)
            called = False
    return objects, places


def ask(worker, tenant, dialect):
    """A stream, in a conversation of its own."""
    path, body_of = DIALECTS[dialect]
    asked = json.dumps(body_of(servers.name(), "What are your hours?"))
    key = {}
    if "CHATBOT" in path + asked:
        key = {"HTTP_X_API_KEY": None, "HTTP_AUTHORIZATION": f"Bearer {tenant.workspace_key}"}
    path, body = path.replace("CHATBOT", tenant.chatbot), asked.replace("CHATBOT", tenant.chatbot).encode()
    params = fastcgi.chat_params(tenant, body, path, HTTP_ACCEPT="text/event-stream, text/plain", **key)
    return fastcgi.Connection(worker.socket).ask(params, body)


def hear(reply, text):
    """Reads until that has come."""
    while text not in reply.bytes:
        assert reply.more(), f"{text!r} did not come: {reply.bytes!r}"


def talk(worker, model, tenant, exchanges, tokens, dialect="headless"):
    """Exchanges, each checked."""
    for _ in range(exchanges):
        reply = ask(worker, tenant, dialect)
        model.hear()
        hear(reply, b"\r\n\r\n")
        for number in range(tokens):
            model.token(number)
            hear(reply, b'"token%d "' % number)
        model.end()
        said = reply.body()
        reply.connection.close()
        assert re.findall(rb'"(token\d+ )"', said)[:tokens] == [b"token%d " % number for number in range(tokens)], said
        assert b"error" not in said, said


def run(postgres, exchanges, tokens, dialect="headless"):
    """What a worker executed that had so many exchanges."""
    model = Model()
    tenant = postgres.demo()
    with contextlib.closing(model.listener), contextlib.closing(Worker(postgres.url(), model.url)) as worker:
        talk(worker, model, tenant, exchanges, tokens, dialect)
        return worker.instructions()


def less(more, fewer, by):
    return {name: (more[name] - fewer[name]) / by for name in more if more[name] != fewer[name]}


def lying_apart(places):
    """Functions that are not in the longest run of pages side by side: the others are HOT, and the linker put them together."""
    runs = []
    for page in sorted({address // PAGE for _, address in places}):
        if runs and runs[-1][-1] == page - 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    together = max(runs, key=len)
    return sorted({name for name, address in places if address // PAGE not in together})


def passed(longer, base):
    """The places of ours that a token passes."""
    return [place for place, often in less(longer[1], base[1], TOKENS).items() if often > 0.5]


def instructions(postgres):
    """Of each object, for a token and for the rest of an exchange; and the places of ours that a token passes."""
    few, many = EXCHANGES
    with concurrent.futures.ThreadPoolExecutor() as pool:
        base, longer, more = pool.map(lambda how: run(postgres, *how), [(few, FEW), (few, MANY), (many, FEW)])
    token = less(longer[0], base[0], TOKENS)
    whole = less(more[0], base[0], many - few)
    return token, {name: whole[name] - FEW * token.get(name, 0) for name in whole}, passed(longer, base)


def in_other_dialects(postgres):
    """Of our own code, for a token in each; and the places of ours that it passes there."""
    costs, places = {}, set()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for dialect in list(DIALECTS)[1:]:
            base, longer = pool.map(lambda tokens: run(postgres, EXCHANGES[0], tokens, dialect), (FEW, MANY))
            costs[dialect] = round(less(longer[0], base[0], TOKENS)[OURS])
            places.update(passed(longer, base))
    return costs, places


class Postgres(servers.Postgres):
    """It counts every statement, those within functions too; nothing but what is asked runs in it."""

    def start(self, *options):
        super().start("-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track=all",
                      "-c", "autovacuum=off", *options)


# The functions run as their owner: whose statements they are tells nothing.
SPENT = """select sum(calls)::bigint, sum(shared_blks_hit + shared_blks_read)::bigint from pg_stat_statements
    where query not like '%pg_stat_statements%'"""


def statements(postgres):
    """Of PostgreSQL, an exchange: statements, and blocks of tables and indexes that they looked at."""
    model, tenant = Model(), postgres.demo()
    banter = servers.Banter(postgres.url(), model.url, workers=1)
    with contextlib.closing(model.listener), contextlib.closing(banter):
        talk(banter, model, tenant, WARM, 1)
        before = postgres.run(SPENT)[0]
        talk(banter, model, tenant, EXCHANGES[1], 1)
        after = postgres.run(SPENT)[0]
    return [round(float(now - then) / EXCHANGES[1], 1) for now, then in zip(after, before)]


def measure():
    """The figures by their names, and what the libraries took beside them."""
    counts = (servers.postgres_bin().parent / "lib" / "pg_stat_statements.so").exists()
    with contextlib.closing(Postgres() if counts else servers.Postgres()) as postgres:
        token, whole, places = instructions(postgres)
        asked = ()
        if counts:  # before others leave more in its tables
            postgres.run("create extension pg_stat_statements")
            asked = zip(("statements an exchange", "blocks an exchange"), statements(postgres))
        else:
            print("NOT TESTED: statements and blocks of an exchange: PostgreSQL has no pg_stat_statements here")
        others, theirs = in_other_dialects(postgres)
        apart = lying_apart({*places, *theirs})
        ours = {"instructions a token": round(token.pop(OURS)),
                "instructions an exchange": round(whole.pop(OURS)),
                "functions of a token that are not HOT": len(apart),
                **dict(asked)}
    beside = {f"a token in {name}": round(cost) for name, cost in sorted(token.items(), key=lambda one: -one[1])[:5]}
    for what, size in ("lines", LINE), ("pages", PAGE):
        beside[f"{what} of our code a token"] = len({address // size for _, address in places})
    for name in apart:
        print(f"# not HOT: {name}")
    return ours, beside, others


def judge(found, baseline, others):
    """A line for each figure, as TAP has it; true when all are within what is allowed."""
    good = True
    print(f"1..{len(found) + len(others)}")
    for number, (name, value) in enumerate(found.items(), 1):
        before = baseline.get(name)
        same = before is not None and abs(value - before) <= OFF * before
        good = good and same
        print(f"{'ok' if same else 'not ok'} {number} - {name}: {value:,}, {before if before is None else f'{before:,}'} before")
    for number, (dialect, cost) in enumerate(others.items(), len(found) + 1):
        most = round((1 + OTHERS) * found["instructions a token"])
        good = good and cost <= most
        print(f"{'ok' if cost <= most else 'not ok'} {number} - instructions a token in {dialect}: {cost:,}, {most:,} at most")
    if not good:
        print(f"# more than {OFF:.0%} off. Meant? Then tests/bench/cost.py --renew, and a commit that says why")
    return good


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--renew", action="store_true", help="what is measured becomes the baseline")
    chosen = options.parse_args()
    found, beside, others = measure()
    for name, value in beside.items():
        print(f"# {name}: {value:,}")
    if chosen.renew:
        BASELINE.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{BASELINE}: {found}")
        return
    sys.exit(0 if judge(found, json.loads(BASELINE.read_text()), others) else 1)


if __name__ == "__main__":
    main()
