"""Where a session that was told to stands still: before each statement of the schema's functions that looks into the database,
and, by triggers, before each statement that writes, which has its snapshot then, and before each row that it writes, which it
has locked. It waits by no lock, which a lock_timeout would count."""

import re

import lint

GATE = 1  # the advisory lock that is held for as long as somebody is to stand still
STOPS = f"""
    create schema stops;
    create function stops.stop() returns boolean language plpgsql as $$
    declare
        v_at constant text := current_setting('stops.at', true);
        v_step integer;
    begin
        if v_at <> '' then
            v_step := current_setting('stops.step')::integer + 1;
            perform set_config('stops.step', v_step::text, false);
            if v_step = v_at::integer then
                raise notice 'stopped';
                while not pg_try_advisory_xact_lock_shared({GATE}) loop
                    perform pg_sleep(0.001);
                end loop;
            end if;
        end if;
        return true;
    end $$;
    create function stops.trigger() returns trigger language plpgsql as $$
    begin
        assert stops.stop();
        return coalesce(new, old);
    end $$;
"""


def stepped(body, own):
    """A function's text with a stop before each statement that looks into the database, and does not leave that to a function
    of `own`, which has its own stops. It is an assert, which leaves FOUND as it is."""
    out, at, depth, cases, before = [], 0, 0, [], ""
    inside = begins = False

    def looks(start):
        statement = re.split(r";|\bthen\b|\bloop\b", body[start:], 1)[0]
        return re.search(r"\b(select|insert|update|delete|into|pg_advisory\w+|clock_timestamp)\b", statement) or any(
            name not in own for name in re.findall(r"\bbanter(?:_data)?\.(\w+)", statement))

    for match in lint.TOKEN.finditer(body):
        word = match[0].lower()
        if match.lastgroup in ("blank", "comment"):
            continue
        if begins and word not in ("end", "else", "elsif", "exception", "when") and looks(match.start()):
            out += body[at:match.start()], "assert stops.stop(); "
            at = match.start()
        begins = False
        if word in ("(", "[", ")", "]"):
            depth += 1 if word in ("(", "[") else -1
        elif word == "case":
            cases.append(depth)
        elif word == "end" and cases and cases[-1] == depth:
            cases.pop()
        elif not cases and depth == 0:
            inside = inside or word == "begin"
            begins = inside and (word == ";" or before != "end" and word in ("begin", "then", "else", "loop"))
        before = word
    return "".join(out) + body[at:]
