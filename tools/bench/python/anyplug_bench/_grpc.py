"""The classes of grpcio over a Unix socket or TCP, with the benchmark's own schema: blocking calls, or grpc.aio's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from ._clock import LARGE, SMALL, Answer, async_measurements, measurements, serve_async, serve_sync
from ._grpc_messages import COUNT, ECHO, message

__all__ = ("serve",)

_DATA = {size: b"\7" * size for size in (SMALL, LARGE)}
_ECHO_REQUEST, _ECHO_RESPONSE = message("EchoRequest"), message("EchoResponse")
_COUNT_REQUEST, _COUNT_RESPONSE = message("CountRequest"), message("CountResponse")


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds."""
    if name == "asyncio-grpc":
        asyncio.run(_serve_async(how))
        return
    with _server("sync", how) as address, grpc.insecure_channel(address) as channel:
        echo, count = _stubs(channel)

        def stream(number: int, size: int) -> int:
            return sum(1 for _ in count(_COUNT_REQUEST(count=number, size=size)))

        serve_sync(
            {**measurements(lambda size: _checked(echo(_request(size)), size), stream, messages=200), "load": _load}
        )


async def _serve_async(how: str) -> None:
    with _server("aio", how) as address:
        async with grpc.aio.insecure_channel(address) as channel:
            echo, count = _stubs(channel)

            async def call(size: int) -> None:
                _checked(await echo(_request(size)), size)

            async def stream(number: int, size: int) -> int:
                messages = 0
                async for _ in count(_COUNT_REQUEST(count=number, size=size)):
                    messages += 1
                return messages

            await serve_async(async_measurements(call, stream, messages=200))


def _load(ms: float) -> Answer:
    start = time.perf_counter()
    with _server("sync", "") as address, grpc.insecure_channel(address) as channel:
        _stubs(channel)[0](_request(SMALL))
        value = (time.perf_counter() - start) * 1e3
    return {"value": value}


def _stubs(channel: Any) -> tuple[Any, Any]:
    """Returns what generated code would: the two methods of the service."""
    return (
        channel.unary_unary(ECHO, _ECHO_REQUEST.SerializeToString, _ECHO_RESPONSE.FromString),
        channel.unary_stream(COUNT, _COUNT_REQUEST.SerializeToString, _COUNT_RESPONSE.FromString),
    )


def _request(size: int) -> Any:
    return _ECHO_REQUEST(data=_DATA[size])


def _checked(response: Any, size: int) -> None:
    if len(response.data) != size:
        raise RuntimeError("an echo of another size")


@contextmanager
def _server(kind: str, how: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="anyplug-bench-") as folder:
        listen = "127.0.0.1:0" if how == "tcp" else f"unix:{folder}/socket"
        child = subprocess.Popen(
            [sys.executable, "-m", "anyplug_bench._grpc_server", kind, listen],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("the server has no pipes")
        address = child.stdout.readline().strip()
        try:
            yield address
        finally:
            child.stdin.close()
            child.wait()
