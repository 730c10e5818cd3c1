"""Records as no web server sends them: a valid request, broken in one or several ways by a dice. The same dice makes the
same bytes. Rests on fastcgi.py for what is valid."""

import struct

import fastcgi
from fastcgi import ABORT, BEGIN, DATA, END, GET_VALUES, PARAMS, STDIN, STDOUT, UNKNOWN

KINDS = [0, BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, DATA, UNKNOWN, 12, 127, 255]
LENGTHS = [0, 1, 2, 127, 128, 255, 8191, 8192, 65534, 65535]
# libfcgi gives up on some of these, and a worker is lost.
LONG = [0x7FFFFFFF, 0x7FFFFFFE, 0x7FFFFFF0, 0x40000000, 0x3FFFFFFF, 0x10000, 0xFFFF, 1 << 24]


def header(kind, size, request=1, padding=0, version=1, reserved=0):
    return struct.pack("!BBHHBB", version, kind, request, size, padding, reserved)


def pieces(dice, data):
    """`data` cut anywhere into pieces of at most 65,535 bytes; some are single bytes."""
    at = 0
    while at < len(data):
        n = dice.choice([1, 2, 7, dice.randrange(1, 400), 65535])
        yield data[at : at + n]
        at += n


def stream(dice, kind, data, end=True):
    """The records of a stream, cut and padded anywhere."""
    made = [fastcgi.record(kind, piece, padding=dice.choice([0, 0, 1, 7, 255])) for piece in pieces(dice, data)]
    return made + ([fastcgi.record(kind)] if end else [])


def odd_length(dice):
    n = dice.choice(LONG)
    return struct.pack("!I", n | 1 << 31)


def odd_pair(dice):
    """A pair whose lengths are not what follows, or are packed in the long form without need."""
    how = dice.randrange(5)
    if how == 0:
        return odd_length(dice) + b"\1ab"
    if how == 1:
        return b"\1" + odd_length(dice) + b"ab"
    if how == 2:
        return odd_length(dice) + odd_length(dice) + dice.randbytes(dice.randrange(300))
    if how == 3:
        return struct.pack("!II", 1 << 31 | 1, 1 << 31 | 1) + b"ab"
    return bytes([dice.randrange(128), dice.randrange(128)]) + dice.randbytes(dice.randrange(128))


def questions(dice):
    """FCGI_GET_VALUES, whatever is asked."""
    names = ["FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS", "X" * 300, ""]
    asked = [(dice.choice(names), "") for _ in range(dice.randrange(6))]
    return fastcgi.record(GET_VALUES, fastcgi.pairs(asked), request=dice.choice([0, 0, 1]))


def break_one(dice, records):
    """Changes the list in one way."""
    at = dice.randrange(len(records))
    record = records[at]
    how = dice.randrange(14)
    if how == 0:  # another version
        records[at] = bytes([dice.choice([0, 2, 255])]) + record[1:]
    elif how == 1:  # another kind
        records[at] = record[:1] + bytes([dice.choice(KINDS)]) + record[2:]
    elif how == 2:  # another request
        records[at] = record[:2] + struct.pack("!H", dice.choice([0, 2, 65535])) + record[4:]
    elif how == 3:  # a length that is none
        records[at] = record[:4] + struct.pack("!H", dice.choice(LENGTHS)) + record[6:]
    elif how == 4:  # padding that is none
        records[at] = record[:6] + bytes([dice.randrange(256)]) + record[7:]
    elif how == 5:
        del records[at]
    elif how == 6:  # twice: a second BEGIN among them
        records.insert(dice.randrange(len(records) + 1), record)
    elif how == 7:
        dice.shuffle(records)  # stdin before the parameters
    elif how == 8:
        records.insert(at, fastcgi.record(ABORT, request=dice.choice([0, 1, 2])))
    elif how == 9:
        records.insert(at, fastcgi.record(PARAMS, odd_pair(dice)))
    elif how == 10:
        records.insert(at, questions(dice))
    elif how == 11:
        records[at] = record[: dice.randrange(len(record) + 1)]
    elif how == 12 and record:  # a byte or some
        changed = bytearray(record)
        for _ in range(dice.randrange(1, 4)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        records[at] = bytes(changed)
    else:
        records.insert(at, header(dice.choice(KINDS), size := dice.choice(LENGTHS[:7])) + dice.randbytes(size))


def request(dice, params, body):
    """A request's bytes; of four, one is whole and as it should be, however it is cut."""
    records = [fastcgi.begin(keep=dice.random() < 0.2)]
    records += stream(dice, PARAMS, fastcgi.pairs(params))
    records += stream(dice, STDIN, body)
    whole = dice.randrange(4) == 0
    if not whole:
        for _ in range(dice.choice([1, 1, 1, 2, 3, 8])):
            if records:
                break_one(dice, records)
    return b"".join(records), whole
