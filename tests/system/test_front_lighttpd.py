"""What lighttpd says itself: not all of the contract's answer (see fronts), but in the form of the API that was asked."""

import contextlib
import os
import signal

import pytest
from apis import BOTH, REFUSALS
from fronts.lighttpd import Lighttpd
from servers import name, script, until
from site_client import at_once

MIB = 1 << 20


@pytest.fixture
def begin(postgres, database, standin):
    """begin(**settings) -> Site: one of the test's own, with one worker."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            contextlib.closing(Lighttpd.site(postgres, database.url(), standin, workers=1, **settings)))


def says(api, response, refusal):
    """The refusal's body in this API's form, whatever the status."""
    _, text, code = REFUSALS[refusal]
    assert response.headers["Content-Type"] == "application/json"
    api.check_refusal(response, response.json(), text, code)
    return response.status_code


def test_a_body_above_its_limit(begin):
    site = begin()
    for Api in BOTH:
        api = Api(site)
        assert says(api, api.post(b" " * (2 * MIB + 1)), "invalid") == 413
        assert api.refuses(api.post(b" " * 2 * MIB), "invalid")  # the program's own, up to there


def test_a_pool_that_is_away(begin):
    site = begin()
    site.banter.end()
    for Api in BOTH:
        response = Api(site).json("Hello")
        assert says(Api(site), response, "unavailable") == 503
        assert response.headers["Retry-After"] == "2"
        assert response.headers["Cache-Control"] == "no-store"


def test_a_program_that_is_silent_for_too_long(begin):
    site = begin(read_time=1)

    def asked(api):
        mark = name()
        assert says(api, api.json(script(mark, silence=True)), "unavailable") == 504
        # A busy machine may take all of that time to get so far.
        return site.model.requests(mark) and mark

    for Api in BOTH:
        site.model.wait(until(lambda: asked(Api(site)), "a model that was asked"), ended="client_left")  # noqa: B023


def test_a_worker_that_dies_before_its_answer(begin):
    site = begin()
    for Api in BOTH:
        api, mark = Api(site), name()

        def kill():
            site.model.wait(mark)
            (worker,) = site.banter.children()
            os.kill(worker, signal.SIGKILL)

        reply, _ = at_once(2, lambda n: kill() if n else api.json(script(mark, silence=True)))
        assert says(api, reply, "internal") == 500
        until(lambda: len(site.banter.children()) == 1, "another worker")
