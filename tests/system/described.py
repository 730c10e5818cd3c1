"""Holds every exchange that a test's clients see against the API's description (app/http/openapi.json), and remembers what
of it was seen.

servers.session(), Site.raw() and fastcgi.py's Connection.ask() tell what came. Replies with an X-Request-Id are Banter's, or a
web server's in its place, which must not differ; others are none of ours. Not for what a reply means: that is each test's.
Nothing is held unless hold_from_now_on() was called, which conftest.py does: other suites' clients need no description."""

import functools
import json
import pathlib
import re
import urllib.parse

import requests

FILE = pathlib.Path(__file__).resolve().parents[2] / "app" / "http" / "openapi.json"
# What web servers add of their own.
SERVERS_OWN = {"accept-ranges", "alternates", "connection", "content-encoding", "content-length", "content-location", "content-type",
               "date", "keep-alive", "server", "status", "tcn", "transfer-encoding", "upgrade", "via", "x-powered-by"}
METHODS = {"get", "post", "put", "patch", "delete"}

description = None
# What of the description was seen, as Description.named() calls it.
seen = set()
# What was seen and is not described, since it was last asked for.
wrong = []


class Undescribed(Exception):
    """What a reply has, or lacks."""


def hold_from_now_on():
    global description
    description = Description(json.loads(FILE.read_text()))


def take_wrong():
    """What was found since the last time; each test is told its own."""
    found = wrong[:]
    wrong.clear()
    return found


def hold(method, target, request_headers, request_body, status, headers, body, whole=True, prefix=""):
    """One exchange. `target`: a URL, or what stands in a request's line; `body`: what came of it, all of it if `whole`;
    `prefix`: the folder of the site where Banter is."""
    headers = by_lower_names(headers)
    if description is None or "x-request-id" not in headers:
        return
    try:
        description.hold(method, target, by_lower_names(request_headers or {}), request_body, status, headers, body, whole, prefix)
    except (Undescribed, ValueError) as reason:
        text = f"{method} {target}, {status}: {reason}"
        if text not in wrong:
            wrong.append(text)


def by_lower_names(headers):
    return {name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value for name, value in headers.items()}


class Session(requests.Session):
    """A client whose exchanges are held unless `held` is false, a stream's when its reader has ended. `prefix`: as hold() has it."""

    held = True
    prefix = ""

    def send(self, request, **how):
        reply = super().send(request, **how)
        if self.held and description is not None and "x-request-id" in reply.headers:
            if how.get("stream"):
                self._follow(request, reply)
            else:
                self._hold(request, reply, reply.content, True)
        return reply

    def _hold(self, request, reply, body, whole):
        hold(request.method, request.url, request.headers, request.body, reply.status_code, reply.headers, body, whole, self.prefix)

    def _follow(self, request, reply):
        read = reply.iter_content

        def iter_content(*arguments, **named):
            pieces, whole = [], False
            try:
                for piece in read(*arguments, **named):
                    pieces.append(piece if isinstance(piece, bytes) else piece.encode())
                    yield piece
                whole = True
            finally:
                self._hold(request, reply, b"".join(pieces), whole)

        reply.iter_content = iter_content


class Description:
    """The description, and what an exchange must be by it. Places in it are JSON pointers."""

    def __init__(self, document):
        import jsonschema

        self.document = document
        # Schemas, each with the shapes of what has been held against it.
        self.known = set()
        self.at, self.place = functools.lru_cache(None)(self.at), functools.lru_cache(None)(self.place)
        self.telling = self._telling(document)
        self.validator = functools.lru_cache(None)(lambda pointer: jsonschema.Draft202012Validator(
            {"components": document["components"], **self.at(pointer)}))
        self.paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in document["paths"]]
        # The one without names counts where two fit.
        self.paths.sort(key=lambda one: one[1].count("{"))

    def _telling(self, node):
        """Members whose values say which kind of thing it is."""
        if isinstance(node, list):
            return set().union(*map(self._telling, node))
        if not isinstance(node, dict):
            return set()
        members = {name: one for name, one in node.get("properties", {}).items() if isinstance(one, dict)}
        own = {name for name, one in members.items() if {"const", "enum"} & self.resolve(one).keys()}
        return own.union(*map(self._telling, node.values()))

    def node(self, pointer):
        node = self.document
        for name in pointer.removeprefix("#/").split("/"):
            name = name.replace("~1", "/").replace("~0", "~")
            node = node[int(name)] if isinstance(node, list) else node[name]
        return node

    def at(self, pointer):
        return self.resolve(self.node(pointer))

    def resolve(self, node):
        return self.at(node["$ref"]) if "$ref" in node else node

    @staticmethod
    def inside(pointer, *names):
        return "/".join([pointer, *(str(name).replace("~", "~0").replace("/", "~1") for name in names)])

    def place(self, pointer):
        """Where that is which stands there, or is referred to from there."""
        node = self.node(pointer)
        return self.place(node["$ref"]) if "$ref" in node else pointer

    # What was asked

    def find(self, target, prefix):
        """The path of ours that a target names, None for none; and its query's members."""
        path, _, query = re.sub(r"^[a-z]+://[^/?]*", "", target).partition("?")
        path = path.removeprefix(prefix).removesuffix("/") if path.startswith(prefix + "/") else ""
        known = next((known for pattern, known in self.paths if pattern.fullmatch(path)), None)
        return known, urllib.parse.parse_qs(query)

    def hold(self, method, target, request_headers, request_body, status, headers, body, whole, prefix):
        path, query = self.find(target, prefix)
        came = method, status, headers, body, whole
        if path is None:
            # A site's other files are no replies of ours; nor is a page by which Apache, told to call it JSON, hides one.
            if headers.get("content-type", "").startswith(("application/", "text/plain")) and not body.startswith(b"<"):
                self.elsewhere(target, came)
            return
        item, asked = self.inside("#/paths", path), method.lower().replace("head", "get")
        operation = self.inside(item, asked)
        name = f"{asked.upper()} {path} {status}"
        try:
            if method == "OPTIONS" and status == 204:
                self.reply("preflight", "#/x-preflight", came)
            elif asked not in METHODS & self.at(item).keys():
                if status != 405:
                    raise Undescribed(f"{path} has no such method, and this is not 405")
                self.reply(f"another method of {path}", self.inside(item, "x-other-methods"), came)
            else:
                if str(status) not in self.at(operation)["responses"]:
                    raise Undescribed(f"{asked.upper()} {path} has no such status")
                self.reply(name, self.inside(operation, "responses", status), came)
                if status < 300:
                    self.request(item, operation, request_headers, query, request_body)
        except Undescribed as reason:
            self.elsewhere(target, came, reason)

    def elsewhere(self, target, came, reason=None):
        """What any path may get. It need not be in the words of its prefix: a site may have a folder in front of it."""
        status = str(came[1])
        if reason and status == "404":
            raise reason
        for before, responses in sorted(self.document["x-any-path"].items(), key=lambda one: one[0] not in target):
            try:
                if status in responses:
                    return self.reply(f"any path {before} {status}", self.inside("#/x-any-path", before, status), came)
            except Undescribed as other:
                reason = reason or other
        raise reason or Undescribed("no path has such a status")

    def request(self, item, operation, headers, query, body):
        """What was answered well was asked well."""
        parameters = [self.resolve(one) for at in (item, operation) for one in self.at(at).get("parameters", [])]
        for one in parameters:
            value = headers.get(one["name"].lower()) if one["in"] == "header" else query.get(one["name"], [None])[-1]
            if value is not None:
                self.fits(f"the request's {one['name']}", self.resolve(one["schema"]), value)
        content = self.at(operation).get("requestBody", {}).get("content")
        if content and isinstance(body, (bytes, str)) and body:
            at = self.inside(operation, "requestBody", "content", "application/json", "schema")
            said = json.loads(body)
            if self.is_new(at, self.shape(said)):
                self.valid("the request's body", at, said)

    # What came

    def reply(self, name, pointer, came):
        method, _, headers, body, whole = came
        pointer = self.place(pointer)
        response = self.at(pointer)
        self.headers(pointer, response, headers)
        content = response.get("content", {})
        kind = headers.get("content-type", "").partition(";")[0].strip() or None
        if not content:
            if kind or body:
                raise Undescribed("it has a body")
            seen.add(name)
            return
        if kind not in content:
            raise Undescribed(f"its type is {kind}")
        if method == "HEAD":
            if body:
                raise Undescribed("a HEAD's reply has a body")
            return
        media = self.inside(pointer, "content", kind)
        schema = self.inside(media, "schema")
        for value in self.values(kind, body, whole):
            if "examples" in content[kind]:
                self.example(media, content[kind]["examples"], value)
            if self.is_new(schema, name, self.shape(value)):
                self.valid("its body", schema, value)
                self.walk(schema, value, name if kind != "application/json" else None)
        seen.add(f"{name} {kind}")

    def headers(self, pointer, response, headers):
        everywhere = self.document["x-every-reply"]["headers"]
        known = {name.lower(): (name, self.resolve(one)) for name, one in {**everywhere, **response.get("headers", {})}.items()}
        for name, (called, one) in known.items():
            if name in headers:
                self.fits(called, one["schema"], headers[name])
                if called not in everywhere:
                    seen.add(f"{pointer} {called}")
            elif one.get("required"):
                raise Undescribed(f"it has no {called}")
        for name in headers.keys() - known.keys() - SERVERS_OWN:
            raise Undescribed(f"the header {name} is not described")

    @staticmethod
    def values(kind, body, whole):
        """What a schema is of: a body, or each event of one."""
        if kind == "application/json":
            return [json.loads(body)] if whole else []
        if kind == "application/x-ndjson":
            return [json.loads(line) for line in body.split(b"\n")[:-1] if line]
        if kind == "text/event-stream":
            lines = [line.removeprefix(b"data: ") for line in body.split(b"\n")[:-1] if line.startswith(b"data: ")]
            return [json.loads(line) if line.startswith(b"{") else line.decode() for line in lines]
        return [body.decode()]

    def shape(self, value, telling=False):
        """Of values of one shape, one is looked at."""
        if isinstance(value, dict):
            return tuple(sorted((name, self.shape(one, name in self.telling)) for name, one in value.items()))
        if isinstance(value, list):
            return frozenset(map(self.shape, value))
        return value if telling or value == "" else type(value).__name__

    def is_new(self, *what):
        if what in self.known:
            return False
        self.known.add(what)
        return True

    @staticmethod
    def fits(name, schema, text):
        """A header's or a query's value."""
        integer = schema.get("type") == "integer"
        if integer and not (text.isdigit() and int(text) >= schema.get("minimum", 0)) or text not in schema.get("enum", [text]) or \
                text != schema.get("const", text) or not re.search(schema.get("pattern", ""), text):
            raise Undescribed(f"{name} is {text!r}")

    def valid(self, what, pointer, value):
        for error in self.validator(self.place(pointer)).iter_errors(value):
            raise Undescribed(f"{what} is not as {self.place(pointer)} says: {error.message[:300]}")

    def example(self, media, examples, value):
        """An error is one of those that are named, numbers aside."""
        def plain(one):
            return one if isinstance(one, str) else {name: type(member) if type(member) is int else member for name, member in one.items()}

        for name, one in examples.items():
            if plain(self.resolve(one)["value"]) == plain(value):
                seen.add(f"{media} {name}")
                return
        raise Undescribed(f"its body is none of {media}: {value}")

    def walk(self, pointer, value, name=None):
        """Adds what a value shows of its schema; `name`: of whose events it is one."""
        pointer = self.place(pointer)
        schema = self.at(pointer)
        if "enum" in schema:
            seen.add(f"{pointer} {json.dumps(value)}")
        for index, one in enumerate(schema.get("oneOf", [])):
            branch = self.inside(pointer, "oneOf", index)
            if self.validator(self.place(branch)).is_valid(value):
                seen.add(self.branch(pointer, branch, name))
                self.walk(branch, value)
        if isinstance(value, dict) and "properties" in schema:
            for member, one in value.items():
                if member in schema["properties"]:
                    self.walk(self.inside(pointer, "properties", member), one)
                elif not schema.get("additionalProperties"):
                    raise Undescribed(f"{pointer} has no member {member}")
        if isinstance(value, list) and "items" in schema:
            for one in value:
                self.walk(self.inside(pointer, "items"), one)

    def branch(self, pointer, branch, name):
        return f"{name or pointer} {self.place(branch).rpartition('/')[2]}"

    # What there is to see

    def named(self):
        """All that some test must see, as `seen` has it."""
        found, walked = set(), set()

        def of_schema(pointer, name=None):
            pointer = self.place(pointer)
            schema = self.at(pointer)
            for index in range(len(schema.get("oneOf", []))):
                branch = self.inside(pointer, "oneOf", index)
                found.add(self.branch(pointer, branch, name))
                of_schema(branch)
            if pointer in walked:
                return
            walked.add(pointer)
            found.update(f"{pointer} {json.dumps(value)}" for value in schema.get("enum", []))
            for member in schema.get("properties", {}):
                of_schema(self.inside(pointer, "properties", member))
            if "items" in schema:
                of_schema(self.inside(pointer, "items"))

        def of_response(name, pointer):
            pointer = self.place(pointer)
            response = self.at(pointer)
            found.update(f"{pointer} {header}" for header in response.get("headers", {}))
            for kind, media in response.get("content", {}).items():
                at = self.inside(pointer, "content", kind)
                found.add(f"{name} {kind}")
                found.update(f"{at} {example}" for example in media.get("examples", {}))
                of_schema(self.inside(at, "schema"), name if kind != "application/json" else None)
            if "content" not in response:
                found.add(name)

        of_response("preflight", "#/x-preflight")
        for before, responses in self.document["x-any-path"].items():
            for status in responses:
                of_response(f"any path {before} {status}", self.inside("#/x-any-path", before, status))
        for path, item in self.document["paths"].items():
            at = self.inside("#/paths", path)
            of_response(f"another method of {path}", self.inside(at, "x-other-methods"))
            for method in METHODS & item.keys():
                for status in item[method]["responses"]:
                    of_response(f"{method.upper()} {path} {status}", self.inside(at, method, "responses", status))
        return found


def unseen():
    """What the description names and no test saw, a line each."""
    return sorted(description.named() - seen)
