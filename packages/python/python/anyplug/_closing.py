"""What is closed when a block is left, and what is loaded when one is entered."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

__all__ = ("AsyncCloses", "Closes", "Loads")


class Closes:
    """Something for threads that is closed when its ``with`` block is left."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Closes it."""

    def __enter__(self) -> Self:
        """Returns it itself; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()


class AsyncCloses:
    """Something for asyncio that is closed when its ``async with`` block is left."""

    __slots__ = ()

    @abstractmethod
    async def close(self) -> None:
        """Closes it."""

    async def __aenter__(self) -> Self:
        """Returns it itself; leaving the block closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""
        await self.close()


SyncT = TypeVar("SyncT", bound=Closes)
AsyncT = TypeVar("AsyncT", bound=AsyncCloses)


@dataclass(frozen=True)
class Loads(Generic[SyncT, AsyncT]):
    """Something that is to be loaded: ``with`` it, ``async with`` it, `await` it or `open` it, any number of times."""

    _opened: list[SyncT] = field(default_factory=list, init=False, repr=False, compare=False)
    """What blocks were entered with that have not been left."""
    _opened_async: list[AsyncT] = field(default_factory=list, init=False, repr=False, compare=False)

    @abstractmethod
    def open(self) -> SyncT:
        """Loads it for threads. It has to be closed."""

    def __enter__(self) -> SyncT:
        """Loads it for threads; leaving the block closes it."""
        opened = self.open()
        self._opened.append(opened)
        return opened

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""
        self._opened.pop().close()

    @abstractmethod
    async def _open_async(self) -> AsyncT: ...

    def __await__(self) -> Generator[Any, Any, AsyncT]:
        """Loads it for asyncio. It has to be closed."""
        return self._open_async().__await__()

    async def __aenter__(self) -> AsyncT:
        """Loads it for asyncio; leaving the block closes it."""
        opened = await self
        self._opened_async.append(opened)
        return opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""
        await self._opened_async.pop().close()
