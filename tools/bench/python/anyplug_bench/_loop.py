"""The event loop that a contender is to run on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

__all__ = ("run_on",)


def run_on(loop: str, coroutine: Coroutine[object, object, None]) -> None:
    """Runs the coroutine on "uvloop", or on asyncio's own loop when none is named."""
    if loop == "uvloop":
        import uvloop  # noqa: PLC0415 - only who asks for it needs it

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(coroutine)
    else:
        asyncio.run(coroutine)
