"""What a handler sees of the call that it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ._error import AnyplugError
from ._lazy import asyncio
from ._log import LogLevel
from ._metadata import Metadata

if TYPE_CHECKING:
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._transport import SyncTransport, Transport

__all__ = ("Context", "PeerInfo", "ServerCall", "ServerLink")

ClientT = TypeVar("ClientT")
SyncClientT = TypeVar("SyncClientT")


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """Who the peer is, as its hello said."""

    name: str
    version: str
    runtime: str
    """The language and library of the peer, for people and logs only."""


class ServerCall(Protocol):
    """A call that the peer made, as a transport knows it."""

    @property
    def metadata(self) -> Metadata: ...
    @property
    def origin(self) -> tuple[str, ...]: ...
    @property
    def traceparent(self) -> str: ...
    @property
    def tracestate(self) -> str: ...
    @property
    def remaining(self) -> float | None:
        """Seconds that remain, or None without a deadline."""
        ...

    @property
    def cancelled(self) -> AnyplugError | None:
        """Why the call was ended before it was answered, or None."""
        ...

    def on_cancel(self, callback: Callable[[], object], /) -> None:
        """Calls ``callback`` once, in any thread, when the call is cancelled: at once if it was."""
        ...

    def wait_cancelled(self, seconds: float | None, /) -> bool:
        """Sleeps until the call is cancelled, ``seconds`` at most. Returns whether it was."""
        ...

    def set_header(self, key: str, value: str, /) -> None: ...
    def set_trailer(self, key: str, value: str, /) -> None: ...


class ServerLink(Protocol):
    """The connection that a call came by."""

    @property
    def peer(self) -> PeerInfo: ...
    @property
    def config(self) -> Any: ...  # noqa: ANN401
    def transport_within(self, service: ServiceDescriptor[Any, Any, Any], context: Context, /) -> Transport: ...
    def sync_transport_within(
        self, service: ServiceDescriptor[Any, Any, Any], context: Context, /
    ) -> SyncTransport: ...
    def log(self, level: LogLevel, message: str, fields: Mapping[str, str], /, logger: str = "") -> None: ...


class Context:
    """The second argument of every handler."""

    __slots__ = ("_call", "_link", "method")

    method: MethodDescriptor[Any, Any]

    def __init__(self, method: MethodDescriptor[Any, Any], call: ServerCall, link: ServerLink, /) -> None:
        self.method = method
        self._call = call
        self._link = link

    @property
    def peer(self) -> PeerInfo:
        """Who calls."""
        return self._link.peer

    @property
    def metadata(self) -> Metadata:
        """The metadata that came with the request."""
        return self._call.metadata

    @property
    def origin(self) -> tuple[str, ...]:
        """The names of those whose calls led to this one, the first cause first."""
        return self._call.origin

    @property
    def traceparent(self) -> str:
        """W3C trace context; empty when the caller sent none."""
        return self._call.traceparent

    @property
    def tracestate(self) -> str:
        """W3C trace state; empty when the caller sent none."""
        return self._call.tracestate

    @property
    def config(self) -> Any:  # noqa: ANN401 - JSON
        """The configuration that the host gave to the plugin; None on the host's side."""
        return self._link.config

    @property
    def remaining(self) -> float | None:
        """Seconds that remain to the call, 0 at least, or None when it has no deadline."""
        return self._call.remaining

    @property
    def cancelled(self) -> AnyplugError | None:
        """Why the call was cancelled (by the caller, its deadline, or the end of the connection), or None."""
        return self._call.cancelled

    def raise_if_cancelled(self) -> None:
        """Raises the reason (AnyplugError) if the call was cancelled."""
        error = self._call.cancelled
        if error is not None:
            raise error

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Calls ``callback`` once, in any thread, when the call is cancelled: at once if it was."""
        self._call.on_cancel(callback)

    def wait(self, timeout: float | None = None) -> bool:
        """Sleeps for ``timeout`` seconds or until the call is cancelled, and returns whether it was.

        For synchronous handlers.
        """
        return self._call.wait_cancelled(timeout)

    async def wait_cancelled(self) -> AnyplugError:
        """Sleeps until the call is cancelled, and returns the reason.

        For what an asynchronous handler starts beside itself: the handler's own task is cancelled with the call.
        """
        loop = asyncio.get_running_loop()
        cancelled = asyncio.Event()
        self.on_cancel(lambda: loop.call_soon_threadsafe(cancelled.set))
        while (error := self.cancelled) is None:
            await cancelled.wait()
        return error

    def set_header(self, key: str, value: str) -> None:
        """Adds metadata that is sent before the first message of the answer.

        Raises AnyplugError: INVALID_ARGUMENT for a key that is not lower-case ASCII, FAILED_PRECONDITION when the first
        message was sent.
        """
        self._call.set_header(key, value)

    def set_trailer(self, key: str, value: str) -> None:
        """Adds metadata that is sent at the end.

        Raises AnyplugError (INVALID_ARGUMENT) for a key that is not lower-case ASCII.
        """
        self._call.set_trailer(key, value)

    def client(self, service: ServiceDescriptor[ClientT, Any, Any]) -> ClientT:
        """Returns an asyncio client for a service of the caller, for asynchronous handlers.

        Its calls have the deadline of this call at most, are cancelled with it, and carry its origin and trace context.
        """
        return service.client(self)

    def sync_client(self, service: ServiceDescriptor[Any, SyncClientT, Any]) -> SyncClientT:
        """Returns a synchronous client for a service of the caller, for synchronous handlers. See `client`."""
        return service.sync_client(self)

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> Transport:
        """Returns what carries calls of asyncio clients to ``service``. Generated clients call it."""
        return self._link.transport_within(service, self)

    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncTransport:
        """Returns what carries calls of synchronous clients to ``service``. Generated clients call it."""
        return self._link.sync_transport_within(service, self)

    def log(self, level: LogLevel, message: str, **fields: str) -> None:
        """Sends a record to the log of the caller's side, under the name of the service."""
        self._link.log(level, message, fields, self.method.service)
