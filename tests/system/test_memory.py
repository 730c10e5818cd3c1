"""What a worker has of its own while a model talks. It decides how many streams a machine bears."""

import statistics

import servers
from fastcgi import stream
from servers import name, script

NEVER = name("never")  # a gate that nobody opens


def own_in_mid_stream(banter, tenant):
    """KiB. Every worker is in a stream: what only one of them has read so far would count as its own. Nor does one count
    alone: the first has the start's connection to the database."""
    replies = [stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}), name())
               for _ in range(banter.workers)]
    for reply in replies:
        assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    return statistics.median_high(servers.own_kib(pid) for pid in banter.children())


# By a socket, as `make run` does it: libpq keeps 60 KiB of a login by TCP and password.


def test_a_worker_has_200_KiB_of_its_own(pool, postgres, tenant):
    assert own_in_mid_stream(pool(workers=4, database_url=postgres.url()), tenant) <= 200


def test_a_worker_that_asks_by_tls_has_420_KiB_of_its_own(pool, postgres, tenant, tls):
    banter = pool(workers=4, database_url=postgres.url(), model_url=tls.url, model_ca=tls.certificates / "ours.pem")
    assert own_in_mid_stream(banter, tenant) <= 420
