"""A tenant as `banterctl demo` makes it, without a program to start for each test's. test_ctl.py holds the two together."""

import hashlib
import secrets
import time
import zlib

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def written(number, digits, count):
    """A number in so many digits."""
    text = ""
    for _ in range(count):
        number, last = divmod(number, len(digits))
        text = digits[last] + text
    return text


def new_id():
    """A chatbot's: the time, and 16 digits of chance."""
    return written(time.time_ns() // 1_000_000, ID_DIGITS, 10) + "".join(secrets.choice(ID_DIGITS) for _ in range(16))


def new_key(kind, workspace):
    """A key's text: the kind, the workspace, 34 digits of chance, and a CRC-32 of all that."""
    text = ("pk" if kind == "site" else "sk") + f"-{kind}_" + written(workspace, DIGITS, 11) + "".join(secrets.choice(DIGITS) for _ in range(34))
    return text + written(zlib.crc32(text.encode()), DIGITS, 6)


class Tenant:
    """One workspace's keys and ids."""

    def __init__(self, widget_key, workspace_key, chatbot, workspace=None):
        self.widget_key = widget_key
        self.workspace_key = workspace_key
        self.chatbot = chatbot
        self.workspace = workspace

    @classmethod
    def new(cls):
        number = secrets.randbits(63)
        return cls(new_key("widget", number), new_key("workspace", number), new_id(), number)

    def statements(self):
        """Makes its rows: the statements, and their values."""
        text = """select banter.workspace_create(p_workspace => %s, p_name => 'Demo', p_credits => null);
            select banter.chatbot_create(p_workspace => %s, p_chatbot => %s, p_name => 'Demo',
                p_system_prompt => 'You are the friendly assistant of a small company.');"""
        values = [self.workspace, self.workspace, self.chatbot]
        for kind, key, chatbot in (("widget", self.widget_key, self.chatbot), ("workspace", self.workspace_key, None)):
            hashed = hashlib.sha256(key.encode()).digest()
            text += """select banter.key_create(p_workspace => %s, p_api_key => %s, p_kind => %s, p_chatbot => %s,
                p_hash => %s, p_hint => %s, p_label => 'demo');"""
            values += [self.workspace, hashed[:16].hex(), kind, chatbot, hashed, key[-4:]]
        return text, *values
