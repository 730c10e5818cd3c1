"""Two sessions at once, one of them stopped at a step of its call: what test_interleaved rests on.

In a database of its own, made of the one that tests/sql/run leaves untouched, with stops (stops.py). The world in it is what
include/interleaved.sql makes, brought back before each run."""

import os
import pathlib
import re
import select
import time
from typing import NamedTuple

import psycopg2
from stops import GATE, STOPS, stepped

GUARD = 120
INCLUDE = pathlib.Path(__file__).resolve().parent / "include"
DATABASE = "interleaved_" + os.environ.get("PYTEST_XDIST_WORKER", "alone")
BEGIN = "begin isolation level read committed"  # as the program does

TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+00(?::00)?|Z)?")
# What differs from one run to the next: seconds from now on, how long something took. And the note of a key's use, which is
# left out where somebody else holds the key's row.
PASSING = re.compile(r'"(limit_reset|retry_after|total_ms|last_used_at)\\?": ?(null|\d+|\\?"[^"]*")')
# What sweep_leases says of a workspace where all is in others' hands: the next one's turn, as if there were nothing.
NONE_LOST = '{"workspace":1,"lost":0}', '{"workspace":null,"lost":null}'
# Those who are dead and are not to be.
REVIVE = ("update banter_data.exchange set lease_until = lease_until + interval '20 hours'"
          " where ended_at is null and lease_until < now() and exchange = any (array{}::text[])")
UNDO = ("update banter_data.exchange set lease_until = lease_until - interval '20 hours'"
        " where ended_at is null and lease_until > now() + interval '12 hours'")
# Each entry begins where the one before it ended, and the last one at what is there: whose comes first is nobody's business.
LEDGER = """
    select stops.shown(), (
        select json_agg(l) from (
            select *, lag(balance_after) over w as was, lead(entry) over w is null as last
            from banter_data.ledger window w as (partition by workspace order by entry)) l
        join banter_data.workspace w using (workspace)
        where balance_after - delta <> was or last and balance_after <> coalesce(w.credits, 0))
"""


class Session:
    """One that calls without waiting for the answer."""

    def __init__(self, url):
        self.connection = psycopg2.connect(url, dbname=DATABASE, async_=1)
        self.error = self.answer = None
        self.until()
        self.cursor = self.connection.cursor()
        self.pid = self.connection.info.backend_pid
        self.call(f"set statement_timeout = '{GUARD}s'; set deadlock_timeout = '100ms'; set timezone = 'UTC';"
                  " set client_min_messages = notice; set stops.at = ''; set stops.step = 0")

    def start(self, statement):
        self.error = None
        del self.connection.notices[:]
        self.cursor.execute(statement)

    def ended(self, seconds=0.0):
        """Looks for the answer for that long."""
        for wait in (True, False, False):
            try:
                state = self.connection.poll()
            except psycopg2.Error as error:
                self.error = error
                return True
            if state == psycopg2.extensions.POLL_OK:
                return True
            if wait:
                reads = state == psycopg2.extensions.POLL_READ
                select.select([self.connection] if reads else [], [] if reads else [self.connection], [], seconds)
        return False

    def until(self, so=lambda: False, look=0.05):
        """Until it has ended, or it is so, which is looked at that often; true: it has ended."""
        give_up = time.monotonic() + GUARD
        while not self.ended(look):
            if so():
                return False
            assert time.monotonic() < give_up, "it never ended"
        return True

    def stopped(self):
        return any("stopped" in notice for notice in self.connection.notices)

    def take(self):
        """What a call that was started comes to: its value, or its error."""
        self.until()
        if self.error:
            return f"{self.error.pgcode}: {str(self.error).splitlines()[0]}"
        return str(self.cursor.fetchone()[0]) if self.cursor.description else None

    def close(self):
        """Takes the answer of a call in a transaction, and ends that."""
        self.answer = self.take()
        self.call("commit")
        return self.answer

    def call(self, statement):
        self.start(statement)
        return self.take()


class Call(NamedTuple):
    """A row of the table: a call of one of the schema's functions, what it locks (calls.py has the form), and what must be so
    before it. {me} is a or b."""
    name: str
    statement: str
    locks: str = ""
    before: str = ""

    def locked(self, me):
        """Each lock's rank, how strong it is, and whether it is waited for."""
        for lock in self.locks.format(me=me).split():
            name = lock.strip("~!?")
            yield name, "~ !".index(lock[0]) if lock[0] in "~!" else 1, lock[-1] != "?"


def may_wait(b, a):
    """Whether b's call locks what a's has locked, so that both cannot have it."""
    held = {name: rank for name, rank, _ in a.locked("a")}
    return any(waits and name in held and held[name] + rank >= 2 for name, rank, waits in b.locked("b"))


class Run(NamedTuple):
    """What two calls come to: their answers, and the tables behind them."""
    a: str
    b: str
    tables: str


class World:
    """The database, who tests in it, and the two sessions: a, which stops, and b."""

    def __init__(self):
        url = os.environ.get("BANTER_TEST_ADMIN_URL")
        assert url, "BANTER_TEST_ADMIN_URL is not set: run tests/sql/run"
        self.url, self.runs = url, 0
        with_all = psycopg2.connect(url, dbname="postgres")
        with_all.autocommit = True
        with with_all.cursor() as cursor:
            cursor.execute(f"drop database if exists {DATABASE} with (force)")
            cursor.execute(f"create database {DATABASE} template untouched")
        with_all.close()
        self.admin = psycopg2.connect(url, dbname=DATABASE)
        self.admin.autocommit = True
        self.make_stops()
        self.make_copies()
        self.a, self.b = Session(url), Session(url)

    def close(self):
        for connection in (self.admin, self.a.connection, self.b.connection):
            connection.close()

    def rows(self, statement):
        with self.admin.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def make_stops(self):
        self.rows(STOPS)
        functions = self.rows(
            "select proname, prosrc, pg_get_functiondef(p.oid) from pg_proc p join pg_language l on l.oid = prolang where"
            " pronamespace in ('banter'::regnamespace, 'banter_data'::regnamespace) and lanname = 'plpgsql'"
            " and provolatile = 'v'")
        for _, body, definition in functions:
            self.rows(definition.replace(body, stepped(body, [name for name, *_ in functions])))
        self.tables = [name for (name,) in self.rows(
            "select relname from pg_class where relnamespace = 'banter_data'::regnamespace and relkind = 'r'"
            " and relname <> 'migration' order by relname")]
        for table in self.tables:
            self.rows("".join(f"create trigger stop_{each} before insert or update or delete on banter_data.{table}"
                              f" for each {each} execute function stops.trigger();" for each in ("statement", "row")))

    def make_copies(self):
        """What brings the tables back that are no longer as they were, and what shows them: the ledger's order is shown, its
        numbers are not."""
        self.rows("set timezone = 'UTC'")
        self.rows((INCLUDE / "interleaved.sql").read_text())
        shown, anew = [], []
        for table in self.tables:
            self.rows(f"create table stops.{table} as table banter_data.{table};"
                      f"alter table banter_data.{table} set (autovacuum_enabled = off)")
            columns = ", ".join(name for (name,) in self.rows(
                f"select quote_ident(attname) from pg_attribute where attrelid = 'banter_data.{table}'::regclass"
                " and attnum > 0 and not attisdropped and attgenerated = '' order by attnum"))
            anew.append(f"if '{table}' = any (p_tables) then delete from banter_data.{table}; insert into banter_data.{table}"
                        f" ({columns}) overriding system value select {columns} from stops.{table}; end if;")
            shown.append("(select coalesce(string_agg((to_jsonb(t) - array['entry', 'balance_after'])::text,"
                         f" E'\\n' order by ctid), '') from banter_data.{table} t)")
        self.rows("create function stops.anew(p_tables text[]) returns void language plpgsql"
                  f" set session_replication_role = replica as $$ begin {''.join(anew)} end $$;"
                  "create function stops.shown() returns text[] language plpgsql as $$"
                  f" begin return array[{', '.join(shown)}]; end $$")
        self.world = self.now = self.rows("select stops.shown()")[0][0]
        self.times = {"T".join(found) for found in TIME.findall(" ".join(self.world))}
        time.sleep(1)  # or a run in the same second would make a lease that is one of these times

    def anew(self, *calls):
        if self.runs % 300 == 0:
            self.rows("vacuum")
        self.runs += 1
        now, self.now = self.now or [None for _ in self.tables], None
        changed = [table for table, was, is_now in zip(self.tables, self.world, now) if was != is_now]
        before = [call.before for call in calls if call.before]
        self.rows(f"select stops.anew('{{{','.join(changed)}}}'), pg_advisory_unlock_all(), pg_advisory_lock({GATE}); "
                  + "; ".join(before))

    def plain(self, text):
        """Without what differs from one run to the next: times of this run."""
        def passing(match):
            kept = match[1] == "retry_after" and (match[2] == "null" or int(match[2]) <= 60)
            return match[0] if kept else f'"{match[1]}":"some"'

        def time_of(match):
            return f"{match[1]}T{match[2]}" if f"{match[1]}T{match[2]}" in self.times else "now"

        return text and PASSING.sub(passing, TIME.sub(time_of, text)).replace(*NONE_LOST)

    def settle(self):
        """The run's end: a sweep, since what one finds in use is left to the next, and the ledger's own rule."""
        ((self.now, wrong),) = self.rows(
            "select pg_advisory_unlock_all(), banter_data.lease_release(1), banter.sweep_keys(100), banter.sweep_windows(100);"
            + LEDGER)
        assert not wrong, f"the ledger does not add up to what is there: {wrong}"

    def end(self, a, b):
        self.settle()
        return Run(self.plain(a), self.plain(b), "\n".join(
            sorted(self.plain("\n".join(self.now)).split("\n"))))

    def go_on(self):
        """a goes on from where it stopped."""
        self.rows(f"select pg_advisory_unlock({GATE})")

    def kill_a(self):
        self.rows(f"select pg_terminate_backend({self.a.pid}, {GUARD * 1000})")
        self.a.connection.close()
        self.a = Session(self.url)

    def steps(self, call):
        """How many a's call has."""
        self.a.call(f"set stops.at = '{10 ** 9}'; set stops.step = 0; {call.statement.format(me='a')}")
        return int(self.a.call("select current_setting('stops.step')"))

    def one_by_one(self, a, b, order, alive=()):
        """What the calls come to that order names, such as "ba": one after the other. What is alive has a lease as long as
        the first of them runs, though it be dead."""
        self.anew(a, b)
        answers = {"a": None, "b": None}
        if alive:
            self.rows(REVIVE.format([*alive]))
        for me in order:
            session, statement = (self.a, a.statement) if me == "a" else (self.b, b.statement)
            answers[me] = session.call(f"set stops.at = ''; {statement.format(me=me)}")
            if alive:
                self.rows(UNDO)
        return self.end(answers["a"], answers["b"])

    def at_once(self, a, b, stop, ending="commit"):
        """a's call is stopped there, b's let in, then a's goes on and ends. What they come to, whether b had to wait, and
        whether there was such a stop: if not, b was let in between the end of a's call and that of its transaction."""
        self.anew(a, b)
        self.a.start(f"set stops.at = '{stop}'; set stops.step = 0; {BEGIN}; {a.statement.format(me='a')}")
        stopped = not self.a.until(self.a.stopped)
        answer = None if stopped else self.a.take()
        self.b.start(f"set stops.at = ''; {BEGIN}; {b.statement.format(me='b')}")
        waits = not self.b.until(self.b_waits, 0.002)
        if not waits:
            self.b.close()
        if stopped:
            self.go_on()
            answer = self.a.take()
        self.a.call(ending)
        return self.end(answer, self.b.close() if waits else self.b.answer), waits, stopped

    def b_waits(self):
        return self.rows(f"select pg_blocking_pids({self.b.pid}) <> '{{}}'")[0][0]
