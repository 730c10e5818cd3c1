#!/usr/bin/env python3
"""How long Banter takes to start, beside a running database, and an empty program linked to the same libraries, in
turns: milliseconds from exec until a connection is taken by the listening socket (the empty program: until its end), and
from then until the first answer. Medians.  start.py [ROUNDS]"""

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
from fastcgi import health  # noqa: E402

PROGRAM = servers.BUILD / "banter.fcgi"


def empty(folder):
    """The program, linked to what PROGRAM names itself."""
    said = subprocess.run(["objdump", "-p", PROGRAM], check=True, capture_output=True, text=True).stdout
    source, program = folder / "empty.c", folder / "empty"
    source.write_text("int main(void)\n{\n\treturn 0;\n}\n")
    libraries = [f"-l:{name}" for name in re.findall(r"NEEDED +(\S+)", said)]
    subprocess.run(["cc", "-O2", "-o", program, source, "-Wl,--no-as-needed", *libraries], check=True)
    return program


def run_empty(program):
    start = time.perf_counter()
    subprocess.run([program], check=True)
    return time.perf_counter() - start


def start_banter(folder, env):
    """Seconds until it takes a connection, and from then until it has answered."""
    path = folder / "socket"
    start = time.perf_counter()
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen([PROGRAM, "--listen", f"unix:{path}", "--workers", "4"], env=env, stderr=log)
    try:
        while not servers.listens(path):
            if process.poll() is not None or time.perf_counter() > start + servers.PATIENCE:
                raise SystemExit((folder / "log").read_text())
        listening = time.perf_counter()
        if health(path) != 200:
            raise SystemExit((folder / "log").read_text())
        return listening - start, time.perf_counter() - listening
    finally:
        process.terminate()
        process.wait()


def measure(rounds=21):
    """Medians in ms: {"empty": …, "accept": …, "answer": …}."""
    seconds = {"empty": [], "accept": [], "answer": []}
    with contextlib.closing(servers.Postgres()) as postgres, tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = empty(folder)
        env = servers.settings_for_tests(postgres.url(), "http://127.0.0.1:9/v1")
        for _ in range(rounds):
            seconds["empty"].append(run_empty(program))
            accept, answer = start_banter(folder, env)
            seconds["accept"].append(accept)
            seconds["answer"].append(answer)
    return {what: 1000 * statistics.median(values) for what, values in seconds.items()}


if __name__ == "__main__":
    took = measure(*map(int, sys.argv[1:]))
    print(f"exec to accept {took['accept']:.1f} ms, an empty program {took['empty']:.1f} ms: "
          f"{took['accept'] / took['empty']:.2f} times; the first answer {took['answer']:.1f} ms after it")
