"""Carries the calls of typed clients to handlers in this process."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from ._bridge import Bridge
from ._code import Code
from ._codec import Message
from ._direct import is_later
from ._error import AnyplugError
from ._handler import RequestStream
from ._lazy import asyncio, futures
from ._router import told
from ._runner import go_on
from ._transport import ResponseStream, SyncResponseStream
from ._waiting import background_loop

if TYPE_CHECKING:
    from ._context import Context
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._direct import DirectSide, Route
    from ._direct_call import DirectCall
    from ._options import CallOptions

__all__ = ("DirectTransport", "SyncDirectTransport")

I = TypeVar("I", bound=Message)  # noqa: E741 - the input of a method
O = TypeVar("O", bound=Message)  # noqa: E741 - its output
T = TypeVar("T")

_LEFT = AnyplugError(Code.CANCELLED, "the caller stopped reading the responses")
_CALLER_LEFT = AnyplugError(Code.CANCELLED, "the caller cancelled the call")
_NO_MORE = object()


@functools.cache
def _handler_threads() -> futures.ThreadPoolExecutor:
    """For synchronous handlers that are called from an event loop, which they could block."""
    return futures.ThreadPoolExecutor(max_workers=64, thread_name_prefix="anyplug-handler")


class DirectTransport:
    """Carries the calls of asyncio clients. Asynchronous handlers run in the task of their caller."""

    __slots__ = ("_callee", "_service", "_within")

    def __init__(self, callee: DirectSide, service: ServiceDescriptor[Any, Any, Any], within: Context | None) -> None:
        self._callee = callee
        self._service = service
        self._within = within

    async def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        """Calls a unary method. Raises AnyplugError with the status of the call."""
        callee = self._callee
        route = callee.routes.get(method) or callee.route(self._service, method)
        call, context = callee.begin(route, method, options, self._within)
        try:
            if route.is_async:
                response: Any = route.function(route.request(request) if route.converts else request, context)
            else:
                loop = asyncio.get_running_loop()
                threads = _handler_threads()
                response = await call.guard(
                    loop.run_in_executor(threads, route.function, route.request(request), context)
                )
            if type(response) is CoroutineType:
                # Most answer without a wait: only one that waits is tied to the end of the call.
                try:
                    waits_for = response.send(None)
                except StopIteration as end:
                    response = end.value
                else:
                    response = await call.guard(go_on(response, waits_for))
            if type(response) is not route.output and is_later(response):
                response = await call.guard(response)
            if call.reason is not None or call.deadline is not None:
                call.check()
            return route.response(response, method)  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            call.cancel(_CALLER_LEFT)
            raise
        except Exception as error:
            raise _told(error, call, route) from error
        finally:
            _finish(call, route, options)

    def stream(
        self, method: MethodDescriptor[I, O], requests: AsyncIterable[I] | Iterable[I], options: CallOptions | None, /
    ) -> ResponseStream[O]:
        """Calls a method of any other kind; for a client stream one response comes."""
        return _DirectStream(self._callee, self._service, method, requests, options, self._within)


class SyncDirectTransport:
    """Carries the calls of synchronous clients. Synchronous handlers run in the thread of their caller.

    Such a handler cannot be interrupted: at its deadline its context is told, and the call fails when it returns.
    """

    __slots__ = ("_callee", "_service", "_within")

    def __init__(self, callee: DirectSide, service: ServiceDescriptor[Any, Any, Any], within: Context | None) -> None:
        self._callee = callee
        self._service = service
        self._within = within

    def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        """Calls a unary method. Raises AnyplugError with the status of the call."""
        callee = self._callee
        route = callee.routes.get(method) or callee.route(self._service, method)
        call, context = callee.begin(route, method, options, self._within)
        try:
            response = route.function(route.request(request) if route.converts else request, context)
            if type(response) is not route.output and is_later(response):
                response = _run_in_background(_awaited(response), call)
            if call.reason is not None or call.deadline is not None:
                call.check()
            return route.response(response, method)  # type: ignore[no-any-return]
        except Exception as error:
            raise _told(error, call, route) from error
        finally:
            _finish(call, route, options)

    def stream(
        self, method: MethodDescriptor[I, O], requests: Iterable[I], options: CallOptions | None, /
    ) -> SyncResponseStream[O]:
        """Calls a method of any other kind; for a client stream one response comes."""
        return _SyncDirectStream(self._callee, self._service, method, requests, options, self._within)


def _told(error: Exception, call: DirectCall, route: Route) -> AnyplugError:
    """What the caller is told: why the call ended, or what the handler raised."""
    return call.cancelled or call.failed(told(error, route.method))


def _finish(call: DirectCall, route: Route, options: CallOptions | None) -> None:
    route.callee.end(call)
    if options is not None:
        if options.on_header is not None:
            options.on_header(call.header)
        if options.on_trailer is not None:
            options.on_trailer(call.trailer)


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _run_in_background(coroutine: Coroutine[Any, Any, T], call: DirectCall) -> T:
    """Runs a coroutine on the background loop and waits for it, up to the deadline of the call."""
    future: futures.Future[T] = asyncio.run_coroutine_threadsafe(coroutine, background_loop())
    call.on_cancel(future.cancel)
    try:
        return future.result(call.remaining)
    except TimeoutError:
        call.check()
        raise
    except futures.CancelledError:
        call.check()
        raise AnyplugError(Code.CANCELLED, "the handler was cancelled") from None
    except BaseException:
        # Ctrl-C: nobody waits for the handler any more.
        future.cancel()
        raise


class _Requests(RequestStream[T]):
    """The requests of a call, from wherever the caller takes them to wherever the handler runs."""

    __slots__ = ("_call", "_loop", "_route", "_source")

    def __init__(
        self,
        source: AsyncIterable[Any] | Iterable[Any],
        call: DirectCall,
        route: Route,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self._source: AsyncIterator[Any] | Iterator[Any] = (
            aiter(source) if isinstance(source, AsyncIterable) else iter(source)
        )
        self._call = call
        self._route = route
        self._loop = loop
        """The loop of the caller; None when it is synchronous."""

    def __next__(self) -> T:
        """Waits for the next request and returns it."""
        self._call.check()
        try:
            request = self._next_here(self._source)
        except Exception as error:
            raise self._failed(error) from error
        if request is _NO_MORE:
            raise StopIteration
        return self._route.request(request)  # type: ignore[return-value]

    def _next_here(self, source: AsyncIterator[Any] | Iterator[Any]) -> Any:  # noqa: ANN401
        if isinstance(source, Iterator):
            return next(source, _NO_MORE)
        future = asyncio.run_coroutine_threadsafe(_next_of(source), self._loop or background_loop())
        self._call.on_cancel(future.cancel)
        try:
            return future.result()
        except futures.CancelledError:
            self._call.check()
            raise
        finally:
            self._call.forget(future.cancel)

    async def __anext__(self) -> T:
        """Waits for the next request and returns it."""
        self._call.check()
        try:
            request = await self._next_in_loop(self._source)
        except Exception as error:
            raise self._failed(error) from error
        if request is _NO_MORE:
            raise StopAsyncIteration
        return self._route.request(request)  # type: ignore[return-value]

    async def _next_in_loop(self, source: AsyncIterator[Any] | Iterator[Any]) -> Any:  # noqa: ANN401
        if not isinstance(source, Iterator):
            return await _next_of(source)
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return next(source, _NO_MORE)
        # The caller's iterator may block.
        return await loop.run_in_executor(_handler_threads(), next, source, _NO_MORE)

    def _failed(self, error: Exception) -> Exception:
        """What the caller's own iterator raised is for the caller, not for the handler."""
        if (reason := self._call.cancelled) is not None:
            return reason
        failed = AnyplugError(Code.CANCELLED, "the caller's requests failed")
        self._call.failure = error
        self._call.cancel(failed)
        return failed


async def _next_of(source: AsyncIterator[Any]) -> Any:  # noqa: ANN401
    return await anext(source, _NO_MORE)


class _Begun:
    """A call whose handler runs, or will when its responses are read."""

    def __init__(
        self,
        callee: DirectSide,
        service: ServiceDescriptor[Any, Any, Any],
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterable[Any] | Iterable[Any],
        options: CallOptions | None,
        within: Context | None,
        *,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.method = method
        self.options = options
        self.route = callee.route(service, method)
        self.call, self.context = callee.begin(self.route, method, options, within)
        self.has_header = False
        if method.kind.streams_requests:
            self.argument: Any = _Requests(requests, self.call, self.route, loop)
        else:
            [request] = requests  # type: ignore[misc]
            self.argument = self.route.request(request)

    def response(self, response: object) -> Any:  # noqa: ANN401
        self.call.check()
        self.call.answered = True
        if not self.has_header and self.options is not None and self.options.on_header is not None:
            self.has_header = True
            self.options.on_header(self.call.header)
        return self.route.response(response, self.method)

    def told(self, error: Exception) -> Exception:
        """What the caller is told."""
        return self.call.failure or _told(error, self.call, self.route)

    def finish(self) -> None:
        self.route.callee.end(self.call)
        if not self.call.answered:
            self.call.end_metadata()
        if self.options is not None:
            if not self.has_header and self.options.on_header is not None:
                self.options.on_header(self.call.header)
            if self.options.on_trailer is not None:
                self.options.on_trailer(self.call.trailer)

    async def run_async(self) -> AsyncIterator[Any]:
        """What the handler answers, on an event loop."""
        result = self.route.function(self.argument, self.context)
        if not self.method.kind.streams_responses:
            yield await result if is_later(result) else result
            return
        if not isinstance(result, AsyncIterable) and is_later(result):
            result = await result
        iterator = aiter(result) if isinstance(result, AsyncIterable) else _as_async(iter(result))
        try:
            async for response in iterator:
                yield response
        finally:
            close: Callable[[], Awaitable[None]] | None = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    def run(self) -> Iterator[Any]:
        """What the handler answers, in this thread."""
        result = self.route.function(self.argument, self.context)
        if is_later(result):
            yield from self.in_background(_results(result, self.method.kind.streams_responses))
        elif self.method.kind.streams_responses:
            yield from result
        else:
            yield result

    def in_background(self, responses: AsyncIterable[Any]) -> Iterator[Any]:
        """What is answered on the background loop."""
        bridge: Bridge[Any] = Bridge()
        future = asyncio.run_coroutine_threadsafe(_give_async(bridge, responses), background_loop())
        self.call.on_cancel(future.cancel)
        timer = None
        if (remaining := self.call.remaining) is not None:
            timer = background_loop().call_soon_threadsafe(background_loop().call_later, remaining, self.call.expire)
        try:
            while (item := bridge.get()) is not _NO_MORE:
                yield item
        finally:
            bridge.leave()
            future.cancel()
            if timer is not None:
                timer.cancel()


async def _results(result: Any, streams: bool) -> AsyncIterator[Any]:  # noqa: ANN401
    """What a handler answers that returned something to be awaited or iterated."""
    if not isinstance(result, AsyncIterable):
        result = await result
    if not streams:
        yield result
    elif isinstance(result, AsyncIterable):
        async for response in result:
            yield response
    else:
        for response in result:
            yield response


async def _as_async(iterator: Iterator[T]) -> AsyncIterator[T]:
    for item in iterator:
        yield item


async def _give_async(bridge: Bridge[Any], items: AsyncIterable[Any]) -> None:
    try:
        async for item in items:
            if not await bridge.put_async(item):
                return
        await bridge.put_async(_NO_MORE)
    except asyncio.CancelledError:
        bridge.end(AnyplugError(Code.CANCELLED, "the handler was cancelled"))
        raise
    except Exception as error:
        bridge.end(error)


def _give(bridge: Bridge[Any], begun: _Begun) -> None:
    responses = begun.run()
    try:
        for item in responses:
            if not bridge.put(item):
                return
        bridge.put(_NO_MORE)
    except Exception as error:
        bridge.end(error)
    finally:
        responses.close()  # type: ignore[attr-defined]


async def _take(bridge: Bridge[Any]) -> AsyncIterator[Any]:
    try:
        while (item := await bridge.get_async()) is not _NO_MORE:
            yield item
    finally:
        bridge.leave()


class _DirectStream(ResponseStream[O]):
    """The responses of a handler in this process, for asyncio."""

    __slots__ = ("_arguments", "_begun", "_ended", "_responses")

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401
        self._arguments = arguments
        self._begun: _Begun | None = None
        self._responses: AsyncIterator[Any] | None = None
        self._ended = False

    async def __anext__(self) -> O:
        """Waits for the next response and returns it. Raises AnyplugError with the status of the call."""
        if self._ended:
            raise StopAsyncIteration
        begun = self._begun or self._begin()
        responses = self._responses
        try:
            if responses is not None:
                response = await begun.call.guard(anext(responses, _NO_MORE))
                if response is not _NO_MORE:
                    return begun.response(response)  # type: ignore[no-any-return]
                begun.call.check()
        except BaseException as error:
            reason = begun.told(error) if isinstance(error, Exception) else None
            await self._leave(begun)
            if reason is not None:
                raise reason from error
            raise
        await self._leave(begun)
        raise StopAsyncIteration

    def _begin(self) -> _Begun:
        loop = asyncio.get_running_loop()
        begun = self._begun = _Begun(*self._arguments, loop=loop)
        if begun.route.is_async:
            self._responses = begun.run_async()
        else:
            bridge: Bridge[Any] = Bridge()
            begun.call.on_cancel(bridge.leave)
            _handler_threads().submit(_give, bridge, begun)
            self._responses = _take(bridge)
        return begun

    async def _leave(self, begun: _Begun) -> None:
        self._ended = True
        responses, self._responses = self._responses, None
        close: Callable[[], Awaitable[None]] | None = getattr(responses, "aclose", None)
        try:
            if close is not None:
                await close()
        finally:
            begun.finish()

    async def aclose(self) -> None:
        """Cancels the call if it has not ended."""
        if self._begun is not None and not self._ended:
            self._begun.call.cancel(_LEFT)
            await self._leave(self._begun)
        self._ended = True

    def __del__(self) -> None:
        """Cancels the call of a stream that nobody reads any more; asyncio closes the handler's generator."""
        begun: _Begun | None = getattr(self, "_begun", None)
        if begun is not None and not self._ended:
            begun.call.cancel(_LEFT)
            begun.finish()


class _SyncDirectStream(SyncResponseStream[O]):
    """The responses of a handler in this process, for threads."""

    __slots__ = ("_arguments", "_begun", "_ended", "_responses")

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401
        self._arguments = arguments
        self._begun: _Begun | None = None
        self._responses: Iterator[Any] = iter(())
        self._ended = False

    def __next__(self) -> O:
        """Waits for the next response and returns it. Raises AnyplugError with the status of the call."""
        if self._ended:
            raise StopIteration
        begun = self._begun or self._begin()
        try:
            response = next(self._responses, _NO_MORE)
            begun.call.check()
            if response is not _NO_MORE:
                return begun.response(response)  # type: ignore[no-any-return]
        except BaseException as error:
            reason = begun.told(error) if isinstance(error, Exception) else None
            self._leave(begun)
            if reason is not None:
                raise reason from error
            raise
        self._leave(begun)
        raise StopIteration

    def _begin(self) -> _Begun:
        begun = self._begun = _Begun(*self._arguments, loop=None)
        self._responses = begun.run()
        return begun

    def _leave(self, begun: _Begun) -> None:
        self._ended = True
        try:
            self._responses.close()  # type: ignore[attr-defined]
        finally:
            begun.finish()

    def close(self) -> None:
        """Cancels the call if it has not ended."""
        if self._begun is not None and not self._ended:
            self._begun.call.cancel(_LEFT)
            self._leave(self._begun)
        self._ended = True

    def __del__(self) -> None:
        """Cancels the call of a stream that nobody reads any more."""
        if not getattr(self, "_ended", True):
            self.close()
