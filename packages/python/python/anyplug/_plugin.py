"""A loaded plugin, for asyncio and for threads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ._closing import AsyncCloses, Closes
from ._lazy import asyncio

if TYPE_CHECKING:
    from ._context import PeerInfo
    from ._descriptor import ServiceDescriptor
    from ._error import AnyplugError
    from ._transport import SyncTransport, Transport

__all__ = ("Link", "Plugin", "SyncPlugin")

ClientT = TypeVar("ClientT")


class Link(Protocol):
    """What carries the calls to a plugin."""

    @property
    def peer(self) -> PeerInfo: ...
    @property
    def close_reason(self) -> AnyplugError | None: ...
    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> Transport: ...
    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncTransport: ...
    def close(self, drain_timeout: float) -> None: ...
    def kill(self, reason: str) -> None: ...
    def on_ended(self, callback: Callable[[], object]) -> None: ...


class _Loaded:
    """What both kinds have."""

    def __init__(self, link: Link, manifest: Mapping[str, Any], transport: str, drain_timeout: float) -> None:
        self._link = link
        self._manifest = manifest
        self._transport_name = transport
        self._drain_timeout = drain_timeout
        self._closed = False

    @property
    def name(self) -> str:
        """Its name, as it says."""
        return self._link.peer.name

    @property
    def version(self) -> str:
        """Its version, as it says."""
        return self._link.peer.version

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Its plugin.json."""
        return self._manifest

    @property
    def transport(self) -> str:
        """How it was loaded: ``direct``, ``process``, ``stdio``, ``wasm``, ``ffi``, ``unix``, ``tcp`` or ``tls``."""
        return self._transport_name

    @property
    def enforced(self) -> tuple[str, ...]:
        """Which limits of a WebAssembly module are enforced, and how, such as ``call_timeout: epochs``.

        Of a shared library, what keeps it from its host, such as ``isolation: none``.
        """
        return tuple(getattr(self._link, "enforced", ()))

    @property
    def close_reason(self) -> AnyplugError | None:
        """Why the plugin has ended, or None while it has not."""
        return self._link.close_reason

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.version} ({self.transport})>"

    def __del__(self) -> None:
        """Ends a plugin that was not closed."""
        if not getattr(self, "_closed", True) and self._link.close_reason is None:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            self._link.kill("the plugin was dropped by its host")


class Plugin(_Loaded, AsyncCloses):
    """A loaded plugin, for asyncio. It belongs to the event loop in which it was loaded."""

    def client(self, service: ServiceDescriptor[ClientT, Any, Any]) -> ClientT:
        """Returns a client for one of its services. The schema is checked before its first call."""
        return service.client(self)

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> Transport:
        """Returns what carries calls to ``service``. Generated clients call it."""
        return self._link.transport_to(service)

    async def close(self) -> None:
        """Lets calls in flight end, for the drain timeout at most, and then ends the plugin.

        A process that does not end by itself is made to by TERM, and by KILL. Closing it again does nothing.
        """
        if not self._closed:
            self._closed = True
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._link.close, self._drain_timeout)
            await self.wait_closed()

    async def wait_closed(self) -> AnyplugError:
        """Waits until the plugin has ended, by whatever cause, and returns the reason."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            if not ended.done():
                ended.set_result(None)

        self._link.on_ended(lambda: loop.call_soon_threadsafe(tell))
        await ended
        reason = self._link.close_reason
        assert reason is not None  # noqa: S101 - it has ended
        return reason


class SyncPlugin(_Loaded, Closes):
    """A loaded plugin, for threads: any number of them may call it."""

    def client(self, service: ServiceDescriptor[Any, ClientT, Any]) -> ClientT:
        """Returns a client for one of its services. The schema is checked before its first call."""
        return service.sync_client(self)

    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncTransport:
        """Returns what carries calls to ``service``. Generated clients call it."""
        return self._link.sync_transport_to(service)

    def close(self) -> None:
        """Lets calls in flight end, for the drain timeout at most, and then ends the plugin.

        A process that does not end by itself is made to by TERM, and by KILL. Closing it again does nothing.
        """
        if not self._closed:
            self._closed = True
            self._link.close(self._drain_timeout)
