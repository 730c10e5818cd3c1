"""Holds what the clients saw against what the database has, both ways. It knows nothing of how they came about: test_judge.py
gives it pairs that do not fit."""

import collections

from dialects import BROKEN, CUT, DONE, ERROR, HUNG, LEFT, REFUSED, session_of

ROW = """select e.workspace, e.request_id, e.exchange, e.state, e.question, e.answer, e.answer_id, e.conversation, c.session,
    e.position, e.attempt, e.price, e.error, e.stopped_at is not null as stopped, extract(epoch from e.started_at)::float as began,
    extract(epoch from case when e.state = 'lost' then least(e.ended_at, e.lease_until) else e.ended_at end)::float as ended
    from banter_data.exchange e join banter_data.conversation c using (workspace, conversation)"""
LEDGER = "select workspace, delta, balance_after, kind, exchange from banter_data.ledger order by workspace, entry"
WORKSPACES = "select workspace, credits, max_open from banter_data.workspace"

Row = collections.namedtuple("Row", "workspace request_id exchange state question answer answer_id conversation session "
                             "position attempt price error stopped began ended")
Entry = collections.namedtuple("Entry", "workspace delta balance_after kind exchange")
Workspace = collections.namedtuple("Workspace", "workspace credits max_open")
Stored = collections.namedtuple("Stored", "rows ledger workspaces")

CHARGED = ("done", "left")
# What may have become of the exchange of a request that ended so, for its client. None: there is none.
# A worker that was killed may have come as far as any.
ANY = {None, "done", "left", "replaced", "failed", "lost"}
STATES = {
    DONE: {"done", None},  # None: the answer of an earlier request with its key
    ERROR: {"failed", "lost", None},
    REFUSED: {"lost", None},  # lost: whether it began was not known
    LEFT: ANY,
    CUT: set(), BROKEN: {"lost", None}, HUNG: set(),
}
# The same of an answer of which a stop was told so. None: a crash took it, beginning and end.
TOLD = {"done": {"done"}, "left": {"left", "replaced"}, "failed": {"failed", "lost", None}}


def named(record):
    """The ids of conversation and answer that its client was told."""
    return {record["conversation"], record["answer_id"]} - {None}


def stored(run):
    """What the database has, `run` being a Postgres.run."""
    return Stored([Row(*row) for row in run(ROW)], [Entry(*row) for row in run(LEDGER)],
                  [Workspace(*row) for row in run(WORKSPACES)])


class Judge:
    """`records`: of crowd.py. `excused`: of a record, whether its worker was killed, or nobody was there to answer.
    `unknown`: of a record, whether the database was away when its answer was to be stored: then whether it was is not known
    to the client. `limits`: tenant: most requests of a window. `forgotten`: of a record, whether what was acknowledged may
    have gone with a database that another took the place of."""

    def __init__(self, records, database, tenants, excused=lambda _: False, unknown=lambda _: False, limits=None,
                 forgotten=lambda _: False):
        self.records, self.database, self.tenants = records, database, tenants
        self.excused, self.unknown, self.limits, self.forgotten = excused, unknown, limits or {}, forgotten
        self.by_id = {record["id"]: record for record in records}
        self.rows, self.by_answer = collections.defaultdict(list), collections.defaultdict(list)
        for row in database.rows:
            self.rows[row.request_id].append(row)
            self.by_answer[row.answer_id].append(row)
        self.groups = collections.defaultdict(list)  # requests that are one, by their key
        for record in records:
            self.groups[record["key"] or record["id"]].append(record)
        self.found = []
        self.excuses = collections.Counter()

    def say(self, what, *about):
        self.found.append(" ".join([what, *map(str, about)]))

    def complaints(self):
        for record in self.records:
            self.judge_record(record)
            self.judge_stop(record)
        for row in self.database.rows:
            self.judge_row(row)
        for key, group in self.groups.items():
            self.judge_charges(key, group)
        self.judge_ledger()
        self.judge_windows()
        self.judge_caps()
        return self.found

    def rows_of(self, record):
        """Of all requests that are this one."""
        return [row for one in self.groups[record["key"] or record["id"]] for row in self.rows[one["id"]]]

    def judge_record(self, record):
        end, own = record["end"], self.rows[record["id"]]
        if record.get("wrong"):
            self.say("a stream that is none:", record["wrong"], record)
        if len(own) > 1:
            self.say("doubled:", record["id"], own)
        if end == DONE:
            self.judge_done(record)
            if not self.kept(record) and not self.was_stopped(record) and self.forgotten(record):
                return
        state = own[0].state if own else None
        ended_well = state == "done" or (state in ("left", "replaced") and own[0].stopped)
        if state in STATES[end] or (end == DONE and self.was_stopped(record)):
            return
        if end == DONE and state == "lost" and self.forgotten(record):  # what is there came of its key, asked again
            self.excuses["acknowledged, and lost"] += 1
        elif self.excused(record):
            self.excuses["worker killed"] += 1
        elif ended_well and end in (ERROR, REFUSED) and self.unknown(record):
            self.excuses["stored, but nobody could tell its client"] += 1
        else:
            self.say(f"{end}, but", state or "nothing", "is stored:", record, own)

    def kept(self, record):
        """Whether that very answer is there. Asked again with its key, a lost one is another's."""
        return any(row.state == "done" and self.is_named(row, record) for row in self.rows_of(record))

    @staticmethod
    def is_named(row, record):
        return bool(named(record)) and named(record) <= {row.conversation, row.answer_id}

    def was_stopped(self, record):
        """What its client has is what had come by then."""
        return any(row.stopped and row.state in ("left", "replaced") and row.answer == record["text"]
                   for row in self.rows[record["id"]])

    def judge_done(self, record):
        if self.was_stopped(record):
            return
        # What a lost database had stopped is as little known as its answer.
        if record["text"] != record["expected"] and not (self.forgotten(record) and record["expected"].startswith(record["text"])):
            self.say("not the model's answer:", record)
        done = [row for row in self.rows_of(record) if row.state == "done"]
        if not self.kept(record) and self.forgotten(record):
            self.excuses["acknowledged, and lost"] += 1
        elif not done:
            self.say("lost:", record, self.rows_of(record))
        elif len(done) > 1:
            self.say("doubled:", record, done)
        elif done[0].answer != record["text"]:
            self.say("another text:", record, done)
        elif not self.is_named(done[0], record):
            self.say("another conversation or answer:", record, done)

    def judge_stop(self, record):
        """What it was told of an answer's end stays so."""
        stop = record.get("stop")
        if not stop or self.excused(stop) or self.unknown(record) or self.forgotten(record):
            return
        if stop["end"] == HUNG:
            self.say("a stop that hung:", record)
        for answer_id, status in stop["told"] or []:
            states = {row.state for row in self.by_answer[answer_id]} or {None}
            if status != "running" and not states <= TOLD[status]:
                self.say("another end than a stop was told:", status, states, record)

    def judge_row(self, row):
        record = self.by_id.get(row.request_id)
        if record is None:
            return self.say("nobody asked for it:", row)
        if row.workspace != self.tenants[record["tenant"]].workspace or row.question != record["message"]:
            self.say("another was asked:", record, row)
        if session_of(record["own"]) not in (None, row.session):
            self.say("in another conversation:", record, row)
        if row.state == "running":
            self.say("it runs for ever:", row)
        elif row.state == "done" and row.answer != record["expected"]:
            self.say("stored, but not what the model said:", record, row)
        elif row.state in ("left", "replaced") and not (row.answer and record["expected"].startswith(row.answer)):
            self.say("a part of another answer:", record, row)
        return None

    def judge_charges(self, key, group):
        charged = [row for record in group for row in self.rows[record["id"]] if row.state in CHARGED]
        if len(charged) > 1:
            self.say("charged twice:", key, charged)

    def judge_ledger(self):
        """What was booked for a question, all attempts at it together, is its price or nothing; and the balance is the sum."""
        place = {(row.workspace, row.exchange): (row.workspace, row.conversation, row.position) for row in self.database.rows}
        booked, due, sums = collections.Counter(), collections.Counter(), collections.Counter()
        reserved = collections.Counter()
        for entry in self.database.ledger:
            sums[entry.workspace] += entry.delta
            if entry.exchange is None:
                continue
            reserved[entry.workspace, entry.exchange] += entry.kind == "reserve"
            if (entry.workspace, entry.exchange) not in place:
                self.say("booked for nothing:", entry)
                continue
            booked[place[entry.workspace, entry.exchange]] += entry.delta
        metered = {one.workspace for one in self.database.workspaces if one.credits is not None}
        for row in self.database.rows:
            if row.workspace in metered and row.state in CHARGED:
                due[row.workspace, row.conversation, row.position] -= row.price
        for one, count in reserved.items():
            if count > 1:
                self.say("reserved twice:", one)
        for question in {*booked, *due}:
            if booked[question] != due[question]:
                self.say("charged", booked[question], "where", due[question], "was due:", question)
        for one in self.database.workspaces:
            if one.credits is not None and one.credits != sums[one.workspace]:
                self.say("a balance that is not its ledger's:", one, sums[one.workspace])

    def judge_windows(self):
        """No window of a chatbot's limit lets more begin than it says."""
        begun = collections.Counter((record["tenant"], record["reset"]) for record in self.records
                                    if record.get("reset") and self.rows[record["id"]])
        for (tenant, reset), count in begun.items():
            if tenant in self.limits and count > self.limits[tenant]:
                self.say("over the limit:", tenant, reset, count)

    def judge_caps(self):
        """Never more open at once than the workspace may have."""
        for one in self.database.workspaces:
            if not one.max_open:
                continue
            turns = sorted(turn for row in self.database.rows if row.workspace == one.workspace and row.ended
                           for turn in ((row.began, 1), (row.ended, -1)))
            count = 0
            for _, step in turns:
                count += step
                if count > one.max_open:
                    self.say("more open at once than may be:", one, count)
                    break
