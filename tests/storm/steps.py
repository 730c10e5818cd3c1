"""A process of others, led from one of its system calls to the next: ptrace(2)."""

import contextlib
import ctypes
import os
import signal
import time

DETACH, SYSCALL, SEIZE, INTERRUPT = 17, 24, 0x4206, 0x4207  # linux/ptrace.h
TELLS_CALLS, CALL = 1, 0x80 | signal.SIGTRAP  # PTRACE_O_TRACESYSGOOD, and what it marks
EVENT_SHIFT = 16
WALL = 0x40000000  # linux/wait.h: of others' processes too
WITHIN_S = 0.5  # a call may wait for others

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.argtypes = ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p
_ptrace.restype = ctypes.c_long


class Led:
    """Stands still inside of `with`, but where it is led, by the thread that entered. An OSError where that may not be."""

    def __init__(self, pid):
        self.pid, self.signal = pid, 0  # what it is about to hear

    def __enter__(self):
        self.ask(SEIZE, TELLS_CALLS)
        self.ask(INTERRUPT)
        self.stands()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            while not self.stood:
                self.ask(INTERRUPT)
                self.stands()
            self.ask(DETACH, self.signal)

    def ask(self, what, value=0):
        if _ptrace(what, self.pid, None, value) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def step(self):
        """To where a call begins or has ended. False: it waits in one."""
        self.ask(SYSCALL, self.signal)
        self.signal = 0
        return self.stands()

    def stands(self):
        end, self.stood = time.monotonic() + WITHIN_S, False
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG | WALL)
            if pid and not os.WIFSTOPPED(status):
                raise ProcessLookupError
            if pid:
                self.stood = True
                if os.WSTOPSIG(status) != CALL and not status >> EVENT_SHIFT:
                    self.signal = os.WSTOPSIG(status)
                return True
            time.sleep(0)
        return False
