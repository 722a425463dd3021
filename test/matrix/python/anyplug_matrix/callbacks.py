"""Calls from the plugin to the host."""

from __future__ import annotations

import asyncio

from anyplug import CallOptions, Code
from anyplug_generated.anyplug.test.v1 import EchoRequest, HarmRequestKind
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, Test
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza

from .cell import Cell, failure
from .schemas import with_missing_method

__all__ = (
    "a_callback_has_the_time_of_its_call",
    "a_callback_is_cancelled_with_its_call",
    "a_capability_must_be_granted",
    "a_deadline_crosses_every_hop",
    "a_plugin_calls_its_host_within_a_call",
    "a_plugin_gives_up_a_callback",
    "an_unknown_method_is_unimplemented",
    "an_unknown_service_is_unimplemented",
    "callbacks_nest",
    "endless_callbacks_come_to_an_end",
)


async def a_plugin_calls_its_host_within_a_call(cell: Cell) -> None:
    client = await cell.client()
    assert (await client.ask_host(question="why?")).answer == "why? answered"
    assert (await client.ask_host(question="origin")).answer == "matrix"


async def callbacks_nest(cell: Cell) -> None:
    client = await cell.client()
    assert (await client.ask_host(question="deep", depth=5)).answer == "deep answered"
    origin = "matrix test-plugin " * 5 + "matrix"
    assert (await client.ask_host(question="origin", depth=5)).answer == origin


async def endless_callbacks_come_to_an_end(cell: Cell) -> None:
    client = await cell.client()
    await failure(client.ask_host(question="deep", depth=1000), Code.FAILED_PRECONDITION, "16")


async def a_callback_has_the_time_of_its_call(cell: Cell) -> None:
    client = await cell.client()
    answer = (await client.ask_host(question="remaining", options=CallOptions(timeout=60))).answer
    assert 0 < float(answer) <= 60
    assert (await client.ask_host(question="remaining")).answer == "no limit"


async def a_callback_is_cancelled_with_its_call(cell: Cell) -> None:
    asked, cancelled = cell.host.asked, cell.host.cancelled
    client = await cell.client()
    after = asked.count + 1
    asking = asyncio.ensure_future(client.ask_host(question="wait"))
    await asked.reaches(after)
    asking.cancel()
    [reason] = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(reason, asyncio.CancelledError)
    await cancelled.reaches(after)


async def a_plugin_gives_up_a_callback(cell: Cell) -> None:
    asked, cancelled = cell.host.asked, cell.host.cancelled
    client = await cell.client()
    after = asked.count + 1
    asking = asyncio.ensure_future(client.ask_host(question="wait"))
    await asked.reaches(after)
    await client.harm(kind=HarmRequestKind.GIVE_UP)
    await failure(asking, Code.CANCELLED)
    await cancelled.reaches(after)
    assert (await client.ask_host(question="still there?")).answer == "still there? answered"


async def a_deadline_crosses_every_hop(cell: Cell) -> None:
    asked, cancelled = cell.host.asked, cell.host.cancelled
    client = await cell.client()
    before = asked.count
    # The time may be over before the question has come to the last host; then it is given more.
    timeout = 0.1
    while asked.count == before:
        options = CallOptions(timeout=timeout)
        await failure(client.ask_host(question="wait", depth=2, options=options), Code.DEADLINE_EXCEEDED)
        timeout *= 2
    await cancelled.reaches(asked.count)


async def a_capability_must_be_granted(cell: Cell) -> None:
    client = await cell.client()
    texts = ('"test.secret"', "anyplug.test.v1.SecretService/Reveal")
    await failure(client.ask_host(reveal=True), Code.PERMISSION_DENIED, *texts)
    async with cell.load_with_services(grants=["test.secret"]) as granted:
        assert (await granted.client(Test).ask_host(reveal=True)).answer == "the secret"


async def an_unknown_service_is_unimplemented(cell: Cell) -> None:
    plugin = await cell.plugin()
    await failure(plugin.client(Eliza).reply(), Code.UNIMPLEMENTED, Eliza.name, Test.name)
    # In the other direction too.
    async with cell.load() as alone:
        await failure(alone.client(Test).ask_host(), Code.UNIMPLEMENTED, Host.name)


async def an_unknown_method_is_unimplemented(cell: Cell) -> None:
    service = with_missing_method()
    transport = (await cell.plugin()).transport_to(service)
    call = transport.unary(service.methods[-1], EchoRequest(), None)
    await failure(call, Code.UNIMPLEMENTED, "anyplug.test.v1.TestService/Missing", "Echo")
