"""Requests in flight over a line protocol: each waits for the answer of its id, in whatever order answers come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .._code import Code
from .._error import AnyplugError
from ..agent import JsonObject

__all__ = ("Requests",)


class Requests:
    """Requests in flight."""

    def __init__(self, *, max_pending: int, write: Callable[[JsonObject], None]) -> None:
        """``max_pending``: the most that may wait at once. ``write`` writes a message: one line."""
        self._max_pending = max_pending
        self._write = write
        self._pending: dict[str, asyncio.Future[JsonObject]] = {}
        self._next = 1
        self._ended: AnyplugError | None = None

    async def send(self, message: Callable[[int], JsonObject]) -> JsonObject:
        """Sends what ``message`` returns for a new id, and returns the answer.

        When its task is cancelled nothing waits for the answer any more: the protocol cannot cancel.

        Raises AnyplugError: RESOURCE_EXHAUSTED when too many wait, and why the peer ended.
        """
        if self._ended is not None:
            raise self._ended
        if len(self._pending) >= self._max_pending:
            raise AnyplugError(Code.RESOURCE_EXHAUSTED, f"{self._max_pending} requests are pending; wait for some")
        number = self._next
        self._next += 1
        answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._pending[str(number)] = answer
        try:
            self._write(message(number))
            return await answer
        finally:
            self._pending.pop(str(number), None)

    def answer(self, key: str, answer: JsonObject) -> bool:
        """The answer to a request came. Returns False when nothing waits for it."""
        pending = self._pending.pop(key, None)
        if pending is not None and not pending.done():
            pending.set_result(answer)
        return pending is not None

    def fail(self, key: str, error: AnyplugError) -> bool:
        """A request failed. Returns False when nothing waits for it."""
        pending = self._pending.pop(key, None)
        if pending is not None and not pending.done():
            pending.set_exception(error)
        return pending is not None

    @property
    def only(self) -> str | None:
        """The only request that waits, if there is just one: what an answer without an id must be about."""
        return next(iter(self._pending)) if len(self._pending) == 1 else None

    def end(self, error: AnyplugError) -> None:
        """The peer has ended."""
        self._ended = self._ended or error
        for key in list(self._pending):
            self.fail(key, self._ended)
