"""The pieces of a model's answer, as ElizaOS's Python runtime streams them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from ..agent import Json

__all__ = ("pieces",)


async def pieces(generate: Callable[[Callable[[str], object]], Awaitable[Json]]) -> AsyncIterator[str]:
    """Yields what ``generate`` gives to its argument, as it comes; when nothing, its answer if that is text."""
    given: asyncio.Queue[str | None] = asyncio.Queue()
    answer = asyncio.ensure_future(generate(given.put_nowait))
    answer.add_done_callback(lambda _: given.put_nowait(None))
    streamed = False
    try:
        while (piece := await given.get()) is not None:
            streamed = True
            yield piece
        whole = await answer
        if not streamed and isinstance(whole, str):
            yield whole
    finally:
        answer.cancel()
