"""The bytes of a call over bare pipes through an asyncio Protocol: what pure Python can reach on an event loop."""

from __future__ import annotations

import asyncio
import subprocess
import time

from ._clock import IN_FLIGHT, LARGE, LARGE_IN_FLIGHT, SMALL, Answer, async_measurements, serve_async
from ._loop import run_on
from ._raw import command

__all__ = ("serve",)


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds."""
    child = subprocess.Popen(command(how), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    run_on(loop, _serve(child))
    child.wait()


async def _serve(child: subprocess.Popen[bytes]) -> None:
    loop = asyncio.get_running_loop()
    raw = _Raw()
    reading, _ = await loop.connect_read_pipe(lambda: raw, child.stdout)
    writing, _ = await loop.connect_write_pipe(asyncio.Protocol, child.stdin)
    raw.output = writing
    runs = async_measurements(raw.echo)
    await serve_async({**runs, "throughput": raw.throughput, "bulk": raw.bulk})
    writing.close()
    reading.close()


class _Raw(asyncio.Protocol):
    output: asyncio.WriteTransport

    def __init__(self) -> None:
        self._missing = 0
        self._answered: asyncio.Future[None] | None = None
        # Of a run with many messages in flight:
        self._size = 0
        self._end = 0.0
        self._sent = self._received = 0

    async def echo(self, size: int) -> None:
        """Sends so many bytes and waits for them."""
        self._missing, self._size = size, 0
        self._answered = asyncio.get_running_loop().create_future()
        self.output.write(bytes(size))
        await self._answered

    async def throughput(self, ms: float) -> Answer:
        """Small messages, as many in flight as calls would be."""
        return {"value": await self._bytes_per_second(ms, SMALL, IN_FLIGHT) / SMALL}

    async def bulk(self, ms: float) -> Answer:
        """Large messages; both directions count."""
        return {"value": await self._bytes_per_second(ms, LARGE, LARGE_IN_FLIGHT) * 2 / 1e6}

    async def _bytes_per_second(self, ms: float, size: int, in_flight: int) -> float:
        self._answered = asyncio.get_running_loop().create_future()
        self._size, self._received, self._sent = size, 0, size * in_flight
        start = time.perf_counter()
        self._end = start + ms / 1e3
        self.output.write(bytes(self._sent))
        await self._answered
        return self._received / (time.perf_counter() - start)

    def data_received(self, data: bytes) -> None:
        """Counts what has come, and sends as much again while there is time."""
        if self._size == 0:
            self._missing -= len(data)
            if self._missing == 0 and self._answered is not None:
                self._answered.set_result(None)
            return
        whole = self._received // self._size
        self._received += len(data)
        more = (self._received // self._size - whole) * self._size
        if more > 0 and time.perf_counter() < self._end:
            self._sent += more
            self.output.write(bytes(more))
        if self._received == self._sent and self._answered is not None:
            self._answered.set_result(None)
