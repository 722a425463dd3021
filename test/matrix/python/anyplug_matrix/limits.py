"""What a side accepts."""

from __future__ import annotations

import asyncio

from anyplug import Code, Limits
from anyplug_generated.anyplug.test.v1 import SumRequest
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .cell import Cell, fails, failure

__all__ = (
    "a_message_over_the_limit_is_refused",
    "pending_calls_are_limited",
    "sixteen_mebibytes_pass_under_a_raised_limit",
)


async def a_message_over_the_limit_is_refused(cell: Cell) -> None:
    async with cell.load(limits=Limits(max_message_bytes=100_000)) as plugin:
        client = plugin.client(Test)
        await failure(client.echo(data=bytes(100_001)), Code.RESOURCE_EXHAUSTED, "100000")
        # The plugin takes over the limits of its host.
        with fails(Code.RESOURCE_EXHAUSTED, "100000"):
            async for _ in client.count(count=1, size=100_001):
                pass
        number = SumRequest(number=1, data=bytes(100_001))
        await failure(client.sum([number]), Code.RESOURCE_EXHAUSTED, "100000")
        assert len((await client.echo(data=bytes(90_000))).data) == 90_000


async def sixteen_mebibytes_pass_under_a_raised_limit(cell: Cell) -> None:
    size = 16 << 20
    async with cell.load(limits=Limits(max_message_bytes=size + 64)) as plugin:
        client = plugin.client(Test)
        data = bytes(range(256)) * (size // 256)
        assert (await client.echo(data=data)).data == data
        counted = [(response.index, len(response.data)) async for response in client.count(count=2, size=size)]
        assert counted == [(0, size), (1, size)]


async def pending_calls_are_limited(cell: Cell) -> None:
    async with cell.load(limits=Limits(max_pending_requests=10)) as plugin:
        client = plugin.client(Test)
        await client.echo()
        waits = [asyncio.ensure_future(client.wait(ms=60_000)) for _ in range(10)]
        await asyncio.sleep(0)
        await failure(client.echo(), Code.RESOURCE_EXHAUSTED, "10")
        last = waits.pop()
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        assert (await client.echo(text="room again")).text == "room again"
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
