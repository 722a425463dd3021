"""Plugins that are shared libraries in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from anyplug import load_plugin
from anyplug_generated.anyplug.bench.v1.bench_anyplug import Bench
from anyplug_generated.anyplug.test.v1 import ConverseRequest
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from ._clock import async_latency, latency, serve_async, serve_sync
from ._loop import run_on
from ._native_raw import DATA, checked

__all__ = ("serve",)

_PLUGINS = Path(__file__).resolve().parents[4] / "plugins"


def serve(name: str, language: str, loop: str) -> None:
    """Serves rounds of calls to a plugin in Rust by the SDK, or in C by the header alone: what the host costs."""
    if name == "asyncio-ffi":
        run_on(loop, _serve_async(language))
    elif name == "asyncio-ffi-stream":
        run_on(loop, _serve_stream(language))
    else:
        _serve_threads(language)


def _folder(language: str) -> Path:
    return _PLUGINS / {"rust": "bench-plugin/rust", "c": "test-plugin/c"}[language]


def _serve_threads(language: str) -> None:
    with load_plugin(_folder(language), transport="ffi") as plugin:
        client = plugin.client(Bench) if language == "rust" else plugin.client(Test)

        def echo(data: bytes) -> None:
            checked(client.echo(data=data).data, data)

        serve_sync(
            {name: partial(latency, call=partial(echo, data), batch=batch) for name, (data, batch) in DATA.items()}
        )


async def _serve_async(language: str) -> None:
    async with load_plugin(_folder(language), transport="ffi") as plugin:
        client = plugin.client(Bench) if language == "rust" else plugin.client(Test)

        async def echo(data: bytes) -> None:
            checked((await client.echo(data=data)).data, data)

        runs = {
            size: partial(async_latency, call=partial(echo, data), batch=batch) for size, (data, batch) in DATA.items()
        }
        await serve_async(runs)


async def _serve_stream(language: str) -> None:
    """An open stream: the plugin answers each message, in Rust by a thread of its own, in C before it returns."""
    async with load_plugin(_PLUGINS / "test-plugin" / language, transport="ffi") as plugin:
        said: asyncio.Queue[ConverseRequest] = asyncio.Queue()

        async def speak() -> AsyncIterator[ConverseRequest]:
            while True:
                yield await said.get()

        data, _ = DATA["echo64"]
        async with plugin.client(Test).converse(speak()) as answers:

            async def call() -> None:
                said.put_nowait(ConverseRequest(data=data))
                checked((await anext(answers)).data, data)

            await serve_async({"message64": lambda ms: async_latency(ms, call, 1)})
