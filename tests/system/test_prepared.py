"""Prepared statements: kept where server or pooler keep them, found out without a failed request, and given up without
one. What PostgreSQL was sent stands in its log."""

import concurrent.futures
import contextlib
import re

import psycopg2
import pytest

import servers
from fastcgi import chat, health
from renaming import Renaming
from servers import name, script

NAME = r"banter_exchange_begin_[0-9a-f]{16}"
CALLS = ("exchange_begin", "exchange_end")


@contextlib.contextmanager
def logging_cluster():
    """It logs each step of what it is sent, with the process's id."""
    with contextlib.closing(servers.Postgres()) as server:
        for setting in ("log_min_duration_statement = 0", "log_parameter_max_length = 0", "log_line_prefix = '[%p %u] '"):
            server.run(f"alter system set {setting}")
        server.run("select pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
def cluster():
    with logging_cluster() as server:
        yield server


@pytest.fixture
def lodger(cluster):
    return cluster.demo()


class Log:
    """What the application's role sent since then: "parse", "bind" or "execute", the statement's name, its function."""

    def __init__(self, cluster, role="banter_app"):
        self.cluster, self.role, self.start = cluster, role, len(cluster.text())

    def text(self):
        return self.cluster.text()[self.start:]

    def steps(self, step, function=None):
        found = re.findall(rf"^\[\d+ {self.role}\].* {step} ([^\s:]+): select .*banter\.(\w+)\(", self.text(), re.M)
        return [one for one, called in found if function in (None, called)]

    def errors(self):
        return re.findall(rf"^\[\d+ {self.role}\] ((?:ERROR|FATAL): .*)$", self.text(), re.M)

    def words(self, pattern):
        return re.findall(pattern, self.text())


def ask(banter, tenant, times=1):
    for _ in range(times):
        assert chat(banter.socket, tenant, script(name("asked"), tokens=["a"])).json().get("message") == "a"


def ask_many(banter, tenant, times):
    with concurrent.futures.ThreadPoolExecutor(8) as many:
        for _ in many.map(lambda _: ask(banter, tenant), range(times)):
            pass


def end_sessions(cluster, role):
    """Those of a role; once they have gone."""
    cluster.run("select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = %s", role)


def stored_once(cluster, tenant, times):
    """Nothing was done twice, nor left out."""
    counts = cluster.run("""select (select count(*) from banter_data.exchange where workspace = %s and state = 'done'),
        (select count(*) from banter_data.exchange where workspace = %s)""", tenant.workspace, tenant.workspace)
    assert counts == [(times, times)]


# Directly


def test_a_statement_is_parsed_once_a_connection(pool, cluster, lodger):
    """But for the first one, with which it is found out whose the connection is: of the start's, that is the schema's
    version, and of one that is made later, an exchange."""
    like = name("role").replace("-", "_")
    cluster.run(f"create role {like} login in role banter_app")
    banter = pool(workers=1, database_url=cluster.url(like))
    for unnamed in (0, 1):
        log = Log(cluster, like)
        ask(banter, lodger, 5)
        assert health(banter.socket) == health(banter.socket) == 200
        for function, parsed in (("exchange_begin", 1 + unnamed), ("exchange_end", 1), ("health", 1)):
            assert len(log.steps("parse", function)) == parsed, function
        (of_start,) = set(log.steps("execute", "exchange_begin")[unnamed:])
        assert re.fullmatch(NAME, of_start)
        assert log.errors() == []
        end_sessions(cluster, like)
    stored_once(cluster, lodger, 10)


def test_names_cost_no_round_trip(pool, cluster, lodger):
    """What is sent with a statement goes in the same packet: PostgreSQL is never waited for in between."""
    log = Log(cluster)
    banter = pool(workers=1, database_url=cluster.url())
    ask(banter, lodger, 3)
    assert log.words(r"deallocate|do \$\$|pg_prepared_statements") == []
    # Three lines each: once a connection, and once more where the start asks how many there may be.
    assert len(log.words(r"pg_backend_pid")) <= 3 * (len(set(log.words(r"\[(\d+) banter_app\]"))) + 1)


@pytest.mark.parametrize("words", ["deallocate all", "discard all"])
def test_26000_statements_that_were_dropped_behind_our_back(pool, cluster, lodger, words):
    """As a pooler in session mode, or a proxy, may do between two statements."""
    with contextlib.closing(Renaming(cluster, connections=1, keeps=False, disguised=True)) as between:
        banter = pool(workers=1, database_url=between.url())
        ask(banter, lodger, 2)
        log = Log(cluster)
        between.run(words)
        ask(banter, lodger, 3)
        assert len(log.errors()) == 1 and "does not exist" in log.errors()[0]
        assert "ERROR" not in banter.text()
        assert set(log.steps("execute", "exchange_begin")) == {"<unnamed>"}
    stored_once(cluster, lodger, 5)


def test_42P05_a_name_that_is_taken(pool, cluster, lodger):
    """By what only looks like the server: the same text has the same name."""
    with contextlib.closing(Renaming(cluster, connections=2, keeps=False, disguised=True)) as between:
        banter = pool(workers=4, database_url=between.url())
        ask_many(banter, lodger, 40)
    assert "error" not in banter.text().lower()
    stored_once(cluster, lodger, 40)


CHANGE = """
do $$
declare
	v_old oid := 'banter.exchange_begin'::regproc;
	v_arguments text := pg_get_function_arguments(v_old);
	v_result text := pg_get_function_result(v_old);
	v_names text;
begin
	select string_agg(format('%1$I => %1$I', name), ', ') into v_names
	from unnest((select proargnames[1:pronargs] from pg_proc where oid = v_old)) name;
	create schema {old}; -- its name, which its variables are known by, stays
	alter function banter.exchange_begin set schema {old};
	execute format('create function banter.exchange_begin(%s) returns %s language sql security definer as '
		'$f$ select o.*, 7 from {old}.exchange_begin(%s) o $f$',
		v_arguments, replace(v_result, ')', ', {column} integer)'), v_names);
	grant execute on function banter.exchange_begin to banter_app;
end $$"""


def change(cluster, column):
    """exchange_begin() is made anew, with one column more."""
    cluster.run(CHANGE.format(old=f"before_{column}", column=column))


@pytest.fixture
def own_cluster():
    with logging_cluster() as server:
        yield server


@pytest.mark.parametrize("through", ["direct", "keeps"])
def test_0A000_functions_that_are_replaced_under_a_running_pool(own_cluster, pool, through):
    tenant = own_cluster.demo()
    with contextlib.ExitStack() as stack:
        url = own_cluster.url()
        if through == "keeps":
            url = stack.enter_context(contextlib.closing(Renaming(own_cluster))).url()
        banter = pool(workers=3, database_url=url)
        ask_many(banter, tenant, 24)
        log = Log(own_cluster)
        change(own_cluster, "first")
        ask_many(banter, tenant, 24)
        assert "cached plan must not change result type" in "".join(log.errors())
        assert " error" not in banter.text()
    stored_once(own_cluster, tenant, 48)


@pytest.mark.parametrize("level", ["read committed", "serializable"])
def test_a_backend_that_is_ended_takes_its_names_with_it(pool, cluster, lodger, level):
    like = name("role").replace("-", "_")
    cluster.run(f"create role {like} login in role banter_app; alter role {like} set default_transaction_isolation = '{level}'")
    banter = pool(workers=2, database_url=cluster.url(like))
    ask(banter, lodger, 6)
    for _ in range(3):
        end_sessions(cluster, like)
        ask(banter, lodger, 6)
    stored_once(cluster, lodger, 24)


# Through a pooler


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_PgBouncer_1_18_is_left_nothing_behind(pool, cluster, lodger, mode):
    """Neither a failed request nor a failed statement, and no name on a connection that others use too."""
    change = {"pool_mode = transaction": f"pool_mode = {mode}"}
    with contextlib.closing(servers.Pooler(cluster, **change)) as pooler:
        log = Log(cluster)
        banter = pool(workers=6, database_url=pooler.url())
        ask_many(banter, lodger, 60)
        assert log.errors() == []
        assert set(log.steps("execute")) == {"<unnamed>"}
        assert len(log.words(r"execute <unnamed>: do \$\$")) <= 6
        with contextlib.closing(psycopg2.connect(pooler.url())) as other, other.cursor() as cursor:
            cursor.execute("select name from pg_prepared_statements")
            assert cursor.fetchall() == []
    stored_once(cluster, lodger, 60)


def test_a_pooler_that_keeps_statements_is_used_so(pool, cluster, lodger):
    with contextlib.closing(Renaming(cluster)) as between:
        log = Log(cluster)
        banter = pool(workers=3, database_url=between.url())
        ask_many(banter, lodger, 60)
        assert log.errors() == []
        assert len([one for one in log.steps("execute") if one.startswith("POOLER_")]) > 60
    stored_once(cluster, lodger, 60)


def test_a_pooler_is_swapped_under_a_running_pool(pool, cluster, lodger):
    """Each connection finds out for itself."""
    one = Renaming(cluster)
    with contextlib.closing(one):
        banter = pool(workers=2, database_url=one.url())
        ask_many(banter, lodger, 20)
    with contextlib.closing(Renaming(cluster, keeps=False, port=one.port)):
        log = Log(cluster)
        ask_many(banter, lodger, 20)
        assert set(log.steps("execute")) == {"<unnamed>"}
        assert log.errors() == []
    log = Log(cluster)
    with contextlib.closing(Renaming(cluster, port=one.port)):
        ask_many(banter, lodger, 20)
        assert any(name.startswith("POOLER_") for name in log.steps("execute"))
    assert log.errors() == []
    stored_once(cluster, lodger, 60)
