"""Makes the calls of a peer into calls of handlers: decodes, runs, encodes."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ._code import Code
from ._codec import Message, decode, encode
from ._context import Context, ServerLink
from ._error import AnyplugError, to_error
from ._handler import Implementation, RequestStream, is_async
from ._lazy import asyncio
from ._waiting import until

if TYPE_CHECKING:
    from ._descriptor import MethodDescriptor
    from ._native import Call
    from ._runner import Runner

__all__ = ("HandlerTable", "handler_table", "told")

HandlerTable: TypeAlias = list[Callable[["Call", "bytes | None"], "bytes | None"]]
T = TypeVar("T", bound=Message)

_LOGGER = logging.getLogger("anyplug.handler")


def handler_table(implementations: Iterable[Implementation], runner: Runner, link: ServerLink) -> HandlerTable:
    """Returns what serves each method, in the order of the services and their methods."""
    return [
        _Route(method, function, runner, link).serve()
        for implementation in implementations
        for method, function in zip(implementation.service.methods, implementation.functions, strict=True)
    ]


def told(error: Exception, method: MethodDescriptor[Any, Any]) -> AnyplugError:
    """Returns what the caller is told of an exception of a handler; its traceback stays here, in the log."""
    if not isinstance(error, AnyplugError):
        _LOGGER.error("the handler of %s failed", method.path, exc_info=error)
    return to_error(error)


class _Route:
    """A method and the function that handles it."""

    def __init__(
        self, method: MethodDescriptor[Any, Any], function: Callable[..., Any], runner: Runner, link: ServerLink
    ) -> None:
        self.method = method
        self.function = function
        self.runner = runner
        self.link = link

    def serve(self) -> Callable[[Call, bytes | None], bytes | None]:
        if is_async(self.function):
            return self.serve_async
        streams = self.method.kind.streams_requests or self.method.kind.streams_responses
        serve = self.serve_blocking if streams else self.unary()
        return self.runner.blocking(serve, _answer)

    def unary(self) -> Callable[[Call, bytes | None], bytes | None]:
        """The frequent case, with all that it needs at hand."""
        method, function, link = self.method, self.function, self.link
        request_type, response_type = method.input, method.output

        def serve(call: Call, data: bytes | None) -> bytes | None:
            try:
                request = decode(request_type, _only_request(call, method) if data is None else data)
                response = function(request, Context(method, call, link))
                if isinstance(response, response_type):
                    return encode(response)
                self.answer_otherwise(call, response)
            except Exception as error:
                call.fail(told(error, method))
            return None

        return serve

    def serve_blocking(self, call: Call, data: bytes | None) -> bytes | None:
        """Serves a call that streams, by a synchronous function."""
        try:
            result = self.function(self.argument(call, data), Context(self.method, call, self.link))
            if not self.method.kind.streams_responses:
                if isinstance(result, self.method.output):
                    return encode(result)
                self.answer_otherwise(call, result)
            elif isinstance(result, AsyncIterable) or inspect.isawaitable(result):
                self.answer_otherwise(call, result)
            else:
                _send_all(call, self.check_responses(result))
                call.finish()
        except Exception as error:
            call.fail(told(error, self.method))
        return None

    def serve_async(self, call: Call, data: bytes | None) -> None:
        """Serves a call by an asynchronous function."""
        self.runner.spawn(self.run_async(call, data), call.on_cancel)

    async def run_async(self, call: Call, data: bytes | None) -> None:
        try:
            if data is None and not self.method.kind.streams_requests:
                data = await _only_request_async(call, self.method)
            result = self.function(self.argument(call, data), Context(self.method, call, self.link))
            await self.answer_async(call, result)
        except asyncio.CancelledError:
            # Either the call was cancelled, and this changes nothing, or the handler was, by itself.
            call.fail(AnyplugError(Code.CANCELLED, f"the handler of {self.method.path} was cancelled"))
            raise
        except Exception as error:
            call.fail(told(error, self.method))

    async def answer_async(self, call: Call, result: object) -> None:
        if inspect.isawaitable(result):
            result = await result
        if not self.method.kind.streams_responses:
            await _send(call, encode(self.check_response(result)), last=True)
            return
        if isinstance(result, AsyncIterable):
            await _send_all_async(call, result)
        else:
            for response in self.check_responses(result):
                await _send(call, encode(response), last=False)
        call.finish()

    def answer_otherwise(self, call: Call, result: object) -> None:
        """Answers by what is no response yet: a function may return an awaitable or an asynchronous stream."""
        if not inspect.isawaitable(result) and not isinstance(result, AsyncIterable):
            self.check_response(result)
        self.runner.spawn(self.finish_async(call, result), call.on_cancel)

    async def finish_async(self, call: Call, result: object) -> None:
        try:
            await self.answer_async(call, result)
        except asyncio.CancelledError:
            call.fail(AnyplugError(Code.CANCELLED, f"the handler of {self.method.path} was cancelled"))
            raise
        except Exception as error:
            call.fail(told(error, self.method))

    def argument(self, call: Call, data: bytes | None) -> object:
        if self.method.kind.streams_requests:
            return WireRequests(call, self.method.input)
        return decode(self.method.input, _only_request(call, self.method) if data is None else data)

    def check_response(self, result: object) -> Message:
        if isinstance(result, self.method.output):
            return result  # type: ignore[no-any-return]
        raise AnyplugError(
            Code.INTERNAL,
            f"the handler of {self.method.path} returned {_kind(result)} instead of {self.method.output.__name__}",
        )

    def check_responses(self, result: object) -> Iterable[Any]:
        if isinstance(result, Iterable):
            return result
        raise AnyplugError(
            Code.INTERNAL,
            f"the handler of {self.method.path} returned {_kind(result)} instead of yielding"
            f" {self.method.output.__name__}",
        )


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


class WireRequests(RequestStream[T]):
    """The requests of a call that came by bytes."""

    __slots__ = ("_call", "_type")

    def __init__(self, call: Call, request_type: type[T]) -> None:
        self._call = call
        self._type = request_type

    def __next__(self) -> T:
        """Waits for the next request and returns it."""
        data = self._call.receive()
        if data is None:
            raise StopIteration
        return decode(self._type, data)

    async def __anext__(self) -> T:
        """Waits for the next request and returns it."""
        data = await receive(self._call)
        if data is None:
            raise StopAsyncIteration
        return decode(self._type, data)


async def receive(call: Call) -> bytes | None:
    """Waits for the next message of a call; None after the last."""
    while True:
        data = call.take()
        if data is not None or call.ended:
            return data
        await until(call.on_readable)


async def _send(call: Call, message: bytes, *, last: bool) -> None:
    while not call.send(message, last):
        await until(call.on_writable)


def _answer(call: Call, answer: bytes) -> None:
    # A call that has ended is nobody's any more.
    with suppress(AnyplugError):
        call.send_waiting(answer, True)


def _send_all(call: Call, responses: Iterable[Message]) -> None:
    iterator = iter(responses)
    try:
        for response in iterator:
            call.send_waiting(encode(response), False)
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


async def _send_all_async(call: Call, responses: AsyncIterable[Message]) -> None:
    iterator = aiter(responses)
    try:
        async for response in iterator:
            await _send(call, encode(response), last=False)
    finally:
        close: Callable[[], Awaitable[None]] | None = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


def _only_request(call: Call, method: MethodDescriptor[Any, Any]) -> bytes:
    """The one request, where it did not come with the call."""
    first = call.receive()
    if first is not None and call.receive() is None:
        return first
    raise _not_one_request(method)


async def _only_request_async(call: Call, method: MethodDescriptor[Any, Any]) -> bytes:
    first = await receive(call)
    if first is not None and await receive(call) is None:
        return first
    raise _not_one_request(method)


def _not_one_request(method: MethodDescriptor[Any, Any]) -> AnyplugError:
    return AnyplugError(Code.INTERNAL, f"{method.path} takes one request: the caller sent none, or more")
