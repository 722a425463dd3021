"""The transports of typed clients by bytes: over a connection, for asyncio and for threads."""

from __future__ import annotations

import math
import threading
from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ._caller import answer_of, message_of
from ._code import Code
from ._codec import Message, decode, encode
from ._error import AnyplugError
from ._lazy import asyncio
from ._metadata import metadata_pairs
from ._native import Call, Caller
from ._router import receive
from ._transport import ResponseStream, SyncResponseStream
from ._waiting import until

if TYPE_CHECKING:
    from ._connection import Connection
    from ._context import Context
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._metadata import Metadata
    from ._options import CallOptions

__all__ = ("SyncWireTransport", "WireTransport", "native_call")

I = TypeVar("I", bound=Message)  # noqa: E741 - the input of a method
O = TypeVar("O", bound=Message)  # noqa: E741 - its output

_OptionParts = tuple[tuple[tuple[str, str], ...], str, str, tuple[str, ...]]
_NativeOptions = tuple[float | None, int, _OptionParts | None, "Call | None"]


def _native_options(
    method: MethodDescriptor[Any, Any], options: CallOptions | None, within: Call | None
) -> _NativeOptions:
    """Timeout, default timeout, what else goes with the request, and the outer call, as the native module takes them.

    ``within``: the call of this connection within which this one is made, when the options name none.
    """
    if options is None:
        return None, method.default_timeout_ms, None, within
    timeout, default = options.timeout, method.default_timeout_ms
    if timeout is not None and math.isinf(timeout):
        timeout, default = None, 0
    traceparent, tracestate = options.traceparent, options.tracestate
    origin: tuple[str, ...] = ()
    if options.within is not None:
        outer, within = options.within, native_call(options.within)
        if within is None:
            # A call within this process. Whoever awaits is cancelled with it; all else is told here.
            origin = (*outer.origin, outer.peer.name)
            outer.raise_if_cancelled()
            if (remaining := outer.remaining) is not None:
                limit = timeout if timeout is not None else default / 1000 or math.inf
                timeout = min(limit, remaining)
            if not traceparent:
                traceparent, tracestate = outer.traceparent, outer.tracestate
    return timeout, default, (metadata_pairs(options.metadata), traceparent, tracestate, origin), within


def native_call(context: Context) -> Call | None:
    """Returns the call by bytes that a context is of, or None when it is a call within this process."""
    call = context._call
    return call if isinstance(call, Call) else None


def _wants_metadata(options: CallOptions | None) -> bool:
    return options is not None and (options.on_header is not None or options.on_trailer is not None)


def _callers(connection: Connection, within: Call | None) -> dict[MethodDescriptor[Any, Any], Caller | None] | None:
    """The short way of methods of a plugin in a shared library, which make no calls within others; None for others."""
    return {} if within is None and connection.native.transport == "ffi" else None


class WireTransport:
    """Carries the calls of asyncio clients."""

    __slots__ = ("_callers", "_connection", "_indices", "_native", "_service", "_within")

    def __init__(
        self, connection: Connection, service: ServiceDescriptor[Any, Any, Any], within: Call | None = None
    ) -> None:
        self._connection = connection
        self._native = connection.native
        self._indices = connection.indices
        self._service = service
        self._within = within
        self._callers = _callers(connection, within)

    async def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        """Calls a unary method. Raises AnyplugError with the status of the call."""
        loop = asyncio.get_running_loop()
        if loop is not self._connection.loop or _wants_metadata(options):
            return await self._unary_as_stream(method, request, options)
        callers = self._callers
        if callers is not None and options is None and (caller := callers.get(method)) is not None:
            response = caller.soon(request)
            if response.__class__ is tuple:
                waited: O = await answer_of(self._native, method, *response)
                return waited
            if response is not None:
                message: O = message_of(method, response)
                return message
        index = self._indices.get(method)
        if index is None:
            index = await self._connection.bind(self._service, method)
        if callers is not None and method not in callers:
            callers[method] = self._native.caller(index, method.default_timeout_ms, method.input, method.output)
        answer: asyncio.Future[bytes] = loop.create_future()
        if options is None:
            number = self._native.call_soon(
                answer, index, encode(request), None, method.default_timeout_ms, None, self._within
            )
        else:
            number = self._native.call_soon(
                answer, index, encode(request), *_native_options(method, options, self._within)
            )
        return await answer_of(self._native, method, answer, number)

    async def _unary_as_stream(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None) -> O:
        """The general way: for metadata, and in a loop that does not move the bytes of the connection itself."""
        async with self.stream(method, (request,), options) as responses:
            async for response in responses:
                async for _ in responses:
                    raise AnyplugError(Code.INTERNAL, f"{method.path}: a second response came where one is allowed")
                return response
        raise AnyplugError(Code.INTERNAL, f"{method.path}: the call succeeded without its response")

    def stream(
        self, method: MethodDescriptor[I, O], requests: AsyncIterable[I] | Iterable[I], options: CallOptions | None, /
    ) -> ResponseStream[O]:
        """Calls a method of any other kind; for a client stream one response comes."""
        return _WireStream(self._connection, self._service, method, requests, options, self._within)


class _Metadata:
    """Hands the metadata of the callee to the callbacks of the options, once each."""

    __slots__ = ("_on_header", "_on_trailer")

    def __init__(self, options: CallOptions | None) -> None:
        self._on_header: Callable[[Metadata], None] | None = options.on_header if options else None
        self._on_trailer: Callable[[Metadata], None] | None = options.on_trailer if options else None

    def look(self, call: Call) -> None:
        """The callee's first message, or its status, has come."""
        if self._on_header is not None and (header := call.header) is not None:
            tell, self._on_header = self._on_header, None
            tell(header)

    def end(self, call: Call) -> None:
        """The call has ended."""
        self.look(call)
        if self._on_trailer is not None and (trailer := call.trailer) is not None:
            tell, self._on_trailer = self._on_trailer, None
            tell(trailer)


_LEFT = AnyplugError(Code.CANCELLED, "the caller stopped reading the responses")


class _WireStream(ResponseStream[O]):
    """The responses of a call by bytes, for asyncio."""

    __slots__ = (
        "_call",
        "_connection",
        "_ended",
        "_failure",
        "_metadata",
        "_method",
        "_options",
        "_requests",
        "_sender",
        "_service",
        "_within",
    )

    def __init__(
        self,
        connection: Connection,
        service: ServiceDescriptor[Any, Any, Any],
        method: MethodDescriptor[Any, O],
        requests: AsyncIterable[Any] | Iterable[Any],
        options: CallOptions | None,
        within: Call | None,
    ) -> None:
        self._connection = connection
        self._service = service
        self._method = method
        self._requests: AsyncIterable[Any] | Iterable[Any] = requests
        self._options = options
        self._within = within
        self._metadata = _Metadata(options)
        self._call: Call | None = None
        self._sender: asyncio.Task[None] | None = None
        self._failure: list[Exception] = []
        self._ended = False

    async def __anext__(self) -> O:
        """Waits for the next response and returns it. Raises AnyplugError with the status of the call."""
        if self._ended:
            raise StopAsyncIteration
        try:
            call = self._call or await self._begin()
            data = await receive(call)
            if data is not None:
                self._metadata.look(call)
                return decode(self._method.output, data)
        except BaseException as error:
            await self._fail(error)
            raise self._failure[0] if self._failure and isinstance(error, AnyplugError) else error from None
        self._end(call)
        raise StopAsyncIteration

    async def _begin(self) -> Call:
        index = await self._connection.bind(self._service, self._method)
        options = _native_options(self._method, self._options, self._within)
        native = self._connection.native
        if self._method.kind.streams_requests:
            self._call = native.call_stream(index, None, *options)
            sending = _send_requests(self._call, self._requests, self._failure)
            self._sender = asyncio.get_running_loop().create_task(sending)
        else:
            [request] = self._requests  # type: ignore[misc]
            self._call = native.call_stream(index, encode(request), *options)
        return self._call

    def _end(self, call: Call) -> None:
        self._ended = True
        if self._sender is not None:
            self._sender.cancel()
        self._metadata.end(call)

    async def _fail(self, error: BaseException) -> None:
        call, self._ended = self._call, True
        if call is None:
            return
        if not isinstance(error, AnyplugError) or call.trailer is None:
            call.fail(_LEFT)
        self._end(call)

    async def aclose(self) -> None:
        """Cancels the call if it has not ended."""
        self._leave()

    def _leave(self) -> None:
        if self._call is not None and not self._ended:
            self._call.fail(_LEFT)
            if self._sender is not None:
                self._sender.cancel()
        self._ended = True

    def __del__(self) -> None:
        """Cancels the call of a stream that nobody reads any more."""
        if not getattr(self, "_ended", True):
            self._leave()


async def _send_requests(call: Call, requests: AsyncIterable[Any] | Iterable[Any], failure: list[Exception]) -> None:
    """Sends requests as they come. What they raise cancels the call and is kept in ``failure``."""
    try:
        if isinstance(requests, AsyncIterable):
            async for request in requests:
                await _send_request(call, request)
        else:
            for request in requests:
                await _send_request(call, request)
    except _CallEndedError:
        return
    except Exception as error:
        failure.append(error)
        call.fail(AnyplugError(Code.CANCELLED, "the caller's requests failed"))
        return
    call.finish()


class _CallEndedError(Exception):
    """The call has ended before its last request."""


async def _send_request(call: Call, request: Message) -> None:
    data = encode(request)
    try:
        while not call.send(data, False):
            await until(call.on_writable)
    except AnyplugError as error:
        # How the call ended, the responses tell; a request that is too large ends the call that way, too.
        raise _CallEndedError from error


class SyncWireTransport:
    """Carries the calls of synchronous clients."""

    __slots__ = ("_callers", "_connection", "_indices", "_native", "_service", "_within")

    def __init__(
        self, connection: Connection, service: ServiceDescriptor[Any, Any, Any], within: Call | None = None
    ) -> None:
        self._connection = connection
        self._native = connection.native
        self._indices = connection.indices
        self._service = service
        self._within = within
        self._callers = _callers(connection, within)

    def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        """Calls a unary method. Raises AnyplugError with the status of the call."""
        callers = self._callers
        if callers is not None and options is None and (caller := callers.get(method)) is not None:
            response = caller(request)
            if response is not None:
                message: O = message_of(method, response)
                return message
        index = self._indices.get(method)
        if index is None:
            index = self._connection.bind_now(self._service, method)
        if callers is not None and method not in callers:
            callers[method] = self._native.caller(index, method.default_timeout_ms, method.input, method.output)
        if options is None:
            data = self._native.call(index, encode(request), None, method.default_timeout_ms, None, self._within)
        elif _wants_metadata(options):
            return self._unary_with_metadata(method, request, options)
        else:
            data = self._native.call(index, encode(request), *_native_options(method, options, self._within))
        return decode(method.output, data)

    def _unary_with_metadata(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None) -> O:
        with self.stream(method, (request,), options) as responses:
            for response in responses:
                for _ in responses:
                    raise AnyplugError(Code.INTERNAL, f"{method.path}: a second response came where one is allowed")
                return response
        raise AnyplugError(Code.INTERNAL, f"{method.path}: the call succeeded without its response")

    def stream(
        self, method: MethodDescriptor[I, O], requests: Iterable[I], options: CallOptions | None, /
    ) -> SyncResponseStream[O]:
        """Calls a method of any other kind; for a client stream one response comes."""
        return _SyncWireStream(self._connection, self._service, method, requests, options, self._within)


class _SyncWireStream(SyncResponseStream[O]):
    """The responses of a call by bytes, for threads."""

    __slots__ = (
        "_call",
        "_connection",
        "_ended",
        "_failure",
        "_metadata",
        "_method",
        "_options",
        "_requests",
        "_service",
        "_within",
    )

    def __init__(
        self,
        connection: Connection,
        service: ServiceDescriptor[Any, Any, Any],
        method: MethodDescriptor[Any, O],
        requests: Iterable[Any],
        options: CallOptions | None,
        within: Call | None,
    ) -> None:
        self._connection = connection
        self._service = service
        self._method = method
        self._requests: Iterable[Any] = requests
        self._options = options
        self._within = within
        self._metadata = _Metadata(options)
        self._call: Call | None = None
        self._failure: list[Exception] = []
        self._ended = False

    def __next__(self) -> O:
        """Waits for the next response and returns it. Raises AnyplugError with the status of the call."""
        if self._ended:
            raise StopIteration
        try:
            call = self._call or self._begin()
            data = call.receive()
            if data is not None:
                self._metadata.look(call)
                return decode(self._method.output, data)
        except BaseException as error:
            self._fail(error)
            raise self._failure[0] if self._failure and isinstance(error, AnyplugError) else error from None
        self._ended = True
        self._metadata.end(call)
        raise StopIteration

    def _begin(self) -> Call:
        index = self._connection.bind_now(self._service, self._method)
        options = _native_options(self._method, self._options, self._within)
        native = self._connection.native
        if not self._method.kind.streams_requests:
            [request] = self._requests
            self._call = native.call_stream(index, encode(request), *options)
            return self._call
        self._call = native.call_stream(index, None, *options)
        arguments = (self._call, self._requests, self._failure)
        if isinstance(self._requests, list | tuple) and not self._method.kind.streams_responses:
            # Nothing comes before the last request was sent, and a list makes nobody wait.
            _send_requests_now(*arguments)
        else:
            # The responses can be read while the next request is waited for.
            threading.Thread(target=_send_requests_now, args=arguments, name="anyplug-requests", daemon=True).start()
        return self._call

    def _fail(self, error: BaseException) -> None:
        call, self._ended = self._call, True
        if call is None:
            return
        if not isinstance(error, AnyplugError) or call.trailer is None:
            call.fail(_LEFT)
        self._metadata.end(call)

    def close(self) -> None:
        """Cancels the call if it has not ended."""
        if self._call is not None and not self._ended:
            self._call.fail(_LEFT)
        self._ended = True

    def __del__(self) -> None:
        """Cancels the call of a stream that nobody reads any more."""
        if not getattr(self, "_ended", True):
            self.close()


def _send_requests_now(call: Call, requests: Iterable[Any], failure: list[Exception]) -> None:
    """Sends requests as they come. What they raise cancels the call and is kept in ``failure``."""
    iterator = iter(requests)
    while True:
        try:
            request = next(iterator)
            data = encode(request)
        except StopIteration:
            break
        except Exception as error:
            failure.append(error)
            call.fail(AnyplugError(Code.CANCELLED, "the caller's requests failed"))
            return
        try:
            call.send_waiting(data, False)
        except AnyplugError:
            # How the call ended, the responses tell.
            return
    call.finish()
