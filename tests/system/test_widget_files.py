"""The widget's files, as the program serves them from its own memory: W1 to W5. Behind each web server: test_fronts."""

import gzip
import hashlib
import pathlib
import re

import described
import pytest
from apis import check_headers
from site_client import site_of_its_own

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "app" / "web"
LOADER = FOLDER / "banter.js"
IMPORT = re.compile(r"^import .* from '\./(.*?)'", re.MULTILINE)
FOR_EVER, MINUTES = "public, max-age=31536000, immutable", "public, max-age=300"


def imports(path):
    return [FOLDER / name for name in IMPORT.findall(path.read_text())]


def packed(path):
    """What is served of a file: its lines without indentation, and none that is only a comment; what it imports before it."""
    before = ""
    for one in imports(path):
        text = packed(one).decode()
        if one.suffix == ".css":
            text = f"const style = new CSSStyleSheet();\nstyle.replaceSync(`{text.rstrip()}`);\n"
        before += re.sub(r"^export ", "", text, flags=re.MULTILINE)
    lines = [line.lstrip() for line in path.read_text().splitlines()]
    own = (line for line in lines if line and not re.fullmatch(r"//.*|/\*.*\*/|import .*", line))
    return (before + "".join(f"{line}\n" for line in own)).encode()


SOURCES = [path for path in FOLDER.iterdir() if path.suffix in (".js", ".css")]
FILES = sorted({*SOURCES} - {LOADER} - {one for path in SOURCES for one in imports(path)})
EVERY = [LOADER, *FILES]

VERSION = hashlib.sha256(b"".join(map(packed, FILES))).hexdigest()[:16]
every = pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name)


def address(path, version=VERSION):
    return "/banter.js" if path == LOADER else f"/banter/{version}/{path.name}"


def content(path):
    return packed(path).replace(b"@VERSION@", VERSION.encode())


def get(site, path, encoding="identity", method="GET", prefix="", **headers):
    """The reply, and the bytes that came."""
    target = prefix + (path if isinstance(path, str) else address(path))
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = site.request(method, target, {"Accept-Encoding": encoding, **headers}, key=False, stream=True)
    came = reply.raw.read(decode_content=False)
    plain = gzip.decompress(came) if came and "Content-Encoding" in reply.headers else came
    described.hold(method, reply.url, reply.request.headers, None, reply.status_code, reply.headers, plain, prefix=prefix)
    return reply, came


def test_W1_the_loader_names_the_version_of_the_others(site):
    reply, came = get(site, LOADER)
    assert (reply.status_code, reply.headers["Cache-Control"]) == (200, MINUTES)
    assert came == content(LOADER)
    assert re.findall(rb"banter/([0-9a-f]{16})/", came) == [VERSION.encode()]
    assert (FOLDER / "widget.js").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_W2_a_file_of_this_version_may_be_kept_for_ever(site, path):
    reply, came = get(site, path)
    assert (reply.status_code, reply.headers["Cache-Control"], came) == (200, FOR_EVER, content(path))


@pytest.mark.parametrize("version", ["0123456789abcdef", VERSION.upper() + "0", "x"])
def test_W2_of_another_version_it_is_todays_and_asked_for_again(site, version):
    for path in FILES:
        reply, came = get(site, address(path, version))
        assert (reply.status_code, reply.headers["Cache-Control"], came) == (200, "no-cache", content(path))
        assert get(site, address(path, version), If_None_Match=reply.headers["ETag"])[0].status_code == 304


@pytest.mark.parametrize("name", ["banter.js", "demo.html", "widget.js.gz", "widget", "Widget.js", "..%2Fbanter.js"])
def test_W2_a_file_that_is_none_is_404(site, name):
    reply = site.request("GET", f"/banter/{VERSION}/{name}", key=False)
    assert (reply.status_code, reply.json()) == (404, {"error": "Not found"})
    check_headers(reply)


@every
def test_W3_a_file_is_compressed_for_who_takes_that(site, path):
    plain, _ = get(site, path)
    assert "Content-Encoding" not in plain.headers
    for encoding in ("gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.8, *;q=0.1"):
        reply, came = get(site, path, encoding)
        assert (reply.headers["Content-Encoding"], gzip.decompress(came)) == ("gzip", content(path))
        assert reply.headers["ETag"] != plain.headers["ETag"]
    for encoding in ("", "br", "gzip;q=0", "*;q=0, identity", "gzip;q=0.1, identity"):
        reply, came = get(site, path, encoding)
        assert "Content-Encoding" not in reply.headers and came == content(path)
    for one in (plain, get(site, path, "gzip")[0]):
        assert (one.headers["Content-Type"], one.headers["Vary"]) == ("text/javascript; charset=utf-8", "Accept-Encoding")


@every
def test_W3_who_has_a_form_of_a_file_is_told_so(site, path):
    tags = {encoding: get(site, path, encoding)[0].headers["ETag"] for encoding in ("gzip", "identity")}
    for encoding, tag in tags.items():
        for known in (tag, f'"x", W/{tag}', "*"):
            reply, came = get(site, path, encoding, If_None_Match=known)
            assert (reply.status_code, came, reply.headers["ETag"]) == (304, b"", tag)
            assert reply.headers["Vary"] == "Accept-Encoding" and reply.headers["Cache-Control"] in (FOR_EVER, MINUTES)
            assert "Content-Encoding" not in reply.headers
    assert get(site, path, "gzip", If_None_Match=tags["identity"])[0].status_code == 200


@every
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_W1_W2_the_head_of_a_file(site, path, encoding):
    (head, nothing), (reply, _) = (get(site, path, encoding, method) for method in ("HEAD", "GET"))
    assert (head.status_code, nothing) == (200, b"")
    own = {"Date", "X-Request-Id", "Transfer-Encoding", "Content-Length", "Connection"}
    assert {name: value for name, value in head.headers.items() if name not in own} == \
        {name: value for name, value in reply.headers.items() if name not in own}


@every
def test_W4_G5_pages_of_any_origin_may_load_it(site, path):
    reply, _ = get(site, path, Origin="https://somewhere.example", Sec_Fetch_Mode="cors")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert (reply.headers["X-Content-Type-Options"], reply.headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert reply.headers["X-Request-Id"]


@every
def test_W4_G1_other_methods_are_405(site, path):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        reply = site.request(method, address(path), key=False)
        assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD")


def test_W4_they_count_against_no_limit(start):
    site = start(address_limit=1, failed_key_limit=1, visitor_address_limit=1)
    assert {get(site, path)[0].status_code for _ in range(3) for path in EVERY} == {200}
    assert site.chat("Hello").status_code == 200


def test_W4_they_are_served_while_the_database_is_away(standin):
    with site_of_its_own(standin, database_time="2s", database_connect_time="2s") as site:
        site.postgres.stop()
        assert site.request("GET", "/health", key=False).status_code == 503
        assert {get(site, path)[0].status_code for path in EVERY} == {200}


def test_W1_G2_in_a_folder_of_a_site(start):
    site = start(path_prefix="/shop/chat")
    for path in EVERY:
        reply, came = get(site, path, prefix="/shop/chat")
        assert (reply.status_code, came) == (200, content(path))
        assert site.request("GET", address(path), key=False).status_code == 404


def test_W5_what_a_page_loads_is_small(site):
    """Of the languages it is one."""
    sizes = {path.name: len(get(site, path, "gzip")[1]) for path in EVERY}
    languages = [sizes.pop(name) for name in list(sizes) if name.startswith("words-")]
    assert sum(sizes.values()) + max(languages) <= 12288, (sizes, max(languages))
