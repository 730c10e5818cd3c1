"""Steers the stand-in model from a test: directives, gates, and the record of what it was asked."""

import json

import requests


def script(text, **directive):
    """The text of a user message that makes the model answer by this directive (see README.md)."""
    return f"{text} @@{json.dumps(directive, ensure_ascii=False)}"


class NoSuchRecord(Exception):
    """No record came to match before the time was over."""


class Model:
    """The control endpoints of one running stand-in. Safe to use from several threads."""

    script = staticmethod(script)

    def __init__(self, url, verify=True):
        self.url = url.rstrip("/")
        self.verify = verify

    def _call(self, method, path, **options):
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between a test and its loopback
            options.setdefault("timeout", 30)
            answer = session.request(method, self.url + path, verify=self.verify, **options)
        if answer.status_code == 408:
            raise NoSuchRecord(options.get("params"))
        answer.raise_for_status()
        return answer.json()

    def open_gate(self, name):
        """Lets every answer that waits before this gate go on, now and later."""
        self._call("POST", "/_model/open", json={"gate": name})

    def requests(self, contains=None, ended=None):
        """The records, oldest first, of the requests that hold this text."""
        return self._call("GET", "/_model/requests", params={"contains": contains, "ended": ended})

    def wait(self, contains=None, ended=None, tokens_sent=None, timeout=20):
        """Waits (seconds) for one record that matches in all, and returns it.

        ended: "complete", "client_left", "cut" or "any"; tokens_sent: at least so many are on the
        wire. With neither it is enough that the request has come. Raises NoSuchRecord.
        """
        params = {
            "contains": contains,
            "ended": ended,
            "tokens_sent": tokens_sent,
            "timeout_ms": int(timeout * 1000),
        }
        return self._call("GET", "/_model/wait", params=params, timeout=timeout + 10)

    def reset(self):
        """Forgets all records and closes all gates. Not for instances that tests share."""
        self._call("POST", "/_model/reset")
