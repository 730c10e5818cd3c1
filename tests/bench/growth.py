"""Whether an exchange costs PostgreSQL the same however much is stored: its CPU for the two calls of the application, as
exchange.py measures it, in pairs and threes that differ in one thing. README.md says what is measured. Speed never fails
it; an exchange that is not stored does.
"""

import argparse
import contextlib
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import exchange  # noqa: E402
import parts  # noqa: E402
import servers  # noqa: E402
from exchange import TENANTS, given  # noqa: E402

LIMIT = 1.5  # from one of a kind to another

# Conversations 1 to %(talks)s of %(length)s exchanges each. Rows that our functions would have written need no checks.
FILL = """
set session_replication_role = replica;
insert into banter_data.conversation (workspace, conversation, chatbot, session, next_position)
select 1, n, 'bot', n, %(length)s + 1 from generate_series(1, %(talks)s) n;
insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until, ended_at,
    price, answer_id, state, stream, question, answer, chars)
select 1, n || '-' || p, n, 'bot', 'widget', p, now(), now(), 0, n || '-' || p, 'done', false, 'question', 'answer', 14
from generate_series(1, %(talks)s) n cross join generate_series(1, %(length)s) p;
"""
# What begins and what ends, as exchange.py's; :place counts a client's.
SCRIPT = """\
\\set n :n + 1
\\set id :base + :n * 1000 + :client_id * 2
\\set answer :id + 1
\\set request :id
\\set first :id
{pick}
{start};
{close};
"""
HASH = "sha256(('workspace' || :workspace::text)::bytea)"


class Grown(exchange.Schema):
    """With conversations in it, and workspaces; its exchanges begin conversations, or go on with those that were there."""

    def __init__(self, postgres, name, talks=10, length=1, workspaces=1, goes_on=False):
        super().__init__(name, postgres, servers.ROOT)
        self.talks, self.workspaces, self.goes_on = talks, workspaces, goes_on
        if workspaces > 1:
            self.sql(TENANTS, 2, workspaces)
        self.sql(FILL % {"talks": talks, "length": length})
        self.postgres.run("vacuum analyze", database=name)
        self.postgres.run("checkpoint", database=name)

    def script(self):
        pick = [f"\\set workspace random(1, {self.workspaces})"]
        if self.goes_on:
            pick.append(f"\\set talk random(1, {self.talks})")
        start = given(self.start, **{
            **exchange.WORKSPACE, "p_key_hash": HASH, "p_max_messages": "10",
            "p_conversation": ":talk" if self.goes_on else "null"})
        return SCRIPT.format(pick="\n".join(pick), start=start, close=given(self.close))


def kinds(postgres):
    """By kind: what differs, and its database."""
    return {
        "stored conversations": {f"{n:,}": Grown(postgres, f"stored{n}", talks=n) for n in (10, 10_000, 1_000_000)},
        "messages in the conversation": {
            "10": Grown(postgres, "short", talks=20_000, length=5, goes_on=True),
            "10,000": Grown(postgres, "long", talks=20, length=5000, goes_on=True)},
        "keys in use": {"1": Grown(postgres, "one"), "1,000": Grown(postgres, "many", workspaces=1000)},
    }


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--exchanges", type=int, default=2000, help="of a round, in each database")
    chosen = options.parse_args()
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(contextlib.closing(parts.Postgres()))
        found = {}
        for kind, schemas in kinds(postgres).items():
            costs = found[kind] = {name: [] for name in schemas}
            for number in range(chosen.rounds):
                names = list(schemas)
                for name in names[number % len(names):] + names[:number % len(names)]:
                    costs[name].append(schemas[name].cost("extended", chosen.exchanges))
    print(f"PostgreSQL's CPU for one exchange, µs, as the database grows: median of {chosen.rounds} rounds (range)")
    for kind, costs in found.items():
        for name, us in costs.items():
            print(f"{name:>9} {kind:29} {exchange.spread(us)}")
        medians = [statistics.median(us) for us in costs.values()]
        print(f"{'':9} {'the most to the least':29} {max(medians) / min(medians):5.2f}, must be {LIMIT} at most")


if __name__ == "__main__":
    main()
