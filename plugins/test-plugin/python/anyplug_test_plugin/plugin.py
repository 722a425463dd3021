"""TestService, and the plugin that offers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, NoReturn

from anyplug import AnyplugError, Code, Context, Implementation, RequestStream, define_plugin, implement
from anyplug_generated.anyplug.test.v1 import (
    AskHostRequest,
    AskHostResponse,
    ConverseRequest,
    ConverseResponse,
    CountRequest,
    CountResponse,
    EchoRequest,
    EchoResponse,
    FailDetail,
    FailRequest,
    FailResponse,
    HarmRequest,
    HarmRequestKind,
    HarmResponse,
    SumRequest,
    SumResponse,
    WaitReportRequest,
    WaitReportResponse,
    WaitRequest,
    WaitResponse,
)
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, Secret, Test, TestHandler

from ._asking import Asking
from ._harm import harm
from ._waits import Waits

__all__ = ("plugin",)


class _TestPlugin(TestHandler):
    def __init__(self) -> None:
        self._waits = Waits()
        self._asking = Asking()

    def echo(self, request: EchoRequest, context: Context) -> EchoResponse:
        remaining = context.remaining
        for key, value in context.metadata:
            if key.startswith("header-"):
                context.set_header(key, value)
            if key.startswith("trailer-"):
                context.set_trailer(key, value)
        return EchoResponse(
            text=request.text,
            data=request.data,
            everything=request.everything,
            metadata=[f"{key}: {value}" for key, value in context.metadata],
            origin=list(context.origin),
            remaining_ms=None if remaining is None else int(remaining * 1000),
        )

    def fail(self, request: FailRequest, context: Context) -> FailResponse:
        _fail(request)

    async def count(self, request: CountRequest, context: Context) -> AsyncIterator[CountResponse]:
        for index in range(request.count):
            if request.delay_ms > 0:
                await asyncio.sleep(request.delay_ms / 1000)
            yield CountResponse(index=index, data=bytes(request.size))
        if request.fail is not None:
            _fail(request.fail)

    async def sum(self, requests: RequestStream[SumRequest], context: Context) -> SumResponse:
        total = count = 0
        async for request in requests:
            total += request.number
            count += 1
        wrapped = (total + (1 << 63)) % (1 << 64) - (1 << 63)
        return SumResponse(sum=wrapped, count=count)

    async def converse(
        self, requests: RequestStream[ConverseRequest], context: Context
    ) -> AsyncIterator[ConverseResponse]:
        async for request in requests:
            yield ConverseResponse(text=request.text, data=request.data)

    async def wait(self, request: WaitRequest, context: Context) -> WaitResponse:
        self._waits.start()
        completed = False
        try:
            await asyncio.sleep(request.ms / 1000)
            completed = True
        finally:
            self._waits.end(completed=completed)
        return WaitResponse()

    async def wait_report(self, request: WaitReportRequest, context: Context) -> WaitReportResponse:
        started, completed, cancelled = await asyncio.to_thread(self._waits.settle, request.at_least)
        return WaitReportResponse(started=started, completed=completed, cancelled=cancelled)

    async def ask_host(self, request: AskHostRequest, context: Context) -> AskHostResponse:
        if request.reveal:
            return AskHostResponse(answer=(await context.client(Secret).reveal()).value)
        response = await self._asking.wait_for(context.client(Host).ask(question=request.question, depth=request.depth))
        return AskHostResponse(answer=response.answer)

    def harm(self, request: HarmRequest, context: Context) -> HarmResponse:
        if request.kind == HarmRequestKind.GIVE_UP:
            self._asking.give_up()
            return HarmResponse()
        return HarmResponse(text=harm(request, context))


def _fail(request: FailRequest) -> NoReturn:
    """Raises what the request asks for: an error of this system, or any other."""
    if request.crash:
        raise RuntimeError(request.message)
    details = [FailDetail(text=request.detail)] if request.detail else []
    try:
        code = Code(request.code)
    except ValueError:
        code = Code.UNKNOWN
    raise AnyplugError(code, request.message, details=details)


def _services(config: Mapping[str, Any]) -> list[Implementation]:
    """The configuration `{"refuse": "why"}` makes the plugin refuse to start."""
    if isinstance(config.get("refuse"), str):
        raise AnyplugError(Code.INVALID_ARGUMENT, config["refuse"])
    return [implement(Test, _TestPlugin())]


plugin = define_plugin(name="test-plugin", version="0.1.0", uses=[Host, Secret], services=_services)
