"""The base of generated handlers, and what ties one to its service."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._code import Code
from ._error import AnyplugError

if TYPE_CHECKING:
    from ._descriptor import MethodDescriptor, ServiceDescriptor

__all__ = ("Handler", "Implementation", "RequestStream", "implement", "unimplemented")

T = TypeVar("T")
HandlerT = TypeVar("HandlerT")


class Handler:
    """The base of generated handlers.

    A method may be ``def`` or ``async def``; one that streams, a generator of either kind.
    """

    __slots__ = ()


class RequestStream(Iterator[T], AsyncIterator[T], Generic[T]):
    """The requests of a call, as they come: for ``for`` in a synchronous handler, ``async for`` in an asynchronous one.

    It ends when the caller has sent its last request, and raises AnyplugError when the call was cancelled.
    """

    __slots__ = ()

    @abstractmethod
    def __next__(self) -> T:
        """Waits for the next request and returns it."""

    @abstractmethod
    async def __anext__(self) -> T:
        """Waits for the next request and returns it."""


def unimplemented(method: MethodDescriptor[Any, Any]) -> AnyplugError:
    """Returns what a method raises that a handler does not override."""
    return AnyplugError(Code.UNIMPLEMENTED, f"{method.path} is in the schema, but this side does not implement it")


@dataclass(frozen=True, slots=True, eq=False)
class Implementation:
    """A service and the handler that answers its calls. `implement` makes one."""

    service: ServiceDescriptor[Any, Any, Any]
    handler: object
    functions: tuple[Callable[..., Any], ...]
    """What answers each method, in the order of the service."""

    @property
    def is_async(self) -> bool:
        """Whether any method needs an event loop."""
        return any(is_async(function) for function in self.functions)


def implement(service: ServiceDescriptor[Any, Any, HandlerT], handler: HandlerT) -> Implementation:
    """Ties a handler to its service, for `define_plugin` or for the ``services`` that a host offers to a plugin.

    Methods that the handler does not override answer UNIMPLEMENTED.
    """
    return Implementation(service, handler, tuple(_function(handler, method) for method in service.methods))


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a function of a handler is a coroutine function or an asynchronous generator function."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _function(handler: object, method: MethodDescriptor[Any, Any]) -> Callable[..., Any]:
    found = getattr(handler, method.local_name, None)
    if callable(found):
        return found  # type: ignore[no-any-return]

    def missing(_request: object, _context: object, /) -> None:
        raise unimplemented(method)

    return missing
