#!/usr/bin/env python3
"""How long Banter takes to start, beside a running database, and an empty program linked to the same libraries, in
turns: milliseconds from exec until a connection is taken by the listening socket (the empty program: until its end), and
from then until the first answer to what is asked on that connection, directly and through PgBouncer. Beside them what no
program gets below: libpq alone, which connects and asks the same. Medians, the lowest and the highest.  start.py [ROUNDS]"""

import contextlib
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import servers  # noqa: E402
from fastcgi import Connection  # noqa: E402

PROGRAM = servers.BUILD / "banter.fcgi"
PROBE = 0.0002  # seconds between looks: who spins would take a core from what is measured
EMPTY = "int main(void)\n{\n\treturn 0;\n}\n"
ASK = """
#include <libpq-fe.h>
#include <stdio.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	double start = now_ms();
	PGconn *conn = PQconnectdb(argv[argc - 1]);
	PGresult *result = PQexec(conn, "select banter.health()");

	printf("%f\\n", now_ms() - start);
	return PQresultStatus(result) != PGRES_TUPLES_OK;
}
"""


def compiled(folder, name, text, *options):
    source, program = folder / f"{name}.c", folder / name
    source.write_text(text)
    subprocess.run(["cc", "-O2", "-o", program, source, *options], check=True)
    return program


def empty(folder):
    """The program, linked to what PROGRAM names itself."""
    said = subprocess.run(["objdump", "-p", PROGRAM], check=True, capture_output=True, text=True).stdout
    libraries = [f"-l:{name}" for name in re.findall(r"NEEDED +(\S+)", said)]
    return compiled(folder, "empty", EMPTY, "-Wl,--no-as-needed", *libraries)


def asker(folder):
    said = subprocess.run(["pkg-config", "--cflags", "--libs", "libpq"], check=True, capture_output=True, text=True).stdout
    return compiled(folder, "ask", ASK, *said.split())


def run_empty(program):
    start = time.perf_counter()
    subprocess.run([program], check=True)
    return 1000 * (time.perf_counter() - start)


def run_asker(program, url):
    return float(subprocess.run([program, url], check=True, capture_output=True, text=True).stdout)


def connect(path, process):
    end = time.perf_counter() + servers.PATIENCE
    while process.poll() is None and time.perf_counter() < end:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return Connection(path)
        time.sleep(PROBE)
    return None


def start_banter(folder, env):
    """Until it takes a connection, and from then until it has answered."""
    path = folder / "socket"
    start = time.perf_counter()
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen([PROGRAM, "--listen", f"unix:{path}", "--workers", "4"], env=env, stderr=log)
    try:
        connection = connect(path, process)
        listening = time.perf_counter()
        if not connection or connection.ask({"REQUEST_METHOD": "GET", "REQUEST_URI": "/health"}).status != 200:
            raise SystemExit((folder / "log").read_text())
        answered = time.perf_counter()
        connection.close()
        return 1000 * (listening - start), 1000 * (answered - listening)
    finally:
        process.terminate()
        process.wait()


def measure(rounds=21):
    """{what: a figure a round, in ms}"""
    took = {what: [] for what in ("empty", "accept", "answer", "libpq", "pooled answer", "pooled libpq")}
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(contextlib.closing(servers.Postgres()))
        pooler = stack.enter_context(contextlib.closing(servers.Pooler(postgres)))
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nothing, ask = empty(folder), asker(folder)
        run_asker(ask, pooler.url())  # the pooler's own connections are made
        for _ in range(rounds):
            took["empty"].append(run_empty(nothing))
            for prefix, url in (("", postgres.url()), ("pooled ", pooler.url())):
                accept, answer = start_banter(folder, servers.settings_for_tests(url, "http://127.0.0.1:9/v1"))
                took["accept"].append(accept)
                took[f"{prefix}answer"].append(answer)
                took[f"{prefix}libpq"].append(run_asker(ask, url))
    return took


def report(took):
    median = {what: statistics.median(figures) for what, figures in took.items()}
    said = {what: f"{median[what]:.1f} ms ({min(figures):.1f}–{max(figures):.1f})" for what, figures in took.items()}
    print(f"exec to accept {said['accept']}, an empty program {said['empty']}: {median['accept'] / median['empty']:.2f} times")
    for prefix, way in (("", "directly"), ("pooled ", "through PgBouncer")):
        print(f"the first answer {said[f'{prefix}answer']} after it {way}; libpq alone connects and asks in "
              f"{said[f'{prefix}libpq']}")


if __name__ == "__main__":
    report(measure(*map(int, sys.argv[1:])))
