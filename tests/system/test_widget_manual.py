"""deploy/widget/README.md, as its readers follow it: its commands, its lines in a page, its style, its back end's code."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import servers
from ctl import ctl, empty, record  # noqa: F401  (a fixture)
from servers import name, script
from test_visitors import PAGE
from widget import Chat, browser, opened, shop  # noqa: F401  (fixtures)

sys.path.append(str(servers.ROOT / "tests" / "deploy"))
from page import Page  # noqa: E402

MANUAL = Page(servers.ROOT / "deploy" / "widget" / "README.md")
# What it says, and its readers replace.
SITE, KEY = "https://chat.example.com", "pk-site_(YOUR-SITE-KEY|\u2026)"


def blocks(kind):
    found = [body for one, body in MANUAL.blocks if one == kind]
    assert found, kind
    return found


def test_its_commands(empty):  # noqa: F811
    """For a chatbot of that name."""
    owner = empty.url()
    for words in (["migrate"], ["workspace", "create", "Shop"], ["chatbot", "create", "Shop", "Support"]):
        code, _, err = ctl(*words, url=owner)
        assert code == 0, err
    environment = {"PATH": f"{servers.BUILD}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "BANTER_DATABASE_URL": owner}
    for block in blocks("sh"):
        done = subprocess.run(["sh", "-e", "-c", block], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, (block, done.stderr)
    (key,) = record("key", "list", "Shop", url=owner)
    assert (key["kind"], key["origins"]) == ("site", "https://www.example.com,https://example.com")
    chatbot = record("chatbot", "show", "Support", url=owner)
    assert (chatbot["on_leave"], chatbot["on_repeat"], chatbot["visitor_exchanges"]) == ("finish", "attach", 500)


def in_pages():
    """Every way in which it puts the widget into a page."""
    printed = re.findall(r"echo '(.*)';", "".join(blocks("php")))
    assert printed
    return [*blocks("html"), *printed]


@pytest.mark.parametrize("line", in_pages(), ids=["html", "tag manager", "WordPress"])
def test_its_lines(shop, browser, line):  # noqa: F811
    pages = shop.tenant()
    assert SITE in line and re.search(KEY, line)
    line = re.sub(KEY, pages.key, line.replace(SITE, shop.url))
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages, line=line))
    chat.load()
    chat.answer(script(name(), tokens=["fine"]), "fine")


def test_its_style(opened):  # noqa: F811
    """Each rule changes what it names."""
    (style,) = blocks("css")
    rules = re.findall(r"::part\((\S+)\) \{ ([\w-]+): (.*); \}", style)
    assert len(rules) == len(style.splitlines())
    chat = opened(head=f"<style>{style}</style>")
    for part, wanted, value in rules:
        assert chat.run("return getComputedStyle(parts(arguments[0])[0]).getPropertyValue(arguments[1])", part, wanted) == value


# Nothing else here needs PHP.
with_php = pytest.mark.skipif(not shutil.which("php"), reason="there is no php")


def php(*words, code):
    done = subprocess.run(["php", *words], input=f"<?php\n{code}", capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    return done.stdout


@with_php
@pytest.mark.parametrize("code", blocks("php"), ids=["identity", "WordPress"])
def test_its_php_is_php(code):
    php("-l", code=code)


@with_php
def test_its_back_end_says_who_is_signed_in(site, postgres):
    made = record("key", "create", "--chatbot", site.tenant.chatbot, "--origins", PAGE, url=postgres.url("owner"))
    code, secret, err = ctl("key", "identity", made["key_id"], url=postgres.url("owner"))
    assert code == 0, err
    (code,) = [block for block in blocks("php") if "$identity" in block]
    values = f"$key_id = '{made['key_id']}'; $secret = '{secret.strip()}'; $user = 'anna';"
    identity = php(code=f"{values}\n{code}\necho $identity;")
    assert identity.endswith(":anna")
    headers = {"x-api-key": made["key"], "Origin": PAGE, "X-Visitor-Identity": identity}
    assert site.chat("Hello", headers=headers).status_code == 200
    assert site.chat("Hello", headers={**headers, "X-Visitor-Identity": identity + "e"}).status_code == 401
