"""The plugin's process: what it prints, what it logs, how it ends."""

from __future__ import annotations

import asyncio

from anyplug import Code, LogLevel
from anyplug_generated.anyplug.test.v1 import HarmRequestKind
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .cell import Cell, Logs, fails, failure

__all__ = (
    "a_kill_ends_calls_with_the_signal",
    "a_log_record_keeps_its_level",
    "a_plugin_reads_nothing_from_stdin",
    "an_exit_ends_calls_with_status_and_last_lines",
    "what_a_plugin_prints_is_log",
)


async def what_a_plugin_prints_is_log(cell: Cell) -> None:
    client = await cell.client()
    await client.harm(kind=HarmRequestKind.STDOUT, text="printed ü\n")
    await client.harm(kind=HarmRequestKind.STDERR, text="complained\n")
    printed = await cell.logs.find("printed ü")
    # Over stdio, stdout is the channel's, and the plugin's prints go to stderr.
    expected = ("stderr", LogLevel.WARN) if cell.transport == "stdio" else ("stdout", LogLevel.INFO)
    assert (printed.logger, printed.level) == expected
    complained = await cell.logs.find("complained")
    assert (complained.logger, complained.level) == ("stderr", LogLevel.WARN)
    assert (await client.echo(text="still there")).text == "still there"


async def a_plugin_reads_nothing_from_stdin(cell: Cell) -> None:
    client = await cell.client()
    assert (await client.harm(kind=HarmRequestKind.STDIN)).text == ""
    assert (await client.echo(text="still there")).text == "still there"


async def a_log_record_keeps_its_level(cell: Cell) -> None:
    client = await cell.client()
    await client.harm(kind=HarmRequestKind.LOG, text="noted ü")
    noted = await cell.logs.find("noted ü")
    assert (noted.logger, noted.level) == (Test.name, LogLevel.INFO)


async def an_exit_ends_calls_with_status_and_last_lines(cell: Cell) -> None:
    logs = Logs(asyncio.get_running_loop())
    async with cell.load(on_log=logs.take) as plugin:
        client = plugin.client(Test)
        await client.harm(kind=HarmRequestKind.STDERR, text="about to die\n")
        await logs.find("about to die")
        waiting = asyncio.ensure_future(client.wait(ms=60_000))
        await asyncio.sleep(0)
        dying = client.harm(kind=HarmRequestKind.EXIT, number=7)
        for call in (dying, waiting):
            await failure(call, Code.UNAVAILABLE, "status 7", "about to die")
        await failure(client.echo(), Code.UNAVAILABLE, "status 7")
        assert "status 7" in (await plugin.wait_closed()).message


async def a_kill_ends_calls_with_the_signal(cell: Cell) -> None:
    async with cell.load() as plugin:
        client = plugin.client(Test)
        counted = client.count(count=1_000_000, delay_ms=1)
        await anext(counted)
        await failure(client.harm(kind=HarmRequestKind.KILL), Code.UNAVAILABLE, "SIGKILL")
        with fails(Code.UNAVAILABLE, "SIGKILL"):
            async for _ in counted:
                pass
