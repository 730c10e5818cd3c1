"""Two tenants: whatever one tries with the other's ids has the answer of an id that does not exist, and changes nothing."""

import contextlib
import hashlib
import itertools
import json

import apis
import servers
import psycopg2
import pytest
from servers import script
from site_client import Site
from tenants import new_key

TABLES = "workspace", "chatbot", "api_key", "visitor", "conversation", "exchange", "ledger", "idempotency", "feedback", "rate_window"
NONE = "n" * 26  # an id that nobody has
PAGE = "https://shop.example"


class Side:
    """A tenant with something in every table, and every id of it."""

    def __init__(self, site, session):
        self.site = site
        site.grant(1000)
        site.sql("update banter_data.chatbot set rate_limit = 1000, rate_window = 1000 where chatbot = %s", site.tenant.chatbot)
        self.workspace, self.chatbot = site.tenant.workspace, site.tenant.chatbot
        self.session = session
        self.idempotency_key = "the same at both"
        self.secret = f"secret-{servers.name()}"
        headless, chatbot = apis.Headless(site), apis.Chatbot(site)
        once = {"Idempotency-Key": self.idempotency_key}
        assert headless.json(script(self.secret, tokens=[self.secret]), {"sessionId": session}, once).status_code == 200
        first = chatbot.json(script(self.secret, tokens=[self.secret]), headers=once).json()["data"]
        self.conversation = first["conversationId"]
        self.message = first["messageId"]
        judged = site.request("POST", f"/api/v1/chatbots/{self.chatbot}/conversations/{self.conversation}/messages/{self.message}/feedback",
                              {"Authorization": f"Bearer {site.tenant.workspace_key}"}, key=False, json={"thumb": "up", "text": self.secret})
        assert judged.status_code == 200
        # A page's visitor, who has said something in a session of the same name.
        self.site_key = new_key("site", self.workspace)
        hashed = hashlib.sha256(self.site_key.encode()).digest()
        site.sql("select banter.key_create(%s, 'pages', 'site', %s, %s, 'xxxx', '', %s)", self.workspace, self.chatbot, hashed, [PAGE])
        said = ask(self, "/v1/chat", {"message": script(self.secret, tokens=[self.secret]), "sessionId": session},
                   {"x-api-key": self.site_key, "Origin": PAGE, **once})
        assert said[0] == 200
        self.token = said[1]["X-Visitor-Token"]
        self.visited = json.loads(said[2])["conversationId"]
        self.visitor = site.sql("select visitor from banter_data.visitor where workspace = %s", self.workspace)[0][0]
        self.gate = servers.name()
        self.running = headless.stream(script(self.secret, tokens=["x"], gates={"1": self.gate}), {"sessionId": session})
        assert next(self.running)["type"] == "start"
        self.headless_conversation, self.exchange, self.api_key = site.sql(
            "select conversation, exchange, api_key from banter_data.exchange where workspace = %s and state = 'running'",
            self.workspace)[0]
        self.done = site.sql("select exchange from banter_data.exchange where answer_id = %s", self.message)[0][0]

    def ids(self):
        return (self.chatbot, self.conversation, self.headless_conversation, self.message, self.exchange, self.done, self.api_key,
                self.session, self.idempotency_key, str(self.workspace), self.token, self.visited, self.visitor)

    def holds(self):
        """All of its rows, in every table."""
        return {table: self.site.postgres.rows(table, "t.workspace = %s", self.workspace) for table in TABLES}

    def end(self):
        self.site.model.open_gate(self.gate)
        assert self.running.rest()[-1]["type"] == "done"


@pytest.fixture(scope="module")
def sides(postgres, database, standin):
    """Both name their session and their Idempotency-Key alike. An exchange of each runs through all tests: the model may be silent."""
    site = Site.start(postgres, database.url(), standin, workers=8, model_idle_time="600s")
    session = servers.name()
    mine, theirs = (Side(site.for_new_tenant(), session) for _ in range(2))
    yield mine, theirs
    mine.end()
    theirs.end()
    site.close()


def ask(side, path, body, headers=None):
    """The reply, less what is never the same."""
    keys = {"Authorization": f"Bearer {side.site.tenant.workspace_key}", "x-api-key": side.site.tenant.widget_key}
    response = side.site.request("POST", path, {**keys, **(headers or {})}, key=False, json=body)
    kept = {name: value for name, value in response.headers.items()
            if name not in ("Date", "X-Request-Id", "X-RateLimit-Remaining", "Transfer-Encoding", "Connection")}
    return response.status_code, kept, response.content


def places(value):
    """Every path and member of a body that takes an id."""
    yield f"/api/v1/chatbots/{value}/chat", {"message": "hello"}
    yield None, {"message": "hello", "conversationId": value}
    yield f"/api/v1/chatbots/{value}/chat", {"message": "hello", "conversationId": value}


def test_B3_every_path_with_every_id_of_the_other(sides):
    """By the chatbot API: exactly the reply to an id that does not exist."""
    mine, theirs = sides
    before = theirs.holds()
    for value in theirs.ids():
        # (a session's or key's name may hold what no id can; the reply is then the same, too)
        for (path, body), (path_none, body_none) in zip(places(value.replace(" ", "_")), places(NONE)):
            own = f"/api/v1/chatbots/{mine.chatbot}/chat"
            reply = ask(mine, path or own, body)
            assert reply == ask(mine, path_none or own, body_none), (path, body)
            assert reply[0] == 404
            assert theirs.secret.encode() not in reply[2]
    assert theirs.holds() == before


def test_B3_every_pair_of_ids(sides):
    """The other's conversation beside one's own chatbot, one's own beside the other's, with a key of either kind."""
    mine, theirs = sides
    before = theirs.holds()
    chatbots = mine.chatbot, theirs.chatbot, NONE
    conversations = mine.conversation, theirs.conversation, theirs.headless_conversation, NONE, None
    for chatbot, conversation in itertools.product(chatbots, conversations):
        status, _, body = ask(mine, f"/api/v1/chatbots/{chatbot}/chat", {"message": "hello", "conversationId": conversation})
        good = chatbot == mine.chatbot and conversation in (mine.conversation, None)
        assert status == (200 if good else 404), (chatbot, conversation)
        code = "CONVERSATION_NOT_FOUND" if chatbot == mine.chatbot else "CHATBOT_NOT_FOUND"
        assert good or json.loads(body)["code"] == code
    assert theirs.holds() == before


def test_S8_sessions_of_one_name_are_two(sides):
    """The headless API: the other's session has another conversation, and the model is told nothing of it."""
    mine, theirs = sides
    before = theirs.holds()
    text = servers.name()
    status, _, body = ask(mine, "/v1/chat", {"message": text, "sessionId": theirs.session})
    assert (status, json.loads(body)["conversationId"]) == (200, mine.headless_conversation)
    assert theirs.secret not in json.dumps(mine.site.model.wait(text))
    for value in theirs.ids():
        text = servers.name()
        status, _, body = ask(mine, "/v1/chat", {"message": text, "sessionId": value.replace(" ", "_")})
        assert status == 200
        assert theirs.secret not in json.dumps(mine.site.model.wait(text)) and theirs.secret.encode() not in body
    assert theirs.holds() == before


def test_I1_idempotency_keys_of_one_name_are_two(sides):
    mine, theirs = sides
    before = theirs.holds()
    once = {"Idempotency-Key": theirs.idempotency_key}
    for path, body in (("/v1/chat", {"message": script(theirs.secret, tokens=[theirs.secret]), "sessionId": theirs.session}),
                       (f"/api/v1/chatbots/{mine.chatbot}/chat", {"message": script(theirs.secret, tokens=[theirs.secret]), "stream": False})):
        status, _, answer = ask(mine, path, body, once)
        assert status == 409, "it is the name of one's own, and this is another body"
        assert theirs.secret.encode() not in answer
    assert theirs.holds() == before


def visit(side, body, **headers):
    return ask(side, "/v1/chat", body, {"x-api-key": side.site_key, "Origin": PAGE, **headers})


def test_P2_a_visitor_is_nobody_elsewhere(sides):
    """The other's token, and whatever else of theirs stands in its place: as one that nobody has, and nothing changes."""
    mine, theirs = sides
    before = mine.holds(), theirs.holds()
    body = {"message": "hello", "sessionId": theirs.session}
    none = visit(mine, body, **{"X-Visitor-Token": "vt-site_" + NONE[:22]})
    assert none[0] == 401
    for value in (*theirs.ids(), theirs.site_key):
        assert visit(mine, body, **{"X-Visitor-Token": value}) == none
    assert (mine.holds(), theirs.holds()) == before


def test_P2_sessions_of_visitors_are_their_own(sides):
    """With one's own token and the other's names: one's own conversation, or a new one, and the model is told nothing of theirs."""
    mine, theirs = sides
    before = theirs.holds()
    for value in theirs.ids():
        text = servers.name()
        status, _, body = visit(mine, {"message": text, "sessionId": value.replace(" ", "_").replace("@", "_")},
                                **{"X-Visitor-Token": mine.token})
        assert status == 200 and (json.loads(body)["conversationId"] == mine.visited) == (value == mine.session)
        assert theirs.secret not in json.dumps(mine.site.model.wait(text)) and theirs.secret.encode() not in body
    assert theirs.holds() == before


def call(database, sql, *values):
    """One call as the application's own role, in a transaction that is taken back: its rows, and what it left of the other's."""
    with contextlib.closing(psycopg2.connect(database.url("banter_app"))) as connection:
        return call_on(connection, sql, *values)


def call_on(connection, sql, *values):
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()
    finally:
        connection.rollback()


BEGIN = "select * from banter.exchange_begin(%s, %s, %s, %s, %s, %s, %s, %s, %s, 'hello', null, false, %s, %s, 300, 20, 10000, 'r', 0, 0)"


def begin(database, workspace, key, kind, **ids):
    values = {"chatbot": None, "exchange": "x" * 20, "answer": "a" * 20, "conversation": None, "new": "c" * 20, "session": None,
              "idempotency_key": None, **ids}
    body = hashlib.sha256(b"body").digest()
    return call(database, BEGIN, workspace, hashlib.sha256(key.encode()).digest(), kind, values["chatbot"], values["exchange"],
                values["answer"], values["conversation"], values["new"], values["session"], values["idempotency_key"], body)


def test_every_function_with_every_id_of_the_other(sides, database):
    """As the application's role, one's own workspace with each of the other's ids in each place, and the reverse."""
    mine, theirs = sides
    before = mine.holds(), theirs.holds()
    keys = mine.site.tenant.workspace_key, mine.site.tenant.widget_key
    for value in theirs.ids():
        for function, rest, gone in (("exchange_end(%s, %s, 'done', 'stolen', 'stop', 1, 1, null, 1, 1, 'b', 1, null, 30000)", (), "gone"),
                                     ("exchange_end(%s, %s, 'failed', null, null, null, null, 'x', null, 1, null, 1, 'b', 30000)", (), "gone"),
                                     ("lease_renew(%s, %s, 1, 30000)", (), False)):
            assert call(database, f"select banter.{function}", mine.workspace, value, *rest) == [(gone,)], (function, value)
        # A chatbot, a conversation, both; and as the id of an exchange or an answer of one's own, where it names nothing.
        for place in ({"chatbot": value}, {"chatbot": mine.chatbot, "conversation": value}, {"chatbot": value, "conversation": value}):
            none = {name: NONE if given == value else given for name, given in place.items()}
            assert begin(database, mine.workspace, keys[0], "workspace", **place) == begin(
                database, mine.workspace, keys[0], "workspace", **none)
        for place in ({"exchange": value}, {"answer": value}, {"new": value}, {"session": value}, {"idempotency_key": value}):
            own = {"chatbot": mine.chatbot, **place} if "session" not in place else {"session": value}
            rows = begin(database, mine.workspace, keys["session" in own], "widget" if "session" in own else "workspace", **own)
            assert rows[0][0] in ("started", "key_reused", "replay"), rows[0]
            assert theirs.secret not in str(rows)
    assert (mine.holds(), theirs.holds()) == before


def test_every_function_with_the_others_workspace(sides, database):
    """One's own key opens no other workspace, whatever else is given: the answer is that to a workspace that does not exist."""
    mine, theirs = sides
    before = mine.holds(), theirs.holds()
    for key, kind in ((mine.site.tenant.workspace_key, "workspace"), (mine.site.tenant.widget_key, "widget")):
        for chatbot, conversation in itertools.product((None, mine.chatbot, theirs.chatbot), (None, mine.conversation, theirs.conversation)):
            ids = {"chatbot": chatbot, "conversation": conversation, "session": theirs.session, "idempotency_key": theirs.idempotency_key}
            rows = begin(database, theirs.workspace, key, kind, **ids)
            assert rows == begin(database, 12345, key, kind, **ids)
            assert [row[0] for row in rows] == ["unauthorized"]
    for value in (mine.exchange, mine.done, NONE):
        assert call(database, "select banter.lease_renew(%s, %s, 1, 30000)", theirs.workspace, value) == [(False,)]
        assert call(database, "select banter.exchange_end(%s, %s, 'done', 'x', 'stop', 1, 1, null, 1, 1, 'b', 1, null, 30000)", theirs.workspace, value) == [("gone",)]
    assert (mine.holds(), theirs.holds()) == before


VISIT = """select * from banter.visit_begin(%s, %s, %s, %s, false, null, null, null, 'v', %s, 'a', 'c', %s, 'hello', false, %s, %s,
    300, 20, 10000, 'r', 0, 0, 0, 0, 30000)"""


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def visited(database, workspace, key, token, exchange="x" * 20, session="s", idempotency_key=None):
    return call(database, VISIT, workspace, sha256(key), PAGE, sha256(token), exchange, session, idempotency_key, sha256("body"))


def test_visits_with_every_id_of_the_other(sides, database):
    mine, theirs = sides
    before = mine.holds(), theirs.holds()
    nobody = [("visitor_unknown",) + (None,) * 18]
    for value in (*theirs.ids(), theirs.site_key):
        assert visited(database, mine.workspace, mine.site_key, value) == nobody
        for place in ({"exchange": value}, {"session": value}, {"idempotency_key": value}):
            rows = visited(database, mine.workspace, mine.site_key, mine.token, **place)
            assert rows[0][0] in ("started", "key_reused", "replay"), rows[0]
            assert theirs.secret not in str(rows)
        for key in (mine.site_key, mine.site.tenant.widget_key, mine.site.tenant.workspace_key):
            assert visited(database, theirs.workspace, key, value) == [("unauthorized",) + (None,) * 18]
        # By the function of back ends: one's own site key, and a visitor's id in its place.
        rows = begin(database, mine.workspace, mine.site_key, "site", chatbot=mine.chatbot, conversation=value, session=theirs.visitor)
        assert [row[0] for row in rows] == ["conversation_not_found"]
    assert (mine.holds(), theirs.holds()) == before


READER = "%s, %s, %s, %s, %s, null, %s, null, null, null"
ON_PAGE = READER.replace("null", f"'{PAGE}'", 1)
UNSEEN = "unauthorized", "visitor_unknown", "chatbot_not_found", "conversation_not_found"


def test_nothing_of_the_other_is_read(sides, database):
    """By each key of one's own, in one's own workspace and in the other's, with each of the other's ids in each place."""
    mine, theirs = sides
    before = mine.holds(), theirs.holds()
    keys = ((mine.site_key, "site"), (mine.site.tenant.widget_key, "widget"), (mine.site.tenant.workspace_key, "workspace"))
    hidden = {theirs.visited, theirs.conversation, theirs.headless_conversation}
    with contextlib.closing(psycopg2.connect(database.url("banter_app"))) as app:
        for value, (key, kind), workspace, token, chatbot in itertools.product(
                (*theirs.ids(), theirs.site_key), keys, (mine.workspace, theirs.workspace), (mine.token, theirs.token, None),
                (mine.chatbot, None)):
            who = workspace, sha256(key), kind, chatbot or value, value, sha256(token or value)
            told = call_on(app, f"select * from banter.messages_read({READER}, %s, null, 20)", *who, value)
            assert told[0][0] in UNSEEN and told[0][1] is None
            told = call_on(app, f"select * from banter.talks_list({READER}, null, 20)", *who)
            assert not told[0][1] or not hidden & {one["id"] for one in json.loads(told[0][1])["conversations"]}
            told = call_on(app, f"select * from banter.talk_delete({READER}, %s, 30000)", *who, value)
            assert told[0][0] in (*UNSEEN, "forbidden")
            for conversation, message in ((value, value), (mine.visited, value), (mine.conversation, value)):
                told = call_on(app, f"select * from banter.talk_feedback({READER}, %s, %s, 'up', null, true, 30000)", *who, conversation, message)
                assert told[0][0] in (*UNSEEN, "forbidden")
    assert (mine.holds(), theirs.holds()) == before


def test_R1_nothing_of_the_other_is_read(sides):
    """The same answer as for what does not exist."""
    mine, theirs = sides
    before = mine.holds(), theirs.holds()
    who = ({"x-api-key": mine.site_key, "X-Visitor-Token": mine.token}, {"x-api-key": mine.site.tenant.widget_key, "X-Session-Id": mine.session})
    for value, headers in itertools.product(theirs.ids(), who):
        told = [mine.site.request("GET", f"/v1/chat/conversations/{one}/messages", headers, key=False)
                for one in (value.replace(" ", "_"), NONE)]
        assert [(reply.status_code, reply.content) for reply in told] == [(404, told[1].content)] * 2, value
    assert (mine.holds(), theirs.holds()) == before


def test_R1_nothing_of_the_other_is_read_by_the_chatbot_api(sides):
    """Nor erased: the other's ids in each place, beside one's own and the other's."""
    mine, theirs = sides
    before = theirs.holds()
    for value in theirs.ids():
        value = value.replace(" ", "_")
        for path, none in ((f"{value}/conversations", f"{NONE}/conversations"),
                           (f"{value}/conversations/{value}/messages", f"{NONE}/conversations/{NONE}/messages"),
                           (f"{mine.chatbot}/conversations/{value}/messages", f"{mine.chatbot}/conversations/{NONE}/messages")):
            methods = ("GET", "DELETE") if path.endswith("/messages") else ("GET",)
            for method in methods:
                path, none = (one.removesuffix("/messages") if method == "DELETE" else one for one in (path, none))
                told = [mine.site.request(method, f"/api/v1/chatbots/{one}", {"Authorization": f"Bearer {mine.site.tenant.workspace_key}"}, key=False)
                        for one in (path, none)]
                assert [(reply.status_code, reply.content) for reply in told] == [(404, told[1].content)] * 2, path
    assert theirs.holds() == before


def test_nothing_of_the_other_is_stopped(sides, database):
    """By no key, and not as an answer in a conversation of one's own; and no host that runs one hears of the other's."""
    mine, theirs = sides
    before = mine.holds(), theirs.holds()
    keys = ((mine.site_key, "site"), (mine.site.tenant.widget_key, "widget"), (mine.site.tenant.workspace_key, "workspace"))
    nothing = {"messages": []}
    with contextlib.closing(psycopg2.connect(database.url("banter_app"))) as app:
        for value, (key, kind), workspace, token, chatbot in itertools.product(
                (*theirs.ids(), theirs.site_key), keys, (mine.workspace, theirs.workspace), (mine.token, theirs.token, None),
                (mine.chatbot, None)):
            who = workspace, sha256(key), kind, chatbot or value, value, sha256(token or value)
            told = call_on(app, f"select * from banter.talk_stop({ON_PAGE}, %s, null, true, 30000)", *who, value)
            assert told[0][0] in UNSEEN and told[0][1] is None and told[0][-1] is None
        for value in theirs.ids():
            who = mine.workspace, sha256(mine.site.tenant.workspace_key), "workspace", mine.chatbot, None, None
            told = call_on(app, f"select * from banter.talk_stop({READER}, %s, %s, true, 30000)", *who, mine.conversation, value)
            assert (told[0][0], json.loads(told[0][1]), told[0][-2:]) == ("found", nothing, (False, []))
            told = call_on(app, "select * from banter.talk_stopped(%s, %s, 30000)", mine.workspace, [value])
            assert json.loads(told[0][1]) == nothing
        assert (mine.holds(), theirs.holds()) == before
        # Where all of the other's are to end, their ids in one's own workspace are still none (and a host names pairs, no more).
        with contextlib.closing(psycopg2.connect(database.url("owner"))) as owner, owner.cursor() as cursor:
            cursor.execute("update banter_data.exchange set stopped_at = now(), ended_at = null where workspace = %s returning exchange",
                           (theirs.workspace,))
            exchanges = [exchange for (exchange,) in cursor.fetchall()]
            for pairs in ([mine.workspace], exchanges), ([mine.workspace] * len(exchanges), exchanges):
                cursor.execute("select * from banter.stops(%s, %s)", pairs)
                assert cursor.fetchall() == []
            cursor.execute("select exchange from banter.stops(%s, %s)", ([theirs.workspace, mine.workspace], [theirs.exchange, mine.exchange]))
            assert cursor.fetchall() == [(theirs.exchange,)]
            owner.rollback()
    assert (mine.holds(), theirs.holds()) == before


def test_R5_nothing_of_the_other_is_stopped(sides):
    """The same answer as for what does not exist."""
    mine, theirs = sides
    before = theirs.holds()
    who = (("/v1/chat", {"x-api-key": mine.site_key, "X-Visitor-Token": mine.token, "Origin": PAGE}),
           ("/v1/chat", {"x-api-key": mine.site.tenant.widget_key, "X-Session-Id": mine.session}),
           (f"/api/v1/chatbots/{mine.chatbot}", {"Authorization": f"Bearer {mine.site.tenant.workspace_key}"}),
           (f"/api/v1/chatbots/{theirs.chatbot}", {"Authorization": f"Bearer {mine.site.tenant.workspace_key}"}))
    for value, (path, headers) in itertools.product(theirs.ids(), who):
        told = [mine.site.request("POST", f"{path}/conversations/{one}/stop", headers, key=False) for one in (value.replace(" ", "_"), NONE)]
        assert [(reply.status_code, reply.content) for reply in told] == [(404, told[1].content)] * 2, value
    assert theirs.holds() == before


def test_nothing_of_the_other_is_heard(sides, database):
    """By no key, as no answer, and by no name; nor what leaving means there."""
    mine, theirs = sides
    before = theirs.holds()
    keys = ((mine.site_key, "site"), (mine.site.tenant.widget_key, "widget"), (mine.site.tenant.workspace_key, "workspace"))
    with contextlib.closing(psycopg2.connect(database.url("banter_app"))) as app:
        for value, (key, kind), workspace, token, chatbot in itertools.product(
                (*theirs.ids(), theirs.site_key), keys, (mine.workspace, theirs.workspace), (mine.token, theirs.token, None),
                (mine.chatbot, None)):
            who = workspace, sha256(key), kind, chatbot or value, value, sha256(token or value)
            for place in ("%s, null, null, true", "null, %s, null, true"):
                told = call_on(app, f"select * from banter.talk_stream({ON_PAGE}, {place})", *who, value)
                assert told[0][0] in (*UNSEEN, "found") and theirs.secret not in str(told)
                assert told[0][6] is None or told[0][7] != theirs.conversation and told[0][6] not in theirs.ids()
        for value in theirs.ids():
            who = mine.workspace, sha256(mine.site.tenant.workspace_key), "workspace", mine.chatbot, None, None
            told = call_on(app, f"select * from banter.talk_stream({READER}, %s, null, %s, true)", *who, mine.conversation, value)
            assert told[0][0] == "conversation_not_found" and told[0][6:] == (None,) * 8
            for conversation, message in ((value, None), (value, value), (mine.conversation, value)):
                assert call_on(app, "select * from banter.talk_answer(%s, %s, %s)", mine.workspace, conversation, message) == []
            assert call_on(app, "select banter.exchange_leave(%s, %s)", mine.workspace, value) == [(None,)]
    assert theirs.holds() == before


def test_A3_nothing_of_the_other_is_heard(sides):
    """The same answer as for what does not exist."""
    mine, theirs = sides
    who = (("/v1/chat", {"x-api-key": mine.site_key, "X-Visitor-Token": mine.token}),
           ("/v1/chat", {"x-api-key": mine.site.tenant.widget_key, "X-Session-Id": mine.session}),
           (f"/api/v1/chatbots/{mine.chatbot}", {"Authorization": f"Bearer {mine.site.tenant.workspace_key}"}),
           (f"/api/v1/chatbots/{theirs.chatbot}", {"Authorization": f"Bearer {mine.site.tenant.workspace_key}"}))
    for value, (path, headers) in itertools.product(theirs.ids(), who):
        told = [mine.site.request("GET", f"{path}/conversations/{one}/stream", headers, key=False) for one in (value.replace(" ", "_"), NONE)]
        assert [(reply.status_code, reply.content) for reply in told] == [(404, told[1].content)] * 2, value


COMPLETION = """select * from banter.completion_begin(%s, %s, %s, %s, null, %s, 'a', 'c', 'hello', false, %s, %s, 300, 20, 10000, 'r', 0, 0,
    30000)"""


def test_O2_O4_nothing_of_the_other_is_met(sides, database):
    """By OpenAI's protocol: neither its chatbots as models, nor its conversations by their names."""
    mine, theirs = sides
    key, before = sha256(mine.site.tenant.workspace_key), theirs.holds()
    for value in theirs.ids():
        for place in ({"model": value}, {"named": value}, {"exchange": value}, {"idempotency_key": value}):
            asked = {"model": mine.chatbot, "named": None, "exchange": "y" * 20, "idempotency_key": None, **place}
            rows = call(database, COMPLETION, mine.workspace, key, asked["model"], asked["named"], asked["exchange"],
                        asked["idempotency_key"], sha256("body"))
            assert rows[0][0] in ("started", "chatbot_not_found", "key_reused", "replay", "in_progress"), rows[0]
            assert theirs.secret not in str(rows)
        for wrong in (mine.site.tenant.widget_key, mine.site_key):
            assert [row[0] for row in call(database, COMPLETION, mine.workspace, sha256(wrong), mine.chatbot, value, "z" * 20, None, None)] == \
                ["unauthorized"]
    assert call(database, COMPLETION, theirs.workspace, key, theirs.chatbot, None, "z" * 20, None, None)[0][0] == "unauthorized"
    listed = call(database, "select * from banter.models_list(%s, %s)", mine.workspace, key)
    assert mine.chatbot in listed[0][1] and theirs.chatbot not in listed[0][1]
    assert call(database, "select * from banter.models_list(%s, %s)", theirs.workspace, key) == [("unauthorized", None)]
    assert theirs.holds() == before


def test_the_application_can_execute_no_more_than_was_tried(sides, database):
    """These are all of its functions: one that is added must be added to the tests above."""
    names = call(database, """select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname like 'banter%%' and has_function_privilege(p.oid, 'execute') order by 1""")
    assert [name for (name,) in names] == ["completion_begin", "exchange_begin", "exchange_end", "exchange_leave", "health", "lease_renew", "messages_read", "models_list",
                                            "schema_version",
                                            "stops", "talk_answer", "talk_delete", "talk_feedback", "talk_stop", "talk_stopped", "talk_stream", "talks_list",
                                            "visit_begin"]
