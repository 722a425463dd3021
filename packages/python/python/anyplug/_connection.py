"""A connection by bytes, tied to threads or to an event loop."""

from __future__ import annotations

import functools
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _native
from ._context import Context, PeerInfo
from ._error import AnyplugError
from ._lazy import asyncio
from ._lifetime import end_program, keep_track
from ._log import LogLevel, LogRecord, OnLog
from ._router import HandlerTable, handler_table
from ._schema import ServiceParts, service_parts
from ._wire import SyncWireTransport, WireTransport, native_call

if TYPE_CHECKING:
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._handler import Implementation
    from ._runner import Runner

__all__ = ("Connection",)

MakeNative: TypeAlias = Callable[[list[ServiceParts], HandlerTable, Callable[[Any], None]], _native.Connection]


class Connection:
    """A native connection with the handlers of one side; it is what a `Context` knows its surroundings by."""

    def __init__(
        self,
        make_native: MakeNative,
        implementations: Iterable[Implementation],
        runner: Runner,
        on_log: OnLog,
        *,
        config: Any = None,  # noqa: ANN401 - JSON
        is_plugin: bool = False,
    ) -> None:
        implementations = tuple(implementations)
        self.config = config
        self.indices: dict[MethodDescriptor[Any, Any], int] = {}
        """The places in the peer's table of the methods whose schemas are known to fit."""
        self._runner = runner
        self._on_log = on_log
        self._is_plugin = is_plugin
        self.loop: asyncio.AbstractEventLoop | None = None
        """The event loop that moves its bytes, or None when threads do."""
        self._descriptors: tuple[int, ...] = ()
        self._lock = threading.Lock()
        self._workers: list[threading.Thread] = []
        self._ended = threading.Event()
        self._on_ended: list[Callable[[], object]] = []
        services = [service_parts(implementation.service) for implementation in implementations]
        self.native = make_native(services, handler_table(implementations, runner, self), self._take_record)
        keep_track(self)

    # --- the peer --------------------------------------------------------------------------------

    @property
    def peer(self) -> PeerInfo:
        """Who the peer is, as its hello said."""
        peer = self.native.peer
        return PeerInfo("", "", "") if peer is None else PeerInfo(*peer[:3])

    @property
    def close_reason(self) -> AnyplugError | None:
        """Why the connection has ended, or None while it has not."""
        return self.native.close_reason

    @property
    def enforced(self) -> list[str]:
        """What keeps a plugin in a shared library from its host; empty for others."""
        return self.native.enforced

    async def bind(self, service: ServiceDescriptor[Any, Any, Any], method: MethodDescriptor[Any, Any]) -> int:
        """Returns the index of a method in the peer's table, once the schemas are known to fit."""
        index = self.indices.get(method)
        if index is None:
            if self._differs(service):
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, self.native.negotiate, [service_parts(service)], False)
            index = self._note(method)
        return index

    def bind_now(self, service: ServiceDescriptor[Any, Any, Any], method: MethodDescriptor[Any, Any]) -> int:
        """Returns the index of a method in the peer's table, once the schemas are known to fit."""
        index = self.indices.get(method)
        if index is None:
            if self._differs(service):
                self.native.negotiate([service_parts(service)], False)
            index = self._note(method)
        return index

    def _differs(self, service: ServiceDescriptor[Any, Any, Any]) -> bool:
        peer = self.native.peer
        theirs = "" if peer is None else dict(peer[3]).get(service.name, "")
        return bool(theirs and service.fingerprint and theirs != service.fingerprint)

    def _note(self, method: MethodDescriptor[Any, Any]) -> int:
        index = self.indices[method] = self.native.method_index(method.service, method.name)
        return index

    # --- calls -----------------------------------------------------------------------------------

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> WireTransport:
        """Returns what carries calls of asyncio clients to ``service``."""
        return WireTransport(self, service)

    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncWireTransport:
        """Returns what carries calls of synchronous clients to ``service``."""
        return SyncWireTransport(self, service)

    def transport_within(self, service: ServiceDescriptor[Any, Any, Any], context: Context, /) -> WireTransport:
        """Returns what carries calls that a handler makes to the peer within its call."""
        return WireTransport(self, service, native_call(context))

    def sync_transport_within(
        self, service: ServiceDescriptor[Any, Any, Any], context: Context, /
    ) -> SyncWireTransport:
        """Returns what carries calls that a handler makes to the peer within its call."""
        return SyncWireTransport(self, service, native_call(context))

    # --- the log ---------------------------------------------------------------------------------

    def log(self, level: LogLevel, message: str, fields: Mapping[str, str], /, logger: str = "") -> None:
        """Writes to the log: a plugin's goes to its host, a host's to its own."""
        if self._is_plugin:
            self.native.log(level, logger, message, fields)
        else:
            self._on_log(LogRecord(level, message, logger, 0, fields))

    def _take_record(self, parts: tuple[int, str, str, int, Mapping[str, str]]) -> None:
        level, message, logger, time_ms, fields = parts
        self._on_log(LogRecord(LogLevel(level), message, logger, time_ms, fields))

    # --- threads ---------------------------------------------------------------------------------

    def start_thread(self) -> None:
        """Starts the thread that reads when no caller does; it starts others when it needs them."""
        self._start_worker(spins=False)

    def work(self, *, spins: bool, is_main: bool) -> None:
        """Reads and runs handlers in this thread until the connection has ended."""
        if self.native.work(spins, is_main, functools.partial(self._start_worker, spins=spins)):
            self._end()

    def _start_worker(self, *, spins: bool) -> None:
        worker = threading.Thread(target=self._work_on, args=(spins,), name="anyplug-worker", daemon=True)
        with self._lock:
            worker.start()
            self._workers = [*(other for other in self._workers if other.is_alive()), worker]

    def _work_on(self, spins: bool) -> None:
        while not self._ended.is_set():
            try:
                self.work(spins=spins, is_main=False)
            except SystemExit as end:
                # As in the main thread of a plugin: a handler that calls sys.exit ends the program. A host goes on.
                if self._is_plugin:
                    end_program(end)
            else:
                return

    def join_workers(self, timeout: float) -> bool:
        """Waits until the threads of the connection have ended. Returns whether they have."""
        until = time.monotonic() + timeout
        with self._lock:
            workers = self._workers
        for worker in workers:
            if worker is not threading.current_thread():
                worker.join(max(0.0, until - time.monotonic()))
        return not any(worker.is_alive() for worker in workers)

    # --- the event loop --------------------------------------------------------------------------

    def join_loop(self) -> None:
        """Ties the connection to the running event loop, which reads and runs handlers from now on."""
        self.loop = asyncio.get_running_loop()
        # What the native side keeps must not keep this alive in turn: the garbage collector does not see it there.
        self._descriptors = self.native.join_loop(self.loop, functools.partial(_tick, weakref.ref(self)))
        for descriptor in self._descriptors:
            self.loop.add_reader(descriptor, self._tick)

    def _tick(self) -> None:
        state = self.native.tick()
        if state and self.loop is not None:
            self._leave_loop(self.loop, everything=state == _OVER)

    def _leave_loop(self, loop: asyncio.AbstractEventLoop, *, everything: bool) -> None:
        # The end of a stream is readable for ever; the other descriptor tells when the reason is known.
        gone, self._descriptors = self._descriptors[:-1], self._descriptors[-1:]
        for descriptor in (*gone, *self._descriptors) if everything else gone:
            loop.remove_reader(descriptor)
        if everything:
            self._descriptors = ()
            self.native.leave_loop()
            self._end()

    # --- the end ---------------------------------------------------------------------------------

    def on_ended(self, callback: Callable[[], object]) -> None:
        """Has ``callback`` called once the connection has ended, in the thread that noticed: at once if it has."""
        if self._ended.is_set():
            callback()
        else:
            self._on_ended.append(callback)

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Waits until the threads of the connection have noticed its end. Returns whether they have."""
        return self.loop is not None or self._ended.wait(timeout)

    def _end(self) -> None:
        self._ended.set()
        callbacks, self._on_ended = self._on_ended, []
        for callback in callbacks:
            callback()

    def close(self, drain_timeout: float) -> None:
        """Lets calls in flight end, ``drain_timeout`` seconds at most, closes the channel, and stops the process."""
        if self.native.close(drain_timeout) and self.loop is None:
            self._ended.wait()
            self.join_workers(_JOIN)

    def open(self, timeout: float, expect: list[ServiceParts]) -> None:
        """Waits until calls can be made and the schemas fit, ``timeout`` seconds at most."""
        try:
            self.native.open(timeout, expect)
        except BaseException:
            # It was killed: its threads end.
            self.join_workers(_JOIN)
            raise

    def kill(self, reason: str) -> None:
        """Ends the connection, and the process at its other end, at once."""
        self.native.kill(reason)


def _tick(connection: weakref.ref[Connection]) -> None:
    if (found := connection()) is not None:
        found._tick()


_OVER = 2
"""What a tick returns when the connection has ended and everybody knows."""

_JOIN = 1.0
"""Seconds that `Connection.close` waits for handlers that were cancelled and do not end."""
