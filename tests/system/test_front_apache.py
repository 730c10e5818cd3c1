"""What only Apache does: Banter in a folder of a site that was there before, which stays as it was."""

import contextlib

import pytest
from apis import BOTH
from fronts.proxy_fcgi import ProxyFcgiFolder
from servers import script


@pytest.fixture(scope="module")
def site(postgres, database, standin):
    with contextlib.closing(ProxyFcgiFolder.site(postgres, database.url(), standin)) as site:
        yield site


def outside(site, method, path, **more):
    """A request to the site around the folder."""
    return site.http.request(method, f"http://127.0.0.1:{site.nginx.port}{path}", **more)


def test_the_site_around_the_folder_keeps_its_ways(site):
    for Api in BOTH:
        assert Api(site).answered(script("Hello", tokens=["a"]), True) == "a"
    lost = outside(site, "GET", "/lost")
    assert (lost.status_code, lost.text, lost.headers["Content-Type"]) == (404, "<p>Lost.", "text/html")
    assert not {"Cache-Control", "Referrer-Policy", "X-Request-Id", "X-Content-Type-Options"} & set(lost.headers)
    assert outside(site, "GET", "/lost.html").status_code == 200


def test_uploads_to_the_site_may_be_as_large_as_before(site):
    large = b"x" * (3 << 20)
    assert outside(site, "POST", "/lost.html", data=large).status_code == 200
    assert outside(site, "POST", "/lost.html", data=iter([large])).status_code == 200
