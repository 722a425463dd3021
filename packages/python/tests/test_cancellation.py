"""Cancellation from each side and in each way, and deadlines."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import pytest
from anyplug import AnyplugError, CallOptions, Code, Context, implement, load_plugin
from anyplug_generated.anyplug.test.v1 import AskRequest, AskResponse
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, HostHandler, Test

from .conftest import run

pytestmark = pytest.mark.between_languages

Cell = tuple[Path, str]

DRAIN_TIMEOUT = 500
"""Seconds, and so long that closing a plugin with a call in flight is told from a busy machine."""


def test_a_deadline_ends_the_call_and_the_handler_sees_it(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        timeout = 0.05
        # On a busy machine the time may be over before the handler begins: then there is more of it.
        while client.wait_report().started == 0:
            with pytest.raises(AnyplugError) as caught:
                client.wait(ms=60_000, options=CallOptions(timeout=timeout))
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            timeout *= 2
        # Answered only when no wait is open any more.
        report = client.wait_report()
        assert (report.completed, report.cancelled) == (0, report.started)


def test_a_deadline_of_asyncio_ends_the_call_and_the_handler_sees_it(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            client = plugin.client(Test)
            timeout = 0.05
            while (await client.wait_report()).started == 0:
                with pytest.raises(AnyplugError) as caught:
                    await client.wait(ms=60_000, options=CallOptions(timeout=timeout))
                assert caught.value.code is Code.DEADLINE_EXCEEDED
                timeout *= 2
            report = await client.wait_report()
            assert (report.completed, report.cancelled) == (0, report.started)
            # The task itself was not cancelled.
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]

    run(main())


def test_no_time_left_is_refused_at_once(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        with pytest.raises(AnyplugError) as caught:
            plugin.client(Test).echo(options=CallOptions(timeout=0))
        assert caught.value.code is Code.DEADLINE_EXCEEDED


def test_cancelling_a_task_cancels_its_call(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            client = plugin.client(Test)
            tasks = [asyncio.ensure_future(client.wait(ms=60_000)) for _ in range(3)]
            await asyncio.sleep(0)
            # All have begun once a call that was made after them is answered.
            await client.echo()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
            report = await client.wait_report(at_least=3)
            assert (report.started, report.cancelled) == (3, 3)

    run(main())


def test_leaving_the_loop_cancels_the_call(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport, drain_timeout=DRAIN_TIMEOUT) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        for response in client.count(count=1_000_000, size=1000):
            if response.index == 5:
                break
        with client.count(count=1_000_000, size=1000) as responses:
            assert next(responses).index == 0
        assert list(responses) == []
        # Nothing of the streams is in the way of other calls, nor of closing.
        assert client.echo(text="still there").text == "still there"
        start = time.monotonic()
        plugin.close()
        assert time.monotonic() - start < DRAIN_TIMEOUT / 2


def test_leaving_the_loop_of_asyncio_cancels_the_call(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport, drain_timeout=DRAIN_TIMEOUT) as plugin:  # type: ignore[arg-type]
            client = plugin.client(Test)
            async for response in client.count(count=1_000_000, size=1000):
                if response.index == 5:
                    break
            async with client.count(count=1_000_000, size=1000) as responses:
                assert (await anext(responses)).index == 0
            assert [response async for response in responses] == []
            gc.collect()
            assert (await client.echo(text="still there")).text == "still there"
            start = time.monotonic()
            await plugin.close()
            assert time.monotonic() - start < DRAIN_TIMEOUT / 2

    run(main())


def test_a_call_that_a_handler_makes_has_the_time_of_its_own_call(cell: Cell) -> None:
    seen: list[float | None] = []

    class Asked(HostHandler):
        async def ask(self, request: AskRequest, context: Context) -> AskResponse:
            seen.append(context.remaining)
            return AskResponse(answer="now")

    folder, transport = cell
    with load_plugin(folder, transport=transport, services=[implement(Host, Asked())]) as plugin:  # type: ignore[arg-type]
        plugin.client(Test).ask_host(question="when", options=CallOptions(timeout=30))
        [remaining] = seen
        assert remaining is not None
        assert 0 < remaining <= 30


def test_cancellation_goes_through_the_plugin_to_the_hosts_handler(cell: Cell) -> None:
    async def main() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        class Slow(HostHandler):
            async def ask(self, request: AskRequest, context: Context) -> AskResponse:
                begun.set()
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.set()
                return AskResponse()

        folder, transport = cell
        async with load_plugin(folder, transport=transport, services=[implement(Host, Slow())]) as plugin:  # type: ignore[arg-type]
            task = asyncio.ensure_future(plugin.client(Test).ask_host(question="when"))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await ended.wait()

    run(main())


def test_a_synchronous_handler_is_told_of_the_deadline() -> None:
    told: list[AnyplugError | None] = []

    class Slow(HostHandler):
        def ask(self, request: AskRequest, context: Context) -> AskResponse:
            assert context.wait(30)
            told.append(context.cancelled)
            context.raise_if_cancelled()
            return AskResponse()

    from .conftest import TEST_PLUGINS

    for language, transport in (("python", "direct"), ("python", "process"), ("rust", "process")):
        told.clear()
        with load_plugin(
            TEST_PLUGINS[language],
            transport=transport,  # type: ignore[arg-type]
            services=[implement(Host, Slow())],
        ) as plugin:
            timeout = 0.2
            while not told:
                with pytest.raises(AnyplugError) as caught:
                    plugin.client(Test).ask_host(question="when", options=CallOptions(timeout=timeout))
                assert caught.value.code is Code.DEADLINE_EXCEEDED
                timeout *= 2
        assert {error and error.code for error in told} <= {Code.DEADLINE_EXCEEDED, Code.CANCELLED}
