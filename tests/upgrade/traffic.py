"""Constant traffic of both APIs through a site: what was asked, and what came of it."""

import threading
import time

import apis
import servers
from servers import script
from site_client import Site


class Asked:
    """One request and its end. `.wrong` says what the contract would not have it be."""

    def __init__(self, api, streams, keyed):
        self.api, self.streams = api, streams
        self.mark = servers.name("asked")
        self.headers = {"Idempotency-Key": self.mark} if keyed else {}
        self.own = api.conversation_of_client()
        self.began, self.ended, self.answer, self.wrong = time.monotonic(), None, None, None
        self.message = script(self.mark, tokens=["one ", self.mark, " three"])

    def send(self, api=None):
        """Sent once more by another site, it is the same request."""
        api = api or self.api
        return api.answered(self.message, self.streams, self.own, self.headers)

    def run(self):
        try:
            self.answer = self.send()
            if self.answer != f"one {self.mark} three":
                self.wrong = f"answered {self.answer!r}"
        except Exception as failure:  # noqa: BLE001  (the test tells it)
            self.wrong = repr(failure)
        self.ended = time.monotonic()


class Headless(apis.Headless):
    def conversation_of_client(self):
        return {"sessionId": servers.name()}


class Chatbot(apis.Chatbot):
    def conversation_of_client(self):
        return {}


def for_a_thread(site):
    """The same site, with connections of its own."""
    return Site(site.postgres, site.model, site.banter, site.nginx, site.tenant)


class Traffic:
    """Runs until it is stopped: for each API one that streams and one that does not, each second request with a key."""

    def __init__(self, site):
        self.asked = []
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self.ask, args=(make(for_a_thread(site)), streams), daemon=True)
            for make in (Headless, Chatbot) for streams in (True, False)
        ]
        for thread in self.threads:
            thread.start()

    def ask(self, api, streams):
        keyed = False
        while not self.stopping.is_set():
            keyed = not keyed
            one = Asked(api, streams, keyed)
            one.run()
            self.asked.append(one)

    def go_on(self, count):
        """Waits until so many more have been asked and answered, whole."""
        since = time.monotonic()
        servers.until(lambda: sum(one.began > since for one in list(self.asked)) >= count, f"{count} more requests")

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(servers.PATIENCE)
            assert not thread.is_alive()
        return self.asked
