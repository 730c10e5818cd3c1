"""What banterctl says of itself, and what shells and manuals make of it: all of it is one table."""

import os
import pathlib
import re
import shlex
import subprocess

import pytest
from ctl import Terminal, ctl, empty  # noqa: F401  (a fixture)
from servers import BUILD, PATIENCE, script
from fastcgi import chat
from servers import Tenant, name

COMMANDS = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", ctl("help")[1].partition("exit codes")[0], re.MULTILINE)
# Tried where more than a database is there.
ELSEWHERE = {**dict.fromkeys(("shards make", "shards show", "shards check", "shards migrate"), "test_shards.py"),
             "shards move": "test_shards_move.py",
             "doctor": "test_doctor.py", "reload": "test_pool.py", "tail": "test_ctl_watch.py",
             "status": "test_ctl_status.py", "metrics": "test_metrics.py"}


def helped(command):
    code, out, err = ctl(*command.split(), "--help")
    assert (code, err) == (0, "")
    return out


def example(command):
    return helped(command).rpartition("\nexample:\n  banterctl ")[2].rstrip("\n")


def test_all_commands_are_there():
    wanted = {f"{what} {verb}" for what in ("workspace", "chatbot", "key") for verb in
              ("create", "list", "show", "set", "revoke")}
    wanted |= {f"conversation {verb}" for verb in ("list", "show", "export", "delete", "search", "import")}
    wanted |= {"credits add", "credits show", "sweep", "prune", "stats", "tail", "migrate", "demo", "doctor", "version"}
    assert wanted <= set(COMMANDS) and len(set(COMMANDS)) == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    """Anywhere in its words, and by `help`, and never needs a database or a good setting."""
    out = helped(command)
    assert out.startswith(f"usage: banterctl {command}")
    assert max(map(len, out.splitlines())) <= 80
    assert example(command).startswith(command.split()[0])
    assert ctl("help", *command.split()) == (0, out, "")
    assert ctl(*command.split(), "-h", BANTER_WORKERS="none") == (0, out, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_no_command_takes_is_refused_before_anything_is_done(command):
    code, out, err = ctl(*command.split(), "--nonsense")
    assert (code, out) == (2, "")
    assert err == f"banterctl: {command}: --nonsense is no option of this command; see banterctl {command} --help\n"


@pytest.mark.parametrize("group", sorted({command.split()[0] for command in COMMANDS if " " in command}))
def test_half_a_command_lists_what_it_could_be(group):
    code, out, err = ctl(group)
    assert (code, err) == (0, "")
    assert re.findall(rf"^  ({group} [a-z]+)", out, re.MULTILINE) == [c for c in COMMANDS if c.split()[0] == group]
    code, out, err = ctl(group, "nonsense")
    assert (code, out) == (2, "") and f"  {group} " in err


def test_the_examples_do_what_they_say(empty, pool, tmp_path):  # noqa: F811
    """In the order of the table, in one folder: each one works as it is printed."""
    (tmp_path / "prompt.txt").write_text("You sell shoes.\n")
    assert ctl("migrate", "--role", "banter_app", url=empty.url())[0] == 0
    env = {"PATH": f"{BUILD}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "BANTER_DATABASE_URL": empty.url()}
    done = []

    def run(words):
        words = f"{words} --yes" if "--yes" in helped(command) else words
        words = re.sub(r"\bx7Qa\b", hint(), words)
        words = re.sub(r"\b01m7[0-9a-z]{22}\b", lambda _: conversation(), words)
        line = "banterctl " + words.replace(">/etc/bash_completion.d/", ">")
        result = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
        done.append(command)

    def hint():
        rows = empty.run("select hint from banter_data.api_key where revoked_at is null order by created_at desc")
        return rows[0][0] if rows else "x7Qa"

    def conversation():
        return empty.run("select conversation from banter_data.conversation limit 1")[0][0]

    def talk():
        """What the later examples speak of: a conversation of the chatbot that the earlier ones made."""
        (chatbot,), = empty.run("select chatbot from banter_data.chatbot where name = 'Support'")
        assert ctl("workspace", "set", "Shop", "active=yes", url=empty.url())[0] == 0
        assert ctl("chatbot", "set", "Support", "active=yes", url=empty.url())[0] == 0
        key = ctl("key", "create", "--chatbot", "Support", url=empty.url())[1].strip()
        banter = pool(workers=1, database_url=empty.url("banter_app"))
        answer = chat(banter.socket, Tenant(key, None, chatbot), script("I want a refund", tokens=["Yes"]))
        assert answer.status == 200

    last = ["chatbot delete", "workspace delete"]  # the others need what these take away
    for command in [*(command for command in COMMANDS if command not in last), *last]:
        if command == "conversation list":
            talk()
        if command not in ELSEWHERE and command != "manual":  # man(1) is nothing Banter needs
            run(example(command))
    assert set(COMMANDS) - set(done) == {*ELSEWHERE, "manual"}
    for file in ELSEWHERE.values():
        assert (pathlib.Path(__file__).parent / file).is_file()


# Completion


def bash_completes(tmp_path, *words):
    """What bash offers at the end of these words, the last one unfinished."""
    (tmp_path / "banterctl.bash").write_text(ctl("completion", "bash")[1])
    program = ("source ./banterctl.bash; COMP_WORDS=(banterctl \"$@\"); COMP_CWORD=$#; _banterctl; "
               "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-u", "-c", program, "bash", *words], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_and_options(tmp_path):
    assert bash_completes(tmp_path, "conv") == ["conversation"]
    assert set(bash_completes(tmp_path, "")) >= {command.split()[0] for command in COMMANDS}
    for command in COMMANDS:
        first, _, second = command.partition(" ")
        if second:
            assert second in bash_completes(tmp_path, first, "")
        options = set(re.findall(r"^  (--[a-z-]+)", helped(command), re.MULTILINE))
        assert set(bash_completes(tmp_path, *command.split(), "--")) == options
        assert set(bash_completes(tmp_path, "--config", "file", *command.split(), "--")) == options
    assert bash_completes(tmp_path, "stats", "--by", "day", "--da") == ["--days"]


def test_zsh_completes_in_a_terminal(tmp_path):
    """As a person does it, who has the file in a folder of fpath."""
    (tmp_path / "_banterctl").write_text(ctl("completion", "zsh")[1])
    with Terminal("x", columns=120) as terminal:
        terminal.type(f"PS1='z%% ' zsh -f", "Enter")
        terminal.await_text("z%")
        terminal.type(f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -d {tmp_path}/dump; PS1='set> '", "Enter")
        terminal.await_text("\nset>")
        terminal.type("banterctl conv", "Tab")
        terminal.await_text("banterctl conversation")
        terminal.type("exp", "Tab")
        terminal.await_text("banterctl conversation export")
        terminal.type("--chat", "Tab")
        terminal.await_text("banterctl conversation export --chatbot")


@pytest.mark.parametrize("page", ["banterctl.1", "banter.conf.5", "banter.fcgi.8"])
def test_the_manual_pages_name_everything(page):
    command = ["mandoc", "-Tutf8", "-Owidth=200", BUILD / "man" / page]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shown = re.sub(r".\x08", "", shown)  # bold and underlined, as a printer strikes them
    if page == "banterctl.1":
        wanted = COMMANDS + [f"banterctl {example(command)}" for command in COMMANDS]
    elif page == "banter.conf.5":
        help_text = subprocess.run([BUILD / "banter.fcgi", "--help"], capture_output=True, text=True, check=True).stdout
        wanted = re.findall(r"^  (BANTER_[A-Z_]+)", help_text, re.MULTILINE)
    else:
        wanted = ["SIGHUP", "SIGUSR1", "--config", "EXIT STATUS"]
    assert wanted and [word for word in wanted if word not in shown] == []
