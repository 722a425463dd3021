"""Plugins that are shared libraries in this process, and a C function called by ctypes alone."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anyplug import load_plugin
from anyplug_generated.anyplug.bench.v1.bench_anyplug import Bench
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from ._clock import Answer, async_latency, latency, serve_async, serve_sync
from ._loop import run_on

__all__ = ("serve",)

_PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
# The bytes of each echo, and how many echoes are a sample of the latency.
_DATA = {"echo64": (b"\7" * 64, 50), "echo64k": (b"\7" * (64 << 10), 1)}


def serve(name: str, language: str, loop: str) -> None:
    """Serves rounds of calls to a plugin in Rust by the SDK, or in C by the header alone: what the host costs."""
    if name == "ffi-raw":
        serve_sync(
            {name: partial(latency, call=partial(_copy, data), batch=batch) for name, (data, batch) in _DATA.items()}
        )
    elif name == "asyncio-ffi":
        run_on(loop, _serve_async(language))
    else:
        _serve_threads(language)


def _runs(echo: Callable[[bytes], None]) -> dict[str, Callable[[float], Answer]]:
    return {size: partial(latency, call=partial(echo, data), batch=batch) for size, (data, batch) in _DATA.items()}


def _folder(language: str) -> Path:
    return _PLUGINS / {"rust": "bench-plugin/rust", "c": "test-plugin/c"}[language]


def _serve_threads(language: str) -> None:
    with load_plugin(_folder(language), transport="ffi") as plugin:
        client = plugin.client(Bench) if language == "rust" else plugin.client(Test)

        def echo(data: bytes) -> None:
            _checked(client.echo(data=data).data, data)

        serve_sync(
            {name: partial(latency, call=partial(echo, data), batch=batch) for name, (data, batch) in _DATA.items()}
        )


async def _serve_async(language: str) -> None:
    async with load_plugin(_folder(language), transport="ffi") as plugin:
        client = plugin.client(Bench) if language == "rust" else plugin.client(Test)

        async def echo(data: bytes) -> None:
            _checked((await client.echo(data=data)).data, data)

        runs = {
            size: partial(async_latency, call=partial(echo, data), batch=batch) for size, (data, batch) in _DATA.items()
        }
        await serve_async(runs)


_memcpy = ctypes.CDLL(None).memcpy
_memcpy.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
_memcpy.restype = ctypes.c_void_p
_ROOM = ctypes.create_string_buffer(64 << 10)
_ADDRESS = ctypes.addressof(_ROOM)


def _copy(data: bytes) -> None:
    _memcpy(_ADDRESS, data, len(data))


def _checked(echo: bytes, data: bytes) -> None:
    if len(echo) != len(data):
        raise RuntimeError("an echo of another size")
