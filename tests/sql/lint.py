#!/usr/bin/python3
"""What sql/README.md demands of the files in sql/, as far as it can be read from them; prints what it finds wrong.

No SQL grammar: statements are told apart by their words, as far as is needed to know one that is not instant on a table
of any size. What is not known to be instant is refused."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SQL = ROOT / "sql"
FREE = 2  # the migrations up to this one are older than the rules
LOCK_MS = 2000  # the longest that a migration may wait for a lock: behind it all requests wait, who give up later

DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$")
TOKEN = re.compile(r"""
      (?P<blank>\s+)
    | (?P<comment>--[^\n]*)
    | (?P<string>(?:[eE]'(?:[^'\\]|\\.|'')*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'))
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<number>[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?)
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    | (?P<op>::|=>|.)""", re.X | re.S)


class Token(str):
    """A word in lower case, or a sign; .kind says what it is. A string's value, and a directive's text, is .text."""

    def __new__(cls, kind, value, text=None):
        token = super().__new__(cls, value)
        token.kind, token.text = kind, text
        return token


def tokens_of(text):
    at = 0
    while at < len(text):
        if text.startswith("/*", at):  # these nest
            depth, at = 1, at + 2
            while depth and at < len(text):
                step = {"/*": 1, "*/": -1}.get(text[at:at + 2], 0)
                depth, at = depth + step, at + (2 if step else 1)
            continue
        dollar = DOLLAR.match(text, at)
        if dollar:
            end = text.find(dollar[0], dollar.end())
            end = len(text) if end < 0 else end
            yield Token("string", "''", text[dollar.end():end])
            at = end + len(dollar[0])
            continue
        match = TOKEN.match(text, at)
        kind, value, at = match.lastgroup, match[0], match.end()
        if kind == "comment" and value.startswith("-- banter:"):
            yield Token("directive", value, value[len("-- banter:"):].strip())
        elif kind == "string":
            yield Token("string", "''", value[value.index("'") + 1:-1].replace("''", "'"))
        elif kind == "quoted":
            yield Token("word", value[1:-1].replace('""', '"'))
        elif kind not in ("blank", "comment"):
            yield Token(kind, value.lower())


def split(tokens, sign):
    """Cut at that sign, where it stands in no parentheses."""
    parts, depth = [[]], 0
    for token in tokens:
        depth += (token in ("(", "[")) - (token in (")", "]"))
        if token == sign and token.kind == "op" and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def has(words, *wanted):
    """These words stand there, one behind the other."""
    return any(tuple(words[i:i + len(wanted)]) == wanted for i in range(len(words)))


def after(words, *skipped):
    """What is left behind words that may stand there, in this order; each is a word or several."""
    for some in skipped:
        some = some.split()
        if list(words[:len(some)]) == some:
            words = words[len(some):]
    return words


def named(words):
    """The name that they begin with, without its schema, and the rest. %I and the like are names too."""
    if words[:1] == ["%"]:
        words = [Token("word", "%")] + list(words[2:])
    rest = words[1:]
    while rest[:1] == ["."]:
        if rest[1:2] == ["%"]:
            return "%", rest[3:]
        words, rest = rest[1:], rest[2:]
    return (words[0] if words else ""), rest


SIMPLE_DEFAULT = re.compile(r"(\( )*([-+] )?(''|[0-9.e]+|true|false|null|now \( \)|current_timestamp|current_date|array \[ \])"
                            r"( \))*( :: \w+( \( [0-9]+( , [0-9]+)? \))?( \[ \])*)?( \))*$")
COLUMN_WORDS = {"not", "null", "constraint", "collate", "check", "references", "primary", "unique", "generated", "default"}


class Migration:
    """One file; .found is what is wrong with it."""

    def __init__(self, name, text):
        self.name, self.number = name, int(re.match(r"\d*", name)[0] or 0)
        self.found = []
        self.made = set()  # tables that it makes: nobody uses them yet
        self.lock_ms = None
        self.steps = text.split("\n", 1)[0].strip() == "-- banter: steps"
        self.kind = None  # of the step that is looked at
        self.unused = False
        self.validated = set()
        self.read(text)

    def wrong(self, what):
        self.found.append(f"{self.name}: {what}")

    # The file's form

    def read(self, text):
        kind, part, first = None, [], True
        parts = []
        for token in tokens_of(text):
            if token.kind != "directive" or token.text.startswith("unused since"):
                part.append(token)
            elif first and self.steps and token.text == "steps":
                first = False
            elif not self.steps:
                self.wrong(f"'-- banter: {token.text}' where its first line is not '-- banter: steps'")
            else:
                parts.append((kind, part))
                kind, part = token.text, []
        parts.append((kind, part))
        for kind, part in parts:
            self.step(kind, part)

    def step(self, kind, tokens):
        statements = [words for words in split(tokens, ";") if any(word.kind != "directive" for word in words)]
        self.kind = kind
        if self.steps and kind is None:
            if statements:
                self.wrong("a statement before the first step")
            return
        if self.steps and kind not in ("step", "concurrently", "repeat until 0 rows"):
            self.wrong(f"no such step: '-- banter: {kind}'")
            return
        if kind and not statements:
            self.wrong(f"a step without a statement: '-- banter: {kind}'")
        if kind in ("concurrently", "repeat until 0 rows") and len(statements) != 1:
            self.wrong(f"'-- banter: {kind}' stands before one statement")
        if any(has(words, "validate", "constraint") for words in statements) and (len(statements) > 1 or kind != "step"):
            self.wrong("'validate constraint' reads all of the table, while all locks of its transaction are held: a step of"
                       " its own")
        self.dropped = set()  # earlier in this step, if it was there
        for words in statements:
            self.statement(words)

    # One statement

    def statement(self, words, inside=False):
        """`inside` a program's text: a statement begins anywhere."""
        for word in words:
            if word.kind == "directive":
                self.unused_since(word.text)
        words = [word for word in words if word.kind != "directive"]
        if words[:1] == ["do"]:
            for word in words:
                if word.kind == "string":
                    self.program(word.text)
            self.unused = False
            return
        rule = getattr(self, "on_" + words[0], None) if words and words[0].isidentifier() else None
        if rule:
            rule(words)
        elif words and not inside:
            self.wrong(f"'{words[0]} …' is not known to be instant")
        if not words[:1] == ["create"] or not has(words[:4], "function"):
            self.writes(words)
        if self.kind == "repeat until 0 rows":
            self.batch(words)
        elif self.kind == "concurrently" and not has(words, "concurrently"):
            self.wrong("'-- banter: concurrently' before a statement that is none")
        self.unused = False

    def program(self, text):
        """The body of a DO: each place where a command could begin, and the texts that it may execute."""
        commands = {"alter", "create", "drop", "lock", "vacuum", "cluster", "truncate", "reindex", "refresh"}
        for words in split(list(tokens_of(text)), ";"):
            for i, word in enumerate(words):
                if word.kind == "string" and "execute" in words:
                    self.program(word.text)
                elif word.kind == "word" and word in commands and (i == 0 or words[i - 1].kind != "op"):
                    self.statement(words[i:], inside=True)
            self.writes(words)

    def unused_since(self, text):
        match = re.fullmatch(r"unused since (\d{4})", text)
        if match and int(match[1]) < self.number:
            self.unused = True
        else:
            self.wrong(f"'-- banter: {text}': say the version, before this one, whose functions used it no more")

    def locks(self, table):
        if table not in self.made and not self.steps and self.lock_ms is None:
            self.wrong(f"{table} is locked: 'set local lock_timeout' first, to {LOCK_MS} ms at the most")

    def writes(self, words):
        """update, delete, merge and insert … select, wherever they stand in it."""
        for i, word in enumerate(words):
            before = words[i - 1] if i else ""
            if word.kind != "word" or before in ("for", "key", "on", "do", "or", "before", "after", "of", "grant", ","):
                continue
            if word in ("update", "delete", "merge"):
                table = named(after(words[i + 1:], "from", "into", "only"))[0]
            elif word == "insert" and (has(words[i:], "select") and has(words[i:], "from") or has(words[i:], "table")):
                table = "the table it is filled from"
            else:
                continue
            if table not in self.made and self.kind != "repeat until 0 rows":
                self.wrong(f"'{word}' of {table} in one statement: in batches, after '-- banter: repeat until 0 rows'")

    def batch(self, words):
        if not any(has(words, word) for word in ("update", "delete", "insert")):
            self.wrong("what is repeated until 0 rows changes none")
        if not has(words, "limit"):
            self.wrong("what is repeated until 0 rows has no limit")
        if not has(words, "returning"):
            self.wrong("what is repeated until 0 rows is counted by its 'returning'")
        if has(words, "skip", "locked"):
            self.wrong("'skip locked' ends a repetition before all is done")

    def again(self, what, words, *allowed):
        if self.steps and not any(has(words, *some.split()) for some in allowed):
            self.wrong(f"a step may be run twice: {what} wants '{allowed[0]}'")

    # Statements by their first word

    def on_set(self, words):
        rest = after(words[1:], "local")
        if words[1:2] != ["local"] and rest[:1] != ["constraints"]:
            self.wrong("'set' without 'local' outlives the migration")
        if rest[:1] == ["lock_timeout"]:
            text = " ".join(word.text if word.kind == "string" else word for word in rest[2:])
            match = re.fullmatch(r"(\d+) ?(ms|s|)", text)
            ms = int(match[1]) * (1000 if match[2] == "s" else 1) if match else 0
            self.lock_ms = ms
            if not 0 < ms <= LOCK_MS:
                self.wrong(f"a lock is waited for {text}: {LOCK_MS} ms at the most, all requests wait behind it")

    def on_alter(self, words):
        rest = after(words[1:], "materialized")
        if rest[:1] == ["table"]:
            table, rest = named(after(rest[1:], "if exists", "only"))
            self.locks(table)
            for action in split(after(rest, "*"), ","):
                self.alter_table(table, action)
        elif rest[:1] == ["system"] or rest[:1] == ["database"]:
            self.wrong(f"'alter {rest[0]}' is not a schema's to do")
        elif rest[:1] == ["domain"] and has(rest, "not", "valid") or rest[:1] == ["type"] and has(rest, "add", "value"):
            return
        elif rest[:1] == ["index"] and not has(rest, "tablespace"):
            return
        elif rest[:1] not in (["function"], ["procedure"], ["routine"], ["view"], ["sequence"], ["statistics"], ["schema"],
                              ["default"]):
            self.wrong(f"'alter {' '.join(rest[:1])} …' is not known to be instant")

    def alter_table(self, table, action):
        if table in self.made:
            return
        first, rest = action[0], action[1:]
        if first == "add":
            self.add(table, rest)
        elif first == "alter":
            self.alter_column(table, named(after(rest, "column"))[1])
        elif first == "drop" and rest[:1] == ["constraint"]:
            self.again("drop constraint", action, "if exists")
            self.dropped.add("constraint")
        elif first == "drop":
            self.again("drop column", action, "if exists")
            if not self.unused:
                self.wrong(f"a column of {table} is dropped, which functions may use until they are made again: say"
                           " '-- banter: unused since 0000' before it")
        elif first == "validate":
            self.validated.add(table)
        elif first == "rename":
            self.wrong(f"what is renamed in {table} the functions know by its old name until they are made again")
        elif first == "set" and rest[:1] != ["("]:
            self.wrong(f"'alter table {table} set {rest[0] if rest else ''}' rewrites it")
        elif first not in ("set", "reset", "enable", "disable", "owner", "replica", "no", "inherit"):
            self.wrong(f"'alter table {table} {first} …' is not known to be instant")

    def add(self, table, words):
        words = after(words, "table")
        if words[0] in ("constraint", "primary", "unique", "foreign", "check", "exclude"):
            return self.add_constraint(table, words)
        words = after(words, "column")
        self.again("add column", words, "if not exists")
        rest = named(after(words, "if not exists"))[1]
        for word in ("generated", "primary", "unique", "references", "check"):
            if word in rest:
                self.wrong(f"a new column of {table} with '{word}' rewrites or reads all of it: add it bare, then step by step")
        if rest and rest[0] in ("serial", "bigserial", "smallserial"):
            self.wrong(f"a {rest[0]} column gives each row of {table} a value of its own: add it bare, then fill it in batches")
        if "default" in rest:
            start = rest.index("default") + 1
            end = next((i for i in range(start + 1, len(rest)) if rest[i] in COLUMN_WORDS), len(rest))
            default = " ".join(rest[start:end])
            if not SIMPLE_DEFAULT.fullmatch(default):
                self.wrong(f"the default '{default}' of a new column of {table} is no constant: it may rewrite the table")
        elif has(rest, "not", "null"):
            self.wrong(f"a new column of {table} is 'not null' and has no default")

    def add_constraint(self, table, words):
        rest = named(words[1:])[1] if words[0] == "constraint" else words
        if rest[:1] == ["exclude"]:
            self.wrong(f"'exclude' on {table} builds its index under a lock")
        elif rest[:1] in (["primary"], ["unique"]) and not has(rest, "using", "index"):
            self.wrong(f"'{rest[0]}' on {table} builds its index under a lock: build it concurrently, then 'using index'")
        elif rest[:1] in (["check"], ["foreign"]) and not has(rest, "not", "valid"):
            self.wrong(f"a constraint of {table} is checked under a lock: add it 'not valid', then validate it")
        if self.steps and "constraint" not in self.dropped:
            self.wrong("a step may be run twice: 'drop constraint if exists' before 'add constraint'")

    def alter_column(self, table, words):
        text = " ".join(words[:3])
        if words[:1] == ["type"] or text == "set data type":
            self.wrong(f"the type of a column of {table} is changed: add another column, fill it in batches, switch")
        elif text == "set not null" and table not in self.validated:
            self.wrong(f"'set not null' reads all of {table}: validate a check (… is not null) before it")
        elif words[:1] == ["add"]:
            self.wrong(f"a column of {table} becomes an identity")
        elif words[:2] not in (["set", "default"], ["set", "statistics"], ["set", "storage"], ["set", "not"], ["set", "("],
                               ["drop", "default"], ["drop", "not"], ["drop", "expression"], ["reset", "("],
                               ["set", "compression"]):
            self.wrong(f"'alter column {text} …' is not known to be instant")

    def on_create(self, words):
        rest = after(words[1:], "or replace", "global", "local", "temporary", "temp", "unlogged", "unique", "constraint")
        kind = rest[0] if rest else ""
        if kind == "table":
            table = named(after(rest[1:], "if not exists"))[0]
            self.again("create table", rest, "if not exists")
            for word in ("references", "of", "inherits"):  # each locks the other table too
                for i in (i for i, found in enumerate(rest) if found == word):
                    other = named(after(rest[i + 1:], "("))[0]
                    if other != table:
                        self.locks(other)
            self.made.add(table)
            if any(has(rest, "as", word) for word in ("select", "with", "table", "execute")):
                self.wrong(f"{table} is filled in one statement: make it, then fill it in batches")
        elif kind == "index":
            at = next((i for i, word in enumerate(rest) if word == "on"), len(rest))
            table = named(after(rest[at + 1:], "only"))[0]
            if table in self.made:
                self.again("create index", rest, "if not exists")
            elif self.kind != "concurrently" or not has(rest[:3], "concurrently"):
                self.wrong(f"an index of {table} is built under a lock: 'create index concurrently if not exists', after"
                           " '-- banter: concurrently'")
            else:
                self.again("create index", rest, "if not exists")
        elif kind == "trigger":
            at = next((i for i, word in enumerate(rest) if word == "on"), len(rest))
            self.locks(named(rest[at + 1:])[0])
            if not has(words, "or", "replace"):
                self.again("create trigger", words, "or replace")
        elif kind == "materialized":
            self.wrong("a materialized view is filled in one statement")
        elif kind in ("schema", "sequence"):
            self.again(f"create {kind}", rest, "if not exists")
        elif kind not in ("function", "view", "type", "domain", "aggregate", "collation", "statistics"):
            self.wrong(f"'create {kind} …' is not known to be instant")

    def on_drop(self, words):
        kind = words[1] if len(words) > 1 else ""
        self.again(f"drop {kind}", words, "if exists")
        if has(words, "cascade"):
            self.wrong(f"'drop {kind} … cascade' drops columns and triggers that it does not name: drop each by its name")
        if kind == "index" and self.kind != "concurrently":
            self.wrong("'drop index' locks its table: 'concurrently', after '-- banter: concurrently'")
        elif kind == "table" and not self.unused and named(after(words[2:], "if exists"))[0] not in self.made:
            self.wrong("a table is dropped, which functions may use until they are made again: say"
                       " '-- banter: unused since 0000' before it")
        elif kind == "table":
            self.locks(named(after(words[2:], "if exists"))[0])
        elif kind == "trigger":
            self.locks(named(words[words.index("on") + 1:])[0] if "on" in words else "its table")
        elif kind not in ("index", "function", "view", "type", "sequence", "domain", "aggregate"):
            self.wrong(f"'drop {kind} …' is not known to be instant")

    def on_lock(self, words):
        self.wrong("'lock table' keeps everybody waiting until the end")

    def on_reindex(self, words):
        if self.kind != "concurrently":
            self.wrong("'reindex' locks its table: 'concurrently', after '-- banter: concurrently'")

    def rewrites(self, words):
        self.wrong(f"'{' '.join(words[:2])}' rewrites or empties a table under a lock")

    on_cluster = on_truncate = on_refresh = on_vacuum = rewrites

    def ends(self, words):
        self.wrong(f"'{words[0]}': its transaction is the migrating program's")

    on_begin = on_start = on_commit = on_end = on_rollback = on_abort = on_savepoint = on_release = ends

    def fine(self, words):
        """Instant, or judged by writes()."""

    def on_select(self, words):
        if has(words, "set_config") and any(word.kind == "string" and word.text == "lock_timeout" for word in words):
            self.wrong("lock_timeout by set_config: 'set local lock_timeout', so that it is seen here")

    on_comment = on_grant = on_revoke = on_update = on_delete = on_merge = on_with = on_notify = fine

    def on_insert(self, words):
        if self.kind == "step":
            self.again("insert", words, "on conflict")


# The files


def migrations(folder):
    files = sorted(folder.glob("*.sql"))
    for number, file in enumerate(files, 1):
        if not re.fullmatch(rf"{number:04}_[a-z0-9_]+\.sql", file.name):
            yield f"{file.name}: the next number is {number:04}"
        elif number > FREE:
            yield from Migration(file.name, file.read_text()).found
    said = {
        "include/chat/store.h": re.search(r"STORE_SCHEMA_VERSION (\d+)", (ROOT / "include/chat/store.h").read_text()),
        "sql/app/schema_version.sql": re.search(r"select (\d+)", (SQL / "app/schema_version.sql").read_text()),
    }
    for file, match in said.items():
        if not match or int(match[1]) != len(files):
            yield f"{file} does not say that the latest migration is {len(files)}"


def function_file(folder, name, text):
    """One function, of that name, in the schema of its folder, and its comment."""
    schema = "banter_data" if folder == "inner" else "banter"
    where = f"{folder}/{name}.sql"
    made = 0
    for words in split([token for token in tokens_of(text) if token.kind != "directive"], ";"):
        if words[:7] == ["create", "or", "replace", "function", schema, ".", name]:
            made += 1
            if schema == "banter" and not (
                    has(words, "security", "definer")
                    and has(words, "search_path", "=", "pg_catalog", ",", "banter_data", ",", "pg_temp")):
                yield f"{where}: 'security definer' and 'set search_path = pg_catalog, banter_data, pg_temp'"
        elif words[:6] == ["comment", "on", "function", schema, ".", name]:
            made += 100
            if (folder == "operator") != words[-1].text.startswith("For the operator."):
                yield f"{where}: the comments in operator/, and only these, begin 'For the operator.'"
        else:
            yield f"{where}: '{' '.join(words[:4])} …' is not to be run at every migrate"
    if made != 101:
        yield f"{where}: wanted is a file that makes {schema}.{name}, once, and comments on it"


def functions(folder):
    names = {}
    for part in ("app", "operator", "inner"):
        for file in sorted((folder / part).glob("*")):
            if file.suffix != ".sql":
                yield f"{part}/{file.name}: no SQL file"
                continue
            names.setdefault(part, []).append(file.stem)
            yield from function_file(part, file.stem, file.read_text())
    both = set(names["app"]) & set(names["operator"])
    if both:
        yield f"in app/ and in operator/: {', '.join(sorted(both))}"
    listed = re.search(r"v_app constant text\[\] := array\[(.*?)\]", (folder / "roles.sql").read_text(), re.S)
    if not listed or re.findall(r"'(\w+)'", listed[1]) != names["app"]:
        yield f"roles.sql does not list the files of app/: {', '.join(names['app'])}"


def positional(tokens, least):
    """Calls of our functions with that many arguments or more, not all of them named."""
    tokens = list(tokens)
    for i, token in enumerate(tokens):
        if token.kind == "string":
            yield from positional(tokens_of(token.text), least)
        elif (token in ("banter", "banter_data") and tokens[i + 1:i + 2] == ["."] and tokens[i + 3:i + 4] == ["("]
              and (i == 0 or tokens[i - 1] not in ("function", "into", "table", "exists"))):
            depth, end = 1, i + 4
            while depth and end < len(tokens):
                depth += (tokens[end] == "(") - (tokens[end] == ")")
                end += 1
            arguments = split(tokens[i + 4:end - 1], ",")
            if len(arguments) >= least and not all("=>" in argument[:2] for argument in arguments):
                yield f"{token}.{tokens[i + 2]}", len(arguments)


def statements_in_c(text):
    """The strings of a C file, each with those that continue it."""
    joined = re.sub(r'(?<!\\)"[\s\\]*"', "", text)
    return [re.sub(r"\\(.)", r"\1", found) for found in re.findall(r'"((?:[^"\\\n]|\\.)*)"', joined)]


# Which names would cost: these are given all that they take (sql/README.md).
UNNAMED = {f"banter.{name}" for name in ("exchange_begin", "completion_begin", "visit_begin", "exchange_end")}


def taken(name):
    text = (SQL / "app" / f"{name.split('.')[1]}.sql").read_text()
    return len(re.findall(r"p_\w+", re.search(rf"function {re.escape(name)}\(([^)]*)\)", text)[1]))


def calls():
    for file in sorted((ROOT / "app").glob("*/*.c")):
        for statement in statements_in_c(file.read_text()):
            for name, given in positional(tokens_of(statement), 2):
                if name not in UNNAMED:
                    yield f"{file.relative_to(ROOT)}: the call of {name} does not name its arguments"
                elif given != taken(name):
                    yield f"{file.relative_to(ROOT)}: the call of {name} gives {given} of {taken(name)} arguments"
    for file in sorted(SQL.glob("[!m]*/*.sql")):
        for name, _ in positional(tokens_of(file.read_text()), 4):
            yield f"{file.relative_to(ROOT)}: the call of {name} does not name its arguments"


def main():
    found = [*migrations(SQL / "migrations"), *functions(SQL), *calls()]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
