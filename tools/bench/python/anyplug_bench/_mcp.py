"""The Model Context Protocol's Python SDK over stdio: a tool that returns its text; a stream is notified progress."""

from __future__ import annotations

import os
import sys
import time

from mcp import Client, StdioServerParameters

from ._clock import LARGE, SMALL, Answer, async_measurements, serve_async
from ._loop import run_on

__all__ = ("serve",)

_TEXTS = {size: "m" * size for size in (SMALL, LARGE)}
_ENVIRONMENT = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
_SERVER = StdioServerParameters(command=sys.executable, args=["-m", "anyplug_bench._mcp_server"], env=_ENVIRONMENT)


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds."""
    run_on(loop, _serve())


def _client() -> Client:
    return Client(_SERVER)


async def _echo(client: Client, size: int) -> None:
    result = await client.call_tool("echo", {"text": _TEXTS[size]})
    if len(result.content[0].text) != size:
        raise RuntimeError("an echo of another size")


async def _serve() -> None:
    async with _client() as client:

        async def stream(count: int, size: int) -> int:
            messages = 0

            async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                nonlocal messages
                messages += 1

            await client.call_tool("count", {"count": count, "size": size}, progress_callback=on_progress)
            return messages

        async def load(ms: float) -> Answer:
            start = time.perf_counter()
            async with _client() as other:
                await _echo(other, SMALL)
                value = (time.perf_counter() - start) * 1e3
            return {"value": value}

        runs = async_measurements(lambda size: _echo(client, size), stream, messages=200)
        await serve_async({**runs, "load": load})
