"""Stop: what runs in a conversation ends, wherever it runs, and what came of it is kept (R5)."""

import contextlib
import json
import os
import signal
import threading
import time

import servers
from ctl import ctl
from fastcgi import Connection, chat, chat_params, health, stream
from servers import script, until
from site_client import at_once
from test_full import wakeups
from test_pool import end_of, logged, single  # noqa: F401 (a fixture)
from test_upgrade import upgraded  # noqa: F401 (a fixture)
from test_visitors import Pages

PATH = "/v1/chat/conversations"


class Talk:
    """An answer that stands still at a gate, in a session of its own; straight to a pool's socket."""

    def __init__(self, banter, tenant, tokens=("one", " two", " three"), stands_at=3, session=None, **headers):
        self.tenant, self.session, self.gate = tenant, session or servers.name(), servers.name()
        self.message = script(self.gate, tokens=list(tokens), gates={str(stands_at): self.gate})
        self.reply = stream(banter.socket, tenant, self.message, self.session, **headers)
        self.conversation = self.reply.event()["conversationId"]
        for token in tokens[:stands_at - 1]:
            assert self.reply.event()["token"] == token

    def ask_stop(self, banter, body=b""):
        params = chat_params(self.tenant, body, f"{PATH}/{self.conversation}/stop", HTTP_X_SESSION_ID=self.session)
        return Connection(banter.socket).ask(params, body)

    def stop(self, banter):
        """The status, and what became of what ran. On a busy machine that may take longer than anybody waits: it is asked again."""
        reply = until(lambda: reply if (reply := self.ask_stop(banter)).status != 202 else None, "the end")
        return reply.status, [message["status"] for message in reply.json()["messages"]]

    def is_done(self):
        """Its client was told `done`, with what had come."""
        assert self.reply.events() == [{"type": "done", "message": "one two", "conversationId": self.conversation}]
        return True


def exchanges(postgres, conversation):
    """Their states, answers, errors and prices."""
    return postgres.run("""select state, answer, error, price from banter_data.exchange where conversation = %s
        order by position, attempt""", conversation)


# What it does


def test_R5_what_came_is_kept_and_said_to_be_done(site, model):
    """As where the client left (S10): charged, in the history, and its idempotency key runs anew, without a second charge."""
    site.grant(10)
    session, gate, once = servers.name(), servers.name(), {"Idempotency-Key": "once"}
    message = script(gate, tokens=["one", " two", " three"], gates={"3": gate})
    reply = site.stream(message, session, headers=once)
    conversation = next(reply)["conversationId"]
    assert [next(reply)["token"] for _ in range(2)] == ["one", " two"]
    stopped = site.request("POST", f"{PATH}/{conversation}/stop", {"X-Session-Id": session})
    (told,) = stopped.json()["messages"]
    assert (stopped.status_code, stopped.headers["Content-Type"], told["status"]) == (200, "application/json", "left")
    assert reply.rest() == [{"type": "done", "message": "one two", "conversationId": conversation}]
    model.wait(message, ended="client_left")  # S7
    ((state, answer, error, price),) = exchanges(site.postgres, conversation)
    assert (state, answer, error) == ("left", "one two", "it was stopped")
    assert site.credits() == 10 - price < 10
    read = site.request("GET", f"{PATH}/{conversation}/messages", {"X-Session-Id": session}).json()["messages"][1]
    assert (read["id"], read["status"], read["text"]) == (told["id"], "left", "one two")
    after = servers.name()
    assert site.chat(after, session).status_code == 200
    assert "one two" in json.dumps(model.wait(after))
    had = site.credits()
    model.open_gate(gate)
    again = site.stream(message, session, headers=once).rest()
    assert again[-1]["message"] == "one two three"
    assert site.credits() == had


def test_S10_one_stopped_without_any_text_ends_in_an_error(site, pool, model):
    """In one piece too; nothing is charged."""
    site.grant(10)
    talk = Talk(site.banter, site.tenant, stands_at=1)
    assert talk.stop(site.banter) == (200, ["failed"])
    assert talk.reply.events() == [{"type": "error", "error": "Internal server error"}]
    assert [one[:3] for one in exchanges(site.postgres, talk.conversation)] == [("failed", "", "it was stopped")]
    assert site.credits() == 10
    model.open_gate(talk.gate)


def test_S10_a_stopped_answer_in_one_piece_is_one(site, model):
    """200 with what had come; 500 where nothing had."""
    replies = {}

    def ask(text, gate):
        session = servers.name()
        thread = threading.Thread(target=lambda: replies.update({text: site.chat(script(text, tokens=["one", " two"], gates=gate), session)}))
        thread.start()
        model.wait(text, tokens_sent=1 if "2" in gate else None)
        ((conversation,),) = site.sql("select conversation from banter_data.conversation where session = %s", session)
        return thread, conversation, session

    gate = servers.name()
    asked = [ask(servers.name(), {at: gate}) for at in ("1", "2")]
    stopped = at_once(2, lambda i: site.request("POST", f"{PATH}/{asked[i][1]}/stop", {"X-Session-Id": asked[i][2]}).json())
    for thread, _, _ in asked:
        thread.join()
    model.open_gate(gate)
    assert [one["messages"][0]["status"] for one in stopped] == ["failed", "left"]
    none, some = replies.values() if list(replies.values())[0].status_code == 500 else list(replies.values())[::-1]
    assert (none.status_code, none.json()) == (500, {"error": "Internal server error"})
    assert (some.status_code, some.json()["message"]) == (200, "one")


def test_R5_where_nothing_runs_the_list_is_empty(site):
    """So is a message's that is none of the conversation's; one that has ended says how."""
    session = servers.name()
    conversation = site.chat("hello", session).json()["conversationId"]
    ((answer,),) = site.sql("select answer_id from banter_data.exchange where conversation = %s", conversation)

    def stop(body, **headers):
        reply = site.request("POST", f"{PATH}/{conversation}/stop", {"X-Session-Id": session, **headers}, data=body)
        return reply.status_code, reply.json()

    for body in (b"", b"{}", b'{"messageId":null}', b'{"messageId":"none"}', b'{"messageId":"\xc3\xa9"}'):
        assert stop(body) == (200, {"messages": []})
    assert stop(json.dumps({"messageId": answer}).encode()) == (200, {"messages": [{"id": answer, "status": "done"}]})
    for body in (b"[]", b"{", b'{"messageId":1}', b'{"messageId":["x"]}', b"x" * 70000):
        assert stop(body) == (400, {"error": "Invalid request payload"})
    assert stop(b"{", **{"x-api-key": "none"})[0] == 401  # (G1)
    assert site.request("GET", f"{PATH}/{conversation}/stop").status_code == 405


def test_R5_a_workspace_key_stops_one_answer_or_all(site, model):
    """The chatbot API: an answer by its messageId, the others go on; then all that runs."""
    gate = servers.name()
    first = site.chatbot(script(servers.name(), tokens=["a", "b"], gates={"2": gate}), stream=True)
    start = next(first)
    more = [site.chatbot(script(servers.name(), tokens=["a", "b"], gates={"2": gate}), stream=True, conversationId=start["conversationId"])
            for _ in range(2)]
    starts = [next(one) for one in more]
    for one in (first, *more):
        assert next(one)["token"] == "a"
    path = f"/api/v1/chatbots/{site.tenant.chatbot}/conversations/{start['conversationId']}/stop"
    key = {"Authorization": f"Bearer {site.tenant.workspace_key}"}
    stopped = site.request("POST", path, key, key=False, json={"messageId": starts[0]["messageId"]})
    assert (stopped.status_code, stopped.json()) == (
        200, {"success": True, "data": {"messages": [{"id": starts[0]["messageId"], "status": "left"}]}})
    assert more[0].rest()[-1]["message"] == "a"
    stopped = site.request("POST", path, key, key=False).json()["data"]["messages"]
    assert stopped == [{"id": one["messageId"], "status": "left"} for one in (start, starts[1])]
    for one in (first, more[1]):
        assert (last := one.rest()[-1])["type"] == "done" and last["message"] == "a"
    model.open_gate(gate)
    reply = site.request("POST", path.replace(start["conversationId"], "none"), key, key=False)
    assert (reply.status_code, reply.json()["code"]) == (404, "CONVERSATION_NOT_FOUND")


def test_R5_a_visitor_stops_their_own(shared_site, model):
    """After the page was loaded anew, say: nobody listens to the answer any more. Others' are as none."""
    pages = Pages(shared_site)
    other, theirs = pages.enter()
    gate = servers.name()
    reply = pages.stream(script(gate, tokens=["a", "b"], gates={"2": gate}))
    conversation, token = next(reply)["conversationId"], reply.headers["X-Visitor-Token"]
    assert next(reply)["token"] == "a"

    def stop(who, which, origin="https://shop.example"):
        answer = pages.read(f"/{which}/stop", who, origin, "POST")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return answer.status_code, answer.json()

    assert stop(other, conversation) == (404, {"error": "Not found"}) == stop(token, theirs) == stop(token, "none")
    assert stop(token, conversation, origin=None) == (403, {"error": "Forbidden"})
    assert stop(None, conversation) == (401, {"error": "Unknown visitor"})
    status, body = stop(token, conversation)
    assert (status, [one["status"] for one in body["messages"]]) == (200, ["left"])
    assert reply.rest()[-1]["message"] == "a"
    model.open_gate(gate)
    assert pages.ask("on", token=token).status_code == 200


def test_R5_twice_at_once_and_on_two_hosts(pool, tenant, model, postgres):
    """Who asks, and where, is all the same; and the next exchange of the conversation is not stopped."""
    hosts = pool(workers=3), pool(workers=3)
    talk = Talk(hosts[0], tenant)
    assert at_once(4, lambda i: talk.stop(hosts[i % 2])) == [(200, ["left"])] * 4
    assert talk.is_done()
    model.open_gate(talk.gate)
    assert chat(hosts[0].socket, tenant, script("on", tokens=["fine"]), session=talk.session).json()["message"] == "fine"
    assert [one[0] for one in exchanges(postgres, talk.conversation)] == ["left", "done"]


def test_R5_one_that_does_not_end_in_time_is_202(pool, tenant, model, postgres):
    """Its worker stands still; when it goes on it ends. In the chatbot API too, whose window counts it."""
    postgres.run("update banter_data.chatbot set rate_limit = 100, rate_window = 100 where chatbot = %s", tenant.chatbot)
    banter = pool(workers=3)
    talk = Talk(banter, tenant)

    def headless_stop():
        reply = talk.ask_stop(banter)
        return reply.status, [message["status"] for message in reply.json()["messages"]]

    def chatbots_stop():
        params = chat_params(
            tenant, b"", f"/api/v1/chatbots/{tenant.chatbot}/conversations/{talk.conversation}/stop", HTTP_X_API_KEY=None,
            HTTP_AUTHORIZATION=f"Bearer {tenant.workspace_key}")
        reply = Connection(banter.socket).ask(params)
        assert reply.headers["X-RateLimit-Remaining"] == "99"
        return reply.status, [message["status"] for message in reply.json()["data"]["messages"]]

    (pid,) = [one["pid"] for one in processes(banter) if one["stage"] == "stream"]
    os.kill(pid, signal.SIGSTOP)
    try:
        assert at_once(2, lambda i: chatbots_stop() if i else headless_stop()) == [(202, ["running"])] * 2
    finally:
        os.kill(pid, signal.SIGCONT)
    assert talk.is_done()
    model.open_gate(talk.gate)


def test_R5_what_a_dead_worker_left_ends_with_its_lease(pool, tenant, model, postgres):
    banter = pool(workers=2)
    talk = Talk(banter, tenant)
    (pid,) = [one["pid"] for one in processes(banter) if one["stage"] == "stream"]
    os.kill(pid, signal.SIGKILL)
    logged(banter, "died: ")
    postgres.run("update banter_data.exchange set lease_until = clock_timestamp() where conversation = %s", talk.conversation)
    assert talk.stop(banter) == (200, ["failed"])
    assert talk.reply.events() == []
    model.open_gate(talk.gate)


def test_G10_a_stop_takes_a_place_of_its_address(pool, tenant, model):
    banter = pool(workers=3, address_open=1)
    talk = Talk(banter, tenant)
    assert talk.ask_stop(banter).status == 429
    model.open_gate(talk.gate)
    assert talk.reply.events()[-1]["message"] == "one two three"
    assert talk.stop(banter) == (200, [])


# Who looks for it


def processes(banter, kind="worker"):
    code, out, err = ctl("status", "--json", "--pid", banter.process.pid)
    assert (code, err) == (0, "")
    return [one for one in json.loads(out)["processes"] if one["kind"] == kind]


def test_a_stopper_that_dies_is_replaced(pool, tenant, model):
    banter = pool(workers=2)
    (pid,) = until(lambda: banter.children("stopper"), "the stopper")
    talk = Talk(banter, tenant)
    os.kill(pid, signal.SIGKILL)
    logged(banter, rf"stopper \d+ \(pid {pid}\) died: killed by signal 9")
    assert talk.stop(banter) == (200, ["left"]) and talk.is_done()
    model.open_gate(talk.gate)
    assert [one["pid"] for one in processes(banter, "stopper")] == banter.children("stopper") != [pid]


def test_a_stopper_that_makes_no_progress_is_replaced(pool, tenant, model):
    banter = pool(workers=2, worker_stuck_time="1s", write_time="1s", database_time="1s")
    (pid,) = until(lambda: banter.children("stopper"), "the stopper")
    talk = Talk(banter, tenant)
    until(lambda: processes(banter, "stopper")[0]["stage"] == "watch", "its watch")
    os.kill(pid, signal.SIGSTOP)
    logged(banter, rf"stopper \d+ \(pid {pid}\) was stopped for")
    assert talk.stop(banter) == (200, ["left"]) and talk.is_done()
    os.kill(pid, signal.SIGCONT)
    model.open_gate(talk.gate)


def sockets(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            if (name := os.readlink(f"/proc/{pid}/fd/{fd}")).startswith("socket:"):
                found.add(name)
    return found


def test_an_idle_pools_stopper_sleeps_without_a_connection(pool, tenant, model):
    """A short exchange, or a request that is none, costs it no poll."""
    banter = pool(workers=2)
    (pid,) = until(lambda: banter.children("stopper"), "the stopper")
    until(lambda: processes(banter, "stopper")[0]["stage"] == "idle", "its rest")
    had = sockets(pid)

    def short():
        began = time.monotonic()
        assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
        assert health(banter.socket) == 200
        return time.monotonic() - began < 0.5

    # On a busy machine one may be long enough for a poll, whose connection is kept for a while.
    until(lambda: sockets(pid) == had and short(), "a short exchange")
    until(lambda: processes(banter, "stopper")[0]["stage"] == "idle", "its rest")
    before = wakeups(pid)
    time.sleep(2.5)  # nothing happens, and for that there is no gate
    assert wakeups(pid) == before and sockets(pid) == had
    talk = Talk(banter, tenant)
    until(lambda: len(sockets(pid)) == len(had) + 1, "its connection")
    model.open_gate(talk.gate)
    assert talk.reply.events()[-1]["type"] == "done"


def test_a_reload_and_an_old_workers_exchange(pool, tenant, model):
    """The new stopper watches over the old generation's workers too."""
    banter = pool(workers=2)
    (old,) = until(lambda: banter.children("stopper"), "the stopper")
    talk = Talk(banter, tenant)
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: (found := banter.children("stopper")) and old not in found, "the new stopper alone")
    assert talk.stop(banter) == (200, ["left"]) and talk.is_done()
    model.open_gate(talk.gate)


def test_a_draining_pools_exchange_is_stopped_and_the_stopper_ends_with_it(pool, tenant, model):
    """By another host: this one takes nothing new. With it the pool ends, at once."""
    banter, other = pool(workers=2, drain_time="1h"), pool(workers=1)
    talk = Talk(banter, tenant)
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    assert talk.stop(other) == (200, ["left"]) and talk.is_done()
    assert end_of(banter) == 0
    assert "killed" not in banter.text()
    model.open_gate(talk.gate)


def test_the_stopper_never_outlives_its_master(pool, tenant, model):
    banter = pool(workers=1)
    (pid,) = until(lambda: banter.children("stopper"), "the stopper")
    talk = Talk(banter, tenant)
    banter.process.kill()
    banter.process.wait()
    banter.process = None
    until(lambda: not os.path.exists(f"/proc/{pid}"), "its end")
    model.open_gate(talk.gate)
    assert talk.reply.events()[-1]["type"] in ("done", "error")


def test_after_an_upgrade_the_old_programs_exchanges_are_stopped(upgraded, tenant, model):  # noqa: F811
    banter = upgraded()
    talk = Talk(banter, tenant)
    banter.upgrade()
    assert talk.stop(banter) == (200, ["left"]) and talk.is_done()
    model.open_gate(talk.gate)
    assert banter.process.wait(servers.PATIENCE) == 0


def test_R5_workers_of_a_web_server_ask_by_themselves(single, tenant, model):  # noqa: F811
    """They have no master, and no stopper."""
    workers = single(), single()
    for one in workers:
        until(one.listens, "a socket")
    talk = Talk(workers[0], tenant)
    assert talk.stop(workers[1]) == (200, ["left"]) and talk.is_done()
    model.open_gate(talk.gate)
