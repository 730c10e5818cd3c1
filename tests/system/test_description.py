"""The API's description (OpenAPI), as it is served: G12. Whether it is true, described.py holds against every exchange."""

import json

import pytest
import servers

FILE = servers.ROOT / "app" / "http" / "openapi.json"
PATH = "/v1/openapi.json"


def get(site, method="GET", **headers):
    return site.request(method, PATH, {name.replace("_", "-"): value for name, value in headers.items()}, key=False)


def test_G12_the_description_is_the_repositorys_file(site):
    reply = get(site)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.content == FILE.read_bytes() and json.loads(reply.content)["openapi"].startswith("3.1.")


def test_G12_pages_of_any_origin_may_read_the_description(site):
    assert get(site, Origin="https://docs.example").headers["Access-Control-Allow-Origin"] == "*"


def test_G5_G12_the_description_may_be_kept_and_asked_for_again(site):
    headers = get(site).headers
    assert headers["Cache-Control"] == "no-cache" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["ETag"].startswith('"') and len(headers["ETag"]) == 34
    had = get(site, If_None_Match=f'"x", W/{headers["ETag"]}')
    assert (had.status_code, had.content, had.headers["ETag"]) == (304, b"", headers["ETag"])
    assert get(site, If_None_Match='"x"').status_code == 200


def test_G12_the_head_of_the_description(site):
    reply = get(site, "HEAD")
    assert (reply.status_code, reply.content, reply.headers["ETag"]) == (200, b"", get(site).headers["ETag"])


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_G12_the_description_is_only_read(site, method):
    reply = get(site, method)
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD")


def test_G12_the_description_counts_against_no_limit(start):
    site = start(address_limit=1, failed_key_limit=1)
    assert [get(site).status_code for _ in range(3)] == [200] * 3
    assert site.chat("Hello").status_code == 200
