"""Streams, in each direction and in both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from anyplug import Code, Limits
from anyplug_generated.anyplug.test.v1 import ConverseRequest, FailRequest, SumRequest
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .cell import Cell, fails

__all__ = (
    "a_bidi_stream_is_interleaved",
    "a_client_stream_is_read_to_its_end",
    "a_server_stream_comes_in_order",
    "a_slow_plugin_holds_the_host_back",
    "a_slow_reader_holds_the_sender_back",
    "a_stream_that_fails_half_way_gives_what_came_before",
    "leaving_a_stream_ends_it_in_the_plugin",
)


async def a_server_stream_comes_in_order(cell: Cell) -> None:
    client = await cell.client()
    counted = [response async for response in client.count(count=300, size=1000)]
    assert [response.index for response in counted] == list(range(300))
    assert all(len(response.data) == 1000 for response in counted)
    assert [response async for response in client.count(count=0)] == []


async def a_client_stream_is_read_to_its_end(cell: Cell) -> None:
    client = await cell.client()
    answer = await client.sum(SumRequest(number=number, data=bytes(1000)) for number in range(300))
    assert (answer.sum, answer.count) == (44_850, 300)
    none = await client.sum([])
    assert (none.sum, none.count) == (0, 0)


async def a_bidi_stream_is_interleaved(cell: Cell) -> None:
    client = await cell.client()
    answered = asyncio.Semaphore(0)

    async def speak() -> AsyncIterator[ConverseRequest]:
        for line in range(20):
            yield ConverseRequest(text=f"line {line}")
            # Deadlocks if an answer waits for the next request.
            await answered.acquire()

    heard = []
    async for response in client.converse(speak()):
        heard.append(response.text)
        answered.release()
    assert heard == [f"line {line}" for line in range(20)]


async def a_stream_that_fails_half_way_gives_what_came_before(cell: Cell) -> None:
    client = await cell.client()
    counted = []
    with fails(Code.ABORTED, "half-way"):
        fail = FailRequest(code=Code.ABORTED.value, message="half-way")
        async for response in client.count(count=3, fail=fail):
            counted.append(response.index)
    assert counted == [0, 1, 2]


async def leaving_a_stream_ends_it_in_the_plugin(cell: Cell) -> None:
    # With two calls at once, the third would fail if one that was left were still open.
    async with cell.load(limits=Limits(max_pending_requests=2)) as plugin:
        client = plugin.client(Test)
        for _ in range(5):
            async with aclosing(client.count(count=1_000_000, size=100)) as counted:
                async for response in counted:
                    if response.index == 2:
                        break
            assert (await client.echo(text="after it")).text == "after it"


async def a_slow_reader_holds_the_sender_back(cell: Cell) -> None:
    # Without credit, five megabytes would come while the reader does something else, and end the call.
    async with cell.load(limits=Limits(max_buffer_bytes=300_000)) as plugin:
        client = plugin.client(Test)
        read = 0
        async for response in client.count(count=500, size=10_000):
            assert response.index == read
            read += 1
            if read % 100 == 1:
                for _ in range(20):
                    await client.echo()
        assert read == 500


async def a_slow_plugin_holds_the_host_back(cell: Cell) -> None:
    client = await cell.client()
    given = 0

    async def speak() -> AsyncIterator[ConverseRequest]:
        nonlocal given
        for line in range(300):
            yield ConverseRequest(text=f"line {line}", data=bytes(10_000))
            given += 1

    async with aclosing(client.converse(speak())) as answers:
        assert (await anext(answers)).text == "line 0"
        # The plugin answers what it reads, and can send no more than a window of what is not read here.
        for _ in range(100):
            await client.echo()
        assert given < 100
        assert [response.text async for response in answers] == [f"line {line}" for line in range(1, 300)]
