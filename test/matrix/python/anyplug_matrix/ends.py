"""How calls end before their answer: deadlines, cancellation, closing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import TypeVar

from anyplug import AnyplugError, CallOptions, Code
from anyplug_generated.anyplug.test.v1 import ConverseRequest, SumRequest
from anyplug_generated.anyplug.test.v1.test_anyplug import Test, TestClient

from .cell import Cell, fails, failure

__all__ = (
    "a_cancelled_call_cancels_the_handler",
    "a_deadline_cancels_the_handler",
    "calls_after_close_are_unavailable",
    "close_waits_for_calls_in_flight",
    "closing_in_the_middle_of_everything_ends_it_all",
)

T = TypeVar("T")


async def a_deadline_cancels_the_handler(cell: Cell) -> None:
    client = await cell.client()

    # The time may be over before the handler begins; then it is given more.
    timeouts = (0.05 * 2**tries for tries in count())

    async def give_up() -> None:
        await failure(client.wait(ms=600_000, options=CallOptions(timeout=next(timeouts))), Code.DEADLINE_EXCEEDED)

    await _until_cancelled(client, give_up)


async def a_cancelled_call_cancels_the_handler(cell: Cell) -> None:
    client = await cell.client()

    async def give_up() -> None:
        waiting = asyncio.ensure_future(client.wait(ms=60_000))
        await asyncio.sleep(0)
        await client.echo()
        waiting.cancel()
        [reason] = await asyncio.gather(waiting, return_exceptions=True)
        assert isinstance(reason, asyncio.CancelledError)

    await _until_cancelled(client, give_up)


async def _until_cancelled(client: TestClient, give_up: Callable[[], Awaitable[None]]) -> None:
    """A call may be over before its handler begins; then there is nothing to cancel, and it is made again."""
    before = await client.wait_report()
    for _ in range(100):
        await give_up()
        # Answered only when no wait is open any more.
        now = await client.wait_report()
        assert now.completed == before.completed
        if now.cancelled > before.cancelled:
            return
    raise AssertionError("no handler was cancelled")


async def close_waits_for_calls_in_flight(cell: Cell) -> None:
    plugin = await cell.load(drain_timeout=120)
    client = plugin.client(Test)
    await client.echo()
    waiting = asyncio.ensure_future(client.wait(ms=200))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(plugin.close())
    refused: AnyplugError | None = None
    while refused is None:
        try:
            await client.echo()
        except AnyplugError as error:
            refused = error
    assert refused.code is Code.UNAVAILABLE
    await waiting
    await closing


async def closing_in_the_middle_of_everything_ends_it_all(cell: Cell) -> None:
    asked, cancelled = cell.host.asked, cell.host.cancelled
    after = asked.count + 1
    plugin = await cell.load_with_services(drain_timeout=0)
    client = plugin.client(Test)
    waiting = asyncio.ensure_future(client.wait(ms=60_000))
    asking = asyncio.ensure_future(client.ask_host(question="wait", depth=2))
    summing = asyncio.ensure_future(client.sum(_once_and_never_again(SumRequest(number=1))))
    answers = client.converse(_once_and_never_again(ConverseRequest(text="first")))
    assert (await anext(answers)).text == "first"
    counted = client.count(count=1_000_000, delay_ms=1)
    assert (await anext(counted)).index == 0
    await asked.reaches(after)
    await plugin.close()
    for call in (waiting, asking, summing):
        await failure(call, Code.UNAVAILABLE)
    for stream in (answers, counted):
        with fails(Code.UNAVAILABLE):
            async for _ in stream:
                pass
    await cancelled.reaches(after)
    async with cell.load() as again:
        assert (await again.client(Test).echo(text="again")).text == "again"


async def _once_and_never_again(message: T) -> AsyncIterator[T]:
    """A stream that is neither ended nor goes on."""
    yield message
    await asyncio.Event().wait()


async def calls_after_close_are_unavailable(cell: Cell) -> None:
    plugin = await cell.load()
    client = plugin.client(Test)
    await client.echo()
    await plugin.close()
    reason = 'the connection ended: plugin "test-plugin" was closed'
    await failure(client.echo(), Code.UNAVAILABLE, reason)
    await failure(client.sum([]), Code.UNAVAILABLE, reason)
    with fails(Code.UNAVAILABLE, reason):
        async for _ in client.count(count=1):
            raise AnyplugError(Code.INTERNAL, "a message of a closed plugin")
    await plugin.close()
