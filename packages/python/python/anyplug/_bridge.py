"""Streams between a thread and an event loop: each side waits in its own way."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from ._waiting import until

__all__ = ("Bridge",)

T = TypeVar("T")
_Callback: TypeAlias = Callable[[], None]
_Check: TypeAlias = Callable[[], bool]
_Register: TypeAlias = Callable[[_Callback], bool]

_ROOM = 16
"""How many items may lie between the two sides."""


class Bridge(Generic[T]):
    """Passes items from one side to the other, and then the end or an error."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._waiters: list[_Callback] = []
        self._error: BaseException | None = None
        self._ended = False
        self._left = False

    # --- the side that gives ---------------------------------------------------------------------

    def put(self, item: T) -> bool:
        """Waits for room and gives an item. Returns whether the other side is still there."""
        with self._changed:
            while len(self._items) >= _ROOM and not self._left:
                self._changed.wait()
            return self._put(item)

    async def put_async(self, item: T) -> bool:
        """Waits for room and gives an item. Returns whether the other side is still there."""
        while True:
            with self._changed:
                if len(self._items) < _ROOM or self._left:
                    return self._put(item)
            await until(self._on_change_unless(self._has_room))

    def end(self, error: BaseException | None = None) -> None:
        """Gives the end, or an error."""
        with self._changed:
            self._ended = True
            self._error = error
            self._tell()

    def _put(self, item: T) -> bool:
        if not self._left:
            self._items.append(item)
            self._tell()
        return not self._left

    # --- the side that takes ---------------------------------------------------------------------

    def get(self) -> T:
        """Waits for an item and returns it. Raises what the other side gave as an error, or StopIteration."""
        with self._changed:
            while not self._items and not self._ended:
                self._changed.wait()
            if not self._items:
                raise self._error or StopIteration
            return self._get()

    async def get_async(self) -> T:
        """Waits for an item and returns it. Raises what the other side gave as an error, or StopAsyncIteration."""
        while True:
            with self._changed:
                if self._items:
                    return self._get()
                if self._ended:
                    raise self._error or StopAsyncIteration
            await until(self._on_change_unless(self._has_news))

    def leave(self) -> None:
        """Says that nothing is taken any more."""
        with self._changed:
            self._left = True
            self._items.clear()
            self._tell()

    def _get(self) -> T:
        item = self._items.popleft()
        self._tell()
        return item

    # --- both ------------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        return len(self._items) < _ROOM or self._left

    def _has_news(self) -> bool:
        return bool(self._items) or self._ended

    def _on_change_unless(self, holds: _Check) -> _Register:
        def register(callback: _Callback) -> bool:
            with self._changed:
                if holds():
                    return True
                self._waiters.append(callback)
                return False

        return register

    def _tell(self) -> None:
        self._changed.notify_all()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter()
