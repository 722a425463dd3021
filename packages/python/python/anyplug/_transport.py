"""What a typed client calls. Small on purpose: a transport is two functions, and its synchronous twin."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from ._closing import Closes

if TYPE_CHECKING:
    from ._codec import Message
    from ._descriptor import MethodDescriptor
    from ._options import CallOptions

__all__ = ("ResponseStream", "SyncResponseStream", "SyncTransport", "Transport")

T = TypeVar("T")
I = TypeVar("I", bound="Message")  # noqa: E741 - the input of a method
O = TypeVar("O", bound="Message")  # noqa: E741 - its output


class ResponseStream(AsyncIterator[T]):
    """The responses of a call, as they come.

    The call ends when the stream is left: by its end, by `aclose`, or when it is dropped.
    """

    __slots__ = ()

    @abstractmethod
    async def aclose(self) -> None:
        """Cancels the call if it has not ended. The responses that came and were not read are lost."""

    async def __aenter__(self) -> Self:
        """Returns the stream itself; leaving the block closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the stream."""
        await self.aclose()


class SyncResponseStream(Iterator[T], Closes):
    """The responses of a call, as they come.

    The call ends when the stream is left: by its end, by `close`, or when it is dropped.
    """

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Cancels the call if it has not ended. The responses that came and were not read are lost."""


class Transport(Protocol):
    """Carries calls to a peer, in a thread with a running event loop."""

    def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> Awaitable[O]:
        """Calls a unary method. Raises AnyplugError with the status of the call."""
        ...

    def stream(
        self,
        method: MethodDescriptor[I, O],
        requests: AsyncIterable[I] | Iterable[I],
        options: CallOptions | None,
        /,
    ) -> ResponseStream[O]:
        """Calls a method of any other kind; for a client stream one response comes.

        The call begins when the stream is iterated.
        """
        ...


class SyncTransport(Protocol):
    """Carries calls to a peer; each blocks its thread until the answer is there."""

    def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        """Calls a unary method. Raises AnyplugError with the status of the call."""
        ...

    def stream(
        self, method: MethodDescriptor[I, O], requests: Iterable[I], options: CallOptions | None, /
    ) -> SyncResponseStream[O]:
        """Calls a method of any other kind; for a client stream one response comes.

        The call begins when the stream is iterated.
        """
        ...
