"""The base of generated clients: it hands each call to a transport."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ._code import Code
from ._error import AnyplugError

if TYPE_CHECKING:
    from ._codec import Message
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._options import CallOptions
    from ._transport import SyncTransport, Transport

__all__ = ("Caller", "Client", "SyncCaller", "SyncClient")

I = TypeVar("I", bound="Message")  # noqa: E741 - the input of a method
O = TypeVar("O", bound="Message")  # noqa: E741 - its output


class Caller(Protocol):
    """What an asyncio client is made of: a loaded plugin, or the context of a handler."""

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> Transport:
        """Returns what carries calls to ``service``."""
        ...


class SyncCaller(Protocol):
    """What a synchronous client is made of: a loaded plugin, or the context of a handler."""

    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncTransport:
        """Returns what carries calls to ``service``."""
        ...


class Client:
    """The base of generated asyncio clients."""

    __slots__ = ("_transport",)

    def __init__(self, caller: Caller, service: ServiceDescriptor[Any, Any, Any], /) -> None:
        self._transport = caller.transport_to(service)

    async def _one(
        self,
        method: MethodDescriptor[I, O],
        requests: AsyncIterable[I] | Iterable[I],
        options: CallOptions | None,
    ) -> O:
        """Calls a client stream."""
        async with self._transport.stream(method, requests, options) as responses:
            async for response in responses:
                # The stream's end is waited for: the status comes with it.
                async for _ in responses:
                    raise _more_than_one(method)
                return response
        raise _none(method)


class SyncClient:
    """The base of generated synchronous clients."""

    __slots__ = ("_transport",)

    def __init__(self, caller: SyncCaller, service: ServiceDescriptor[Any, Any, Any], /) -> None:
        self._transport = caller.sync_transport_to(service)

    def _one(self, method: MethodDescriptor[I, O], requests: Iterable[I], options: CallOptions | None) -> O:
        """Calls a client stream."""
        with self._transport.stream(method, requests, options) as responses:
            for response in responses:
                # The stream's end is waited for: the status comes with it.
                for _ in responses:
                    raise _more_than_one(method)
                return response
        raise _none(method)


def _none(method: MethodDescriptor[Any, Any]) -> AnyplugError:
    return AnyplugError(Code.INTERNAL, f"{method.path}: the call succeeded without its response")


def _more_than_one(method: MethodDescriptor[Any, Any]) -> AnyplugError:
    return AnyplugError(Code.INTERNAL, f"{method.path}: a second response came where one is allowed")
