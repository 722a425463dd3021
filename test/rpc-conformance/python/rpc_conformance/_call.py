"""Makes one call as the runner asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol, TypeVar

from anyplug import AnyplugError, CallOptions, Code, Metadata, ResponseStream
from anyplug.codegen.v1 import Message
from rpc_conformance_generated.connectrpc.conformance.v1 import (
    BidiStreamRequest,
    ClientCompatRequest,
    ClientCompatRequestCancel,
    ClientResponseResult,
    ClientStreamRequest,
    ConformancePayload,
    IdempotentUnaryRequest,
    ServerStreamRequest,
    StreamType,
    UnaryRequest,
    UnimplementedRequest,
)
from rpc_conformance_generated.connectrpc.conformance.v1.service_anyplug import ConformanceClient

from ._convert import headers_of, metadata_of, report_of

__all__ = ("make_call",)

MessageT = TypeVar("MessageT", bound=Message)


class _Answer(Protocol):
    payload: ConformancePayload | None


async def make_call(client: ConformanceClient, request: ClientCompatRequest) -> ClientResponseResult:
    """Returns how the call ended."""
    call = _Call(request)
    task = asyncio.ensure_future(call.make(client))
    call.task = task
    try:
        await task
    except AnyplugError as error:
        call.result.error = report_of(error)
    except asyncio.CancelledError:
        # The caller's own doing, of which asyncio has no other error.
        call.result.error = report_of(AnyplugError(Code.CANCELLED, "the client gave the call up"))
    return call.result


class _Call:
    task: asyncio.Task[None]

    def __init__(self, request: ClientCompatRequest) -> None:
        self._request = request
        self._cancel = request.cancel or ClientCompatRequestCancel()
        if request.cancel == ClientCompatRequestCancel():
            self._cancel = ClientCompatRequestCancel(after_close_send_ms=0)
        self.result = ClientResponseResult()
        # Lets a request of a full-duplex stream go when the one before it was answered.
        self._answered = asyncio.Event()

    async def make(self, client: ConformanceClient) -> None:
        """Makes the call, to its end."""
        options = self._options()
        match self._request.method:
            case "Unary":
                self._take(await client.unary(await self._only(UnaryRequest), options=options))
            case "IdempotentUnary":
                self._take(await client.idempotent_unary(await self._only(IdempotentUnaryRequest), options=options))
            case "Unimplemented":
                await client.unimplemented(await self._only(UnimplementedRequest), options=options)
            case "ServerStream":
                await self._read(client.server_stream(await self._only(ServerStreamRequest), options=options))
            case "ClientStream":
                self._take(await client.client_stream(self._requests(ClientStreamRequest), options=options))
            case "BidiStream":
                await self._read(client.bidi_stream(self._requests(BidiStreamRequest), options=options))
            case other:
                raise AnyplugError(Code.UNIMPLEMENTED, f"there is no method {other}")

    def _options(self) -> CallOptions:
        timeout_ms = self._request.timeout_ms
        return CallOptions(
            timeout=None if timeout_ms is None else timeout_ms / 1000,
            metadata=metadata_of(self._request.request_headers),
            on_header=self._take_header,
            on_trailer=self._take_trailer,
        )

    def _take_header(self, metadata: Metadata) -> None:
        self.result.response_headers = headers_of(metadata)

    def _take_trailer(self, metadata: Metadata) -> None:
        self.result.response_trailers = headers_of(metadata)

    async def _delay(self) -> None:
        await asyncio.sleep(self._request.request_delay_ms / 1000)

    async def _only(self, message_type: type[MessageT]) -> MessageT:
        """Returns the one request of a call, which closes its direction."""
        await self._delay()
        self._closed()
        return message_type.parse(self._request.request_messages[0].value)

    async def _requests(self, message_type: type[MessageT]) -> AsyncIterator[MessageT]:
        for message in self._request.request_messages:
            await self._delay()
            self._answered.clear()
            yield message_type.parse(message.value)
            if self._request.stream_type == StreamType.FULL_DUPLEX_BIDI_STREAM:
                await self._answered.wait()
        if self._cancel.before_close_send is not None:
            self.task.cancel()
            await asyncio.Event().wait()
        self._closed()

    def _closed(self) -> None:
        if self._cancel.after_close_send_ms is not None:
            asyncio.get_running_loop().call_later(self._cancel.after_close_send_ms / 1000, self.task.cancel)

    async def _read(self, responses: ResponseStream[Any]) -> None:
        async with responses:
            async for response in responses:
                self._take(response)
                if len(self.result.payloads) == self._cancel.after_num_responses:
                    self.task.cancel()
                self._answered.set()

    def _take(self, response: _Answer) -> None:
        if response.payload is not None:
            self.result.payloads.append(response.payload)
