"""banterctl workspace, chatbot, key and credits: what an operator makes, and what a running pool does then."""

import concurrent.futures
import csv
import hmac
import io
import json
import os
import re
import subprocess
import time

import apis
import servers
import pytest
from ctl import Terminal, ctl, empty, record  # noqa: F401  (a fixture)
from servers import BUILD, name, script
from site_client import at_once

ID = re.compile(r"[0-9a-z]{26}")


@pytest.fixture
def operator(postgres):
    """Runs banterctl as the owner: what it says on standard output, when it does it."""
    def run(*arguments, **options):
        code, out, err = ctl(*arguments, url=postgres.url("owner"), **options)
        assert code == 0, (arguments, err)
        return out.rstrip("\n")
    return run


@pytest.fixture
def refused(postgres):
    """Runs banterctl as the owner: its exit code and words, when it does not do it."""
    def run(*arguments, **options):
        code, out, err = ctl(*arguments, url=postgres.url("owner"), **options)
        assert code and out == "", (arguments, code, out, err)
        assert err.startswith("banterctl: ") and err.count("\n") == 1, err
        return code, err[len("banterctl: "):-1]
    return run


@pytest.fixture
def shown(postgres):
    """What banterctl prints as JSON."""
    return lambda *arguments: record(*arguments, url=postgres.url("owner"))


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(request, site):
    return request.param(site)


@pytest.fixture
def key_id(site):
    """The id of the tenant's key of that kind."""
    return lambda kind: site.sql("select api_key from banter_data.api_key where workspace = %s and kind = %s",
                                 site.tenant.workspace, kind)[0][0]


def workspace_of(site):
    return str(site.tenant.workspace)


def prompt_of(api, text):
    """What the model is told first."""
    told = api.site.model.wait(text)["body"]["messages"][0]
    return told["content"] if told["role"] == "system" else None


# From nothing to an answer


def test_a_tenant_from_nothing(shared_site, operator, shown):
    number = operator("workspace", "create", name("shop"), "credits=5")
    assert re.fullmatch(r"[0-9]+", number)
    prompt = f"You are {name()}.\nSay \"hello\"."
    chatbot = operator("chatbot", "create", number, "Support", "price=2", "system_prompt=@-", stdin=prompt + "\n")
    assert ID.fullmatch(chatbot)
    widget = operator("key", "create", "--chatbot", chatbot, "--label", "the site")
    workspace = operator("key", "create", "--workspace", number)
    assert re.fullmatch(r"sk-widget_\w{51}", widget) and re.fullmatch(r"sk-workspace_\w{51}", workspace)
    tenant = servers.Tenant(widget, workspace, chatbot)
    tenant.workspace = int(number)
    site = apis.Site(shared_site.postgres, shared_site.model, shared_site.banter, shared_site.nginx, tenant)
    for face in apis.BOTH:
        question = script(name(), tokens=["fine"])
        assert face(site).answered(question, True) == "fine"
        assert prompt_of(face(site), question) == prompt
    apis.Headless(site).refuses(apis.Headless(site).json("more"), "no_credit")
    assert site.credits() == 1
    assert {**shown("workspace", "show", number), "name": 0, "created_at": 0} == {
        "workspace_id": number, "name": 0, "active": True, "credits": 1, "max_open": None, "max_open_per_key": None,
        "chatbots": 1, "keys": 2, "conversations": 2, "open_exchanges": 0, "created_at": 0}
    (used,) = [row for row in shown("key", "list", number) if row["kind"] == "widget"]
    assert used["ends_in"] == widget[-4:] and shown("key", "show", used["key_id"])["last_used_at"] is not None


# What takes effect on the next request, without a restart


def test_a_revoked_key_is_refused_on_the_next_request(api, operator, key_id):
    api.answered("hello", False)
    operator("key", "revoke", key_id("widget" if api.name == "headless" else "workspace"), "--yes")
    api.refuses(api.json("hello"), "key")
    other = [face for face in apis.BOTH if face.name != api.name][0](api.site)
    other.answered("hello", False)


def test_a_key_is_switched_off_and_on(api, operator, refused, key_id):
    key = key_id("widget" if api.name == "headless" else "workspace")
    operator("key", "set", key, "active=no")
    api.refuses(api.json("hello"), "key")
    operator("key", "set", key, "active=yes")
    api.answered("hello", False)
    operator("key", "revoke", key, "--yes")
    assert refused("key", "set", key, "active=yes") == (
        1, f'key "{key}" was revoked, which is final; make a new one with banterctl key create')
    api.refuses(api.json("hello"), "key")


def test_a_key_is_replaced_without_a_gap(api, operator, key_id):
    old = key_id("widget" if api.name == "headless" else "workspace")
    if api.name == "headless":
        api.site.tenant.widget_key = operator("key", "create", "--chatbot", api.site.tenant.chatbot)
    else:
        api.site.tenant.workspace_key = operator("key", "create", "--workspace", workspace_of(api.site))
    api.answered("hello", False)
    operator("key", "revoke", old, "--yes")
    api.answered("hello", False)


def test_a_workspace_is_shut_and_opened(api, operator):
    operator("workspace", "revoke", workspace_of(api.site), "--yes")
    api.refuses(api.json("hello"), "key")
    operator("workspace", "set", workspace_of(api.site), "active=yes")
    api.answered("hello", False)


def test_a_chatbot_is_shut_and_opened(site, operator):
    headless, chatbot = apis.Headless(site), apis.Chatbot(site)
    operator("chatbot", "revoke", site.tenant.chatbot, "--yes")
    headless.refuses(headless.json("hello"), "key")
    assert chatbot.json("hello").json()["code"] == "CHATBOT_NOT_FOUND"
    operator("chatbot", "set", site.tenant.chatbot, "active=yes")
    headless.answered("hello", False)
    chatbot.answered("hello", False)


def test_a_prompt_counts_at_once(api, operator, tmp_path):
    prompt = f"You are {name()}."
    (tmp_path / "prompt").write_text(prompt)
    operator("chatbot", "set", api.site.tenant.chatbot, f"system_prompt=@{tmp_path / 'prompt'}")
    for wanted in (prompt, None):
        question = script(name(), tokens=["fine"])
        api.answered(question, False)
        assert prompt_of(api, question) == wanted
        operator("chatbot", "set", api.site.tenant.chatbot, "system_prompt=none")


def test_a_price_counts_at_once(api, operator):
    operator("workspace", "set", workspace_of(api.site), "credits=10")
    operator("chatbot", "set", api.site.tenant.chatbot, "price=4")
    api.answered("hello", False)
    assert api.site.credits() == 6
    operator("chatbot", "set", api.site.tenant.chatbot, "price=none")
    api.answered("hello", False)
    assert api.site.credits() == 5


def test_a_rate_limit_counts_at_once(site, operator):
    api = apis.Chatbot(site)
    operator("chatbot", "set", site.tenant.chatbot, "rate_limit=1", "rate_window=86400")
    api.answered("hello", False)
    api.refuses(api.json("hello"), "too_many")
    operator("chatbot", "set", site.tenant.chatbot, "rate_limit=3")
    assert api.json("hello").headers["X-RateLimit-Limit"] == "3"
    operator("chatbot", "set", site.tenant.chatbot, "rate_limit=none")
    assert "X-RateLimit-Limit" not in api.json("hello").headers


def test_a_cap_counts_at_once(api, operator):
    gate = name()
    stream = api.stream(script("?", tokens=["a"], gates={"1": gate}))
    assert next(stream)["type"] == "start"
    operator("workspace", "set", workspace_of(api.site), "max_open=1")
    api.refuses(api.json("hello"), "too_many")
    operator("workspace", "set", workspace_of(api.site), "max_open=none", "max_open_per_key=none")
    api.answered("hello", False)
    api.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done"


# Credits


def test_credits_end_a_402(api, operator, shown, refused):
    number = workspace_of(api.site)
    assert refused("credits", "add", number, 5) == (
        1, f'workspace "{number}" has no count of credits; banterctl workspace set {number} credits=N begins one')
    operator("workspace", "set", number, "credits=0")
    api.refuses(api.json("hello"), "no_credit")
    assert shown("credits", "add", number, 2)["credits"] == 2
    api.answered("hello", False)
    assert shown("credits", "add", number, -1)["credits"] == 0
    assert refused("credits", "add", number, "--", -20)[1].startswith(f'workspace "{number}" has 0 credits')
    api.refuses(api.json("hello"), "no_credit")
    assert api.site.credits() == 0


def test_credits_say_what_runs_holds(api, operator, shown):
    number, gate = workspace_of(api.site), name()
    operator("workspace", "set", number, "credits=10")
    operator("chatbot", "set", api.site.tenant.chatbot, "price=3")
    stream = api.stream(script("?", tokens=["a"], gates={"1": gate}))
    assert next(stream)["type"] == "start"
    assert {**shown("credits", "show", number), "workspace": 0} == {
        "workspace_id": number, "workspace": 0, "credits": 7, "reserved": 3, "spent_today": 0, "spent_this_month": 0}
    api.site.model.open_gate(gate)
    stream.rest()
    assert shown("credits", "show", number)["reserved"] == 0
    assert [entry["delta"] for entry in shown("credits", "list", number)] == [-3, 10]
    assert [entry["kind"] for entry in shown("credits", "list", number, "--limit", 1)] == ["reserve"]
    assert number in [row["workspace_id"] for row in shown("credits", "show")]


def test_credits_are_exact_while_exchanges_run(api, operator, shown):
    """Exchanges take and give back, one operator gives, another takes, a third sets."""
    number = workspace_of(api.site)
    operator("workspace", "set", number, "credits=1000")

    def work(index):
        for turn in range(4):
            if index < 4:
                api.post(api.body(script("?", **({"tokens": ["a"]} if turn % 2 else {"status": 400})), False))
            elif index == 4:
                operator("credits", "add", number, 7)
            else:
                operator("credits", "add", number, -5)

    at_once(6, work)
    charged = sum(row["price"] for row in api.site.exchanges() if row["state"] == "done")
    assert charged == 8
    assert api.site.credits() == 1000 + 4 * 7 - 4 * 5 - charged
    assert all(entry["balance_after"] >= 0 for entry in shown("credits", "list", number))


# Keys and prompts stay out of sight


def test_a_key_is_shown_once(postgres, site, operator):
    code, out, err = ctl("key", "create", "--chatbot", site.tenant.chatbot, url=postgres.url("owner"))
    key = out.strip()
    assert (code, out) == (0, f"{key}\n"), "alone on its line"
    assert re.fullmatch(rf"banterctl: keep it now, it cannot be shown again; its id is {ID.pattern}\n", err)
    for arguments in (["key", "list"], ["key", "list", "--json"], ["key", "show", err.split()[-1]]):
        assert key not in operator(*arguments)


def test_a_key_as_a_record(postgres, site, shown):
    made = shown("key", "create", "--workspace", workspace_of(site))
    assert set(made) == {"key_id", "kind", "key"} and made["kind"] == "workspace"
    site.tenant.workspace_key = made["key"]
    apis.Chatbot(site).answered("hello", False)
    assert shown("key", "show", made["key_id"])["ends_in"] == made["key"][-4:]


def test_a_key_into_a_file(site, operator, refused, tmp_path):
    path = tmp_path / "key"
    made = operator("key", "create", "--chatbot", site.tenant.chatbot, "--file", path)
    assert ID.fullmatch(made)
    assert path.stat().st_mode & 0o777 == 0o600
    site.tenant.widget_key = path.read_text().rstrip("\n")
    apis.Headless(site).answered("hello", False)

    count = site.sql("select count(*) from banter_data.api_key where workspace = %s", site.tenant.workspace)
    for where in (path, tmp_path / "no" / "where"):
        _, said = refused("key", "create", "--chatbot", site.tenant.chatbot, "--file", where)
        assert said.endswith("; no key was made")
    assert site.tenant.widget_key == path.read_text().rstrip("\n"), "what was there stays"
    refused("key", "create", "--chatbot", "nobody's", "--file", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert site.sql("select count(*) from banter_data.api_key where workspace = %s", site.tenant.workspace) == count


def test_a_key_that_cannot_be_printed_can_be_revoked(postgres, site, operator):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BUILD / "banterctl", "key", "create", "--chatbot", site.tenant.chatbot], stdout=full,
                              stderr=subprocess.PIPE, text=True,
                              env={"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": postgres.url("owner")})
    assert done.returncode == 1
    assert re.fullmatch("banterctl: the key was made but could not be printed; revoke it: banterctl key revoke "
                        rf"{ID.pattern}\n", done.stderr)
    operator("key", "revoke", done.stderr.split()[-1], "--yes")


def test_a_key_never_reaches_the_database(empty, postgres):
    """Where it logs every statement with its values."""
    url = empty.url() + "&options=-clog_statement%3Dall"
    assert ctl("migrate", url=url)[0] == 0
    number = record("workspace", "create", "Logged", url=url)["workspace_id"]
    code, out, err = ctl("key", "create", "--workspace", number, "--label", "in the log", url=url)
    assert code == 0
    assert "in the log" in postgres.text()
    assert out.strip() not in postgres.text() and out.strip()[:30] not in postgres.text()


@pytest.mark.parametrize("arguments", [
    ["key", "show", "{}"], ["key", "revoke", "{}", "--yes"], ["key", "set", "{}", "active=no"],
    ["key", "set", "x", "label={}"], ["key", "list", "x", "{}"], ["{}"], ["key", "{}"], ["chatbot", "show", "x{}x"],
    ["key", "show", "--nonsense={}"],
], ids=" ".join)
def test_a_key_in_a_command_line_is_refused_unseen(refused, site, arguments):
    for key in (site.tenant.widget_key, site.tenant.workspace_key, site.tenant.widget_key[:-1] + "!"):
        code, said = refused(*[word.format(key) for word in arguments])
        assert (code, said) == (
            2, "a key does not belong in a command line; its id or its last four characters name it")


def test_a_prompt_in_a_command_line_is_refused(refused, site):
    for arguments in (["set", site.tenant.chatbot], ["create", workspace_of(site), "Other"]):
        for prompt in ("SECRETWORD", "", "nonesuch"):
            assert refused("chatbot", *arguments, f"system_prompt={prompt}", "price=9") == (
                2, "a prompt does not belong in a command line; say system_prompt=@FILE, or @- for standard input")
    assert site.sql("select price from banter_data.chatbot where workspace = %s", site.tenant.workspace) == [(1,)]


@pytest.mark.parametrize("text", [b"\xff", b"a\0b", b"\xed\xa0\x80"], ids=repr)
def test_a_prompt_that_is_no_text_is_refused(refused, site, tmp_path, text):
    (tmp_path / "prompt").write_bytes(text)
    code, said = refused("chatbot", "set", site.tenant.chatbot, f"system_prompt=@{tmp_path / 'prompt'}")
    assert (code, said) == (2, f"{tmp_path / 'prompt'} is not text in UTF-8")


# What is refused changes nothing


@pytest.mark.parametrize("what, settings, code, said", [
    ("workspace", ["name=new", "max_open=0"], 2, "max_open must be a whole number from 1 to 1000000000, or none"),
    ("workspace", ["name=new", "color=red"], 2, 'a workspace has no setting "color"; it has name, credits, max_open, '
     "max_open_per_key, active"),
    ("workspace", ["name=new", "active"], 2, "workspace set: active should be SETTING=VALUE"),
    ("workspace", ["name=new", "=x"], 2, "workspace set: =x should be SETTING=VALUE"),
    ("workspace", ["name=new", "active=perhaps"], 2, "active must be yes or no"),
    ("chatbot", ["name=new", "temperature=hot"], 2, "temperature must be a number from 0 to 2, or none"),
    ("chatbot", ["name=new", "name="], 2, "name must be 1 to 200 characters without control characters"),
    ("chatbot", ["name=new", "workspace=1"], 2, None),
    ("chatbot", ["name=new", "system_prompt=@/nonexistent"], 1,
     "/nonexistent cannot be read: No such file or directory"),
    ("key", ["label=new", "kind=widget"], 2, 'a key has no setting "kind"; it has label, active, origins'),
    ("key", ["label=\udcff"], 2, "key set: what is not text in UTF-8 cannot be set"),
], ids=str)
def test_settings_are_refused_as_a_whole(site, refused, key_id, what, settings, code, said):
    which = {"workspace": workspace_of(site), "chatbot": site.tenant.chatbot, "key": key_id("widget")}[what]
    table = {"key": "api_key"}.get(what, what)
    rows = f"select t::text from banter_data.{table} t where workspace = %s order by 1"
    before = site.sql(rows, site.tenant.workspace)
    result = refused(what, "set", which, *settings)
    assert result == (code, said) if said else result[0] == code
    assert site.sql(rows, site.tenant.workspace) == before


@pytest.mark.parametrize("arguments, said", [
    (["workspace", "show", "no such"], 'there is no workspace "no such"; see banterctl workspace list'),
    (["chatbot", "set", "no such", "price=1"], 'there is no chatbot "no such"; see banterctl chatbot list'),
    (["chatbot", "create", "no such", "x"], 'there is no workspace "no such"; see banterctl workspace list'),
    (["chatbot", "list", "no such"], 'there is no workspace "no such"; see banterctl workspace list'),
    (["key", "create", "--chatbot", "no such"], 'there is no chatbot "no such"; see banterctl chatbot list'),
    (["key", "revoke", "no such", "--yes"], 'there is no key "no such"; see banterctl key list'),
    (["credits", "add", "no such", "1"], 'there is no workspace "no such"; see banterctl workspace list'),
    (["workspace", "show", "\x1b[31mred"], 'there is no workspace "?[31mred"; see banterctl workspace list'),
], ids=str)
def test_what_there_is_not(refused, arguments, said):
    assert refused(*arguments) == (1, said)


TOO_MANY, NO_OPTION = "b is one too many", "is no option of this command"
DIGITS = "needs a whole number, of nine digits at most"
NUMBER = "N must be a whole number, such as 100 or -20"
KEY = "say --chatbot CHATBOT for a widget key, or --workspace WORKSPACE for a workspace key"


@pytest.mark.parametrize("command, arguments, said, see", [
    ("workspace show", [], "it needs WORKSPACE", True),
    ("workspace show", ["a", "b"], TOO_MANY, True),
    ("workspace set", ["a"], "it needs WORKSPACE SETTING=VALUE…", True),
    ("workspace list", ["--yes"], f"--yes {NO_OPTION}", True),
    ("workspace revoke", ["a", "--json=x"], f"--json=x {NO_OPTION}", True),
    ("workspace revoke", ["a"], "nobody is here to be asked; say --yes", False),
    ("credits list", ["a", "--limit"], "--limit needs a value", True),
    ("credits list", ["a", "--limit=x"], f"--limit {DIGITS}", True),
    ("credits list", ["a", "--limit", "-1"], f"--limit {DIGITS}", True),
    ("credits list", ["a", "--limits", "1"], f"--limits {NO_OPTION}", True),
    ("credits add", ["a", "x"], NUMBER, False),
    ("credits add", ["a", "1.5"], NUMBER, False),
    ("credits add", ["a", "-"], NUMBER, False),
    ("credits add", ["a", "-x"], f"-x {NO_OPTION}", True),
    ("credits add", ["a", "99999999999999999"], NUMBER, False),
    ("key create", [], KEY, False),
    ("key create", ["--chatbot", "a", "--workspace", "b"], KEY, False),
    ("key create", ["--workspace", "a", "--origins", "https://a"], "--origins is for a site key, of --chatbot CHATBOT", False),
], ids=str)
def test_command_lines_are_refused(refused, site, command, arguments, said, see):
    arguments = [workspace_of(site) if word == "a" else word for word in arguments]
    assert refused(*command.split(), *arguments) == (
        2, f"{command}: {said}" + (f"; see banterctl {command} --help" if see else ""))


def test_a_site_key_is_made_shown_changed_and_revoked(site, operator, refused, shown):
    """Its kind says that it is no secret, and its origins are what browsers send."""
    bot = site.tenant.chatbot
    made = json.loads(operator("key", "create", "--chatbot", bot, "--origins", "https://a.example,http://localhost:3000", "--json"))
    assert made["kind"] == "site" and re.fullmatch(r"pk-site_\w{51}", made["key"])
    key = made["key_id"]
    assert {"kind": "site", "chatbot_id": bot, "origins": "https://a.example,http://localhost:3000"}.items() <= shown(
        "key", "show", key).items()
    operator("key", "set", key, "origins=https://b.example")
    (listed,) = [row for row in shown("key", "list", workspace_of(site)) if row["key_id"] == key]
    assert listed["origins"] == "https://b.example"
    code, said = refused("key", "set", key, "origins=https://b.example/")
    assert code == 2 and said.startswith("origins must be 1 to 16 origins as browsers send them (https://shop.example)")
    (widget,) = [row["key_id"] for row in shown("key", "list", workspace_of(site)) if row["kind"] == "widget"]
    assert refused("key", "set", widget, "origins=https://b.example") == (
        1, f'key "{widget}" is a widget key: only a site key has origins')
    operator("key", "revoke", key, "--yes")
    assert shown("key", "show", key)["revoked_at"] is not None


def test_a_site_keys_identity_secret_is_printed_once(site, operator, refused, shown, tmp_path):
    made = json.loads(operator("key", "create", "--chatbot", site.tenant.chatbot, "--origins", "https://a.example", "--json"))
    key = made["key_id"]
    assert shown("key", "show", key)["identity"] is False
    secret = operator("key", "identity", key)
    assert re.fullmatch(r"sk-identity_\w{40}", secret)
    assert shown("key", "show", key)["identity"] is True
    expires = int(time.time()) + 60

    def status(secret):
        signature = hmac.new(secret.encode(), f"{key}\n{expires}\nanna".encode(), "sha256").hexdigest()
        return site.chat("Hello", headers={
            "x-api-key": made["key"], "Origin": "https://a.example", "X-Visitor-Identity": f"{expires}:{signature}:anna"}).status_code
    assert status(secret) == 200
    file = tmp_path / "secret"
    assert operator("key", "identity", key, "--file", str(file)) == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert (status(secret), status(file.read_text().strip())) == (401, 200), "the new one takes the old one's place"
    assert refused("key", "identity", key, "--file", str(file))[0] == 1, "no file is written over"
    assert status(file.read_text().strip()) == 200
    (widget,) = [row["key_id"] for row in shown("key", "list", workspace_of(site)) if row["kind"] == "widget"]
    other = tmp_path / "other"
    assert refused("key", "identity", widget, "--file", str(other)) == (1, f'key "{widget}" is a widget key: only pages have visitors')
    assert not other.exists()


def test_a_label_is_checked(refused, site):
    assert refused("key", "create", "--workspace", workspace_of(site), "--label", "a\nb") == (
        2, "label must be 0 to 200 characters without control characters, or none")


def test_a_chatbot_names_its_servers_and_what_becomes_of_reasoning(site, operator, refused, shown):
    bot = site.tenant.chatbot
    before = shown("chatbot", "show", bot)
    assert (before["servers"], before["reasoning"]) == (None, "remove")
    operator("chatbot", "set", bot, "servers=second,default", "reasoning=keep")
    assert {"servers": "second,default", "reasoning": "keep"}.items() <= shown("chatbot", "show", bot).items()
    assert refused("chatbot", "set", bot, "price=9", "servers=a,b,a") == (
        2, "servers must be 1 to 16 names of letters, digits and ._- with commas between, none of them twice, or none")
    assert refused("chatbot", "set", bot, "reasoning=yes") == (2, "reasoning must be remove, keep or begins, or none")
    assert site.chat("what is asked so far is asked").status_code == 200
    operator("chatbot", "set", bot, "servers=none", "reasoning=none")
    assert shown("chatbot", "show", bot) == {**before, "conversations": 1}
    made = operator("chatbot", "create", str(site.tenant.workspace), "Second", "servers=b", "reasoning=begins").strip()
    assert {"servers": "b", "reasoning": "begins"}.items() <= shown("chatbot", "show", made).items()


def test_settings_changed_at_once_are_all_kept(site, operator, shown):
    changes = {"price": 7, "rate_limit": 8, "max_tokens": 9, "history_chars": 10, "retention_days": 11}
    words = [f"{setting}={value}" for setting, value in changes.items()]
    at_once(len(words), lambda index: operator("chatbot", "set", site.tenant.chatbot, words[index]))
    assert changes.items() <= shown("chatbot", "show", site.tenant.chatbot).items()


# Names


def test_names_need_not_be_unique(operator, refused, shown):
    """Two are made at once: then their numbers tell them apart, and neither is changed by its name."""
    called = name("twin")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        numbers = sorted(pool.map(lambda _: operator("workspace", "create", called), range(2)))
    assert len(set(numbers)) == 2
    for arguments in (["show", called], ["set", called, "max_open=1"], ["revoke", called, "--yes"]):
        code, said = refused("workspace", *arguments)
        assert code == 1 and said.startswith(f'2 workspaces have the name "{called}"; say which by its number: ')
        assert sorted(said.split(": ")[1].split(", ")) == numbers
    operator("workspace", "set", numbers[0], f"name={called} one")
    assert shown("workspace", "show", called)["workspace_id"] == numbers[1]
    chatbots = [operator("chatbot", "create", number, called) for number in numbers]
    assert shown("chatbot", "show", f"{called}/{called}")["chatbot_id"] == chatbots[1]
    assert shown("chatbot", "show", f"{called} one/{called}")["chatbot_id"] == chatbots[0]
    code, said = refused("chatbot", "set", called, "price=9")
    assert (code, said) == (1, f'2 chatbots have the name "{called}"; say which by WORKSPACE/CHATBOT: '
                            + ", ".join(f"{number}/{chatbot}" for number, chatbot in zip(numbers, chatbots)))


def test_a_name_is_kept_as_it_is(operator, shown):
    for called in (f"Grüße {name()} 'x' \"y\" \\ $1 %s", f"@{name()}", f"a=b {name()}", f"{{{name()}}}"):
        number = operator("workspace", "create", called)
        assert shown("workspace", "show", called) == shown("workspace", "show", number)
        assert shown("workspace", "show", number)["name"] == called


# What programs read


def as_csv(value):
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_lists_as_json_and_csv(site, operator, shown):
    number = workspace_of(site)
    operator("chatbot", "create", number, 'B, "quoted"', "rate_limit=3")
    for arguments in (["chatbot", "list", number], ["key", "list", number], ["workspace", "list"], ["credits", "show"]):
        rows = shown(*arguments)
        assert rows and all(isinstance(row["workspace_id"], str) for row in rows), "a number would be rounded"
        table = list(csv.DictReader(io.StringIO(operator(*arguments, "--csv"))))
        mine = [{key: as_csv(value) for key, value in row.items()} for row in rows if row["workspace_id"] == number]
        assert mine and mine == [row for row in table if row["workspace_id"] == number]
    assert [row["name"] for row in shown("chatbot", "list", number)] == ['B, "quoted"', "Demo"]
    assert json.loads(operator("chatbot", "set", f'{number}/B, "quoted"', "price=7", "--json"))["price"] == 7


# A person


def test_a_person_is_asked_before_a_key_is_revoked(postgres, site, key_id):
    headless = apis.Headless(site)
    key = key_id("widget")
    with Terminal(postgres.url("owner"), columns=120) as terminal:
        for answer, code in (("n", 1), ("", 1), ("y", 0)):
            headless.answered("hello", False)
            mark = terminal.start("key", "revoke", key)
            screen = terminal.await_text("[y/N]")
            assert re.search(r'revoke the widget key "demo" that ends in \w{4}, of chatbot "Demo"', screen)
            terminal.type(*([answer] if answer else []), "Enter")
            ended, lines = terminal.end(mark)
            assert ended == code, lines
            assert ("banterctl: nothing was done" in lines) == (code == 1)
    headless.refuses(headless.json("hello"), "key")


def test_a_table_fits_the_terminal(postgres, site):
    called = "A chatbot with a name that is longer than anybody would want it to be, even on a wide screen"
    code, _, err = ctl("chatbot", "create", workspace_of(site), called, url=postgres.url("owner"))
    assert code == 0, err
    with Terminal(postgres.url("owner"), columns=70) as terminal:
        code, lines = terminal.run("chatbot", "list", workspace_of(site))
    assert code == 0
    assert max(map(len, lines)) <= 70
    assert [line[:26] for line in lines if ID.match(line)].count(site.tenant.chatbot) == 1
    assert any("A chat" in line and "…" in line for line in lines)
