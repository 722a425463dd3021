"""All that generated code sees of this package. For ``service Eliza`` it looks like this::

    from __future__ import annotations

    from collections.abc import AsyncIterable, Awaitable, Iterable

    import anyplug.codegen.v1 as _v1

    from . import ChatRequest, ChatResponse, ReplyRequest, ReplyResponse

    _REPLY: _v1.MethodDescriptor[ReplyRequest, ReplyResponse] = _v1.MethodDescriptor(
        service="eliza_classic.v1.ElizaService",
        name="Reply",
        local_name="reply",
        kind=_v1.MethodKind.UNARY,
        input=ReplyRequest,
        output=ReplyResponse,
        default_timeout_ms=30000,  # absent when 0; so are idempotent and required_capability
    )
    _CHAT: … = …


    class ElizaClient(_v1.Client):
        __slots__ = ()

        def __init__(self, caller: _v1.Caller, /) -> None:
            super().__init__(caller, Eliza)

        async def reply(
            self,
            request: ReplyRequest | None = None,
            /,
            *,
            text: str = "",
            session_id: str = "",
            options: _v1.CallOptions | None = None,
        ) -> ReplyResponse:
            if request is None:
                request = ReplyRequest(text=text, session_id=session_id)
            return await self._transport.unary(_REPLY, request, options)

        def reply_stream(self, request=None, /, *, …) -> _v1.ResponseStream[ReplyStreamResponse]:
            if request is None:
                request = ReplyStreamRequest(text=text, session_id=session_id)
            return self._transport.stream(_REPLY_STREAM, (request,), options)

        async def transcript(
            self,
            requests: AsyncIterable[TranscriptRequest] | Iterable[TranscriptRequest],
            /,
            *,
            options: _v1.CallOptions | None = None,
        ) -> TranscriptResponse:
            return await self._one(_TRANSCRIPT, requests, options)

        def chat(
            self,
            requests: AsyncIterable[ChatRequest] | Iterable[ChatRequest],
            /,
            *,
            options: _v1.CallOptions | None = None,
        ) -> _v1.ResponseStream[ChatResponse]:
            return self._transport.stream(_CHAT, requests, options)


    class ElizaSyncClient(_v1.SyncClient):
        __slots__ = ()

        def __init__(self, caller: _v1.SyncCaller, /) -> None:
            super().__init__(caller, Eliza)

        def reply(self, request=None, /, *, …) -> ReplyResponse: …  # the same without async and await
        def chat(self, requests: Iterable[ChatRequest], /, *, …) -> _v1.SyncResponseStream[ChatResponse]: …


    class ElizaHandler(_v1.Handler):
        def reply(
            self, request: ReplyRequest, context: _v1.Context, /
        ) -> ReplyResponse | Awaitable[ReplyResponse]:
            raise _v1.unimplemented(_REPLY)

        def reply_stream(
            self, request: ReplyStreamRequest, context: _v1.Context, /
        ) -> Iterable[ReplyStreamResponse] | AsyncIterable[ReplyStreamResponse]:
            raise _v1.unimplemented(_REPLY_STREAM)

        def transcript(
            self, requests: _v1.RequestStream[TranscriptRequest], context: _v1.Context, /
        ) -> TranscriptResponse | Awaitable[TranscriptResponse]:
            raise _v1.unimplemented(_TRANSCRIPT)

        def chat(
            self, requests: _v1.RequestStream[ChatRequest], context: _v1.Context, /
        ) -> Iterable[ChatResponse] | AsyncIterable[ChatResponse]:
            raise _v1.unimplemented(_CHAT)


    Eliza: _v1.ServiceDescriptor[ElizaClient, ElizaSyncClient, ElizaHandler] = _v1.ServiceDescriptor(
        name="eliza_classic.v1.ElizaService",
        fingerprint="…",
        methods=(_REPLY, _REPLY_STREAM, _TRANSCRIPT, _CHAT),
        descriptor_set=b"…",
        client=ElizaClient,
        sync_client=ElizaSyncClient,
        handler=ElizaHandler,
    )

Messages are in the ``__init__.py`` of their package, and what the native codec must know of them is in its
``_anyplug_table.py``; tools/protoc-gen-anyplug/src/python/tables.ts says what is in that::

    class ReplyRequest(_v1.Message):
        text: str
        session_id: str

        def __init__(self, *, text: str = "", session_id: str = "") -> None:
            self.text = text
            self.session_id = session_id
            self._unknown_fields = b""


    default_message_pool.register("eliza_classic.v1", {"ReplyRequest": ReplyRequest})

A field called ``options`` or ``self`` gets an underscore behind its name.
"""

from typing_extensions import deprecated

from .._client import Caller, Client, SyncCaller, SyncClient
from .._context import Context
from .._descriptor import MethodDescriptor, MethodKind, ServiceDescriptor
from .._handler import Handler, RequestStream, unimplemented
from .._load import load_library
from .._messages import Enum, Message, MessagePool, warn_deprecated
from .._options import CallOptions
from .._transport import ResponseStream, SyncResponseStream
from .._well_known import (
    AnyMethods,
    DurationMethods,
    ListValueMethods,
    StructMethods,
    TimestampMethods,
    ValueMethods,
    WrapperMethods,
)

__all__ = (
    "AnyMethods",
    "CallOptions",
    "Caller",
    "Client",
    "Context",
    "DurationMethods",
    "Enum",
    "Handler",
    "ListValueMethods",
    "Message",
    "MessagePool",
    "MethodDescriptor",
    "MethodKind",
    "RequestStream",
    "ResponseStream",
    "ServiceDescriptor",
    "StructMethods",
    "SyncCaller",
    "SyncClient",
    "SyncResponseStream",
    "TimestampMethods",
    "ValueMethods",
    "WrapperMethods",
    "deprecated",
    "load_library",
    "unimplemented",
    "warn_deprecated",
)
