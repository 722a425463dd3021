"""A plugin in a WebAssembly module: what it may take, and instances that are replaced when they fail."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ._caller import answer_of, message_of
from ._code import Code
from ._error import AnyplugError
from ._lazy import asyncio

if TYPE_CHECKING:
    from ._codec import Message
    from ._connection import Connection
    from ._context import PeerInfo
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._native import Caller
    from ._options import CallOptions
    from ._transport import ResponseStream, SyncResponseStream, SyncTransport, Transport

__all__ = ("ReplacingLink", "WasiDirectory", "WasmLimits", "WasmParts", "wasm_parts")

I = TypeVar("I", bound="Message")  # noqa: E741 - the input of a method
O = TypeVar("O", bound="Message")  # noqa: E741 - its output


@dataclass(frozen=True, slots=True)
class WasiDirectory:
    """A folder that a module that was built for WASI may use, with all that lies in it.

    Nothing else is reached from there: not by ``..``, not by a path from the root, and not over links.
    """

    host_path: str | os.PathLike[str]
    """Where it is."""
    guest_path: str
    """What it is called in the module, such as ``/data``."""
    read_only: bool = True
    """Whether nothing in it may be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WasmLimits:
    """What a WebAssembly module may take of its host."""

    max_wasm_bytes: int = 64 << 20
    """The size of the module."""
    max_memory_bytes: int = 256 << 20
    """The memory of an instance; also what it may send before it returns."""
    fuel: int | None = None
    """Units of work for one call into the module. None: it is limited by time alone."""
    call_timeout: float = 10.0
    """Seconds that the module may run without returning."""
    max_tables: int = 16
    """How many tables a module may have."""
    max_table_elements: int = 100_000
    """How many elements a table may have."""
    instances: int = 1
    """How many instances share the calls."""
    cache_dir: str | os.PathLike[str] | None = None
    """Where compiled modules are kept: machine code, so that nobody else may be able to write there.

    None: in ``anyplug/wasm`` of ``$XDG_CACHE_HOME`` or ``~/.cache``. Empty: nowhere.
    """
    wasi_directories: tuple[WasiDirectory, ...] = ()
    """Folders that a module that was built for WASI may use."""


@dataclass(frozen=True, slots=True)
class WasmParts:
    """The limits, as the native module takes them."""

    max_wasm_bytes: int
    max_memory_bytes: int
    fuel: int | None
    call_timeout: float
    max_tables: int
    max_table_elements: int
    cache_dir: str | None
    wasi_directories: list[tuple[str, str, bool]]


def wasm_parts(limits: WasmLimits | None) -> WasmParts:
    """Returns the limits, as the native module takes them."""
    own = limits or WasmLimits()
    return WasmParts(
        own.max_wasm_bytes,
        own.max_memory_bytes,
        own.fuel,
        own.call_timeout,
        own.max_tables,
        own.max_table_elements,
        None if own.cache_dir is None else os.fspath(own.cache_dir),
        [(os.fspath(one.host_path), one.guest_path, one.read_only) for one in own.wasi_directories],
    )


class ReplacingLink:
    """Carries calls into the instances of a module: into the one with the fewest open calls.

    One that has failed is replaced when the next call comes; its own calls end with the reason.
    """

    def __init__(self, first: Connection, make: Callable[[], Connection], instances: int) -> None:
        self.peer: PeerInfo = first.peer
        """Who the peer is."""
        self._make = make
        self._most = max(1, instances)
        self._lock = threading.Lock()
        self._current = first
        self._connections = [first]
        self._reason: AnyplugError | None = None
        self._stopped = False
        self._on_ended: list[Callable[[], object]] = []

    # --- what carries the calls ------------------------------------------------------------------

    @property
    def close_reason(self) -> AnyplugError | None:
        """Why the link has ended, or None while it has not."""
        return self._reason

    @property
    def enforced(self) -> list[str]:
        """Which limits are enforced, and how."""
        return self._current.native.enforced

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> Transport:
        """Returns what carries calls of asyncio clients to ``service``."""
        return _Transport(self, service)

    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncTransport:
        """Returns what carries calls of synchronous clients to ``service``."""
        return _SyncTransport(self, service)

    def current(self) -> Connection:
        """Returns the connection for the next call; raises AnyplugError (UNAVAILABLE) when the link has ended."""
        current = self._current
        if self._most == 1 and not current.native.is_over and not self._stopped:
            return current
        with self._lock:
            if self._reason is not None:
                raise AnyplugError(Code.UNAVAILABLE, f"the connection ended: {self._reason.message}")
            if self._stopped:
                # It says itself that it drains, or why it has ended.
                return current
            self._connections = [one for one in self._connections if not one.native.is_over]
            best = min(self._connections, key=_open_calls, default=None)
            is_busy = best is None or (_open_calls(best) > 0 and len(self._connections) < self._most)
            if best is None or is_busy:
                best = self._make()
                if (reason := best.close_reason) is not None:
                    raise reason
                self._connections.append(best)
            self._current = best
            return best

    # --- the end ---------------------------------------------------------------------------------

    def on_ended(self, callback: Callable[[], object]) -> None:
        """Has ``callback`` called once the link has ended: at once if it has."""
        with self._lock:
            if self._reason is None:
                self._on_ended.append(callback)
                return
        callback()

    def close(self, drain_timeout: float) -> None:
        """Lets calls in flight end, ``drain_timeout`` seconds at most, and ends all instances."""
        for connection in self._stop():
            connection.close(drain_timeout)
        self._finish(f'plugin "{self.peer.name}" was closed')

    def kill(self, reason: str) -> None:
        """Ends all instances at once."""
        for connection in self._stop():
            connection.kill(reason)
        self._finish(reason)

    def _stop(self) -> list[Connection]:
        with self._lock:
            self._stopped = True
            return self._connections

    def _finish(self, reason: str) -> None:
        with self._lock:
            if self._reason is None:
                self._reason = AnyplugError(Code.UNAVAILABLE, reason)
            callbacks, self._on_ended = self._on_ended, []
        for callback in callbacks:
            callback()


def _open_calls(connection: Connection) -> int:
    return connection.native.open_calls


class _Transport:
    """Carries calls of asyncio clients."""

    __slots__ = ("_callers", "_connection", "_inner", "_link", "_service")

    def __init__(self, link: ReplacingLink, service: ServiceDescriptor[Any, Any, Any]) -> None:
        self._link = link
        self._service = service
        self._connection = link._current
        self._inner = self._connection.transport_to(service)
        # The short way of methods that were called before.
        self._callers: dict[MethodDescriptor[Any, Any], Caller] = {}

    def _ready(self) -> Transport:
        connection = self._link.current()
        if connection is not self._connection:
            self._inner = connection.transport_to(self._service)
            self._connection = connection
        return self._inner

    async def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        caller = self._callers.get(method)
        if caller is not None and options is None and asyncio.get_running_loop() is self._connection.loop:
            response = caller.soon(request)
            if response.__class__ is tuple:
                waited: O = await answer_of(self._connection.native, method, *response)
                return waited
            if response is not None:
                message: O = message_of(method, response)
                return message
        answer = await self._ready().unary(method, request, options)
        _learn(self._callers, self._link, self._connection, method)
        return answer

    def stream(
        self, method: MethodDescriptor[I, O], requests: AsyncIterable[I] | Iterable[I], options: CallOptions | None, /
    ) -> ResponseStream[O]:
        return self._ready().stream(method, requests, options)


class _SyncTransport:
    """Carries calls of synchronous clients."""

    __slots__ = ("_callers", "_link", "_service", "_transport")

    def __init__(self, link: ReplacingLink, service: ServiceDescriptor[Any, Any, Any]) -> None:
        self._link = link
        self._service = service
        current = link._current
        # Taken and replaced together: any number of threads call.
        self._transport = (current, current.sync_transport_to(service))
        # The short way of methods that were called before.
        self._callers: dict[MethodDescriptor[Any, Any], Caller] = {}

    def _ready(self) -> SyncTransport:
        connection, transport = self._transport
        current = self._link.current()
        if current is not connection:
            transport = current.sync_transport_to(self._service)
            self._transport = (current, transport)
        return transport

    def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        caller = self._callers.get(method)
        if caller is not None and options is None:
            response = caller(request)
            if response is not None:
                message: O = message_of(method, response)
                return message
        answer = self._ready().unary(method, request, options)
        _learn(self._callers, self._link, self._transport[0], method)
        return answer

    def stream(
        self, method: MethodDescriptor[I, O], requests: Iterable[I], options: CallOptions | None, /
    ) -> SyncResponseStream[O]:
        return self._ready().stream(method, requests, options)


def _learn(
    callers: dict[MethodDescriptor[Any, Any], Caller],
    link: ReplacingLink,
    connection: Connection,
    method: MethodDescriptor[Any, Any],
) -> None:
    """Keeps the short way to a method, once it was called: it is known to the peer then.

    The one to an instance that has ended makes no calls, and is replaced here.
    """
    index = connection.indices.get(method)
    if link._most > 1 or index is None:
        return
    caller = connection.native.caller(index, method.default_timeout_ms, method.input, method.output)
    if caller is not None:
        callers[method] = caller
