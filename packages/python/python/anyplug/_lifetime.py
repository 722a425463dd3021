"""What happens to connections when the interpreter ends, and when the process is forked."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from contextlib import suppress
from typing import Never, Protocol

from ._waiting import forget_background_loop

__all__ = ("end_program", "keep_track", "leave_now")


class _Mortal(Protocol):
    def kill(self, reason: str) -> None: ...
    def wait_ended(self, timeout: float | None = None) -> bool: ...


_LIVING: weakref.WeakSet[_Mortal] = weakref.WeakSet()

_LAST_WAIT = 2.0
"""Seconds that threads have to notice the end, before the interpreter is taken from under them."""


def keep_track(connection: _Mortal) -> None:
    """Ends ``connection`` when the interpreter ends, so that none of its threads runs into that."""
    _LIVING.add(connection)


def end_program(end: SystemExit) -> Never:
    """Ends the program as `sys.exit` does, from any thread and without waiting for others."""
    if end.code is not None and not isinstance(end.code, int):
        print(end.code, file=sys.stderr)
    leave_now(end.code if isinstance(end.code, int) else int(end.code is not None))


def leave_now(status: int) -> Never:
    """Ends the process, whatever its threads do, once what was printed is written."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _end_all() -> None:
    living = list(_LIVING)
    for connection in living:
        connection.kill("the host program ended")
    for connection in living:
        connection.wait_ended(_LAST_WAIT)


def _after_fork() -> None:
    # The connections are the parent's; the native module refuses their use here.
    _LIVING.clear()
    forget_background_loop()


atexit.register(_end_all)
os.register_at_fork(after_in_child=_after_fork)
