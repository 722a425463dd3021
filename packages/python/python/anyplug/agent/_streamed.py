"""A stream of what a function gives on its way, ended by what it returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, TypeVar

__all__ = ("settled", "streamed")

T = TypeVar("T")


async def streamed(work: Callable[[Callable[[T], None]], Coroutine[Any, Any, T]]) -> AsyncGenerator[T, None]:
    """Runs ``work`` and yields what it gives to its argument, as it comes, then what it returns.

    What ``work`` raises ends the stream. When the stream is left early, ``work`` is cancelled.
    """
    events: asyncio.Queue[tuple[T] | None] = asyncio.Queue()
    task = asyncio.get_running_loop().create_task(work(lambda event: events.put_nowait((event,))))
    task.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event[0]
        yield task.result()
    finally:
        if not task.done():
            task.add_done_callback(_look)
            task.cancel()


async def settled(value: T | Awaitable[T]) -> T:
    """Returns what a function returned that may be asynchronous or not."""
    if isawaitable(value):
        return await value
    return value


def _look(task: asyncio.Task[Any]) -> None:
    """Nobody is left to whom the failure of an abandoned task could be told."""
    if not task.cancelled():
        task.exception()
