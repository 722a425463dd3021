"""A plugin in this process: typed objects pass through, and nothing is encoded."""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._code import Code
from ._codec import Message, decode, encode
from ._context import Context, PeerInfo
from ._direct_call import DirectCall, check_key
from ._error import AnyplugError
from ._handler import is_async
from ._log import LogLevel, LogRecord
from ._metadata import metadata_pairs
from ._native import check_compatible

if TYPE_CHECKING:
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._direct_transport import DirectTransport, SyncDirectTransport
    from ._handler import Implementation
    from ._options import CallOptions

__all__ = ("DirectLink", "DirectSide", "Route")

_MAX_ORIGIN = 16


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A method of a caller's stub, and the function of the callee that handles it."""

    method: MethodDescriptor[Any, Any]
    """As the callee knows it."""
    function: Callable[..., Any]
    callee: DirectSide
    converts: bool
    """Caller and callee have classes of their own for the messages."""
    output: type[Message]
    """The class of the callee's responses."""
    is_async: bool
    """The function is a coroutine function, or an asynchronous generator function."""

    def request(self, request: Message) -> Message:
        """The request as the callee has it."""
        return decode(self.method.input, encode(request)) if self.converts else request

    def response(self, response: object, caller: MethodDescriptor[Any, Any]) -> Any:  # noqa: ANN401
        """The response as the caller has it. Raises AnyplugError (INTERNAL) when it is none."""
        if not isinstance(response, self.method.output):
            kind = "None" if response is None else f"a {type(response).__name__}"
            raise AnyplugError(
                Code.INTERNAL,
                f"the handler of {self.method.path} returned {kind} instead of {self.method.output.__name__}",
            )
        return decode(caller.output, encode(response)) if self.converts else response


@dataclass(eq=False)
class DirectSide:
    """One of the two sides: what it serves, and what its handlers know of the other."""

    info: PeerInfo
    implementations: tuple[Implementation, ...]
    grants: tuple[str, ...] | None
    """The capabilities that the other side has here; None: all."""
    config: Any
    write_log: Callable[[LogRecord], None]
    most_pending: int
    """Calls that this side answers at once."""
    calls: set[DirectCall] = field(default_factory=set)
    """Those that it answers now."""
    link: DirectLink = field(init=False)
    other: DirectSide = field(init=False)
    routes: dict[MethodDescriptor[Any, Any], Route] = field(default_factory=dict)
    """What `route` found so far."""

    # --- what a Context knows of it --------------------------------------------------------------

    @property
    def peer(self) -> PeerInfo:
        """Who calls this side."""
        return self.other.info

    def transport_within(self, service: ServiceDescriptor[Any, Any, Any], context: Context, /) -> DirectTransport:
        """Returns what carries calls that a handler makes to the other side within its call."""
        return self.other.transport(service, context)

    def sync_transport_within(
        self, service: ServiceDescriptor[Any, Any, Any], context: Context, /
    ) -> SyncDirectTransport:
        """Returns what carries calls that a handler makes to the other side within its call."""
        return self.other.sync_transport(service, context)

    def log(self, level: LogLevel, message: str, fields: Mapping[str, str], /, logger: str = "") -> None:
        """Writes to the log of the host."""
        self.write_log(LogRecord(level, message, logger, 0, fields))

    # --- calls of this side ----------------------------------------------------------------------

    def transport(self, service: ServiceDescriptor[Any, Any, Any], within: Context | None = None) -> DirectTransport:
        """Returns what carries calls of asyncio clients to this side."""
        from ._direct_transport import DirectTransport  # noqa: PLC0415 - the two know each other

        return DirectTransport(self, service, within)

    def sync_transport(
        self, service: ServiceDescriptor[Any, Any, Any], within: Context | None = None
    ) -> SyncDirectTransport:
        """Returns what carries calls of synchronous clients to this side."""
        from ._direct_transport import SyncDirectTransport  # noqa: PLC0415 - the two know each other

        return SyncDirectTransport(self, service, within)

    def route(self, service: ServiceDescriptor[Any, Any, Any], method: MethodDescriptor[Any, Any]) -> Route:
        """Returns what handles a method of a caller's stub.

        Raises AnyplugError: UNIMPLEMENTED, when there is no such method here; FAILED_PRECONDITION, when the schemas
        differ in a way that would break on the wire.
        """
        route = self.routes.get(method)
        if route is None:
            route = self.routes[method] = self._find(service, method)
        return route

    def _find(self, service: ServiceDescriptor[Any, Any, Any], method: MethodDescriptor[Any, Any]) -> Route:
        for implementation in self.implementations:
            if implementation.service.name == service.name:
                check_schemas(service, implementation.service)
                for own, function in zip(implementation.service.methods, implementation.functions, strict=True):
                    if own.name == method.name:
                        converts = own.input is not method.input or own.output is not method.output
                        return Route(own, function, self, converts, own.output, is_async(function))
                names = ", ".join(own.name for own in implementation.service.methods)
                raise AnyplugError(
                    Code.UNIMPLEMENTED,
                    f'"{self.info.name}" has no method {service.name}/{method.name}; it has {names}',
                )
        offered = ", ".join(implementation.service.name for implementation in self.implementations) or "nothing"
        raise AnyplugError(Code.UNIMPLEMENTED, f'"{self.info.name}" does not serve {service.name}; it serves {offered}')

    def begin(
        self, route: Route, caller: MethodDescriptor[Any, Any], options: CallOptions | None, within: Context | None
    ) -> tuple[DirectCall, Context]:
        """Begins a call to this side. `end` has to be called for it.

        Raises AnyplugError when it is refused: as a connection refuses a call, or the callee's router.
        """
        if options is not None and options.within is not None:
            within = options.within
        call = DirectCall()
        if options is not None or within is not None or caller.default_timeout_ms:
            _apply(call, caller, options, within)
        # Counted before anything is looked at: other threads do the same.
        self.calls.add(call)
        if self.link.is_draining:
            self.end(call)
            raise self.link.refusal(self)
        if len(self.calls) > self.most_pending:
            self.calls.discard(call)
            message = f'there are {self.most_pending} requests, as many as "{self.info.name}" takes at once'
            raise AnyplugError(Code.RESOURCE_EXHAUSTED, f"{message}; wait for one to end")
        if call.origin or route.method.required_capability:
            try:
                self._admit(route.method, call)
            except AnyplugError:
                self.end(call)
                raise
        if within is not None:
            self._tie(call, within)
        return call, Context(route.method, call, self)

    def end(self, call: DirectCall) -> None:
        """No longer counts a call."""
        self.calls.discard(call)
        if call.leave_outer is not None:
            call.leave_outer()
        if self.link.is_draining:
            self.link.look()

    def _tie(self, call: DirectCall, within: Context) -> None:
        """Cancels a call with the one within which it is made."""

        def on_cancel() -> None:
            call.cancel(within.cancelled or _CANCELLED)

        within.on_cancel(on_cancel)
        outer = within._call
        if isinstance(outer, DirectCall):
            call.leave_outer = lambda: outer.forget(on_cancel)

    def _admit(self, method: MethodDescriptor[Any, Any], call: DirectCall) -> None:
        if len(call.origin) > _MAX_ORIGIN:
            raise AnyplugError(
                Code.FAILED_PRECONDITION,
                f"the call went through {len(call.origin)} peers, over the limit of {_MAX_ORIGIN}; do they answer each"
                " other without end?",
            )
        capability = method.required_capability
        if capability and self.grants is not None and capability not in self.grants:
            raise AnyplugError(
                Code.PERMISSION_DENIED,
                f'{method.path} needs the capability "{capability}", which was not granted: name it in "capabilities"'
                ' of plugin.json, and grant it by the option "grants" where the plugin is loaded',
            )


_CANCELLED = AnyplugError(Code.CANCELLED, "the call within which this one was made was cancelled")


def _apply(
    call: DirectCall, method: MethodDescriptor[Any, Any], options: CallOptions | None, within: Context | None
) -> None:
    """Gives a call what the options say, and what comes of the call within which it is made."""
    timeout: float | None = method.default_timeout_ms / 1000 or None
    if options is not None:
        timeout = timeout if options.timeout is None else options.timeout
        call.metadata = metadata_pairs(options.metadata)
        call.traceparent, call.tracestate = options.traceparent, options.tracestate
        for key, _ in call.metadata:
            check_key(key)
    if timeout is not None and math.isinf(timeout):
        timeout = None
    if within is not None:
        within.raise_if_cancelled()
        call.origin = (*within.origin, within.peer.name)
        if (remaining := within.remaining) is not None:
            timeout = remaining if timeout is None else min(timeout, remaining)
        if not call.traceparent:
            call.traceparent, call.tracestate = within.traceparent, within.tracestate
    if timeout is not None:
        if timeout <= 0:
            raise AnyplugError(Code.DEADLINE_EXCEEDED, "the deadline passed before the call was made")
        call.limit(timeout)


def check_schemas(caller: ServiceDescriptor[Any, Any, Any], callee: ServiceDescriptor[Any, Any, Any]) -> None:
    """Raises AnyplugError (FAILED_PRECONDITION) for schemas that differ in a way that would break on the wire."""
    if caller.fingerprint and callee.fingerprint and caller.fingerprint != callee.fingerprint:
        check_compatible(caller.name, caller.descriptor_set, callee.descriptor_set)


class DirectLink:
    """A host and a plugin in one process."""

    def __init__(self, host: DirectSide, plugin: DirectSide) -> None:
        self.host = host
        self.plugin = plugin
        host.link = plugin.link = self
        host.other, plugin.other = plugin, host
        self._changed = threading.Condition()
        self.is_draining = False
        """No new calls are taken: the link is about to end, or has."""
        self._ended: AnyplugError | None = None
        """What calls fail with once the plugin has ended."""
        self._close_reason: AnyplugError | None = None
        self._on_ended: list[Callable[[], object]] = []

    @property
    def peer(self) -> PeerInfo:
        """The plugin, as its definition says."""
        return self.plugin.info

    @property
    def close_reason(self) -> AnyplugError | None:
        """Why the plugin has ended, or None while it has not."""
        return self._close_reason

    def negotiate(self, expect: Iterable[ServiceDescriptor[Any, Any, Any]], uses: Iterable[Any]) -> None:
        """Checks that the plugin serves what the host expects, and that what it uses of the host fits."""
        for service in expect:
            self.plugin.route(service, service.methods[0])
        for service in uses:
            for implementation in self.host.implementations:
                if implementation.service.name == service.name:
                    check_schemas(service, implementation.service)

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> DirectTransport:
        """Returns what carries calls of asyncio clients to the plugin."""
        return self.plugin.transport(service)

    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncDirectTransport:
        """Returns what carries calls of synchronous clients to the plugin."""
        return self.plugin.sync_transport(service)

    # --- the calls in flight ---------------------------------------------------------------------

    def refusal(self, callee: DirectSide) -> AnyplugError:
        """Why there are to be no more calls, once `is_draining`."""
        if self._ended is not None:
            return self._ended
        message = f'the connection to "{callee.info.name}" is draining: it takes no new calls'
        return AnyplugError(Code.UNAVAILABLE, message)

    def look(self) -> None:
        """A call has ended while the link drains."""
        with self._changed:
            self._changed.notify_all()

    def close(self, drain_timeout: float) -> None:
        """Lets calls in flight end, ``drain_timeout`` seconds at most; then cancels them."""
        self.is_draining = True
        with self._changed:
            self._changed.wait_for(lambda: not (self.plugin.calls or self.host.calls), drain_timeout)
        self.kill(f'plugin "{self.plugin.info.name}" was closed')

    def kill(self, reason: str) -> None:
        """Cancels all calls in flight, and refuses others."""
        if self._close_reason is not None:
            return
        self._close_reason = AnyplugError(Code.UNAVAILABLE, reason)
        self.is_draining = True
        self._ended = AnyplugError(Code.UNAVAILABLE, f"the connection ended: {reason}")
        for call in [*self.plugin.calls, *self.host.calls]:
            call.cancel(self._ended)
        callbacks, self._on_ended = self._on_ended, []
        for callback in callbacks:
            callback()

    def on_ended(self, callback: Callable[[], object]) -> None:
        """Has ``callback`` called once the plugin has ended: at once if it has."""
        if self._close_reason is None:
            self._on_ended.append(callback)
        else:
            callback()

    def wait_ended(self, timeout: float | None = None) -> bool:
        """There is no thread that could have to notice."""
        return True


def is_later(result: object) -> bool:
    """Whether what a function returned has to be awaited or iterated by an event loop."""
    return inspect.isawaitable(result) or isinstance(result, AsyncIterable)
