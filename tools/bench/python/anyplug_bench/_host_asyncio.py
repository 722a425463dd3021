"""anyplug's own host, for asyncio."""

from __future__ import annotations

from anyplug import Plugin, PluginLoad
from anyplug_generated.anyplug.bench.v1.bench_anyplug import Bench

from ._clock import LARGE, SMALL, AsyncRuns, async_measurements, serve_async
from ._host import load
from ._loop import run_on

__all__ = ("calls_of", "serve")

_DATA = {size: b"\7" * size for size in (SMALL, LARGE)}


def serve(name: str, language: str, loop: str) -> None:
    """Serves rounds."""
    if name == "asyncio-direct":
        run_on(loop, _serve(load("", coroutine=language == "coroutine"), 10))
    else:
        run_on(loop, _serve(load(language), 1))


async def _serve(loading: PluginLoad, batch: int) -> None:
    async with loading as plugin:
        await serve_async(calls_of(plugin, batch))


def calls_of(plugin: Plugin, batch: int = 1) -> AsyncRuns:
    """Returns what is measured of calls to a loaded bench plugin; ``batch`` calls are a sample of the latency."""
    bench = plugin.client(Bench)

    async def echo(size: int) -> None:
        if len((await bench.echo(data=_DATA[size])).data) != size:
            raise RuntimeError("an echo of another size")

    async def stream(count: int, size: int) -> int:
        messages = 0
        async for _ in bench.count(count=count, size=size):
            messages += 1
        return messages

    return async_measurements(echo, stream, batch)
