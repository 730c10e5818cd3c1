"""Slow clients and hostile ones: what they cost is bounded, and who behaves notices nothing. BANTER_TEST_INPUTS says how many
requests the record fuzzer makes; BANTER_TEST_SEED repeats those of one run."""

import contextlib
import os
import random
import resource
import socket
import threading
import time

import pytest

import fastcgi
import fastcgi_fuzz
import servers
from fastcgi import Connection, Cut, Reply, chat, chat_body, chat_params, health
from servers import name, script, until
from site_client import at_once
from test_pool import logged

INPUTS = int(os.environ.get("BANTER_TEST_INPUTS", "1500"))
MANY = 1000
LONG = "1m"  # of a wait that must not be somebody else's ...
BOUND = 20  # ... who is answered within so many seconds, however busy the machine
MOST_KIB = 1000  # of a process's own, afterwards
HEALTH = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/health", "REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture
def many_descriptors():
    """This process holds the ends of all of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MANY + 300:
        pytest.skip(f"this user may have only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 300), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def unharmed(ask):
    """Somebody beside it who behaves: asks again and again, is always answered, and never waits for long."""
    over, failed, waits = threading.Event(), [], []

    def behave():
        while not over.is_set() and not failed:
            began = time.monotonic()
            try:
                assert ask() == "fine"
            except Exception as error:  # whatever it is, the test shall say it
                failed.append(error)
            waits.append(time.monotonic() - began)
            over.wait(0.05)

    thread = threading.Thread(target=behave)
    thread.start()
    try:
        yield
        done = len(waits)
        until(lambda: failed or len(waits) > done + 1, "one more answer")
    finally:
        over.set()
        thread.join()
    assert not failed, failed
    assert max(waits) < BOUND, sorted(waits)[-5:]


def asked(banter, tenant):
    """A question on the socket; its answer, or the status."""
    def ask():
        with contextlib.closing(chat(banter.socket, tenant, script("hello", tokens=["fine"]), session=name()).connection) as one:
            reply = Reply(one)
            return reply.json()["message"] if reply.status == 200 else reply.status

    return ask


def asked_of(site):
    """A question through nginx."""
    def ask():
        reply = site.chat(script("hello", tokens=["fine"]))
        return reply.json()["message"] if reply.status_code == 200 else reply.status_code

    return ask


def everybody(banter):
    return banter.children() + banter.children("admit")


def is_bounded(banter, most=MOST_KIB):
    """No process of it has kept much of what it bore; where that can be looked at."""
    for pid in everybody(banter):
        with contextlib.suppress(pytest.skip.Exception):
            until(lambda pid=pid: servers.own_kib(pid) <= most, f"{servers.own_kib(pid)} KiB of {pid} to become less", 5)


# Idle


def test_a_thousand_silent_connections_keep_no_worker(many_descriptors, pool, tenant):
    """On the pool's own socket. Who speaks at last is served, and so is everybody else meanwhile."""
    banter = pool(workers=2, request_time=LONG)
    asked(banter, tenant)()
    pids, admission = banter.children(), until(lambda: banter.children("admit"), "who holds them")[0]
    held = servers.descriptors(admission)
    with unharmed(asked(banter, tenant)):
        silent = [Connection(banter.socket) for _ in range(MANY)]
        until(lambda: servers.descriptors(admission) >= held + MANY - 10, "all of them to be held")
        for one in silent[::100]:
            assert one.ask(HEALTH).status == 200
        for one in silent:
            one.close()
        until(lambda: servers.descriptors(admission) <= held + 1, "their descriptors")
    is_bounded(banter)
    assert (banter.children(), banter.children("admit")) == (pids, [admission])


def test_a_silent_connection_is_closed_after_BANTER_REQUEST_TIME(pool, tenant):
    banter = pool(workers=1, request_time="500ms")
    with Connection(banter.socket) as silent:
        assert asked(banter, tenant)() == "fine"
        assert silent.ended()


def test_a_silent_connection_outlives_who_holds_it(pool):
    """The admission process is exchanged at a reload; who speaks then is served."""
    banter = pool(workers=1, request_time=LONG)
    admission = until(lambda: banter.children("admit"), "who holds it")[0]
    held = servers.descriptors(admission)
    with Connection(banter.socket) as silent:
        until(lambda: servers.descriptors(admission) > held, "it to be held")
        banter.process.send_signal(1)
        until(lambda: banter.children("admit") not in ([], [admission]) and len(banter.children("admit")) == 1, "the next one")
        assert silent.ask(HEALTH).status == 200


def test_without_an_admission_process_a_silent_connection_is_waited_for(pool):
    banter = pool(workers=1, queue_time=0, request_time="500ms")
    with Connection(banter.socket) as silent:
        assert health(banter.socket) == 200
        assert silent.ended()


def test_a_thousand_idle_connections_of_nginx_cost_the_pool_nothing(many_descriptors, start):
    site = start(workers=2)
    asked_of(site)()
    pids = site.banter.children()
    with unharmed(asked_of(site)):
        idle = [socket.create_connection(("127.0.0.1", site.nginx.port)) for _ in range(MANY)]
        for one in idle[::2]:
            one.sendall(b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nX-Half: ")
        for one in idle[1::10]:
            one.sendall(b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + b"x" * 50)
    is_bounded(site.banter)
    for one in idle:
        one.close()
    assert site.banter.children() == pids


# Senders


def test_senders_of_half_a_body_through_nginx_keep_no_worker(start):
    """It has the whole body before it asks."""
    site = start(workers=1, request_time=LONG)
    head = f"POST /v1/chat HTTP/1.1\r\nHost: a\r\nx-api-key: {site.tenant.widget_key}\r\nContent-Length: 60000\r\n\r\n".encode()
    with unharmed(asked_of(site)), contextlib.ExitStack() as stack:
        for _ in range(50):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", site.nginx.port)))
            one.sendall(head + b"x" * 30000)


def test_senders_of_half_a_body_on_the_socket_are_ended_in_time(pool, tenant):
    """Each keeps a worker for as long as a request may take; who waits behind them is served then."""
    banter = pool(workers=2, request_time="300ms")
    pids = banter.children()
    with unharmed(asked(banter, tenant)):
        half = [Connection(banter.socket) for _ in range(20)]
        for one in half:
            one.begin()
            one.params(chat_params(tenant, b"x" * 60000))
            one.stdin(b"x" * 30000, end=False)
        for one in half:
            assert Reply(one).status == 400
            one.close()
    is_bounded(banter)
    assert banter.children() == pids


HEADERS = {
    "one value of 64 KiB": {"HTTP_X_LONG": "v" * 65536},
    "a value that ends where a record does": {"HTTP_X_LONG": "v" * (65535 - 24)},
    "one name of 64 KiB": {"HTTP_" + "X" * 65531: "v"},
    "2,000 of them": {f"HTTP_X_{n}": "v" * 32 for n in range(2000)},
    "a MiB in all": {f"HTTP_X_{n}": "v" * 65536 for n in range(16)},
}


def test_64_KiB_of_headers_are_borne(pool, tenant):
    """And leave no memory in use."""
    banter = pool(workers=1)
    body = chat_body(script("hello", tokens=["fine"]))
    pids = banter.children()
    for what, more in HEADERS.items():
        for size in (65535, 8000):
            with Connection(banter.socket) as one:
                one.begin()
                one.params({**more, **chat_params(tenant, body)}, size=size)
                one.stdin(body)
                reply = Reply(one)
                assert (reply.status, reply.json()["message"], reply.whole) == (200, "fine", True), what
    is_bounded(banter)
    assert banter.children() == pids


def test_64_KiB_of_headers_through_nginx_are_answered(site):
    pids = site.banter.children()
    with unharmed(asked_of(site)):
        for headers in ({"X-Long": "v" * 65536}, {f"X-{n}": "v" * 32 for n in range(2000)}):
            status, _, _ = site.raw("POST", "/v1/chat", headers, b"{}")
            assert status in (400, 401)
    assert site.banter.children() == pids


# Readers

LONGER = 100000  # tokens, of 10 bytes: more than any socket holds
LONGEST = 1 << 20  # bytes; libpq keeps a buffer for what was once sent


@contextlib.contextmanager
def read_slowly(one):
    """Somebody who takes a byte now and then meanwhile."""
    over = threading.Event()

    def read():
        with contextlib.suppress(OSError):
            while not over.wait(0.2) and one.recv(1):
                pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
        assert reader.is_alive()  # it still has something to read
    finally:
        over.set()
        reader.join()
        one.close()


@pytest.mark.parametrize("path", ["/v1/chat/stream", "/v1/chat"])
def test_a_reader_of_a_byte_a_second_is_given_up_after_BANTER_WRITE_TIME(pool, tenant, path):
    """The only worker is free again while its reader still reads what the kernel holds."""
    banter = pool(workers=1, write_time="500ms", answer_bytes=LONGEST)
    pids = banter.children()
    slow = chat(banter.socket, tenant, script(name("slow"), tokens=LONGER), path).connection
    with read_slowly(slow.socket):
        assert asked(banter, tenant)() == "fine"
    is_bounded(banter, MOST_KIB + 2 * (LONGEST >> 10))
    assert banter.children() == pids


def test_a_reader_of_a_byte_a_second_through_nginx_harms_nobody(start):
    site = start(workers=2, write_time="500ms", answer_bytes=LONGEST)
    for path in ("/v1/chat/stream", "/v1/chat"):
        slow = site.call(path, site.body(script(name("slow"), tokens=LONGER)))
        with read_slowly(slow), unharmed(asked_of(site)):
            if path == "/v1/chat/stream":  # of the other nginx takes all at once
                logged(site.banter, 'cause="the client left"')
    is_bounded(site.banter, MOST_KIB + 2 * (LONGEST >> 10))


# Records


@pytest.fixture
def seed():
    value = os.environ.get("BANTER_TEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
    print(f"BANTER_TEST_SEED={value} makes these records again")
    return value


def ends_in_time(one):
    """Whatever is said on it."""
    began = time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        while one.recv(65536):
            pass
    assert time.monotonic() - began < BOUND


def test_a_worker_lost_to_libfcgi_is_replaced(pool, tenant, postgres):
    """It asks malloc for what a value's length says, and gives up where that cannot be. Nothing is left behind."""
    banter = pool(workers=2, key_open=1)
    pids = banter.children()
    for n in range(1, 4):
        with Connection(banter.socket) as one:
            with contextlib.suppress(OSError):
                one.send(fastcgi.begin() + fastcgi.record(fastcgi.PARAMS, b"\1\xff\xff\xff\xfeab"))
            assert one.ended()
        logged(banter, r"worker \d+ \(pid \d+\) died: (?:killed by signal 6|exited with 1).*, stage request for .*; a replacement starts in", n)
        assert asked(banter, tenant)() == "fine"
    until(lambda: len(banter.children()) == 2, "both workers")
    assert set(banter.children()) != set(pids)
    assert asked(banter, tenant)() == "fine"
    assert postgres.run("select count(*) from banter_data.exchange where workspace = %s and state = 'running'",
                        tenant.workspace) == [(0,)]
    assert banter.end() == 0
    banter.log.unlink()  # what a sanitizer says there is of libfcgi


def test_records_broken_in_every_way_cost_at_most_a_worker(pool, tenant, seed):
    """Those that are whole are answered, however they are cut; the others end, in time, and harm nobody beside them."""
    banter = pool(workers=4, request_time="500ms", write_time="1s")
    assert asked(banter, tenant)() == "fine"
    body = chat_body(script("hello", tokens=["fine"]))
    clients, answered = 8, []

    def send(n):
        dice = random.Random(f"{seed}.{n}")
        params = HEALTH if dice.random() < 0.5 else chat_params(tenant, body)
        data, whole = fastcgi_fuzz.request(dice, params, body)
        for attempt in range(5):
            with Connection(banter.socket) as one:
                with contextlib.suppress(OSError):
                    one.send(data)
                if not whole and dice.random() < 0.5:
                    return  # it leaves at once
                if not whole:
                    ends_in_time(one.socket)
                    return
                with contextlib.suppress(Cut):
                    reply = Reply(one)
                    assert reply.status == 200 and reply.json() and reply.whole, f"input {n}"
                    answered.append(n)
                    return
        raise AssertionError(f"input {n} is cut however often it is sent")

    def some(client):
        for n in range(client, INPUTS, clients):
            send(n)

    with unharmed(asked(banter, tenant)):
        at_once(clients, some)
    is_bounded(banter)
    died = banter.text().count(" died: ")
    print(f"{INPUTS} inputs, {len(answered)} of them whole; {died} workers were lost")
    assert len(answered) >= INPUTS // 8
    until(lambda: len(banter.children()) == 4, "all workers")
    assert banter.text().count("a replacement starts in") == died
    assert banter.end() == 0
    banter.log.unlink()  # what a sanitizer says there is of libfcgi
