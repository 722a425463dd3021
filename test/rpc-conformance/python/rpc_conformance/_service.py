"""ConformanceService: it answers as the request says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

from anyplug import Context, RequestStream
from rpc_conformance_generated.connectrpc.conformance.v1 import (
    BidiStreamRequest,
    BidiStreamResponse,
    ClientStreamRequest,
    ClientStreamResponse,
    ConformancePayload,
    ConformancePayloadRequestInfo,
    IdempotentUnaryRequest,
    IdempotentUnaryResponse,
    ServerStreamRequest,
    ServerStreamResponse,
    StreamResponseDefinition,
    UnaryRequest,
    UnaryResponse,
    UnaryResponseDefinition,
)
from rpc_conformance_generated.connectrpc.conformance.v1.service_anyplug import ConformanceHandler
from rpc_conformance_generated.google.protobuf import Any

from ._convert import error_of, headers_of, metadata_of, pack

__all__ = ("ConformanceService",)


class ConformanceService(ConformanceHandler):
    """Handles the calls of the suite; what it does not override is what the suite wants unimplemented."""

    async def unary(self, request: UnaryRequest, context: Context) -> UnaryResponse:
        return UnaryResponse(payload=await _one_payload(request.response_definition, [pack(request)], context))

    async def idempotent_unary(self, request: IdempotentUnaryRequest, context: Context) -> IdempotentUnaryResponse:
        payload = await _one_payload(request.response_definition, [pack(request)], context)
        return IdempotentUnaryResponse(payload=payload)

    async def client_stream(
        self, requests: RequestStream[ClientStreamRequest], context: Context
    ) -> ClientStreamResponse:
        every = [request async for request in requests]
        definition = every[0].response_definition if every else None
        payload = await _one_payload(definition, [pack(request) for request in every], context)
        return ClientStreamResponse(payload=payload)

    async def server_stream(
        self, request: ServerStreamRequest, context: Context
    ) -> AsyncIterator[ServerStreamResponse]:
        responses = _Responses(request.response_definition, context)
        requests = [pack(request)]
        while responses.left:
            yield ServerStreamResponse(payload=await responses.next(requests))
        responses.end(requests)

    async def bidi_stream(
        self, requests: RequestStream[BidiStreamRequest], context: Context
    ) -> AsyncIterator[BidiStreamResponse]:
        responses: _Responses | None = None
        is_full_duplex = False
        unanswered: list[Any] = []
        async for request in requests:
            if responses is None:
                responses = _Responses(request.response_definition, context)
                is_full_duplex = request.full_duplex
            unanswered.append(pack(request))
            if not is_full_duplex:
                continue
            if not responses.left:
                break
            yield BidiStreamResponse(payload=await responses.next(unanswered, always=True))
            unanswered = []
        if responses is None:
            return
        while responses.left:
            yield BidiStreamResponse(payload=await responses.next(unanswered))
        responses.end(unanswered)


class _Responses:
    """The responses of a stream, as its first request defines them."""

    def __init__(self, definition: StreamResponseDefinition | None, context: Context) -> None:
        self._definition = definition or StreamResponseDefinition()
        self._context = context
        self._sent = 0
        _add_metadata(self._definition, context)

    @property
    def left(self) -> bool:
        """Whether there is another response."""
        return self._sent < len(self._definition.response_data)

    async def next(self, requests: list[Any], *, always: bool = False) -> ConformancePayload:
        """Returns the next response.

        The first says what was seen of the call; with ``always`` the others say which requests they answer.
        """
        # A handler whose call is cancelled is cancelled where it waits.
        await asyncio.sleep(self._definition.response_delay_ms / 1000)
        data = self._definition.response_data[self._sent]
        self._sent += 1
        if self._sent == 1:
            return ConformancePayload(data=data, request_info=_request_info(self._context, requests))
        info = ConformancePayloadRequestInfo(requests=requests) if always else None
        return ConformancePayload(data=data, request_info=info)

    def end(self, requests: list[Any]) -> None:
        """Raises the error that the definition has, if it has one."""
        if (error := self._definition.error) is not None:
            raise error_of(error, *([] if self._sent else [_request_info(self._context, requests)]))


async def _one_payload(
    definition: UnaryResponseDefinition | None, requests: list[Any], context: Context
) -> ConformancePayload:
    info = _request_info(context, requests)
    definition = definition or UnaryResponseDefinition()
    _add_metadata(definition, context)
    await asyncio.sleep(definition.response_delay_ms / 1000)
    if definition.error is not None:
        raise error_of(definition.error, info)
    return ConformancePayload(data=definition.response_data or b"", request_info=info)


def _request_info(context: Context, requests: list[Any]) -> ConformancePayloadRequestInfo:
    remaining = context.remaining
    return ConformancePayloadRequestInfo(
        request_headers=headers_of(context.metadata),
        timeout_ms=None if remaining is None else math.ceil(remaining * 1000),
        requests=requests,
    )


def _add_metadata(definition: UnaryResponseDefinition | StreamResponseDefinition, context: Context) -> None:
    for key, value in metadata_of(definition.response_headers):
        context.set_header(key, value)
    for key, value in metadata_of(definition.response_trailers):
        context.set_trailer(key, value)
