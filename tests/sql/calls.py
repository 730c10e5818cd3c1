"""The calls that test_interleaved has meet: every function of the interface, in each of the ways that matter.

They are of the world in include/interleaved.sql. {me} is who calls, a or b; what both name alike, both want. Each says what
it locks, and with that who waits for whom: as PostgreSQL's rows have it, ~ for what others may share (a foreign key, a shared
advisory lock), ! for what goes or is nobody else's, none for a change of a row. With ? it is only taken where nobody has it.
"""

from interleave import Call


def rows(function):
    return f"select coalesce(json_agg(to_json(t)), '[]')::text from banter.{function} t"


def call(name, function, locks="", before=""):
    return Call(name, rows(function), locks, before)


def look(name, *functions):
    """Functions that look at what one statement sees: all in one. Where one raises an error, that is the answer."""
    return Call(name, "select json_build_array(" + ", ".join(f"({rows(function)})" for function in functions) + ")::text")


def begin(name, locks="", *, key="wk", chatbot="null", session="null", goes_on="null", idem="null", exchange="'new-{me}'",
          messages=20, before="", function="exchange_begin"):
    """A widget key's chatbot is its own. The first workspace's all lock what they may have to give up, and to pay."""
    workspace, kind = (2 if key == "wk2" else 1), ("workspace" if key == "sk" else "widget")
    request = f"!request-{exchange if idem == 'null' else key + idem}".replace(" ", "-")
    common = "" if key == "wk2" else "~begins !places !dead-1? !dead-2? money" + (" wk?" if key == "wk" else "")
    return call(
        name,
        f"{function}(p_workspace => {workspace}, p_key_hash => sha256('{key}'), p_kind => '{kind}', p_chatbot => {chatbot},"
        f" p_exchange => {exchange}, p_answer_id => {exchange} || '-a', p_conversation => {goes_on},"
        f" p_new_conversation => {exchange} || '-c', p_session => {session}, p_message => 'asked', p_metadata => null,"
        f" p_stream => false, p_idempotency_key => {idem}, p_body_hash => sha256('body'), p_lease_seconds => 300,"
        f" p_max_messages => {messages}, p_max_chars => 10000, p_request_id => 'r', p_lock_ms => 100000)",
        f"{request} {common} {locks}", before)


def completes(name, locks="", *, named="null"):
    """By OpenAI's protocol, with the first workspace's key."""
    return call(
        name,
        f"completion_begin(p_workspace => 1, p_key_hash => sha256('sk'), p_model => 'other', p_named => {named}, p_system => null,"
        " p_exchange => 'new-{me}', p_answer_id => 'new-{me}-a', p_new_conversation => 'new-{me}-c', p_message => 'asked',"
        " p_stream => false, p_idempotency_key => null, p_body_hash => sha256('body'), p_lease_seconds => 300,"
        " p_max_messages => 20, p_max_chars => 10000, p_request_id => 'r', p_max_open => 0, p_max_open_per_key => 0,"
        " p_lock_ms => 100000)",
        f"!request-'new-{{me}}' ~begins !places !dead-1? !dead-2? money {locks}")


def end(name, exchange, locks="", *, state="done", answer="'said'", history="", function="exchange_end"):
    return call(
        name,
        f"{function}(p_workspace => 1, p_exchange => '{exchange}', p_state => '{state}', p_answer => {answer},"
        " p_finish_reason => 'stop', p_tokens_in => 1, p_tokens_out => 1, p_error => null, p_first_ms => 1, p_total_ms => 1,"
        f" p_server => 'default', p_requests => 1, p_tries => null, p_lock_ms => 100000{history})",
        f"{exchange} {locks}")


def renew(name, exchange):
    return call(name, f"lease_renew(p_workspace => 1, p_exchange => '{exchange}', p_lease_seconds => 300, p_lock_ms => 100000)",
                exchange)


def erase(name, locks, *, conversations="null", chatbot="null", session="null", age="null", retention="false"):
    return call(
        name, f"conversation_erase(p_conversations => {conversations}, p_chatbot => {chatbot}, p_session => {session},"
        f" p_metadata => null, p_age => {age}, p_retention => {retention}, p_after_workspace => null,"
        " p_after_conversation => null, p_limit => 10)", locks)


def changes(**settings):
    """As JSON, and written so that format() leaves it so."""
    return "json_build_object(" + ", ".join(f"'{name}', '{value}'" for name, value in settings.items()) + ")"


def credits(held):
    """As if so many had been granted; the ledger says so too."""
    return (f"insert into banter_data.ledger (workspace, delta, balance_after, kind, at)"
            f" select 1, m.more, coalesce({held}, 0), 'grant', '2020-01-01'"
            f" from (select coalesce({held}, 0) - coalesce(w.credits, 0) from banter_data.workspace w where w.workspace = 1)"
            f" m (more) where m.more <> 0; update banter_data.workspace set credits = {held} where workspace = 1")


def record(conversation, session):
    return (
        "json_build_object('version', 1, 'workspace', 1, 'conversation', '{0}', 'chatbot', 'bot', 'session', {1},"
        " 'next_position', 2, 'created_at', '2020-01-01', 'last_at', '2020-01-01', 'exchanges', json_build_array("
        "json_build_object('exchange', 'in-{0}', 'api_key', 'wk', 'position', 1, 'attempt', 0, 'state', 'done', 'price', 1,"
        " 'stream', false, 'answer_id', 'x', 'question', 'asked', 'answer', 'said', 'started_at', '2020-01-01', 'ended_at',"
        " '2020-01-01')))::text").format(conversation, session)


ALL_LIVE = "update banter_data.exchange set lease_until = now() + interval '10 hours' where ended_at is null"
SHUT = "update banter_data.workspace set active = false where workspace = 1"
NONE_RUNS = "delete from banter_data.exchange where workspace = 1 and ended_at is null"
RUNNING = "!runs-1 !runs-2 !runs-3 !dead-1 !dead-2 money"
SAID = ("!c-bot !c-other !c-brief !c-shut !done-1 !done-2 !done-3 !done-4 !done-5 !left-1 !left-2 !left-3 !failed-1"
        " !idem-wkleft !idem-old")
THING = "!bot !other !limited !brief !shut !wk !pk !window-limited !window-brief !v-idle"

# Who asks from a page, by token or signed in, and who reads back what with which key.
EXPIRES = "extract(epoch from date_trunc('hour', now()) + interval '5 hours')::bigint"
TOKEN, NEW_TOKEN, USER, NEW_USER = "sha256('token')", "sha256('new token')", "'known'", "'new'"


def who(token="null", user="null"):
    signed = f"convert_to('pk' || E'\\n' || {EXPIRES} || E'\\n' || {user}, 'UTF8')"
    return (f"p_workspace => 1, p_key_hash => sha256('pk'), p_origin => 'https://shop.example', p_token => {token},"
            f" p_user => {user}, p_expires => {EXPIRES}, p_signature => sha256('outer' || sha256('inner' || {signed}))")


def visit(name, locks="", *, thread="'t'", idem="null", exchange="'new-{me}'", caps="0", minted="false", before="", **identity):
    return call(
        name,
        f"visit_begin({who(**identity)}, p_minted => {minted}, p_new_visitor => 'v-{{me}}', p_exchange => {exchange},"
        f" p_answer_id => {exchange} || '-a', p_new_conversation => {exchange} || '-c', p_session => {thread},"
        f" p_message => 'asked', p_stream => false, p_idempotency_key => {idem}, p_body_hash => sha256('body'),"
        " p_lease_seconds => 300, p_max_messages => 20, p_max_chars => 10000, p_request_id => 'r', p_max_open => null,"
        f" p_max_open_per_key => null, p_max_exchanges => {caps}, p_max_credits => {caps}, p_lock_ms => 100000)",
        f"~begins !today !dead-1? !dead-2? money ~bot {locks}", before)


def talk(function, conversation="'c-visit'", locks="", *, name="", more="", **identity):
    """What talk_holder judges; by whom is the name's."""
    if "key" in identity:
        key = identity.pop("key")
        kind, chatbot, session = ("workspace", "'limited'", "null") if key == "sk" else ("widget", "null", "'s'")
        holder = (f"p_workspace => 1, p_key_hash => sha256('{key}'), p_origin => null, p_token => null, p_user => null,"
                  f" p_expires => null, p_signature => null, p_kind => '{kind}', p_chatbot => {chatbot}, p_session => {session}")
    else:
        holder = who(**identity) + ", p_kind => 'site', p_chatbot => null, p_session => null"
    named = "" if conversation is None else f", p_conversation => {conversation}"
    return call(name or function, f"{function}({holder}{named}{more})", locks)


LOCKS = ", p_lock_ms => 100000"
READS = ", p_before => null, p_limit => 10"


def think(thumb="'up'", text="null"):
    return f", p_message => 'done-v-a', p_thumb => {thumb}, p_text => {text}, p_good => true{LOCKS}"


STOPS = f", p_message => null, p_good => true{LOCKS}"
STOPS_ONE = f", p_message => 'runs-1-a', p_good => true{LOCKS}"
HEARS = ", p_named => null, p_message => null, p_good => true"
VISITED = "!c-visit !runs-v !done-v !think"

CALLS = [
    # The application's.
    begin("begin, of a session", "c-bot", session="'s'"),
    begin("begin, the session's first", "!c-n ~bot", session="'n'"),
    begin("begin, in a conversation", "c-other", key="sk", chatbot="'other'", goes_on="'c-other'"),
    begin("begin, with a new one", "~other", key="sk", chatbot="'other'"),
    begin("begin, one request sent twice", "c-bot", session="'s'", exchange="'same'"),
    begin("begin, sent again", session="'s'", exchange="'runs-1'"),
    begin("begin, idem: new", "~other", key="sk", chatbot="'other'", idem="'new'"),
    begin("begin, idem: left", "c-bot", session="'s'", idem="'left'"),
    begin("begin, idem: runs", session="'s'", idem="'running'"),
    begin("begin, idem: dead", "!dead-1 c-bot", session="'s'", idem="'dead'"),
    begin("begin, idem: dead in place", "!dead-2 c-other", key="sk", chatbot="'other'", idem="'dead in place'"),
    begin("begin, idem: done", key="sk", chatbot="'other'", idem="'done'"),
    begin("begin, idem: failed", "c-other", key="sk", chatbot="'other'", idem="'failed'"),
    begin("begin, idem: old", "~brief idem-old window-brief", key="sk", chatbot="'brief'", idem="'old'"),
    begin("begin, the last credit", "c-bot", session="'s'", before=credits("1")),
    begin("begin, no credit", "!c-n ~bot", session="'n'", before=credits("0") + "; " + ALL_LIVE),
    begin("begin, a credit of the dead", "c-bot", session="'s'", before=credits("0")),
    begin("begin, unlimited", "c-bot", session="'s'", before=credits("null::bigint")),
    begin("begin, at the limit", "window-limited ~limited", key="sk", chatbot="'limited'"),
    begin("begin, beyond the limit", "window-limited", key="sk", chatbot="'limited'",
          before="update banter_data.rate_window set count = 5"),
    begin("begin, the window is over", "window-brief ~brief", key="sk", chatbot="'brief'"),
    begin("begin, the last place", "~other", key="sk", chatbot="'other'",
          before="update banter_data.workspace set max_open = 6"),
    begin("begin, the key's last place", "~other", key="sk", chatbot="'other'",
          before="update banter_data.workspace set max_open_per_key = 4"),
    begin("begin, the history moves", "c-bot", session="'s'", messages=4),
    begin("begin, elsewhere", "c-second", key="wk2", session="'s'"),
    completes("completes, a conversation of its own", "~other"),
    completes("completes, the first of its name", "!c-named ~other", named="'named'"),
    visit("visit, by token", "c-visit", token=TOKEN),
    visit("visit, a new thread", "!c-thread", thread="'n'", token=TOKEN),
    visit("visit, one request sent twice", "c-visit", exchange="'same'", token=TOKEN),
    visit("visit, a new token", "!v-new", token=NEW_TOKEN, minted="true"),
    visit("visit, signed in", "c-user", user=USER),
    visit("visit, signs in for the first time", "!v-newuser", user=NEW_USER),
    visit("visit, signs in with a token", "c-visit c-visit-2 c-user", user=USER, token=TOKEN),
    visit("visit, signs in for the first time with a token", "!v-newuser c-visit c-visit-2", user=NEW_USER, token=TOKEN),
    visit("visit, the day's last", "c-visit", token=TOKEN, caps="3"),
    visit("visit, no credit", "!c-thread", thread="'n'", token=TOKEN, before=credits("0") + "; " + ALL_LIVE),
    visit("visit, idem", "c-visit !request-visit", idem="'i'", token=TOKEN),
    end("end, done", "runs-1"),
    end("end, left", "runs-1", state="left"),
    end("end, failed", "runs-1", "money", state="failed", answer="null"),
    end("end, with less history", "runs-1", "c-bot?", history=", p_history_from => 2"),
    end("end, in place", "runs-2", "left-2"),
    end("end, in place, failed", "runs-2", state="failed", answer="null"),
    end("end, of a dead one", "dead-1"),
    end("end, of a dead one in place", "dead-2", "left-3"),
    end("end, ended before", "done-1"),
    end("end, of what is deleted", "runs-3"),
    renew("renew", "runs-1"),
    renew("renew, of a dead one", "dead-1"),
    talk("talks_list", None, token=TOKEN, more=READS),
    talk("messages_read", token=TOKEN, more=READS),
    talk("messages_read", "'c-limited'", "window-limited ~limited", name="messages_read, counted", key="sk", more=READS),
    talk("messages_read", "null", name="messages_read, by its name", key="wk", more=READS),
    talk("talk_delete", locks=f"{VISITED} money", token=TOKEN, more=LOCKS),
    talk("talk_delete", locks=f"{VISITED} money", name="talk_delete, signed in", user=USER, token=TOKEN, more=LOCKS),
    talk("talk_delete", "'c-limited'", "!c-limited !runs-l window-limited ~limited money", name="talk_delete, counted",
         key="sk", more=LOCKS),
    talk("talk_feedback", locks="~done-v think", token=TOKEN, more=think()),
    talk("talk_feedback", locks="~done-v think", name="talk_feedback, another", token=TOKEN, more=think("'down'", "'no'")),
    talk("talk_feedback", locks="~done-v !think", name="talk_feedback, none", token=TOKEN, more=think("null")),
    talk("talk_stop", locks="!dead-1? !dead-2? runs-v? money", token=TOKEN, more=STOPS),
    talk("talk_stop", "'c-bot'", "!dead-1? !dead-2? runs-1? money", name="talk_stop, of a session", key="wk", more=STOPS_ONE),
    call("talk_stopped", f"talk_stopped(1, array['runs-1', 'runs-2']{LOCKS})", "!dead-1? !dead-2? runs-1? runs-2? money"),
    talk("talk_stream", token=TOKEN, more=HEARS),
    talk("talk_stream", "'c-limited'", name="talk_stream, in no window", key="sk", more=HEARS),
    look("who listens looks", "talk_answer(1, 'c-bot', 'runs-1-a')", "exchange_leave(1, 'runs-1')"),
    call("stops", "stops(array[1, 1], array['runs-1', 'runs-v'])"),
    call("health", "health()"),
    call("schema_version", "schema_version()"),

    # The operator's that write.
    call("workspace_create", "workspace_create(3, 'third', 5)", "!third"),
    call("workspace_new", "workspace_new(3, 'third', " + changes(credits=7) + ")", "!third"),
    call("workspace_set, credits", "workspace_set('1', " + changes(credits=9) + ")", "money"),
    call("workspace_set, unlimited", "workspace_set('1', " + changes(credits="unlimited") + ")", "money"),
    call("workspace_set, active", "workspace_set('1', " + changes(active="no") + ")", "money"),
    call("workspace_set, max_open", "workspace_set('1', " + changes(max_open=4) + ")", "money"),
    call("chatbot_create", "chatbot_create(1, 'next', 'Next', '')", "!next ~money"),
    call("chatbot_new", "chatbot_new('1', 'next', 'Next', " + changes(price=2) + ")", "!next ~money"),
    call("chatbot_set, price", "chatbot_set('1/bot', " + changes(price=2) + ")", "bot"),
    call("chatbot_set, active", "chatbot_set('1/bot', " + changes(active="no") + ")", "bot"),
    call("chatbot_set, rate_limit", "chatbot_set('1/limited', " + changes(rate_limit=4) + ")", "limited"),
    call("key_create", "key_create(1, 'nk', 'widget', 'other', sha256('nk'), '', '')", "!nk ~other ~money"),
    call("key_create, of what is deleted", "key_create(1, 'nk', 'widget', 'shut', sha256('nk'), '', '')", "!nk ~shut ~money"),
    call("key_create, of pages", "key_create(1, 'nk', 'site', 'other', sha256('nk'), '', '', array['https://x.example'])",
         "!nk ~other ~money"),
    call("key_set, label", "key_set('wk', " + changes(label="{me}") + ")", "wk"),
    call("key_set, active", "key_set('wk', " + changes(active="no") + ")", "wk"),
    call("key_set, origins", "key_set('pk', " + changes(origins="https://x.example") + ")", "pk"),
    call("key_identity", "key_identity('pk', 'in', 'out')", "pk"),
    call("key_revoke", "key_revoke('wk')", "wk"),
    call("key_revoke, of pages", "key_revoke('pk')", "pk"),
    call("credit_add", "credit_add('1', 3)", "money"),
    call("credit_add, all away", "credit_add('1', -5)", "money"),
    call("conversation_import", f"conversation_import({record('c-in', 'null')}, null)", "!c-in ~bot"),
    call("conversation_import, of a session", "conversation_import(" + record("c-{me}", "'n'") + ", null)", "!c-n ~bot"),
    erase("erase, a conversation", "!c-bot !runs-1 !dead-1 !done-1 !done-2 !left-1 money", conversations="'c-bot'"),
    erase("erase, a session", "!c-n", chatbot="'1/bot'", session="'n'"),
    call("sessions_erase", "sessions_erase(1, 'n')", "!c-n"),
    call("tenant_remove", "tenant_remove(9, 'nobody', 'nobody')", ""),
    erase("erase, by age", f"{SAID} {RUNNING} !c-second", age="'2h'"),
    erase("erase, what is kept no longer", "!c-brief !done-4 !idem-old", retention="true"),
    call("removal_begin", "removal_begin(1, null)", "!begins money"),
    call("removal_begin, of a chatbot", "removal_begin(1, 'bot')", "!begins bot"),
    # Nothing but what was said, where nothing runs any more.
    call("removal_step, what runs", "removal_step(1, 'shut', false, null, 100)", "!runs-3 money !c-shut !done-5"),
    call("removal_step, what was said", "removal_step(1, 'shut', false, '', 100)", "!c-shut !done-5",
         "delete from banter_data.exchange where exchange = 'runs-3'"),
    call("removal_step, the chatbot", "removal_step(1, 'shut', false, '~', 100)", "!shut !c-shut !done-5 !samples",
         "delete from banter_data.exchange where exchange = 'runs-3'"),
    call("removal_step, all that runs", "removal_step(1, null, true, null, 100)", RUNNING, SHUT),
    call("removal_step, the ledger", "removal_step(1, null, true, '~', 4)", "!ledger money month", f"{NONE_RUNS}; {SHUT}"),
    call("removal_step, the workspace", "removal_step(1, null, true, '~', 100)", f"!money {SAID} {THING} !ledger !samples",
         f"{NONE_RUNS}; {SHUT}; delete from banter_data.ledger where workspace = 1"),
    call("sweep_leases", "sweep_leases(null)", "!dead-1? !dead-2? money"),
    call("sweep_visitors", "sweep_visitors(null, 100)", "!begins !v-idle"),
    # How many they find depends on who has them in use.
    Call("sweep_keys", "select banter.sweep_keys(100) >= 0", "!idem-old?"),
    Call("sweep_windows", "select banter.sweep_windows(100) >= 0", "!window-brief?"),

    # The operator's that only look.
    look("a program looks for models", "models_list(1, sha256('sk'))"),
    look("the operator looks",
         "chatbot_list('1')", "chatbot_question('1/bot')", "chatbot_show('1/bot')", "chatbots_called('bot', null)",
         "conversations_called(array['c'])", "interface()", "keys_called('wk')", "stats_parts('day', now(), 1, null)",
         "sweep_overdue()", "workspace_numbers(null, 100)", "workspaces_called('1')",
         "conversation_erase_count(null, '1/bot', null, null, null, false)",
         "conversation_export('jsonl', '1', null, null, true, null, null, null, null, 100)",
         "conversation_list('1/bot', null, null, 100)", "conversation_search('said', null, 1, null, 100)",
         "credits_list('1', 100)", "credits_show('1')", "credits_totals()", "key_list('1')", "key_place('1/bot', null)",
         "key_question('wk')", "key_show('wk')", "removal_question('1', null)",
         "settings_refusal('key', " + changes(active="no") + ", null)", "stats('chatbot', 3000, '1', null)", "sweep_due()",
         "tail(100, null, null)", "workspace_list()", "workspace_question('1')", "workspace_show('1')"),
]
