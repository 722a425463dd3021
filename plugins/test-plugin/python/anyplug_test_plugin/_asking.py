"""What the plugin is asking its host."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from anyplug import AnyplugError, Code

__all__ = ("Asking",)

T = TypeVar("T")


class Asking:
    """Calls to the host that can be given up, from any thread."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: set[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = set()

    async def wait_for(self, call: Coroutine[Any, Any, T]) -> T:
        """Returns the answer; raises CANCELLED when the call is given up."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(call)
        self._calls.add((loop, task))
        try:
            await asyncio.wait([task])
            if task.cancelled():
                raise AnyplugError(Code.CANCELLED, "the plugin gave up what it asked its host")
            return task.result()
        finally:
            self._calls.discard((loop, task))
            task.cancel()

    def give_up(self) -> None:
        """Cancels all of them."""
        for loop, task in tuple(self._calls):
            loop.call_soon_threadsafe(task.cancel)
