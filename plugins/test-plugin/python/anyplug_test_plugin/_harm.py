"""What a plugin can do to its own process."""

from __future__ import annotations

import os
import signal
import sys
import threading

from anyplug import AnyplugError, Code, Context, LogLevel
from anyplug_generated.anyplug.test.v1 import HarmRequest, HarmRequestKind

__all__ = ("harm",)


def harm(request: HarmRequest, context: Context) -> str:
    """Does what the request says, and returns what there is to tell if the process survives it."""
    match request.kind:
        case HarmRequestKind.EXIT:
            os._exit(request.number)
        case HarmRequestKind.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case HarmRequestKind.STDOUT:
            print(request.text, end="", flush=True)
        case HarmRequestKind.STDERR:
            print(request.text, end="", file=sys.stderr, flush=True)
        case HarmRequestKind.LOG:
            context.log(LogLevel.INFO, request.text)
        case HarmRequestKind.HANG:
            threading.Event().wait()
        case HarmRequestKind.STDIN:
            return sys.stdin.read()
        case _:
            raise AnyplugError(Code.INVALID_ARGUMENT, f"kind: expected a kind of harm, got {request.kind}")
    return ""
