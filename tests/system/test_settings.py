"""Settings as an operator gives them: environment, file, files of secrets; and what is left of a secret."""

import os
import pathlib
import subprocess
import threading

import pytest

import servers
from fastcgi import chat, health, stream
from servers import BUILD, listens, name, script, until

SECRET = "sk-secretword-0123456789"


def check(env=None, *options):
    """banter.fcgi --check: its exit code, and what it says."""
    done = subprocess.run(
        [BUILD / "banter.fcgi", "--check", *options], capture_output=True, text=True, timeout=servers.PATIENCE,
        stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], **(env or {})})
    return done.returncode, done.stdout + done.stderr


def sent_key(banter, model, tenant):
    """What the model was given as Authorization."""
    text = name("key")
    assert chat(banter.socket, tenant, script(text, tokens=["a"])).status == 200
    return model.wait(text)["headers"].get("authorization")


# Where a value comes from


def test_the_file_wins_over_the_environment_and_the_command_line_over_both(pool, tenant, model, tmp_path):
    path = tmp_path / "conf"
    path.write_text("# a comment\n\nBANTER_MODEL = 'from the file'\nBANTER_WORKERS=3\n")
    banter = pool(workers=2, options=("--config", path), model="from the environment")
    text = name("which")
    assert chat(banter.socket, tenant, script(text, tokens=["a"])).status == 200
    assert model.wait(text)["body"]["model"] == "from the file"
    assert len(banter.children()) == 2


@pytest.mark.parametrize("variable", ["BANTER_MODEL_KEY", "OPENAI_API_KEY"])
def test_the_models_key_from_the_environment(pool, tenant, model, variable):
    banter = pool(workers=1, **{variable: SECRET})
    assert sent_key(banter, model, tenant) == f"Bearer {SECRET}"


def test_our_own_name_wins_over_OPENAI_API_KEY(pool, tenant, model):
    banter = pool(workers=1, BANTER_MODEL_KEY=SECRET, OPENAI_API_KEY="other")
    assert sent_key(banter, model, tenant) == f"Bearer {SECRET}"


def test_without_a_key_none_is_sent(pool, tenant, model):
    assert sent_key(pool(workers=1), model, tenant) is None


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_from_the_file_that_NAME_FILE_names(pool, tenant, model, tmp_path, end):
    path = tmp_path / "key"
    path.write_text(SECRET + end, newline="")
    banter = pool(workers=1, BANTER_MODEL_KEY_FILE=path)
    assert sent_key(banter, model, tenant) == f"Bearer {SECRET}"


def test_NAME_FILE_within_the_config_file(pool, tenant, model, tmp_path):
    (tmp_path / "key").write_text(SECRET + "\n")
    (tmp_path / "conf").write_text(f"BANTER_MODEL_KEY_FILE={tmp_path}/key\n")
    banter = pool(workers=1, options=("--config", tmp_path / "conf"))
    assert sent_key(banter, model, tenant) == f"Bearer {SECRET}"


def test_the_database_from_the_PG_variables(postgres, standin, tenant):
    """What libpq knows by itself."""
    banter = servers.Banter("", standin.url, workers=1, PGHOST=postgres.folder, PGDATABASE="banter", PGUSER="banter_app")
    try:
        assert health(banter.socket) == 200
        assert stream(banter.socket, tenant, script("hello", tokens=["a"])).events()[-1]["message"] == "a"
        users = postgres.run("select usename from pg_stat_activity where application_name = 'banter'")
        assert ("banter_app",) in users
    finally:
        banter.close()


def test_the_database_url_from_a_file(database, standin, tenant, tmp_path):
    (tmp_path / "url").write_text(database.url() + "\n")
    banter = servers.Server()
    try:
        banter.spawn(
            [BUILD / "banter.fcgi", "--listen", f"unix:{banter.folder}/socket", "--workers", 1],
            env={"BANTER_DATABASE_URL_FILE": str(tmp_path / "url"), "BANTER_MODEL_URL": standin.url})
        until(lambda: listens(banter.folder / "socket"), "the pool's start")
        assert chat(banter.folder / "socket", tenant, script("hello", tokens=["a"])).status == 200
        assert banter.end() == 0
    finally:
        banter.close()


# What is wrong is named


@pytest.mark.parametrize("setting, value, allowed", [
    ("BANTER_WORKERS", "0", "a whole number from 1 to 4096"),
    ("BANTER_WORKERS", "many", "a whole number from 1 to 4096"),
    ("BANTER_WORKERS", "99999999999999999999", "a whole number from 1 to 4096"),
    ("BANTER_HEARTBEAT", "1 fortnight", "seconds from 0.05 to 3600, or with a unit: ms, s, m, h"),
    ("BANTER_HEARTBEAT", "-1", "seconds from 0.05 to 3600"),
    ("BANTER_LISTEN", "nowhere", "unix:/PATH, HOST:PORT or [V6]:PORT"),
    ("BANTER_SOCKET_MODE", "rw-rw----", "permissions in octal"),
    ("BANTER_MODEL_URL", "ftp://example.org", "http(s)://HOST[:PORT][/PATH]"),
    ("BANTER_MODEL_CA", "relative.pem", "the absolute path of a PEM file"),
    ("BANTER_ALLOWED_ORIGINS", "https://a.example/path", "SCHEME://HOST[:PORT]"),
    ("BANTER_TRUSTED_PROXIES", "10.0.0.0/33", "addresses or ADDRESS/BITS"),
    ("BANTER_PATH_PREFIX", "chat/", "/NAME without a slash at its end"),
    ("BANTER_LOG_LEVEL", "loud", "error, warning, info, debug"),
])
def test_a_wrong_value_is_named_with_what_is_allowed(setting, value, allowed):
    code, text = check({setting: value})
    assert code == 2
    assert setting in text and allowed in text
    assert value not in text.replace(allowed, "").replace(setting, "") or len(value) < 3
    assert len(text.splitlines()) == 1


def test_a_wrong_line_of_the_file_is_named_with_its_place(tmp_path):
    path = tmp_path / "conf"
    path.write_text("BANTER_WORKERS=2\n\nBANTER_LOG_LEVEL=loud\n")
    code, text = check({}, "--config", path)
    assert (code, text) == (
        2, f"banter.fcgi: {path}: line 3: BANTER_LOG_LEVEL must be error, warning, info, debug\n")


@pytest.mark.parametrize("line, said", [
    ("BANTER_WORKER=2", "BANTER_WORKER is no setting: --help lists them"),
    ("WORKERS=2", "unknown setting: --help lists them"),
    (f"{SECRET}=1", "line 1"),
    ("SECRETWORD0123=1", "unknown setting"),
    ("no equals sign", "line 1"),
])
def test_an_unknown_name_in_the_file_stops_the_start(tmp_path, line, said):
    path = tmp_path / "conf"
    path.write_text(line + "\n")
    code, text = check({}, "--config", path)
    assert code == 2
    assert said in text
    assert SECRET not in text


def test_an_unknown_name_in_the_environment_is_warned_of():
    """Not more: other programs' variables may begin like ours."""
    code, text = check({"BANTER_WORKER": SECRET})
    assert code == 0
    assert "BANTER_WORKER in the environment is no setting of this program" in text
    assert SECRET not in text


def test_what_make_run_writes_for_clients_is_passed_over(tmp_path):
    """build/run/env has both: it may be sourced, and be given as --config."""
    names = dict.fromkeys(("BANTER_URL", "BANTER_WIDGET_KEY", "BANTER_WORKSPACE_KEY", "BANTER_CHATBOT_ID"), SECRET)
    path = tmp_path / "env"
    path.write_text("".join(f"export {name}='{value}'\n" for name, value in names.items()))
    assert check(names, "--config", path) == (0, "the settings are good\n")


def test_a_secret_from_a_pipe_is_waited_for_and_not_for_ever(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code, text = check({"BANTER_MODEL_KEY_FILE": str(pipe)})
    assert (code, "BANTER_MODEL_KEY_FILE" in text, "cannot be read" in text) == (2, True, True)
    writer = threading.Thread(target=lambda: pipe.write_text(SECRET + "\n"), daemon=True)
    writer.start()
    assert check({"BANTER_MODEL_KEY_FILE": str(pipe)}) == (0, "the settings are good\n")
    writer.join(servers.PATIENCE)


@pytest.mark.parametrize("url", [f"postgresql://u:{SECRET}%zz@/x", f"dbname={SECRET} nonsense"])
def test_a_database_url_that_cannot_be_read_is_refused_before_anything_runs_with_it(url):
    code, text = check({"BANTER_DATABASE_URL": url})
    assert (code, "BANTER_DATABASE_URL" in text, SECRET in text) == (2, True, False), text


def test_a_databases_name_is_a_database_url_too():
    assert check({"BANTER_DATABASE_URL": "banter"}) == (0, "the settings are good\n")


def test_a_secret_both_ways_is_refused(tmp_path):
    (tmp_path / "key").write_text("x")
    code, text = check({"BANTER_MODEL_KEY": SECRET, "BANTER_MODEL_KEY_FILE": str(tmp_path / "key")})
    assert code == 2
    assert "BANTER_MODEL_KEY and BANTER_MODEL_KEY_FILE are both set: leave one" in text
    assert SECRET not in text


def test_a_secrets_file_that_is_not_there_is_named():
    code, text = check({"BANTER_MODEL_KEY_FILE": "/nonexistent"})
    assert code == 2
    assert "BANTER_MODEL_KEY_FILE: /nonexistent cannot be read: No such file or directory" in text


def test_a_config_file_with_secrets_that_everybody_may_read_is_warned_of(tmp_path):
    path = tmp_path / "conf"
    path.write_text(f"BANTER_MODEL_KEY={SECRET}\n")
    path.chmod(0o644)
    code, text = check({}, "--config", path)
    assert code == 0
    assert "holds secrets and everybody may read it: chmod o-r" in text
    assert SECRET not in text
    path.chmod(0o640)
    assert check({}, "--config", path) == (0, "the settings are good\n")


# What is left of a secret


def test_no_secret_stays_where_other_programs_can_read_it(postgres, database, standin, tenant, tmp_path):
    """Neither in the environment of the master and the workers, nor in their arguments, nor in the log."""
    (tmp_path / "file").write_text(f"BANTER_DATABASE_PASSWORD={SECRET}-file\n")
    secrets = {
        "BANTER_MODEL_KEY": f"{SECRET}-model", "OPENAI_API_KEY": f"{SECRET}-openai", "PGPASSWORD": f"{SECRET}-pg",
        "BANTER_ADMIN_DATABASE_URL": f"postgresql://owner:{SECRET}-admin@/x",
    }
    url = postgres.url().replace("banter_app@", f"banter_app:{SECRET}-url@")
    banter = servers.Banter(
        url, standin.url, workers=2, options=("--config", tmp_path / "file"), log_level="debug", **secrets)
    try:
        for n in range(4):
            assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
        for pid in [banter.process.pid, *banter.children()]:
            environment = servers.environment(pid)
            assert SECRET.encode() not in environment, pid
            assert SECRET.encode() not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), pid
            assert b"BANTER_MODEL_URL=" in environment or os.geteuid() != 0
        assert SECRET not in banter.text()
    finally:
        banter.close()
    assert SECRET not in banter.text()


def test_no_core_and_no_other_process_of_the_user_may_look_into_it(pool):
    """The keys are in its memory."""
    banter = pool(workers=1)
    for pid in [banter.process.pid, *banter.children()]:
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        [core] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core.split()[4] == "0"
