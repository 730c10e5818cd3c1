"""A stream is picked up again, or heard by others, while it runs (L1 to L7), and what leaving means (S7, S10)."""

import contextlib
import json
import os
import signal
import time

import exposition
import servers
from ctl import ctl
from database import Road
from fastcgi import Connection, chat_body, chat_params, stream
from servers import script, until
from test_pool import end_of, logged, single  # noqa: F401 (a fixture)
from test_stop import PATH, exchanges, processes
from test_upgrade import upgraded  # noqa: F401 (a fixture)
from test_visitors import Pages

# Of one byte, of two, of three, of four, and two characters.
TOKENS = ["a", "é", "€", "\U0001f600", "ok"]
TEXT = "".join(TOKENS)
ENDS = [len("".join(TOKENS[:i]).encode()) for i in range(len(TOKENS) + 1)]


class Talk:
    """An answer in a session of its own, each of whose tokens waits at a gate; straight to a pool's socket."""

    def __init__(self, banter, model, tenant, tokens=TOKENS, stands_at=1, session=None, **headers):
        self.banter, self.model, self.tenant, self.session = banter, model, tenant, session or servers.name()
        self.tokens, self.sent, self.gates = list(tokens), 0, [servers.name() for _ in tokens]
        self.message = script(servers.name(), tokens=self.tokens,
                              gates={str(i + 1): gate for i, gate in enumerate(self.gates)})
        self.reply = stream(banter.socket, tenant, self.message, self.session, **headers)
        self.conversation = self.reply.event()["conversationId"]
        self.go_on(stands_at - 1)

    def go_on(self, tokens=None):
        """The model says so many more, or the rest; each has come at its client, if that is there."""
        for i in range(len(self.tokens) - self.sent if tokens is None else tokens):
            self.model.open_gate(self.gates[self.sent])
            if self.reply:
                assert self.reply.event()["token"] == self.tokens[self.sent]
            else:
                self.model.wait(self.message, tokens_sent=self.sent + 1)
            self.sent += 1

    def leave(self):
        self.reply.connection.close()
        self.reply = None

    def hear(self, after=None, query="", banter=None, **headers):
        query = "&".join(filter(None, [query, "" if after is None else f"after={after}"]))
        path = f"{PATH}/{self.conversation}/stream"
        params = chat_params(self.tenant, b"", path, "GET", QUERY_STRING=query, HTTP_X_SESSION_ID=self.session,
                             **{"REQUEST_URI": f"{path}?{query}", **headers})
        return Connection((banter or self.banter).socket).ask(params)

    @property
    def text(self):
        return "".join(self.tokens)


def heard(events, after=0):
    """What was told behind that byte, each piece ending where its number says; then `done`, or what came instead."""
    text = b""
    for event in events[:-1]:
        assert event["type"] == "token"
        text += event["token"].encode()
        assert event["number"] == after + len(text)
    return text.decode(), events[-1]


def begins(reply, talk):
    start = reply.event()
    assert set(start) == {"type", "conversationId", "messageId"}
    assert (start["type"], start["conversationId"]) == ("start", talk.conversation)
    return start["messageId"]


def test_L1_L2_at_every_position(pool, tenant, model):
    """Who attaches after each token, having heard up to each byte, hears the rest once: what came, then what comes."""
    banter = pool(workers=4)
    for came in range(len(TOKENS)):
        for after in range(0, len(TEXT.encode()) + 2):
            talk = Talk(banter, model, tenant, stands_at=came + 1)
            reply = talk.hear(after)
            begins(reply, talk)
            talk.go_on()
            # One within a character hears that character again.
            begin = max(end for end in range(after + 1) if end >= len(TEXT.encode()) or (TEXT.encode()[end] & 0xc0) != 0x80)
            rest = TEXT.encode()[begin:].decode()
            text, last = heard(reply.events(), begin)
            assert (text, last["type"], last["message"], last["number"]) == (rest, "done", TEXT, len(TEXT.encode())), (came, after)
            assert talk.reply.events()[-1]["message"] == TEXT


def listening(banter):
    """As the operator is told: banter_listeners_open."""
    code, out, err = ctl("metrics", "--pid", banter.process.pid)
    assert (code, err) == (0, "")
    return exposition.read(out).value("banter_listeners_open")


def test_L1_two_at_once_and_no_fourth(pool, tenant, model):
    """Three at most hear one answer; who is refused may come again when one has gone."""
    banter = pool(workers=6)
    talk = Talk(banter, model, tenant, stands_at=2)
    listeners = [talk.hear() for _ in range(3)]
    for reply in listeners:
        begins(reply, talk)
        assert reply.event() == {"type": "token", "token": "a", "number": 1}
    assert listening(banter) == 3
    fourth = talk.hear()
    assert (fourth.status, fourth.json(), fourth.headers["Retry-After"]) == (429, {"error": "Too many requests"}, "1")
    listeners.pop().connection.close()
    until(lambda: talk.hear().status == 200, "the place of who went")
    talk.go_on()
    for reply in listeners:
        text, last = heard(reply.events(), 1)
        assert ("a" + text, last["type"]) == (TEXT, "done")
    until(lambda: listening(banter) == 0, "the end of them")


def test_L2_the_number_is_also_a_header_and_wrong_ones_are_refused(pool, tenant, model):
    banter = pool(workers=3)
    talk = Talk(banter, model, tenant, stands_at=3)
    reply = talk.hear(HTTP_LAST_EVENT_ID="1")
    begins(reply, talk)
    assert reply.event() == {"type": "token", "token": "é", "number": 3}
    for wrong in ("-1", "x", "", "1.5", "9" * 13):
        assert talk.hear(wrong).status == 400, wrong
    assert talk.hear(query="message=none").status == 404
    talk.go_on()
    assert reply.events()[-1]["message"] == TEXT


def test_L1_where_nothing_runs_it_is_204(pool, tenant, model):
    """An answer that is named is told all the same, from where it was heard on."""
    banter = pool(workers=3)
    talk = Talk(banter, model, tenant)
    message = begins(talk.hear(), talk)
    talk.go_on()
    assert talk.reply.events()[-1]["type"] == "done"
    over = talk.hear()
    assert (over.status, over.body()) == (204, b"")
    named = talk.hear(3, f"message={message}")
    assert begins(named, talk) == message
    assert heard(named.events(), 3) == (
        "€\U0001f600ok", {"type": "done", "number": 12, "message": TEXT, "conversationId": talk.conversation})


def test_L1_several_answers(pool, tenant, model):
    """Without a name it is the latest."""
    banter = pool(workers=5)
    talk = Talk(banter, model, tenant)
    first = begins(talk.hear(), talk)
    later = Talk(banter, model, tenant, tokens=["later"], session=talk.session)
    assert later.conversation == talk.conversation
    second, named = talk.hear(), talk.hear(query=f"message={first}")
    assert begins(second, talk) != first == begins(named, talk)
    later.go_on()
    talk.go_on()
    assert second.events()[-1]["message"] == "later"
    assert named.events()[-1]["message"] == TEXT


def test_L2_the_chatbot_api_has_SSE_with_ids(site, model):
    gate = servers.name()
    first = site.chatbot(script(servers.name(), tokens=["a", "b"], gates={"2": gate}), stream=True)
    start, key = next(first), {"Authorization": f"Bearer {site.tenant.workspace_key}"}
    path = f"/api/v1/chatbots/{site.tenant.chatbot}/conversations/{start['conversationId']}/stream"
    reply = site.request("GET", path, key, key=False, stream=True)
    assert (reply.status_code, reply.headers["Content-Type"], reply.headers["X-Accel-Buffering"]) == (200, "text/event-stream", "no")
    lines = reply.iter_lines(chunk_size=1)
    told = [next(lines) for _ in range(5)]
    assert json.loads(told[0][6:]) == start
    assert told[1:] == [b"", b"id: 1", b'data: {"type":"token","token":"a"}', b""]
    model.open_gate(gate)
    assert [line for line in lines if line.startswith(b"id:")] == [b"id: 2", b"id: 2"]
    assert first.rest()[-1]["message"] == "ab"
    assert site.request("GET", path, key, key=False).status_code == 204
    gone = site.request("GET", path.replace(start["conversationId"], "none"), key, key=False)
    assert (gone.status_code, gone.json()["code"]) == (404, "CONVERSATION_NOT_FOUND")


def test_L3_only_who_may_read_it_back(shared_site, model):
    """R1: another visitor, or key, finds nothing there."""
    pages = Pages(shared_site)
    other, theirs = pages.enter()
    gate = servers.name()
    reply = pages.stream(script(gate, tokens=["a", "b"], gates={"2": gate}))
    conversation, token = next(reply)["conversationId"], reply.headers["X-Visitor-Token"]

    def hear(who, which=conversation, **headers):
        answer = pages.read(f"/{which}/stream", who, **headers)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return answer.status_code

    assert hear(other) == hear(token, theirs) == hear(token, "none") == 404
    assert hear(None) == 401
    assert hear(other, theirs) == 204
    widget = {"X-Session-Id": "main"}
    assert pages.site.request("GET", f"{PATH}/{conversation}/stream", widget).status_code == 404
    assert pages.site.request("GET", f"{PATH}/{conversation}/stream").status_code == 400
    assert pages.site.request("GET", f"{PATH}/{conversation}/stream", {"x-api-key": "none"}, key=False).status_code == 401
    stream_of = pages.site.request("GET", f"{PATH}/{conversation}/stream", pages.headers(token, None), key=False, stream=True)
    assert stream_of.status_code == 200
    model.open_gate(gate)
    assert json.loads(stream_of.text.splitlines()[-1])["message"] == "ab"
    assert reply.rest()[-1]["message"] == "ab"


def test_L4_a_dead_worker_ends_its_listeners_at_once(pool, tenant, model, postgres):
    """With `error`, long before its lease ends; the next answer in its place is another's."""
    banter = pool(workers=3)
    talk = Talk(banter, model, tenant, stands_at=2)
    (pid,) = [one["pid"] for one in processes(banter) if one["stage"] == "stream"]
    replies = [talk.hear(), talk.hear()]
    for reply in replies:
        begins(reply, talk)
        assert reply.event()["token"] == "a"
    os.kill(pid, signal.SIGKILL)
    for reply in replies:
        assert reply.events() == [{"type": "error", "error": "Internal server error"}]
    assert exchanges(postgres, talk.conversation)[0][0] == "running"
    logged(banter, "the process is dead that gave the answer", 2)
    later = Talk(banter, model, tenant, stands_at=2)
    reply = later.hear()
    begins(reply, later)
    later.go_on()
    assert reply.events()[-1]["message"] == TEXT


def test_L4_a_listener_that_dies_harms_nobody(pool, tenant, model):
    """Its place is free again."""
    banter = pool(workers=6)
    talk = Talk(banter, model, tenant, stands_at=2)
    before = {one["pid"] for one in processes(banter) if one["stage"] == "stream"}
    replies = [talk.hear() for _ in range(3)]
    for reply in replies:
        begins(reply, talk)
    for pid in {one["pid"] for one in processes(banter) if one["stage"] == "stream"} - before:
        os.kill(pid, signal.SIGKILL)
    for reply in replies:
        assert [event["type"] for event in reply.events()] in (["token"], [])
    until(lambda: talk.hear().status == 200, "their places")
    talk.go_on()
    assert talk.reply.events()[-1]["message"] == TEXT


def test_L4_a_failed_answer_is_an_error(pool, tenant, model):
    banter = pool(workers=3)
    gate, session = servers.name(), servers.name()
    message = script(session, tokens=["a", "b"], gates={"2": gate}, cut_after=1)
    reply = stream(banter.socket, tenant, message, session)
    talk = Talk.__new__(Talk)
    talk.__dict__.update(banter=banter, tenant=tenant, session=session, conversation=reply.event()["conversationId"])
    listener = talk.hear()
    begins(listener, talk)
    model.open_gate(gate)
    assert listener.events()[-1] == {"type": "error", "error": "Internal server error"} == reply.events()[-1]


def test_L4_a_failed_answer_is_an_error_in_the_chatbot_api_too(site, model):
    gate = servers.name()
    first = site.chatbot(script(servers.name(), tokens=["a", "b"], gates={"2": gate}, cut_after=1), stream=True)
    path = f"/api/v1/chatbots/{site.tenant.chatbot}/conversations/{next(first)['conversationId']}/stream"
    reply = site.request("GET", path, {"Authorization": f"Bearer {site.tenant.workspace_key}"}, key=False, stream=True)
    lines = reply.iter_lines(chunk_size=1)
    assert json.loads(next(lines)[6:])["type"] == "start"
    model.open_gate(gate)
    assert [json.loads(line[6:]) for line in lines if line.startswith(b"data:")][-1] == first.rest()[-1] == {
        "type": "error", "error": "Internal server error", "code": "INTERNAL_ERROR"}


def test_L4_a_drained_pool(pool, tenant, model):
    """Who listens to what its drain ends gets `error`, as who asked."""
    banter = pool(workers=3, drain_time="1s")
    talk = Talk(banter, model, tenant, stands_at=2)
    reply = talk.hear()
    begins(reply, talk)
    banter.process.send_signal(signal.SIGTERM)
    assert reply.events()[-1] == {"type": "error", "error": "Internal server error"} == talk.reply.events()[-1]
    assert end_of(banter) == 0


def test_L4_a_stopped_answer_is_done(pool, tenant, model):
    """R5, for all who hear it."""
    banter = pool(workers=4)
    talk = Talk(banter, model, tenant, stands_at=3)
    reply = talk.hear()
    begins(reply, talk)
    path = f"{PATH}/{talk.conversation}/stop"
    assert Connection(banter.socket).ask(chat_params(tenant, b"", path, HTTP_X_SESSION_ID=talk.session)).status == 200
    assert heard(reply.events())[1]["message"] == "aé" == talk.reply.events()[-1]["message"]
    for gate in talk.gates:
        model.open_gate(gate)


def test_L5_another_hosts_answer_comes_when_it_has_ended(pool, tenant, model):
    """Heartbeats until then."""
    hosts = pool(workers=2), pool(workers=2, heartbeat="1s")
    talk = Talk(hosts[0], model, tenant, stands_at=2)
    reply = talk.hear(1, banter=hosts[1])
    begins(reply, talk)
    before = len(reply.bytes)
    until(lambda: reply.more() and reply.bytes[before:].startswith(b"\n"), "a heartbeat")
    talk.go_on()
    text, last = heard(reply.events(), 1)
    assert (text, last["message"]) == ("é€\U0001f600ok", TEXT)


def test_L5_workers_that_another_program_starts(single, tenant, model):  # noqa: F811
    """mod_fcgid's: nothing is shared but the database."""
    hosts = single(), single()
    talk = Talk(hosts[0], model, tenant, stands_at=2)
    reply = talk.hear(banter=hosts[1])
    begins(reply, talk)
    talk.go_on()
    text, last = heard(reply.events())
    assert (text, last["message"]) == (TEXT, TEXT)


def test_L5_what_a_dead_host_left_ends_with_its_lease(pool, tenant, model, postgres):
    hosts = pool(workers=1), pool(workers=1)
    talk = Talk(hosts[0], model, tenant, stands_at=2)
    reply = talk.hear(banter=hosts[1])
    begins(reply, talk)
    hosts[0].process.kill()
    hosts[0].process.wait()
    hosts[0].process = None
    postgres.run("update banter_data.exchange set lease_until = clock_timestamp() where conversation = %s", talk.conversation)
    assert reply.events() == [{"type": "error", "error": "Internal server error"}]
    assert talk.hear(banter=hosts[1]).status == 204
    for gate in talk.gates:
        model.open_gate(gate)


def test_L5_a_reload_and_an_old_workers_answer(pool, tenant, model):
    """The next generation hears the one before."""
    banter = pool(workers=2)
    talk = Talk(banter, model, tenant, stands_at=2)
    old = set(banter.children())
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: len(set(banter.children()) - old) == 2, "new workers")
    reply = talk.hear()
    begins(reply, talk)
    assert reply.event()["token"] == "a"
    talk.go_on()
    assert reply.events()[-1]["message"] == TEXT


def test_L5_after_an_upgrade_the_old_programs_answer_comes_at_its_end(upgraded, tenant, model):  # noqa: F811
    banter = upgraded()
    talk = Talk(banter, model, tenant, stands_at=2)
    banter.upgrade()
    reply = talk.hear(1)
    begins(reply, talk)
    talk.go_on()
    assert heard(reply.events(), 1)[1]["message"] == TEXT
    assert talk.reply.events()[-1]["message"] == TEXT
    assert banter.process.wait(servers.PATIENCE) == 0


def test_L6_a_listener_takes_a_place_and_counts_in_no_window(pool, postgres, model):
    """G10, H4, B4; and it is no exchange."""
    tenant = postgres.demo(rate_limit=1)
    banter = pool(workers=4, address_open=2, address_limit=2)
    talk = Talk(banter, model, tenant)
    first = talk.hear()
    begins(first, talk)
    assert talk.hear().status == 429
    talk.go_on()
    assert first.events()[-1]["message"] == TEXT
    for _ in range(5):
        assert talk.hear().status == 204
    assert len(exchanges(postgres, talk.conversation)) == 1
    path = f"/api/v1/chatbots/{tenant.chatbot}/conversations/{talk.conversation}/stream"
    params = chat_params(tenant, b"", path, "GET", HTTP_X_API_KEY=None, HTTP_AUTHORIZATION=f"Bearer {tenant.workspace_key}")
    for _ in range(3):
        assert Connection(banter.socket).ask(params).status == 204


def repeated(talk, path="/v1/chat/stream"):
    body = chat_body(talk.message, talk.session)
    return Connection(talk.banter.socket).ask(chat_params(talk.tenant, body, path, HTTP_IDEMPOTENCY_KEY="once"), body)


def test_L7_the_same_again_hears_it_where_the_chatbot_says_so(pool, postgres, model):
    """Else 409 (I1). No second exchange, and no second charge."""
    tenant = postgres.demo()
    banter = pool(workers=3)
    talk = Talk(banter, model, tenant, stands_at=2, HTTP_IDEMPOTENCY_KEY="once")
    assert repeated(talk).status == 409
    postgres.run("update banter_data.chatbot set on_repeat = 'attach' where chatbot = %s", tenant.chatbot)
    again = repeated(talk)
    assert again.event() == {"type": "start", "conversationId": talk.conversation}
    assert (again.status, again.headers.get("Retry-After")) == (200, None)
    assert again.event() == {"type": "token", "token": "a"}
    talk.go_on()
    assert again.events()[-1] == {"type": "done", "message": TEXT, "conversationId": talk.conversation}
    assert repeated(talk).events()[-1]["message"] == TEXT
    assert len(exchanges(postgres, talk.conversation)) == 1


def test_L7_in_one_piece_it_waits(pool, postgres, model):
    """Within the time of such an exchange: then it is 409 as before."""
    tenant = postgres.demo(on_repeat="attach")
    for time_of, status in (("50s", 200), ("3s", 409)):
        first, banter = pool(workers=2, json_time="1h"), pool(workers=2, json_time=time_of)
        gate, session = servers.name(), servers.name()
        message = script(session, tokens=["a", "b"], gates={"2": gate})
        body = chat_body(message, session)
        params = chat_params(tenant, body, HTTP_IDEMPOTENCY_KEY=session)
        asked = Connection(first.socket)
        reply = asked.ask(params, body)
        model.wait(message, tokens_sent=1)
        again = [Connection(one.socket).ask(params, body) for one in (first, banter)]
        if status == 409:
            assert (again[1].status, again[1].json(), again[1].headers["Retry-After"]) == (409, {"error": "Request in progress"}, "1")
        model.open_gate(gate)
        assert reply.json()["message"] == "ab" == again[0].json()["message"]
        if status == 200:
            assert again[1].json() == reply.json() if reply._head is None else again[1].json()["message"] == "ab"


# What leaving means


def leaves(pool, postgres, model, **chatbot):
    tenant = postgres.demo(on_leave="finish", **chatbot)
    banter = pool(workers=3)
    talk = Talk(banter, model, tenant, stands_at=2)
    talk.leave()
    return talk


def test_S7_S10_what_was_left_goes_on_where_the_chatbot_says_so(pool, postgres, model):
    """It is stored and charged as any other, once; who comes back hears the rest of it."""
    tenant = postgres.demo(on_leave="finish")
    postgres.run("update banter_data.workspace set credits = 10 where workspace = %s", tenant.workspace)
    banter = pool(workers=3)
    talk = Talk(banter, model, tenant, stands_at=2, HTTP_IDEMPOTENCY_KEY="once")
    talk.leave()
    talk.go_on(1)
    back = talk.hear(1)
    begins(back, talk)
    assert back.event() == {"type": "token", "token": "é", "number": 3}
    talk.go_on()
    assert heard(back.events(), 3)[1]["message"] == TEXT
    assert exchanges(postgres, talk.conversation) == [("done", TEXT, None, 1)]
    assert repeated(talk).events()[-1]["message"] == TEXT
    assert postgres.run("select credits from banter_data.workspace where workspace = %s", tenant.workspace) == [(9,)]
    logged(banter, "its client left before the end")


def test_S7_nobody_comes_back_and_it_is_found(pool, postgres, model):
    talk = leaves(pool, postgres, model)
    talk.go_on()
    until(lambda: exchanges(postgres, talk.conversation) == [("done", TEXT, None, 0)], "its end")


def test_S7_it_keeps_its_places(pool, postgres, model):
    """G10: who left cannot begin more by leaving."""
    tenant = postgres.demo(on_leave="finish")
    banter = pool(workers=3, address_open=1)
    talk = Talk(banter, model, tenant, stands_at=2)
    talk.leave()
    talk.go_on(1)
    assert stream(banter.socket, tenant, "more").status == 429
    talk.go_on()
    until(lambda: exchanges(postgres, talk.conversation)[0][0] == "done", "its end")
    until(lambda: stream(banter.socket, tenant, "more").status == 200, "its place")


def test_S10_who_stays_away_too_long_gets_what_came(pool, postgres, model):
    """As where leaving ends it."""
    talk = leaves(pool, postgres, model, detached_time=1)
    until(lambda: exchanges(postgres, talk.conversation) == [("left", "a", "the client left", 0)], "its end")
    model.wait(talk.message, ended="client_left")
    for gate in talk.gates:
        model.open_gate(gate)


def test_S10_while_somebody_listens_its_time_is_not_over(pool, postgres, model):
    talk = leaves(pool, postgres, model, detached_time=1)
    back = talk.hear()
    begins(back, talk)
    time.sleep(2.5)  # its time passes, and for that there is no gate
    talk.go_on()
    assert heard(back.events())[1]["message"] == TEXT
    assert exchanges(postgres, talk.conversation)[0][0] == "done"


def test_S7_a_drain_ends_it_with_an_error(pool, postgres, model):
    tenant = postgres.demo(on_leave="finish")
    banter, other = pool(workers=3, drain_time="1s"), pool(workers=2)
    talk = Talk(banter, model, tenant, stands_at=2)
    talk.leave()
    talk.go_on(1)
    back, elsewhere = talk.hear(), talk.hear(banter=other)
    begins(back, talk)
    begins(elsewhere, talk)
    banter.process.send_signal(signal.SIGTERM)
    for reply in (back, elsewhere):
        assert reply.events()[-1] == {"type": "error", "error": "Internal server error"}
    assert end_of(banter) == 0
    assert exchanges(postgres, talk.conversation)[0][0] == "failed"


def test_S7_a_stop_ends_it(pool, postgres, model):
    talk = leaves(pool, postgres, model)
    talk.go_on(1)
    path = f"{PATH}/{talk.conversation}/stop"
    stopped = Connection(talk.banter.socket).ask(chat_params(talk.tenant, b"", path, HTTP_X_SESSION_ID=talk.session))
    assert (stopped.status, [one["status"] for one in stopped.json()["messages"]]) == (200, ["left"])
    assert exchanges(postgres, talk.conversation) == [("left", "aé", "it was stopped", 0)]
    for gate in talk.gates:
        model.open_gate(gate)


def test_S7_where_nobody_can_say_what_leaving_means_it_is_the_end(pool, postgres, model):
    """The database does not answer: no model goes on for nobody."""
    with contextlib.closing(Road(postgres.folder / ".s.PGSQL.5432")) as road:
        tenant = postgres.demo(on_leave="finish")
        banter = pool(workers=1, database_url=road.url())
        talk = Talk(banter, model, tenant, stands_at=2)
        road.silence()
        talk.leave()
        model.wait(talk.message, ended="client_left")
        until(lambda: exchanges(postgres, talk.conversation) == [("left", "a", "the client left", 0)], "its end")
        for gate in talk.gates:
            model.open_gate(gate)
        assert banter.end() == 0
